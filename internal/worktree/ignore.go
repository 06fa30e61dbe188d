package worktree

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder is a folder of a repository and the rules that say what git leaves out of it: https://git-scm.com/docs/gitignore. The rules of the
// nearest folder go first, and the last rule of a file before those above it.
//
// The user's own file (core.excludesFile) is not read, so that the same files are found on every machine.
type folder struct {
	*repository
	path     string // from the top of the repository, with / at its end; "" for the top
	patterns []pattern
	above    *folder // nil for the outermost, which has the patterns of .git/info/exclude
	left     bool    // git ignores the folder: only what it tracks in there counts
}

// repository is what all folders of a repository share.
type repository struct {
	tracked  index
	unknown  bool // what git tracks could not be read, so that no rule is applied
	excluded []pattern
}

// pattern is one line of a .gitignore.
type pattern struct {
	again   bool    // it begins with !: what it matches is not ignored after all
	folders bool    // it matches folders only
	whole   bool    // it is compared with the path from its folder on, not with the name alone
	text    string  // what it matches, if it has no wildcards
	matcher matcher // or nil, if it has none
}

// leavesOut reports whether git leaves out the file or folder of this name in f, which is nil outside of repositories. Git never leaves out
// what it tracks, nor the folders above that.
func (f *folder) leavesOut(name string, isFolder bool) bool {
	switch {
	case f == nil || f.unknown || !f.ignores(name, isFolder):
		return false
	case isFolder:
		return !f.tracked.tracksIn(f.path + name)
	default:
		return !f.tracked.tracks(f.path + name)
	}
}

// ignores reports whether the rules ignore the file or folder of this name in f. In an ignored folder everything is ignored.
func (f *folder) ignores(name string, isFolder bool) bool {
	if f.left {
		return true
	}
	path := f.path + name
	for g := f; g != nil; g = g.above {
		inside := path[len(g.path):]
		for _, p := range slices.Backward(g.patterns) {
			text := name
			if p.whole {
				text = inside
			}
			if p.folders && !isFolder {
				continue
			}
			if p.matcher != nil && p.matcher.match(text) || p.matcher == nil && p.text == text {
				return !p.again
			}
		}
	}
	return false
}

// readRepository returns the repository that has its top in a folder. It is read once; the error of the first call says what could not be
// read of it.
func (s *search) readRepository(top string) (*repository, error) {
	if r := s.repositories[top]; r != nil {
		return r, nil
	}
	r := new(repository)
	s.repositories[top] = r
	git, err := gitFolder(top)
	if err == nil {
		r.tracked, err = readIndex(git)
	}
	if err != nil {
		r.unknown = true
		return r, fmt.Errorf("%w; until then nothing that git ignores is left out", err)
	}
	r.excluded, err = readExcluded(git)
	return r, err
}

// open returns the folder with this path, which is absolute and without symbolic links, or nil if it is in no repository. The error has a
// line for each file of rules that could not be read; the other rules are applied all the same.
func (s *search) open(path string) (*folder, error) {
	at, ok := Top(path)
	if !ok {
		return nil, nil
	}
	rel, _ := filepath.Rel(at, path) // at is above it
	r, err := s.readRepository(at)
	errs := []error{err}
	f, err := (&folder{repository: r, patterns: r.excluded}).below(at, "")
	errs = append(errs, err)
	for name := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		if name == "." {
			break
		}
		at = filepath.Join(at, name)
		f, err = f.below(at, name)
		errs = append(errs, err)
	}
	return f, errors.Join(errs...)
}

// enter returns the folder of this name in f, as a walk comes to it.
func (f *folder) enter(path, name string) (*folder, error) {
	if f.ignores(name, true) {
		return &folder{repository: f.repository, path: f.path + name + "/", left: true}, nil
	}
	return f.below(path, name)
}

// below returns the folder of this name in f with its .gitignore, whether git ignores the folder or not. The top has the name "".
func (f *folder) below(path, name string) (*folder, error) {
	inside := &folder{repository: f.repository, path: f.path, above: f}
	if name != "" {
		inside.path += name + "/"
	}
	if f.unknown {
		return inside, nil
	}
	var err error
	inside.patterns, err = readPatterns(filepath.Join(path, ".gitignore"))
	return inside, err
}

// maxIgnoreFile is how many bytes a .gitignore may have. Those that people write have a few thousand.
const maxIgnoreFile = 1 << 20

// readPatterns returns the patterns of a .gitignore, or none if there is no such file. Like git, it follows no symbolic link.
func readPatterns(file string) ([]pattern, error) {
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	text, err := readRegular(file, maxIgnoreFile, os.Lstat, os.OpenFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; its rules are not used", file, err)
	}
	var all []pattern
	for line := range bytes.SplitSeq(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")), []byte("\n")) {
		if p, ok := parsePattern(string(bytes.TrimSuffix(line, []byte("\r")))); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// parsePattern returns the pattern in a line of a .gitignore, and reports whether there is one that can match anything.
func parsePattern(line string) (p pattern, ok bool) {
	if strings.HasPrefix(line, "#") {
		return p, false
	}
	line, _, _ = strings.Cut(line, "\x00")
	line = trimBlanks(line)
	line, p.again = strings.CutPrefix(line, "!")
	line, p.folders = strings.CutSuffix(line, "/")
	p.whole = strings.Contains(line, "/")
	if p.whole {
		line = strings.TrimPrefix(line, "/")
	}
	if line == "" {
		return p, false
	}
	if strings.ContainsAny(line, wildcards) {
		p.matcher = newMatcher(line)
		return p, p.matcher != nil
	}
	p.text = line
	return p, true
}

// trimBlanks returns a line without the spaces at its end. A backslash before a space keeps it.
func trimBlanks(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if line[i] == ' ' {
			continue
		}
		end = min(i+1, len(line))
	}
	return line[:end]
}
