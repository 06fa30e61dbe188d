package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive/regfile"
	"regvet/internal/hivetest"
)

// FuzzRun gives the commands that write no files any words for arguments: the exit status is one of the four, a failure is
// explained, and every message is a line that says who speaks, or one below it that shows what it speaks of.
func FuzzRun(f *testing.F) {
	const testdata = "../../testdata/"
	for _, line := range []string{
		"check ../../testdata/SYSTEM", "check --all --format json ../../testdata/SYSTEM.reg", `check --mount \ ../../testdata/SYSTEM`,
		"info --verify ../../testdata/SYSTEM-dirty", "info --log ../../testdata/SYSTEM ../../testdata/SYSTEM", "rules list", "rules show x",
		"check --control-set all --windows 6.1 ../../testdata/SYSTEM-10", `export --prefix \ ../../testdata/SYSTEM HKLM`,
		`export --format jsonl ../../testdata/SYSTEM HKLM\SYSTEM\CurrentControlSet`, "help check", "--version", "check", "", "check -",
		"rules test --rules ../../testdata/example.yaml --pack example", "rules test --rules ../../testdata", "check --fail-on never --no-logs ../../testdata/SYSTEM",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		for _, arg := range args {
			if arg == "fix" || arg == "fmt" || strings.HasPrefix(arg, "--o") || strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(arg, "o") {
				return // these write files
			}
			if rest := strings.TrimPrefix(arg, testdata); strings.Contains(rest, "/") || rest == ".." {
				return // nothing but the files of testdata is read: a disk has no end, and neither have some of its files
			}
			if info, err := os.Stat(arg); err == nil && info.IsDir() {
				return
			}
		}
		var out, messages bytes.Buffer
		status := run(args, strings.NewReader(line), &out, &messages)
		if status < statusDone || status > statusInput {
			t.Fatalf("exit status %d", status)
		}
		if status >= statusUsage && messages.Len() == 0 {
			t.Fatalf("exit status %d without a word", status)
		}
		if len(args) == 1 && args[0] == "" {
			return
		}
		spoken := false
		for message := range strings.Lines(messages.String()) {
			shows := spoken && strings.HasPrefix(message, " ")
			if !shows && !strings.HasPrefix(message, "regvet: ") || strings.ContainsAny(message, "\x00\x1b\r") {
				t.Fatalf("a message is %q", message)
			}
			spoken = true
		}
	})
}

// FuzzInput runs every command that reads on any bytes. The exit status must be that of an input that was read or was not, JSON must be valid,
// no control character may reach a terminal, and an export must be read again without a problem.
func FuzzInput(f *testing.F) {
	names, err := filepath.Glob("../../testdata/SYSTEM*")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, data := range hivetest.Damages() {
		f.Add(data)
	}
	f.Add([]byte("REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters]\n\"MaxUserPort\"=dword:1388\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var messages bytes.Buffer
		command := func(input []byte, args ...string) (int, []byte) {
			var out bytes.Buffer
			messages.Reset()
			status := run(args, bytes.NewReader(input), &out, &messages)
			if status == statusUsage || status < statusDone || status > statusInput {
				t.Fatalf("%v: exit status %d: %s", args, status, messages.String())
			}
			if status == statusInput && messages.Len() == 0 {
				t.Fatalf("%v: exit status %d without a word", args, status)
			}
			return status, out.Bytes()
		}
		status, out := command(data, "check", "--all", "--format", "json", "-")
		if !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
		if with, _ := command(data, "check", "--all", "--format", "json", "--deleted", "-"); with != status {
			t.Fatalf("exit status %d with what was deleted, %d without", with, status)
		}
		_, text := command(data, "check", "--all", "--deleted", "-")
		if bytes.ContainsAny(text, "\x00\x1b\r") {
			t.Fatalf("control characters in a report: %q", text)
		}
		if _, out := command(data, "info", "--format", "json", "-"); !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
		_, lines := command(data, "export", "--format", "jsonl", "-")
		_, more := command(data, "export", "--format", "jsonl", "--deleted", "-")
		if !bytes.HasPrefix(more, lines) {
			t.Fatalf("with what was deleted, the rest is another: %s", more)
		}
		for line := range bytes.Lines(more) {
			if !json.Valid(line) {
				t.Fatalf("no JSON: %s", line)
			}
		}
		for _, encoding := range []string{"utf-16le", "utf-8"} {
			status, formatted := command(data, "fmt", "--encoding", encoding, "-")
			if checked, _ := command(formatted, "fmt", "--check", "--encoding", encoding, "-"); status == statusDone && checked != statusDone {
				t.Fatalf("what was formatted is not in the form: %q", formatted)
			}
			if _, diff := command(data, "fmt", "--diff", "--encoding", encoding, "-"); status == statusInput && len(diff) > 0 {
				t.Fatalf("a file that cannot be formatted has the diff %q", diff)
			}
		}
		exported, reg := command(data, "export", "-")
		if exported == statusInput || status == statusInput || bytes.Contains(lines, []byte(`{"key": "",`)) {
			return // not all of it was read, or it has no place in a registry
		}
		if file, err := regfile.Parse("export", reg); err != nil || len(file.Problems) > 0 {
			t.Fatalf("the export is not read again: %v %v", err, file)
		}
	})
}

// TestBesideEachOther requires that inputs that are read concurrently have the same findings, messages and exit status, in the same order, as
// when they are read one by one.
func TestBesideEachOther(t *testing.T) {
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	names := []string{"SYSTEM", "empty", "SYSTEM-good", "dirty-system", "short", "SYSTEM-10", "truncated", "nothing", "disk", "hostile", "SYSTEM.reg"}
	var all, want []string
	wantStatus, wantMessages := statusDone, ""
	check := func(names ...string) (status int, findings []string, messages string) {
		var out, errors bytes.Buffer
		status = run(append([]string{"check", "--format", "jsonl", "--all"}, names...), nil, &out, &errors)
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, `{"input"`) || strings.HasPrefix(line, `{"finding"`) {
				findings = append(findings, line)
			}
		}
		return status, findings, errors.String()
	}
	for range 5 {
		for _, name := range names {
			name = filepath.Join(dir, name)
			all = append(all, name)
			status, findings, messages := check(name)
			want = append(want, findings...)
			wantStatus, wantMessages = max(wantStatus, status), wantMessages+messages
		}
	}
	status, findings, messages := check(all...)
	if diff := cmp.Diff(want, findings); diff != "" {
		t.Errorf("- one by one, + beside each other:\n%s", diff)
	}
	if diff := cmp.Diff(wantMessages, messages); diff != "" {
		t.Errorf("- one by one, + beside each other:\n%s", diff)
	}
	if status != wantStatus {
		t.Errorf("exit status %d, want %d", status, wantStatus)
	}
}
