package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/hive/collection"
	sorting "regvet/internal/runs"
	"regvet/internal/safetext"
	"regvet/rules"
)

// Inventory is what the inventories among some rules list, of all inputs of a run. There can be more of it than fits in memory. It is in the
// order of the rules, then of the inputs, the keys and the values by their names. Close must be called in the end.
type Inventory struct {
	order  map[*rules.Rule]int64
	sorter *sorting.Sorter
}

// NewInventory returns an inventory by some rules that holds at most budget bytes in memory.
func NewInventory(all []*rules.Rule, budget int) *Inventory {
	v := &Inventory{map[*rules.Rule]int64{}, sorting.NewSorter(budget)}
	for i, r := range all {
		v.order[r] = int64(i)
	}
	return v
}

// Close removes the temporary files.
func (v *Inventory) Close() { v.sorter.Close() }

// Err returns the error of a temporary file.
func (v *Inventory) Err() error { return v.sorter.Err() }

// jsonListed is one thing that an inventory lists. Its first fields are those that it is sorted by.
type jsonListed struct {
	Rule        string        `json:"rule"`
	Category    string        `json:"category"`
	Description string        `json:"description"`
	Input       string        `json:"input"`
	Key         string        `json:"key"`
	RealKey     string        `json:"real_key"`
	Value       *string       `json:"value"` // null for the key itself
	Type        string        `json:"type,omitempty"`
	Text        string        `json:"text,omitempty"`
	Data        *string       `json:"data"` // in hex; null for the key itself, and for what could not be read
	Short       bool          `json:"short,omitempty"`
	Modified    string        `json:"modified,omitempty"` // last write of the key
	User        string        `json:"user,omitempty"`
	Deleted     bool          `json:"deleted,omitempty"`
	Gap         string        `json:"gap,omitempty"` // why not all that is here is known, in place of a value
	Location    *jsonLocation `json:"location"`
	Machine     string        `json:"machine,omitempty"`
	Host        string        `json:"host,omitempty"`
	State       string        `json:"state,omitempty"`
	Sources     []jsonSource  `json:"sources,omitempty"`
	Pack        string        `json:"pack"`
}

// Add adds what was found in an input, and returns how many bytes it takes. The error is that of a temporary file.
func (v *Inventory) Add(in collection.Input, l rules.Listed) (size int, err error) {
	out := jsonListed{
		Rule: l.Rule.ID, Category: hive.Printable(l.Rule.Inventory.Category), Description: l.Rule.Title, Pack: l.Rule.Pack, Sources: sourcesJSON(l.Rule),
		Input: hive.Printable(in.Path), Host: hive.Printable(in.Host), State: string(in.State), User: hive.Printable(userOf(in, l.RealKey)),
		Key: hive.Printable(l.Key.String()), RealKey: hive.Printable(l.RealKey.String()), Deleted: l.Deleted, Gap: hive.Printable(l.Gap), Location: locationJSON(l.At),
	}
	if in.Machine != nil {
		out.Machine = hive.Printable(in.Machine.Name)
	}
	if !l.Modified.IsZero() {
		out.Modified = timestamp(l.Modified)
	}
	if value := l.Value; value != nil {
		name := hive.Printable(value.Name)
		out.Value, out.Type, out.Text, out.Short = &name, value.Type.String(), hive.Printable(l.Text()), value.Short
		if value.Data != nil || !value.Short {
			data := hex.EncodeToString(value.Data)
			out.Data = &data
		}
	}
	return v.add(l.Rule, out)
}

// add adds what a rule lists, and returns how many bytes it takes.
func (v *Inventory) add(rule *rules.Rule, l jsonListed) (size int, err error) {
	var line bytes.Buffer
	if err := safetext.NewEncoder(&line).Encode(l); err != nil {
		return 0, err
	}
	return line.Len(), v.sorter.Add(v.order[rule], line.Bytes())
}

// userOf returns whose settings a key of an input is among: the name of the user where the folder of the profile tells it, else the SID. It
// is "" for a key of the computer.
func userOf(in collection.Input, real hive.Path) string {
	switch {
	case in.User != "":
		return in.User
	case len(real) > 1 && real.HasPrefix(hive.Path{"HKEY_USERS"}):
		return real[1]
	}
	return ""
}

// lines writes all of it as lines of JSON, each an object. A nil inventory has none.
func (v *Inventory) lines(w io.Writer) error {
	if v == nil {
		return nil
	}
	return v.sorter.Write(w)
}

