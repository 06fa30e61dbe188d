package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOneVerdict requires that what build servers count as failed is there if, and only if, the exit status says so.
func TestOneVerdict(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "inputs")
	if err := errors.Join(os.Mkdir(dir, 0o777), layOut(dir)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := os.WriteFile("info.reg", []byte("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Example]\r\n\"a\"=\"b\"   \r\n\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("error.reg", []byte("Windows Registry Editor Version 5.00\r\n\r\nHKEY_CURRENT_USER\\Example\r\n\"a\"=\"b\"\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	failed := map[string]*regexp.Regexp{
		"junit":  regexp.MustCompile(`<failure `),
		"sarif":  regexp.MustCompile(`(?m)^          "level": "(error|warning)"`),
		"gitlab": regexp.MustCompile(`"severity": "(minor|major|critical|blocker)"`),
		"github": regexp.MustCompile(`(?m)^::(error|warning) `),
		"json":   regexp.MustCompile(`"counts": true`),
	}
	statuses := map[int]int{}
	for _, command := range []string{
		"check SYSTEM", "check SYSTEM-good", "check SYSTEM-10.reg", "check --pack all --all SYSTEM", "check --all-installs " + dir,
		"lint --no-config info.reg", "lint --no-config error.reg", "lint --no-config info.reg error.reg",
	} {
		levels := []string{"info", "low", "medium", "high", "critical", "never"}
		if strings.HasPrefix(command, "lint") {
			levels = []string{"info", "warning", "error", "never"}
		}
		for _, level := range levels {
			args := append(strings.Fields(command), "--fail-on", level)
			for format := range failed {
				args = append(args, "-o", format+"=../result."+format)
			}
			status := run(args, nil, io.Discard, io.Discard)
			statuses[status]++
			if status == statusInput {
				continue // a part of what was asked could not be read; findings may be there besides
			}
			for format, pattern := range failed {
				out, err := os.ReadFile("../result." + format)
				if err != nil {
					t.Fatal(err)
				}
				if found := pattern.Match(out); found != (status == statusFindings) {
					t.Errorf("regvet %s: exit status %d, and failures as %s: %v", strings.Join(args, " "), status, format, found)
				}
			}
		}
	}
	if statuses[statusDone] == 0 || statuses[statusFindings] == 0 {
		t.Errorf("the inputs do not show both verdicts: %v", statuses)
	}
}
