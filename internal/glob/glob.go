// Package glob parses and matches the globs that users write in flags and configs. A slash separates folders. * matches any part of a name, **
// any folders, and {a,b} one or the other. A glob that matches a folder covers everything in it.
package glob

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// List is a list of globs that [Parse] returned.
type List []string

// maxCommas is how many commas a glob with braces may have. Each can double the time that matching takes: 10 of them take a millisecond.
const maxCommas = 10

// Parse returns a glob without a leading ./ and a trailing /. The error says what is wrong with the glob; in it, folder names the folder that
// globs are relative to, such as "the current folder".
func Parse(text, folder string) (string, error) {
	switch {
	case strings.Contains(text, `\`):
		return "", fmt.Errorf("\"%s\" has a backslash; between folders stands /", text)
	case path.IsAbs(text) || filepath.IsAbs(text) || text == ".." || strings.HasPrefix(text, "../"):
		return "", fmt.Errorf("%q leads out of %s, to which a glob is relative; start it with **/", text, folder)
	case !doublestar.ValidatePattern(text):
		return "", fmt.Errorf("%q is no glob: a bracket or a brace is not closed", text)
	case strings.Contains(text, "{") && strings.Count(text, ",") > maxCommas:
		return "", fmt.Errorf("%q has more than %d commas; write several globs", text, maxCommas)
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "./"), "/"), nil
}

// Match reports whether a glob matches this path itself. The path is relative to the folder of the globs, with / between the names.
func (l List) Match(path string) bool {
	return slices.ContainsFunc(l, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}

// Covers reports whether a glob matches a path or a folder above it. No glob covers a path that leads out of the folder of the globs.
func (l List) Covers(file string) bool {
	if file == ".." || strings.HasPrefix(file, "../") {
		return false
	}
	for ; file != "." && file != "/"; file = path.Dir(file) {
		if l.Match(file) {
			return true
		}
	}
	return false
}
