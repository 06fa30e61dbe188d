package hive

import (
	"fmt"
	"slices"
	"strings"
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

// maxBins is the number of bytes that the bins of a hive can have at most: the upper bit of the 32 that name a cell tells whether it is in
// the file or, as what is volatile, only in memory. Source: Brendan Dolan-Gavitt, "Cell Index Translation", https://moyix.blogspot.com/2008/02.
const maxBins = 1 << 31

// MaxSize is the number of bytes that a hive or a log of one can have at most.
const MaxSize = baseBlockSize + maxBins

// File is a hive file, whole in memory. Its keys are read from those bytes when they are first asked for.
type File struct {
	Source string   // the file, as the user named it
	Header Header   // as it stands in the file
	Logs   []LogUse // what became of the logs that were given, for a dirty hive

	base Header // of the hive as it is read: after the logs were applied
	data []byte // likewise
	bins []byte // data behind the base block, as far as the header and the file agree that there are bins
	ends int64  // offset from the first bin at which the bins end, were the file whole
	cellMap
	remains *remains // what deletion left behind, when that is to be read in place of the cells in use

	root    *Key
	claimed atomic.Int64 // see claim
	told    atomic.Int64 // bytes of problems, see tell

	loading sync.Mutex // held while a list of subkeys is read
	room    keyRoom

	descriptors sync.Map // security descriptors that were read, by the offsets of their cells

	mu       sync.Mutex
	problems map[Kind]*sameKind
}

// IsDirty tells whether data are a dirty hive, one that needs its logs.
func IsDirty(data []byte) bool {
	return IsHive(data) && len(data) >= baseBlockSize && parseHeader(data).Dirty()
}

// Read is [Open] for bytes that are in memory already. They must not be changed afterwards; source is their name in messages. If the
// hive is dirty, what the logs hold is put over a copy of it.
func Read(source string, data []byte, logs ...Log) (*File, error) {
	f := &File{Source: source, data: data}
	err := f.load(logs)
	if err == nil {
		return f, nil
	}
	if i := slices.IndexFunc(f.Logs, func(u LogUse) bool { return u.Entries > 0 }); i >= 0 {
		// No change takes the root key away: the logs are of another hive. Without them there may be something to read.
		without := &File{Source: source, data: data, Logs: misfits(f.Logs)}
		if without.load(nil) == nil {
			return without, nil
		}
	}
	return nil, err
}

// load reads what all else starts from. Logs that were tried before, in f.Logs, are not applied again.
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
	f.base = f.Header
	h := f.Header
	if h.Checksum == h.Computed { // else a log may hold the base block as it should be
		if at, fault := h.unreadable(); fault != "" {
			return refuse(badHeader, at, "%s", fault)
		}
	}
	if h.Dirty() {
		if f.Logs == nil {
			var data []byte
			if data, f.Logs = replay(f.data, h, logs); data != nil {
				f.data = data
				f.base = parseHeader(data)
			}
		}
		f.reportDirty()
	}
	h = f.base
	if at, fault := h.unreadable(); fault != "" {
		return refuse(badHeader, at, "%s; %s", fault, f.Problems()[0].Msg) // and what its logs did about that
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
	length := int64(h.Length)
	if h.Checksum != h.Computed {
		// Nothing in the base block can be trusted, its length least of all: the file itself says how much there is.
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

// reportDirty says that the hive is dirty, and what its logs did about that.
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

// Root is the root key of the hive. Its own name means nothing: Windows calls it by the path at which it is mounted.
func (f *File) Root() *Key { return f.root }

// size is the length of the hive in bytes, as it is read: logs can make it longer than its file.
func (f *File) size() int64 { return int64(len(f.data)) }

// Problems lists the damage met so far, in the order of the file: what is wrong with the file as a whole, and with the keys that
// were looked at. Of each kind the first hundred are listed, and one more problem tells how many others there are, at the place of the
// first of these; it is a loss where any of them is.
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

// count notes n problems that were counted in a key already.
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

// ofKind is called while mu is held.
func (f *File) ofKind(kind Kind) *sameKind {
	if f.problems == nil {
		f.problems = map[Kind]*sameKind{}
	}
	if f.problems[kind] == nil {
		f.problems[kind] = &sameKind{}
	}
	return f.problems[kind]
}

// claim tells whether n more bytes of the file may be given out. The records of a sound hive do not overlap, so reading
// all of it claims no byte twice. A hostile one can name the same list or the same data from a million places, and turn a few
// megabytes into terabytes; so there is an end at four times its size.
func (f *File) claim(n int) bool { return f.claimed.Add(int64(n)) <= 4*int64(len(f.bins)) }

// claims are those of one list. They are added to those of the file when the list was read: goroutines that read side by side would
// else get in each other's way at each value. Until then they do not know of one another, so that n of them may together claim n times as
// much.
type claims struct {
	file         *File
	before, made int64
}

// overAndOver is why something is not read for which there is no more claim.
const overAndOver = "the hive names the same bytes over and over"

// leftOut is what becomes of it.
const leftOut = "is left out: " + overAndOver

func (f *File) claims() claims { return claims{f, f.claimed.Load(), 0} }

// take is [File.claim].
func (c *claims) take(n int) bool {
	c.made += int64(n)
	return c.before+c.made <= 4*int64(len(c.file.bins))
}

func (c *claims) end() { c.file.claimed.Add(c.made) }

// tell tells whether there is room for a problem of n bytes. A list of bad references makes a message of each four bytes; so
// there is an end to messages, too, far beyond what damage makes of a hive.
func (f *File) tell(n int) bool { return f.told.Add(int64(n)) <= 1<<20+4*int64(len(f.bins)) }
