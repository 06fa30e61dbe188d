package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regvet/internal/hivetest"
)

// TestContainers tests that each command calls an image that is not read what it is, says what to do, and exits with 3; and that in a folder it is
// passed over with a word, as links are that lead nowhere, which is no reason for another exit status.
func TestContainers(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, data := range map[string][]byte{
		"disk.Ex01":          append([]byte("EVF2\x0d\x0a\x81\x00"), make([]byte, 1000)...),
		"volume/SYSTEM":      hivetest.Build(machineTree(t), hivetest.Options{Name: "SYSTEM"}),
		"volume/Users/a.rar": append([]byte("Rar!\x1a\x07\x01\x00"), make([]byte, 1000)...),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const want = "regvet: disk.Ex01: is an Ex01 image, which is not read; convert it with ewfexport, and give the raw image\n"
	for _, line := range []string{"check disk.Ex01", "info disk.Ex01", "export disk.Ex01", "fix --dry-run disk.Ex01", "apply disk.Ex01 volume/SYSTEM", "fmt --check disk.Ex01",
		"lint --no-config disk.Ex01", "diff disk.Ex01 volume/SYSTEM"} {
		var out, messages bytes.Buffer
		if status := run(strings.Fields(line), nil, &out, &messages); status != statusInput || messages.String() != want {
			t.Errorf("%s: status %d, %s", line, status, &messages)
		}
	}
	for _, name := range []string{"python.exe", "Moved"} {
		if err := os.Symlink("unsupported reparse tag", filepath.Join("volume", name)); err != nil {
			t.Skipf("there are no symbolic links here: %v", err)
		}
	}
	var out, messages bytes.Buffer
	status := run([]string{"info", "volume"}, nil, &out, &messages)
	passed := strings.ReplaceAll("regvet: volume: passed over: 2 files like volume/Moved, which is a link that leads nowhere; volume/Users/a.rar, which is a RAR archive\n", "/", string(filepath.Separator))
	if status != statusDone || messages.String() != passed {
		t.Errorf("info of a volume: status %d, %s", status, &messages)
	}
}
