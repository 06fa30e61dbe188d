package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	junitreader "github.com/joshdk/go-junit"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/lint"
)

// TestOneVerdict requires that every format that knows failures has the same ones: those that count for the exit status.
func TestOneVerdict(t *testing.T) {
	severities := []rules.Severity{rules.Info, rules.Low, rules.Medium, rules.High, rules.Critical}
	for _, least := range append(severities, rules.Critical+1) {
		for _, all := range []bool{false, true} {
			r := Report{Version: "1", FailOn: least, AllInstalls: all}
			want := 0
			for i, former := range []bool{false, true} {
				in := Input{Input: collection.Input{Path: fmt.Sprintf("in%d", i), Format: "regf", Former: former}}
				for _, severity := range severities {
					for _, waiver := range []*rules.Waiver{nil, {Reason: "accepted"}, {Reason: "accepted", Until: time.Unix(0, 0).UTC()}} {
						id := fmt.Sprintf("R-%d", len(in.Findings))
						f := rules.Finding{Rule: &rules.Rule{ID: id, Pack: "p", Title: id}, Status: rules.Fail, Reason: rules.Mismatch, Severity: severity, Waived: waiver, Message: "m"}
						in.Findings = append(in.Findings, f)
						if r.Counts(in, f) {
							want++
						}
					}
				}
				in.Findings = append(in.Findings,
					rules.Finding{Rule: &rules.Rule{ID: "U-1", Pack: "p"}, Status: rules.Unknown, Reason: rules.Undecided, Severity: rules.Critical, Message: "m"},
					rules.Finding{Rule: &rules.Rule{ID: "P-1", Pack: "p"}, Status: rules.Pass, Severity: rules.Critical})
				r.Inputs = append(r.Inputs, in)
			}
			sameVerdict(t, fmt.Sprintf("check, from %d, all %v", least, all), want, r, Write)
		}
	}
	for least := lint.Info; least <= lint.Error+1; least++ {
		file := LintFile{Path: "a.reg", FailOn: least}
		want := 0
		for severity := lint.Info; severity <= lint.Error; severity++ {
			for _, suppressed := range []*lint.Suppression{nil, {By: "comment", Reason: "accepted"}, {By: "baseline"}} {
				check := &lint.Check{ID: fmt.Sprintf("REG%03d", len(file.Findings)), Severity: severity}
				f := lint.Finding{Check: check, Severity: severity, At: hive.Location{Line: 1, Column: 1}, Suppressed: suppressed, Message: "m"}
				file.Findings = append(file.Findings, f)
				if file.Counts(f) {
					want++
				}
			}
		}
		sameVerdict(t, fmt.Sprintf("lint, from %d", least), want, LintReport{Version: "1", Listing: Listing{Least: lint.Info}, Files: []LintFile{file}}, WriteLint)
	}
}

// sameVerdict requires that a report has so many failures in each format.
func sameVerdict[T any](t *testing.T, name string, want int, r T, write func(io.Writer, string, T, Style) error) {
	t.Helper()
	out := func(format string) []byte {
		var b bytes.Buffer
		if err := write(&b, format, r, Style{Width: 80}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	got := map[string]int{}
	suites, err := junitreader.Ingest(out("junit"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		got["junit"] += s.Totals.Failed + s.Totals.Error
	}
	var log struct {
		Runs []struct {
			Results []struct{ Kind, Level string }
		}
	}
	if err := json.Unmarshal(out("sarif"), &log); err != nil {
		t.Fatal(err)
	}
	for _, r := range log.Runs[0].Results {
		if r.Level == "error" || r.Level == "warning" || r.Level == "" {
			got["sarif"]++
		}
	}
	var quality []struct{ Severity string }
	if err := json.Unmarshal(out("gitlab"), &quality); err != nil {
		t.Fatal(err)
	}
	for _, q := range quality {
		if q.Severity != "info" {
			got["gitlab"]++
		}
	}
	got["github"] = len(regexp.MustCompile(`(?m)^::(error|warning) `).FindAll(out("github"), -1))
	var document struct {
		Findings []struct{ Counts bool }
	}
	if err := json.Unmarshal(out("json"), &document); err != nil {
		t.Fatal(err)
	}
	for _, f := range document.Findings {
		if f.Counts {
			got["json"]++
		}
	}
	got["jsonl"] = bytes.Count(out("jsonl"), []byte(`"counts":true`))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(out("csv")), csvMark(Style{})))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[0], "counts")
	for _, row := range rows[1:] {
		if row[column] == "true" {
			got["csv"]++
		}
	}
	for _, format := range []string{"json", "jsonl", "sarif", "junit", "csv", "github", "gitlab"} {
		if got[format] != want {
			t.Errorf("%s: %s has %d failures, want %d", name, format, got[format], want)
		}
	}
}
