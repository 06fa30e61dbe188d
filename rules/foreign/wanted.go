package foreign

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"regvet/hive"
)

// A file that sets values, such as a Registry.pol, is the state that its maker wants. Each statement of it is a row, whose rules ask whether the
// registry is as if the file had just been applied. What a later statement undoes is no longer wanted, and its row says so.

// wants is what a statement wants.
type wants int

const (
	wantValue wants = iota // with these type and data
	wantAny                // with these type and data, unless there is one of that name
	wantNone
	wantNoOthers // no values of the key but those that are set later
	wantKey
	wantSection // nothing itself; it makes a key
	wantNoKey   // nor anything of it but what is set later
)

// wish is a statement.
type wish struct {
	row  int // in the rows of the file
	want wants
	path hive.Path  // with a full root
	of   hive.Value // the name alone where nothing is set
}

// spot is a key, and what is wanted of it at the end of the file: the wishes that still count, by their place in the list from 1, or 0.
type spot struct {
	name             string
	path             hive.Path
	keys             map[string]*spot // by folded name
	values           map[string]int   // by folded name
	made, bare, gone int
	there            bool // the file makes it
}

// wanted is how the wishes of a file become rules.
type wanted struct {
	wishes []wish
	root   spot
	undone []int // of each wish, from 1, the one for which it does not count; or 0
	again  []int // of each wish, from 1, a later one that shares its fate, because both want the same; or 0
}

// wish makes rules of the wishes in the rows that they belong to. The words are the start of the IDs and the tag of the rules, and why they matter.
func (f *file) wish(all []wish, prefix, tag, why string) {
	w := wanted{wishes: all, undone: make([]int, len(all)), again: make([]int, len(all))}
	for i := range all {
		w.add(i)
	}
	for i, later := range slices.Backward(w.again) {
		if later > 0 {
			w.undone[i] = w.undone[later-1]
		}
	}
	for i, one := range all {
		if one.want == wantSection {
			continue
		}
		row := &f.Rows[one.row]
		if row.Title == "" {
			row.Title = w.title(i)
		}
		switch by := w.undone[i]; {
		case by > i:
			row.Lacks = append(row.Lacks, fmt.Sprintf("%s %d decides on the same, and what stands last counts", f.Unit, f.Rows[all[by-1].row].Line))
			continue
		case by > 0:
			row.Lacks = append(row.Lacks, fmt.Sprintf("%s %d sets the value already, so that this one does nothing", f.Unit, f.Rows[all[by-1].row].Line))
			continue
		}
		for _, r := range w.rules(i) {
			r.ID, r.Severity, r.Tags, r.Why = prefix+"-"+r.ID, "medium", []string{tag}, why
			row.Rules = append(row.Rules, r)
		}
	}
}

// add notes what a wish changes in those before it.
func (w *wanted) add(i int) {
	one := &w.wishes[i]
	at := w.at(one.path)
	now := i + 1
	switch name := hive.Fold(one.of.Name); one.want {
	case wantValue, wantNone:
		if last := at.values[name]; last > 0 && w.wishes[last-1].same(*one) {
			w.again[last-1] = now
		} else if last > 0 {
			w.undone[last-1] = now
		}
		at.values[name] = now
		if one.want == wantValue {
			w.makes(one.path)
		}
	case wantAny:
		switch last := at.values[name]; {
		case last == 0:
			if w.isBare(one.path) {
				one.want = wantValue
			}
		case w.wishes[last-1].want == wantValue:
			w.undone[i] = last
			return
		case w.wishes[last-1].want == wantNone:
			w.undone[last-1], one.want = now, wantValue
		default:
			w.again[last-1] = now
		}
		at.values[name] = now
		w.makes(one.path)
	case wantNoOthers:
		for name, last := range at.values {
			if w.wishes[last-1].want != wantNone { // which is wanted still
				w.undone[last-1] = now
				delete(at.values, name)
			}
		}
		w.undo(&at.bare, now)
		at.bare = now
	case wantSection:
		w.makes(one.path)
	case wantKey:
		w.makes(one.path)
		if at.made > 0 {
			w.again[at.made-1] = now
		}
		at.made = now
	case wantNoKey:
		w.undoBelow(at, now)
		at.gone = now
	}
}

// same reports whether two wishes about one value want the same.
func (w wish) same(other wish) bool {
	return w.want == other.want && (w.want != wantValue || w.of.Type == other.of.Type && string(w.of.Data) == string(other.of.Data))
}

