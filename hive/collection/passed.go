package collection

import (
	"fmt"
	"path"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
)

// passed are the files of a folder that may hold or be a hive and are passed over, by what they are, in the order in which the first of each was met.
type passed struct {
	folder     string // that is walked
	kinds      []string
	count      map[string]int
	first      map[string]string // the name of the first
	containers []string          // images and archives that are to be opened
	unknown    []string          // files that are named as images and begin as none
	opens      bool              // whether containers are opened, and not passed over
	partly     bool              // some folders of an image were not searched
	told       map[string]bool   // gaps that were told, of which each may show in many folders
}

func (p *passed) add(kind, name string) {
	if p.count == nil {
		p.count, p.first = map[string]int{}, map[string]string{}
	}
	if p.count[kind]++; p.count[kind] == 1 {
		p.kinds = append(p.kinds, kind)
		p.first[kind] = name
	}
}

// text returns in one line what was passed over, or "". The names of files are made by join of those in the folder.
func (p *passed) text(join func(string) string) string {
	var parts []string
	for _, kind := range p.kinds {
		name := hive.Visible(join(p.first[kind]))
		if n := p.count[kind]; n > 1 {
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

// addContainer adds a file if it is an image or an archive. An archive is opened only if its name says that it is one: documents and programs are
// archives too, and nobody means them.
func (p *passed) addContainer(head []byte, name string) {
	switch kind := evidence.KindOf(head, nil); {
	case kind == nil:
		if p.opens && namedImage(name) {
			p.unknown = append(p.unknown, name)
		}
	case p.opens && (kind.Is == evidence.Image || kind.Is == evidence.Archive && namedArchive(name)):
		p.containers = append(p.containers, name)
	default:
		p.add(kind.Name, name)
	}
}

// namedArchive reports whether a file has the name of an archive.
func namedArchive(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".zip", ".7z", ".tar", ".gz", ".tgz", ".xz", ".txz", ".zst", ".tzst", ".bz2", ".tbz2", "":
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
)

// mattersByName reports whether a file that cannot be read is missed because of its name: that of a hive, of one of its logs, or of .reg text.
func mattersByName(name string) bool {
	return hive.KnownName(path.Base(name)) != "" || isLogName(name) || strings.EqualFold(path.Ext(name), ".reg")
}

// addEmpty adds a file that is empty and has the name of a hive.
func (p *passed) addEmpty(name string) {
	if hive.EqualFold(path.Base(path.Dir(path.Join(p.folder, name))), "RegBack") {
		p.add(emptyBackup, name)
		return
	}
	p.add(emptyHive, name)
}
