package glob

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Expand returns arguments with those that have a * or ? replaced by the names that they match, as the shells of Windows leave it to programs: in
// any case, and a [ stands for itself. An argument that is the name of a file, or that matches nothing, stays.
func Expand(args []string) (all []string) {
	for _, arg := range args {
		if names := matches(arg); len(names) > 0 {
			all = append(all, names...)
		} else {
			all = append(all, arg)
		}
	}
	return all
}

// matches returns the files and folders that an argument stands for, in the order of their names.
func matches(arg string) (names []string) {
	if _, err := os.Lstat(arg); err == nil || !strings.ContainsAny(arg, "*?") {
		return []string{arg}
	}
	folder, name := filepath.Split(arg)
	if name == "" {
		return nil // no folder ends with a separator in its name
	}
	folders := []string{folder}
	if above := strings.TrimRightFunc(folder, func(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(uint8(r)) }); strings.ContainsAny(above, "*?") {
		folders = matches(above)
		for i := range folders {
			folders[i] += string(filepath.Separator)
		}
	}
	pattern := strings.ReplaceAll(strings.ToUpper(name), "[", `\[`)
	for _, folder := range folders {
		entries, _ := os.ReadDir(filepath.Join(folder, ".")) // what cannot be read matches nothing
		for _, e := range entries {
			if ok, _ := path.Match(pattern, strings.ToUpper(e.Name())); ok {
				names = append(names, folder+e.Name())
			}
		}
	}
	return names
}