// each calls use for all of it, until use returns an error.
func (v *Inventory) each(use func(jsonListed) error) error {
	return v.lines(lineWriter(func(line []byte) error {
		var one jsonListed
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		return use(one)
	}))
}

// lineWriter is a writer of which each call of Write has a line.
type lineWriter func(line []byte) error

func (w lineWriter) Write(b []byte) (int, error) { return len(b), w(b) }

// mostShown is how many characters of data text for people has.
const mostShown = 160

// text writes the inventory for people: for each rule a heading, for each key where it is and when it was written, and its values below.
func (v *Inventory) text(w io.Writer, style Style) error {
	p := &page{Style: style}
	var last jsonListed
	err := v.each(func(l jsonListed) error {
		if l.Rule != last.Rule {
			if last.Rule != "" {
				p.WriteByte('\n')
			}
			fmt.Fprintf(p, "%s  %s\n", p.paint("LISTED", color.Bold, color.FgCyan), p.paint(l.Rule, color.Bold))
			p.row("", hive.Visible(l.Category)+": "+l.Description)
			for _, s := range l.Sources {
				p.row("from", hive.Visible(rules.Source{ID: s.ID, File: s.File, Line: s.Line}.String()))
			}
		}
		if l.Rule != last.Rule || l.Input != last.Input || l.RealKey != last.RealKey || l.Modified != last.Modified || l.Deleted != last.Deleted {
			p.listedKey(l)
		}
		p.listedValue(l)
		last = l
		if p.Len() < hive.FullBuffer {
			return nil
		}
		defer p.Reset()
		return p.send(w)
	})
	if last.Rule != "" {
		p.WriteByte('\n')
	}
	if err != nil {
		return err
	}
	return p.send(w)
}

func (p *page) listedKey(l jsonListed) {
	p.row("key", hive.Visible(l.RealKey))
	var parts []string
	if l.Deleted {
		parts = append(parts, "deleted")
	}
	if l.Modified != "" {
		parts = append(parts, "last written "+l.Modified)
	}
	if l.User != "" {
		parts = append(parts, "user "+hive.Visible(l.User))
	}
	p.row("", strings.Join(parts, "; "))
	p.row("input", hive.Visible(l.Input))
}

func (p *page) listedValue(l jsonListed) {
	switch {
	case l.Gap != "":
		p.row("gap", hive.Visible(l.Gap))
		return
	case l.Value == nil:
		return
	}
	text := hive.Visible(l.Text)
	if n := utf8.RuneCountInString(text); n > mostShown {
		text = fmt.Sprintf("%s... (%d more characters)", string([]rune(text)[:mostShown]), n-mostShown)
	}
	if l.Short {
		text = strings.TrimSpace(text + " [not all of it could be read]")
	}
	p.row("", fmt.Sprintf("  %s, %s: %s (%s)", rules.ValueName(*l.Value), l.Type, text, l.Location))
}

// String returns the place for people; a nil location has none.
func (at *jsonLocation) String() string {
	switch {
	case at == nil:
		return "no place"
	case at.Offset != nil:
		return hive.Location{Offset: *at.Offset}.String()
	}
	return "line " + hive.Location{Line: at.Line, Column: at.Column}.String()
}

// csvCells returns the cells of [csvColumns]; the sum is that of the input.
func (l jsonListed) csvCells(sum string) []string {
	cells := map[string]string{
		"input": l.Input, "rule": l.Rule, "pack": l.Pack, "status": "listed", "key": l.Key, "real_key": l.RealKey, "type": l.Type, "observed": l.Text,
		"modified": l.Modified, "title": l.Description, "machine": l.Machine, "host": l.Host, "category": l.Category, "user": l.User, "message": l.Gap, "sha256": sum,
	}
	if l.Value != nil {
		cells["value"] = *l.Value
	}
	if l.Data != nil {
		cells["data"] = *l.Data
	}
	if l.Deleted {
		cells["deleted"] = "true"
	}
	if at := l.Location; at != nil {
		cells["line"], cells["column"] = number(int64(at.Line)), number(int64(at.Column))
		if at.Offset != nil {
			cells["offset"] = number(*at.Offset)
		}
	}
	var row []string
	for _, name := range csvColumns {
		row = append(row, cells[name])
	}
	return row
}
