package hive

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Flags of a key node that decide how it is read.
const (
	keyPredefHandle = 0x40 // its value list is no list
	keyCompName     = 0x20 // its name is Latin-1, not UTF-16LE
)

// maxKeyName is the number of UTF-16 units that Windows allows in the name of a key.
const maxKeyName = 255

// keyNode is the record of a key, signed "nk". It is read straight from the bytes: through accessors that read each field by
// itself a walk of a hive takes twenty times as long. A test holds both readings equal.
type keyNode []byte

const keyNodeSize = 76 // bytes before the name

func (n keyNode) flags() uint16      { return binary.LittleEndian.Uint16(n[2:]) }
func (n keyNode) modified() Filetime { return Filetime(binary.LittleEndian.Uint64(n[4:])) }
func (n keyNode) parent() uint32     { return binary.LittleEndian.Uint32(n[16:]) }
func (n keyNode) subkeys() uint32    { return binary.LittleEndian.Uint32(n[20:]) }
func (n keyNode) subkeyList() uint32 { return binary.LittleEndian.Uint32(n[28:]) }
func (n keyNode) values() uint32     { return binary.LittleEndian.Uint32(n[36:]) }
func (n keyNode) valueList() uint32  { return binary.LittleEndian.Uint32(n[40:]) }
func (n keyNode) nameLength() int    { return int(binary.LittleEndian.Uint16(n[72:])) }

// name decodes the key's name, and tells whether the cell holds all of it.
func (n keyNode) name() (string, bool) {
	return decodeName(n[keyNodeSize:], n.nameLength(), n.flags()&keyCompName != 0)
}

// decodeName reads a name of so many bytes, or what there is of it. Compressed names are Latin-1, not a Windows code page: each
// byte is a code point.
func decodeName(b []byte, length int, compressed bool) (name string, whole bool) {
	whole = length <= len(b)
	b = b[:min(length, len(b))]
	if compressed {
		return DecodeLatin1(b), whole
	}
	return DecodeUTF16(b), whole
}

// keyNode finds the record of a key.
func (f *File) keyNode(offset uint32) (n keyNode, kind Kind, fault string) {
	cell, fault := f.cell(offset)
	switch {
	case fault != "":
		return nil, BadCell, fault
	case len(cell) < keyNodeSize:
		return nil, BadCell, fmt.Sprintf("has %d bytes, a key needs %d", len(cell), keyNodeSize)
	case string(cell[:2]) != "nk":
		return nil, BadSignature, fmt.Sprintf(`is signed %q, not "nk"`, cell[:2])
	}
	return keyNode(cell), "", ""
}

func (f *File) readRoot() error {
	node, kind, fault := f.keyNode(f.Header.Root)
	if fault != "" {
		return &Problem{Source: f.Source, At: offsetOf(f.Header.Root), Kind: kind, Loss: true,
			Msg: "the cell of the root key " + fault + "; nothing can be read"}
	}
	name, _ := node.name()
	f.root = &Key{name: name, modified: node.modified(), at: offsetOf(f.Header.Root), file: f, cell: f.Header.Root}
	return nil
}

// loadKeys reads the subkeys of a key in the order of its list. What cannot be read is left out and reported, and the next one
// is tried.
func (f *File) loadKeys(k *Key) (keys []*Key, problems []Problem) {
	node := f.nodeOf(k)
	report := f.reporter(k, &problems)
	count := node.subkeys()
	if count == 0 {
		return nil, nil // a list that is still named then is left over from subkeys that were deleted
	}
	if k.depth >= MaxDepth {
		report(Problem{At: k.at, Kind: TooDeep, Loss: true,
			Msg: fmt.Sprintf("key %q is at level %d, the deepest that Windows allows; its %d subkeys are left out", Printable(k.name), k.depth, count)})
		return nil, problems
	}
	offsets := f.subkeyOffsets(node.subkeyList(), report)
	if len(offsets) != int(count) {
		report(Problem{At: k.at, Kind: WrongCount, Loss: len(offsets) < int(count),
			Msg: fmt.Sprintf("key %q says that it has %d subkeys, its list names %d", Printable(k.name), count, len(offsets))})
	}
	seen := make(map[uint32]bool, len(offsets))
	keys = make([]*Key, 0, len(offsets))
	block := make([]Key, len(offsets)) // one allocation for all
	for _, offset := range offsets {
		at := offsetOf(offset)
		if seen[offset] {
			report(Problem{At: at, Kind: Duplicate, Msg: fmt.Sprintf("the list of key %q names this subkey twice; it is read once", Printable(k.name))})
			continue
		}
		seen[offset] = true
		child, kind, fault := f.keyNode(offset)
		if fault != "" {
			report(Problem{At: at, Kind: kind, Loss: true,
				Msg: fmt.Sprintf("the cell of a subkey of %q %s; the subkey is left out", Printable(k.name), fault)})
			continue
		}
		name, whole := child.name()
		if child.parent() != k.cell {
			report(Problem{At: at, Kind: WrongParent, Loss: true,
				Msg: fmt.Sprintf("key %q stands in the list of %q but names another key as its parent; it is left out", Printable(name), Printable(k.name))})
			continue
		}
		if offset == f.Header.Root {
			report(Problem{At: at, Kind: WrongParent, Loss: true,
				Msg: fmt.Sprintf("the root key stands in the list of %q; it is left out there", Printable(k.name))})
			continue
		}
		switch {
		case !whole:
			report(Problem{At: at, Kind: BadName, Loss: true, Msg: fmt.Sprintf("the name of key %q is longer than its cell; it is cut off there", Printable(name))})
		case len(name) > maxKeyName && len(AppendUTF16(nil, name)) > 2*maxKeyName:
			report(Problem{At: at, Kind: BadName, Msg: fmt.Sprintf("the name of key %.20q… has more than the %d characters that Windows allows", Printable(name), maxKeyName)})
		}
		block[len(keys)] = Key{name: name, modified: child.modified(), at: at, file: f, cell: offset, parent: k, depth: k.depth + 1}
		keys = append(keys, &block[len(keys)])
	}
	f.checkOrder(k, keys, report)
	return keys, problems
}

