package cli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hashes returns the content of a folder: for each name the hash of a regular file, or the kind of anything else.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Type().IsRegular():
			data, err := os.ReadFile(name)
			all[name] = fmt.Sprintf("%x", sha256.Sum256(data))
			return err
		}
		all[name] = d.Type().String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// evidence writes inputs, and every kind of file that can be read with them.
func evidence(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for name, text := range map[string]string{
		"mine.yaml":    "pack: mine\ntitle: Mine\nrules:\n  - id: Mine\n    title: one\n    severity: low\n    key: HKLM\\SYSTEM\\Select\n    value: Current\n    missing: pass\n    expect: {type: REG_DWORD}\n",
		"patch.reg":    "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:00000001\n",
		"untidy.reg":   "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:1\n",
		"config.yaml":  "fail_on: never\n",
		"packs/a.yaml": "pack: other\ntitle: Other\nrules:\n  - id: Other\n    title: one\n    severity: low\n    key: HKLM\\SYSTEM\\Select\n    value: Current\n    missing: pass\n    expect: {type: REG_DWORD}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run([]string{"lint", "--no-config", "--write-baseline", "--baseline", "known.json", "untidy.reg"}, nil, io.Discard, io.Discard)
}

// TestNothingReadIsWritten points the output of every command at every file that the command reads, also by other names. No file may change,
// and the command must say why it does not write.
func TestNothingReadIsWritten(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs links")
	}
	evidence(t)
	before := hashes(t, ".")
	for _, c := range []struct {
		args  string
		reads string // the files that it reads, besides the given ones
	}{
		{"check dirty-system", "dirty-system dirty-system.LOG1 dirty-system.LOG2"},
		{`history dirty-system HKLM\SYSTEM\Select`, "dirty-system dirty-system.LOG1 dirty-system.LOG2"},
		{"history --findings disk", "disk/Windows/System32/config/SYSTEM disk/Windows/System32/config/SOFTWARE"},
		{"check .", "dirty-system dirty-system.LOG2 SYSTEM disk/Users/bob/NTUSER.DAT"},
		{"check SYSTEM", "SYSTEM SYSTEM.LOG1"}, // the log of a clean hive is not needed, but is still evidence
		{"check --log torn.LOG1 dirty-system", "torn.LOG1"},
		{"check --log torn.LOG1 SYSTEM", "torn.LOG1"},
		{"check --rules mine.yaml --rules packs SYSTEM", "mine.yaml packs/a.yaml"},
		{"check -f jsonl SYSTEM", "SYSTEM"},
		{"info dirty-system", "dirty-system dirty-system.LOG1"},
		{"export dirty-system", "dirty-system dirty-system.LOG1"},
		{"export -f jsonl SYSTEM.reg", "SYSTEM.reg"},
		{"diff dirty-system SYSTEM", "dirty-system.LOG1 SYSTEM SYSTEM.LOG1"},
		{"apply patch.reg dirty-system", "patch.reg dirty-system dirty-system.LOG2"},
		{"fix --force --no-logs dirty-system", "dirty-system dirty-system.LOG1"},
		{"fix --force --rules mine.yaml --undo other SYSTEM", "mine.yaml SYSTEM.LOG1"},
		{"fix --force -o other SYSTEM --undo", "SYSTEM SYSTEM.LOG1"},
		{"lint --config config.yaml --baseline known.json --rules mine.yaml patch.reg", "config.yaml known.json mine.yaml patch.reg"},
		{"lint .", "patch.reg untidy.reg"},
		{"fmt untidy.reg", "untidy.reg"},
		{"fmt --check untidy.reg", "untidy.reg"},
		{"rules list --rules mine.yaml", "mine.yaml"},
		{"rules show mine.yaml", "mine.yaml"},
		{"explain --rules packs", "packs/a.yaml"},
	} {
		for _, target := range strings.Fields(c.reads) {
			for how, name := range names(t, target) {
				args := strings.Fields(c.args)
				if args[len(args)-1] != "--undo" {
					args = append(args, "-o")
				}
				args = append(args, name)
				var messages bytes.Buffer
				status := run(args, nil, io.Discard, &messages)
				want := fmt.Sprintf("regvet: %s is read by this command, and what was read is never changed; choose another name for the output\n", name)
				if status < statusUsage || !strings.Contains(messages.String(), want) {
					t.Errorf("%q (%s): status %d, %s", args, how, status, &messages)
				}
				if diff := cmp.Diff(before, hashes(t, ".")); diff != "" {
					t.Fatalf("%q (%s): %s", args, how, diff)
				}
			}
		}
	}
}

// names returns names of a file, by the way in which they lead to it.
func names(t *testing.T, target string) map[string]string {
	t.Helper()
	absolute, err := filepath.Abs(target)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	all := map[string]string{
		"plain": target, "dot": "./" + target, "absolute": absolute, "hard link": filepath.Join(dir, "hard"),
		"symbolic link": filepath.Join(dir, "link"), "linked folder": filepath.Join(dir, "folder", filepath.Base(target)),
	}
	for _, err := range []error{os.Link(target, all["hard link"]), os.Symlink(absolute, all["symbolic link"]), os.Symlink(filepath.Dir(absolute), filepath.Join(dir, "folder"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestEvidenceIsUntouched runs every command on a folder, also in ways that fail, and requires that nothing in it changes except for outputs
// that were named.
func TestEvidenceIsUntouched(t *testing.T) {
	evidence(t)
	before := hashes(t, ".")
	var inputs []string
	for name, hash := range before {
		if len(hash) == 64 {
			inputs = append(inputs, name)
		}
	}
	slices.Sort(inputs)
	out := t.TempDir()
	for _, args := range [][]string{
		append([]string{"check", "--all", "-o", filepath.Join(out, "report")}, inputs...),
		append([]string{"info", "--verify"}, inputs...),
		append([]string{"lint", "--no-config"}, inputs...),
		append([]string{"lint", "--no-config", "--fix", "--diff"}, inputs...),
		append([]string{"fmt", "--check"}, inputs...),
		{"check", "."}, {"info", "."}, {"lint", "."}, {"rules", "test", "--rules", "mine.yaml"},
	} {
		run(args, nil, io.Discard, io.Discard)
	}
	for _, name := range inputs {
		for _, args := range [][]string{
			{"export", "-f", "jsonl", "--full", "--deleted", name}, {"export", name}, {"diff", name, "SYSTEM"}, {"apply", name, "SYSTEM"},
			{"fix", "-o", filepath.Join(out, "fix.reg"), "--force", name},
		} {
			run(args, nil, io.Discard, io.Discard)
		}
	}
	if diff := cmp.Diff(before, hashes(t, ".")); diff != "" {
		t.Error(diff)
	}
}
