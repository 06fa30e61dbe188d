package worktree

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// index lists the paths that git tracks, as far as a search for .reg files needs them: those of .reg files, of submodules, and, with / at the
// end, of folders that a sparse index lists in place of their files. The paths are sorted by their bytes.
type index []string

// tracks reports whether git tracks a file, or a folder as a submodule. Everything in a folder that a sparse index lists counts as tracked:
// only the objects of git tell which files are.
func (x index) tracks(path string) bool {
	if _, found := slices.BinarySearch(x, path); found {
		return true
	}
	for i, c := range []byte(path) {
		if c == '/' {
			if _, found := slices.BinarySearch(x, path[:i+1]); found {
				return true
			}
		}
	}
	return false
}

// tracksIn reports whether git tracks anything in a folder.
func (x index) tracksIn(folder string) bool {
	i, _ := slices.BinarySearch(x, folder+"/")
	return i < len(x) && strings.HasPrefix(x[i], folder+"/") || x.tracks(folder)
}

// maxIndex is how many bytes an index may have. That of Chromium, with 400,000 files, has about 50 million.
const maxIndex = 1 << 28

var errDamaged = errors.New(`is damaged; delete the file index in its folder and run "git reset", which writes it anew`)

// readIndex reads the index in a folder of git. Before the first file is added there is none, and nothing is tracked. The error begins with the
// path of the file that it is about. Format: https://git-scm.com/docs/index-format.
func readIndex(folder string) (index, error) {
	name := filepath.Join(folder, "index")
	part, err := readIndexFile(name, nil)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	paths := part.paths
	if l := part.link; l != nil && !isZero(l.base) {
		name = filepath.Join(folder, "sharedindex."+hex.EncodeToString(l.base))
		shared, err := readIndexFile(name, l)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case !bytes.Equal(shared.sum, l.base):
			return nil, fmt.Errorf("%s: %w", name, errDamaged)
		}
		paths = append(paths, shared.paths...)
	}
	slices.Sort(paths)
	return paths, nil
}

// indexFile is the content of one file: a whole index, or one part of a split index.
type indexFile struct {
	paths []string
	link  *link  // or nil
	sum   []byte // the last bytes of the file: the hash of all before
}

// link is what the first part of a split index, the file index, says of the second, the shared index: which of its entries are deleted, and
// which are replaced. The first part has the entries that replace them, without names.
type link struct {
	base              []byte  // the sum of the shared index, or zeros if there is none
	deleted, replaced *bitmap // by the numbers of entries; nil for none
}

