package image

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// The descriptor of a VMDK image is text: "CID=fffffffe", then the extents in the order of the disk, 'RW 4192256 SPARSE "disk-s001.vmdk"', then
// what the machine is told of the disk, 'ddb.adapterType = "ide"' (Virtual Disk Format 5.0, "The Descriptor File").

const (
	mostDescriptor = 1 << 20 // bytes
	mostExtents    = 1 << 15 // a disk of 64 TB in pieces of 2 GB
	noParent       = 1<<32 - 1
)

// vmdkDescriptor is what a descriptor says.
type vmdkDescriptor struct {
	values  map[string]string // by their names in lower case
	extents []extentLine
}

// extentLine says where the next sectors of the disk are.
type extentLine struct {
	line int64 // offset of the line in the descriptor
	size int64 // bytes
	kind string
	name string
	from int64 // bytes into the file at which a flat extent begins
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// isDescriptor reports whether text begins as a descriptor does: comments may stand before its signature.
func isDescriptor(head []byte) bool {
	for line := range bytes.Lines(bytes.TrimPrefix(head, byteOrderMark)) {
		switch line = bytes.TrimSpace(line); {
		case len(line) > 0 && line[0] != '#':
			return false
		case bytes.EqualFold(bytes.TrimSpace(bytes.TrimPrefix(line, []byte("#"))), []byte("Disk DescriptorFile")):
			return true
		}
	}
	return false
}

// readDescriptor reads size bytes of a file, or what of them comes before a zero.
func readDescriptor(s *source, at, size int64) (*vmdkDescriptor, error) {
	if size > mostDescriptor {
		return nil, refuse(s, at, "has a descriptor of %d bytes, more than 1 MB", size)
	}
	data, err := s.read(at, int(size))
	if err != nil {
		return nil, err
	}
	data, _, _ = bytes.Cut(data, []byte{0})
	if !isDescriptor(data) {
		return nil, refuse(s, at, "has no descriptor, which says what the image consists of")
	}
	d := &vmdkDescriptor{values: map[string]string{}}
	for raw := range bytes.Lines(data) {
		if err := d.add(d.text(bytes.TrimPrefix(raw, byteOrderMark)), at); err != nil {
			return nil, refuse(s, at, "has a damaged descriptor: %v", err)
		}
		at += int64(len(raw))
	}
	if len(d.extents) == 0 {
		return nil, refuse(s, at, "has a descriptor that names no extents")
	}
	return d, nil
}

// text returns a line, which is UTF-8 if a line before it does not say otherwise.
func (d *vmdkDescriptor) text(line []byte) string {
	line = bytes.TrimSpace(line)
	if strings.EqualFold(d.values["encoding"], "windows-1252") || !utf8.Valid(line) {
		line, _ = charmap.Windows1252.NewDecoder().Bytes(line) // which knows no error
	}
	return string(line)
}

// add reads a line, which stands at an offset.
func (d *vmdkDescriptor) add(line string, at int64) error {
	access, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "" || line[0] == '#':
	case access == "RW" || access == "RDONLY" || access == "NOACCESS":
		e, err := parseExtent(rest)
		e.line = at
		d.extents = append(d.extents, e)
		if len(d.extents) > mostExtents {
			return errors.New("it has more than 32768 extents")
		}
		return err
	default:
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.Trim(strings.TrimSpace(value), `"`)
		if !ok || strings.ContainsAny(name, " \"") {
			return fmt.Errorf("it has no such line as %q", cutText(line))
		}
		if other, twice := d.values[name]; twice && other != value {
			return fmt.Errorf("it gives %s two values", cutText(name))
		}
		d.values[name] = value
	}
	return nil
}

// parseExtent reads what follows the access: 63 FLAT "disk-flat.vmdk" 0.
func parseExtent(line string) (e extentLine, err error) {
	sectors, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	kind, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseUint(sectors, 10, 48)
	if err != nil || kind == "" {
		return e, fmt.Errorf("its line of an extent, %q, lacks its size or its type", cutText(line))
	}
	e.size, e.kind = int64(n)*sector, strings.ToUpper(kind)
	if _, rest, ok := strings.Cut(rest, `"`); ok {
		name, rest, ok := strings.Cut(rest, `"`)
		if !ok {
			return e, fmt.Errorf("its line of an extent, %q, is cut off", cutText(line))
		}
		e.name = name
		if after := strings.Fields(rest); len(after) > 0 {
			from, err := strconv.ParseUint(after[0], 10, 48)
			if err != nil {
				return e, fmt.Errorf("its line of an extent, %q, has no number after the name", cutText(line))
			}
			e.from = int64(from) * sector
		}
	}
	return e, nil
}

// content returns a content identifier: it changes when the content does, and a disk that builds on another names that of the other.
func (d *vmdkDescriptor) content(name string) (id uint32, ok bool) {
	n, err := strconv.ParseUint(d.values[name], 16, 32)
	return uint32(n), err == nil
}

// parent returns the name that the image this one builds on has in the same folder.
func (d *vmdkDescriptor) parent() string {
	hint := d.values["parentfilenamehint"]
	return hint[strings.LastIndexAny(hint, `/\`)+1:]
}

// cutText returns text as a message can show it.
func cutText(s string) string { return s[:min(len(s), 60)] }
