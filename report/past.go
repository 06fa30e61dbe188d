package report

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// Past is what settings were in the states that the evidence holds.
type Past struct {
	Version  string // of regvet
	Run      Run
	Settings []Setting
}

// Setting is a value or a key, and what it was.
type Setting struct {
	Input    string      // the path of the input, or the name of the machine
	Rule     *rules.Rule // that asks for it, or nil
	Key      hive.Path   // as it was asked for
	Value    string      // name of the value
	AboutKey bool        // it is the key itself
	Rows     []PastRow   // the oldest first, and last what was deleted
}

// title returns the setting for people.
func (s Setting) title() string {
	title := hive.Visible(s.Key.String())
	if !s.AboutKey {
		title = rules.ValueName(s.Value) + " in " + title
	}
	if s.Rule != nil {
		title = s.Rule.ID + ": " + title
	}
	return title
}

// What a setting was, beside the answers of a rule.
const (
	WasSet        = "set"
	WasThere      = "there" // of a key
	WasMissing    = "missing"
	WasKeyMissing = "key-missing"
	WasUnknown    = "unknown"
	WasDeleted    = "deleted" // a remnant of a deleted value or key
)

// PastRow is what a setting was in a state, and in those after it that are the same.
type PastRow struct {
	State    collection.State // "" for the inputs as they are
	Log      string           // see [collection.Moment]
	Entry    uint32
	Same     int      // the number of later states that are the same
	Until    *PastRow // the last of them, or nil
	Place    string   // the path of the hive or .reg file, or of the folder that does not hold it
	At       hive.Location
	Modified hive.Filetime // last write of the key; 0 if unknown
	Created  time.Time     // when the shadow copy was created that it is in; zero for any other state
	Header   *hive.Header  // of the hive; nil for .reg text and for what holds no hive
	Key      hive.Path     // where it is in the input
	Value    string
	Current  *bool // of a key in a control set: whether the set is the current one; nil if unknown, and for any other key
	Status   string
	Reason   string      // why the status is unknown, or that of a rule
	Observed *hive.Value // nil if there is none; see [hive.Value.Short] for data that is lost
	Message  string      // more about the status, for people; may be ""
	Notes    []string    // what is in doubt about the state, see [collection.Input.Caveats]
}

// Equal reports whether two rows say the same of their states.
func (r PastRow) Equal(other PastRow) bool {
	sameSet := (r.Current == nil) == (other.Current == nil) && (r.Current == nil || *r.Current == *other.Current)
	a, b := r.Observed, other.Observed
	sameData := (a == nil) == (b == nil) && (a == nil || a.Type == b.Type && a.Short == b.Short && bytes.Equal(a.Data, b.Data))
	return sameSet && sameData && r.Status == other.Status && r.Reason == other.Reason && r.Message == other.Message
}

// state returns the name of the state for programs.
func (r PastRow) state() string {
	switch {
	case r.Status == WasDeleted:
		return WasDeleted
	case r.State == "":
		return "present"
	}
	return string(r.State)
}

// label returns the name of the state for people.
func (r PastRow) label() string {
	switch {
	case r.Status == WasDeleted:
		return WasDeleted
	case r.Log != "":
		return fmt.Sprintf("log entry %d", r.Entry)
	}
	return strings.ReplaceAll(r.state(), "-", " ")
}

// statusWords returns the status for people.
func (r PastRow) statusWords() string { return strings.ReplaceAll(r.Status, "-", " ") }

// data returns the data for people, or "".
func (r PastRow) data() string {
	switch v := r.Observed; {
	case v == nil:
		return ""
	case v.Short:
		return v.Type.String() + ", its data lost"
	default:
		return v.Type.String() + " " + hive.Visible(v.Display())
	}
}

// written returns the last write of the key, or "".
func (r PastRow) written() string {
	if !r.Modified.IsSet() {
		return ""
	}
	return timestamp(r.Modified.Time())
}

// created returns when the shadow copy was created, or "".
func (r PastRow) created() string {
	if r.Created.IsZero() {
		return ""
	}
	return timestamp(r.Created)
}

