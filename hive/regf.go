package hive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"www.velocidex.com/golang/regparser"
)

const (
	baseBlockSize = 4096 // bytes; the bins follow
	nilCell       = 0xFFFFFFFF
)

// profile says where the fields of the records are; it is only read.
var profile = regparser.NewRegistryProfile()

// MaxSize is the number of bytes that a hive can have at most: a cell is named by 32 bits, counted from the first bin.
const MaxSize = 1<<32 + baseBlockSize

// Header is the base block of a hive, as it stands in the file. The names of its fields are those of the format's description.
type Header struct {
	Sequence1, Sequence2 uint32   // equal unless the hive was being written
	Modified             Filetime // when the hive was last written
	Major, Minor         uint32   // version of the format
	Type                 uint32   // 0 for a hive, 1, 2 and 6 for its logs
	Format               uint32   // 1, direct memory load
	Root                 uint32   // offset of the root key's cell from the first bin, bytes
	Length               uint32   // of all bins, bytes
	Cluster              uint32   // clustering factor, 1
	Name                 string   // the last characters of the path that the hive had on the machine
	Checksum             uint32   // as it stands
	Computed             uint32   // as it should be
}

// Dirty tells that the hive was being written when it was copied: what is in it may be half changed, and its latest changes are
// only in its logs.
func (h Header) Dirty() bool { return h.Checksum != h.Computed || h.Sequence1 != h.Sequence2 }

// File is a hive file, whole in memory. Its keys are read from those bytes when they are first asked for.
type File struct {
	Source string // the file, as the user named it
	Header Header

	data []byte
	bins []byte // data behind the base block, as far as the header and the file agree that there are bins
	ends int64  // offset from the first bin at which the bins end, were the file whole
	cellMap

	root    *Key
	claimed atomic.Int64 // see claim
	told    atomic.Int64 // bytes of problems, see tell

	mu       sync.Mutex
	problems []Problem
}

// Open reads a hive file. The file is opened for reading only. An error is a [*Problem] that says why nothing at all can be read
// of it; lesser damage is in [File.Problems] and [Key.Problems].
func Open(name string) (*File, error) {
	data, err := ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Read(name, data)
}

