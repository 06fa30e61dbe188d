package lint

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"regvet/internal/worktree"
)

// These checks look at the other files in the folder. A file that cannot be read counts as missing, since it is not what is checked.

// finishNoUndo looks for a file that undoes the import.
func finishNoUndo(p *pass, c *Check) {
	if !p.changes || !isFile(p.file) {
		return
	}
	folder, name := filepath.Split(p.file)
	base := strings.TrimSuffix(name, filepath.Ext(name))
	entries, err := os.ReadDir(filepath.Clean(folder + "."))
	if err != nil || isUndo(base) {
		return
	}
	for _, e := range entries {
		other := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		if strings.EqualFold(filepath.Ext(e.Name()), ".reg") && isUndo(other) && (strings.EqualFold(other, "undo") || hasPrefixFold(other, base)) {
			return
		}
	}
	p.reportAt(c, nil, position(1, 1), position(1, 1), nil, "there is no undo of this file beside it; an import cannot be taken back without one; write %s-undo.reg", base)
}

// isUndo reports whether a file name without its extension is that of an undo file.
func isUndo(base string) bool {
	base = strings.ToLower(base)
	return base == "undo" || strings.HasSuffix(base, "-undo") || strings.HasSuffix(base, ".undo") || strings.HasSuffix(base, "_undo")
}

// finishGitAttributes looks for the attributes of the file: in the .gitattributes of its folder and of all folders above it, up to the root
// of the repository.
func finishGitAttributes(p *pass, c *Check) {
	path, err := filepath.Abs(p.file)
	if err != nil || !isFile(path) {
		return
	}
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		within, err := filepath.Rel(folder, path)
		if err != nil || coversFile(folder, filepath.ToSlash(within)) {
			return
		}
		if _, err := os.Stat(filepath.Join(folder, ".git")); err == nil {
			break
		}
		if folder == filepath.Dir(folder) {
			return // not in a repository
		}
	}
	p.reportAt(c, nil, position(1, 1), position(1, 1), nil,
		`no .gitattributes tells Git what this file is; Git may change its line ends, or show no difference in it; write "*.reg -text", or better the encoding`)
}

// maxAttributes is how many bytes of a .gitattributes are read. Those that people write have a few hundred.
const maxAttributes = 1 << 20

// gitGlob escapes braces, which are ordinary letters for Git. For package doublestar they are not, and can take forever.
var gitGlob = strings.NewReplacer("{", `\{`, "}", `\}`)

// coversFile reports whether the .gitattributes of a folder says anything about text, line ends or encoding of a path below the folder.
func coversFile(folder, path string) bool {
	data, err := worktree.Read(folder, ".gitattributes", maxAttributes)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		pattern, name := words[0], path
		if !strings.Contains(strings.TrimSuffix(pattern, "/"), "/") {
			name = path[strings.LastIndexByte(path, '/')+1:]
		}
		if ok, _ := doublestar.Match(gitGlob.Replace(strings.TrimPrefix(pattern, "/")), name); !ok {
			continue
		}
		for _, word := range words[1:] {
			word, _, _ = strings.Cut(strings.TrimLeft(word, "-!"), "=")
			switch word {
			case "text", "eol", "crlf", "binary", "working-tree-encoding":
				return true
			}
		}
	}
	return false
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
