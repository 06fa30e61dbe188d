package glob_test

import (
	"strings"
	"testing"

	"regvet/internal/glob"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"a/b.reg":                   "a/b.reg",
		"./third_party/":            "third_party",
		"**/*.{reg,txt}":            "**/*.{reg,txt}",
		"a,b,c,d,e,f,g,h,i,j,k,l":   "a,b,c,d,e,f,g,h,i,j,k,l",
		"..a":                       "..a",
		`a\b`:                       `"a\b" has a backslash; between folders stands /`,
		"/a":                        `"/a" leads out of the current folder, to which a glob is relative; start it with **/`,
		"..":                        `".." leads out of the current folder, to which a glob is relative; start it with **/`,
		"../a":                      `"../a" leads out of the current folder, to which a glob is relative; start it with **/`,
		"[a":                        `"[a" is no glob: a bracket or a brace is not closed`,
		"{a":                        `"{a" is no glob: a bracket or a brace is not closed`,
		"{a,b,c,d,e,f,g,h,i,j,k,l}": `"{a,b,c,d,e,f,g,h,i,j,k,l}" has more than 10 commas; write several globs`,
	} {
		got, err := glob.Parse(text, "the current folder")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Parse(%q): %s, want %s", text, got, want)
		}
	}
}

func TestCovers(t *testing.T) {
	globs := glob.List{"old", "**/*.tmp.reg", "a/*/c", "..x"}
	for path, want := range map[string]string{
		"old":           "match covers",
		"old/a/b.reg":   "covers",
		"a/old/b.reg":   "",
		"x.tmp.reg":     "match covers",
		"b/x.tmp.reg":   "match covers",
		"a/b/c/d/e.reg": "covers",
		"a/b/b/c/e.reg": "",
		"../old":        "",
		"..":            "",
		"..x/a":         "covers",
		"/old":          "",
	} {
		var got []string
		if globs.Match(path) {
			got = append(got, "match")
		}
		if globs.Covers(path) {
			got = append(got, "covers")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
