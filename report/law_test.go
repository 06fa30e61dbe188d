package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/safetext"
	"regvet/rules"
	"regvet/rules/lint"
)

// evil is a text of every character that steers, with a command of a build server after each.
var evil = func() string {
	var b strings.Builder
	b.WriteString("::error::x")
	for r := range rune(0x110000) {
		if safetext.Steers(r) {
			fmt.Fprintf(&b, "%c::error::x", r)
		}
	}
	return b.String()
}()

// TestNothingSteers requires that no writer lets text of an input steer what shows the result. All that is raw are its own line breaks,
// after none of which a line starts with text of the input, and tabs. A reader of JSON gets the text as it was.
func TestNothingSteers(t *testing.T) {
	key := hive.Path{"HKEY_LOCAL_MACHINE", evil}
	value := hive.Value{Name: evil, Type: hive.SZ, Data: append(hive.EncodeUTF16(evil), 0, 0)}
	at := hive.Location{Offset: 4096}
	words := hive.Visible(evil) // package rules makes its messages so
	rule := &rules.Rule{ID: "R-1", Pack: evil, Title: evil, Rationale: evil, References: []string{evil}, Tags: []string{evil}, Levels: []string{evil}}
	finding := rules.Finding{
		Rule: rule, Status: rules.Fail, Reason: rules.WrongType, Severity: rules.High, Key: key, RealKey: key, Value: evil, Observed: &value, At: at,
		Expected: words, Message: words, Notes: []string{words}, History: []rules.Past{}, Modified: time.Unix(0, 0),
		Fix:         &rules.Fix{Steps: []rules.Step{{Edit: hive.Edit{Op: hive.SetValue, Path: key, Value: value}}}, Because: evil, Note: evil, Restart: evil},
		Alternative: evil,
	}
	unknown := finding
	unknown.Status, unknown.Reason = rules.Unknown, rules.Damaged
	problem := hive.Problem{Source: evil, Kind: hive.BadCell, Msg: evil, Key: key, Loss: true, At: at}
	in := Input{Findings: []rules.Finding{finding, unknown}, Input: collection.Input{
		Path: evil, Format: "regf", Host: evil, Mount: key, TimeZone: evil, Machine: &collection.Machine{Name: evil, Hives: 1}, Problems: []hive.Problem{problem},
		Windows: hive.Windows{Product: evil}, OtherSets: []string{evil}, Logs: []collection.Log{{LogUse: hive.LogUse{Name: evil, Why: evil}}},
	}}
	alone := in
	alone.Machine, alone.NotJoined, alone.Former = nil, evil, true
	twin := in
	twin.SameAs, twin.Machine = evil, nil
	in.User, in.Mount = evil, hive.Path{"HKEY_USERS", evil + "-1"}
	check := &lint.Check{ID: "REG011", Name: "dword-form", Title: "a check", Severity: lint.Error}
	linted := lint.Finding{
		Check: check, Severity: lint.Error, At: hive.Location{Line: 1, Column: 1}, End: hive.Location{Line: 1, Column: 2}, Line: evil, Key: key, Value: evil,
		About: lint.AValue, Message: evil, Fix: &lint.Fix{Safety: lint.Safe, Message: evil, Changes: []lint.Change{{From: 0, To: 1, New: evil}}},
	}
	suppressed := linted
	suppressed.Suppressed = &lint.Suppression{By: "comment", Reason: evil}
	report := Report{Version: "1", All: true, Rules: []*rules.Rule{rule}, Inputs: []Input{in, alone, twin}}
	linting := LintReport{Version: "1", Checks: []*lint.Check{check}, Refused: []hive.Problem{problem}, Files: []LintFile{
		{Path: evil, Encoding: "UTF-8", Text: []byte(evil), Problems: []hive.Problem{problem}, Findings: []lint.Finding{linted, suppressed}}}}

	set := hive.Edit{Op: hive.SetValue, Path: key, Value: value}
	root := hive.NewKey("", []hive.Value{value}, hive.NewKey(evil, []hive.Value{value}))
	difference := Difference{Version: "1", From: in, To: in, At: key, Root: root, Edits: []hive.Edit{
		{Op: hive.SetValue, Value: value}, {Op: hive.CreateKey, Path: hive.Path{evil + "2"}}, {Op: hive.DeleteKey, Path: hive.Path{evil}}},
		Unproven: []hive.Unproven{{Edit: set}}}
	whatIf := WhatIf{Version: "1", Patch: evil, Input: in, All: true}
	whatIf.Compare([]rules.Finding{finding}, []rules.Finding{unknown})
	outcome := Outcome{
		Plan: rules.Plan{Fixed: []rules.Finding{finding}, Unfixed: []rules.Unfixed{{Finding: finding, Why: words}}, Edits: []hive.Edit{set}},
		Open: []rules.Finding{unknown}, LeftOut: []rules.Unfixed{{Finding: finding, Why: evil}}, Files: []string{evil, evil}, User: &FixedUser{evil, evil}, Proof: &rules.Proof{Left: []rules.Finding{finding}, Remains: []hive.Edit{set}},
	}

	proven := outcome
	proven.Proof = &rules.Proof{Restored: true}
	many := func(o Outcome) FixedMachine {
		return FixedMachine{Place: evil, Folder: evil, Inputs: []Input{in}, Outcomes: []Outcome{o}, Unwritten: evil}
	}
	fixes := FixedMachines{Folder: evil, Machines: []FixedMachine{many(outcome), many(proven), many(proven)}, Refused: []hive.Problem{problem}}

	writers := map[string]func(io.Writer) error{
		"info, text":  func(w io.Writer) error { return InfoText(w, report, Style{}) },
		"info, json":  func(w io.Writer) error { return InfoJSON(w, report) },
		"keys, jsonl": func(w io.Writer) error { return Keys(w, root, key, KeyFields{Times: true, Full: true}) },
		"diff, text":  func(w io.Writer) error { return DifferenceText(w, difference, Style{}) },
		"diff, json":  func(w io.Writer) error { return DifferenceJSON(w, difference) },
		"patch, json": func(w io.Writer) error {
			return PatchJSON(w, Patch{Inputs: []Input{in, in}, Fixed: report.Inputs[0].Findings, Edits: difference.Edits})
		},
		"apply, text":    func(w io.Writer) error { return WhatIfText(w, whatIf, Style{}) },
		"apply, json":    func(w io.Writer) error { return WhatIfJSON(w, whatIf) },
		"fix, text":      func(w io.Writer) error { return Fixes(w, []Outcome{outcome}, Style{}) },
		"fixes, text":    func(w io.Writer) error { return FixMany(w, fixes, Style{}) },
		"fixes, summary": func(w io.Writer) error { return FixSummary(w, fixes) },
		"fixes, refused": func(w io.Writer) error { return RefusedFixes(w, fixes) },
		"unified diff":   func(w io.Writer) error { return Diff(w, evil, Side{Text: evil}, Side{Text: evil + "2\n"}, Style{}) },
		"file, terminal": func(w io.Writer) error { return Plain(w, strings.Map(lineless, evil)) },
		"diff on terminal": func(w io.Writer) error {
			return Diff(w, evil, Side{Text: evil}, Side{Text: evil + "2\n"}, Style{Terminal: true})
		},
	}
	for _, format := range FormatNames() {
		writers["check, "+format] = func(w io.Writer) error { return Write(w, format, report, Style{Width: 80}) }
		writers["lint, "+format] = func(w io.Writer) error { return WriteLint(w, format, linting, Style{Width: 80}) }
	}
	for name, write := range writers {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out := b.String()
		if i := strings.IndexFunc(out, func(r rune) bool { return safetext.Steers(r) && !strings.ContainsRune("\n\r\t", r) }); i >= 0 {
			t.Errorf("%s has %q", name, out[max(0, i-60):min(len(out), i+20)])
		}
		for line := range strings.FieldsFuncSeq(out, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if strings.HasPrefix(strings.TrimLeft(line, " \t"), "::error::x") {
				t.Errorf("%s begins a line with a command of the input", name)
			}
		}
		if kind := name[strings.LastIndex(name, " ")+1:]; slices.Contains([]string{"json", "jsonl", "sarif", "gitlab"}, kind) {
			found := kind == "gitlab" // which has sentences only
			for d := json.NewDecoder(&b); ; {
				var v any
				err := d.Decode(&v)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				found = found || holds(v, evil)
			}
			if !found {
				t.Errorf("%s does not give the text back", name)
			}
		}
	}
}

