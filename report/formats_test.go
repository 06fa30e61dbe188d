package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	junitreader "github.com/joshdk/go-junit"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/safetext"
	"regvet/rules"
	"regvet/rules/lint"
)

// compactLine is what a problem matcher of a build server looks for.
var compactLine = regexp.MustCompile(`^(.+):(\d+):(\d+): (error|warning|info): (.*) \[([^ ]+)\]$`)

// githubLine is a command for an annotation.
var githubLine = regexp.MustCompile(`^::(error|warning|notice) file=[^:,]*(,[a-zA-Z]+=[^:,]*)+::.*$`)

// FuzzFormats gives every format a finding made of any text. Whatever the text is, a reader of the format can read it and sees one finding,
// and no control character reaches a terminal.
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
		readers(t, LintReport{Version: "1", Checks: []*lint.Check{check}, Files: []LintFile{{
			Path: path, SHA256: "00", Encoding: reason, Text: []byte(line), Findings: []lint.Finding{one, suppressed},
		}}}, WriteLint, 2)
		if n := len(strings.Split(written(t, LintReport{Files: []LintFile{{Path: path, Findings: []lint.Finding{one}}}}, WriteLint, "text"), "\n")); n < 5 || n > 7 {
			t.Errorf("text has %d lines", n)
		}

		// The words of a rule are its author's, and not from an input.
		words := hive.Visible(reason)
		rule := &rules.Rule{ID: "R-1", Pack: "p", Title: words, Rationale: words, References: []string{words}, Tags: []string{words, "p"}}
		fail := rules.Finding{
			Rule: rule, Status: rules.Fail, Reason: rules.WrongType, Severity: rules.High, Key: hive.Path{"HKEY_LOCAL_MACHINE", key}, RealKey: hive.Path{"HKEY_LOCAL_MACHINE", key, line},
			Value: value, Observed: &hive.Value{Name: value, Type: hive.Type(abs(end)), Data: []byte(line)}, At: hive.Location{Offset: int64(abs(column))},
			Expected: "REG_DWORD", Message: hive.Visible(message), Notes: []string{words}, Fix: &rules.Fix{Steps: []rules.Step{{Edit: hive.Edit{Op: hive.SetValue, Value: hive.DWordValue(value, 1)}}}},
		}
		problems := []hive.Problem{{Kind: hive.BadCell, Msg: message, Loss: true, At: hive.Location{Offset: int64(abs(end))}}}
		readers(t, Report{Version: "1", Rules: []*rules.Rule{rule}, Inputs: []Input{{Input: collection.Input{Path: path, Format: "regf", Host: reason, Problems: problems}, Findings: []rules.Finding{fail}}}}, Write, 1)
	})
}

// written returns a report in a format.
func written[T any](t *testing.T, r T, write func(io.Writer, string, T, Style) error, name string) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, name, r, Style{Width: 40}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	out := b.String()
	if !utf8.ValidString(out) {
		t.Fatalf("%s is not UTF-8: %q", name, out)
	}
	return out
}

// readers has a reader of each format read a report of one file with one failure, and with so many findings in all.
func readers[T any](t *testing.T, r T, write func(io.Writer, string, T, Style) error, findings int) {
	out := map[string]string{}
	for _, name := range FormatNames() {
		out[name] = written(t, r, write, name)
		if i := strings.IndexFunc(out[name], func(r rune) bool { return safetext.Steers(r) && !strings.ContainsRune("\n\t\r", r) }); i >= 0 {
			t.Fatalf("%s has a character that steers at %d: %q", name, i, out[name])
		}
	}
	lines := func(name string) []string { return strings.Split(strings.TrimSuffix(out[name], "\n"), "\n") }

	for _, name := range []string{"json", "gitlab"} {
		if !json.Valid([]byte(out[name])) {
			t.Errorf("%s is no JSON: %s", name, out[name])
		}
	}
	for _, line := range lines("jsonl") {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	if err := validSARIF([]byte(out["sarif"])); err != nil {
		t.Errorf("%v in %s", err, out["sarif"])
	}
	if all := lines("compact"); len(all) != 1 || !strings.HasPrefix(all[0], ":") && !compactLine.MatchString(all[0]) {
		t.Errorf("compact is %q", all)
	}
	if all := slices.DeleteFunc(lines("github"), func(line string) bool { return strings.Contains(line, "title=not read") }); len(all) != 2 || !githubLine.MatchString(all[0]) {
		t.Errorf("github is %q", all)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out["csv"], "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 1+findings {
		t.Errorf("csv has %d rows: %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	suites, err := junitreader.Ingest([]byte(out["junit"]))
	if err != nil || len(suites) != 1 || suites[0].Totals.Failed != 1 {
		t.Errorf("junit: %v, %+v", err, suites)
	}
	if n := markdownRows(out["markdown"]); n != findings {
		t.Errorf("markdown has %d rows: %q", n, out["markdown"])
	}
	if n := articles(t, out["html"]); n != findings {
		t.Errorf("html has %d findings: %q", n, out["html"])
	}
}

// markdownRows counts the rows of tables that have as many cells as their heading.
func markdownRows(s string) (n int) {
	cells, bar := 0, regexp.MustCompile(`(^|[^\\])(\\\\)*\|`)
	for line := range strings.Lines(s) {
		switch {
		case !strings.HasPrefix(line, "|"):
			cells = 0
		case strings.HasPrefix(line, "|---"):
		case cells == 0:
			cells = len(bar.FindAllString(line, -1))
		case len(bar.FindAllString(line, -1)) == cells:
			n++
		}
	}
	return n
}

// articles counts the findings of a page, and requires that it has only our own elements and attributes.
func articles(t *testing.T, page string) (n int) {
	closed := regexp.MustCompile(`<(meta [^>]*|br|wbr)>`).ReplaceAllString(page, "<$1/>") // all else is closed where it was opened
	d := xml.NewDecoder(strings.NewReader(closed))
	d.Entity = xml.HTMLEntity
	for {
		token, err := d.Token()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatalf("html: %v in %q", err, page)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(strings.Fields("html head meta title style body header nav main section footer h1 h2 h3 p br wbr span code data time pre ul ol li dl dt dd a article details summary figure figcaption svg g rect circle line text"), start.Name.Local) {
			t.Fatalf("html has an element %s: %q", start.Name.Local, page)
		}
		for _, a := range start.Attr {
			if !slices.Contains(strings.Fields("lang charset http-equiv content name class id href rel aria-label open style value role width height x y x1 x2 y1 y2 cx cy r text-anchor"), a.Name.Local) {
				t.Fatalf("html has an attribute %s: %q", a.Name.Local, page)
			}
		}
		for _, a := range start.Attr {
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") && !strings.HasPrefix(a.Value, "https://") {
				t.Fatalf("html has a link to %q", a.Value)
			}
		}
		if start.Name.Local == "article" {
			n++
		}
	}
}

// abs returns a small number for any.
func abs(n int) int { return max(n%1000, -(n % 1000)) }
