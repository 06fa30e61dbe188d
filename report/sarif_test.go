package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"regvet/hive"
	"regvet/rules/lint"
)

// sarifSchema is the schema that OASIS published.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	data, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("sarif.json")
})

// validSARIF checks a log against the schema, and for what the schema cannot say: that each index leads to what it names.
func validSARIF(data []byte) error {
	schema, err := sarifSchema()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := schema.Validate(doc); err != nil {
		return err
	}
	log, err := sarif.FromBytes(data)
	if err != nil {
		return err
	}
	run := log.Runs[0]
	for _, r := range run.Results {
		if id := *run.Tool.Driver.Rules[r.RuleIndex].ID; id != *r.RuleID {
			return fmt.Errorf("the rule of index %d is %s, not %s", r.RuleIndex, id, *r.RuleID)
		}
		for _, l := range r.Locations {
			at := l.PhysicalLocation.ArtifactLocation
			if i := at.Index; i >= 0 && *run.Artifacts[i].Location.URI != *at.URI {
				return fmt.Errorf("the artifact of index %d is not %s", i, *at.URI)
			}
		}
	}
	return nil
}

func TestSARIFSchema(t *testing.T) {
	twice := lintReport()
	twice.Files = append(twice.Files, twice.Files...)
	for name, r := range map[string]LintReport{"all": lintReport(), "empty": {Version: "1.2.3"}, "a file that was named twice": twice} {
		var b bytes.Buffer
		if err := WriteLint(&b, "sarif", r, Style{}); err != nil {
			t.Fatal(err)
		}
		if err := validSARIF(b.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A test that cannot fail proves nothing.
	for _, broken := range []string{`{"version": "2.1.0"}`, `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"level": "high", "message": {"text": "x"}}]}]}`} {
		if validSARIF([]byte(broken)) == nil {
			t.Errorf("the schema has nothing against %s", broken)
		}
	}
}

// TestSARIFFixes makes the changes in a log, by lines and columns, and requires the same result as by bytes.
func TestSARIFFixes(t *testing.T) {
	text := "one\r\n\"日本\"=1 \rthree\n\U0001F600four" + hive.DecodeUTF16([]byte{0x00, 0xD8}) + "five"
	check := &lint.Check{ID: "REG503", Severity: lint.Info}
	f := LintFile{Path: "a.reg", Text: []byte(text)}
	for from := 0; from <= len(text); from++ {
		for to := from; to <= len(text); to++ {
			if continues(text, from) || continues(text, to) {
				continue
			}
			fix := &lint.Fix{Safety: lint.Safe, Message: "x", Changes: []lint.Change{{From: int64(from), To: int64(to), New: "<new>"}}}
			f.Findings = append(f.Findings, lint.Finding{Check: check, Severity: lint.Info, At: hive.Location{Line: 1, Column: 1}, Fix: fix})
		}
	}
	var b bytes.Buffer
	if err := WriteLint(&b, "sarif", LintReport{Files: []LintFile{f}}, Style{}); err != nil {
		t.Fatal(err)
	}
	log, err := sarif.FromBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range log.Runs[0].Results {
		c := f.Findings[i].Fix.Changes[0]
		region := r.Fixes[0].ArtifactChanges[0].Replacements[0].DeletedRegion
		from := byteAt(text, *region.StartLine, *region.StartColumn)
		to := byteAt(text, *region.EndLine, *region.EndColumn)
		if from != int(c.From) || to != int(c.To) {
			t.Errorf("the bytes %d to %d have become %d to %d", c.From, c.To, from, to)
		}
	}
	if n := len(log.Runs[0].Results); n != len(f.Findings) {
		t.Errorf("%d of %d fixes", n, len(f.Findings))
	}
}

// continues reports whether byte i of a text is in the middle of a character, or of a line end.
func continues(text string, i int) bool {
	if i == 0 || i == len(text) {
		return false
	}
	return text[i]&0xC0 == 0x80 || text[i-1] == '\r' && text[i] == '\n'
}

// byteAt finds a line and column in a text, both from 1.
func byteAt(text string, line, column int) int {
	i := 0
	for ; line > 1; line-- {
		i += strings.IndexAny(text[i:], "\r\n")
		if strings.HasPrefix(text[i:], "\r\n") {
			i++
		}
		i++
	}
	for ; column > 1; column-- {
		for i++; continues(text, i); i++ {
		}
	}
	return i
}

// TestShare cuts the rules that have the most results, and no other.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		counts, want []int
		limit        int
	}{
		{[]int{1, 2, 3}, []int{1, 2, 3}, 10},
		{[]int{1, 2, 3}, []int{1, 2, 3}, 6},
		{[]int{1, 2, 4}, []int{1, 2, 3}, 6},
		{[]int{100, 1, 0, 50}, []int{4, 1, 0, 4}, 10},
		{[]int{100}, []int{10}, 10},
		{[]int{5, 5, 5}, []int{1, 1, 1}, 4},
		{nil, nil, 10},
	} {
		most := share(c.counts, c.limit)
		got := slices.Clone(c.counts)
		for i := range got {
			got[i] = min(got[i], most)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("of %v results, at most %d, %v are kept, want %v", c.counts, c.limit, got, c.want)
		}
	}
}

// TestSARIFLimit requires that a log which is cut is valid and says so.
func TestSARIFLimit(t *testing.T) {
	r := lintReport()
	one := r.Files[0].Findings[0]
	for range sarifLimit {
		r.Files[0].Findings = append(r.Files[0].Findings, one)
	}
	var b bytes.Buffer
	if err := WriteLint(&b, "sarif", r, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := validSARIF(b.Bytes()); err != nil {
		t.Error(err)
	}
	var log struct {
		Runs []struct {
			Results     []struct{ RuleID string }
			Invocations []struct {
				ToolExecutionNotifications []struct {
					Message        struct{ Text string }
					AssociatedRule struct{ ID string }
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	const want = "5 more results of REG503 are not shown, so that the results of all rules are at most 5000; --format jsonl has all of them"
	notes := log.Runs[0].Invocations[0].ToolExecutionNotifications
	if n := notes[len(notes)-1]; n.Message.Text != want || n.AssociatedRule.ID != "REG503" || len(log.Runs[0].Results) != sarifLimit {
		t.Errorf("%d results, and %q of %s", len(log.Runs[0].Results), n.Message.Text, n.AssociatedRule.ID)
	}
}
