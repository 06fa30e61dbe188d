package report

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
)

// Timeline is a format for the last writes of keys. Each is one line, and the lines may stand in any order.
type Timeline struct {
	First hive.Filetime // the earliest time that the format can hold
	head  string        // what stands before the lines
	table bool          // the lines are those of JSON, and become rows of Parquet
	path  pathText
	place func(collection.Input) string // what the lines of an input say of it
	line  func(*TimelineLines, timelineEntry) []byte
}

// timelineEntry is the last write of a key, whose path is encoded already.
type timelineEntry struct {
	modified        hive.Filetime
	path            []byte
	deleted, orphan bool
	at              hive.Location
}

// TimelineFormats returns the names of the formats, that of the default first.
func TimelineFormats() []string { return []string{"jsonl", "bodyfile", "csv", Parquet} }

// NewTimeline returns the format with one of the names that [TimelineFormats] returns. CSV uses what the style says of the byte order mark.
func NewTimeline(format string, style Style) Timeline {
	switch format {
	case "bodyfile":
		// 0 is no time there, and mactime passes over negative ones.
		first := hive.FiletimeOf(time.Unix(1, 0))
		return Timeline{First: first, path: pathText{encode: appendBody, separator: `\`}, place: timelineBody, line: (*TimelineLines).body}
	case "csv":
		return Timeline{head: csvMark(style) + timelineHead, path: pathText{encode: appendQuoted, separator: `\`}, place: timelineCSV, line: (*TimelineLines).csv}
	}
	return Timeline{table: format == Parquet, path: jsonPath, place: timelineJSON, line: (*TimelineLines).json}
}

// Begin begins a timeline. What it returns takes the lines, each with one call of Write, and must be closed after the last; that does not close w.
func (t Timeline) Begin(w io.Writer, version string, run Run) (io.WriteCloser, error) {
	if t.table {
		return timelineTable{newRowWriter[timelineRow](w, version, run)}, nil
	}
	_, err := io.WriteString(w, t.head)
	return openEnded{w}, err
}

// openEnded is a writer of text that needs no end.
type openEnded struct{ io.Writer }

func (openEnded) Close() error { return nil }

// timelineTable makes a row of each line.
type timelineTable struct{ rows *rowWriter[timelineRow] }

func (t timelineTable) Write(line []byte) (int, error) {
	var l timelineLine
	if err := json.Unmarshal(line, &l); err != nil {
		return 0, err
	}
	modified, err := time.Parse(hive.TimeLayout, l.Modified)
	if err != nil {
		return 0, err
	}
	t.rows.add(timelineRow{timeOrNull(modified), int64(hive.FiletimeOf(modified)), textOrNull(l.Key), l.Deleted, l.Orphan, orNull(l.Offset),
		textOrNull(l.State), textOrNull(l.User), textOrNull(l.Host), textOrNull(l.Machine), l.Input})
	return len(line), t.rows.err
}

func (t timelineTable) Close() error { return t.rows.close(nil) }

// timelineLine is a line of JSON.
type timelineLine struct {
	Modified string `json:"modified"`
	Key      string `json:"key"`
	Deleted  bool   `json:"deleted,omitempty"`
	Orphan   bool   `json:"orphan,omitempty"` // only the names of its path that are known are there
	Offset   int64  `json:"offset,omitempty"`
	State    string `json:"state,omitempty"` // of a hive of an earlier time
	User     string `json:"user,omitempty"`
	Host     string `json:"host,omitempty"`
	Machine  string `json:"machine,omitempty"`
	Input    string `json:"input"`
}

// Of returns the lines of a hive.
func (t Timeline) Of(in collection.Input) *TimelineLines {
	l := &TimelineLines{format: t, path: t.path, mount: in.Mount.String(), where: t.place(in)}
	l.path.begin(l.mount)
	return l
}

// TimelineLines writes the lines of one hive, one at a time. A line is valid until the next.
type TimelineLines struct {
	format Timeline
	mount  string
	where  string
	path   pathText
	clock  clock
	buf    []byte
}

// Enter goes on with a walk through the hive. It must be called with the path of each key, the root of the hive included.
func (l *TimelineLines) Enter(path hive.Path) {
	if len(path) > 0 {
		l.path.enter(len(path), path[len(path)-1])
	}
}

// Key returns the line of the key that was entered.
func (l *TimelineLines) Key(k *hive.Key) []byte {
	return l.format.line(l, timelineEntry{modified: k.Filetime(), path: l.path.text, at: k.At()})
}

// Deleted returns the line of a key that was deleted. The path of an orphan has only the names that are known.
func (l *TimelineLines) Deleted(d hive.Deleted) []byte {
	path := l.format.path
	if path.begin(l.mount); d.Orphan {
		path.begin("")
	}
	for i, name := range d.Path {
		path.enter(i+1, name)
	}
	return l.format.line(l, timelineEntry{d.Key.Filetime(), path.text, true, d.Orphan, d.At})
}

// json writes the names that JSON of other commands has, the time first.
func (l *TimelineLines) json(e timelineEntry) []byte {
	b := l.clock.append(append(l.buf[:0], `{"modified": `...), e.modified)
	b = append(append(append(b, `, "key": "`...), e.path...), '"')
	if e.deleted {
		b = append(b, `, "deleted": true`...)
	}
	if e.orphan {
		b = append(b, `, "orphan": true`...)
	}
	b = append(appendPlace(b, e.at), l.where...)
	l.buf = b
	return b
}

func timelineJSON(in collection.Input) string {
	var b []byte
	for _, field := range timelineFields(in) {
		if field.text != "" {
			b = append(b, `, "`+field.name+`": `...)
			b = appendString(b, field.text)
		}
	}
	return string(append(b, "}\n"...))
}

type timelineField struct{ name, text string }

// timelineFields are what the lines of an input say of it. Only the input itself is never empty.
func timelineFields(in collection.Input) []timelineField {
	machine := ""
	if in.Machine != nil {
		machine = in.Machine.Name
	}
	return []timelineField{{"state", string(in.State)}, {"user", in.User}, {"host", in.Host}, {"machine", machine}, {"input", in.Path}}
}

var timelineHead = func() string {
	head := "modified,key,deleted,orphan,offset"
	for _, field := range timelineFields(collection.Input{}) {
		head += "," + field.name
	}
	return head + "\r\n"
}()

// csv writes RFC 4180, as [csvTable] does.
func (l *TimelineLines) csv(e timelineEntry) []byte {
	b := l.clock.append(l.buf[:0], e.modified)
	b = append(append(append(b, `,"`...), asText(e.path)...), e.path...)
	b = append(b, `",`...)
	if e.deleted {
		b = append(b, "true"...)
	}
	b = append(b, ',')
	if e.orphan {
		b = append(b, "true"...)
	}
	b = strconv.AppendInt(append(b, ','), e.at.Offset, 10)
	b = append(b, l.where...)
	l.buf = b
	return b
}

func timelineCSV(in collection.Input) string {
	var b []byte
	for _, field := range timelineFields(in) {
		text := hive.Visible(field.text)
		b = appendQuoted(append(append(b, `,"`...), asText(text)...), text)
		b = append(b, '"')
	}
	return string(append(b, "\r\n"...))
}

// appendQuoted appends s as it stands between the quotes of a cell.
func appendQuoted(b []byte, s string) []byte {
	if hive.IsPlain(s) {
		return append(b, s...)
	}
	return append(b, strings.ReplaceAll(hive.Visible(s), `"`, `""`)...)
}

// body writes the format of The Sleuth Kit 3 and later, https://wiki.sleuthkit.org/index.php?title=Body_file: the last write is the time of
// modification, the offset stands for the inode, and what else there is to say is part of the name. As by fls, a deleted file is marked behind it.
func (l *TimelineLines) body(e timelineEntry) []byte {
	b := append(append(l.buf[:0], "0|"...), e.path...)
	switch {
	case e.orphan:
		b = append(b, " (deleted, orphan)"...)
	case e.deleted:
		b = append(b, " (deleted)"...)
	}
	b = append(append(b, l.where...), '|')
	b = strconv.AppendInt(b, e.at.Offset, 10)
	b = append(b, "|0|0|0|0|0|"...)
	b = strconv.AppendInt(b, e.modified.UTC().Unix(), 10)
	b = append(b, "|0|0\n"...)
	l.buf = b
	return b
}

func timelineBody(in collection.Input) string {
	var b []byte
	if in.State != "" {
		b = append(b, " ("+string(in.State)+")"...)
	}
	separator := " ["
	for _, name := range []string{in.Host, in.User, in.Path} {
		if name != "" {
			b = appendBody(append(b, separator...), name)
			separator = "; "
		}
	}
	return string(append(b, ']'))
}

// appendBody appends a name to that of a bodyfile. mactime and others split lines at each | and then decode what is encoded as in a URL.
func appendBody(b []byte, s string) []byte {
	if !hive.IsPlain(s) {
		s = hive.Visible(s)
	}
	for i := range len(s) {
		switch c := s[i]; c {
		case '|':
			b = append(b, "%7C"...)
		case '%':
			b = append(b, "%25"...)
		default:
			b = append(b, c)
		}
	}
	return b
}
