// Package ntfs reads volumes of NTFS as a [io/fs.FS].
//
// An NTFS volume is a boot sector and files; all else, such as the list of clusters in use, is a file too. Each file has a record in the table
// $MFT, which is itself a file, and consists of attributes: times, names, content. An attribute lies in the record, or in runs of clusters
// elsewhere; where one record is too small, an attribute list names others. A folder is a file whose attribute $I30 is a B-tree of names.
//
// The package keeps the law of package block: a name is absent only if every record and every node of the tree on the way to it was read,
// verified and in order; content is what Windows would read, or an error. Records and nodes prove by an update sequence that they were written
// whole, references by a number that they are not stale. Nothing proves the content of files: that a volume is damaged there cannot be seen.
//
// Files that NTFS compressed (LZNT1), that Windows 10 compressed (CompactOS, by XPRESS), and sparse ones are read; encrypted ones are told. Links
// and other reparse points are not followed, and alternate data streams are not listed. The volume is read as it lies there: its log, $LogFile, is
// not applied.
//
// Sources: libyal, libfsntfs, "New Technologies File System (NTFS)"; Microsoft, [MS-FSCC], [MS-XCA].
package ntfs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf16"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Volume is an NTFS volume. It implements [io/fs.FS], [io/fs.ReadDirFS] and [io/fs.StatFS], by names without case as the volume itself folds
// them. The files it opens are [io.ReaderAt], [io.Seeker] and [block.Reader].
type Volume struct {
	boot
	r           block.Reader
	mft, mirror *stream
	root        reference
	label       string
	up          [1 << 16]uint16 // by which names are compared
	ownUp       bool            // it is the volume's own

	mu       sync.Mutex
	problems []hive.Problem
	strange  map[reference]int // by folder, how many names cannot be those of fs.FS
	onWay    [mostKept]kept    // by depth
}

// The kinds of problems of volumes.
const (
	copyUsed hive.Kind = "copy-used" // something could not be read, but its copy could
	unclean  hive.Kind = "unclean"   // the volume was in use when it was copied
	oddName  hive.Kind = "odd-name"  // names that are no names here
)

// Open reads an NTFS volume. If its boot sector is damaged, it uses the copy at the end of the volume. The error is a gap if the volume
// cannot be read. The volume reads from r as long as it is used, small pieces and often the same ones, see [block.Cached].
func Open(r block.Reader) (*Volume, error) {
	candidates, damage := bootSectors(r)
	first := damage
	for _, c := range candidates {
		v := &Volume{boot: c.boot, r: r, strange: map[reference]int{}}
		if err := v.openMFT(); err != nil {
			first = cmp.Or(first, err)
			continue
		}
		if c.at != 0 {
			v.tell(block.NewGap(r, 0, "the boot sector of the NTFS volume cannot be used, so its copy at the end is: %v", first), copyUsed)
		}
		if err := v.openRoot(); err != nil {
			return nil, err
		}
		return v, nil
	}
	if block.IsGap(first) {
		return nil, first
	}
	return nil, block.NewGap(r, 0, "this is no NTFS volume that can be read: of its boot sector, %v", first)
}

// openMFT finds the MFT by its own first record, or that of the mirror. What of the MFT cannot be found is a gap.
func (v *Volume) openMFT() error {
	v.mft = v.clustersFrom(v.mftAt, v.recordSize)
	v.mirror = v.clustersFrom(v.mirrorAt, mirrored*v.recordSize)
	rec, err := v.record(mftRecord)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rec.attributes, func(a attribute) bool { return a.kind == data && a.name == "" && !a.resident && a.start == 0 })
	if i < 0 || !rec.inUse || rec.base != 0 {
		return v.lost(rec, "the first MFT record does not tell where the MFT lies")
	}
	first := rec.attributes[i]
	mft := &stream{v: v, at: first.at, size: first.size, valid: first.valid}
	if err := mft.extend(first, 0); err != nil {
		return v.lost(rec, "the MFT %v", err)
	}
	if len(mft.runs) == 0 || mft.runs[0].lcn != v.mftAt {
		return v.lost(rec, "the boot sector and the first MFT record do not agree where the MFT lies")
	}
	v.mft = mft
	mft.rest = v.restOfMFT(rec)
	if mft.rest == nil && mft.clusters() != first.allocated/v.cluster {
		mft.rest = v.lost(rec, "the MFT is larger than its runs")
	}
	return nil
}

