package rules

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// Inventory makes a question without a verdict of a rule: what is at its places is listed. It never fails or passes, and nothing of it is fixed.
type Inventory struct {
	Category string // the heading under which it is listed
	As       string // how data are shown, one of [inventoryForms]; "" for how their type is
}

var inventoryObject = strict.Object[Inventory]{
	Name: "inventory", What: "inventory", Doc: "What is at the places of the rule is listed, without a verdict: the values that value names or, without it, all values of each key, and a key without values itself.",
	Fields: []strict.Field[Inventory]{
		strict.Must("category", "The heading under which it is listed.", strict.LineForm, func(i *Inventory, s string) { i.Category = s }),
		strict.May("as", "How numbers and bytes are shown that hold something else: as a filetime (8 bytes), systemtime (16), epoch (the seconds since 1970, 4), ip (an IPv4 address, 4), sid or text (UTF-16).",
			strict.OneWord(inventoryForms...), func(i *Inventory, s string) { i.As = s }),
	},
}

var inventoryForms = []string{"filetime", "systemtime", "epoch", "ip", "sid", "text"}

// notOfInventory are the fields that need a verdict.
var notOfInventory = []string{"misspelt", "expect", "missing", "when", "all", "any", "none", "policy", "overrides", "assume", "messages", "fix", "alternative", "tests"}

// checkInventory checks that an inventory has no field that needs a verdict.
func checkInventory(d *strict.Decoder, n *yaml.Node, r *draft) {
	for _, name := range notOfInventory {
		if strict.Has(n, name) {
			d.Wrong(n, "an inventory has no verdict, and no field %s: it lists what is there", name)
		}
	}
	if !strict.Has(n, "key") {
		d.Wrong(n, "a rule needs the field key")
	}
	if r.base.severity != Info {
		d.Wrong(n, "an inventory has no verdict, so its severity is info")
	}
	r.AboutKey = r.value == nil
}

// Inventories returns the rules that are inventories.
func Inventories(all []*Rule) []*Rule {
	return slices.DeleteFunc(slices.Clone(all), func(r *Rule) bool { return r.Inventory == nil })
}

// Listed is what an inventory found at one place.
type Listed struct {
	Rule         *Rule
	Key, RealKey hive.Path   // as in a [Finding]
	Value        *hive.Value // nil for the key itself; valid until found returns
	Modified     time.Time   // last write of the key, UTC; zero if the input has no times
	At           hive.Location
	Deleted      bool   // it was found in unused space of the hive
	Gap          string // in place of all else: why not all that is here is known; "" for nearly all
}

// Text returns the data for people, in the form that the inventory asks for if they have it.
func (l Listed) Text() string {
	if l.Value == nil {
		return ""
	}
	v := *l.Value
	switch v.Type {
	case hive.SZ, hive.ExpandSZ, hive.MultiSZ, hive.Link:
	default:
		if text, ok := shownAs(l.Rule.Inventory.As, v.Data); ok {
			return text
		}
	}
	return v.Display()
}

// shownAs returns data in a form, and whether they have it. What stands behind the size of the form does not count.
func shownAs(form string, b []byte) (text string, ok bool) {
	switch {
	case form == "filetime" && len(b) >= 8:
		// Other numbers are times of centuries in which there was no Windows.
		if t := hive.Filetime(binary.LittleEndian.Uint64(b)).Time(); t.Year() >= 1970 && t.Year() < 2200 {
			return t.Format(hive.TimeLayout), true
		}
	case form == "systemtime" && len(b) >= 16:
		return systemTime(b)
	case form == "epoch" && len(b) >= 4:
		return time.Unix(int64(binary.LittleEndian.Uint32(b)), 0).UTC().Format(hive.TimeLayout), true
	case form == "ip" && len(b) >= 4:
		return netip.AddrFrom4([4]byte(b)).String(), true
	case form == "sid":
		return hive.SID(b)
	case form == "text":
		return wideText(b)
	}
	return "", false
}

// systemTime returns a SYSTEMTIME: eight numbers of 16 bits, of which the third is the day of the week. Source: Microsoft, minwinbase.h.
func systemTime(b []byte) (text string, ok bool) {
	var n [8]int
	for i := range n {
		n[i] = int(binary.LittleEndian.Uint16(b[2*i:]))
	}
	t := time.Date(n[0], time.Month(n[1]), n[3], n[4], n[5], n[6], n[7]*int(time.Millisecond), time.UTC)
	// A date that there is not, such as February 30, becomes another one.
	ok = n[0] >= 1601 && t.Year() == n[0] && int(t.Month()) == n[1] && t.Day() == n[3] && t.Hour() == n[4] && t.Minute() == n[5] && t.Second() == n[6]
	return t.Format(hive.TimeLayout), ok
}

