package report

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/search"
	"regvet/rules"
)

// Hits writes what a search finds while it goes on: text, lines of JSON or CSV with one line for each hit.
type Hits struct {
	append func(*hitLines, []byte, search.Hit) []byte
	style  Style
	csv    bool
	found  atomic.Int64
}

// NewHits returns a writer of hits in the format text, jsonl or csv. Text uses the style, and CSV what it says of the byte order
// mark.
func NewHits(format string, style Style) *Hits {
	h := &Hits{style: style}
	switch format {
	case "jsonl":
		h.append = (*hitLines).json
	case "csv":
		h.append, h.csv = (*hitLines).row, true
	default:
		h.append = (*hitLines).text
	}
	return h
}

// Found returns how many hits there were.
func (h *Hits) Found() int64 { return h.found.Load() }

// hitColumns are the columns of a table of hits. More may be added at the end.
var hitColumns = []string{"input", "line", "offset", "place", "key", "value", "type", "text", "match", "encoding", "data_offset", "length", "modified", "state", "input_state"}

// Begin writes what stands before the first hit.
func (h *Hits) Begin(w io.Writer) error {
	if !h.csv {
		return nil
	}
	if _, err := io.WriteString(w, csvMark(h.style)); err != nil {
		return err
	}
	t := newRows(w)
	t.row(append([]string{}, hitColumns...))
	t.Flush()
	return t.Error()
}

// Input searches an input and writes its hits: in the keys in the order of the file, then, of a hive, in what was deleted and in unused space.
func (h *Hits) Input(w io.Writer, in *collection.Opened, query *search.Query, deleted, unused bool) error {
	err := in.Root.Encode(w, hive.Encoders(), (*hive.Key).Stored, func() hive.Encoder { return newHitLines(h, in, query).part })
	if err != nil || in.Hive == nil {
		return err
	}
	l := newHitLines(h, in, query)
	l.exchange = func(full []byte) []byte {
		if err == nil {
			_, err = w.Write(full)
		}
		return full[:0]
	}
	if deleted {
		for _, d := range in.Hive.Deleted() {
			l.search.Deleted(d, in.Mount, l.add)
		}
	}
	if unused {
		for _, u := range in.Hive.Unused() {
			l.search.Unused(u, l.add)
		}
	}
	l.exchange(l.out)
	return err
}

// hitLines writes the hits of one goroutine in one input.
type hitLines struct {
	*Hits
	in       *collection.Opened
	search   search.Search
	path     hive.Path
	clock    clock
	out      []byte
	exchange func([]byte) []byte
	table    rows // of CSV, which writes to line
	line     appender
}

// appender is a writer to memory.
type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}

func newHitLines(h *Hits, in *collection.Opened, query *search.Query) *hitLines {
	l := &hitLines{Hits: h, in: in, search: search.Search{Query: query}}
	l.table = newRows(&l.line)
	return l
}

func (l *hitLines) part(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
	l.out, l.exchange = b, exchange
	unnamed := 0 // the length of a path whose last name is not one of the input: that of the root of a hive, and of the roots in .reg text or a policy
	if l.in.Format != "regf" {
		unnamed = 1
	}
	for path, k := range part.Walk() {
		l.path = append(append(l.path[:0], l.in.Mount...), path...)
		l.search.Key(l.path, k, len(path) > unnamed, l.add)
	}
	return l.out
}

// add writes a hit.
func (l *hitLines) add(hit search.Hit) {
	l.found.Add(1)
	if len(l.out) >= hive.FullBuffer {
		l.out = l.exchange(l.out)
	}
	l.out = l.append(l, l.out, hit)
}

// Of a text that matched, some is shown around the match, and of a long match its start. The numbers are characters.
const (
	shownBefore = 40
	shownMatch  = 120
	shownAfter  = 60
	shownBytes  = 16 // before and behind bytes
	ellipsis    = "..."
)

// clipping is what is shown of a text that matched.
type clipping struct {
	before, match, after string
	short                bool // something was left out, in whose place an ellipsis stands
}

func (e clipping) String() string { return e.before + e.match + e.after }

