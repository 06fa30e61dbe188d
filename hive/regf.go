package hive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"www.velocidex.com/golang/regparser"
)

const (
	baseBlockSize = 4096 // bytes; the bins follow it
	nilCell       = 0xFFFFFFFF
)

// profile holds the offsets of the fields of records. It never changes.
var profile = regparser.NewRegistryProfile()

// maxBins is the largest size of all bins of a hive, in bytes: the highest of the 32 bits that name a cell is set for volatile cells, which are
// only in memory. Source: Brendan Dolan-Gavitt, "Cell Index Translation", https://moyix.blogspot.com/2008/02.
const maxBins = 1 << 31

// MaxSize is the largest size of a hive, and of a log of one, in bytes.
const MaxSize = baseBlockSize + maxBins

// File is a hive file, whole in memory. Its keys are read from those bytes on first use.
//
// A hive is a base block of 4096 bytes signed "regf", followed by bins signed "hbin" of a multiple of 4096 bytes each, cut into
// cells. A cell starts with its size as a signed 32-bit number, negative when it is in use. A key is a cell signed "nk", a
// value one signed "vk"; the subkeys of a key are a list cell signed "lf", "lh", "li", or an "ri" over such lists. Offsets in
// the file count from the first bin. The format is described by Maxim Suhanov: https://github.com/msuhanov/regf.
type File struct {
	Source string   // the file, as the user named it
	Header Header   // as it stands in the file
	Logs   []LogUse // what became of the logs, for a dirty hive

	base Header // header after the logs were applied
	data []byte // the hive after the logs were applied
	bins []byte // the bins in data, as far as both the header and the file go
	ends int64  // offset from the first bin at which the bins of the whole file would end

	tooShort sync.Once // done when it is told that records lead to bins behind that end
	cellMap
	remains *remains // if set, cells are read from the remains of deleted records

	root    *Key
	claimed atomic.Int64 // see claim
	told    atomic.Int64 // bytes that problems take, see tell

	loading sync.Mutex // held while a list of subkeys is read
	room    keyRoom
	paths   int64 // bytes of the paths of all keys read, see claimPath

	descriptors sync.Map // offset of a cell, uint32 → *descriptor

	mu       sync.Mutex
	problems map[Kind]*sameKind
}

// IsDirty reports whether data is a dirty hive, which needs its logs.
func IsDirty(data []byte) bool {
	return IsHive(data) && len(data) >= baseBlockSize && parseHeader(data).Dirty()
}

// Read is [Open] for bytes in memory, which must not change afterwards. source is their name in messages. If the hive is dirty, the logs are
// applied to a copy of it.
func Read(source string, data []byte, logs ...Log) (*File, error) {
	f := &File{Source: source, data: data}
	err := f.load(logs)
	if err == nil {
		return f, nil
	}
	if i := slices.IndexFunc(f.Logs, func(u LogUse) bool { return u.Entries > 0 }); i >= 0 {
		// No change removes the root key, so the logs belong to another hive. Without them the hive may be readable.
		without := &File{Source: source, data: data, Logs: misfits(f.Logs)}
		again := without.load(nil)
		if again == nil {
			return without, nil
		}
		if _, ok := errors.AsType[*rootLost](err); !ok {
			f, err = without, again
		}
	}
	if lost, ok := errors.AsType[*rootLost](err); ok {
		if f.findRoot(lost) {
			return f, nil
		}
		err = lost.refusal(f)
	}
	return nil, err
}

// load reads the header, the map of the cells, and the root. It applies no logs if f.Logs says what became of them before. If only the root
// cannot be read, the error is a [rootLost].
func (f *File) load(logs []Log) error {
	if err := f.readHeader(logs); err != nil {
		return err
	}
	f.mapCells()
	return f.readRoot()
}