// reporter gives a function that notes what is wrong with a key's lists, in a place of its own or else that of the key.
func (f *File) reporter(k *Key, problems *[]Problem) func(Problem) {
	return func(p Problem) {
		p.Key = k.path()
		if p.At == (Location{}) {
			p.At = k.at
		}
		*problems = append(*problems, f.report(p))
	}
}

// nodeOf gives the record of a key that was read before, so that it is sound.
func (f *File) nodeOf(k *Key) keyNode {
	node, _, _ := f.keyNode(k.cell)
	return node
}

// checkOrder reports names that stand twice or out of order. Windows searches the lists by halves, so it may miss a key that is
// out of order.
func (f *File) checkOrder(k *Key, keys []*Key, report func(Problem)) {
	for i := 1; i < len(keys); i++ {
		switch c := CompareFold(keys[i-1].name, keys[i].name); {
		case c == 0:
			report(Problem{At: keys[i].at, Kind: Duplicate, Msg: fmt.Sprintf("key %q has two subkeys named %q; lookups find the first", Printable(k.name), Printable(keys[i].name))})
		case c > 0:
			report(Problem{At: keys[i].at, Kind: WrongOrder,
				Msg: fmt.Sprintf("the subkeys of %q are not sorted: %q stands after %q, where Windows may not find it", Printable(k.name), Printable(keys[i].name), Printable(keys[i-1].name))})
			return // one is enough: after it every place is in doubt
		}
	}
}

// subkeyOffsets reads a list of subkeys: a leaf, or an index over leaves. An index in an index does not exist; following one
// would let a file lead the reader in circles.
func (f *File) subkeyOffsets(list uint32, report func(Problem)) []uint32 {
	signature, elements := f.list(list, report)
	if signature != "ri" {
		return elements
	}
	var all []uint32
	for i, leaf := range elements {
		if slices.Contains(elements[:i], leaf) {
			report(Problem{At: offsetOf(leaf), Kind: BadList, Msg: fmt.Sprintf("the index in the %s names this list of subkeys twice; it is read once", cellAt(list))})
			continue
		}
		signature, offsets := f.list(leaf, report)
		if signature == "ri" {
			report(Problem{At: offsetOf(leaf), Kind: BadList, Loss: true, Msg: "an index of subkeys stands in another index; it is left out"})
			continue
		}
		all = append(all, offsets...)
	}
	return all
}

// list reads one list of offsets, signed li or ri (offsets only), lf (each with the first four characters of the name) or lh
// (each with a hash of it). The hints are not needed: names are compared as they are.
func (f *File) list(offset uint32, report func(Problem)) (signature string, elements []uint32) {
	fail := func(kind Kind, msg string) (string, []uint32) {
		report(Problem{At: offsetOf(offset), Kind: kind, Loss: true, Msg: msg})
		return "", nil
	}
	cell, fault := f.cell(offset)
	if fault != "" {
		return fail(BadCell, "the cell of a list of subkeys "+fault+"; those subkeys are lost")
	}
	if len(cell) < 4 {
		return fail(BadList, "a list of subkeys ends before its first element")
	}
	signature = string(cell[:2])
	width := 4
	switch signature {
	case "li", "ri":
	case "lf", "lh":
		width = 8
	default:
		return fail(BadSignature, fmt.Sprintf("a list of subkeys is signed %q, not lf, lh, li or ri; those subkeys are lost", cell[:2]))
	}
	count, room := int(binary.LittleEndian.Uint16(cell[2:])), (len(cell)-4)/width
	if count > room {
		report(Problem{At: offsetOf(offset), Kind: BadList, Loss: true,
			Msg: fmt.Sprintf("a list of subkeys says that it has %d elements, its cell has room for %d; the rest is lost", count, room)})
		count = room
	}
	if !f.claim(count * width) {
		return fail(Amplified, "the hive names its lists of subkeys over and over; this one is left out")
	}
	elements = make([]uint32, count)
	for i := range elements {
		elements[i] = binary.LittleEndian.Uint32(cell[4+i*width:])
	}
	return signature, elements
}
