//go:build !linux && !darwin

package draft

import (
	"io/fs"
	"os"
)

// origin is what a file takes over from the one that it replaces.
type origin struct{ perm fs.FileMode }

func originOf(_ *os.File, info fs.FileInfo) *origin { return &origin{info.Mode().Perm()} }

func (o *origin) restore(f *os.File) error { return f.Chmod(o.perm) }
