package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFile requires that the file in the repository lists the modules that the program contains now, with the texts that these have.
func TestFile(t *testing.T) {
	want, err := licences(".", "regvet/cmd/regvet")
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../THIRD_PARTY_LICENSES")
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("THIRD_PARTY_LICENSES is not what the modules say (%v); run go generate ./internal/licences (- file, + modules):\n%s", err, cmp.Diff(string(have), string(want)))
	}
}

// TestParts requires that all that is in a program on any system is listed, with the licences of the folders that it uses, and nothing else.
func TestParts(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOWORK", "off")
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module example.org/program\n\ngo 1.26\n\nrequire (\n\texample.org/a v1.0.0\n\texample.org/b v1.2.3\n\texample.org/c v1.0.0\n)\n\n" +
			"replace (\n\texample.org/a v1.0.0 => ./a\n\texample.org/b v1.2.3 => ./b\n\texample.org/c v1.0.0 => ./c\n)\n",
		"main.go":         "package main\n\nimport _ \"example.org/a/used/deeper\"\n\nfunc main() {}\n",
		"main_windows.go": "package main\n\nimport _ \"example.org/b\"\n",
		"main_test.go":    "package main\n\nimport _ \"example.org/c\"\n",

		"a/go.mod": "module example.org/a\n", "a/a.go": "package a\n",
		"a/LICENSE":                "\r\nlicence of a\r\nsecond line\r\n",
		"a/NOTICE.txt":             "notice of a\n",
		"a/licence.go":             "package a\n\nconst text = `not a licence`\n",
		"a/used/COPYING":           "licence of a folder above",
		"a/used/deeper/deeper.go":  "package deeper\n",
		"a/used/deeper/Licence.md": "licence of a folder\n",
		"a/unused/LICENSE":         "licence of what is not there\n", "a/unused/u.go": "package unused\n",

		"b/go.mod": "module example.org/b\n", "b/b.go": "package b\n", "b/UNLICENSE": "licence of b\n",
		"c/go.mod": "module example.org/c\n", "c/c.go": "package c\n", "c/LICENSE": "licence of what only tests use\n",
	}
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := licences(dir, "example.org/program")
	if err != nil {
		t.Fatal(err)
	}
	_, modules, ok := strings.Cut(string(text), "\n"+strings.Repeat("=", 80)+"\nexample.org/a v1.0.0: LICENSE\n")
	head := func(name string) string { return "\n" + strings.Repeat("=", 80) + "\n" + name + "\n\n" }
	want := "\nlicence of a\nsecond line\n" + head("example.org/a v1.0.0: NOTICE.txt") + "notice of a\n" +
		head("example.org/a v1.0.0: used/COPYING") + "licence of a folder above\n" + head("example.org/a v1.0.0: used/deeper/Licence.md") + "licence of a folder\n" +
		head("example.org/b v1.2.3: UNLICENSE") + "licence of b\n"
	if !ok || modules != want {
		t.Errorf("got %s", cmp.Diff(want, modules))
	}
	if !strings.Contains(string(text), "\n\n  Go, its standard library and runtime\n  example.org/a v1.0.0\n  example.org/b v1.2.3\n\n") ||
		!strings.Contains(string(text), "runtime: LICENSE\n\nCopyright 2009 The Go Authors.") {
		t.Errorf("the list or Go's own licence is missing: %.2000s", text)
	}

	if err := os.Remove(filepath.Join(dir, "b/UNLICENSE")); err != nil {
		t.Fatal(err)
	}
	if _, err := licences(dir, "example.org/program"); err == nil || !strings.HasPrefix(err.Error(), "example.org/b v1.2.3: there is no licence in ") {
		t.Errorf("a module without a licence: %v", err)
	}
	if _, err := licences(dir, "example.org/nothing"); err == nil || !strings.HasPrefix(err.Error(), "go list: exit status 1: ") {
		t.Errorf("a program that there is not: %v", err)
	}
}
