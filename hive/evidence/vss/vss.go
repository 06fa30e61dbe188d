// Package vss reads the shadow copies of an NTFS volume: the volume as it was at an earlier time.
//
// Since Vista, Windows keeps shadow copies on the volume itself. Before a block of 16 KiB is written for the first time after a shadow copy was
// created, its old content is copied into the store of that shadow copy. So the newest shadow copy is the volume with the blocks of its store
// instead of its own, and an older one is the next newer one with those of its own store. A header at 0x1E00 of the volume tells where the
// catalog lies, the catalog where the parts of each store lie: a header with its names, a list of blocks, a list of the ranges of the volume that
// the store occupies, and bitmaps.
//
// A descriptor in the list of blocks says where the old content of a block is: in the store; at another place of the volume, to where Windows
// moved it ("forwarder"); or, of some sectors of it, in the store ("overlay": what was changed in the shadow copy itself, so older ones do not have
// it). Blocks that no descriptor tells are those of the next newer shadow copy, and finally of the volume. One that was moved away and back is
// a gap: by the source it is where it was moved first, which would be other content.
//
// The package keeps the law of package block. No checksum proves a block or a descriptor, but much is told twice: each block of a list tells what it
// is and where it lies, and a descriptor where its data lies in the store and in the volume, which must be the same place by the ranges. If the list
// of a store is damaged somewhere, nothing is read that depends on it, in older shadow copies neither: what is there now is of another time. If a
// store may be missing in the catalog, only what a shadow copy has in its own store is read.
//
// Damage cannot be told if what remains is another valid list: the last descriptors of a list are zeros, another block is named, bits of a bitmap
// are others.
//
// What was not in use when a shadow copy was created is not copied, and Windows leaves open what reading it returns. Here it is, as by libvshadow,
// zeros in the newest shadow copy; in older ones it is what is there now.
//
// Source: libyal, libvshadow, "Volume Shadow Snapshot (VSS) format".
package vss

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

var le = binary.LittleEndian

const (
	blockSize  = 16 << 10 // bytes, of all that a store or the catalog consists of
	headerSize = 128      // bytes, at the beginning of each block that is no data
	headerAt   = 0x1E00   // where the volume header lies
	entrySize  = 128      // bytes, of the catalog

	// mostStores is how many shadow copies Windows keeps of a volume. Source: Microsoft, "Volume Shadow Copy Service (VSS)".
	mostStores = 512
)

// The types of records.
const (
	volumeHeader = 1 + iota
	catalogBlock
	blockList
	storeHeader
	rangeList
	bitmapBlock
)

// signature is 3808876b-c176-4e48-b7ae-04046e6cc752, with which each block begins.
const signature = "\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52"

// Shadows are the shadow copies of a volume.
type Shadows struct {
	Stores   []Store        // oldest first
	Problems []hive.Problem // of the catalog; those of a store are its own

	r    block.Reader
	lost error // why a store may be missing, so that what lies under a store cannot be told
	left int   // so many entries of lists may still be read
}

// Store is a shadow copy. Its Reader is the whole volume as it was when the shadow copy was created; bytes that cannot be told are gaps. It
// is safe for concurrent use.
type Store struct {
	block.Reader
	Number     int       // from 1, the oldest
	Created    time.Time // in UTC; zero if it is not known
	ID         string    // by which the file of the store is named
	CopyID     string    // by which Windows names the shadow copy; "" if it is not known
	Attributes uint32    // flags VSS_VOLSNAP_ATTR; 0 if they are not known
	Problems   []hive.Problem
}

// Locate returns where a byte of the shadow copy lies now, see [block.Locator].
func (s Store) Locate(at int64) (string, int64) { return block.Locate(s.Reader, at) }

// entry is what the catalog tells about a store.
type entry struct {
	at                                               int64 // where it begins in the volume
	id                                               string
	size                                             int64 // bytes of the volume
	sequence                                         uint64
	created                                          hive.Filetime
	listAt, headerAt, rangesAt, bitmapAt, previousAt int64 // where the parts of the store begin; previousAt may be 0
	described, stored                                bool  // which of its two records there are
}

// Open returns the shadow copies of an NTFS volume, or nil if it has none. The error is a gap if that cannot be told, or none of them. The stores
// read from r as long as they are used, small pieces and often the same ones, see [block.Cached].
func Open(r block.Reader) (*Shadows, error) {
	at, err := catalogAt(r)
	if err != nil || at == 0 {
		return nil, err
	}
	s := &Shadows{r: r, left: mostEntries}
	entries, err := readCatalog(r, at)
	if err != nil {
		if len(entries) == 0 {
			return nil, err
		}
		s.lose(err)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.sequence, b.sequence))
	})
	for i, e := range entries[1:] {
		if e.sequence <= entries[i].sequence {
			s.lose(block.NewGap(r, e.at, "the catalog of shadow copies does not tell which is older: the times and the numbers of %s and %s differ in their order", entries[i].id, e.id))
		}
	}
	views := make([]*view, len(entries))
	s.Stores = make([]Store, len(entries))
	for i, e := range slices.Backward(entries) { // the older ones need the newer ones
		views[i] = &view{Shadows: s, index: i, views: views, size: e.size}
		s.Stores[i] = views[i].open(e)
	}
	return s, nil
}