// clippingOf returns the match with what stands around it.
func clippingOf(h search.Hit) (e clipping) {
	if h.Encoding == search.Raw {
		return clippingOfBytes(h)
	}
	before, match, after := h.Text[:h.From], h.Text[h.From:h.To], h.Text[h.To:]
	if h.Place == search.KeyName {
		return clipping{before, match, after, false} // the path is never cut
	}
	if cut := lastRunes(before, shownBefore); cut != before {
		before, e.short = ellipsis+cut, true
	}
	if cut := firstRunes(match, shownMatch); cut != match {
		match, after, e.short = cut, ellipsis, true
	} else if cut := firstRunes(after, shownAfter); cut != after {
		after, e.short = cut+ellipsis, true
	}
	e.before, e.match, e.after = before, match, after
	return e
}

func clippingOfBytes(h search.Hit) (e clipping) {
	from, to := h.Offset, h.Offset+h.Length
	start, end, shown := max(0, from-shownBytes), min(len(h.Data), to+shownBytes), min(to, from+shownMatch)
	e.before, e.match, e.after = hex.EncodeToString(h.Data[start:from]), hex.EncodeToString(h.Data[from:shown]), hex.EncodeToString(h.Data[to:end])
	if start > 0 {
		e.before, e.short = ellipsis+e.before, true
	}
	if shown < to {
		e.after, e.short = ellipsis, true
	} else if end < len(h.Data) {
		e.after, e.short = e.after+ellipsis, true
	}
	return e
}

// firstRunes returns the first characters of a text.
func firstRunes(s string, n int) string {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return s[:at]
}

// lastRunes returns the last characters of a text.
func lastRunes(s string, n int) string {
	at := len(s)
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return s[at:]
}

// unknownPath stands for the path of a deleted value of which nothing tells the key, and of the root of a hive whose mount is not known.
const unknownPath = "(unknown key)"

// text appends a hit for people: its place, the key, the value, what matched, and what else there is to know about it.
func (l *hitLines) text(b []byte, h search.Hit) []byte {
	b = append(b, hive.Visible(l.in.Name())...)
	if h.At.Line == 0 {
		b = append(b, ": "...)
	} else {
		b = append(b, ':')
	}
	if place := h.At.String(); place != "" {
		b = append(append(b, place...), ": "...)
	}
	e := clippingOf(h)
	path := h.Path.String()
	if path == "" && h.Key != nil {
		path = unknownPath
	}
	switch h.Place {
	case search.KeyName:
		b = append(b, hive.Visible(path[:len(path)-len(h.Text)])...)
		b = l.marked(b, e)
	case search.ClassName:
		b = append(append(b, hive.Visible(path)...), ", class "...)
		b = l.marked(b, e)
	case search.ValueName:
		b = append(append(b, hive.Visible(path)...), ", "...)
		b = l.marked(b, e)
		b = append(append(b, " = "...), displayed(*h.Value)...)
	case search.Data:
		b = append(append(b, hive.Visible(path)...), ", "...)
		b = append(b, hive.Visible(rules.ValueName(h.Value.Name))...)
		b = append(append(b, " = "...), h.Value.Type.String()...)
		b = l.marked(append(b, ' '), e)
	case search.Slack:
		b = l.marked(b, e)
	}
	if notes := l.notes(h); len(notes) > 0 {
		b = append(append(append(b, " ("...), strings.Join(notes, ", ")...), ')')
	}
	return append(b, '\n')
}

// marked appends what matched, the match in colour.
func (l *hitLines) marked(b []byte, e clipping) []byte {
	p := page{Style: l.style}
	b = append(b, hive.Visible(e.before)...)
	if e.match != "" {
		b = append(b, p.paint(hive.Visible(e.match), color.FgRed, color.Bold)...)
	}
	return append(b, hive.Visible(e.after)...)
}