// readIndexFile reads an index. Of a shared index, which has a link to it, it reads the entries that are left.
func readIndexFile(name string, l *link) (*indexFile, error) {
	f, size, err := openRegular(name, maxIndex, os.Stat, os.OpenFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseIndex(f, size, l)
}

// parseIndex reads an index. The file does not say which hash its repository uses, so both are tried; the wrong one never fits the file.
func parseIndex(text io.ReaderAt, size int64, l *link) (*indexFile, error) {
	parsed, err := parseIndexWith(sha1.New(), text, size, l)
	if err == nil {
		return parsed, nil
	}
	if parsed, err := parseIndexWith(sha256.New(), text, size, l); err == nil {
		return parsed, nil
	}
	return nil, err
}

// parseIndexWith reads an index of a repository that uses this hash.
func parseIndexWith(sum hash.Hash, text io.ReaderAt, size int64, l *link) (*indexFile, error) {
	if l != nil {
		if len(l.base) != sum.Size() {
			return nil, errDamaged
		}
		l = &link{l.base, l.deleted.start(), l.replaced.start()}
	}
	body := size - int64(sum.Size())
	rest := &io.LimitedReader{R: io.TeeReader(io.NewSectionReader(text, 0, max(body, 0)), sum), N: body}
	d := indexReader{indexFile: &indexFile{sum: make([]byte, sum.Size())}, size: size, rest: rest, r: bufio.NewReader(rest), hash: sum.Size(), by: l}
	switch err := d.read(); {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errDamaged
	case err != nil:
		return nil, err
	}
	if _, err := text.ReadAt(d.sum, body); err != nil && err != io.EOF {
		return nil, unreadable(err)
	}
	if !isZero(d.sum) && !bytes.Equal(d.sum, sum.Sum(nil)) { // index.skipHash makes git write zeros
		return nil, errDamaged
	}
	return d.indexFile, nil
}

func isZero(sum []byte) bool { return len(bytes.Trim(sum, "\x00")) == 0 }

// indexReader reads an index from start to end. Of the names it keeps only those that matter.
type indexReader struct {
	*indexFile
	size int64 // of the file, in bytes
	rest *io.LimitedReader
	r    *bufio.Reader
	hash int   // bytes of a hash
	by   *link // to this index, or nil if it is no shared index
	kept int64 // bytes of the names that are kept
}

// left returns the number of bytes that are not read yet.
func (d *indexReader) left() int64 { return d.rest.N + int64(d.r.Buffered()) }

// next returns the next n bytes. A number that the file claims is checked against the bytes that are left.
func (d *indexReader) next(n int64) ([]byte, error) {
	if n > d.left() {
		return nil, errDamaged
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		return nil, unreadable(err)
	}
	return b, nil
}

// read reads the index up to the sum at its end.
func (d *indexReader) read() error {
	header, err := d.next(12)
	if err != nil {
		return err
	}
	version := binary.BigEndian.Uint32(header[4:])
	switch {
	case string(header[:4]) != "DIRC":
		return errDamaged
	case version < 2 || version > 4:
		return fmt.Errorf(`has version %d, which is not known; "git update-index --index-version 4" writes one that is`, version)
	}
	var name []byte
	for range binary.BigEndian.Uint32(header[8:]) {
		var mode uint32
		if mode, name, err = d.entry(version, name); err != nil {
			return err
		}
		if err := d.keep(mode, name); err != nil {
			return err
		}
	}
	for d.left() > 0 {
		if err := d.extension(); err != nil {
			return err
		}
	}
	return nil
}

// An entry has 40 bytes of lstat, the hash, 16 bits of flags, 16 more if the first have extended set, and the name.
const (
	statLength = 40
	modeAt     = 24     // in the bytes of lstat
	nameLength = 0xFFF  // the part of the flags with the length of the name; 0xFFF means that or more
	extended   = 0x4000 // more flags follow
)

// The modes of entries that are not files.
const (
	modeFolder    = 0o040000
	modeSubmodule = 0o160000
)

// entry reads an entry. In version 4 a name begins as the one before it does, and the file has only its end. The buffer of the name before is
// used again.
func (d *indexReader) entry(version uint32, before []byte) (mode uint32, name []byte, err error) {
	b, err := d.next(int64(statLength + d.hash + 2))
	if err != nil {
		return 0, nil, err
	}
	length := len(b)
	mode = binary.BigEndian.Uint32(b[modeAt:])
	flags := binary.BigEndian.Uint16(b[statLength+d.hash:])
	if flags&extended != 0 {
		length += 2
		if _, err := d.next(2); err != nil {
			return 0, nil, err
		}
		if version < 3 {
			return 0, nil, errDamaged
		}
	}
	name = before[:0]
	if version == 4 {
		cut, err := d.varint()
		switch {
		case err != nil:
			return 0, nil, unreadable(err)
		case cut > int64(len(before)):
			return 0, nil, errDamaged
		}
		name = before[:int64(len(before))-cut]
	}
	for {
		b, err := d.r.ReadSlice(0)
		name = append(name, b...)
		if err == nil {
			break
		}
		if err != bufio.ErrBufferFull {
			return 0, nil, unreadable(err)
		}
	}
	name = name[:len(name)-1]
	if int(flags&nameLength) != min(len(name), nameLength) {
		return 0, nil, errDamaged
	}
	if version < 4 { // the zero behind the name and up to 7 more make the length of the entry a multiple of 8
		zeros, err := d.next(int64(7 - (length+len(name))%8))
		switch {
		case err != nil:
			return 0, nil, err
		case !isZero(zeros):
			return 0, nil, errDamaged
		}
	}
	return mode, name, nil
}

// varint reads a number with 7 bits in each byte, the highest first. All bytes but the last have bit 7 set, and stand for 1 more than they hold,
// so that no number can be written in two ways.
func (d *indexReader) varint() (int64, error) {
	n := int64(-1)
	for {
		c, err := d.r.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case n >= math.MaxInt64>>8:
			return 0, errDamaged
		}
		n = (n+1)<<7 | int64(c&0x7F)
		if c&0x80 == 0 {
			return n, nil
		}
	}
}

