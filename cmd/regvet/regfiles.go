package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"regvet/hive"
)

// regFiles gives the .reg files of the command line, with those of a folder in its place.
func (c *cli) regFiles() []string {
	var files []string
	for _, arg := range c.args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			files = append(files, arg)
			continue
		}
		before := len(files)
		// The walk never fails: what goes wrong is said.
		_ = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				c.fail(statusInput, "%s: cannot be read: %v", path, hive.Cause(err))
			case d.IsDir() && d.Name() == ".git":
				return fs.SkipDir
			case !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".reg"):
				files = append(files, path)
			}
			return nil
		})
		if len(files) == before {
			c.fail(statusUsage, "%s: the folder holds no .reg file", arg)
		}
	}
	return files
}