func (f *File) readHeader(logs []Log) error {
	refuse := func(kind Kind, at int64, format string, args ...any) error {
		return &Problem{Source: f.Source, At: Location{Offset: at}, Kind: kind, Msg: fmt.Sprintf(format, args...), Loss: true}
	}
	switch {
	case !IsHive(f.data):
		return refuse(badHeader, 0, `is no hive: it does not start with "regf"`)
	case len(f.data) < baseBlockSize:
		return refuse(Truncated, int64(len(f.data)), "the file ends inside the base block, which has %d bytes; copy the hive again", baseBlockSize)
	case f.size() > MaxSize:
		return refuse(badHeader, 0, "has %d bytes, and a hive at most %d; give the hive alone, without what is behind it", f.size(), int64(MaxSize))
	}
	f.Header = parseHeader(f.data)
	f.Header.Lost = f.Header.Checksum != f.Header.Computed && hasFirstBin(f.data) && (!isSigned(f.data) || f.Header.Major != 1 && !f.Header.isLog())
	f.base = f.Header
	h := f.Header
	f.settle()
	if h.Checksum == h.Computed { // else a log may hold the right base block
		if at, fault := h.unreadable(); fault != "" {
			return refuse(badHeader, at, "%s", fault)
		}
	}
	if h.Dirty() {
		if f.Logs == nil {
			var data []byte
			if data, f.Logs = replay(f.data, h, logs, func(string, uint32, []byte) bool { return true }); data != nil {
				f.data = data
				f.base = parseHeader(data)
			}
		}
		f.reportDirty()
	}
	if f.base.Lost {
		// Version 1.5 is read as all versions since 1.2, but for large data, and those are told by what they are.
		f.base.Major, f.base.Minor, f.base.Type, f.base.Format, f.base.Cluster = 1, 5, typeHive, 1, 1
		f.report(Problem{Kind: badHeader, Loss: true, Msg: "the base block is lost; the hive is read by its bins, and the root key by its flags"})
	}
	h = f.base
	if at, fault := h.unreadable(); fault != "" {
		return refuse(badHeader, at, "%s; %s", fault, f.Problems()[0].Msg) // with what its logs did about it
	}
	odd := func(at int64, format string, args ...any) {
		f.report(Problem{At: Location{Offset: at}, Kind: badHeader, Msg: fmt.Sprintf(format, args...)})
	}
	if h.Minor < 1 || h.Minor > 6 {
		odd(24, "format version 1.%d is not known; read as 1.%d", h.Minor, min(max(h.Minor, 1), 6))
	}
	if h.Type != typeHive {
		odd(28, "file type is %d, must be 0; read as a hive all the same", h.Type)
	}
	if h.Format != 1 {
		odd(32, "file format is %d, must be 1; read all the same", h.Format)
	}
	if h.Cluster != 1 {
		odd(44, "clustering factor is %d, must be 1; ignored", h.Cluster)
	}
	if t := h.Modified; t != 0 && !t.IsSet() && !h.Lost {
		odd(12, "the last write of the hive, 0x%016x, %s", uint64(t), noTime)
	}
	length := int64(h.Length)
	if h.Checksum != h.Computed {
		// Nothing in the base block can be trusted, so the size of the file decides.
		length = int64(len(f.data)-baseBlockSize) &^ (baseBlockSize - 1)
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

// reportDirty reports that the hive is dirty, and what its logs did about it.
func (f *File) reportDirty() {
	h := f.Header
	p := Problem{At: Location{Offset: 4}, Kind: dirty, Msg: fmt.Sprintf("the hive is dirty (sequence numbers %d and %d)", h.Sequence1, h.Sequence2)}
	if h.Checksum != h.Computed {
		p.At, p.Kind = Location{Offset: 508}, badChecksum
		p.Msg = fmt.Sprintf("the hive is dirty (the checksum of its base block is 0x%08x, must be 0x%08x)", h.Checksum, h.Computed)
	}
	var applied, refused []string
	for _, u := range f.Logs {
		switch {
		case u.Foreign:
			applied = append(applied, u.Name+", although its base block has the identifier of another hive")
		case u.Entries > 0:
			applied = append(applied, u.Name)
		default:
			refused = append(refused, u.Name+" "+u.Why)
		}
	}
	switch {
	case len(applied) > 0:
		p.Msg += "; applied: " + strings.Join(applied, ", ")
	case len(f.Logs) == 0:
		p.Msg += ": its latest changes are only in its logs, which were not applied"
	default:
		p.Msg += ": its latest changes are only in its logs, of which none can be applied"
	}
	if len(refused) > 0 {
		p.Msg += "; not applied: " + strings.Join(refused, "; ")
	}
	f.report(p)
}

// Root returns the root key of the hive. Its own name means nothing: Windows uses the path at which the hive is mounted.
func (f *File) Root() *Key { return f.root }

// size returns the size of the hive after the logs were applied, in bytes: they can make it larger than its file.
func (f *File) size() int64 { return int64(len(f.data)) }

// Problems returns the damage met so far, in the order of the file: that of the file as a whole, and that of the keys read so far. It
// lists the first hundred problems of each kind. One more problem says how many others there are; it has the place of the first of them,
// and is a loss if any of them is.
func (f *File) Problems() []Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Problem
	for kind, same := range f.problems {
		all = append(all, same.listed...)
		if same.more.n > 0 {
			p := same.more.problem(kind)
			p.Source = f.Source
			all = append(all, p)
		}
	}
	slices.SortFunc(all, byPlace)
	return all
}

// report notes a problem.
func (f *File) report(p Problem) {
	p.Source = f.Source
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ofKind(p.Kind).add(p)
}

// count notes n problems that a key does not list; p stands for them.
func (f *File) count(p Problem, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ofKind(p.Kind).more.add(p, n)
}

// met returns the number of problems met so far.
func (f *File) met() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, same := range f.problems {
		n += len(same.listed) + same.more.n
	}
	return n
}

