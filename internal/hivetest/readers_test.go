package hivetest

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
)

// Other programs that read hives must find in ours what was written. Each shows something else of a hive, so each is compared with its own
// listing of the tree. What they cannot read is left out: names that are not ASCII (hivexml, reglookup, regfexport), names that are not valid
// UTF-16 (all four), and big data in version 1.4 (reglookup, regfexport).
var readers = []struct {
	command []string
	wide    bool // reads names that are not ASCII
	big14   bool // reads big data in version 1.4
	listing func(*Key) []string
	parse   func(t *testing.T, out []byte) []string
}{
	{[]string{"hivexregedit", "--export", "HIVE", `\`}, true, true, hivexregeditListing, parseHivexregedit},
	{[]string{"hivexml", "HIVE"}, false, true, hivexmlListing, parseHivexml},
	{[]string{"reglookup", "-H", "HIVE"}, false, false, reglookupListing, parseReglookup},
	{[]string{"regfexport", "HIVE"}, false, false, regfexportListing, parseRegfexport},
}

func TestOtherReaders(t *testing.T) {
	type written struct {
		name string
		root *Key
		o    Options
		wide bool
	}
	hives := []written{
		{"names", namesTree(), Options{}, true},
		{"names-1.3", namesTree(), Options{Minor: 3}, true},
		{"deep", deepTree(hive.MaxDepth), Options{}, false},
		{"wide", wideTree(5000, ""), Options{}, false},
		{"wide-1.2", wideTree(5000, ""), Options{Minor: 2}, false},
		{"wide-1.3", wideTree(5000, ""), Options{Minor: 3}, false},
		{"split", wideTree(100, ""), Options{ListMax: 7}, false},
	}
	for minor := uint32(2); minor <= 6; minor++ {
		hives = append(hives, written{fmt.Sprintf("sizes-1.%d", minor), sizesTree(), Options{Minor: minor}, false})
	}
	for _, form := range []string{"li", "lf", "lh", "ri"} {
		hives = append(hives, written{"wide-" + form, wideTree(50, form), Options{}, false})
	}
	for _, r := range readers {
		t.Run(r.command[0], func(t *testing.T) {
			if _, err := exec.LookPath(r.command[0]); err != nil {
				t.Skipf("%s is not installed: %v", r.command[0], err)
			}
			for _, h := range hives {
				if h.wide && !r.wide || h.o.Minor == 4 && !r.big14 {
					continue
				}
				t.Run(h.name, func(t *testing.T) {
					h.o.Modified = someTime
					compare(t, r.listing(h.root), r.parse(t, read(t, r.command, Build(h.root, h.o))))
				})
			}
		})
	}
}

// read returns what the command prints about a hive.
func read(t *testing.T, command []string, b []byte) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "HIVE")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	args := slices.Clone(command[1:])
	args[slices.Index(args, "HIVE")] = file
	cmd := exec.Command(command[0], args...)
	cmd.Env = append(os.Environ(), "PERL_UNICODE=S") // without it hivexregedit writes some names in Latin-1
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.Bytes())
	}
	return out
}

func compare(t *testing.T, want, got []string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d:\n got %.300q\nwant %.300q", i, got[i], want[i])
		}
	}
}

// eachKey calls do for every key, with the names of those above it.
func eachKey(root *Key, do func(path []string, k *Key)) {
	var walk func(path []string, k *Key)
	walk = func(path []string, k *Key) {
		do(path, k)
		for _, child := range k.Keys {
			walk(append(slices.Clip(path), child.Name), child)
		}
	}
	walk(nil, root)
}

// hivexregeditListing has one string for each key: its section of the .reg file, with the lines sorted.
func hivexregeditListing(root *Key) (lines []string) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	eachKey(root, func(path []string, k *Key) {
		section := []string{`[\` + strings.Join(path, `\`) + `]`}
		for _, v := range k.Values {
			name := `"` + quote.Replace(v.Name) + `"`
			if v.Name == "" {
				name = "@"
			}
			if v.Type == hive.DWord && len(v.Data) == 4 {
				section = append(section, fmt.Sprintf("%s=dword:%08x", name, le.Uint32(v.Data)))
				continue
			}
			data := strings.ReplaceAll(fmt.Sprintf("% x", v.Data), " ", ",")
			section = append(section, fmt.Sprintf("%s=hex(%x):%s", name, uint32(v.Type), data))
		}
		lines = append(lines, sortedLines(strings.Join(section, "\n")))
	})
	return lines
}

func parseHivexregedit(_ *testing.T, out []byte) (lines []string) {
	_, out, _ = bytes.Cut(out, []byte("\n\n"))
	for section := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n\n") {
		lines = append(lines, sortedLines(section))
	}
	return lines
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// hivexmlListing has the time of each key, and each value with its data if it is binary.
func hivexmlListing(root *Key) (lines []string) {
	eachKey(root, func(path []string, k *Key) {
		at := strings.Join(path, `\`)
		lines = append(lines, at+" "+k.Modified.Time().Format("2006-01-02T15:04:05Z"))
		for _, v := range k.Values {
			line := at + " " + v.Name
			if v.Type == hive.Binary {
				line += fmt.Sprintf(" %x", v.Data)
			}
			lines = append(lines, line)
		}
	})
	return lines
}

func parseHivexml(t *testing.T, out []byte) (lines []string) {
	type node struct {
		Name   string `xml:"name,attr"`
		Time   string `xml:"mtime"`
		Values []struct {
			Type  string `xml:"type,attr"`
			Name  string `xml:"key,attr"`
			Value string `xml:"value,attr"`
		} `xml:"value"`
		Nodes []node `xml:"node"`
	}
	var file struct {
		Root node `xml:"node"`
	}
	if err := xml.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	var walk func(path []string, n node)
	walk = func(path []string, n node) {
		at := strings.Join(path, `\`)
		lines = append(lines, at+" "+n.Time)
		for _, v := range n.Values {
			line := at + " " + v.Name
			if v.Type == "binary" {
				data, err := base64.StdEncoding.DecodeString(v.Value)
				if err != nil {
					t.Fatal(err)
				}
				line += fmt.Sprintf(" %x", data)
			}
			lines = append(lines, line)
		}
		for _, child := range n.Nodes {
			walk(append(slices.Clip(path), child.Name), child)
		}
	}
	walk(nil, file.Root)
	return lines
}

// reglookupListing has each key with its time, each value with its type, and the data of binary ones.
func reglookupListing(root *Key) (lines []string) {
	eachKey(root, func(path []string, k *Key) {
		at := "/" + strings.Join(path, "/")
		lines = append(lines, at+" KEY "+k.Modified.Time().Format("2006-01-02 15:04:05"))
		for _, v := range k.Values {
			typ := strings.TrimPrefix(strings.Replace(v.Type.String(), "BIG_ENDIAN", "BE", 1), "REG_")
			line := strings.TrimSuffix(at, "/") + "/" + v.Name + " " + typ
			if v.Type == hive.Binary {
				line += fmt.Sprintf(" %x", v.Data)
			}
			lines = append(lines, line)
		}
	})
	return lines
}

func parseReglookup(t *testing.T, out []byte) (lines []string) {
	for row := range strings.Lines(string(out)) {
		field := strings.Split(strings.TrimSuffix(row, "\n"), ",")
		if len(field) != 4 {
			t.Fatalf("not four fields: %.300q", row)
		}
		line := field[0] + " " + field[1]
		switch field[1] {
		case "KEY":
			line += " " + field[3]
		case "BINARY":
			data, err := url.PathUnescape(field[2])
			if err != nil {
				t.Fatal(err)
			}
			if data == "(null)" {
				data = ""
			}
			line += fmt.Sprintf(" %x", data)
		}
		lines = append(lines, line)
	}
	return lines
}

// regfexportListing has each key, its class, and each value with its place among the others and the size of its data.
func regfexportListing(root *Key) (lines []string) {
	eachKey(root, func(path []string, k *Key) {
		at := strings.Join(append([]string{root.Name}, path...), `\`)
		lines = append(lines, at)
		if k.Class != "" {
			lines = append(lines, at+" class "+k.Class)
		}
		for i, v := range k.Values {
			name := v.Name
			if name == "" {
				name = "(default)"
			}
			lines = append(lines, fmt.Sprintf("%s %d %s %d", at, i, name, len(v.Data)))
		}
	})
	return lines
}

func parseRegfexport(_ *testing.T, out []byte) (lines []string) {
	var at, value string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if s, ok := strings.CutPrefix(line, "Key path: "); ok {
			at = s
			lines = append(lines, at)
		} else if s, ok := strings.CutPrefix(line, "Class name: "); ok {
			lines = append(lines, at+" class "+s)
		} else if s, ok := strings.CutPrefix(line, "Value: "); ok {
			value = s
		} else if s, ok := strings.CutPrefix(line, "Data size: "); ok {
			lines = append(lines, at+" "+value+" "+s)
		}
	}
	return lines
}
