package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBeside tests the checks that look at other files in the folder.
func TestBeside(t *testing.T) {
	for _, c := range []struct {
		name  string
		check *Check
		file  string
		files map[string]string
		found bool
	}{
		{"no undo", noUndo, "a.reg", nil, true},
		{"undo", noUndo, "a.reg", map[string]string{"A-Undo.REG": ""}, false},
		{"undo.reg", noUndo, "a.reg", map[string]string{"undo.reg": ""}, false},
		{"the undo of another", noUndo, "a.reg", map[string]string{"b-undo.reg": ""}, true},
		{"an undo itself", noUndo, "a.undo.reg", nil, false},
		{"no repository", gitAttributes, "x/a.reg", nil, false},
		{"no attributes", gitAttributes, "x/a.reg", map[string]string{".git/HEAD": ""}, true},
		{"attributes", gitAttributes, "x/a.reg", map[string]string{".git/HEAD": "", ".gitattributes": "# x\n*.reg -text\n"}, false},
		{"of the folder", gitAttributes, "x/a.reg", map[string]string{".git/HEAD": "", "x/.gitattributes": "a.reg working-tree-encoding=UTF-16LE-BOM eol=CRLF\n"}, false},
		{"by path", gitAttributes, "x/y/a.reg", map[string]string{".git/HEAD": "", ".gitattributes": "/x/**/*.reg binary\n"}, false},
		{"of another path", gitAttributes, "x/a.reg", map[string]string{".git/HEAD": "", ".gitattributes": "y/*.reg binary\n"}, true},
		{"about something else", gitAttributes, "x/a.reg", map[string]string{".git/HEAD": "", ".gitattributes": "*.reg diff\n*.txt text\n"}, true},
		{"braces", gitAttributes, strings.Repeat("a", 60) + ".reg", map[string]string{".git/HEAD": "", ".gitattributes": strings.Repeat("{a,a}", 40) + " text\n"}, true},
		{"above the repository", gitAttributes, "x/a.reg", map[string]string{"x/.git/HEAD": "", ".gitattributes": "*.reg text\n"}, true},
	} {
		folder := t.TempDir()
		const text = "REGEDIT4\r\n\r\n[HKEY_CURRENT_USER\\Example]\r\n"
		write := func(name, text string) {
			path := filepath.Join(folder, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(c.file, text)
		for name, text := range c.files {
			write(name, text)
		}
		l := Linter{Severity: func(other *Check) Severity {
			if other == c.check {
				return Info
			}
			return 0
		}}
		r, err := l.Lint(filepath.Join(folder, filepath.FromSlash(c.file)), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Findings) > 0 != c.found {
			t.Errorf("%s: findings are %v", c.name, r.Findings)
		}
	}
	if r, err := (Linter{Severity: func(*Check) Severity { return Info }}).Lint("standard input", strings.NewReader("REGEDIT4\r\n[HKEY_CURRENT_USER\\A]\r\n")); err != nil || strings.Contains(shownResult(r), "REG215") {
		t.Errorf("standard input has %v, error %v", r.Findings, err)
	}
}

func shownResult(r *Result) string {
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.Check.ID)
	}
	return strings.Join(ids, " ")
}
