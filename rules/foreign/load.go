package foreign

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules"
)

// endings are those of the files of a folder that are read as rules.
var endings = []string{".yaml", ".yml", ".reb"}

// Load is [rules.LoadFiles] for packs of regvet and for files of other programs alike. It returns these as well, with what became of each rule
// in them.
func Load(fsys fs.FS, path string) (packs []*rules.Pack, read []*Source, err error) {
	packs, err = rules.LoadFilesBy(fsys, path, belongs, func(name string, data []byte) (*rules.Pack, error) {
		if formatOf(name, data) == nil {
			return rules.LoadFile(name, data)
		}
		s, err := parse(fsys, name, data, "")
		if err != nil {
			return nil, err
		}
		read = append(read, s)
		if s.Count(None) == len(s.Rows) {
			return nil, nil // what is told of it tells that
		}
		_, pack, err := Pack("", s)
		return pack, err
	})
	return packs, read, err
}

// Files returns the files that a path stands for: itself or, for a folder, all rule files in YAML in it and below it, sorted.
func Files(fsys fs.FS, path string) (files []string, err error) {
	if info, err := fs.Stat(fsys, path); err != nil || !info.IsDir() {
		return []string{path}, nil // what is wrong with it is told by who reads it
	}
	err = fs.WalkDir(fsys, path, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && belongs(name) {
			files = append(files, name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, &hive.Problem{Source: path, Kind: BadForeign, Msg: "the folder cannot be read: " + hive.Cause(err).Error()}
	case files == nil:
		return nil, &hive.Problem{Source: path, Kind: BadForeign, Msg: "the folder holds no rule file (*.yaml, *.yml)"}
	}
	return files, nil
}

func belongs(name string) bool { return slices.Contains(endings, strings.ToLower(filepath.Ext(name))) }
