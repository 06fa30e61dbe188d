package cli

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
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/shared"
)

// regvet runs the command and returns its standard output.
func regvet(t *testing.T, status int, args ...string) []byte {
	t.Helper()
	var out, messages bytes.Buffer
	if got := run(args, nil, &out, &messages); got != status {
		t.Fatalf("regvet %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, status, messages.String())
	}
	return out.Bytes()
}

// TestExportEqualsOracle compares export --format jsonl with what the reference parser read: every key, time, name, type and datum. At damage
// that parser stopped in the middle of a list and regvet goes on, so regvet must find at least as much, and report the damage.
func TestExportEqualsOracle(t *testing.T) {
	r := csv.NewReader(bytes.NewReader(shared.Read(t, "hives/INDEX.tsv")))
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		name, file, logs, reading, oracle := row[0], row[1], row[3], row[5], row[8]
		t.Run(name, func(t *testing.T) {
			var out, messages bytes.Buffer
			args := []string{"export", "--format", "jsonl", "--prefix", ""}
			if logs == "without" {
				args = append(args, "--no-logs")
			}
			status := run(append(args, shared.Path(t, "hives/"+file)), nil, &out, &messages)
			if reading == "refused" {
				if status != statusInput || messages.Len() == 0 {
					t.Errorf("exit status %d without a word about what is wrong", status)
				}
				return
			}
			var got []string
			for line := range bytes.Lines(out.Bytes()) {
				got = append(got, exported(t, line))
			}
			slices.Sort(got)
			want := readOracle(t, shared.Path(t, "hives/"+oracle))
			if reading == "partial" {
				if messages.Len() == 0 {
					t.Error("nothing is said of the damage")
				}
				got = slices.DeleteFunc(got, func(line string) bool { _, ok := slices.BinarySearch(want, line); return !ok })
				got = slices.Compact(got) // two subkeys of the same name
			} else if status != statusDone {
				t.Errorf("exit status %d: %s", status, messages.String())
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("- oracle, + regvet:\n%.4000s", diff)
			}
		})
	}
}

// TestExportEqualsWritten is like TestExportEqualsOracle, for hives that are built here. It compares with the tree that each was built from, and
// needs no shared inputs.
func TestExportEqualsWritten(t *testing.T) {
	big := &hivetest.Key{Name: "Big"} // sizes at which the storage of data changes
	for _, n := range []int{0, 1, 4, 5, 16344, 16345, 2*16344 + 1} {
		big.Values = append(big.Values, hive.Value{Name: fmt.Sprint(n), Type: hive.Binary, Data: repeating(n)})
	}
	types := &hivetest.Key{Name: "Größe 日本", Values: []hive.Value{
		{Type: hive.None}, hive.StringValue("text", hive.SZ, "Ä\n"), hive.DWordValue("dword", 0x01020304), {Name: "odd", Type: 0xFFFF0012, Data: []byte{1, 2, 3}},
		{Name: "\U0001F600 \"", Type: hive.MultiSZ, Data: append(hive.EncodeUTF16("a\x00b\x00"), 0, 0)},
	}}
	mixed := &hivetest.Key{Keys: []*hivetest.Key{big, types, {Name: "Empty", Class: "Class"}}}
	for name, root := range map[string]*hivetest.Key{"specimen": hivetest.Specimen(), "mixed": mixed} {
		stamp(root, 131_000_000_000_000_007)
		for minor := uint32(3); minor <= 6; minor += 2 {
			t.Run(fmt.Sprintf("%s 1.%d", name, minor), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "HIVE")
				if err := os.WriteFile(file, hivetest.Build(root, hivetest.Options{Minor: minor}), 0o666); err != nil {
					t.Fatal(err)
				}
				var got []string
				for line := range bytes.Lines(regvet(t, statusDone, "export", "--format", "jsonl", "--prefix", "", file)) {
					got = append(got, exported(t, line))
				}
				slices.Sort(got)
				if diff := gocmp.Diff(written("", root), got); diff != "" {
					t.Errorf("- written, + regvet:\n%.4000s", diff)
				}
			})
		}
	}
}

// written returns a key and all below it as the sorted lines of the oracle.
func written(path string, k *hivetest.Key) []string {
	var values []string
	for _, v := range k.Values {
		values = append(values, fmt.Sprintf("%q %d %x %d", v.Name, v.Type, sha256.Sum256(v.Data), len(v.Data)))
	}
	slices.Sort(values)
	all := []string{fmt.Sprintf("%q %d %s", path, k.Modified, values)}
	for _, child := range k.Keys {
		all = append(all, written(strings.TrimPrefix(path+"\\"+child.Name, "\\"), child)...)
	}
	slices.Sort(all)
	return all
}

// exportedKey is a line of an export to jsonl.
type exportedKey struct {
	Key      string
	Modified time.Time
	Values   []struct {
		Name   string
		TypeID uint32 `json:"type_id"`
		Data   *string
		Short  bool
	}
}

func decodeKey(t *testing.T, line []byte) (k exportedKey) {
	if err := json.Unmarshal(line, &k); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return k
}

