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
	} {
		var out strings.Builder
		if err := Diff(&out, c.name, c.from, c.to, Style{}); err != nil || out.String() != c.want {
			t.Errorf("%v: the diff is\n%q, want\n%q", err, out.String(), c.want)
		}
	}
}