// clustersFrom returns so many bytes from a cluster.
func (v *Volume) clustersFrom(cluster, size int64) *stream {
	return &stream{v: v, runs: []run{{0, (size + v.cluster - 1) / v.cluster, cluster}}, size: size, valid: size}
}

// restOfMFT adds the runs of the MFT that its first record had no room for. Each may lie in the part that the one before made known.
func (v *Volume) restOfMFT(rec *record) error {
	f, err := v.withList(rec)
	if err != nil {
		return err
	}
	slices.SortStableFunc(f.list, func(a, b listed) int { return cmp.Compare(a.start, b.start) })
	for _, l := range f.list {
		if l.kind != data || l.name != "" || l.start == 0 {
			continue
		}
		a, err := f.piece(l)
		if err != nil {
			return err
		}
		if err := v.mft.extend(a, 0); err != nil {
			return v.lost(rec, "the MFT %v", err)
		}
	}
	return nil
}

// openRoot reads what else concerns the whole volume.
func (v *Volume) openRoot() error {
	if end := v.clusters * v.cluster; end > v.r.Size() {
		v.tell(block.NewGap(v.r, v.r.Size(), "the image ends here, before the NTFS volume, which is of %d bytes; what lies behind cannot be read", end), hive.Truncated)
	}
	if err := v.readUpcase(); err != nil {
		v.useStandard()
		v.tell(block.NewGap(v.r, 0, "the volume's own table of upper-case letters cannot be read, so that of Windows 10 is used: %v", err), copyUsed)
	}
	if err := v.readVolume(); err != nil {
		v.tell(block.NewGap(v.r, 0, "the label and the state of the volume are not known: %v", err), unclean)
	}
	root, err := v.record(rootRecord)
	if err != nil {
		return err
	}
	v.root = root.reference
	if v.hibernated() {
		v.tell(block.NewGap(v.r, 0, "Windows was hibernated or shut down for a fast start: what it held in memory then is not on the volume"), unclean)
	}
	return nil
}

// readVolume reads the label, and whether the volume was in use.
func (v *Volume) readVolume() error {
	name, err := v.small(volumeRecord, volumeName)
	if err != nil {
		return err
	}
	v.label = string(utf16.Decode(units(name)))
	info, err := v.small(volumeRecord, volumeInformation)
	if err != nil {
		return err
	}
	if len(info) < 12 {
		return errors.New("the record of the volume tells no state")
	}
	const dirty = 1
	inUse, err := v.logInUse()
	if le.Uint16(info[10:])&dirty != 0 || inUse {
		v.tell(block.NewGap(v.r, 0, "the volume was not unmounted cleanly: what its log $LogFile holds is not applied"), unclean)
	}
	return err
}

// small returns a resident attribute of one of the first files, or nil.
func (v *Volume) small(number int64, kind uint32) ([]byte, error) {
	rec, err := v.record(number)
	if err != nil {
		return nil, err
	}
	for _, a := range rec.attributes {
		if a.kind == kind && a.resident {
			return a.value, nil
		}
	}
	return nil, nil
}

// content returns the unnamed data of one of the first files, which must be of at least so many bytes.
func (v *Volume) content(number, least int64) (*stream, error) {
	rec, err := v.record(number)
	if err != nil {
		return nil, err
	}
	f, err := v.withList(rec)
	if err != nil {
		return nil, err
	}
	s, err := f.stream(data, "")
	if err == nil && (s == nil || s.size < least) {
		err = v.lost(rec, "MFT record %d has no content of %d bytes", number, least)
	}
	return s, err
}

