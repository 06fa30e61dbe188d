//go:build linux || darwin

package draft

import (
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// origin is what a file takes over from the one that it replaces.
type origin struct {
	perm       fs.FileMode
	uid, gid   int
	attributes []attribute
}

// attribute is an extended attribute.
type attribute struct {
	name string
	data []byte
}

// maxAttributes is how many bytes of extended attributes are kept of one file. Linux permits 64 KB each, macOS any number.
const maxAttributes = 1 << 20

// originOf returns what there is to keep of a file. Attributes that cannot be read are left out.
func originOf(f *os.File, info fs.FileInfo) *origin {
	stat := info.Sys().(*syscall.Stat_t)
	o := &origin{perm: info.Mode().Perm(), uid: int(stat.Uid), gid: int(stat.Gid)}
	left := maxAttributes
	fd := int(f.Fd())
	for _, name := range attributeNames(fd) {
		size, err := unix.Fgetxattr(fd, name, nil)
		if err != nil || size > left {
			continue
		}
		data := make([]byte, size)
		if size, err = unix.Fgetxattr(fd, name, data); err == nil && size <= len(data) { // it may have grown meanwhile
			o.attributes = append(o.attributes, attribute{name, data[:size]})
			left -= size
		}
	}
	return o
}

// restore applies the origin to a new file. Only setting the permission bits must succeed; the rest depends on the user and on the file system.
// If the group cannot be kept, the new group gets no more rights than everybody has, because they were meant for the old one.
func (o *origin) restore(f *os.File) error {
	perm := o.perm
	if f.Chown(o.uid, o.gid) != nil && f.Chown(-1, o.gid) != nil {
		perm &^= 0o070 &^ (perm & 0o007 << 3)
	}
	fd := int(f.Fd())
	for _, name := range attributeNames(fd) { // a folder may give its new files an access control list
		if !slices.ContainsFunc(o.attributes, func(a attribute) bool { return a.name == name }) {
			_ = unix.Fremovexattr(fd, name)
		}
	}
	for _, a := range o.attributes {
		_ = unix.Fsetxattr(fd, a.name, a.data, 0)
	}
	return f.Chmod(perm) // last: it narrows what an access control list grants, too
}

// attributeNames lists the extended attributes of a file that are worth keeping.
func attributeNames(fd int) []string {
	list := make([]byte, 1<<16) // what Linux permits
	n, err := unix.Flistxattr(fd, list)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(strings.Split(string(list[:n]), "\x00"), func(name string) bool { return name == "" || !isKept(name) })
}

// isKept reports whether an extended attribute is kept when the content of a file changes. On Linux, some belong to the content (security.ima,
// security.capability) or to the internals of a file system (trusted.overlay.*).
func isKept(name string) bool {
	if runtime.GOOS != "linux" || strings.HasPrefix(name, "user.") {
		return true
	}
	switch name {
	case "system.posix_acl_access", "system.nfs4_acl", "security.NTACL", "security.selinux":
		return true
	}
	return false
}
