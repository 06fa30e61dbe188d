package collection

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
)

// passed are the files of a folder that may hold or be a hive and are passed over, by what they are, in the order in which the first of each was met.
type passed struct {
	folder     string              // that is walked
	join       func(string) string // makes the name that is told of one in the folder
	kinds      []string
	counts     map[string]int
	first      map[string]string // what the first is called
	containers []container       // that are to be opened
	unknown    []string          // files that are named as images and begin as none
	opens      bool              // whether containers are opened, and not passed over
	shadows    bool              // whether the shadow copies in an image are searched
	protect    func(name string) // what may be evidence too, although it is not opened; nil where nothing can be replaced
	partly     bool              // some folders of an image were not searched
	told       map[string]bool   // gaps that were told, of which each may show in many folders
}

// container is an image or archive that was met.
type container struct {
	name  string
	class evidence.Class
}

func (p *passed) add(kind, name string) { p.count(kind, p.join(name), 1) }

func (p *passed) count(kind, first string, n int) {
	if p.counts == nil {
		p.counts, p.first = map[string]int{}, map[string]string{}
	}
	if p.counts[kind] == 0 {
		p.kinds = append(p.kinds, kind)
		p.first[kind] = first
	}
	p.counts[kind] += n
}

// merge adds what was passed over in a container that lies in the folder: a folder can hold a thousand of them, with the same files.
func (p *passed) merge(inside *passed) {
	for _, kind := range inside.kinds {
		p.count(kind, inside.first[kind], inside.counts[kind])
	}
	p.partly = p.partly || inside.partly
}

// text returns in one line what was passed over, or "".
func (p *passed) text() string {
	var parts []string
	for _, kind := range p.kinds {
		name := hive.Visible(p.first[kind])
		if n := p.counts[kind]; n > 1 {
			parts = append(parts, fmt.Sprintf("%d files like %s, which is %s", n, name, kind))
		} else {
			parts = append(parts, fmt.Sprintf("%s, which is %s", name, kind))
		}
	}
	if p.partly {
		parts = append(parts, "folders in which Windows keeps no hives, which were not all searched; give one by its place to have it searched")
	}
	return strings.Join(parts, "; ")
}

// addContainer adds a file if it is an image or an archive. An archive is opened only if its name says that it is one, or nothing
// at all: documents and programs are archives too, and nobody means them.
func (p *passed) addContainer(head []byte, name string) {
	switch kind := evidence.KindOf(head, nil); {
	case kind == nil:
		if p.opens && namedImage(name) {
			p.unknown = append(p.unknown, name)
		}
	case p.opens && (kind.Class == evidence.Image || kind.Class == evidence.Archive && (namedArchive(name) || path.Ext(name) == "")):
		p.containers = append(p.containers, container{name, kind.Class})
	default:
		p.add(kind.Name, name)
		if p.protect != nil {
			p.protect(name)
		}
	}
}

// namedArchive reports whether a file has the name of an archive.
func namedArchive(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".zip", ".7z", ".tar", ".gz", ".tgz", ".xz", ".txz", ".zst", ".tzst", ".bz2", ".tbz2":
		return true
	}
	return false
}

// namedImage reports whether a file has the name of an image, or of a piece of one.
func namedImage(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".dd", ".raw", ".img", ".e01", ".ex01", ".s01", ".l01", ".ad1", ".aff", ".aff4", ".vhd", ".vhdx", ".avhd", ".avhdx", ".vmdk", ".vdi", ".qcow2", ".qcow", ".dmg":
		return true
	}
	return len(ext) == 4 && strings.Trim(ext[1:], "0123456789") == ""
}

// What is passed over, besides containers.
const (
	unknownImage = "named as an image or a piece of one, and begins as none that is known"
	leadsNowhere = "a link that leads nowhere"
	emptyBackup  = "empty, as Windows leaves its backups in RegBack since Windows 10 1803"
	emptyHive    = "an empty file with the name of a hive"
	emptyArchive = "an empty file with the name of an archive"
	toFolder     = "a link to a folder that is not searched through it"
	noFile       = "a pipe, a socket or a device"
)

// mattersByName reports whether a file that cannot be read is missed because of its name: that of a hive, of one of its logs, or of .reg text.
func mattersByName(name string) bool {
	return hive.KnownName(path.Base(name)) != "" || isLogName(name) || strings.EqualFold(path.Ext(name), ".reg")
}

// addOther adds what is no regular file: a link to a folder, and what has the name of a hive or of an archive.
func (p *passed) addOther(name string, info fs.FileInfo) {
	switch {
	case info.IsDir():
		p.add(toFolder, name)
	case info.Mode().Type() != fs.ModeSymlink && (mattersByName(name) && !isLogName(name) || namedArchive(name)): // of a log, its hive tells
		p.add(noFile, name)
	}
}

// addEmpty adds an empty file if it has the name of a hive or of an archive, and reports whether it has.
func (p *passed) addEmpty(name string) bool {
	switch {
	case hive.KnownName(path.Base(name)) == "" && !namedArchive(name):
		return false
	case hive.KnownName(path.Base(name)) == "":
		p.add(emptyArchive, name)
	case hive.EqualFold(path.Base(path.Dir(path.Join(p.folder, name))), "RegBack"):
		p.add(emptyBackup, name)
	default:
		p.add(emptyHive, name)
	}
	return true
}
