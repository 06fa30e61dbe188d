package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/ports"
)

// source returns text as a file to read.
func source(name, text string) Source { return Source{name, strings.NewReader(text), int64(len(text))} }

// linesText returns a report in lines, each input a group of its own.
func linesText(t testing.TB, r Report) string {
	t.Helper()
	var b bytes.Buffer
	l := NewLines(&b, r)
	for i, in := range r.Inputs {
		l.Input(in)
		status := 0
		if slices.ContainsFunc(in.Findings, func(f rules.Finding) bool { return r.Counts(in, f) }) {
			status = 1
		}
		l.Done(in.Path, status, i+1, nil)
	}
	if err := l.Close(r.Refused); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unlike returns the first line in which two texts differ.
func unlike(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("it has %d lines, want %d", len(a), len(b))
}

// strange is a report with names that JSON cannot hold, and values at their ends.
func strange() Report {
	names := "\xED\xA0\x80\xff\x1b[31m\u202e" // a lone surrogate, no text, and what steers a terminal
	key := hive.Path{"HKEY_LOCAL_MACHINE", `with\backslash`, names, ""}
	rule := rules.Recorded(rules.Rule{ID: "R-1", Pack: "p", Title: "title", Rationale: "why", References: []string{"https://example.com/"}, Tags: []string{"tag"},
		Sources: []rules.Source{{ID: "1", File: "list.csv", Line: 3}}}, rules.Medium, "my rules.yaml")
	value := hive.Value{Name: names, Type: 0xFFFFFFFF, Data: []byte{0xFF}}
	fail := rules.Finding{Rule: rule, Status: rules.Fail, Reason: rules.WrongType, Severity: rules.Critical, Key: key, RealKey: key.Join("x"), Value: names, Observed: &value,
		At: hive.Location{Offset: 1 << 40}, Expected: "REG_DWORD", Message: "message", Notes: []string{"note"}, Modified: hive.Filetime(1<<63 - 1).Time(), Alternative: "instead",
		Fix:     rules.RecordedFix("set it", rules.Fix{Because: "because", Restart: "computer", Note: "note"}),
		History: []rules.Past{{Value: hive.Value{Name: names, Type: hive.SZ, Short: true}}, {Value: hive.Value{Type: hive.DWord, Data: []byte{1}}, KeyGone: true}}}
	waived := fail
	waived.Waived, waived.AboutKey = &rules.Waiver{Reason: "reason", Until: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)}, true
	open := rules.Finding{Rule: rule, Status: rules.Unknown, Reason: rules.Undecided, Severity: rules.Info, Message: "depends", At: hive.Location{Line: 3, Column: 4}}
	unknown := rules.Finding{Rule: rule, Status: rules.Unknown, Reason: rules.NotCovered, Severity: rules.High, Message: "not there", Key: key, RealKey: key}
	machine := &collection.Machine{Name: "pc" + names, Hives: 1}
	problem := hive.Problem{Source: "C" + names, Kind: hive.BadCell, Msg: "bad", Key: hive.Path{"a", "b"}, Loss: true, At: hive.Location{Offset: 5}}
	mine := Input{Findings: []rules.Finding{fail, waived, open, unknown}, Counted: map[Answer]int{{Rule: rule}: 7}, Listed: 2, Known: 3,
		Ports: []ports.Answer{{ControlSet: "ControlSet001", Windows: ports.BeforeVista, Range: &ports.Range{From: 1025, To: 5000}, Source: "default", AllKnown: true,
			Excluded: []ports.Exclusion{{Range: ports.Range{From: 1433, To: 1434}, Source: "ReservedPorts"}}, Used: []ports.Use{{Port: 3389, Service: "RDP", Key: "k", Value: "v"}}}},
		Input: collection.Input{Path: "C" + names, Format: "regf", SHA256: strings.Repeat("a", 64), Size: 1 << 40, Host: "host" + names, HostBy: "NV Hostname", Mount: key[:2],
			Machine: machine, User: "user", Dirty: true, TimeZone: "UTC", Shutdown: time.Date(2005, 11, 11, 1, 2, 3, 400, time.UTC),
			Windows:     hive.Windows{AtLeast: hive.Version{Major: 6}, Below: hive.Version{Major: 6, Minor: 1}, Product: "WinNT", Edition: "Home", Evidence: []string{"e"}},
			ControlSets: []hive.ControlSet{{Name: "ControlSet001", Source: `Select\Current`}}, OtherSets: []string{"ControlSet002"},
			Logs:     []collection.Log{{LogUse: hive.LogUse{Name: "SYSTEM.LOG1", Entries: 2, First: 1, Last: 2, Why: "ends early"}, SHA256: strings.Repeat("b", 64)}},
			Problems: []hive.Problem{problem}}}
	own := rules.Overdue.About("R-1", hive.Location{Line: 2, Column: 3}, rules.Mismatch, "a day", "is over")
	config := Input{Findings: []rules.Finding{own}, Input: collection.Input{Path: ".regvet.yaml", Format: ConfigFormat}}
	return Report{Version: "1", Run: Run{Date: time.Unix(1131667200, 0), Command: "regvet check C", Packs: []RunPack{{"p", strings.Repeat("c", 64), 1}}}, Rules: []*rules.Rule{rule},
		FailOn: rules.Low, More: 3, Unselected: 2, Shadows: 1, PassedOver: []string{"passed"}, LeftOut: []LeftOut{{collection.RegBack, 2, "RegBack/SYSTEM", 1}},
		Choices: Choices{Config: ".regvet.yaml", Only: []string{"R-1"}, Off: []string{"R-2"}, Baseline: "known.json"},
		Inputs:  []Input{mine, {Input: collection.Input{Path: "b.reg", Format: "reg", Text: "REGEDIT4", Former: true}, Unasked: true}, config}, Refused: []hive.Problem{problem}}
}

