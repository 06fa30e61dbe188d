package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	junitreader "github.com/joshdk/go-junit"

	"regvet/hive"
	"regvet/rules/lint"
)

// compactLine is what a problem matcher of a build server looks for.
var compactLine = regexp.MustCompile(`^(.+):(\d+):(\d+): (error|warning|info): (.*) \[([^ ]+)\]$`)

// FuzzFormats gives every format a finding made of any text. Whatever that is, a reader of the format reads it, sees one finding, and
// no control character reaches a terminal.
func FuzzFormats(f *testing.F) {
	f.Add("a.reg", "\"a\"=dword:1", "Example", "a", "the message", "the reason", 1, 2, 3)
	f.Add("a,b:c%\n|.reg", "\t\x1b[31m日本\U0001F600\xED\xA0\x80\xff", "a|b`]]>&<", "=cmd|' /C calc'!A0", "::error::x\r\n", "--", 5, 0, -1)
	f.Add("", "", "", "", "", "", 0, 0, 0)
	f.Fuzz(func(t *testing.T, path, line, key, value, message, reason string, column, end, endLine int) {
		check := &lint.Check{ID: "REG011", Name: "dword-form", Title: reason, Severity: lint.Error, Explanation: message, Bad: lint.Example{Text: line}, References: []string{value}}
		one := lint.Finding{
			Check: check, Severity: lint.Error, At: hive.Location{Line: 7, Column: 1 + abs(column)}, End: hive.Location{Line: 7 + abs(endLine), Column: 1 + abs(end)},
			Line: line, Key: hive.Path{"HKEY_CURRENT_USER", key}, Value: value, About: lint.AValue, Message: message,
			Fix: &lint.Fix{Safety: lint.Safe, Message: reason, Changes: []lint.Change{{From: 0, To: int64(len(line)), New: value}}},
		}
		suppressed := one
		suppressed.Suppressed = &lint.Suppression{By: "comment", Reason: reason}
		r := LintReport{Version: "1", Checks: []*lint.Check{check}, Files: []LintFile{{Path: path, SHA256: "00", Encoding: reason, Text: []byte(line), Findings: []lint.Finding{one, suppressed}}}}
		written := map[string]string{}
		for _, name := range FormatNames() {
			var b bytes.Buffer
			if err := WriteLint(&b, name, r, Style{Width: 40}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out := b.String()
			if !utf8.ValidString(out) {
				t.Fatalf("%s is not UTF-8: %q", name, out)
			}
			if name != "sarif" && name != "json" && name != "gitlab" { // in JSON they are escaped, in SARIF they are in what is found
				if i := strings.IndexFunc(out, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\t\r", r) }); i >= 0 && name != "jsonl" {
					t.Fatalf("%s has a control character at %d: %q", name, i, out)
				}
			}
			written[name] = out
		}
		lines := func(name string) []string { return strings.Split(strings.TrimSuffix(written[name], "\n"), "\n") }

		for _, name := range []string{"json", "gitlab"} {
			if !json.Valid([]byte(written[name])) {
				t.Errorf("%s is no JSON: %s", name, written[name])
			}
		}
		for _, line := range lines("jsonl") {
			if !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %s", line)
			}
		}
		if err := validSARIF([]byte(written["sarif"])); err != nil {
			t.Errorf("%v in %s", err, written["sarif"])
		}
		if all := lines("compact"); len(all) != 1 || path != "" && !compactLine.MatchString(all[0]) {
			t.Errorf("compact is %q", all)
		}
		if all := lines("github"); len(all) != 2 || strings.Count(all[0][2:], "::") < 1 || !strings.HasPrefix(all[0], "::error file=") {
			t.Errorf("github is %q", all)
		}
		if n := len(lines("text")); n < 3 || n > 6 {
			t.Errorf("text has %d lines: %q", n, written["text"])
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(written["csv"], "\uFEFF"))).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Errorf("csv has %d rows: %v", len(rows), err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
					t.Errorf("a spreadsheet takes %q for a formula", cell)
				}
			}
		}
		suites, err := junitreader.Ingest([]byte(written["junit"]))
		if err != nil || len(suites) != 1 || suites[0].Totals.Failed != 1 || suites[0].Totals.Skipped != 1 {
			t.Errorf("junit: %v, %+v", err, suites)
		}
		if n := strings.Count(written["markdown"], "\n| 7:"); n != 2 {
			t.Errorf("markdown has %d rows: %q", n, written["markdown"])
		}
	})
}

// abs makes a small number of any.
func abs(n int) int { return max(n%1000, -(n % 1000)) }
