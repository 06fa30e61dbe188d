package hivetest

import (
	"bytes"
	"math/bits"
	"slices"
)

// Types of files, for [BaseType].
const (
	TypeOldLog  = 1
	TypeLogNT   = 2 // of the old kind, up to Windows 2000
	TypeNewLog  = 6
	LogSector   = 512 // bytes; the base block of a log is one, and its entries are made of them
	EntryHeader = 40  // bytes of an entry before its page references
)

// Where the fields of an entry of a log are, from its start. After a change, [SealEntry] makes the hashes right again.
const (
	EntrySize   = 4
	EntryFlags  = 8
	EntryNumber = 12
	EntryLength = 16 // of the bins, after the entry
	EntryCount  = 20 // of pages
	EntryHash1  = 24 // 64 bits, of everything behind the header
	EntryHash2  = 32 // 64 bits, of the header before it
	EntryPages  = 40 // the references: where a page goes, counted from the first bin, and its size
)

// Page is a stretch of the bins of a hive.
type Page struct {
	At   int // counted from the first bin
	Data []byte
}

// Pages returns what differs between two states of a hive, in whole sectors. What the later state has in addition is split at each page.
func Pages(before, after []byte) []Page {
	var pages []Page
	for at := page; at < len(after); {
		size := LogSector
		if at >= len(before) {
			size = page
		}
		size = min(size, len(after)-at)
		if at >= len(before) || !bytes.Equal(before[at:min(at+size, len(before))], after[at:at+size]) {
			pages = append(pages, Page{at - page, after[at : at+size]})
		}
		at += size
	}
	return pages
}

// Entry returns one entry of a log of the new kind. length is that of all bins after it.
func Entry(number uint32, length int, pages ...Page) []byte {
	b := make([]byte, EntryHeader)
	copy(b, "HvLE")
	le.PutUint32(b[EntryNumber:], number)
	le.PutUint32(b[EntryLength:], uint32(length))
	le.PutUint32(b[EntryCount:], uint32(len(pages)))
	for _, p := range pages {
		b = le.AppendUint32(b, uint32(p.At))
		b = le.AppendUint32(b, uint32(len(p.Data)))
	}
	for _, p := range pages {
		b = append(b, p.Data...)
	}
	b = append(b, make([]byte, -len(b)&(LogSector-1))...)
	le.PutUint32(b[EntrySize:], uint32(len(b)))
	SealEntry(b)
	return b
}

// Entries returns the n entries that lead from one state of a hive to another, numbered from first on. The last one has what is left; an entry
// that would be empty repeats a page.
func Entries(first uint32, n int, before, after []byte) [][]byte {
	pages := Pages(before, after)
	if len(pages) == 0 {
		pages = []Page{{0, after[page : page+LogSector]}}
	}
	length := len(before) - page
	var entries [][]byte
	for i := range n {
		from, to := i*len(pages)/n, (i+1)*len(pages)/n
		part := pages[from:to]
		if len(part) == 0 {
			part = pages[max(0, to-1):max(1, to)]
		}
		last := part[len(part)-1]
		length = max(length, last.At+len(last.Data))
		if i == n-1 {
			length = len(after) - page
		}
		entries = append(entries, Entry(first+uint32(i), length, part...))
	}
	return entries
}

// SealEntry writes the right hashes into an entry.
func SealEntry(entry []byte) {
	le.PutUint64(entry[EntryHash1:], Marvin32(logSeed, entry[EntryHeader:]))
	le.PutUint64(entry[EntryHash2:], Marvin32(logSeed, entry[:EntryHash2]))
}

// Log returns a log of the new kind for a hive: a base block with the number of the first entry, and the entries.
func Log(hive []byte, first uint32, entries ...[]byte) []byte {
	return logOf(hive, TypeNewLog, first, bytes.Join(entries, nil))
}

// OldLog returns a log of the old kind that leads from one state of a hive to another. Its base block is that of the later state.
func OldLog(before, after []byte) []byte {
	sectors := (len(after) - page) / LogSector
	dirty := make([]byte, (sectors+7)/8)
	var data []byte
	for _, p := range Pages(before, after) {
		for i := 0; i < len(p.Data); i += LogSector {
			sector := (p.At + i) / LogSector
			dirty[sector/8] |= 1 << (sector % 8)
		}
		data = append(data, p.Data...)
	}
	vector := append([]byte("DIRT"), dirty...)
	vector = append(vector, make([]byte, -len(vector)&(LogSector-1))...)
	return logOf(after, TypeOldLog, le.Uint32(after[BaseSequence1:]), append(vector, data...))
}

func logOf(hive []byte, kind, number uint32, rest []byte) []byte {
	b := slices.Concat(hive[:LogSector], rest)
	le.PutUint32(b[BaseSequence1:], number)
	le.PutUint32(b[BaseSequence2:], number)
	le.PutUint32(b[BaseType:], kind)
	Seal(b)
	return b
}

// Dirty returns a hive with the sequence numbers of one that is being written. sequence2 is the number of the first log entry that it needs.
func Dirty(hive []byte, sequence1, sequence2 uint32) []byte {
	return Set32(Set32(hive, BaseSequence1, sequence1), BaseSequence2, sequence2)
}

// HalfWritten returns a dirty hive with every other page of a change, in a file that has not grown yet.
func HalfWritten(before, after []byte, sequence1, sequence2 uint32) []byte {
	b := Dirty(before, sequence1, sequence2)
	for i, p := range Pages(before, after) {
		if i%2 == 0 {
			copy(b[min(page+p.At, len(b)):], p.Data)
		}
	}
	return b
}

// Destroyed returns a hive with nothing left of its base block except the signature.
func Destroyed(hive []byte) []byte {
	b := slices.Clone(hive)
	for i := 4; i < page; i++ {
		b[i] = 0xA5
	}
	return b
}

// logSeed is the seed of the hashes in logs of hives.
const logSeed = 0x82EF4D887A4E55C5

// Marvin32 returns Microsoft's hash of that name. The data is followed by a mark, zeros up to a whole word, and one more word of zeros.
func Marvin32(seed uint64, data []byte) uint64 {
	padded := append(slices.Clip(data), 0x80)
	for len(padded)%4 != 0 {
		padded = append(padded, 0)
	}
	padded = append(padded, 0, 0, 0, 0)
	h := [2]uint32{uint32(seed), uint32(seed >> 32)}
	for word := range slices.Chunk(padded, 4) {
		h[0] += le.Uint32(word)
		for _, by := range [][2]int{{20, 9}, {27, 19}} {
			h[1] ^= h[0]
			h[0] = bits.RotateLeft32(h[0], by[0]) + h[1]
			h[1] = bits.RotateLeft32(h[1], by[1])
		}
	}
	return uint64(h[1])<<32 | uint64(h[0])
}
