package glob_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/internal/glob"
)

func TestExpand(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.reg", "B.REG", "c.txt", "x[1].reg", "x1.reg", "one/d.reg", "one/e.txt", "two/f.reg"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"*.reg":          "B.REG a.reg x1.reg x[1].reg",
		"?.reg c.txt":    "B.REG a.reg c.txt",
		"x[1]*":          "x[1].reg",
		"one/*.reg":      "one/d.reg",
		"*/*.reg":        "one/d.reg two/f.reg",
		"./on?/*":        "./one/d.reg ./one/e.txt",
		"- one [a].reg":  "- one [a].reg",
		"*.hiv no/*.reg": "*.hiv no/*.reg",
		"t*":             "two",
		"t*/":            "t*/",
	} {
		got := glob.Expand(strings.Fields(args))
		for i := range got {
			got[i] = filepath.ToSlash(got[i])
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	// Where a file can have such a name, it is meant.
	if err := os.WriteFile("*.reg", nil, 0o666); err == nil {
		if got := glob.Expand([]string{"*.reg"}); !slices.Equal(got, []string{"*.reg"}) {
			t.Errorf("a file with an asterisk: %q", got)
		}
	}
}
