package image

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"sort"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// A VMDK image is a disk of VMware: a descriptor, and extents, one after the other, in files of their own or in that of the descriptor. It may
// build on another image, which has what was not written since a snapshot was taken. Sources: VMware, Virtual Disk Format 5.0; libvmdk, "VMware
// Virtual Disk (VMDK) format specification".

const (
	mostFiles   = 4096 // of an image with all that it builds on
	mostParents = 32   // VMware allows 31 snapshots
)

func isVMDK(head, _ []byte) bool {
	return isSparse(head) || isCOWD(head) || isDescriptor(head) || isSESparse(head)
}

// isSESparse tells the extents of snapshots on newer ESX servers, whose format is not public.
func isSESparse(head []byte) bool {
	return strings.HasPrefix(string(head), "\xbe\xba\xfe\xca\x00\x00\x00\x00")
}

// vmdk is a VMDK image that is being opened, with those that it builds on.
type vmdk struct {
	beside   Beside
	held     *held
	files    map[string]*source // that lie beside the image, by name
	names    map[string]bool    // of the images so far, in lower case
	sparse   map[*source]bool   // are sparse extents
	opened   []*source
	problems []hive.Problem
}

// disk is one of the images.
type disk struct {
	*vmdk
	*source // the file with the descriptor
	text    *vmdkDescriptor
	extents []extent // in the order of the disk
	size    int64
	parent  *mapped
	without string // why what the parent has cannot be read; "" if there is none, or if it can
}

// extent is a part of a disk.
type extent struct {
	from, size int64 // bytes
	find       func(at, most int64) (mappedRun, error)
}

func openVMDK(f block.File, beside Beside) (*Image, error) {
	v := &vmdk{beside: beside, held: newHeld(), files: map[string]*source{}, names: map[string]bool{}, sparse: map[*source]bool{}}
	s := &source{f, v.held}
	d, err := v.disk(s, 0)
	if err != nil {
		for _, s := range v.opened {
			s.Close()
		}
		return nil, err
	}
	i := &Image{Reader: &mapped{d.size, d.find}, Kind: d.kind(), Sector: sector, Facts: d.facts(), Problems: v.problems}
	for _, s := range append([]*source{s}, v.opened...) {
		i.Files = append(i.Files, File{s.Name(), s.Size()})
		i.close = append(i.close, s)
	}
	return i, nil
}

// disk opens an image by the file that has its descriptor.
func (v *vmdk) disk(s *source, depth int) (*disk, error) {
	d := &disk{vmdk: v, source: s}
	v.names[strings.ToLower(baseName(s.Name()))] = true
	alone, err := d.describe()
	if err != nil {
		return nil, err
	}
	for _, line := range d.text.extents {
		e := extent{from: d.size, size: line.size}
		if e.find, err = d.extent(line, alone); err != nil {
			return nil, err
		}
		if line.size > 1<<62-d.size {
			return nil, refuse(s, line.line, "claims a disk of more than 4 EB")
		}
		d.extents = append(d.extents, e)
		d.size += line.size
	}
	d.findParent(depth)
	kind, version := d.text.values["createtype"], d.text.values["version"]
	if kinds[strings.ToLower(kind)] == "" || len(version) != 1 || version > "4" {
		d.problems = append(d.problems, told(s, 0, false, "has a descriptor of the unknown type %q and version %q: it may be damaged",
			cutText(kind), cutText(version)))
	}
	return d, nil
}

// piecesOf are the names of extents of a disk, which a descriptor beside them describes.
var piecesOf = regexp.MustCompile(`(?i)(-[sf]\d{3,}|-delta|-sesparse)\.vmdk$`)

// describe reads the descriptor of a disk. If the file is an extent as well, that is returned.
func (d *disk) describe() (*grains, error) {
	head, err := block.Read(d.source, 0, int(min(4096, d.Size())))
	if err != nil {
		return nil, err
	}
	if isDescriptor(head) {
		d.text, err = readDescriptor(d.source, 0, d.Size())
		return nil, err
	}
	if isSparse(head) {
		h, err := readSparseHeader(d.source, 0)
		if err == nil {
			err = h.check(d.source)
		}
		if err != nil {
			return nil, err
		}
		if h.DescriptorOffset != 0 {
			if d.text, err = readDescriptor(d.source, offsetOf(h.DescriptorOffset), offsetOf(h.DescriptorSize)); err != nil {
				return nil, err
			}
			g, problems, err := openGrains(d.source)
			d.problems = append(d.problems, problems...)
			return g, err
		}
	}
	name := baseName(d.Name())
	if whole := piecesOf.ReplaceAllString(name, ".vmdk"); whole != name {
		return nil, refuse(d.source, 0, "is one extent of a VMDK image: open the descriptor beside it, %s", whole)
	}
	return nil, refuse(d.source, 0, "is one extent of a VMDK image, without the descriptor, which is a small .vmdk file of text beside it: open that")
}

