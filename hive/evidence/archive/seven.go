package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"regvet/hive/evidence/block"
)

// A 7z archive begins with a header of 32 bytes, which says where the database is: what packed streams there are, which folders of coders unpack
// them, which members follow each other in the content of a folder, and their names. It is mostly packed itself. The database is read here,
// because the library that unpacks folders sizes its allocations by it.
// Source: 7zFormat.txt of the LZMA SDK.

const (
	sevenMagic     = "7z\xbc\xaf\x27\x1c"
	sevenStart     = 32       // bytes of the first header
	mostDatabase   = 64 << 20 // bytes
	mostSevenDepth = 4        // of databases that are packed
)

const (
	idEnd, idHeader, idArchiveProperties, idAdditionalStreams, idMainStreams, idFiles, idPackInfo, idUnpackInfo, idSubStreams, idSize, idCRC, idFolder, idUnpackSizes, idStreamCount = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13

	idEmptyStream, idEmptyFile, idAnti, idNames, idModified, idAttributes, idEncoded, idDummy = 14, 15, 16, 17, 20, 21, 23, 25
)

var (
	errSeven          = errors.New("its database is damaged")
	errEncryptedNames = errors.New("the list of its members is encrypted")
)

func isSeven(head []byte) bool { return bytes.HasPrefix(head, []byte(sevenMagic)) }

// sevenFolder is a chain of coders, with the place of its description in the database: there may be a million.
type sevenFolder struct {
	from, to, sizes int   // its description, and the sizes of what its coders unpack
	pack            int   // its first packed stream
	at              int64 // where that begins in the file
	size            int64 // bytes that it unpacks to
	members         int   // in its content
	sum             sum
}

// seven is a 7z archive.
type seven struct {
	a       *Archive
	base    int64 // of the archive in the file, behind a program that unpacks it
	db      []byte
	packs   []int64 // sizes
	folders []sevenFolder
	byPlace []*member // with content, in the order of folders and in these
	total   int64     // bytes of the content of all members
	open    *openSeven
}

// openSeven is the content of a folder of which some was read.
type openSeven struct {
	folder int32
	at     int64
	r      io.Reader
}

// openSeven lists the members of a 7z archive that begins at an offset.
func (a *Archive) openSeven(base int64) error {
	a.kind, a.name = "a 7z archive", "7z"
	h, err := block.Read(a.f, base, sevenStart)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	if crc32.ChecksumIEEE(h[12:]) != le.Uint32(h[8:]) {
		return errors.New("its header is damaged")
	}
	offset, size := le.Uint64(h[12:]), le.Uint64(h[20:])
	if left := uint64(a.f.Size() - base - sevenStart); offset > left || size > left-offset {
		return errors.New("it was cut off, or is the first of several files, which must be joined: the database at its end is missing")
	}
	if size > mostDatabase {
		return errTooMany
	}
	s := &seven{a: a, base: base}
	a.format = s
	if size == 0 {
		return nil // nothing is in it
	}
	if s.db, err = block.Read(a.f, base+sevenStart+int64(offset), int(size)); err != nil {
		return err
	}
	if crc32.ChecksumIEEE(s.db) != le.Uint32(h[28:]) {
		return errSeven
	}
	return s.read()
}

// read unpacks the database as often as it is packed, and lists the members.
func (s *seven) read() error {
	for range mostSevenDepth {
		f := &fields{b: s.db}
		switch f.byte() {
		case idHeader:
			return s.header(f)
		case idEncoded:
			sizes, sums := s.streams(f)
			if f.err != nil || len(s.folders) != 1 || len(sizes) != 1 || !sums[0].there {
				return errSeven
			}
			if sizes[0] > mostDatabase {
				return errTooMany
			}
			db, err := s.unpackDatabase(sums[0].crc)
			if err != nil {
				return err
			}
			s.db, s.packs, s.folders = db, nil, nil
		default:
			return errSeven
		}
	}
	return errSeven
}