// base returns when the base block of the hive says that the hive was written, or "" where there is none, or it cannot be trusted.
func (r PastRow) base() string {
	if h := r.Header; h != nil && h.Checksum == h.Computed && h.Modified.IsSet() {
		return timestamp(h.Modified.Time())
	}
	return ""
}

// PastText writes the past of settings as tables for people.
func PastText(w io.Writer, past Past, style Style) error {
	const most = 80
	style.Width = min(style.Width, most)
	p := &page{Style: style}
	for i, s := range past.Settings {
		if i > 0 {
			p.WriteByte('\n')
		}
		fmt.Fprintln(p, p.paint(s.title(), color.Bold))
		if s.Input != "" {
			fmt.Fprintln(p, p.paint(hive.Visible(s.Input), color.Faint))
		}
		fmt.Fprintln(p, p.paint(fmt.Sprintf("%-*s %-*s %-*s %s", pastState, "state", pastTime, "key last written", pastStatus, "status", "data"), color.Faint))
		for _, r := range s.Rows {
			p.past(s, r)
		}
	}
	return p.send(w)
}

// The widths of the columns of the text.
const (
	pastState  = 14
	pastTime   = 28
	pastStatus = 11
	pastData   = pastState + pastTime + pastStatus + 3 // where the data begin
)

var pastColor = map[string]color.Attribute{string(rules.Fail): color.FgRed, string(rules.Pass): color.FgGreen, WasUnknown: color.FgYellow, WasDeleted: color.Faint}

// past writes a row, and below it what bounds its time, its place, and whatever else there is to say.
func (p *page) past(s Setting, r PastRow) {
	status := fmt.Sprintf("%-*s", pastStatus, r.statusWords())
	if c, ok := pastColor[r.Status]; ok {
		status = p.paint(status, c)
	}
	lines := p.wrapTo(p.Width-pastData, r.data())
	fmt.Fprintln(p, strings.TrimRight(fmt.Sprintf("%-*s %-*s %s %s", pastState, r.label(), pastTime, r.written(), status, lines[0]), " "))
	for _, more := range lines[1:] {
		fmt.Fprintf(p, "%*s%s\n", pastData, "", more)
	}
	const indent = 4
	for _, detail := range r.details(s) {
		for _, line := range p.wrapTo(p.Width-indent, detail) {
			fmt.Fprintf(p, "%*s%s\n", indent, "", line)
		}
	}
}

// details returns what else there is to say of a row, for people.
func (r PastRow) details(s Setting) (all []string) {
	add := func(text string) {
		if text != "" {
			all = append(all, text)
		}
	}
	add(hive.Visible(r.Message))
	if !r.Key.Equal(s.Key) {
		key := "in " + hive.Visible(r.Key.String())
		if r.Current != nil && *r.Current {
			key += ", the current set"
		} else if r.Current != nil {
			key += ", not the current set"
		}
		add(key)
	}
	where := hive.Visible(r.Place)
	what := "key"
	if r.Observed != nil {
		what = "value"
	}
	if at := r.At.String(); r.At.Line > 0 {
		where += ", " + what + " at line " + at
	} else if at != "" {
		where += ", " + what + " at " + at
	}
	if r.Log != "" {
		where += ", after entry " + strconv.FormatUint(uint64(r.Entry), 10) + " of " + hive.Visible(r.Log)
	}
	add(where)
	if t := r.created(); t != "" {
		add("shadow copy created " + t)
	}
	if h := r.Header; h != nil {
		base := "base block "
		if t := r.base(); t != "" {
			base += "written " + t + ", "
		}
		add(base + fmt.Sprintf("sequence numbers %d and %d", h.Sequence1, h.Sequence2))
	}
	for _, note := range r.Notes {
		add(note)
	}
	if r.Until != nil {
		add(fmt.Sprintf("the same in %s, the last of them: %s", plural(r.Same, "later state"), r.Until.label()))
	}
	return all
}