// logInUse reports whether the log was open: the newer of its two restart pages names a client, and not a clean end.
// Source: libyal, libfsntfs, "New Technologies File System (NTFS)", the $LogFile.
func (v *Volume) logInUse() (bool, error) {
	const (
		page     = 4096
		noClient = 0xFFFF
		clean    = 2
	)
	s, err := v.content(logRecord, 2*page)
	if err != nil {
		return false, err
	}
	inUse, newest := false, uint64(0)
	for i := range int64(2) {
		raw, err := block.Read(s, i*page, page)
		if err != nil {
			return false, err
		}
		if fixUp(raw, "RSTR") != nil { // never used, or being written
			continue
		}
		area, ok := part(raw, int64(le.Uint16(raw[0x18:])), 16)
		if sequence := uint64(0); ok {
			if sequence = le.Uint64(area); sequence >= newest {
				newest = sequence
				inUse = le.Uint16(area[12:]) != noClient && le.Uint16(area[14:])&clean == 0
			}
		}
	}
	return inUse, nil
}

// hibernated reports whether the file of hibernation is signed as one to wake up from.
func (v *Volume) hibernated() bool {
	f, err := v.Open("hiberfil.sys")
	if err != nil {
		return false
	}
	defer f.Close()
	signature := make([]byte, 4)
	if _, err := f.Read(signature); err != nil {
		return false
	}
	return string(signature) == "hibr" || string(signature) == "HIBR"
}

// readUpcase reads the table by which the volume compares names: the upper-case form of each UTF-16 unit. It must be what such a table is.
func (v *Volume) readUpcase() error {
	s, err := v.content(upcaseRecord, int64(2*len(v.up)))
	if err != nil {
		return err
	}
	raw, err := block.Read(s, 0, 2*len(v.up))
	if err != nil {
		return err
	}
	copy(v.up[:], units(raw))
	for i, u := range v.up {
		ascii := uint16(i)
		if 'a' <= i && i <= 'z' {
			ascii -= 'a' - 'A'
		}
		if i < 0x80 && u != ascii || i >= 0x80 && u < 0x80 || v.up[u] != u {
			return block.NewGap(s, int64(2*i), "it makes %#x of the letter %#x", u, i)
		}
	}
	v.ownUp = true
	return nil
}

func (v *Volume) useStandard() {
	for i := range v.up {
		v.up[i] = uint16(i)
		if i < 0xD800 || i > 0xDFFF {
			v.up[i] = uint16([]rune(hive.Fold(string(rune(i))))[0])
		}
	}
}

// Kind returns what the volume is.
func (v *Volume) Kind() string { return "an NTFS volume" }

// Format returns the same for programs: "ntfs".
func (v *Volume) Format() string { return "ntfs" }

// Label returns the name that its owner gave the volume; "" if none.
func (v *Volume) Label() string { return v.label }

// Serial returns the serial number as Windows shows it: 1234-ABCD.
func (v *Volume) Serial() string {
	return fmt.Sprintf("%04X-%04X", uint16(v.serial>>16), uint16(v.serial))
}

// Problems returns what was met so far that does not keep from reading: copies that were used, and that the volume was in use. Gaps are the
// errors of what is read.
func (v *Volume) Problems() []hive.Problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := slices.Clone(v.problems)
	count := 0
	for _, n := range v.strange {
		count += n
	}
	if count > 0 {
		file, at := block.Locate(v.r, 0)
		list = append(list, hive.Problem{Source: file, At: hive.Location{Offset: at}, Kind: oddName, Loss: true,
			Msg: fmt.Sprintf("%d names in the folders that were listed are left out: they hold a / or half a character", count)})
	}
	return list
}

// tell notes what is wrong with the volume, once. Only what is cut off is lost.
func (v *Volume) tell(gap error, kind hive.Kind) {
	p, _ := errors.AsType[*hive.Problem](gap)
	told := *p
	told.Kind, told.Loss = kind, kind == hive.Truncated
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.ContainsFunc(v.problems, func(q hive.Problem) bool { return q.Msg == told.Msg }) {
		v.problems = append(v.problems, told)
	}
}