// wideText returns the UTF-16 text that bytes begin with, to its NUL or their end, if it has characters that people read only. Of bytes that hold
// nothing but such texts it returns all.
func wideText(b []byte) (text string, ok bool) {
	all := strings.Split(strings.TrimRight(hive.DecodeUTF16(b), "\x00"), "\x00")
	unreadable := func(text string) bool {
		return text == "" || hive.Visible(text) != text || strings.ContainsRune(text, '\uFFFD')
	}
	if slices.ContainsFunc(all, unreadable) || len(b)%2 != 0 {
		return all[0], !unreadable(all[0])
	}
	return strings.Join(all, ", "), true
}

// Survey calls found for all that the inventories among some rules list, until it returns false. It reads the keys below the starts of patterns
// once for all of them.
func Survey(reg *hive.Registry, all []*Rule, found func(Listed) bool) {
	l := &lister{registry: reg, found: found}
	e := &evaluation{registry: reg}
	var searches []*search
	for _, r := range Inventories(all) {
		searches = append(searches, e.places(r.question, scene{}, func(m hive.Match, _ bindings) { l.key(r, m) }, func(m hive.Match) { l.gap(r, m) })...)
	}
	walk(reg, searches)
}

// SurveyDeleted is [Survey] for what was deleted from a hive that is mounted at a path. Of an orphan it is not known where it was, so it is
// not listed.
func SurveyDeleted(reg *hive.Registry, all []*Rule, mount hive.Path, deleted []hive.Deleted, found func(Listed) bool) {
	l := &lister{registry: reg, found: found}
	var current hive.Deleted
	var searches []*search
	for _, r := range Inventories(all) {
		for _, base := range reg.Find(r.Key.base) {
			searches = append(searches, &search{base: base, key: r.Key, found: func(m hive.Match, _ bindings) { l.deleted(r, m, current) }})
		}
	}
	w := walker{registry: reg}
	root, _ := plant(searches)
	for _, d := range deleted {
		if d.Orphan {
			continue
		}
		current = d
		at := root.enter(nil)
		w.path = mount.Join(d.Path...)
		for _, name := range w.path {
			at = w.next(name, at)
		}
		for _, level := range at {
			for _, s := range level.ends {
				s.found(w.match(s), nil)
			}
		}
	}
}

// lister tells what inventories list.
type lister struct {
	registry *hive.Registry
	values   hive.ValueReader
	found    func(Listed) bool
	enough   bool
}

func (l *lister) tell(one Listed) { l.enough = l.enough || !l.found(one) }

// key tells what is to be listed of a key.
func (l *lister) key(r *Rule, m hive.Match) {
	k := m.Key
	switch {
	case l.enough:
		return
	case k == nil:
		l.gap(r, m)
		return
	}
	one := Listed{Rule: r, Key: m.Live, RealKey: m.Real, Modified: k.Modified(), At: k.At()}
	values := l.values.Values(k)
	l.each(values, one)
	switch known := k.ValuesKnown(); {
	case known == hive.NotCovered || known == hive.Whole && (len(values) > 0 || !r.AboutKey || k.Implied()):
	case known == hive.Whole:
		l.tell(one)
	default:
		one.Gap = "not all values of this key are known" + partly(known)
		l.tell(one)
	}
}

// each tells of those values that the rule asks for.
func (l *lister) each(values []hive.Value, at Listed) {
	for _, v := range values {
		if at.Rule.AboutKey || at.Rule.Value.match(v.Name, nil) {
			at.Value, at.At = &v, v.At
			if l.tell(at); l.enough {
				return
			}
		}
	}
}

// deleted tells what is to be listed of a key that was deleted, or of which values were.
func (l *lister) deleted(r *Rule, m hive.Match, d hive.Deleted) {
	if l.enough {
		return
	}
	one := Listed{Rule: r, Key: m.Live, RealKey: m.Real, Modified: d.Key.Modified(), At: d.At, Deleted: true}
	values := d.Key.Values()
	l.each(values, one)
	if len(values) == 0 && r.AboutKey && !d.Live {
		l.tell(one)
	}
}

// gap tells of a place where the input does not show all keys, though it covers it.
func (l *lister) gap(r *Rule, m hive.Match) {
	if l.enough || m.Known == hive.NotCovered || m.Known == hive.Whole {
		return
	}
	l.tell(Listed{Rule: r, Key: m.Live, RealKey: m.Real, Gap: "not all keys here are known" + partly(m.Known) + because(m.Problem)})
}

func partly(known hive.Known) string {
	if known == hive.Partial {
		return ": the input is a layer of a hive"
	}
	return ": the input is damaged here"
}