// ReadFile gives the bytes of an input. It is opened for reading only; pipes are read to their end, up to [MaxSize]. Folders and
// devices are refused, and so is what is larger than any input can be. An error is a [*Problem].
func ReadFile(name string) ([]byte, error) {
	refuse := func(what string) ([]byte, error) {
		return nil, &Problem{Source: name, Kind: Unreadable, Msg: what, Loss: true}
	}
	f, err := os.Open(name)
	if err != nil {
		return refuse("cannot be opened: " + reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return refuse("cannot be read: " + reason(err))
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return refuse("is a folder; give the files in it that are to be read")
	case mode&os.ModeDevice != 0:
		return refuse("is a device; copy the hive out of it and give the copy")
	case info.Size() > MaxSize:
		return refuse(fmt.Sprintf("has %d bytes, more than any hive or .reg file; the limit is %d", info.Size(), int64(MaxSize)))
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead) // so that a file is read without copying
	if _, err := b.ReadFrom(io.LimitReader(f, MaxSize+1)); err != nil {
		return refuse("cannot be read to its end: " + reason(err))
	}
	return b.Bytes(), nil
}

// reason is the bare cause of an error of the operating system: the name of the file is told already.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// IsHive tells whether data start as a hive or one of its logs does.
func IsHive(data []byte) bool { return bytes.HasPrefix(data, []byte("regf")) }

// Read is [Open] for bytes that are in memory already. They must not be changed afterwards; source is their name in messages.
func Read(source string, data []byte) (*File, error) {
	f := &File{Source: source, data: data}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	f.mapCells()
	if err := f.readRoot(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) readHeader() error {
	refuse := func(kind Kind, at int64, format string, args ...any) error {
		return &Problem{Source: f.Source, At: Location{Offset: at}, Kind: kind, Msg: fmt.Sprintf(format, args...), Loss: true}
	}
	switch {
	case !IsHive(f.data):
		return refuse(BadHeader, 0, `is no hive: it does not start with "regf"`)
	case len(f.data) < baseBlockSize:
		return refuse(Truncated, int64(len(f.data)), "the file ends inside the base block, which has %d bytes; copy the hive again", baseBlockSize)
	case f.Size() > MaxSize:
		return refuse(BadHeader, 0, "is larger than a hive can be (%d bytes)", int64(MaxSize))
	}
	base := profile.HBASE_BLOCK(bytes.NewReader(f.data[:baseBlockSize]), 0)
	f.Header = Header{
		Sequence1: base.Sequence1(), Sequence2: base.Sequence2(),
		Modified: Filetime(binary.LittleEndian.Uint64(f.data[12:])), // the accessor drops the part below a second
		Major:    base.Major(), Minor: base.Minor(), Type: base.Type(), Format: base.Format(),
		Root: base.RootCell(), Length: base.Length(), Cluster: base.Cluster(),
		Name:     headerName(f.data[48:112]),
		Checksum: base.CheckSum(), Computed: checksum(f.data),
	}
	h := f.Header
	switch {
	case h.Type == 1 || h.Type == 2 || h.Type == 6:
		return refuse(BadHeader, 28, "is a transaction log of a hive and holds no keys by itself; give the hive that lies beside it")
	case h.Major != 1:
		return refuse(BadHeader, 20, "is a hive of format version %d.%d; only versions 1.1 to 1.6 are known", h.Major, h.Minor)
	}
	odd := func(at int64, format string, args ...any) {
		f.report(Problem{At: Location{Offset: at}, Kind: BadHeader, Msg: fmt.Sprintf(format, args...)})
	}
	if h.Minor < 1 || h.Minor > 6 {
		odd(24, "format version 1.%d is not known; read as 1.%d", h.Minor, min(max(h.Minor, 1), 6))
	}
	if h.Type != 0 {
		odd(28, "file type is %d, must be 0; read as a hive all the same", h.Type)
	}
	if h.Format != 1 {
		odd(32, "file format is %d, must be 1; read all the same", h.Format)
	}
	if h.Cluster != 1 {
		odd(44, "clustering factor is %d, must be 1; ignored", h.Cluster)
	}
	there := int64(len(f.data)-baseBlockSize) &^ (baseBlockSize - 1)
	length := int64(h.Length)
	switch {
	case h.Checksum != h.Computed:
		// Nothing in the base block can be trusted, its length least of all: the file itself says how much there is.
		f.report(Problem{At: Location{Offset: 508}, Kind: BadChecksum,
			Msg: fmt.Sprintf("checksum is %#08x, must be %#08x: the hive is dirty and its base block is not to be trusted", h.Checksum, h.Computed)})
		length = there
	case h.Sequence1 != h.Sequence2:
		f.report(Problem{At: Location{Offset: 4}, Kind: Dirty,
			Msg: fmt.Sprintf("the hive is dirty (sequence numbers %d and %d): its latest changes are only in its logs, which were not applied", h.Sequence1, h.Sequence2)})
	}
	if length%baseBlockSize != 0 {
		odd(40, "length of the bins is %d bytes, must be a multiple of %d", length, baseBlockSize)
	}
	f.ends = length
	if available := int64(len(f.data) - baseBlockSize); length > available {
		f.report(Problem{At: Location{Offset: int64(len(f.data))}, Kind: Truncated, Loss: true,
			Msg: fmt.Sprintf("the file ends here, %d bytes before the end of the hive; what lies beyond is lost", length-available)})
		length = available
	}
	f.bins = f.data[baseBlockSize : baseBlockSize+length]
	f.cellHeader = 4
	if h.Minor <= 1 {
		f.cellHeader = 8
	}
	return nil
}

// headerName reads the name in the base block: UTF-16LE up to the first NUL.
func headerName(b []byte) string {
	v := Value{Type: SZ, Data: b}
	name, _ := v.Text()
	return name
}

// checksum adds the first 127 words of a base block up with XOR. Zero and all ones are never used.
func checksum(base []byte) uint32 {
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= binary.LittleEndian.Uint32(base[i:])
	}
	switch sum {
	case 0:
		return 1
	case 0xFFFFFFFF:
		return 0xFFFFFFFE
	}
	return sum
}

// Root is the root key of the hive. Its own name means nothing: Windows calls it by the path at which it is mounted.
func (f *File) Root() *Key { return f.root }

// Size is the length of the file in bytes.
func (f *File) Size() int64 { return int64(len(f.data)) }

// Problems lists the damage met so far, in the order of the file: what is wrong with the file as a whole, and with the keys that
// were looked at.
func (f *File) Problems() []Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	sorted := slices.Clone(f.problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int { return cmp.Compare(a.At.Offset, b.At.Offset) })
	return sorted
}

// report notes a problem and gives it with its source filled in.
func (f *File) report(p Problem) Problem {
	p.Source = f.Source
	f.mu.Lock()
	defer f.mu.Unlock()
	f.problems = append(f.problems, p)
	return p
}

// claim tells whether n more bytes of the file may be given out. The records of a sound hive do not overlap, so reading
// all of it claims no byte twice. A hostile one can name the same list or the same data from a million places, and turn a few
// megabytes into terabytes; so there is an end at four times its size.
func (f *File) claim(n int) bool { return f.claimed.Add(int64(n)) <= 4*int64(len(f.bins)) }

// tell tells whether there is room for a problem of n bytes. A list of bad references makes a message of each four bytes; so
// there is an end to messages, too, far beyond what damage makes of a hive.
func (f *File) tell(n int) bool { return f.told.Add(int64(n)) <= 1<<20+4*int64(len(f.bins)) }
