package report

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to Side
		want     string
	}{
		{"a.reg", Side{"1\n2\n", "ASCII"}, Side{"1\n2\n", "ASCII"}, ""},
		{"./x/../a.reg", Side{"1\n", "ASCII"}, Side{"2\n", "ASCII"}, "--- a/a.reg\n+++ b/a.reg\n@@ -1 +1 @@\n-1\n+2\n"},
		{"/a b.reg", Side{"1", "ASCII"}, Side{"1\n", "ASCII"}, "--- a/a b.reg\t\n+++ b/a b.reg\t\n@@ -1 +1 @@\n-1\n\\ No newline at end of file\n+1\n"},
		{"a.reg", Side{"1\r\n2\r\n", "ASCII"}, Side{"1\r\n3\r\n", "ASCII"}, "--- a/a.reg\n+++ b/a.reg\n@@ -1,2 +1,2 @@\n 1\r\n-2\r\n+3\r\n"},
		{"a.reg", Side{"1\r\n2\r\n", "UTF-16LE"}, Side{"1\r\n3\r\n", "UTF-16LE"}, "--- a/a.reg\n+++ b/a.reg\n@@ -1,2 +1,2 @@\n 1\n-2\n+3\n"},
		{"a.reg", Side{"1\n2\r\n3\r", "ASCII"}, Side{"1\r\n2\r\n3\r\n", "UTF-16LE"},
			"a.reg: the encoding changes from ASCII to UTF-16LE, the line ends change from CRLF and LF and CR to CRLF\n"},
		{"n\n::error::x\x1b.reg", Side{"1\n", "ASCII"}, Side{"2\n", "ASCII"},
			`n\n::error::x\x1b.reg: the diff cannot be applied, because what would steer a terminal or a log is escaped in it` + "\n" +
				`--- a/n\n::error::x\x1b.reg` + "\n" + `+++ b/n\n::error::x\x1b.reg` + "\n@@ -1 +1 @@\n-1\n+2\n"},
		{"a.reg", Side{"\t\x1b]0;x\x07\r\n\u202e\r\n\u200b\u00a0\r\n", "UTF-8"}, Side{"\u2028\t\r\n\u202e\r\n\u200b\u00a0\r\n", "UTF-8"},
			"a.reg: the diff cannot be applied, because what would steer a terminal or a log is escaped in it\n--- a/a.reg\n+++ b/a.reg\n@@ -1,3 +1,3 @@\n" +
				"-\t\\x1b]0;x\\a\r\n+\\u2028\t\r\n \\u202e\r\n \u200b\u00a0\r\n"},
		{"a.reg", Side{"1\r::error::x\r\n2\r\n", "ASCII"}, Side{"1\r::error::x\r\n3\r\n", "ASCII"},
			"a.reg: the diff cannot be applied, because what would steer a terminal or a log is escaped in it\n--- a/a.reg\n+++ b/a.reg\n@@ -1,3 +1,3 @@\n 1\n \\x3a:error::x\n-2\n+3\n"},
	} {
		var out strings.Builder
		if err := Diff(&out, c.name, c.from, c.to, Style{}); err != nil || out.String() != c.want {
			t.Errorf("%v: the diff is\n%q, want\n%q", err, out.String(), c.want)
		}
	}
}
