package hive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"slices"
)

// Windows writes a change first to a log beside the hive, and later to the hive. A hive that was copied in between is dirty, and its log
// holds what is missing: whole pages that replace those of the hive. Since Windows 8.1 there are two logs, LOG1 and LOG2, used in turn,
// each a list of numbered entries with hashes ("HvLE"). Before that, one log held the pages of one write ("DIRT").

// Log is a transaction log of a hive.
type Log struct {
	Name string // of its file
	Data []byte
}

// LogUse says what became of a log.
type LogUse struct {
	Name        string
	Entries     int    // number of entries applied; 0 if the log was refused
	First, Last uint32 // sequence numbers of the entries applied
	Why         string // why the log was refused or not applied to its end, or ""
	Later       bool   // the log holds entries that were not applied and may be later than those that were
	Foreign     bool   // the log was applied, but its base block has another identifier than the hive
}

// The types of files that start like a hive.
const (
	typeHive   = 0
	typeLog1   = 1 // old log
	typeLog2   = 2 // old log
	typeNewLog = 6
)

const (
	sectorSize   = 512 // bytes; logs are written in sectors
	entryHeader  = 40  // bytes of an entry before its page references
	pageRefSize  = 8   // bytes
	logHeaderEnd = sectorSize
)

// logFile is a log whose base block was read.
type logFile struct {
	Log
	Header
	use *LogUse
}

// replay applies logs to a copy of a dirty hive, and returns that copy, or nil if no log can be applied. It chooses the logs as Windows
// does: https://github.com/msuhanov/regf. It shows the copy after each entry, and ends early if that returns false.
func replay(hive []byte, h Header, logs []Log, show func(log string, entry uint32, hive []byte) bool) (data []byte, uses []LogUse) {
	uses = make([]LogUse, len(logs))
	var old, fresh []logFile
	for i, l := range logs {
		uses[i].Name = l.Name
		f := logFile{Log: l, use: &uses[i]}
		switch why := f.read(); {
		case why != "":
			f.use.Why = why
		case f.Type == typeNewLog:
			fresh = append(fresh, f)
		default:
			old = append(old, f)
		}
	}
	for _, f := range slices.Concat(fresh, old) {
		f.use.Later = false
	}
	if len(fresh) > 0 {
		for _, f := range old {
			f.use.Why = "is of the old kind, and there is one of the new kind"
		}
		data = replayNew(hive, h, fresh, show)
	} else {
		data = replayOld(hive, h, old, show)
	}
	for i, l := range logs {
		uses[i].Foreign = uses[i].Entries > 0 && h.Checksum == h.Computed && areForeign(hive, l.Data)
	}
	return data, uses
}

// Step is a dirty hive in the state after one entry of its logs.
type Step struct {
	Log   string // name of the log
	Entry uint32 // sequence number of the entry
	Data  []byte // of a clean hive in that state, for [Read]
}

// Steps returns the states of a dirty hive after each entry of its logs that can be applied, the oldest first. The last one is what [Read]
// reads, unless that refuses the logs because no root key is left. There are none for a hive that is clean.
func Steps(data []byte, logs ...Log) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		if !IsDirty(data) {
			return
		}
		f := &File{data: data, Header: parseHeader(data)}
		f.settle()
		replay(f.data, f.Header, logs, func(log string, entry uint32, hive []byte) bool {
			state := bytes.Clone(hive)
			cleanAt(state, entry)
			return yield(Step{log, entry, state})
		})
	}
}

// areForeign reports whether the base blocks of a hive and a log have different identifiers: that of the hive's transaction manager, which
// Windows generates for each hive. Windows itself does not compare them when it applies a log.
func areForeign(hive, log []byte) bool {
	const from, to = 112, 128
	none := make([]byte, to-from)
	a, b := hive[from:to], log[from:to]
	return !bytes.Equal(a, b) && !bytes.Equal(a, none) && !bytes.Equal(b, none)
}

