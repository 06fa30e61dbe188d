package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"regvet/internal/glob"
	"regvet/internal/worktree"
)

// regFileFlags are those that choose among the .reg files of folders.
func regFileFlags(f *pflag.FlagSet, o *options) {
	f.StringArrayVar(&o.exclude, "exclude", nil, "leave out the files and folders that match this `GLOB`, such as third_party or **/*.old.reg, also those that are named (repeatable)")
	f.BoolVar(&o.allowEmpty, "allow-empty", false, "exit 0 if no .reg file is found")
}

// regFiles returns the .reg files of the command line, as [worktree.Find] does. It says what is wrong; a command that gets no files has
// nothing more to do, unless the flags allow it.
func (c *cli) regFiles() []string {
	var exclude glob.List
	for _, text := range c.exclude {
		text, err := glob.Parse(filepath.ToSlash(text), "the current folder")
		if err != nil {
			c.fail(statusUsage, "--exclude: %v", err)
		}
		exclude = append(exclude, text)
	}
	if c.status >= statusUsage {
		return nil
	}
	found := worktree.Find(c.args, exclude)
	for _, err := range found.Problems {
		c.fail(statusInput, "%v", err)
	}
	if len(found.Files) == 0 && !c.allowEmpty {
		hint := ""
		switch {
		case found.Excluded && found.Ignored:
			hint = " that neither git ignores nor --exclude leaves out"
		case found.Excluded:
			hint = " that --exclude does not leave out"
		case found.Ignored:
			hint = " that git does not ignore"
		}
		c.fail(statusUsage, "there is no .reg file%s in %s; --allow-empty takes that for no error", hint, strings.Join(c.args, ", "))
	}
	return found.Files
}
