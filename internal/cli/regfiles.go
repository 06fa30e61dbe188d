package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"regvet/internal/glob"
	"regvet/internal/worktree"
)

// regFileFlags choose which .reg files of folders to read.
type regFileFlags struct {
	exclude    []string
	allowEmpty bool
}

func (r *regFileFlags) define(f *pflag.FlagSet) {
	f.StringArrayVar(&r.exclude, "exclude", nil, "skip the files and folders that match this `GLOB`, such as third_party or **/*.old.reg, even if they are named (repeatable)")
	f.BoolVar(&r.allowEmpty, "allow-empty", false, "exit with 0 if no .reg file is found")
}

// find returns the .reg files that the arguments name, as [worktree.Find] does, and writes what is wrong. Finding no file is an error unless
// --allow-empty is set.
func (r *regFileFlags) find(s *session, args []string) []string {
	var exclude glob.List
	for _, text := range r.exclude {
		text, err := glob.Parse(filepath.ToSlash(text), "the current folder")
		if err != nil {
			s.fail(statusUsage, "--exclude: %v", err)
		}
		exclude = append(exclude, text)
	}
	if s.failed() {
		return nil
	}
	found := worktree.Find(args, exclude)
	for _, err := range found.Problems {
		s.fail(statusInput, "%v", err)
	}
	if len(found.Files) == 0 && !r.allowEmpty {
		hint := ""
		switch {
		case found.Excluded && found.Ignored:
			hint = " that neither git ignores nor --exclude leaves out"
		case found.Excluded:
			hint = " that --exclude does not leave out"
		case found.Ignored:
			hint = " that git does not ignore"
		}
		s.fail(statusUsage, "there is no .reg file%s in %s; give --allow-empty if that is no error", hint, strings.Join(args, ", "))
	}
	return found.Files
}