func baseName(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// extent opens an extent. One that cannot be read is a gap of its length. The file of the image is an extent itself if it is alone, or if
// the descriptor in it names it.
func (d *disk) extent(line extentLine, alone *grains) (func(at, most int64) (mappedRun, error), error) {
	switch kind := line.kind; {
	case kind == "ZERO":
		return func(at, _ int64) (mappedRun, error) {
			return mappedRun{kind: zeros, n: line.size - at, in: d.source, at: line.line}, nil
		}, nil
	case strings.HasPrefix(kind, "VMFSR"): // VMFSRDM, VMFSRAW, VMFSRDMP
		return d.gap(line, "is on a disk of its own (%s), of which the image has nothing: take an image of that disk", kind)
	case strings.HasPrefix(kind, "SESPARSE"):
		return d.gap(line, "is in %q, a snapshot in the SEsparse format, which is not read: clone the disk to one of another type, with vmkfstools -i",
			cutText(line.name))
	case kind != "FLAT" && kind != "VMFS" && kind != "SPARSE" && kind != "VMFSSPARSE":
		return d.gap(line, "is in an extent of the unknown type %q", cutText(kind))
	}
	if alone != nil && line.kind == "SPARSE" && (len(d.text.extents) == 1 || strings.EqualFold(line.name, baseName(d.Name()))) {
		return d.grains(line, alone)
	}
	s, err := d.open(line.name)
	if err != nil {
		return d.gap(line, "is in the extent %q, %v", cutText(line.name), err)
	}
	if line.kind == "FLAT" || line.kind == "VMFS" {
		if head, err := s.read(0, 4); err == nil && (isSparse(head) || isCOWD(head)) {
			return d.gap(line, "is in the extent %q, which is sparse but not by the descriptor: one of them is damaged", cutText(line.name))
		}
		return d.flat(line, s)
	}
	if d.sparse[s] {
		return d.gap(line, "is in the extent %q, which is named twice: the descriptor is damaged", cutText(line.name))
	}
	d.sparse[s] = true
	g, problems, err := openGrains(s)
	d.problems = append(d.problems, problems...)
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return d.gap(line, "is in the extent %q, which %s", cutText(line.name), p.Msg)
	}
	if err != nil {
		return nil, err
	}
	return d.grains(line, g)
}

// gap tells that an extent cannot be read.
func (d *disk) gap(line extentLine, format string, args ...any) (func(at, most int64) (mappedRun, error), error) {
	why := fmt.Sprintf(format, args...)
	d.problems = append(d.problems, told(d.source, line.line, true, "a part of the disk, of %d bytes, %s", line.size, why))
	return func(_, _ int64) (mappedRun, error) { return mappedRun{}, block.NewGap(d.source, line.line, "%s", why) }, nil
}

// flat returns an extent that lies in a file as it is.
func (d *disk) flat(line extentLine, s *source) (func(at, most int64) (mappedRun, error), error) {
	switch has := s.Size() - line.from; {
	case has < line.size:
		d.problems = append(d.problems, told(s, s.Size(), true, "ends %d bytes before what the descriptor %s says of it: the rest is missing",
			line.size-has, baseName(d.Name())))
	case has > line.size && len(d.text.extents) == 1:
		d.problems = append(d.problems, told(s, line.from+line.size, false, "goes on for %d bytes after what the descriptor %s says of it", has-line.size,
			baseName(d.Name())))
	}
	return func(at, _ int64) (mappedRun, error) {
		return mappedRun{n: line.size - at, in: s, at: line.from + at}, nil
	}, nil
}

// grains returns an extent of which only what was written is in a file.
func (d *disk) grains(line extentLine, g *grains) (func(at, most int64) (mappedRun, error), error) {
	if g.size < line.size || g.size >= line.size+g.grain {
		d.problems = append(d.problems, told(g.source, 12, g.size < line.size,
			"is of %d bytes by its header, of %d by the descriptor: one of them is damaged", g.size, line.size))
	}
	return g.find, nil
}

