package regfile

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/shared"
)

// Among the shared inputs, regfile/cases.jsonl has .reg files with what Windows makes of each, and regfile/real has files as people
// publish them.

type conformanceCase struct {
	ID         string    `json:"id"`
	Category   string    `json:"category"`
	Note       string    `json:"note"`
	Input      []byte    `json:"input_b64"`
	Expect     []outcome `json:"expect"`
	ExitCode   *int      `json:"exit_code"`
	ExportKey  string    `json:"export_key"`
	ExportFrom []outcome `json:"export_from"`
}

// outcome is a value or key that must exist after the import, or must not.
type outcome struct {
	Key    string  `json:"key"`
	Name   *string `json:"name"`
	Type   uint32  `json:"type_num"`
	Data   string  `json:"data_hex"`
	Absent bool    `json:"absent"`
	Exists *bool   `json:"exists"`
}

func TestConformance(t *testing.T) {
	passed, total := 0, 0
	for line := range bytes.Lines(shared.Read(t, "regfile/cases.jsonl")) {
		var c conformanceCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		total++
		if t.Run(c.ID, func(t *testing.T) { c.check(t) }) {
			passed++
		}
	}
	t.Logf("%d of %d cases passed", passed, total)
}

func (c conformanceCase) check(t *testing.T) {
	f, err := Parse(c.ID, c.Input)
	if c.ExitCode != nil && (*c.ExitCode == 1) != (err != nil) {
		t.Errorf("%s: exit code of Windows is %d, error is %v", c.Note, *c.ExitCode, err)
	}
	root := hive.NewImpliedKey("")
	if err == nil {
		root = f.Tree()
	}
	checkOrdered(t, Options{}, c.Input, f)
	for _, want := range c.Expect {
		k := find(root, hive.ParsePath(want.Key))
		switch {
		case want.Exists != nil:
			if (k != nil) != *want.Exists {
				t.Errorf("%s: key %s exists: %v, want %v", c.Note, want.Key, k != nil, *want.Exists)
			}
		default:
			var v hive.Value
			ok := false
			if k != nil {
				v, ok = k.Value(*want.Name)
			}
			if got := hex.EncodeToString(v.Data); ok == want.Absent || !want.Absent && (got != want.Data || uint32(v.Type) != want.Type) {
				t.Errorf("%s: %s %q is %v %s %s, want %+v\nproblems: %v", c.Note, want.Key, *want.Name, ok, v.Type, got, want, f.Problems)
			}
		}
	}
	if c.ExportKey == "" {
		return
	}
	var edits []hive.Edit
	for _, from := range c.ExportFrom {
		e := hive.Edit{Op: hive.CreateKey, Path: hive.ParsePath(from.Key)}
		if from.Name != nil {
			data, err := hex.DecodeString(from.Data)
			if err != nil {
				t.Fatal(err)
			}
			e.Op, e.Value = hive.SetValue, hive.Value{Name: *from.Name, Type: hive.Type(from.Type), Data: data}
		}
		edits = append(edits, e)
	}
	at := hive.ParsePath(c.ExportKey)
	var out bytes.Buffer
	if err := Export(&out, Tree{find(hive.Apply(hive.NewImpliedKey(""), edits...), at), at}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), c.Input) {
		t.Errorf("%s: export is\n%s\nwant\n%s", c.Note, hive.DecodeUTF16(out.Bytes()), hive.DecodeUTF16(c.Input))
	}
}

func find(k *hive.Key, path hive.Path) *hive.Key {
	for _, name := range path {
		if k == nil {
			return nil
		}
		k = k.Key(name)
	}
	return k
}

// rejectedReal are the published files, by number, that Windows does not import, and why.
var rejectedReal = map[string]string{
	"013": "blanks at the end of the first line",
	"017": "the first line is",
	"085": "the first line is",
	"089": "the first line is empty",
	"141": "blanks at the end of the first line",
	"153": "the first line is",
	"237": "without a byte order mark",
}

func TestRealFiles(t *testing.T) {
	files := shared.Glob(t, "regfile/real", "*.reg")
	rejected, problems, ordered := 0, 0, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(filepath.Base(name), data)
		if err != nil {
			if reason := rejectedReal[filepath.Base(name)[:3]]; reason == "" || !strings.Contains(err.Error(), reason) {
				t.Error(err)
			}
			t.Log(err)
			rejected++
			continue
		}
		for _, p := range f.Problems {
			t.Log(p.Error())
		}
		problems += len(f.Problems)
		checkRewrite(t, f.Edits)
		if checkOrdered(t, Options{}, data, f) != nil {
			ordered++
		}
	}
	if rejected != len(rejectedReal) {
		t.Errorf("%d files are rejected, want %d", rejected, len(rejectedReal))
	}
	t.Logf("%d files, %d rejected, %d problems in the rest, %d files can be read key by key", len(files), rejected, problems, ordered)
}
