package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/pflag"

	"regvet/hive"
)

// regFileFlags choose among the .reg files of folders.
type regFileFlags struct {
	exclude    []string
	allowEmpty bool
}

func (r *regFileFlags) define(f *pflag.FlagSet) {
	f.StringArrayVar(&r.exclude, "exclude", nil, "leave out the files and folders that match this `GLOB`, such as third_party or **/*.old.reg, also those that are named (repeatable)")
	f.BoolVar(&r.allowEmpty, "allow-empty", false, "exit with 0 if there is no .reg file")
}

// repositories are where programs that keep versions keep them. No file in one is anybody's .reg file.
var repositories = []string{".git", ".hg", ".svn", ".jj"}

// regFiles gives the .reg files of the command line, with those of a folder and of the folders below in its place, each file once. In a
// folder, what git ignores is left out. Links to files are followed, links to folders are not. It says what is wrong; a command that gets
// no files has nothing more to do, unless the flags allow it.
func (r *regFileFlags) find(out *session, args []string) []string {
	s := search{session: out, seen: map[string]bool{}}
	for i, glob := range r.exclude {
		glob = filepath.ToSlash(glob)
		switch {
		case !doublestar.ValidatePattern(glob):
			s.fail(statusUsage, "--exclude: %q is no glob: a bracket or a brace is not closed", r.exclude[i])
		case path.IsAbs(glob) || filepath.IsAbs(r.exclude[i]) || glob == ".." || strings.HasPrefix(glob, "../"):
			s.fail(statusUsage, "--exclude: %q leads out of the current folder, to which a glob is relative; start it with **/", r.exclude[i])
		}
		s.exclude = append(s.exclude, strings.TrimSuffix(strings.TrimPrefix(glob, "./"), "/"))
	}
	if s.failed() {
		return nil
	}
	s.home, _ = os.Getwd() // without it, globs are held against the names as they are given
	for _, arg := range args {
		s.argument(arg)
	}
	if len(s.files) == 0 && !r.allowEmpty {
		hint := ""
		switch {
		case s.excluded && s.ignored:
			hint = " that neither git ignores nor --exclude leaves out"
		case s.excluded:
			hint = " that --exclude does not leave out"
		case s.ignored:
			hint = " that git does not ignore"
		}
		s.fail(statusUsage, "there is no .reg file%s in %s; --allow-empty takes that for no error", hint, strings.Join(args, ", "))
	}
	return s.files
}

// search is a search for .reg files.
type search struct {
	*session
	exclude  []string // globs
	home     string
	seen     map[string]bool // the files that were found, by their path without symbolic links
	files    []string
	excluded bool // something matched a glob
	ignored  bool // git ignores something
}

// argument takes what the command line names.
func (s *search) argument(arg string) {
	if arg == "-" {
		s.add(arg, arg)
		return
	}
	real, err := filepath.Abs(arg)
	for p := s.relative(real, arg); err == nil && p != "." && p != "/"; p = path.Dir(p) {
		if s.excludes(p) {
			return
		}
	}
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	info, e := os.Stat(arg)
	if err != nil || e != nil || !info.IsDir() {
		s.add(arg, real) // if there is something wrong with it, reading it will tell
		return
	}
	g, err := newGitFolder(real)
	s.unreadable(err)
	s.walk(arg, real, g)
}

// relative is a path from the current folder on, with slashes.
func (s *search) relative(absolute, name string) string {
	if rel, err := filepath.Rel(s.home, absolute); err == nil {
		name = rel
	}
	return filepath.ToSlash(filepath.Clean(name))
}

// excludes tells whether a glob matches a path itself.
func (s *search) excludes(path string) bool {
	found := slices.ContainsFunc(s.exclude, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
	s.excluded = s.excluded || found
	return found
}

// add adds a file, unless it was found before. Its real path is one without symbolic links.
func (s *search) add(name, real string) {
	if !s.seen[real] {
		s.seen[real] = true
		s.files = append(s.files, name)
	}
}

// walk adds the files of a folder, and those of the folders in it.
func (s *search) walk(folder, real string, g *gitFolder) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		s.fail(statusInput, "%s: cannot be read: %v", folder, hive.Cause(err))
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		absolute = real
	}
	for _, e := range entries {
		name, isReg := filepath.Join(folder, e.Name()), strings.EqualFold(filepath.Ext(e.Name()), ".reg")
		if !e.IsDir() && !isReg || e.IsDir() && slices.Contains(repositories, e.Name()) {
			continue
		}
		if g.ignores(e.Name(), e.IsDir()) {
			s.ignored = true
			continue
		}
		if s.excludes(s.relative(filepath.Join(absolute, e.Name()), name)) {
			continue
		}
		inside := filepath.Join(real, e.Name())
		switch {
		case e.IsDir() && isTop(inside): // another repository, with rules of its own
			g, err := newGitFolder(inside)
			s.unreadable(err)
			s.walk(name, inside, g)
		case e.IsDir():
			g := g
			if g != nil {
				g, err = g.enter(inside, e.Name())
				s.unreadable(err)
			}
			s.walk(name, inside, g)
		case e.Type().IsRegular():
			s.add(name, inside)
		case e.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() {
				if target, err := filepath.EvalSymlinks(inside); err == nil {
					inside = target
				}
				s.add(name, inside) // if it leads nowhere, reading it will tell
			}
		}
	}
}

// unreadable says which files, that tell what git ignores, could not be read.
func (s *search) unreadable(err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		s.fail(statusInput, "%s", line)
	}
}
