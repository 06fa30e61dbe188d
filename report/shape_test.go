package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// junitShape is what the schema of Jenkins allows: for each element its attributes and the elements in it, those that must be there with a mark.
// https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
var junitShape = map[string]struct{ attributes, elements string }{
	"testsuites": {"name time tests failures errors skipped disabled", "testsuite"},
	"testsuite":  {"name! tests failures errors time disabled skipped timestamp hostname id package file log", "testsuite properties testcase system-out system-err"},
	"properties": {"", "property"},
	"property":   {"name! value", ""},
	"testcase":   {"name! assertions time classname status class file line", "skipped error failure system-out system-err"},
	"skipped":    {"type message", ""},
	"error":      {"type message", ""},
	"failure":    {"type message", ""},
	"system-out": {"", ""},
}

// TestJUnitShape requires that JUnit reports have the form that Jenkins knows, and counts that are true.
func TestJUnitShape(t *testing.T) {
	for name, out := range eachReport(t, "junit") {
		var path []string
		count := map[string]int{}
		var said map[string]string
		for d := xml.NewDecoder(bytes.NewReader(out)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch token := token.(type) {
			case xml.EndElement:
				path = path[:len(path)-1]
			case xml.StartElement:
				element := token.Name.Local
				count[element]++
				if len(path) > 0 && !slices.Contains(strings.Fields(junitShape[path[len(path)-1]].elements), element) || len(path) == 0 && element != "testsuites" {
					t.Errorf("%s: %s has %s in it", name, strings.Join(path, "/"), element)
				}
				shape, ok := junitShape[element]
				if !ok {
					t.Errorf("%s: there is no element %s", name, element)
				}
				allowed := strings.Fields(strings.ReplaceAll(shape.attributes, "!", ""))
				has := map[string]string{}
				for _, a := range token.Attr {
					has[a.Name.Local] = a.Value
					if !slices.Contains(allowed, a.Name.Local) {
						t.Errorf("%s: %s has no attribute %s", name, element, a.Name.Local)
					}
				}
				for _, need := range strings.Fields(shape.attributes) {
					if must, ok := strings.CutSuffix(need, "!"); ok && has[must] == "" {
						t.Errorf("%s: %s has no %s", name, element, must)
					}
				}
				if date, ok := has["timestamp"]; ok && !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`).MatchString(date) {
					t.Errorf("%s: the timestamp is %s", name, date)
				}
				if len(path) == 0 {
					said = has
				}
				path = append(path, element)
			}
		}
		for attribute, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
			if n, _ := json.Marshal(count[element]); said[attribute] != string(n) {
				t.Errorf("%s: it says %s %s, and has %s", name, said[attribute], attribute, n)
			}
		}
	}
}

// TestGitLabShape requires what GitLab does of a code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
func TestGitLabShape(t *testing.T) {
	for name, out := range eachReport(t, "gitlab") {
		if bytes.HasPrefix(out, []byte("\uFEFF")) {
			t.Errorf("%s begins with a byte order mark", name)
		}
		var all []struct {
			Description string `json:"description"`
			CheckName   string `json:"check_name"`
			Fingerprint string `json:"fingerprint"`
			Severity    string `json:"severity"`
			Location    struct {
				Path  string `json:"path"`
				Lines struct {
					Begin int `json:"begin"`
				} `json:"lines"`
			} `json:"location"`
		}
		if err := json.Unmarshal(out, &all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen := map[string]bool{}
		for _, f := range all {
			if f.Description == "" || f.CheckName == "" || f.Fingerprint == "" || f.Location.Path == "" || strings.HasPrefix(f.Location.Path, "./") || f.Location.Lines.Begin < 1 ||
				!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, f.Severity) || seen[f.Fingerprint] {
				t.Errorf("%s: %+v", name, f)
			}
			seen[f.Fingerprint] = true
		}
	}
}

// eachReport returns reports of both kinds in a format, by name.
func eachReport(t *testing.T, format string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, r := range map[string]LintReport{"lint": lintReport(), "empty lint": {Version: "1.2.3"}} {
		var b bytes.Buffer
		if err := WriteLint(&b, format, r, Style{}); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	for name, r := range map[string]Report{"check": factsReport(), "empty check": {Version: "1.2.3"}} {
		var b bytes.Buffer
		if err := Write(&b, format, r, Style{}); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	return all
}

func TestSARIFVersion(t *testing.T) {
	for version, want := range map[string]string{"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "(devel)": "0.0.0-devel", "": "0.0.0-devel", "v0.0.0-20260102030405-abcdef": "0.0.0-20260102030405-abcdef"} {
		if got := sarifVersion(version); got != want {
			t.Errorf("%q is %q, want %q", version, got, want)
		}
	}
}