// lose notes that a store may be missing.
func (s *Shadows) lose(err error) {
	s.lost = cmp.Or(s.lost, err)
	s.Problems = addProblem(s.Problems, err)
}

// addProblem adds an error, which is one of reading or a gap.
func addProblem(list []hive.Problem, err error) []hive.Problem {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return append(list, *p)
	}
	return append(list, hive.Problem{Kind: block.Gap, Msg: err.Error(), Loss: true})
}

// catalogAt returns where the catalog begins, or 0 if there is none. A header of which only the signature or only the rest is right is damaged.
func catalogAt(r block.Reader) (int64, error) {
	if r.Size() < headerAt+512 {
		return 0, nil
	}
	raw, err := block.Read(r, headerAt, 512)
	if err != nil {
		return 0, err
	}
	signed := string(raw[:16]) == signature
	placed := le.Uint32(raw[20:]) == volumeHeader && le.Uint64(raw[24:]) == headerAt
	version := le.Uint32(raw[16:])
	switch {
	case !signed && !placed:
		return 0, nil
	case !signed || !placed || version != 1 && version != 2:
		return 0, block.NewGap(r, headerAt, "the header of the shadow copies is damaged, so they cannot be read")
	}
	at := int64(le.Uint64(raw[48:]))
	if at != 0 && !holds(r, at, blockSize) {
		return 0, block.NewGap(r, headerAt+48, "the catalog of shadow copies would lie at %#x, not inside of the volume", at)
	}
	return at, nil
}

// holds reports whether a place lies inside of the volume.
func holds(r block.Reader, at, size int64) bool {
	return at > 0 && at%512 == 0 && size >= 0 && at <= r.Size() && size <= r.Size()-at
}

// readCatalog returns the stores that the catalog tells, in its order. With an error there may be more of them.
func readCatalog(r block.Reader, at int64) (list []*entry, damage error) {
	c := chain{r: r, kind: catalogBlock, what: "the catalog of shadow copies", next: at}
	ended := false
	for c.next != 0 && damage == nil {
		var raw []byte
		if raw, damage = c.read(); damage != nil {
			break
		}
		for i := headerSize; i < blockSize && damage == nil; i += entrySize {
			record := raw[i : i+entrySize]
			if ended = ended || zeros(record); !ended {
				list, damage = addEntry(list, record, &c, i)
			} else if !zeros(record) {
				damage = c.damaged(i, "an entry follows where it ends")
			}
		}
	}
	whole := list[:0]
	for _, e := range list {
		if e.described && e.stored {
			whole = append(whole, e)
		} else if damage == nil {
			damage = block.NewGap(r, e.at, "the catalog of shadow copies tells only half of %s; the other half is lost, or on another volume", e.id)
		}
	}
	return whole, damage
}

// addEntry adds an entry of the catalog, at a place of its last block. A store has two, in any order: of type 2, which describes it, and of type 3,
// which tells where it lies.
func addEntry(list []*entry, record []byte, c *chain, at int) ([]*entry, error) {
	number := func(i int) int64 { return int64(le.Uint64(record[i:])) }
	kind, id := number(0), guid(record[16:])
	if kind == 1 { // not used any more
		return list, nil
	}
	i := slices.IndexFunc(list, func(e *entry) bool { return e.id == id })
	if i < 0 {
		i = len(list)
		list = append(list, &entry{id: id, at: c.at + int64(at)})
	}
	e := list[i]
	switch {
	case len(list) > mostStores:
		return list, c.damaged(at, fmt.Sprintf("it tells more than %d shadow copies, the most that Windows keeps", mostStores))
	case kind == 2 && !e.described:
		e.described = true
		e.size, e.sequence, e.created = number(8), le.Uint64(record[32:]), hive.Filetime(number(48))
	case kind == 3 && !e.stored:
		e.stored = true
		e.listAt, e.headerAt, e.rangesAt, e.bitmapAt, e.previousAt = number(8), number(32), number(40), number(48), number(72)
	default:
		return list, c.damaged(at, fmt.Sprintf("an entry of %s is of type %d, which is unknown or there already", id, kind))
	}
	return list, nil
}

func zeros(raw []byte) bool { return !slices.ContainsFunc(raw, func(b byte) bool { return b != 0 }) }

// guid returns a GUID as libvshadow shows it.
func guid(g []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(g), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:16])
}
