package report

import (
	"strings"
	"testing"

	"regvet/hive"
	"regvet/rules/lint"
)

// TestExcerpt requires that the mark below a line is at its place, whatever precedes it and however narrow the terminal is.
func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 100) + "HERE" + strings.Repeat("b", 100)
	for _, c := range []struct {
		name, line   string
		from, to     int // columns; to is behind the last one
		limit        int
		source, mark string
	}{
		{"plain", `"a"=dword:1`, 5, 12, 0, `"a"=dword:1`, "    ^~~~~~~"},
		{"one character", `[HKLM]`, 6, 7, 0, `[HKLM]`, "     ^"},
		{"behind the end", `[HKLM`, 6, 6, 0, `[HKLM`, "     ^"},
		{"a tab stays a tab", "\t\"a\"=1", 6, 7, 0, "\t\"a\"=1", "\t    ^"},
		{"wide characters", `"日本"=1`, 6, 7, 0, `"日本"=1`, "       ^"},
		{"wide characters are marked whole", `"日本"=1`, 2, 4, 0, `"日本"=1`, " ^~~~"},
		{"a combining mark takes no cell", "\"e\u0301\"=1", 6, 7, 0, "\"e\u0301\"=1", "    ^"},
		{"above the BMP", "\"\U0001F600\"=1", 5, 6, 0, "\"\U0001F600\"=1", "     ^"},
		{"a control character is shown", "\x1b=1", 3, 4, 0, `\x1b=1`, "     ^"},
		{"a lone surrogate is one character", hive.DecodeUTF16([]byte{0x00, 0xD8, '=', 0, '1', 0}), 3, 4, 0, "\uFFFD=1", "  ^"},
		{"cut on both sides", long, 101, 105, 22, "…aaaaaaHEREbbbbbbbbbb…", "       ^~~~"},
		{"cut behind", long, 1, 2, 22, strings.Repeat("a", 20) + "…", "^"},
		{"cut before", long, 204, 205, 22, "…" + strings.Repeat("b", 20), strings.Repeat(" ", 20) + "^"},
		{"cut within the place", long, 1, 205, 22, strings.Repeat("a", 20) + "…", "^" + strings.Repeat("~", 19)},
		{"a place that is not in the known part", "abc", 9, 10, 0, "", ""},
	} {
		f := lint.Finding{Line: c.line, At: hive.Location{Line: 3, Column: c.from}, End: hive.Location{Line: 3, Column: c.to}}
		source, mark := excerpt(f, c.limit)
		if source != c.source || mark != c.mark {
			t.Errorf("%s:\n got %q\n     %q\nwant %q\n     %q", c.name, source, mark, c.source, c.mark)
		}
	}
	f := lint.Finding{Line: "abc", At: hive.Location{Line: 3, Column: 2}, End: hive.Location{Line: 4, Column: 2}}
	if _, mark := excerpt(f, 0); mark != " ^~" {
		t.Errorf("a place that goes on in the next line is marked %q", mark)
	}
}
