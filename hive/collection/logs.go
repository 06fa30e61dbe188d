package collection

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
)

func readLog(fsys fs.FS, name string, named bool) ([]byte, error) {
	open := openFound
	if named {
		open = fs.FS.Open
	}
	f, err := openFile(open, fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return hive.ReadFile(f, name, hive.MaxSize)
}

// beside lists the transaction logs of a hive in its folder, whatever the case of their names.
func beside(fsys fs.FS, name string) []string {
	if name == StandardInput {
		return nil
	}
	folder, base := path.Split(name)
	in := func() logs { return logsIn(fsys, path.Clean(folder)) }
	escape := func(log string) string { return log }
	if l, ok := fsys.(*Local); ok {
		_, _, isObject := l.object(name)
		switch {
		case l.isPlace(name):
			parts := evidence.Split(name)
			base, escape = path.Base(parts[len(parts)-1]), evidence.Escape
			fallthrough
		case isObject:
			in = func() logs { return l.logsIn(folder) }
		default:
			folder, base = filepath.Split(name)
			in = func() logs { return l.logsIn(filepath.Clean(folder)) }
		}
	}
	var all []string
	for _, log := range in().of(base) {
		all = append(all, folder+escape(log))
	}
	return all
}

// logs are names of transaction logs, by what their hives are called: the name without its extension, folded.
type logs map[string][]string

// logsIn returns the logs of a folder. Where that cannot be listed there are none: the hive itself can be read all the same.
func logsIn(fsys fs.FS, folder string) logs {
	all := logs{}
	entries, _ := fs.ReadDir(fsys, folder)
	for _, e := range entries {
		all.add(e.Name())
	}
	return all
}

// add notes a name if it is one of a log, whatever is behind it: if that is needed and cannot be read, reading it tells.
func (l logs) add(name string) {
	if isLogName(name) {
		of := hive.Fold(strings.TrimSuffix(name, path.Ext(name)))
		l[of] = append(l[of], name)
	}
}

// isLogName reports whether a file has the name of a transaction log.
func isLogName(name string) bool {
	return slices.Contains([]string{".log", ".log1", ".log2"}, strings.ToLower(path.Ext(name)))
}

// of returns the logs of a hive, in the order in which Windows numbers them.
func (l logs) of(name string) []string {
	return slices.SortedStableFunc(slices.Values(l[hive.Fold(name)]), func(a, b string) int {
		return strings.Compare(strings.ToLower(path.Ext(a)), strings.ToLower(path.Ext(b)))
	})
}