func (s *seven) unpackDatabase(crc uint32) ([]byte, error) {
	r, err := s.folder(0)
	if err == errEncrypted {
		return nil, errEncryptedNames
	}
	if err != nil {
		return nil, err
	}
	db := make([]byte, 0, min(s.folders[0].size, 1<<20))
	into := bytes.NewBuffer(db)
	n, err := io.Copy(into, io.LimitReader(r, s.folders[0].size))
	switch {
	case err != nil:
		return nil, err
	case n != s.folders[0].size || crc32.ChecksumIEEE(into.Bytes()) != crc:
		return nil, errSeven
	}
	return into.Bytes(), nil
}

// header reads the database that is not packed.
func (s *seven) header(f *fields) error {
	var sizes []int64
	var sums []sum
	id := f.byte()
	if id == idArchiveProperties {
		for f.byte() != idEnd && f.err == nil {
			f.bytes(f.number())
		}
		id = f.byte()
	}
	if id == idAdditionalStreams {
		return errors.New("its database has a form that 7-Zip does not write")
	}
	if id == idMainStreams {
		sizes, sums = s.streams(f)
		id = f.byte()
	}
	if id == idFiles {
		if err := s.files(f, sizes, sums); err != nil {
			return err
		}
		id = f.byte()
	}
	if f.err != nil || id != idEnd || f.at != len(f.b) {
		return errSeven
	}
	return nil
}

// streams reads packed streams and folders, and returns the sizes and checksums of the members in these.
func (s *seven) streams(f *fields) (sizes []int64, sums []sum) {
	id := f.byte()
	position := int64(0)
	if id == idPackInfo {
		position = f.size()
		s.packInfo(f)
		id = f.byte()
	}
	if id == idUnpackInfo {
		s.unpackInfo(f, s.base+sevenStart+position)
		id = f.byte()
	}
	if id == idSubStreams {
		sizes, sums = s.subStreams(f)
		id = f.byte()
	} else {
		for i := range s.folders {
			s.folders[i].members = 1
			sizes, sums = append(sizes, s.folders[i].size), append(sums, s.folders[i].sum)
		}
	}
	if id != idEnd {
		f.fail()
	}
	return sizes, sums
}

func (s *seven) packInfo(f *fields) {
	count := f.count(1)
	for id := f.byte(); id != idEnd && f.err == nil; id = f.byte() {
		switch id {
		case idSize:
			s.packs = make([]int64, count)
			for i := range s.packs {
				s.packs[i] = f.size()
			}
		case idCRC:
			f.sums(count)
		default:
			f.fail()
		}
	}
}

func (s *seven) unpackInfo(f *fields, at int64) {
	f.want(idFolder)
	count := f.count(1)
	f.want(0) // no other place
	s.folders = make([]sevenFolder, 0, min(count, mostMembers))
	outs, pack := make([]uint8, 0, cap(s.folders)), 0
	for range count {
		if len(s.folders) == mostMembers {
			f.fail()
		}
		from := f.at
		chain := f.chain()
		if f.err != nil {
			return
		}
		end := pack + len(chain.packed)
		if end > len(s.packs) {
			f.fail()
			return
		}
		s.folders = append(s.folders, sevenFolder{from: from, to: f.at, pack: pack, at: at})
		outs = append(outs, uint8(len(chain.coders)))
		for _, size := range s.packs[pack:end] {
			at += size
			if size > s.a.f.Size() || at < 0 {
				f.fail()
			}
		}
		pack = end
	}
	f.want(idUnpackSizes)
	for i := range s.folders {
		folder := &s.folders[i]
		folder.sizes = f.at
		main := (&fields{b: s.db[:folder.to], at: folder.from}).chain().main()
		for n := range int(outs[i]) {
			if size := f.size(); n == main {
				folder.size = size
			}
		}
	}
	id := f.byte()
	if id == idCRC {
		for i, sum := range f.sums(len(s.folders)) {
			s.folders[i].sum = sum
		}
		id = f.byte()
	}
	if id != idEnd {
		f.fail()
	}
}

