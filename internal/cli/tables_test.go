package cli

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/report"
)

type object = map[string]any

// rowsIn returns the rows of a table.
func rowsIn(t *testing.T, name string) (rows []object) {
	t.Helper()
	all, err := parquet.ReadFile[any](name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, row := range all {
		rows = append(rows, row.(object))
	}
	return rows
}

// onlyInLines are what lines have of inputs and findings beside what other formats say, so that reports can be made of them.
var onlyInLines = []string{"windows_at_least", "windows_below", "listed", "baseline",
	"counted", "lacking", "raw"}

// linesIn returns what the lines of a file hold under a name, or each line whole for "".
func linesIn(t *testing.T, file, name string) (all []object) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var one object
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if inner, ok := one[name].(object); ok {
			one = inner
			if name == "input" || name == "finding" || name == "refused" {
				maps.DeleteFunc(one, func(field string, _ any) bool { return slices.Contains(onlyInLines, field) })
			}
		} else if name != "" {
			continue
		}
		all = append(all, one)
	}
	return all
}

// mayBeEmpty are the columns in which no text is something else than null.
var mayBeEmpty = []string{"value", "observed_data", "observed_text", "data", "text", "label"}

// columnsOf returns an object of JSON as a row has it: the fields of objects in it with a prefix, and nothing for what is not known.
func columnsOf(j object) object {
	row := object{}
	var add func(prefix string, j object)
	add = func(prefix string, j object) {
		for name, v := range j {
			switch v := v.(type) {
			case nil:
			case object:
				add(prefix+name+"_", v)
			case []any:
				row[prefix+name] = eachObject(v, columnsOf)
			default:
				if v != "" || slices.Contains(mayBeEmpty, prefix+name) {
					row[prefix+name] = v
				}
			}
		}
	}
	add("", j)
	if data, ok := j["data"]; ok && data == nil {
		delete(row, "text") // of data that are lost
	}
	return row
}

// plainRow returns a row with the types of JSON, without nulls, and without what JSON leaves out because it is false or an empty list.
func plainRow(row, j object) object {
	out := object{}
	for name, cell := range row {
		switch v := cell.(type) {
		case nil:
			continue
		case int64:
			cell = float64(v)
			if name == "modified" || name == "created" || name == "windows_installed" || name == "last_shutdown" {
				cell = time.Unix(0, v).UTC().Format(hive.TimeLayout)
			}
		case int32:
			cell = time.Unix(int64(v)*24*60*60, 0).UTC().Format(time.DateOnly)
		case string:
			if name == "data" || name == "observed_data" {
				cell = hex.EncodeToString([]byte(v))
			}
		case []any:
			of, _ := j[name].([]any)
			cell = v
			if len(v) == len(of) {
				i := -1
				cell = eachObject(v, func(inner object) object { i++; return plainRow(inner, of[i].(object)) })
			}
		}
		if _, ok := j[name]; !ok && (cell == false || cmp.Equal(cell, []any{})) {
			continue
		}
		out[name] = cell
	}
	if exact, ok := row["modified_filetime"].(int64); ok {
		delete(out, "modified_filetime")
		text := hive.Filetime(exact).UTC().Format(hive.TimeLayout)
		if year := hive.Filetime(exact).UTC().Year(); out["modified"] == nil && (year < 1678 || year > 2261) {
			out["modified"] = text // which nanoseconds cannot tell
		}
		if out["modified"] != text {
			out["modified_filetime"] = text
		}
	}
	return out
}

// eachObject returns a list with its objects changed.
func eachObject(all []any, change func(object) object) []any {
	out := []any{}
	for _, v := range all {
		if inner, ok := v.(object); ok {
			v = change(inner)
		}
		out = append(out, v)
	}
	return out
}

// sameRows requires that rows say what objects of JSON say, in the same order.
func sameRows(t *testing.T, what string, rows, objects []object) {
	t.Helper()
	if len(rows) != len(objects) {
		t.Fatalf("%s: %d rows, want %d", what, len(rows), len(objects))
	}
	for i, j := range objects {
		want := columnsOf(j)
		if diff := cmp.Diff(want, plainRow(rows[i], want)); diff != "" {
			t.Fatalf("%s: row %d differs from JSON (- JSON, + Parquet):\n%s", what, i, diff)
		}
		for name := range want {
			if _, ok := rows[i][name]; !ok {
				t.Errorf("%s: there is no column %s", what, name)
			}
		}
	}
}

