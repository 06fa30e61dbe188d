package worktree

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/internal/glob"
)

// Found is the result of a search.
type Found struct {
	Files    []string // named as the arguments are, or with an argument as their beginning
	Problems []error  // what could not be read, one line each
	Excluded bool     // whether a glob left out something
	Ignored  bool     // whether git left out something
}

// Find returns the .reg files that the arguments name, each once. A file is taken whatever its name is; a folder stands for the .reg files in
// it and below, in the order of their names. The globs, which are relative to the current folder, leave out files of both kinds. In a folder,
// files that git ignores and does not track are left out, too. Links to files are followed; links to folders are followed only if they are
// arguments. The argument "-" is returned as it is.
func Find(args []string, exclude glob.List) *Found {
	s := search{exclude: exclude, seen: map[string]bool{}, repositories: map[string]*repository{}}
	s.home, _ = os.Getwd() // without it, globs are held against the names as they are given
	for _, arg := range args {
		s.argument(arg)
	}
	return &s.Found
}

// stores are the folders in which version control keeps its data. Nobody works on a .reg file in there.
var stores = []string{".git", ".hg", ".svn", ".jj"}

// search is a search for .reg files.
type search struct {
	Found
	exclude      glob.List
	home         string
	seen         map[string]bool        // the files that were found, by their path without symbolic links
	repositories map[string]*repository // by their top
}

// argument searches one argument.
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
		s.add(arg, real) // whatever is wrong with it will be said when it is read
		return
	}
	s.walk(arg, real, s.opened(real))
}

// opened is [search.open] with its errors among the problems.
func (s *search) opened(real string) *folder {
	f, err := s.open(real)
	s.problem(err)
	return f
}

// relative returns the path from the current folder to an absolute path, with / between the names. If there is none, it is that of name.
func (s *search) relative(absolute, name string) string {
	if rel, err := filepath.Rel(s.home, absolute); err == nil {
		name = rel
	}
	return filepath.ToSlash(filepath.Clean(name))
}

// excludes reports whether a glob matches a path.
func (s *search) excludes(path string) bool {
	found := s.exclude.Match(path)
	s.Excluded = s.Excluded || found
	return found
}

// add adds a file unless it was found before. Its real path has no symbolic links.
func (s *search) add(name, real string) {
	if !s.seen[real] {
		s.seen[real] = true
		s.Files = append(s.Files, name)
	}
}

// isReg reports whether the name of a file ends as those of .reg files do. It takes the same time for names of any length.
func isReg[T string | []byte](name T) bool {
	const end = ".reg"
	return len(name) >= len(end) && strings.EqualFold(string(name[len(name)-len(end):]), end)
}

// walk adds the .reg files in a folder and below.
func (s *search) walk(name, real string, f *folder) {
	entries, err := os.ReadDir(name)
	if err != nil {
		s.problem(fmt.Errorf("%s: cannot be read: %v", name, hive.Cause(err)))
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		absolute = real
	}
	for _, e := range entries {
		name := filepath.Join(name, e.Name())
		if !e.IsDir() && !isReg(e.Name()) || e.IsDir() && slices.Contains(stores, e.Name()) {
			continue
		}
		if f.leavesOut(e.Name(), e.IsDir()) {
			s.Ignored = true
			continue
		}
		if s.excludes(s.relative(filepath.Join(absolute, e.Name()), name)) {
			continue
		}
		inside := filepath.Join(real, e.Name())
		switch {
		case e.IsDir() && IsTop(inside): // another repository, with rules of its own
			s.walk(name, inside, s.opened(inside))
		case e.IsDir():
			f := f
			if f != nil {
				f, err = f.enter(inside, e.Name())
				s.problem(err)
			}
			s.walk(name, inside, f)
		case e.Type().IsRegular():
			s.add(name, inside)
		case e.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() {
				if target, err := filepath.EvalSymlinks(inside); err == nil {
					inside = target
				}
				s.add(name, inside) // if it leads nowhere, that will be said when it is read
			}
		}
	}
}

// problem adds an error, or those that are joined in it, to the problems. It may be nil.
func (s *search) problem(err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		s.Problems = append(s.Problems, all.Unwrap()...)
	} else if err != nil {
		s.Problems = append(s.Problems, err)
	}
}
