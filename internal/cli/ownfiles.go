package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"regvet/hive"
	"regvet/internal/worktree"
	"regvet/rules/strict"
)

// ownFiles holds the files that a config can name if it was found. Their names are paths as messages show them.
type ownFiles struct {
	top     string
	endings []string // the extensions that they can have, links resolved
}

// Open implements [fs.FS]. A folder can have any extension.
func (o ownFiles) Open(name string) (fs.File, error) {
	refuse := func(err error) (fs.File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	absolute, err := filepath.Abs(name)
	if err != nil {
		return refuse(err)
	}
	rel, err := filepath.Rel(o.top, absolute)
	if err != nil || !filepath.IsLocal(rel) {
		return refuse(errors.New("it is outside of the repository; a config can only name files inside"))
	}
	folder, err := worktree.OpenFolder(o.top)
	if err != nil {
		return refuse(err)
	}
	defer folder.Close()
	f, err := folder.Open(filepath.ToSlash(rel))
	if err != nil {
		err = hive.Cause(err)
		if cause := errors.Unwrap(err); cause != nil {
			return refuse(cause)
		}
		return refuse(fmt.Errorf("it %w", err))
	}
	info, err := f.Stat()
	real, realErr := filepath.EvalSymlinks(absolute)
	if err = cmp.Or(err, realErr); err == nil && !info.IsDir() && !slices.Contains(o.endings, filepath.Ext(real)) {
		err = fmt.Errorf("its name does not end in %s", strict.List(o.endings, "or"))
	}
	if err != nil {
		f.Close()
		return refuse(err)
	}
	return f, nil
}
