// Package archive reads archives as file systems: zip, 7z, tar plain or compressed with gzip, xz, zstd or bzip2, and single files that are
// compressed with one of these.
//
// It keeps the law of package block. The content of a member is read once and held against its checksum before any byte of it is returned; what
// does not match, is cut off or encrypted is a gap. Where the list of members itself is damaged, a name that is not in it is a gap too, because
// nobody knows whether the archive held it.
//
// Formats are told by content. What a compressed tar or a solid 7z holds can be read only in its order, so the one pass that verifies it keeps
// the first 4 KiB of each member, and hives, their logs and .reg text whole, in memory up to 16 MB and then in a temporary file without a name.
package archive

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Options say where content that does not fit into memory goes.
type Options struct {
	TempDir  string // for temporary files, which have no name there; "" for that of the system
	TempSize int64  // bytes that they take at most together; 0 for 16 GB
}

const (
	mostMembers = 500_000   // of an archive, each of which takes some 300 bytes; collections have a few thousand, and whole disks a few hundred thousand
	mostNames   = 64 << 20  // bytes of the names of all members
	mostWindow  = 128 << 20 // bytes of memory that a compressed stream may ask for to be unpacked
)

// mostUnpacked returns how many bytes a member, or a whole archive, of that many packed bytes may have: 1 GiB, and 250 times what it is packed. A
// hive of zeros is packed 1000 times smaller, but is not larger than that; a bomb is.
func mostUnpacked(packed int64) int64 { return 1<<30 + 250*packed }

const (
	passwordAdvice = "unpack it with its password, and name the folder"
	unpackAdvice   = "unpack it, and name the folder"
)

// Archive is the file system of the members of an archive. It is safe for concurrent use.
type Archive struct {
	f        block.File
	kind     string // for people
	name     string // of the format, for programs
	format   format
	members  []*member // in the order of their names
	names    int       // bytes of all names
	problems []hive.Problem
	missing  error // why the list of members is not whole, or nil
	doubts   int   // how many names are not known
	doubt    error // about the first of them
	room     *room
	mu       sync.Mutex // over what is read once: member.state, kept
	kept     *spill
}

// format reads the content of members.
type format interface {
	// examine reads a member for the first time, and perhaps what lies in the same stream: it calls take for each.
	examine(m *member) error
	// unpack writes the content of a member.
	unpack(m *member, w io.Writer) error
	// plain returns the content of a member that lies in the file as it is, or nil.
	plain(m *member) block.Reader
}

// Open returns the members of an archive, or nil if the file is no archive that is known here, which leaves f open. Otherwise f is closed with the
// archive, or at once if that is an error. An error is a [*hive.Problem].
func Open(f block.File, o Options) (*Archive, error) {
	a := &Archive{f: f, room: newRoom(o)}
	a.kept = newSpill(a.room, 16<<20)
	open, err := a.detect()
	if err == nil && open == nil {
		return nil, nil
	}
	if err == nil {
		err = open()
	}
	if err != nil {
		a.Close()
		return nil, a.problem(err)
	}
	a.finish()
	return a, nil
}

// problem returns an error as one that knows its place.
func (a *Archive) problem(err error) error {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return p
	}
	kind, advice := cmp.Or(a.kind, "a file"), unpackAdvice
	if err == errEncryptedNames {
		advice = passwordAdvice
	}
	return block.NewGap(a.f, 0, "is %s that cannot be read: %v; %s", kind, err, advice)
}

// detect returns what opens the file, or nil if it is no archive.
func (a *Archive) detect() (func() error, error) {
	head, err := block.Read(a.f, 0, int(min(4096, a.f.Size())))
	if err != nil {
		return nil, err
	}
	if c := compressionOf(head); c != nil {
		return func() error { return a.openCompressed(c) }, nil
	}
	switch {
	case isTar(head):
		return a.openTar, nil
	case isZip(head):
		return a.openZip, nil
	case isSeven(head):
		return func() error { return a.openSeven(0) }, nil
	}
	return a.detectBehindProgram(head)
}

// Kind returns what the archive is, with its article: "a tar archive compressed with zstd".
func (a *Archive) Kind() string { return a.kind }

// Format returns what the archive is for programs: "zip", "7z", "tar", "tar.gz", or "gz" for a single file.
func (a *Archive) Format() string { return a.name }

// Problems returns what is wrong with the archive as a whole and with the names in it. That the content of a member cannot be read is told when
// it is opened.
func (a *Archive) Problems() []hive.Problem { return slices.Clone(a.problems) }

// Close closes the file of the archive and gives the room of unpacked content back.
func (a *Archive) Close() error {
	return errors.Join(a.kept.Close(), a.f.Close())
}

// tell adds a problem. Of problems of a kind that a hostile archive could have a million times, the caller tells one.
func (a *Archive) tell(at int64, loss bool, text string, args ...any) {
	p, _ := errors.AsType[*hive.Problem](block.NewGap(a.f, at, text, args...))
	p.Loss = loss
	a.problems = append(a.problems, *p)
}

// lacks notes that the list of members is not whole, for the first of several reasons.
func (a *Archive) lacks(at int64, text string, args ...any) {
	if a.missing == nil {
		a.missing = block.NewGap(a.f, at, text, args...)
		a.tell(at, true, text, args...)
	}
}

// doubtName notes that the name of a member is not known.
func (a *Archive) doubtName(m *member, text string, args ...any) {
	if a.doubts++; a.doubts == 1 {
		a.doubt = block.NewGap(a.f, m.at, text, args...)
	}
}

// tellDoubts tells the first of the names that are not known, and how many there are: the list of members is not whole then.
func (a *Archive) tellDoubts() {
	p, ok := errors.AsType[*hive.Problem](a.doubt)
	if !ok {
		return
	}
	if a.doubts > 1 {
		p.Msg += fmt.Sprintf("; the same is true of %d other members", a.doubts-1)
	}
	a.problems = append(a.problems, *p)
	a.missing = cmp.Or(a.missing, a.doubt)
}

// gap returns the error that content of a member cannot be read. A gap of the file itself stays the same.
func (a *Archive) gap(m *member, err error) error {
	if err == nil || block.IsGap(err) {
		return err
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("it ends too early")
	}
	return block.NewGap(a.f, m.at, "cannot be unpacked: %v", err)
}

var errChecksum = errors.New("its content does not match its checksum")

// spillError is that unpacked content could not be kept.
func spillError(dir string, err error) error {
	return fmt.Errorf("its unpacked content has no room in %s: %v; name another folder with TMPDIR, or %s", cmp.Or(dir, os.TempDir()), err, unpackAdvice)
}
