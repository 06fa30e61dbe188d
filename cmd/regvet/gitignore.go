package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"regvet/hive"
)

// gitFolder is what git leaves out of one folder and those below, as its .gitignore says: https://git-scm.com/docs/gitignore. The rules
// of the nearest folder go first, and of the rules in one file the last.
//
// The user's own file (core.excludesFile) is not read, so that the same files are found on every machine.
type gitFolder struct {
	path     string // from the top of the repository, with / at its end; "" for the top
	patterns []gitPattern
	above    *gitFolder // the last one has the patterns of .git/info/exclude
}

// gitPattern is one line of a .gitignore.
type gitPattern struct {
	again      bool // what it matches is taken in again
	folders    bool // it matches folders only
	whole      bool // it is held against the path from its folder on, not against the name alone
	text       string
	expression *regexp.Regexp // in place of text; for a pattern with wildcards
}

// ignores tells whether git leaves out a file or folder of this name in g, which is nil outside of repositories. It looks at
// nothing above: a folder that is left out is not walked.
func (g *gitFolder) ignores(name string, folder bool) bool {
	if g == nil {
		return false
	}
	path := latin1(g.path + name)
	name = latin1(name)
	for f := g; f != nil; f = f.above {
		inside := path[len(latin1(f.path)):]
		for _, p := range slices.Backward(f.patterns) {
			text := name
			if p.whole {
				text = inside
			}
			if p.folders && !folder {
				continue
			}
			if p.expression != nil && p.expression.MatchString(text) || p.expression == nil && p.text == text {
				return !p.again
			}
		}
	}
	return false
}

// newGitFolder finds the repository that a folder is in. It gives nil where there is none. The folder must be an absolute path without
// symbolic links. What cannot be read is in the error, a line for each file; the rest counts all the same.
func newGitFolder(folder string) (*gitFolder, error) {
	top := folder
	for !isTop(top) {
		up := filepath.Dir(top)
		if up == top {
			return nil, nil
		}
		top = up
	}
	patterns, err := readGitPatterns(filepath.Join(gitDir(top), "info", "exclude"))
	g := &gitFolder{patterns: patterns}
	g, more := g.enter(top, "")
	errs := []error{err, more}
	rel, _ := filepath.Rel(top, folder) // top is above it
	for name := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		if name == "." {
			break
		}
		top = filepath.Join(top, name)
		g, err = g.enter(top, name)
		errs = append(errs, err)
	}
	return g, errors.Join(errs...)
}

// enter gives what is left out of a folder in g; for the top, its name is "".
func (g *gitFolder) enter(folder, name string) (*gitFolder, error) {
	inside := &gitFolder{path: g.path, above: g}
	if name != "" {
		inside.path += name + "/"
	}
	var err error
	inside.patterns, err = readGitPatterns(filepath.Join(folder, ".gitignore"))
	return inside, err
}

// isTop tells whether a folder is the top of a repository.
func isTop(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, ".git"))
	return err == nil
}

// gitDir is where a repository keeps its info/exclude. In a further worktree and in a submodule, .git is a file that tells where to look.
func gitDir(top string) string {
	dir := filepath.Join(top, ".git")
	text, err := os.ReadFile(dir)
	if err != nil {
		return dir // it is a folder
	}
	follow := func(from, to string) string {
		to = filepath.FromSlash(strings.TrimSpace(to))
		if filepath.IsAbs(to) {
			return to
		}
		return filepath.Join(from, to)
	}
	dir = follow(top, strings.TrimPrefix(string(text), "gitdir:"))
	if common, err := os.ReadFile(filepath.Join(dir, "commondir")); err == nil {
		dir = follow(dir, string(common))
	}
	return dir
}

// maxIgnoreFile is how long a .gitignore may be. Those that people write have a few kilobytes.
const maxIgnoreFile = 1 << 20

// readGitPatterns reads a .gitignore. There are no patterns where there is no such file. Like git it follows no symbolic link.
func readGitPatterns(file string) ([]gitPattern, error) {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %v", file, hive.Cause(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIgnoreFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: cannot be read: %v", file, hive.Cause(err))
	case len(text) > maxIgnoreFile:
		return nil, fmt.Errorf("%s: is not used: it is longer than %d bytes", file, maxIgnoreFile)
	}
	var all []gitPattern
	for line := range bytes.SplitSeq(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")), []byte("\n")) {
		if p, ok := parseGitPattern(string(bytes.TrimSuffix(line, []byte("\r")))); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// parseGitPattern reads a line of a .gitignore. It tells whether there is a pattern in it that can match anything.
func parseGitPattern(line string) (p gitPattern, ok bool) {
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
	p.text = latin1(line)
	if strings.ContainsAny(line, wildcards) {
		p.expression = globExpression(line)
		return p, p.expression != nil
	}
	return p, true
}

// trimBlanks cuts the blanks at the end of a line, but for one behind a backslash and those before it.
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

// latin1 gives text of which each byte is a character, because a wildcard of git stands for a byte.
func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
