package foreign

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"regvet/rules"
)

// endings are those of the files of a folder that are read as rules.
var endings = []string{".yaml", ".yml"}

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

func belongs(name string) bool { return slices.Contains(endings, strings.ToLower(filepath.Ext(name))) }