// read checks the base block of a log. It returns why the log cannot be used, or "".
func (f *logFile) read() string {
	switch {
	case len(f.Data) == 0:
		return "is empty"
	case int64(len(f.Data)) > MaxSize:
		return fmt.Sprintf("has %d bytes, and a log at most %d", len(f.Data), int64(MaxSize))
	case !isSigned(f.Data):
		return `does not start with "regf"`
	case len(f.Data) < sectorSize:
		f.use.Later = true
		return "ends inside its base block"
	}
	f.Header = parseHeader(f.Data)
	if !f.isLog() {
		return fmt.Sprintf("is no log: its type is %d", f.Type)
	}
	f.use.Later = true // unless shown otherwise
	switch {
	case f.Checksum != f.Computed:
		return "has a base block with a wrong checksum"
	case f.Sequence1 != f.Sequence2:
		return fmt.Sprintf("was not written to its end (sequence numbers %d and %d)", f.Sequence1, f.Sequence2)
	}
	return ""
}

// entry is one write of a log of the new kind.
type entry struct {
	number uint32
	length uint32 // of all bins of the hive after the write, bytes
	flags  uint32
	pages  []page
}

// page is a stretch of the bins.
type page struct {
	at   uint32 // from the first bin, bytes
	data []byte
}

// entries returns the entries of a log up to the first that is not valid, and why that one is not: Windows starts a log over again and again,
// and what follows the last entry is left over from earlier rounds.
func (f *logFile) entries() (all []entry, why string) {
	rest := f.Data[logHeaderEnd:]
	if len(rest) == 0 {
		return nil, "holds no entries"
	}
	want := f.Sequence1
	for len(rest) > 0 {
		e, size, fault := readEntry(rest, want)
		if fault != "" {
			// With the right number it is the next entry, whatever is wrong with it; else it is left over.
			f.use.Later = len(rest) >= entryHeader && string(rest[:4]) == "HvLE" && binary.LittleEndian.Uint32(rest[12:]) == want
			if len(all) == 0 {
				return nil, "holds no entry to apply: the first one " + fault
			}
			return all, fmt.Sprintf("ends behind entry %d: the next one %s", want-1, fault)
		}
		all = append(all, e)
		rest = rest[size:]
		want++
	}
	return all, ""
}