// hostileHive returns a hive with names and data that break text.
func hostileHive() []byte {
	names := []string{"::error::", "\x00\x1b[31m\u202e", "lone\xed\xa0\x80", "line\nbreak", `"quoted"`, "Ä", " "}
	value := func(name, data string) hive.Value { return hive.StringValue(name, hive.SZ, data) }
	parameters := &hivetest.Key{Name: "Parameters", Values: []hive.Value{{Name: "MaxUserPort", Type: hive.None}, value("Hostname", "lone\xed\xa0\x80\x1b[2J")}, Modified: 1}
	services := &hivetest.Key{Name: "Services", Keys: []*hivetest.Key{{Name: "Tcpip", Keys: []*hivetest.Key{parameters}}}}
	for i, name := range names {
		services.Keys = append(services.Keys, &hivetest.Key{Name: name, Modified: hive.FiletimeOf(time.Date(1600+200*(i+1), 1, 1, 0, 0, 0, 0, time.UTC)),
			Values: []hive.Value{value("ImagePath", `C:\Users\Public\`+name+".exe"), {Name: "Start", Type: hive.DWord}, {Name: "Type", Type: hive.DWord}}})
	}
	selected := &hivetest.Key{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}}
	return hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{selected, {Name: "ControlSet001", Keys: []*hivetest.Key{services}}}}, hivetest.Options{})
}

// TestTables compares each row of the tables with the JSON lines of the same run: of everything in testdata, of names that break text, of several machines,
// of what cannot be read, and of nothing at all.
func TestTables(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	files := map[string][]byte{in("hostile\n\x1b"): hostileHive(), in("zeros.hive"): make([]byte, 8192), in("deleted"): deletedPort()}
	for name, data := range windows() {
		for _, machine := range []string{"ws01", "ws02"} {
			files[in(strings.Replace(name, "disk", "machines/"+machine, 1))] = data
		}
	}
	writeAll(t, files)
	for _, c := range []struct {
		name string
		args []string
		has  string // a column of findings that is somewhere not null
		n    [3]int // findings, inputs, and what could not be read
	}{
		{"all", []string{"--pack", "all", "--all", "--regback", "--vss", "../../testdata"}, "fix_restart", [3]int{4378, 19, 0}},
		{"failures", []string{"../../testdata"}, "location_line", [3]int{13, 12, 0}},
		{"hostile", []string{"--pack", "all", "--all", in("hostile\n\x1b")}, "modified", [3]int{305, 1, 0}},
		{"deleted", []string{"--deleted", in("deleted")}, "history", [3]int{1, 1, 0}},
		{"machines", []string{"--pack", "all", "--all", in("machines")}, "machine", [3]int{484, 12, 0}},
		{"refused", []string{"../../testdata/SYSTEM-good", in("zeros.hive"), in("not\nthere")}, "", [3]int{0, 1, 2}},
		{"waived", []string{"--config", "../../testdata/accepted.yaml", "../../testdata/SYSTEM"}, "waived_until", [3]int{2, 1, 0}},
		{"nothing", []string{"--select", "KB196271-MaxUserPort", "../../testdata/SYSTEM-good"}, "", [3]int{0, 1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, tables := filepath.Join(t.TempDir(), "lines.jsonl"), filepath.Join(t.TempDir(), "tables")
			var messages bytes.Buffer
			if status := run(append([]string{"check", "-o", "jsonl=" + lines, "-o", "parquet=" + tables}, c.args...), nil, io.Discard, &messages); status == statusUsage {
				t.Fatal(messages.String())
			}
			findings, inputs := rowsIn(t, filepath.Join(tables, report.TableFiles[0])), rowsIn(t, filepath.Join(tables, report.TableFiles[1]))
			sameRows(t, "findings", findings, linesIn(t, lines, "finding"))
			want := linesIn(t, lines, "input")
			sameRows(t, "inputs", inputs[:len(want)], want)
			refused := linesIn(t, lines, "refused")
			if len(inputs) != len(want)+len(refused) {
				t.Fatalf("%d rows of inputs, want %d and %d", len(inputs), len(want), len(refused))
			}
			for i, j := range refused {
				row := maps.Clone(inputs[len(want)+i])
				maps.DeleteFunc(row, func(_ string, cell any) bool { return cell == nil })
				problem := columnsOf(j)
				delete(problem, "path")
				got := plainRow(row, object{"problems": []any{problem}})
				if diff := cmp.Diff(object{"path": j["path"], "refused": true, "problems": []any{problem}}, got); diff != "" {
					t.Errorf("what could not be read differs from JSON (- JSON, + Parquet):\n%s", diff)
				}
			}
			if n := [3]int{len(findings), len(want), len(refused)}; n != c.n {
				t.Errorf("findings, inputs and what could not be read are %v, want %v", n, c.n)
			}
			if c.has != "" && !slices.ContainsFunc(findings, func(row object) bool { return row[c.has] != nil && !cmp.Equal(row[c.has], []any{}) }) {
				t.Errorf("nothing is tested of %s, which is null in each row", c.has)
			}
		})
	}
}

// TestTimelineTable compares a timeline in Parquet with the lines of JSON: the rows are in the same order, and have times that nanoseconds cannot tell.
func TestTimelineTable(t *testing.T) {
	times := []hive.Filetime{1, hive.FiletimeOf(time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)), hive.FiletimeOf(time.Unix(0, 0)), 127761408001234567,
		hive.FiletimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC))}
	root := &hivetest.Key{Modified: times[0]}
	for i, name := range []string{"\x00\x1b[31m\u202e", "lone\xed\xa0\x80", "line\nbreak", `"quoted"`, "same"} {
		root.Keys = append(root.Keys, &hivetest.Key{Name: name, Modified: times[i], Keys: []*hivetest.Key{{Name: "same", Modified: times[i]}}})
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "line\nbreak")
	writeAll(t, map[string][]byte{name: hivetest.Build(root, hivetest.Options{}), filepath.Join(dir, "deleted"): deletedPort()})
	for _, c := range []struct {
		memory int
		args   []string
		n      int
	}{
		{memoryForLines, []string{"--regback", "--vss", "../../testdata", dir}, 155},
		{100, []string{name}, 11},
		{memoryForLines, []string{"--since", "2100-01-01", "../../testdata/SYSTEM"}, 0},
	} {
		was := memoryForLines
		memoryForLines = c.memory
		lines, table := filepath.Join(t.TempDir(), "lines.jsonl"), filepath.Join(t.TempDir(), "timeline.parquet")
		for _, output := range []string{lines, table} {
			var messages bytes.Buffer
			if status := run(append([]string{"timeline", "-o", output}, c.args...), nil, io.Discard, &messages); status == statusUsage {
				t.Fatal(messages.String())
			}
		}
		memoryForLines = was
		rows := rowsIn(t, table)
		if len(rows) != c.n {
			t.Errorf("%v: %d rows, want %d", c.args, len(rows), c.n)
		}
		sameRows(t, strings.Join(c.args, " "), rows, linesIn(t, lines, ""))
	}
}

// TestTablesAgain requires that the same run writes the same bytes, and that each table tells the run.
func TestTablesAgain(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeAll(t, windows())
	check := func() (all []string) {
		t.Helper()
		var messages bytes.Buffer
		if status := run([]string{"check", "--pack", "all", "--all", "-o", "parquet=tables", "disk"}, nil, io.Discard, &messages); status == statusUsage {
			t.Fatal(messages.String())
		}
		for _, name := range report.TableFiles {
			text, err := os.ReadFile(filepath.Join("tables", name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		return all
	}
	first := check()
	if diff := cmp.Diff(first, check()); diff != "" {
		t.Errorf("the same run gives other bytes:\n%s", diff)
	}
	for _, file := range report.TableFiles {
		f, err := os.Open(filepath.Join("tables", file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		read, err := parquet.OpenFile(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		about, _ := read.Lookup("regvet")
		var start struct {
			Tool struct{ Version string }
			Run  struct {
				Date, Command string
				Packs         []struct{ Name string }
			}
		}
		if err := json.Unmarshal([]byte(about), &start); err != nil || start.Tool.Version != version() || start.Run.Date != "2005-11-11T00:00:00Z" || len(start.Run.Packs) != 4 {
			t.Errorf("%s says of the run: %s (%v)", file, about, err)
		}
		summary, _ := read.Lookup("regvet.summary")
		var counts struct{ Rules int }
		if err := json.Unmarshal([]byte(summary), &counts); err != nil || counts.Rules == 0 {
			t.Errorf("%s has the summary %q (%v)", file, summary, err)
		}
		if want := "regvet version " + version(); read.Metadata().CreatedBy != want {
			t.Errorf("%s was created by %q, want %q", file, read.Metadata().CreatedBy, want)
		}
	}
}