// ofKind returns the problems of one kind. The caller holds mu.
func (f *File) ofKind(kind Kind) *sameKind {
	if f.problems == nil {
		f.problems = map[Kind]*sameKind{}
	}
	if f.problems[kind] == nil {
		f.problems[kind] = &sameKind{}
	}
	return f.problems[kind]
}

// claim reports whether n more bytes of the file may be used. The records of a sound hive do not overlap, so reading all of it claims no
// byte twice. A hostile hive can name the same list or the same data in a million places, and turn a few megabytes into terabytes; so the
// limit is four times its size.
func (f *File) claim(n int) bool { return f.claimed.Add(int64(n)) <= 4*f.size() }

// claimPath reports whether a key with a path of n bytes may be read. A path repeats the names of all keys above, and whatever is said of a key
// repeats its path: 30,000 keys 500 levels below the root turn a hive of 3 MB into gigabytes. The paths of a real hive take about half its
// size, and those of one branch as deep and with names as long as Windows allows take 103 MB. The caller holds loading.
func (f *File) claimPath(n int) bool {
	if f.paths+int64(n) > 128<<20+16*int64(len(f.bins)) {
		return false
	}
	f.paths += int64(n)
	return true
}

// claims collects the claims of one list, and adds them to those of the file at the end: goroutines that read in parallel would otherwise
// contend for each value. Until then they do not know of each other, so n of them may together claim n times as much.
type claims struct {
	file         *File
	before, made int64
}

// overAndOver is why something is not read that cannot be claimed.
const overAndOver = "the hive names the same bytes over and over"

// leftOut is what becomes of it, for messages.
const leftOut = "is left out: " + overAndOver

func (f *File) claims() claims { return claims{f, f.claimed.Load(), 0} }

// take is [File.claim].
func (c *claims) take(n int) bool {
	c.made += int64(n)
	return c.before+c.made <= 4*c.file.size()
}

func (c *claims) end() { c.file.claimed.Add(c.made) }

// tell reports whether there is room for a problem of n bytes. Four bytes, a bad reference, can cause a problem; so problems have a limit too,
// far beyond what real damage reaches.
func (f *File) tell(n int) bool { return f.told.Add(int64(n)) <= 1<<20+4*f.size() }
