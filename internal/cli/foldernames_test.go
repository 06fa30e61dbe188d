package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"regvet/hive"
)

// TestFolderNames requires of names for folders that they are unique where capital letters are not told, and names on every system.
func TestFolderNames(t *testing.T) {
	names := folderNames{}
	for _, c := range []struct{ text, want string }{
		{"ws01", "ws01"}, {"WS01", "WS01-2"}, {"ws01-2", "ws01-2-2"}, {"..", "__"}, {"../../etc", "__.._etc"}, {"", "_"}, {".", "_-2"},
		{"CON", "_CON"}, {"nul.txt", "_nul.txt"}, {"com¹", "_com¹"}, {"LPT9 .x", "_LPT9 .x"}, {"COM10", "COM10"}, {"console", "console"},
		{"a. .", "a___"}, {" a", "_a"}, {"-rf", "_rf"}, {"~root", "_root"}, {"disk.E01!/p2/Windows", "disk.E01_p2_Windows"}, {`a\b:c*?"<>|`, "a_b_c______"},
		{"a\x00b\x1b[2J\u202ec", "a_b_[2J_c"}, {"a\xffb", "a_b"},
	} {
		if got := names.unique(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	long := strings.Repeat("é", 300)
	for range 12 {
		if got := names.unique(long); len(got) > mostName || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	}
}

func FuzzFolderNames(f *testing.F) {
	for _, text := range []string{"ws01", "..", "NUL", "a. ", "a\x00", strings.Repeat("x", 300), "-"} {
		f.Add(text, strings.ToUpper(text))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		names := folderNames{}
		one, other := names.unique(a), names.unique(b)
		if hive.EqualFold(one, other) {
			t.Errorf("%q and %q are both %q", a, b, one)
		}
		for _, name := range []string{one, other} {
			if !filepath.IsLocal(name) || filepath.Base(name) != name || len(name) > mostName+1 || hive.Visible(name) != name || isDevice(name) ||
				strings.ContainsAny(name, `<>:"/\|?*`) || strings.TrimRight(name, ". ") != name {
				t.Errorf("%q is no name of a folder", name)
			}
		}
	})
}