// lineless drops what ends a line.
func lineless(r rune) rune {
	if r == '\n' || r == '\r' {
		return -1
	}
	return r
}

// holds reports whether a text is in a string of a JSON value.
func holds(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, text)
	case []any:
		return slices.ContainsFunc(v, func(v any) bool { return holds(v, text) })
	case map[string]any:
		for _, v := range v {
			if holds(v, text) {
				return true
			}
		}
	}
	return false
}

// TestUnwritable requires that a patch in JSON refuses what it could not tell from another key or value.
func TestUnwritable(t *testing.T) {
	for _, c := range []struct {
		path  hive.Path
		value string
		want  string
	}{
		{hive.Path{"HKEY_USERS", "a", "b"}, "\x00\u202e", ""},
		{hive.Path{"HKEY_USERS", `a\b`}, "", `the key HKEY_USERS\a\b cannot be written as JSON: the name of a key holds a backslash`},
		{hive.Path{"HKEY_USERS", "\xed\xa0\x80"}, "", "the key HKEY_USERS\\\uFFFD cannot be written as JSON: a name is not text"},
		{hive.Path{"HKEY_USERS"}, "\xed\xa0\x80", "\uFFFD of the key HKEY_USERS cannot be written as JSON: a name is not text"},
	} {
		e := hive.Edit{Path: c.path}
		if c.value != "" {
			e.Op, e.Value.Name = hive.DeleteValue, c.value
		}
		got := ""
		if err := PatchJSON(io.Discard, Patch{Inputs: []Input{{}}, Edits: []hive.Edit{e}}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
	}
}