// open opens a file beside the image, once.
func (v *vmdk) open(name string) (*source, error) {
	if s := v.files[name]; s != nil {
		return s, nil
	}
	switch {
	case name == "" || strings.ContainsAny(name, `/\`):
		return nil, errors.New("which is no plain name of a file beside the image: such are not opened")
	case len(v.opened) >= mostFiles:
		return nil, fmt.Errorf("which is one file too many: %d are open", mostFiles)
	case v.beside == nil:
		return nil, errors.New("and nothing beside the image can be read")
	}
	f, err := v.beside(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("which is not beside the image: put it there")
	case err != nil:
		return nil, fmt.Errorf("which cannot be opened: %w", hive.Cause(err))
	}
	s := &source{f, v.held}
	v.files[name] = s
	v.opened = append(v.opened, s)
	return s, nil
}

// findParent opens what a disk builds on. What is wrong with it is a gap wherever it is needed.
func (d *disk) findParent(depth int) {
	switch want, ok := d.text.content("parentcid"); {
	case !ok:
		d.without = "may be in another image: the descriptor does not say whether this one builds on any"
	case want != noParent:
		d.without = d.openParent(d.text.parent(), want, depth)
	}
	if d.without != "" {
		d.problems = append(d.problems, told(d.source, 0, true, "what was not written since the snapshot %s", d.without))
	}
}

// openParent opens the image of a name, or returns why what is in it cannot be read.
func (d *disk) openParent(name string, want uint32, depth int) (why string) {
	switch {
	case name == "":
		return "is in an image that this one builds on, which it does not name"
	case d.names[strings.ToLower(name)]:
		return fmt.Sprintf("is in %q, which the image builds on, and which builds on the image itself", name)
	case depth >= mostParents:
		return fmt.Sprintf("is in %q, the last of more than %d images that build on one another", name, mostParents)
	}
	s, err := d.open(name)
	if err != nil {
		return fmt.Sprintf("is in %q, which the image builds on, %v", name, err)
	}
	parent, err := d.disk(s, depth+1)
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return fmt.Sprintf("is in %q, which the image builds on, which %s", name, p.Msg)
	}
	if err != nil {
		return fmt.Sprintf("is in %q, which the image builds on, which cannot be read: %v", name, err)
	}
	if got, ok := parent.text.content("cid"); !ok || got != want {
		return fmt.Sprintf("is in %q, which was changed since: it has the CID %q, not %08x", name, cutText(parent.text.values["cid"]), want)
	}
	d.parent = &mapped{parent.size, parent.find}
	return ""
}

// find returns what there is at an offset of the disk.
func (d *disk) find(at, most int64) (mappedRun, error) {
	e := d.extents[sort.Search(len(d.extents), func(i int) bool { return d.extents[i].from+d.extents[i].size > at })]
	most = min(most, e.from+e.size-at)
	p, err := e.find(at-e.from, most)
	if err != nil {
		return p, err
	}
	p.n = min(p.n, e.from+e.size-at)
	switch {
	case p.kind != absent:
		return p, nil
	case d.without != "":
		return p, block.NewGap(p.in, p.at, "%s", d.without)
	case d.parent == nil || at >= d.parent.size: // as a disk that was enlarged
		p.kind = zeros
		return p, nil
	}
	n := min(p.n, d.parent.size-at)
	p, err = d.parent.find(at, min(most, n))
	p.n = min(p.n, n)
	return p, err
}

// kinds are what types of VMDK images are called.
var kinds = map[string]string{
	"monolithicsparse": "sparse", "monolithicflat": "flat", "2gbmaxextentsparse": "sparse, in pieces", "twogbmaxextentsparse": "sparse, in pieces",
	"2gbmaxextentflat": "flat, in pieces", "twogbmaxextentflat": "flat, in pieces", "streamoptimized": "stream-optimized", "vmfs": "VMFS, flat",
	"vmfseagerzeroedthick": "VMFS, flat", "vmfspreallocated": "VMFS, flat", "vmfsthin": "VMFS, thin", "vmfssparse": "VMFS, sparse",
	"sesparse": "VMFS, SEsparse", "fulldevice": "of a device", "partitioneddevice": "of partitions of a device", "vmfsraw": "of a device",
	"vmfsrdm": "of a device", "vmfsrawdevicemap": "of a device", "vmfsrdmp": "of a device", "vmfspassthroughrawdevicemap": "of a device",
	"custom": "custom",
}

func (d *disk) kind() string {
	if kind := kinds[strings.ToLower(d.text.values["createtype"])]; kind != "" {
		return "a VMDK image (" + kind + ")"
	}
	return "a VMDK image"
}

// facts are the values of the descriptor that say where the disk comes from.
func (d *disk) facts() (facts []Fact) {
	for _, f := range []struct{ name, key string }{
		{"content ID", "cid"}, {"builds on", "parentfilenamehint"}, {"adapter", "ddb.adaptertype"}, {"hardware version", "ddb.virtualhwversion"},
		{"tools version", "ddb.toolsversion"}, {"UUID", "ddb.uuid"}, {"comment", "ddb.comment"},
	} {
		if value := d.text.values[f.key]; value != "" {
			facts = append(facts, Fact{f.name, cutText(value)})
		}
	}
	return facts
}