func readEntry(b []byte, want uint32) (e entry, size int, fault string) {
	if len(b) < sectorSize || string(b[:4]) != "HvLE" {
		return e, 0, `is not signed "HvLE"`
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	declared, count := int64(u32(4)), int64(u32(20))
	e = entry{number: u32(12), length: u32(16), flags: u32(8)}
	switch {
	case declared < sectorSize || declared%sectorSize != 0 || declared > int64(len(b)):
		return e, 0, fmt.Sprintf("has an impossible size of %d bytes", declared)
	case e.number != want:
		return e, 0, fmt.Sprintf("has the number %d, not %d", e.number, want)
	case e.length == 0 || e.length > maxBins || e.length%baseBlockSize != 0:
		return e, 0, fmt.Sprintf("is for bins of an impossible length of %d bytes", e.length)
	case count == 0 || count > (declared-entryHeader)/pageRefSize:
		return e, 0, fmt.Sprintf("has an impossible number of %d pages", count)
	}
	b = b[:declared]
	if binary.LittleEndian.Uint64(b[32:]) != marvin32(b[:32]) || binary.LittleEndian.Uint64(b[24:]) != marvin32(b[entryHeader:]) {
		return e, 0, "has a wrong hash"
	}
	data := b[entryHeader+count*pageRefSize:]
	for i := range count {
		at, n := u32(int(entryHeader+i*pageRefSize)), u32(int(entryHeader+i*pageRefSize+4))
		if int64(n) > int64(len(data)) || int64(at)+int64(n) > int64(e.length) {
			return e, 0, fmt.Sprintf("has a page at %#x of an impossible size of %d bytes", at, n)
		}
		e.pages = append(e.pages, page{at, data[:n]})
		data = data[n:]
	}
	return e, int(declared), ""
}

// replayNew applies logs of the new kind, the oldest first. It returns nil if none can be applied, or if show returns false.
func replayNew(hive []byte, h Header, logs []logFile, show func(string, uint32, []byte) bool) []byte {
	// Sequence numbers wrap around.
	older := func(a, b uint32) int { return cmp.Compare(int32(a-b), 0) }
	slices.SortStableFunc(logs, func(a, b logFile) int {
		return cmp.Or(older(a.Sequence1, b.Sequence1), cmp.Compare(a.use.Name, b.use.Name))
	})
	if h.Checksum != h.Computed {
		// It is unknown which entries the hive has, so only the newest log counts, and its base block replaces the hive's.
		for _, f := range logs[:len(logs)-1] {
			f.use.Why = "is older than the other one, and the base block of the hive does not tell which entries it needs"
		}
		logs = logs[len(logs)-1:]
		base := bytes.Clone(logs[0].Data[:sectorSize])
		hive = slices.Concat(base, hive[sectorSize:])
	} else {
		hive = bytes.Clone(hive)
	}
	applied, begun := false, false
	next := h.Sequence2
	for _, f := range logs {
		switch {
		case begun && f.Sequence1 != next:
			f.use.Why = fmt.Sprintf("does not go on where the other one ends: it starts at %d, needed is %d", f.Sequence1, next)
			f.use.Later = older(f.Sequence1, next) > 0
			continue
		case !begun && h.Checksum == h.Computed && older(f.Sequence1, next) < 0:
			f.use.Why = fmt.Sprintf("is older than the hive: it starts at %d, needed is %d", f.Sequence1, next)
			continue
		}
		begun, next = true, f.Sequence1
		entries, why := f.entries()
		f.use.Why = why
		for i, e := range entries {
			if !e.fits(hive) {
				f.use.Why = fmt.Sprintf("ends at entry %d, which is for bins of %d bytes that neither it nor the hive holds", e.number, e.length)
				f.use.Later = true
				entries = entries[:i]
				break
			}
			hive = e.apply(hive)
			if !show(f.use.Name, e.number, hive) {
				return nil
			}
		}
		if n := len(entries); n > 0 {
			applied = true
			f.use.Entries, f.use.First, f.use.Last = n, entries[0].number, entries[n-1].number
			next = f.use.Last + 1
		}
	}
	if !applied {
		return nil
	}
	cleanAt(hive, next-1)
	return hive
}

// cleanAt makes a hive the clean one that it is after an entry.
func cleanAt(hive []byte, entry uint32) {
	put32(hive, 4, entry)
	put32(hive, 8, entry)
	seal(hive)
}

// misfits returns the uses of logs that made the hive unreadable, as logs that were refused.
func misfits(uses []LogUse) []LogUse {
	refused := make([]LogUse, len(uses))
	for i, u := range uses {
		refused[i] = LogUse{Name: u.Name, Why: u.Why, Later: u.Later}
		if u.Entries > 0 {
			refused[i].Why = "does not fit this hive: with it no root key can be read"
		}
	}
	return refused
}

// fits reports whether the hive can be as long as the entry says: an entry that adds bins holds them.
func (e entry) fits(hive []byte) bool {
	brought := 0
	for _, p := range e.pages {
		brought += len(p.data)
	}
	return int64(e.length) <= int64(len(hive)-baseBlockSize)+int64(brought)
}

// apply writes the pages of an entry to a hive, and returns the hive, which may have grown.
func (e entry) apply(hive []byte) []byte {
	if need := baseBlockSize + int(e.length); need > len(hive) {
		hive = append(hive, make([]byte, need-len(hive))...)
	}
	for _, p := range e.pages {
		copy(hive[baseBlockSize+int(p.at):], p.data)
	}
	put32(hive, 40, e.length)
	put32(hive, 144, binary.LittleEndian.Uint32(hive[144:])&^1|e.flags&1)
	return hive
}

// replayOld applies a log of the old kind: a bitmap of the sectors that one write changed, and those sectors. The newest of several logs
// holds what the others hold, and more.
func replayOld(hive []byte, h Header, logs []logFile, show func(string, uint32, []byte) bool) []byte {
	written := h.Modified
	if h.Checksum != h.Computed && len(hive) >= baseBlockSize+binHeaderSize {
		written = Filetime(binary.LittleEndian.Uint64(hive[baseBlockSize+20:])) // of the first bin
	}
	slices.SortStableFunc(logs, func(a, b logFile) int {
		return cmp.Or(cmp.Compare(b.Modified, a.Modified), cmp.Compare(a.use.Name, b.use.Name))
	})
	for i, f := range logs {
		if f.Modified < written {
			f.use.Why = "is older than the hive"
			continue
		}
		out, why := f.applyOld(hive)
		if why != "" {
			f.use.Why, f.use.Later = why, true
			continue
		}
		f.use.Entries, f.use.First, f.use.Last = 1, f.Sequence1, f.Sequence1
		for _, other := range logs[i+1:] {
			other.use.Why = "is not needed: another log was applied"
		}
		show(f.use.Name, f.Sequence1, out)
		return out
	}
	return nil
}

func (f *logFile) applyOld(hive []byte) (out []byte, why string) {
	const bitmapAt = logHeaderEnd + 4
	length := int64(f.Length)
	size := length / baseBlockSize // bytes of the bitmap, which has one bit per sector
	switch {
	case len(f.Data) < bitmapAt || string(f.Data[logHeaderEnd:bitmapAt]) != "DIRT":
		return nil, `its bitmap is not signed "DIRT"`
	case length == 0 || length > maxBins || length%baseBlockSize != 0:
		return nil, fmt.Sprintf("is for bins of an impossible length of %d bytes", length)
	case size > int64(len(f.Data)-bitmapAt):
		return nil, "ends inside its bitmap"
	}
	bitmap := f.Data[bitmapAt : bitmapAt+size]
	pages := 0
	for _, b := range bitmap {
		pages += bits.OnesCount8(b)
	}
	start := (bitmapAt + size + sectorSize - 1) / sectorSize * sectorSize
	if start+int64(pages)*sectorSize > int64(len(f.Data)) {
		return nil, fmt.Sprintf("ends before the last of its %d pages", pages)
	}
	// If the bins grow by more than the log holds, the length is a lie.
	if grown := length - int64(len(hive)-baseBlockSize); grown > int64(pages)*sectorSize {
		return nil, fmt.Sprintf("is for bins of %d bytes, which neither it nor the hive holds", length)
	}
	out = bytes.Clone(hive)
	if need := baseBlockSize + int(length); need > len(out) {
		out = append(out, make([]byte, need-len(out))...)
	}
	from := f.Data[start:]
	for i, b := range bitmap {
		for ; b != 0; b &= b - 1 {
			sector := i*8 + bits.TrailingZeros8(b)
			copy(out[baseBlockSize+sector*sectorSize:], from[:sectorSize])
			from = from[sectorSize:]
		}
	}
	copy(out[:sectorSize], f.Data[:sectorSize])
	seal(out)
	return out, ""
}

// seal makes the base block that of a clean hive.
func seal(hive []byte) {
	put32(hive, 28, typeHive)
	put32(hive, 508, checksum(hive))
}

func put32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }

// marvin32 returns the hash of a log entry: 64 bits, with the seed that Windows uses for hives.
func marvin32(b []byte) uint64 {
	lo, hi := uint32(0x7A4E55C5), uint32(0x82EF4D88)
	mix := func(v uint32) {
		lo += v
		hi ^= lo
		lo = bits.RotateLeft32(lo, 20) + hi
		hi = bits.RotateLeft32(hi, 9) ^ lo
		lo = bits.RotateLeft32(lo, 27) + hi
		hi = bits.RotateLeft32(hi, 19)
	}
	for len(b) >= 4 {
		mix(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	last := uint32(0x80)
	for i := len(b) - 1; i >= 0; i-- {
		last = last<<8 | uint32(b[i])
	}
	mix(last)
	mix(0)
	return uint64(hi)<<32 | uint64(lo)
}