// at returns a key.
func (w *wanted) at(path hive.Path) *spot {
	at := &w.root
	for i, name := range path {
		next := at.keys[hive.Fold(name)]
		if next == nil {
			next = &spot{name: name, path: path[:i+1]}
			next.clear()
			if at.keys == nil {
				at.keys = map[string]*spot{}
			}
			at.keys[hive.Fold(name)] = next
		}
		at = next
	}
	return at
}

func (s *spot) clear() { s.keys, s.values = map[string]*spot{}, map[string]int{} }

// isBare reports whether the values of a key that no wish sets are gone.
func (w *wanted) isBare(path hive.Path) bool {
	at := &w.root
	for _, name := range path {
		if at = at.keys[hive.Fold(name)]; at.gone > 0 {
			return true
		}
	}
	return at.bare > 0
}

// undo notes that a wish is undone, if there is one.
func (w *wanted) undo(last *int, by int) {
	if *last > 0 {
		w.undone[*last-1] = by
	}
	*last = 0
}

// undoBelow undoes a key with all that is in it.
func (w *wanted) undoBelow(at *spot, by int) {
	for _, last := range at.values {
		w.undone[last-1] = by
	}
	w.undo(&at.made, by)
	w.undo(&at.bare, by)
	w.undo(&at.gone, by)
	for _, below := range at.keys {
		w.undoBelow(below, by)
	}
	at.clear()
	at.there = false
}

// makes notes that the file makes a key, and those on the way to it.
func (w *wanted) makes(path hive.Path) {
	at := &w.root
	for _, name := range path {
		at = at.keys[hive.Fold(name)]
		at.there = true
	}
}

// set lists the names of the values of a key that are wanted, in the order of the file.
func (w *wanted) set(at *spot) []string {
	var all []int
	for _, last := range at.values {
		if w.wishes[last-1].want != wantNone {
			all = append(all, last)
		}
	}
	slices.Sort(all)
	var names []string
	for _, last := range all {
		names = append(names, valueName(w.wishes[last-1].of.Name))
	}
	return names
}

// rules returns the rules that ask for a wish. They lack what those of a file have in common.
func (w *wanted) rules(i int) []Rule {
	one := w.wishes[i]
	at := w.at(one.path)
	r := Rule{ID: word(one.of.Name, "default"), Title: w.title(i), Asks: Fields{{"key", literalKey(one.path)}}}
	switch one.want {
	case wantValue, wantAny:
		r.Asks = r.Asks.With("value", valueName(one.of.Name))
		if one.want == wantValue {
			r.Asks = append(r.Asks, Field{"expect", Fields{{"type", one.of.Type.String()}, {"data", sameData(one.of)}}}, Field{"missing", "fail"},
				Field{"messages", Fields{{"wrong-type", "{value} is {type}; " + one.of.Type.String() + " is wanted"}}}) // nothing says that it is ignored
		} else {
			r.Asks = r.Asks.With("expect", Fields{{"exists", true}})
		}
		if data, ok := settable(one.of); ok {
			r.Asks = r.Asks.With("fix", Fields{{"set", Fields{{"type", one.of.Type.String()}, {"data", data}}}})
		}
	case wantNone:
		r.Asks = append(r.Asks, Field{"value", valueName(one.of.Name)}, Field{"expect", Fields{{"exists", false}}}, Field{"fix", Fields{{"delete", "value"}}})
	case wantNoOthers:
		return []Rule{w.otherValues(at)}
	case wantKey, wantNoKey:
		r.ID = word(at.name, "key")
		r.Asks = r.Asks.With("expect", Fields{{"exists", one.want == wantKey}})
		if one.want == wantNoKey && at.there {
			return w.otherThings(at)
		}
		if one.want == wantNoKey {
			r.Asks = r.Asks.With("fix", unsafe("key", "all that is below the key goes with it"))
		}
	}
	return []Rule{r}
}

// otherValues returns the rule that a key has no values but those that are wanted.
func (w *wanted) otherValues(at *spot) Rule {
	r := Rule{ID: word(at.name, "key"), Title: place(at.path) + " has a value that is set elsewhere", Asks: Fields{{"key", literalKey(at.path)}}}
	if names := w.set(at); len(names) > 0 {
		var exact []any
		for _, last := range names {
			exact = append(exact, last)
		}
		r.Asks = r.Asks.With("other_than", exact)
	} else {
		r.Asks = r.Asks.With("value", "{other}")
	}
	return Rule{ID: r.ID, Title: r.Title, Asks: append(r.Asks, Field{"expect", Fields{{"exists", false}}}, Field{"fix", unsafe("value", unnamed)})}
}