// jsonPastRow is a state of a setting. Times that are not known are null.
type jsonPastRow struct {
	Rule     string        `json:"rule,omitempty"`
	State    string        `json:"state"`
	Log      string        `json:"log,omitempty"`   // of a state after an entry of a log
	Entry    *uint32       `json:"entry,omitempty"` // its number
	Same     int           `json:"same"`            // the number of later states that are the same
	Until    *jsonUntil    `json:"until,omitempty"` // the last of them
	Place    string        `json:"place"`
	Created  string        `json:"created,omitempty"` // when the shadow copy was created
	Location *jsonLocation `json:"location"`
	Time     *string       `json:"time"` // last write of the key
	Base     *jsonBase     `json:"base_block"`
	Asked    string        `json:"asked"`
	Key      string        `json:"key"`
	Current  *bool         `json:"current,omitempty"` // whether the control set is the current one
	Value    *string       `json:"value"`             // null where it is about the key itself
	Status   string        `json:"status"`
	Reason   string        `json:"reason,omitempty"`
	Observed *jsonPastData `json:"observed"`
	Message  string        `json:"message,omitempty"`
	Notes    []string      `json:"notes,omitempty"` // what is in doubt about the state
}

type jsonUntil struct {
	State string  `json:"state"`
	Log   string  `json:"log,omitempty"`
	Entry *uint32 `json:"entry,omitempty"`
}

// jsonBase is what the base block of a hive says about when the hive was written.
type jsonBase struct {
	Written   *string `json:"written"`
	Sequence1 uint32  `json:"sequence1"`
	Sequence2 uint32  `json:"sequence2"`
}

// jsonPastData is the data of a value; null if they could not be read.
type jsonPastData struct {
	Type string  `json:"type"`
	Data *string `json:"data"`
	Text *string `json:"text"`
}

type jsonHistory struct {
	SchemaVersion string        `json:"schema_version"`
	Tool          jsonTool      `json:"tool"`
	Run           jsonRun       `json:"run"`
	States        []jsonPastRow `json:"states"` // of all settings, the oldest of each first
}

// PastJSON writes the past of settings as one JSON object.
func PastJSON(w io.Writer, past Past) error {
	out := jsonHistory{schemaVersion, jsonTool{"regvet", past.Version}, runJSON(past.Run), []jsonPastRow{}}
	for _, s := range past.Settings {
		for _, r := range s.Rows {
			out.States = append(out.States, r.json(s))
		}
	}
	return writeJSON(w, out)
}

func (r PastRow) json(s Setting) jsonPastRow {
	j := jsonPastRow{
		State: r.state(), Same: r.Same, Place: hive.Printable(r.Place), Location: locationJSON(r.At), Time: orNull(r.written()),
		Created: r.created(), Asked: hive.Printable(s.Key.String()), Key: hive.Printable(r.Key.String()), Current: r.Current, Status: r.Status, Reason: r.Reason, Message: hive.Printable(r.Message), Notes: r.Notes,
	}
	j.Log, j.Entry = r.entry()
	if s.Rule != nil {
		j.Rule = s.Rule.ID
	}
	if u := r.Until; u != nil {
		j.Until = &jsonUntil{State: u.state()}
		j.Until.Log, j.Until.Entry = u.entry()
	}
	if h := r.Header; h != nil {
		j.Base = &jsonBase{orNull(r.base()), h.Sequence1, h.Sequence2}
	}
	if !s.AboutKey {
		name := hive.Printable(r.Value)
		j.Value = &name
	}
	if v := r.Observed; v != nil {
		j.Observed = &jsonPastData{Type: v.Type.String()}
		if !v.Short {
			data, text := hex.EncodeToString(v.Data), hive.Printable(v.Display())
			j.Observed.Data, j.Observed.Text = &data, &text
		}
	}
	return j
}

// entry returns the log and the number of the entry after which the state is, for JSON.
func (r PastRow) entry() (string, *uint32) {
	if r.Log == "" {
		return "", nil
	}
	return hive.Printable(r.Log), &r.Entry
}

// orNull returns nil for the zero value, by which other forms say that something is not known.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
