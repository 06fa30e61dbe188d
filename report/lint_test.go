package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/rules/lint"
)

var update = flag.Bool("update", false, "write what the tests compare with anew")

// lintReport returns a report with all that a finding can have, and with names that every format must escape.
func lintReport() LintReport {
	dword := &lint.Check{
		ID: "REG011", Name: "dword-form", Title: "A number is not written as Windows reads it", Severity: lint.Error, Fix: lint.Unsafe,
		Explanation: "Windows reads up to eight hexadecimal digits behind dword:. It drops\na line that has more.\n\nWrite \"a\"=dword:00000001.",
		Bad:         lint.Example{Text: "Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\Example]\n\"a\"=dword:000000001\n"},
		Good:        lint.Example{Text: "Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\Example]\n\"a\"=dword:00000001\n"},
		References:  []string{"Microsoft KB 310516", "https://example.org/reg?a=1&b=2"},
	}
	blanks := &lint.Check{ID: "REG503", Name: "blanks", Title: "A line ends with blanks", Severity: lint.Info, Fix: lint.Safe, Explanation: "They do nothing."}
	uac := &lint.Check{ID: "REG404", Name: "weak-logon", Title: "The file turns off what guards a logon", Severity: lint.Error, Explanation: "EnableLUA 0 turns it off."}
	clean := &lint.Check{ID: "REG999", Name: "never", Title: "Never found", Severity: lint.Warning, Explanation: "So it has no result."}

	text := "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Example]\r\n\"日本|`*\"=dword:000000001\r\n\t\"b\"=1  \r\n\"EnableLUA\"=dword:0\r\n"
	change := func(old, new string) []lint.Change {
		from := int64(strings.Index(text, old))
		return []lint.Change{{From: from, To: from + int64(len(old)), New: new}}
	}
	at := func(line, column int) hive.Location { return hive.Location{Line: line, Column: column} }
	key := hive.ParsePath(`HKCU\Example`)
	hostile := hive.ParsePath(`HKCU`).Join("a|b`<b>*[x](http://example.org)\"\n::error::,]]>\x00\uFFFE" + hive.DecodeUTF16([]byte{0x00, 0xD8}))
	return LintReport{
		Version: "1.2.3", Checks: []*lint.Check{dword, uac, blanks, clean}, Baseline: true,
		Files: []LintFile{
			{
				Path: "sets/na me,%1:|.reg", SHA256: "00ff", Size: 215, FailOn: lint.Warning, Version: "Windows Registry Editor Version 5.00", Encoding: "UTF-16LE", Text: []byte(text),
				Findings: []lint.Finding{
					{
						Check: blanks, Severity: lint.Info, At: at(5, 7), End: at(5, 9), Line: "\t\"b\"=1  ", Key: key, Value: "b", About: lint.AValue,
						Message: "the line ends with 2 blanks", Fix: &lint.Fix{Safety: lint.Safe, Message: "remove them", Changes: change("  ", "")},
					},
					{
						Check: dword, Severity: lint.Error, At: at(4, 14), End: at(4, 23), Line: "\"日本|`*\"=dword:000000001", Key: key, Value: "日本|`*", About: lint.AValue,
						Message: "the number has 9 digits, so that Windows drops the line; write 00000001",
						Fix:     &lint.Fix{Safety: lint.Unsafe, Message: "write 00000001", Changes: change("000000001", "00000001")},
					},
					{
						Check: uac, Severity: lint.Warning, At: at(6, 1), End: at(7, 1), Line: `"EnableLUA"=dword:0`, Key: hostile, About: lint.AKey,
						Message: "=EnableLUA is 0, which | turns off *UAC*\nfor all, 100%", Rule: "EXAMPLE-1",
					},
					{
						Check: uac, Severity: lint.Error, At: at(6, 2), End: at(6, 3), Line: `"EnableLUA"=dword:0`, Key: key, About: lint.AKey, Message: "suppressed",
						Suppressed: &lint.Suppression{By: "comment", Reason: "the image is \"frozen\""},
					},
					{
						Check: uac, Severity: lint.Error, At: at(6, 3), End: at(6, 4), Line: `"EnableLUA"=dword:0`, About: lint.AFile, Message: "known",
						Suppressed: &lint.Suppression{By: "baseline"},
					},
				},
				Problems: []hive.Problem{{Kind: hive.Doubtful, Msg: "more than 1,000 keys; repeated ones are no longer told", At: at(900, 1)}},
			},
			{Path: "/clean.reg", SHA256: "11ff", Size: 40, Version: "REGEDIT4", Encoding: "windows-1252"},
		},
		Refused: []hive.Problem{{Source: "gone.reg", Kind: hive.Unreadable, Msg: "cannot be opened: no such file or directory"}},
	}
}

// TestLintFormats compares each format of the linter with a version that a person has looked at.
func TestLintFormats(t *testing.T) {
	clean := lintReport()
	clean.Files = clean.Files[1:]
	clean.Refused = nil
	for name, r := range map[string]LintReport{"lint": lintReport(), "lint-clean": clean, "lint-empty": {Version: "1.2.3"}} {
		for _, format := range FormatNames() {
			var b bytes.Buffer
			if err := WriteLint(&b, format, r, Style{Width: 60}); err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+format, b.Bytes())
		}
	}
}

// golden compares a result with the file of a name. The styles of a page, which stand whole in page.css, are named there.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	got = bytes.Replace(got, []byte(pageStyle), []byte("(page.css)\n"), 1)
	if *update {
		if err := os.WriteFile(name, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (- want, + got):\n%s", name, diff)
	}
}