// otherThings returns the rules that a key has nothing but what is wanted. Keys below it that have such rules themselves are left to these.
func (w *wanted) otherThings(at *spot) []Rule {
	all := []Rule{w.otherValues(at)}
	var names []any
	var below []*spot
	for _, next := range at.keys {
		if next.there {
			below = append(below, next)
		}
	}
	slices.SortFunc(below, func(a, b *spot) int { return hive.CompareFold(a.name, b.name) })
	for _, next := range below {
		names = append(names, next.name)
	}
	r := Rule{ID: word(at.name, "key"), Title: place(at.path) + " has a key that is made elsewhere", Asks: Fields{{"key", literalKey(at.path) + `\{subkey}`}}}
	if len(names) > 0 {
		r.Asks = r.Asks.With("when", Fields{{"{subkey}", Fields{{"not_in", names}, {"fold", true}}}})
	}
	all = append(all, Rule{ID: r.ID, Title: r.Title, Asks: append(r.Asks, Field{"expect", Fields{{"exists", false}}}, Field{"fix", unsafe("key", unnamed)})})
	for _, next := range below {
		if next.gone == 0 {
			all = append(all, w.otherThings(next)...)
		}
	}
	return all
}

const unnamed = "the source of the rule does not name what goes"

// unsafe returns a fix that deletes more than the file names.
func unsafe(what, because string) Fields {
	return Fields{{"delete", what}, {"safe", false}, {"because", because}}
}

// title says what is wrong where a wish is not fulfilled.
func (w *wanted) title(i int) string {
	one := w.wishes[i]
	name := one.of.Name
	if name == "" {
		name = "(default)"
	}
	of := name + " of " + place(one.path)
	switch one.want {
	case wantValue:
		shown := one.of.Display()
		if len(shown) > 60 {
			shown = strings.ToValidUTF8(shown[:60], "") + "…"
		}
		return strings.TrimSpace(of + " is not " + one.of.Type.String() + " " + shown)
	case wantAny:
		return of + " is not set"
	case wantNone:
		return of + " is set"
	case wantNoOthers:
		return place(one.path) + " has a value that is set elsewhere"
	case wantKey:
		return place(one.path) + " is not there"
	}
	if at := w.at(one.path); at.there {
		return place(one.path) + " has something that is made elsewhere"
	}
	return place(one.path) + " is there"
}

// place returns a key with the short name of its root.
func place(path hive.Path) string {
	return strings.Join(append([]string{shortRoot(path[0])}, path[1:]...), `\`)
}

func shortRoot(root string) string {
	if i := slices.Index(hive.RootNames(), root); i >= 0 {
		return hive.ShortRootNames()[i]
	}
	return root
}

// literalKey returns the pattern for one key.
func literalKey(path hive.Path) string {
	all := []string{shortRoot(path[0])}
	for _, name := range path[1:] {
		all = append(all, literal(name))
	}
	text := strings.Join(all, `\`)
	if text != strings.TrimSpace(text) {
		text += `\` // else the blank would not count
	}
	return text
}

// valueName returns the pattern for one value.
func valueName(name string) string {
	switch name {
	case "":
		return "(default)"
	case "(default)":
		return "(Default)" // which is the name, whose case does not count
	}
	return literal(name)
}

// sameData returns the operators for the data of a value.
func sameData(v hive.Value) Fields {
	if data, ok := plainData(v); ok {
		return Fields{{"equals", data}}
	}
	return Fields{{"bytes", hexText(v.Data)}}
}

// settable returns the data of a value as a fix has them. It is not ok for those that no fix can set.
func settable(v hive.Value) (data any, ok bool) {
	switch v.Type {
	case hive.DWord, hive.DWordBigEndian, hive.QWord, hive.SZ, hive.ExpandSZ, hive.MultiSZ:
		return plainData(v)
	}
	return hexText(v.Data), v.Type != hive.Link
}

// plainData returns the data of a value as what they mean. It is not ok for data of which that is only a part.
func plainData(v hive.Value) (data any, ok bool) {
	if n, err := v.Uint64(); err == nil {
		return n, true
	}
	if len(v.Data)%2 != 0 || v.Hidden() != nil {
		return nil, false
	}
	if text, err := v.Text(); err == nil {
		return text, utf8.ValidString(text)
	}
	list, err := v.Strings()
	return texts(list), err == nil && !slices.ContainsFunc(list, func(s string) bool { return !utf8.ValidString(s) })
}

func hexText(data []byte) string { return hex.EncodeToString(data) }
