package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"regvet/internal/shared"
)

// reviewedFile holds every finding of medium severity and above that the packs make on real hives, with the verdict of a person who read it.
const reviewedFile = "testdata/reviewed.tsv"

// verdicts are what such a finding can be. No other is let stand: what is false on a stock Windows is mended in the packs.
var verdicts = []string{
	"true",        // somebody set it so, or put it there
	"default",     // so Windows sets it up, and it is not secure
	"third-party", // it is of a product, and the finding says no more than that
}

// TestReviewed compares the findings of all packs on the real hives with those that a person has read. With -update it writes a new finding with
// the verdict unread, which fails until somebody has read it.
func TestReviewed(t *testing.T) {
	read := map[string]string{}
	data, err := os.ReadFile(reviewedFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		finding, verdict := strings.Join(fields[:len(fields)-1], "\t"), fields[len(fields)-1]
		word, _, _ := strings.Cut(verdict, ":")
		if !slices.Contains(verdicts, word) {
			t.Errorf("nobody has read this finding, its verdict is %q: %s", verdict, finding)
		}
		read[finding] = verdict
	}
	found := map[string]string{}
	for name, files := range realHives(t) {
		for _, finding := range grave(t, files) {
			finding = name + "\t" + finding
			found[finding] = "unread"
			if verdict, ok := read[finding]; ok {
				found[finding] = verdict
			} else if !*update {
				t.Errorf("a finding that nobody has read: %s", finding)
			}
		}
	}
	for finding := range read {
		if found[finding] == "" && !*update {
			t.Errorf("the finding is gone; its line can go too: %s", finding)
		}
	}
	if *update {
		var b strings.Builder
		for _, finding := range slices.Sorted(maps.Keys(found)) {
			b.WriteString(finding + "\t" + found[finding] + "\n")
		}
		if err := os.WriteFile(reviewedFile, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// realHives returns the hives of each real machine, by a name for it.
func realHives(t *testing.T) map[string][]string {
	r := csv.NewReader(bytes.NewReader(shared.Read(t, "hives/real/INDEX.tsv")))
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	machines := map[string][]string{
		"win7":   {shared.Path(t, "hives/regipy/SYSTEM")},
		"win8.1": {shared.Path(t, "hives/regipy/SYSTEM_2")},
	}
	for _, row := range rows[1:] {
		if file, kind := row[0], row[1]; kind != "log" {
			name := path.Dir(file)
			machines[name] = append(machines[name], shared.Path(t, "hives/real/"+file))
		}
	}
	return machines
}

// grave returns the findings of medium severity and above on some hives, one line each.
func grave(t *testing.T, files []string) (all []string) {
	var r struct {
		Findings []struct{ Rule, Status, Severity, Key, Value string }
	}
	var out bytes.Buffer
	run(append([]string{"check", "--pack", "all", "--format", "json"}, files...), nil, &out, io.Discard)
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Status == "fail" && slices.Contains([]string{"medium", "high", "critical"}, f.Severity) {
			all = append(all, strings.Join([]string{f.Rule, f.Severity, f.Key, f.Value}, "\t"))
		}
	}
	return all
}