// exported returns a line of the export in the form of the oracle.
func exported(t *testing.T, line []byte) string {
	k := decodeKey(t, line)
	var values []string
	for _, v := range k.Values {
		if v.Data == nil {
			t.Fatalf("%s: value %q has no data", k.Key, v.Name)
		}
		data, err := hex.DecodeString(*v.Data)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, fmt.Sprintf("%q %d %x %d", v.Name, v.TypeID, sha256.Sum256(data), len(data)))
	}
	slices.Sort(values)
	ticks := (k.Modified.Unix()+11644473600)*10_000_000 + int64(k.Modified.Nanosecond())/100
	return fmt.Sprintf("%q %d %s", k.Key, ticks, values)
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
	var all []string
	for in := bufio.NewReader(z); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		var k struct {
			K string
			T int64
			V [][]any
		}
		if err := json.Unmarshal(line, &k); err != nil {
			t.Fatal(err)
		}
		var values []string
		for _, v := range k.V {
			values = append(values, fmt.Sprintf("%q %.0f %s %.0f", v[0], v[1], v[2], v[3]))
		}
		slices.Sort(values)
		all = append(all, fmt.Sprintf("%q %d %s", k.K, k.T, values))
	}
	slices.Sort(all)
	return all
}

// TestSafeFixesOfRealSystems makes the safe fixes of all packs for real hives: they are proven, and none is left out because a rule of any pack
// would fail after it, or because another safe fix wants something else.
func TestSafeFixesOfRealSystems(t *testing.T) {
	dir, proven := t.TempDir(), 0
	for _, name := range []string{
		"real/nt4/SYSTEM", "real/nt4/SOFTWARE", "real/reactos-0.4.13/SYSTEM", "real/reactos-0.4.13/SOFTWARE", "real/win10-1709-build16299/SYSTEM",
		"real/win10-boot-subset/SYSTEM", "real/xp-fresh/SYSTEM", "real/win10-default/NTUSER.DAT", "regipy/SYSTEM", "regipy/SYSTEM_2",
	} {
		var out, messages bytes.Buffer
		status := run([]string{"fix", "--pack", "all", "--dry-run", "-o", filepath.Join(dir, "fix.reg"), shared.Path(t, "hives/"+name)}, nil, &out, &messages)
		text := out.String()
		if status == statusUsage || strings.Contains(text, "NOT verified") {
			t.Errorf("%s: exit status %d: %s%s", name, status, messages.String(), text)
		}
		if strings.Contains(text, "\nverified: ") {
			proven++
		}
		for _, wrong := range []string{"would fail then", "and this one would"} {
			if i := strings.Index(text, wrong); i >= 0 {
				t.Errorf("%s: two rules want different things: %s", name, text[max(0, i-300):min(len(text), i+200)])
			}
		}
	}
	if proven < 6 {
		t.Errorf("only %d of the hives have a safe fix", proven)
	}
}

// TestRealSystems checks two real SYSTEM hives, Windows 7 and 8.1: the findings, the fix, and that an export has the same findings.
func TestRealSystems(t *testing.T) {
	for _, name := range []string{"SYSTEM", "SYSTEM_2"} {
		input := shared.Path(t, "hives/regipy/"+name)
		t.Run(name, func(t *testing.T) {
			text := string(regvet(t, statusFindings, "check", input))
			for _, want := range []string{"KB196271-MaxUserPort", "KB196271-TcpTimedWaitDelay", `ControlSet001\`, "key last written 201", "key at offset 0x", "TCP 49152 to 65535, 16,384 ports, the default"} {
				if !strings.Contains(text, want) {
					t.Errorf("the report lacks %q", want)
				}
			}
			dir := t.TempDir()
			export := filepath.Join(dir, "export.reg")
			regvet(t, statusDone, "export", "-o", export, input)
			fromHive, fromText := findings(t, input), findings(t, export)
			if diff := gocmp.Diff(fromHive, fromText); diff != "" {
				t.Errorf("- hive, + its export:\n%s", diff)
			}
			fix := filepath.Join(dir, "fix.reg")
			out := string(regvet(t, statusDone, "fix", "-o", fix, input))
			for _, want := range []string{"verified: 1 finding fixed, 0 new; undo restores the original", "unsafe  KB196271-MaxUserPort (missing): since Windows Vista "} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in:\n%s", want, out)
				}
			}
		})
	}
}

// findings returns the findings in an input, without their places.
func findings(t *testing.T, input string) []string {
	var r struct {
		Findings []struct {
			Rule, Status, Reason, Severity, Key, Value, Message string
			RealKey                                             string `json:"real_key"`
			Observed                                            any
		}
	}
	var out bytes.Buffer
	run([]string{"check", "--format", "json", "--all", input}, nil, &out, io.Discard)
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range r.Findings {
		all = append(all, fmt.Sprintf("%+v", f))
	}
	slices.SortFunc(all, cmp.Compare)
	if len(all) == 0 {
		t.Fatal("no findings")
	}
	return all
}