// notes returns what else there is to know about a hit.
func (l *hitLines) notes(h search.Hit) (notes []string) {
	if h.State != search.Live {
		state := string(h.State)
		if h.Orphan {
			state += ", of a key whose path is lost"
		}
		notes = append(notes, state)
	}
	if l.in.State != "" {
		notes = append(notes, string(l.in.State))
	}
	switch {
	case h.Encoding == "" || h.Encoding == search.Number:
	case h.Encoding == search.Raw && h.Place == search.Data:
		notes = append(notes, fmt.Sprintf("at byte %d", h.Offset))
	case h.Place == search.Slack:
		notes = append(notes, "as "+string(h.Encoding))
	case h.Encoding == search.UTF16 && isText(h.Value.Type):
	default:
		notes = append(notes, fmt.Sprintf("as %s at byte %d", h.Encoding, h.Offset))
	}
	if h.Key != nil && h.Key.Filetime().IsSet() {
		notes = append(notes, "written "+timestamp(h.Key.Modified()))
	}
	return notes
}

// isText reports whether data of a type is text, so that nobody needs to be told its encoding.
func isText(t hive.Type) bool {
	return t == hive.SZ || t == hive.ExpandSZ || t == hive.Link || t == hive.MultiSZ
}

// displayed returns the type and the start of the data of a value.
func displayed(v hive.Value) string {
	const most = 2 * shownAfter // bytes
	long := len(v.Data) > most
	if long {
		v.Data = v.Data[:most]
	}
	text := v.Form()
	if data := hive.Visible(v.Display()); data != "" {
		text += " " + data
	}
	if long {
		text += ellipsis
	}
	return text
}

// json appends a hit as a line of JSON.
func (l *hitLines) json(b []byte, h search.Hit) []byte {
	e := clippingOf(h)
	b = appendString(append(b, `{"input": `...), l.in.Path)
	b = append(appendPlace(b, h.At), `, "place": "`...)
	b = append(append(b, h.Place...), '"')
	if h.Key != nil {
		b = appendString(append(b, `, "key": `...), h.Path.String())
	}
	if h.Value != nil {
		b = appendString(append(b, `, "value": `...), h.Value.Name)
		b = append(append(append(b, `, "type": "`...), h.Value.Type.String()...), '"')
	}
	b = appendString(append(b, `, "text": `...), e.String())
	b = appendString(append(b, `, "match": `...), e.match)
	if e.short {
		b = append(b, `, "shortened": true`...)
	}
	if h.Encoding != "" {
		b = append(append(append(b, `, "encoding": "`...), h.Encoding...), '"')
		if h.Place == search.Data {
			b = strconv.AppendInt(append(b, `, "data_offset": `...), int64(h.Offset), 10)
		}
		b = strconv.AppendInt(append(b, `, "length": `...), int64(h.Length), 10)
	}
	if h.Key != nil && h.Key.Dated() {
		b = l.clock.append(append(b, `, "modified": `...), h.Key.Filetime())
	}
	b = append(append(append(b, `, "state": "`...), h.State...), '"')
	if h.Orphan {
		b = append(b, `, "orphan": true`...)
	}
	if l.in.State != "" {
		b = append(append(append(b, `, "input_state": "`...), l.in.State...), '"')
	}
	return append(b, "}\n"...)
}

// row appends a hit as a line of CSV.
func (l *hitLines) row(b []byte, h search.Hit) []byte {
	e := clippingOf(h)
	cells := map[string]string{
		"input": l.in.Path, "line": number(int64(h.At.Line)), "offset": number(h.At.Offset), "place": string(h.Place),
		"key": h.Path.String(), "text": e.String(), "match": e.match, "encoding": string(h.Encoding),
		"state": string(h.State), "input_state": string(l.in.State),
	}
	if h.Value != nil {
		cells["value"], cells["type"] = h.Value.Name, h.Value.Type.String()
	}
	if h.Encoding != "" {
		cells["length"] = strconv.Itoa(h.Length)
		if h.Place == search.Data {
			cells["data_offset"] = strconv.Itoa(h.Offset)
		}
	}
	if h.Key != nil && h.Key.Filetime().IsSet() {
		cells["modified"] = timestamp(h.Key.Modified())
	}
	row := make([]string, len(hitColumns))
	for i, name := range hitColumns {
		row[i] = cells[name]
	}
	l.line = b
	l.table.row(row)
	l.table.Flush()
	return l.line
}
