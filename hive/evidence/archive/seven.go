package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"time"
	"unicode/utf16"

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

// fields reads the database. The first error stays, and everything is zero from there on.
type fields struct {
	b   []byte
	at  int
	err error
}

func (f *fields) fail() { f.err = errSeven; f.at = len(f.b) }

// bytes returns the next n bytes, or nil.
func (f *fields) bytes(n uint64) []byte {
	if n > uint64(len(f.b)-f.at) {
		f.fail()
		return nil
	}
	f.at += int(n)
	return f.b[f.at-int(n) : f.at : f.at]
}

func (f *fields) byte() byte {
	if b := f.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// number reads a number of 1 to 9 bytes: the ones at the top of the first say how many follow.
func (f *fields) number() uint64 {
	first := f.byte()
	var n uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(f.byte()) << (8 * i)
	}
	return n
}

// size reads a number of bytes.
func (f *fields) size() int64 {
	n := f.number()
	if n > math.MaxInt64/4 {
		f.fail()
		return 0
	}
	return int64(n)
}

// count reads how many of what has at least one byte, or one bit, follow.
func (f *fields) count(bits int) int {
	n := f.number()
	if n > uint64(len(f.b)-f.at)*uint64(bits) {
		f.fail()
		return 0
	}
	return int(n)
}

func (f *fields) want(id byte) {
	if f.byte() != id {
		f.fail()
	}
}

// bits reads n bits, the highest of each byte first.
func (f *fields) bits(n int) []bool {
	packed := f.bytes(uint64(n+7) / 8)
	if packed == nil {
		return nil
	}
	list := make([]bool, n)
	for i := range list {
		list[i] = packed[i/8]&(0x80>>(i%8)) != 0
	}
	return list
}

// defined reads which of n have a value: all, or those whose bit is set.
func (f *fields) defined(n int) []bool {
	if f.byte() == 0 {
		return f.bits(n)
	}
	if n > (len(f.b)-f.at)/4 { // the least that each has
		f.fail()
		return nil
	}
	return slices.Repeat([]bool{true}, n)
}

// sums reads checksums; those that are not there are nil.
func (f *fields) sums(n int) []sum {
	list := make([]sum, n)
	for i, there := range f.defined(n) {
		if there {
			if b := f.bytes(4); b != nil {
				list[i] = sum{true, binary.LittleEndian.Uint32(b)}
			}
		}
	}
	return list
}

// sum is a CRC-32 that may be missing.
type sum struct {
	there bool
	crc   uint32
}

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
	a.kind = "a 7z archive"
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

// sevenFiles is what the database says about all members.
type sevenFiles struct {
	names           []byte // UTF-16, each with a zero behind it
	noContent       []bool
	emptyFile, anti []bool // of those without content
	modified        []uint64
	attributes      []uint32
}

// files lists the members.
func (s *seven) files(f *fields, sizes []int64, sums []sum) error {
	count := f.count(8)
	if count > mostMembers {
		return errTooMany
	}
	all, err := readSevenFiles(f, count)
	if err != nil {
		return err
	}
	folder, inFolder, offset, empty, content := -1, 0, int64(0), 0, 0
	names := all.names
	for i := range count {
		m := &member{}
		name, rest, ok := cutUTF16(names)
		if !ok {
			return errSeven
		}
		names = rest
		if all.modified != nil && all.modified[i] != 0 && all.modified[i] < 1<<62 {
			m.setTime(time.Unix(int64(all.modified[i]/1e7)-11644473600, int64(all.modified[i]%1e7)*100))
		}
		if all.attributes != nil {
			m.setAttributes(all.attributes[i])
		}
		if isSet(all.noContent, i) {
			m.state = examined
			if !isSet(all.emptyFile, empty) {
				m.kind = directory
			}
			if isSet(all.anti, empty) {
				name = ""
			}
			empty++
		} else {
			for folder < 0 || inFolder == s.folders[folder].members {
				folder, inFolder, offset = folder+1, 0, 0
				if folder >= len(s.folders) {
					return errSeven
				}
			}
			s.place(m, folder, offset, sizes[content], sums[content])
			offset += m.size
			inFolder++
			content++
		}
		if name == "" {
			continue
		}
		if err := s.a.add(m, name); err != nil {
			return err
		}
	}
	if content != len(sizes) || len(names) != 0 {
		return errSeven
	}
	return nil
}

// place says where the content of a member is.
func (s *seven) place(m *member, folder int, offset, size int64, sum sum) {
	m.stream, m.data, m.size, m.crc, m.at = int32(folder), offset, size, sum.crc, s.folders[folder].at
	s.total += size
	switch {
	case !sum.there && size > 0:
		m.err = block.NewGap(s.a.f, m.at, "has no checksum, so that its content cannot be verified; %s", unpackAdvice)
	case s.total > mostUnpacked(s.a.f.Size()):
		m.err = s.a.gap(m, errAllTooLarge)
	}
	s.byPlace = append(s.byPlace, m)
}

// setAttributes tells folders and links by the attributes of Windows, or of Unix above them.
func (m *member) setAttributes(attributes uint32) {
	const directoryBit, reparse, unix = 0x10, 0x400, 0x8000
	switch mode := attributes >> 16 & 0xF000; {
	case attributes&unix != 0 && mode == 0xA000, attributes&reparse != 0:
		m.kind = link
	case attributes&directoryBit != 0, attributes&unix != 0 && mode == 0x4000:
		m.kind = directory
	}
}

// cutUTF16 returns the text before the first zero, and what follows it.
func cutUTF16(b []byte) (text string, rest []byte, ok bool) {
	var units []uint16
	for i := 0; i+1 < len(b); i += 2 {
		unit := binary.LittleEndian.Uint16(b[i:])
		if unit == 0 {
			return string(utf16.Decode(units)), b[i+2:], true
		}
		units = append(units, unit)
	}
	return "", nil, false
}

func isSet(list []bool, i int) bool { return i < len(list) && list[i] }

// readSevenFiles reads the properties of all members.
func readSevenFiles(f *fields, count int) (*sevenFiles, error) {
	all, empty := &sevenFiles{}, 0
	for {
		id := f.number()
		if id == idEnd || f.err != nil {
			return all, f.err
		}
		p := &fields{b: f.bytes(f.number())}
		switch id {
		case idEmptyStream:
			all.noContent, empty = p.bits(count), 0
			for _, none := range all.noContent {
				empty += btoi(none)
			}
		case idEmptyFile:
			all.emptyFile = p.bits(empty)
		case idAnti:
			all.anti = p.bits(empty)
		case idNames:
			p.want(0)
			all.names = p.bytes(uint64(len(p.b) - p.at))
		case idModified:
			all.modified = perMember(p, count, 8, binary.LittleEndian.Uint64)
		case idAttributes:
			all.attributes = perMember(p, count, 4, binary.LittleEndian.Uint32)
		}
		if p.err != nil {
			return nil, p.err
		}
	}
}

// perMember reads a property that some members have.
func perMember[T any](f *fields, count int, size uint64, value func([]byte) T) []T {
	defined := f.defined(count)
	f.want(0) // no other place
	list := make([]T, count)
	for i, there := range defined {
		if there {
			if b := f.bytes(size); b != nil {
				list[i] = value(b)
			}
		}
	}
	return list
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
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
