package report

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// tablesText returns what the tables of a report say, with bytes in hex and days as dates.
func tablesText(t *testing.T, r Report) []byte {
	t.Helper()
	var findings, inputs, out bytes.Buffer
	tables := NewTables(&findings, &inputs, r)
	for _, in := range r.Inputs {
		tables.Input(in)
	}
	if err := tables.Close(r.Refused); err != nil {
		t.Fatal(err)
	}
	for _, row := range readRows[findingRow](t, &findings, &out) {
		fmt.Fprintln(&out, jsonText(row), hex.EncodeToString(row.ObservedData))
		if row.WaivedUntil != nil {
			fmt.Fprintln(&out, time.Unix(int64(*row.WaivedUntil)*24*60*60, 0).UTC().Format(time.DateOnly))
		}
	}
	for _, row := range readRows[inputRow](t, &inputs, &out) {
		fmt.Fprintln(&out, jsonText(row))
	}
	return out.Bytes()
}

// readRows returns the rows of a table, and writes what is known of the run.
func readRows[T any](t *testing.T, table *bytes.Buffer, about io.Writer) []T {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(table.Bytes()), int64(table.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range file.Metadata().KeyValueMetadata {
		fmt.Fprintln(about, kv.Key, kv.Value)
	}
	rows, err := parquet.Read[T](bytes.NewReader(table.Bytes()), int64(table.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRowGroups requires that what is held of the rows is bounded by their number and by their size, and that all are there.
func TestRowGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = byte(' ' + random.IntN('~'-' '))
	}
	noise := string(text) // which cannot be made shorter
	for _, c := range []struct {
		rows, size, groups int
	}{{0, 0, 0}, {1, 0, 1}, {mostGroupRows, 0, 1}, {mostGroupRows + 1, 0, 2}, {20, 1 << 20, 3}} {
		var b bytes.Buffer
		w := newRowWriter[problemRow](&b, "1", Run{})
		for i := range c.rows {
			w.add(problemRow{Kind: "kind", Message: new(fmt.Sprint(i, " ", noise[:c.size]))})
		}
		if err := w.close(nil); err != nil {
			t.Fatal(err)
		}
		file, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(file.RowGroups()); n != c.groups {
			t.Errorf("%d rows of %d bytes are in %d groups, want %d", c.rows, c.size, n, c.groups)
		}
		for i, row := range readRows[problemRow](t, &b, io.Discard) {
			if *row.Message != fmt.Sprint(i, " ", noise[:c.size]) {
				t.Fatalf("row %d has the message %.20q", i, *row.Message)
			}
		}
	}
}

// TestRowMemory requires that long values are not held once their group is written.
func TestRowMemory(t *testing.T) {
	const size, rows = 1 << 16, 1600
	w := newRowWriter[problemRow](io.Discard, "1", Run{})
	text := strings.Repeat("x", size)
	held := func() int64 {
		for i := range rows {
			w.add(problemRow{Kind: "kind", Message: new(fmt.Sprint(i, text)), Key: new(fmt.Sprint(i, text))})
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := held()
	if more := held() - before; more > size*rows/10 {
		t.Errorf("%d rows more, of %d MB, hold %d MB more", rows, 2*size*rows>>20, more>>20)
	}
	if err := w.close(nil); err != nil {
		t.Fatal(err)
	}
}

// full is a writer without room.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, os.ErrClosed
	}
	return len(b), nil
}

// TestTablesFull requires that a table that cannot be written is told, whichever it is and wherever its writer ends.
func TestTablesFull(t *testing.T) {
	r := factsReport()
	for _, room := range []int{0, 3, 1000} {
		for _, w := range [][2]io.Writer{{&full{room}, io.Discard}, {io.Discard, &full{room}}} {
			tables := NewTables(w[0], w[1], r)
			for range 3 {
				tables.Input(r.Inputs[0])
			}
			if err := tables.Close(r.Refused); err == nil {
				t.Errorf("with room for %d bytes no error is told", room)
			}
		}
	}
}

// TestTimeCells holds which times a column has.
func TestTimeCells(t *testing.T) {
	for _, c := range []struct {
		at   string
		want bool
	}{
		{"1601-01-01T00:00:00.0000001Z", false}, {"1677-09-21T00:12:43.1452241Z", false}, {"1677-09-21T00:12:43.1452242Z", true}, {"1970-01-01T00:00:00.0000000Z", true},
		{"2262-04-11T23:47:16.8547758Z", true}, {"2262-04-11T23:47:16.8547759Z", false}, {"9999-12-31T23:59:59.9999999Z", false},
	} {
		at, err := time.Parse(hive.TimeLayout, c.at)
		if err != nil {
			t.Fatal(err)
		}
		f := rules.Finding{Rule: &rules.Rule{ID: "R-1"}, Status: rules.Fail, Modified: at}
		r := Report{Inputs: []Input{{Input: collection.Input{Path: "a"}, Findings: []rules.Finding{f}}}}
		var findings bytes.Buffer
		tables := NewTables(&findings, io.Discard, r)
		tables.Input(r.Inputs[0])
		if err := tables.Close(nil); err != nil {
			t.Fatal(err)
		}
		row := readRows[findingRow](t, &findings, io.Discard)[0]
		if got := row.Modified != nil; got != c.want || got && !row.Modified.Equal(at) || hive.Filetime(*row.ModifiedFiletime).Time() != at {
			t.Errorf("%s is %v and %d", c.at, row.Modified, *row.ModifiedFiletime)
		}
	}
}

const tablesPage = "../docs/parquet.md"

// TestColumns requires that docs/parquet.md has all columns with their types, and that each is of a type that the library writes truly.
func TestColumns(t *testing.T) {
	page, err := os.ReadFile(tablesPage)
	if err != nil {
		t.Fatal(err)
	}
	docs := fieldDocs(t)
	want := string(page)
	for name, row := range map[string]reflect.Type{
		"findings.parquet": reflect.TypeFor[findingRow](), "inputs.parquet": reflect.TypeFor[inputRow](), "a timeline": reflect.TypeFor[timelineRow](),
	} {
		start, end := "<!-- the columns of "+name+" -->\n", "<!-- the end of "+name+" -->\n"
		before, rest, _ := strings.Cut(want, start)
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			t.Fatalf("the page has no place for the columns of %s", name)
		}
		want = before + start + "| column | type | null | what it is |\n|---|---|---|---|\n" + columnRows(t, docs, "", row) + end + after
	}
	switch {
	case *update:
		if err := os.WriteFile(tablesPage, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	case want != string(page):
		t.Error("the columns of the page are not those of the tables; run the test with -update")
	}
}

// columnTypes are the types of Parquet that types of Go become.
var columnTypes = map[reflect.Type]string{
	reflect.TypeFor[string](): "STRING", reflect.TypeFor[bool](): "BOOLEAN", reflect.TypeFor[int64](): "INT64", reflect.TypeFor[int32](): "DATE",
	reflect.TypeFor[time.Time](): "TIMESTAMP", reflect.TypeFor[[]byte](): "BYTE_ARRAY",
}

// columnRows returns the rows of a table of columns.
func columnRows(t *testing.T, docs map[string]string, prefix string, row reflect.Type) string {
	t.Helper()
	var b strings.Builder
	for f := range row.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		of, null := f.Type, strings.Contains(options, "optional")
		if of.Kind() == reflect.Pointer {
			of, null = of.Elem(), true
		} else if null && of.Kind() != reflect.Slice {
			t.Errorf("%s.%s is optional, and no pointer", row.Name(), f.Name)
		}
		kind, inner := columnTypes[of], of
		if kind == "" && of.Kind() == reflect.Slice {
			inner = of.Elem()
			if kind = "LIST of STRUCT"; inner.Kind() != reflect.Struct {
				kind = "LIST of " + columnTypes[inner]
			}
		}
		doc := docs[row.Name()+"."+f.Name]
		if kind == "" || doc == "" {
			t.Errorf("%s.%s has the type %q and the comment %q", row.Name(), f.Name, kind, doc)
		}
		fmt.Fprintf(&b, "| `%s%s` | %s | %s | %s |\n", prefix, name, kind, map[bool]string{true: "yes"}[null], doc)
		if kind == "LIST of STRUCT" {
			b.WriteString(columnRows(t, docs, prefix+name+"[].", inner))
		}
	}
	return b.String()
}