// keep keeps the name of the next entry if it matters.
func (d *indexReader) keep(mode uint32, name []byte) error {
	replaced := d.by != nil && d.by.replaced.next()
	switch deleted := d.by != nil && d.by.deleted.next(); {
	case deleted || len(name) == 0:
		return nil // an entry without a name replaces one of the shared index, which has the name
	case replaced: // maybe by a submodule
	case mode != modeFolder && mode != modeSubmodule && !isReg(name):
		return nil
	}
	// In version 4 a few bytes can stand for a long name, and a small file for more names than memory holds. Paths that people use are far from
	// this limit: an entry has at least 64 bytes.
	if d.kept += int64(len(name)); d.kept > 4*d.size {
		return errDamaged
	}
	d.paths = append(d.paths, string(name))
	return nil
}

// extension reads one of the extensions that may follow the entries. Those with a capital letter first can be skipped.
func (d *indexReader) extension() error {
	header, err := d.next(8)
	if err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(header[4:]))
	if size > d.left() {
		return errDamaged
	}
	switch name := string(header[:4]); {
	case name == "link":
		data, err := d.next(size)
		if err != nil {
			return err
		}
		d.indexFile.link, err = parseLink(data, d.hash)
		return err
	case name[0] >= 'A' && name[0] <= 'Z' || name == "sdir": // sdir says that there are entries of folders
		_, err = io.CopyN(io.Discard, d.r, size)
		return err
	case name[0] < 'a' || name[0] > 'z':
		return errDamaged
	default:
		return fmt.Errorf(`has the extension %q, which is not known; name the files to be linted in place of their folder`, name)
	}
}

// parseLink reads the extension with the link to a shared index.
func parseLink(data []byte, hash int) (*link, error) {
	if len(data) < hash {
		return nil, errDamaged
	}
	l := &link{base: data[:hash]}
	data = data[hash:]
	var err error
	if len(data) > 0 { // two bitmaps or none
		if l.deleted, data, err = parseBitmap(data); err != nil {
			return nil, err
		}
		if l.replaced, data, err = parseBitmap(data); err != nil || len(data) > 0 {
			return nil, errDamaged
		}
	}
	return l, nil
}

// bitmap reads a compressed list of bits (EWAH), one after the other. It consists of words of 64 bits. A word with counts says how many words of
// only 0 or only 1 are left out, and how many of the words after it hold plain bits:
// https://git-scm.com/docs/bitmap-format#_appendix_a_serialization_format_for_an_ewah_bitmap.
type bitmap struct {
	words  []byte // 8 bytes each
	run    uint64 // how many of the next bits are the same
	ones   bool   // whether those are 1
	plain  uint64 // how many of the next words hold bits
	word   uint64
	inWord int // how many bits of word are not read yet
}

// parseBitmap returns a bitmap and what follows it.
func parseBitmap(data []byte) (*bitmap, []byte, error) {
	if len(data) < 8 {
		return nil, nil, errDamaged
	}
	words := int64(binary.BigEndian.Uint32(data[4:])) * 8
	data = data[8:]
	if words+4 > int64(len(data)) {
		return nil, nil, errDamaged
	}
	return &bitmap{words: data[:words]}, data[words+4:], nil // the last 4 bytes are the number of its last word with counts
}

// start returns a reader of the same bits from the first on. The bitmap may be nil.
func (b *bitmap) start() *bitmap {
	if b == nil {
		return new(bitmap)
	}
	return &bitmap{words: b.words}
}

// next reports whether the next bit is 1. Behind the end all are 0.
func (b *bitmap) next() bool {
	for {
		switch {
		case b.run > 0:
			b.run--
			return b.ones
		case b.inWord > 0:
			bit := b.word&1 != 0
			b.word >>= 1
			b.inWord--
			return bit
		case len(b.words) == 0:
			return false
		}
		word := binary.BigEndian.Uint64(b.words)
		b.words = b.words[8:]
		if b.plain > 0 {
			b.plain--
			b.word, b.inWord = word, 64
			continue
		}
		b.ones, b.run, b.plain = word&1 != 0, word>>1&math.MaxUint32*64, word>>33
	}
}