// subStreams reads how many members are in the content of each folder, and their sizes except of the last of each, which is what is left.
func (s *seven) subStreams(f *fields) (sizes []int64, sums []sum) {
	id := f.byte()
	total := 0
	for i := range s.folders {
		s.folders[i].members = 1
		if id == idStreamCount {
			n := f.number()
			if n > mostMembers {
				f.fail()
				return nil, nil
			}
			s.folders[i].members = int(n)
		}
		if total += s.folders[i].members; total > mostMembers {
			f.fail()
			return nil, nil
		}
	}
	if id == idStreamCount {
		id = f.byte()
	}
	sizes = make([]int64, 0, total)
	for _, folder := range s.folders {
		left := folder.size
		for n := range folder.members {
			size := left
			if n < folder.members-1 {
				if id != idSize {
					f.fail()
					return nil, nil
				}
				size = f.size()
			}
			if left -= size; left < 0 {
				f.fail()
				return nil, nil
			}
			sizes = append(sizes, size)
		}
	}
	if id == idSize {
		id = f.byte()
	}
	return sizes, s.subSums(f, id)
}

// subSums reads the checksums of members. Those of a folder with one member may be the folder's.
func (s *seven) subSums(f *fields, id byte) []sum {
	var list []sum
	var unknown []int
	for _, folder := range s.folders {
		for range folder.members {
			if folder.members == 1 && folder.sum.there {
				list = append(list, folder.sum)
				continue
			}
			unknown = append(unknown, len(list))
			list = append(list, sum{})
		}
	}
	for ; id != idEnd && f.err == nil; id = f.byte() {
		if id != idCRC {
			f.fail()
			break
		}
		for i, sum := range f.sums(len(unknown)) {
			list[unknown[i]] = sum
		}
	}
	return list
}

// examine reads the folder that a member is in, because all members before one are unpacked for it anyway.
func (s *seven) examine(m *member) error {
	inside := s.inside(m.stream)
	var at int64
	r, err := s.folder(int(m.stream))
	for _, m := range inside {
		m.state |= examined
		want := m.crc
		if err == nil {
			_, err = io.CopyN(io.Discard, r, m.data-at)
		}
		if err == nil {
			err = s.a.take(m, r)
			at = m.data + m.size
		}
		switch {
		case m.err != nil:
		case err == errEncrypted:
			m.err = block.NewGap(s.a.f, m.at, "is encrypted; %s", passwordAdvice)
		case err != nil:
			m.err = s.a.gap(m, err)
		case m.crc != want:
			m.err = s.a.gap(m, errChecksum)
		}
	}
	return m.err
}

// inside returns the members in a folder, in their order.
func (s *seven) inside(folder int32) []*member {
	compare := func(m *member, folder int32) int { return int(m.stream - folder) }
	from, _ := slices.BinarySearchFunc(s.byPlace, folder, compare)
	to, _ := slices.BinarySearchFunc(s.byPlace, folder+1, compare)
	return s.byPlace[from:to]
}

// unpack goes on in a folder if the member lies ahead, or begins it anew.
func (s *seven) unpack(m *member, w io.Writer) error {
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	o := s.open
	s.open = nil
	if o == nil || o.folder != m.stream || o.at > m.data {
		r, err := s.folder(int(m.stream))
		if err != nil {
			return err
		}
		o = &openSeven{folder: m.stream, r: r}
	}
	if _, err := io.CopyN(io.Discard, o.r, m.data-o.at); err != nil {
		return noEOF(err)
	}
	_, err := io.CopyN(w, o.r, m.size)
	o.at = m.data + m.size
	if err == nil {
		s.open = o
	}
	return noEOF(err)
}

func (s *seven) plain(*member) block.Reader { return nil }