// TestRead requires that each format is the same, byte for byte, of a report in memory and of its lines.
func TestRead(t *testing.T) {
	for _, least := range []rules.Severity{0, rules.High} {
		for _, all := range []bool{false, true} {
			r := strange()
			r.All, r.Choices.Least = all, least
			text := linesText(t, r)
			got, err := Read([]Source{source("x.jsonl", text)}, Reading{Version: "1", All: all, Budget: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			for _, format := range FormatNames() {
				if ListsPasses(format) && !all || format == "jsonl" {
					continue
				}
				var a, b bytes.Buffer
				if err := Write(&a, format, r, Style{Width: 80}); err != nil {
					t.Fatal(err)
				}
				if err := Write(&b, format, got.Report, Style{Width: 80}); err != nil || got.Err() != nil {
					t.Fatal(err, got.Err())
				}
				if a.String() != b.String() {
					t.Errorf("%s, all %t, of at least %s, of lines: %s", format, all, least, unlike(b.String(), a.String()))
				}
			}
			var again bytes.Buffer
			if err := got.Write(NewLines(&again, got.Report)); err != nil || again.String() != text {
				t.Errorf("the lines again, %v: %s", err, unlike(again.String(), text))
			}
		}
	}
}

// TestReadJoins holds what becomes of several runs.
func TestReadJoins(t *testing.T) {
	one := strange()
	other := strange()
	other.Refused = nil
	other.Rules = []*rules.Rule{rules.Recorded(rules.Rule{ID: "R-9", Pack: "q", Title: "another"}, rules.Low, "")}
	other.Inputs = []Input{{Input: collection.Input{Path: "D", Format: "regf"}, Findings: []rules.Finding{{Rule: other.Rules[0], Status: rules.Fail, Reason: rules.Mismatch, Severity: rules.Low}}}}
	changed := strange()
	changed.Inputs[1].Size = 9
	differs := strange()
	differs.Rules = []*rules.Rule{rules.Recorded(rules.Rule{ID: "R-1", Pack: "p", Title: "changed"}, rules.Low, "")}
	differs.Inputs = nil
	baseline := strange()
	baseline.Choices.Baseline = ""
	a := linesText(t, one)
	for _, c := range []struct {
		name    string
		files   []string
		want    string // the rules and inputs, or the error
		remarks string
	}{
		{"rules are joined", []string{a, linesText(t, other)}, `R-1 R-9: C\ufffd\ufffd\x1b[31m\u202e b.reg .regvet.yaml D`, ""},
		{"one after another in a file", []string{a + linesText(t, other)}, `R-1 R-9: C\ufffd\ufffd\x1b[31m\u202e b.reg .regvet.yaml D`, ""},
		{"the same twice", []string{a, a}, `R-1: C\ufffd\ufffd\x1b[31m\u202e b.reg .regvet.yaml`, `4 inputs are in several runs with the same result, and count once: C\ufffd\ufffd\x1b[31m\u202e (0.jsonl, 1.jsonl)`},
		{"the same path, another result", []string{a, linesText(t, changed)}, `R-1: C\ufffd\ufffd\x1b[31m\u202e b.reg .regvet.yaml b.reg`,
			`3 inputs are in several runs with the same result, and count once: C\ufffd\ufffd\x1b[31m\u202e (0.jsonl, 1.jsonl)` + "\n" +
				"1 input is in several runs with different results, and counts each time: b.reg (0.jsonl, 1.jsonl)"},
		{"another rule of an ID", []string{a, linesText(t, differs)}, "1.jsonl:1: the rule R-1 is another one than in 0.jsonl; report runs with different rules of one ID apart", ""},
		{"another baseline", []string{a, linesText(t, baseline)},
			"1.jsonl: its run has another config, baseline, --severity, --fail-on or --all-installs than that of 0.jsonl; report such runs apart, or give --fail-on if it is only that", ""},
	} {
		var files []Source
		for i, text := range c.files {
			files = append(files, source(fmt.Sprintf("%d.jsonl", i), text))
		}
		r, err := Read(files, Reading{})
		got, remarks := "", ""
		if err != nil {
			got = err.Error()
		} else {
			for _, rule := range r.Rules {
				got += rule.ID + " "
			}
			got = strings.TrimSpace(got) + ":"
			for _, in := range r.Inputs {
				got += " " + hive.Visible(in.Path)
			}
			remarks = strings.Join(r.Remarks, "\n")
		}
		if got = strings.ReplaceAll(got, "\uFFFD", `\ufffd`); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
		if remarks = strings.ReplaceAll(remarks, "\uFFFD", `\ufffd`); remarks != c.remarks {
			t.Errorf("%s: %s\nwant %s", c.name, remarks, c.remarks)
		}
	}
}

// TestReadRefuses holds what is said of lines that check does not write.
func TestReadRefuses(t *testing.T) {
	whole := strings.SplitAfter(linesText(t, strange()), "\n")
	start, input := whole[0], slices.IndexFunc(whole, func(l string) bool { return strings.HasPrefix(l, `{"input"`) })
	with := func(old, new string) string {
		line := whole[input]
		if !strings.Contains(line, old) {
			t.Fatalf("no %s in %s", old, line)
		}
		return start + strings.Replace(line, old, new, 1)
	}
	finding := whole[input+1]
	takes := `; report takes what "regvet check --format jsonl" writes`
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "x.jsonl: is empty" + takes},
		{"text", "hello\n", "x.jsonl:1: is not as check writes lines: invalid character 'h' looking for beginning of value" + takes},
		{"another object", "{\"rows\":1}\n", "x.jsonl:1: is not as check writes lines: unknown field \"rows\"" + takes},
		{"lint", `{"schema_version":"1","tool":{"name":"regvet","version":"1"},"run":{"date":"","command":"","packs":[]}}` + "\n",
			"x.jsonl:1: has no rules, so that it is of another command than check, or of a regvet that wrote none; make it again with this one"},
		{"another schema", strings.Replace(start, `"schema_version":"1"`, `"schema_version":"2"`, 1),
			"x.jsonl:1: has the schema_version \"2\", and this regvet reads \"1\"; use regvet 1, which wrote it"},
		{"no start", whole[input], "x.jsonl:1: is not the first line of a run, which says how the run was made" + takes},
		{"a finding alone", start + finding, "x.jsonl:2: is a finding without an input before it"},
		{"a finding behind the end of a group", start + whole[input] + `{"refused":{"path":"x","kind":"unreadable","message":"m","loss":true,"location":null}}` + "\n" + finding, "x.jsonl:4: is a finding without an input before it"},
		{"an unknown rule", start + whole[input] + strings.Replace(finding, `"rule":"R-1"`, `"rule":"R-\u001b"`, 1), "x.jsonl:3: is a finding of the rule R-\\x1b, which the first line of the run does not have"},
		{"a wrong type", with(`"size":1099511627776`, `"size":"large"`), "x.jsonl:2: input.size is a string, want a whole number that fits"},
		{"a number that does not fit", with(`"size":1099511627776`, `"size":1e40`), "x.jsonl:2: input.size is a number 1e40, want a whole number that fits"},
		{"a negative size", with(`"size":1099511627776`, `"size":-1`), "x.jsonl:2: size is -1, which is no size"},
		{"a count out of range", with(`{"R-1":7}`, `{"R-1":4611686018427387904}`), "x.jsonl:2: counted is 4611686018427387904, which is no count"},
		{"a port out of range", with(`"start":1025`, `"start":70000`), "x.jsonl:2: start is no port from 0 to 65535"},
		{"a time", with(`"last_shutdown":"2005-11-11T`, `"last_shutdown":"2005-13-11T`), "x.jsonl:2: last_shutdown is \"2005-13-11T01:02:03.0000004Z\", want a time like 2006-01-02T15:04:05.0000000Z"},
		{"an unknown field", with(`"size":`, `"sizes":`), "x.jsonl:2: is not as check writes lines: unknown field \"sizes\""},
		{"two in one", start + `{"done":{"name":"x","status":0,"pass":0,"fail":0,"unknown":0,"not_applicable":0,"unasked_inputs":0},"summary":{"rules":1}}` + "\n",
			"x.jsonl:2: is none of the lines that check writes: want one of input, finding, hidden, refused, done, container, listed, config or summary in it"},
		{"a status", start + `{"done":{"name":"x","status":9,"pass":0,"fail":0,"unknown":0,"not_applicable":0,"unasked_inputs":0}}` + "\n", "x.jsonl:2: status is 9, which is none that check has"},
		{"a verdict", start + whole[input] + strings.Replace(finding, `"status":"fail"`, `"status":"pass"`, 1), "x.jsonl:3: status \"pass\" does not go with the reason \"wrong-type\""},
		{"deep", start + strings.Repeat(`{"input":`, 20000) + strings.Repeat("}", 20000) + "\n", "x.jsonl:2: is not as check writes lines: invalid character '{' exceeded max depth"},
		{"much in little", start + `{"input":{"logs":[` + strings.Repeat("{},", mostValues) + "{}]}}\n", "x.jsonl:2: has more than 1048576 values in it"},
		{"more behind the summary", strings.Join(whole, "") + whole[input], fmt.Sprintf("x.jsonl:%d: follows the summary of a run, and begins no other one", len(whole))},
	} {
		if _, err := Read([]Source{source("x.jsonl", c.text)}, Reading{}); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
	if _, err := Read([]Source{source("x.jsonl", start)}, Reading{All: true}); err == nil ||
		err.Error() != "x.jsonl:1: is of a run without --all, which only counted passes and the like, and --all and junit list each of them; make it with check --all" {
		t.Errorf("--all: %v", err)
	}
}

// endless is a file of one line without an end.
type endless struct{ start string }

func (e endless) ReadAt(b []byte, at int64) (int, error) {
	for i := range b {
		b[i] = 'x'
		if at+int64(i) < int64(len(e.start)) {
			b[i] = e.start[at+int64(i)]
		}
	}
	return len(b), nil
}

// TestReadLongLine requires that a line is not read to its end wherever that is.
func TestReadLongLine(t *testing.T) {
	if testing.Short() {
		t.Skip("256 MB take a second")
	}
	start := strings.SplitAfter(linesText(t, strange()), "\n")[0]
	_, err := Read([]Source{{"x.jsonl", endless{start + `{"config":{"path":"`}, 1 << 40}}, Reading{})
	if want := fmt.Sprintf("x.jsonl:2: is longer than %d bytes, and no line of check is", MostLine); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestReadUnfinished requires that of a run without an end what it has done is there, wherever it was cut off.
func TestReadUnfinished(t *testing.T) {
	text := linesText(t, strange())
	first := strings.IndexByte(text, '\n') + 1
	for at := first; at < len(text)-1; at += 97 {
		r, err := Read([]Source{source("x.jsonl", text[:at])}, Reading{})
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", at, len(text), err)
		}
		want := strings.Count(text[:at], "\n{\"done\":")
		if text[at] != '\n' && strings.LastIndex(text[:at], "\n{\"done\":") > strings.LastIndexByte(text[:at], '\n')-1 {
			want-- // that line is not whole
		}
		if len(r.Groups) != want || len(r.Unfinished) != 1 {
			t.Errorf("cut at %d of %d: %d groups, want %d; %d files without an end", at, len(text), len(r.Groups), want, len(r.Unfinished))
		}
		zeros, err := Read([]Source{source("x.jsonl", text[:at]+"\x00\x00\n")}, Reading{}) // an unwritten block, as a power cut leaves it
		if err != nil || len(zeros.Groups) != len(r.Groups) {
			t.Errorf("cut at %d of %d, with zeros: %v", at, len(text), err)
		}
	}
}

// TestReadAgain requires that a file which is changed between two readings is an error, and no other result.
func TestReadAgain(t *testing.T) {
	text := linesText(t, strange())
	name := filepath.Join(t.TempDir(), "x.jsonl")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := Read([]Source{{name, file, int64(len(text))}}, Reading{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), len(text)), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, format := range FormatNames() {
		if err := Write(io.Discard, format, r.Report, Style{}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if r.Err() == nil {
			t.Errorf("%s: no error", format)
		}
	}
}

// FuzzReport reads any lines. What is accepted is written, and that is accepted again and says the same; and every format can be written of it.
func FuzzReport(f *testing.F) {
	text := linesText(f, strange())
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add(text + text)
	f.Add(text + strings.ReplaceAll(text, "b.reg", "c.reg")) // a run behind what another says of its config
	f.Add("{}\n")
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) (*Recorded, error) {
			return Read([]Source{source("x.jsonl", text)}, Reading{Version: "1", Budget: 1 << 16})
		}
		again := func(r *Recorded) string {
			var b bytes.Buffer
			if err := r.Write(NewLines(&b, r.Report)); err != nil {
				t.Fatal(err)
			}
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		r, err := read(text)
		if err != nil {
			return
		}
		once := again(r)
		second, err := read(once)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, once)
		}
		if twice := again(second); twice != once {
			t.Errorf("written twice: %s", unlike(twice, once))
		}
		for _, format := range FormatNames() {
			if err := Write(io.Discard, format, r.Report, Style{Width: 60}); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}
