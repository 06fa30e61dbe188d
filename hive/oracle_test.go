package hive_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
)

// shared holds inputs that are not part of the repository: hives from the test data of other projects, each with what an
// independent parser reads in it.
const shared = "../../shared/hives"

// reading is one key as the reference parser tells it.
type reading struct {
	Key    string  `json:"k"`
	Time   int64   `json:"t"`
	Values [][]any `json:"v"` // name, type, SHA-256 of the data, length; sorted
}

// TestOracle holds every key, time, name, type and datum of real hives against the reading of the reference parser.
func TestOracle(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(shared, "INDEX.tsv"))
	if err != nil {
		t.Skipf("the hives to compare with are not here: %v", err)
	}
	r := csv.NewReader(bytes.NewReader(index))
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		name, file, logs, status, oracle := row[0], row[1], row[3], row[5], row[8]
		if logs == "with" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f, err := hive.Open(filepath.Join(shared, file))
			if status == "refused" {
				t.Logf("the reference read nothing of it; regvet: %v", err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := readAll(f.Root())
			lost := slices.ContainsFunc(f.Problems(), func(p hive.Problem) bool { return p.Loss })
			want := readOracle(t, filepath.Join(shared, oracle))
			if status == "partial" {
				// The reference stopped at the first damage of a list; regvet goes on behind it.
				if len(f.Problems()) == 0 {
					t.Error("no problem was reported")
				}
				have := map[string]bool{}
				for _, line := range got {
					have[line] = true
				}
				for _, line := range want {
					if !have[line] {
						t.Errorf("missing: %s", line)
					}
				}
				return
			}
			if lost {
				t.Errorf("loss in a whole hive: %v", f.Problems())
			}
			if len(got) != len(want) {
				t.Errorf("%d keys, want %d", len(got), len(want))
			}
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("key %d:\ngot  %s\nwant %s", i, got[i], want[i])
				}
			}
		})
	}
}

// readAll gives one line for each key, sorted as the oracle is.
func readAll(root *hive.Key) []string {
	var all []reading
	for path, k := range root.Walk() {
		r := reading{Key: hive.Printable(path.String()), Time: int64(k.Filetime()), Values: [][]any{}}
		for _, v := range k.Values() {
			if v.Short {
				r.Values = append(r.Values, []any{hive.Printable(v.Name), float64(v.Type), nil, nil})
				continue
			}
			sum := sha256.Sum256(v.Data)
			r.Values = append(r.Values, []any{hive.Printable(v.Name), float64(v.Type), hex.EncodeToString(sum[:]), float64(len(v.Data))})
		}
		all = append(all, r)
	}
	return lines(all)
}

func readOracle(t *testing.T, name string) []string {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []reading
	s := bufio.NewReader(z)
	for {
		line, err := s.ReadBytes('\n')
		if err == io.EOF {
			return lines(all)
		}
		var r reading
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

func lines(all []reading) []string {
	var out []string
	for _, r := range all {
		slices.SortFunc(r.Values, func(a, b []any) int {
			return cmp.Or(strings.Compare(a[0].(string), b[0].(string)), cmp.Compare(a[1].(float64), b[1].(float64)),
				strings.Compare(fmt.Sprint(a[2]), fmt.Sprint(b[2])))
		})
		out = append(out, fmt.Sprintf("%q %d %q", r.Key, r.Time, fmt.Sprint(r.Values)))
	}
	slices.Sort(out)
	return out
}
