package hive

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Flags of a key node that decide how it is read.
const (
	keyHiveEntry    = 0x04 // the key is the root of a hive
	keyPredefHandle = 0x40 // the value list is no list
	keySymLink      = 0x10 // the key is a symbolic link
	keyCompName     = 0x20 // the name is Latin-1, not UTF-16LE
)

// maxKeyName is the number of UTF-16 units that Windows allows in the name of a key.
const maxKeyName = 255

// keyNode is the record of a key, signed "nk". It is read straight from the bytes: with accessors that read one field at a time, a
// walk through a hive takes twenty times as long. A test compares both readings.
type keyNode []byte

const keyNodeSize = 76 // bytes before the name

func (n keyNode) flags() uint16      { return binary.LittleEndian.Uint16(n[2:]) }
func (n keyNode) modified() Filetime { return Filetime(binary.LittleEndian.Uint64(n[4:])) }
func (n keyNode) accessBits() byte   { return n[12] } // once the low byte of a 32-bit field, of which two bits were used
func (n keyNode) layer() byte        { return n[13] }
func (n keyNode) parent() uint32     { return binary.LittleEndian.Uint32(n[16:]) }
func (n keyNode) subkeys() uint32    { return binary.LittleEndian.Uint32(n[20:]) }
func (n keyNode) subkeyList() uint32 { return binary.LittleEndian.Uint32(n[28:]) }
func (n keyNode) values() uint32     { return binary.LittleEndian.Uint32(n[36:]) }
func (n keyNode) valueList() uint32  { return binary.LittleEndian.Uint32(n[40:]) }
func (n keyNode) security() uint32   { return binary.LittleEndian.Uint32(n[44:]) }
func (n keyNode) class() uint32      { return binary.LittleEndian.Uint32(n[48:]) }
func (n keyNode) classLength() int   { return int(binary.LittleEndian.Uint16(n[74:])) }
func (n keyNode) nameLength() int    { return int(binary.LittleEndian.Uint16(n[72:])) }

// name returns the key's name, and whether the cell holds all of it.
func (n keyNode) name() (string, bool) {
	return decodeName(n[keyNodeSize:], n.nameLength(), n.flags()&keyCompName != 0)
}

// decodeName decodes a name of length bytes, or what b holds of it, and reports whether that is all. A compressed name is Latin-1, not a
// Windows code page: each byte is a code point.
func decodeName(b []byte, length int, compressed bool) (name string, whole bool) {
	whole = length <= len(b)
	b = b[:min(length, len(b))]
	if compressed {
		return decodeLatin1(b), whole
	}
	return DecodeUTF16(b), whole
}

// namer decodes names. Most are short, so that several share one allocation.
type namer struct {
	text strings.Builder
	left int // number of names still to come
}

// manyNames is more names than share one allocation.
const manyNames = 1 << 20

// decode is [decodeName].
func (n *namer) decode(b []byte, length int, compressed bool) (name string, whole bool) {
	const most = 4 << 10 // bytes to allocate for names to come
	n.left--
	if length > len(b) || !compressed || !isASCII(b[:length]) {
		return decodeName(b, length, compressed)
	}
	if n.text.Cap()-n.text.Len() < length {
		n.text.Reset()
		n.text.Grow(length + min(length*n.left, most))
	}
	from := n.text.Len()
	n.text.Write(b[:length])
	return n.text.String()[from:], true
}

func isASCII(b []byte) bool {
	const high = 0x8080808080808080 // the high bits of eight bytes
	all := uint64(0)
	for len(b) >= 8 {
		all |= binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	for _, c := range b {
		all |= uint64(c)
	}
	return all&high == 0
}

// keyNode returns the record of the key in a cell, or what is wrong with it.
func (f *File) keyNode(offset uint32) (n keyNode, kind Kind, fault string) {
	cell, fault := f.cell(offset)
	switch {
	case fault != "":
		return nil, BadCell, fault
	case len(cell) < keyNodeSize:
		return nil, BadCell, fmt.Sprintf("has %d bytes, a key needs %d", len(cell), keyNodeSize)
	case string(cell[:2]) != "nk":
		return nil, badSignature, fmt.Sprintf(`is signed %q, not "nk"`, cell[:2])
	}
	return keyNode(cell), "", ""
}

// init fills in k from its record.
func (k *Key) init(f *File, cell uint32, node keyNode, name string) {
	k.name, k.modified, k.file, k.cell = name, node.modified(), f, cell
	if node.flags()&keyPredefHandle == 0 {
		k.count, k.list = node.values(), node.valueList()
	}
}

// loadKeys returns the subkeys of a key in the order of its list, and whether that is the order of their names. A subkey that cannot be
// read is reported and left out.
func (f *File) loadKeys(k *Key) (keys []*Key, sorted bool, problems []Problem) {
	node := f.nodeOf(k)
	r := f.reporter(k)
	count := node.subkeys()
	if count == 0 {
		return nil, true, nil // the list, if there is one, is left over from deleted subkeys
	}
	if k.depth >= MaxDepth {
		r.report(Problem{At: k.At(), Kind: tooDeep, Loss: true},
			"key %q is at level %d, the deepest that Windows allows; its %d subkeys are left out", shown(k.name), k.depth, count)
		return nil, true, r.end()
	}
	f.loading.Lock()
	defer f.loading.Unlock()
	listed := f.listed(k, node.subkeyList(), r)
	if len(listed) != int(count) && len(r.problems) == 0 { // else the reason is reported already
		r.report(Problem{At: k.At(), Kind: wrongCount, Loss: len(listed) < int(count)},
			"key %q says that it has %d subkeys, its list names %d", shown(k.name), count, len(listed))
	}
	keys = f.room.list(len(listed))
	var gone []*Key
	f.room.names.left = manyNames
	claims := f.claims()
	defer claims.end()
	above := k.pathSize()
	for i, element := range listed {
		offset := element.cell
		at := offsetOf(offset)
		child, kind, fault := f.keyNode(offset)
		if fault != "" {
			r.report(Problem{At: at, Kind: kind, Loss: true},
				"the cell of a subkey of %q %s; the subkey is left out", shown(k.name), fault)
			continue
		}
		if !claims.take(keyNodeSize + min(child.nameLength(), len(child)-keyNodeSize)) {
			r.report(Problem{At: at, Kind: amplified, Loss: true},
				"%s; the last %d subkeys of key %q are left out", overAndOver, len(listed)-i, shown(k.name))
			break
		}
		name, whole := f.room.names.decode(child[keyNodeSize:], child.nameLength(), child.flags()&keyCompName != 0)
		if child.parent() != k.cell {
			r.report(Problem{At: at, Kind: wrongParent, Loss: true},
				"key %q stands in the list of %q but names another key as its parent; it is left out", shown(name), shown(k.name))
			continue
		}
		if offset == f.base.Root {
			r.report(Problem{At: at, Kind: wrongParent, Loss: true},
				"the root key stands in the list of %q; it is left out there", shown(k.name))
			continue
		}
		if !f.isNew(offset) { // a key has one parent, whose lists are read once
			r.report(Problem{At: at, Kind: duplicate, Loss: true},
				"the list of key %q names this subkey twice; it is read once, and the subkey that should stand there is lost", shown(k.name))
			continue
		}
		if !f.claimPath(above + pathStep + len(name)) {
			r.report(Problem{At: at, Kind: amplified, Loss: true},
				"the paths of the keys take far more room than the hive; the last %d subkeys of key %q are left out", len(listed)-i, shown(k.name))
			break
		}
		switch {
		case !whole:
			r.report(Problem{At: at, Kind: badName, Loss: true}, "the name of key %q is longer than its cell; it is cut off there", shown(name))
		case len(name) > maxKeyName && len(AppendUTF16(nil, name)) > 2*maxKeyName:
			r.report(Problem{At: at, Kind: badName}, "the name of key %.20q… has more than the %d characters that Windows allows", Printable(name), maxKeyName)
		case strings.IndexByte(name, '\\') >= 0:
			r.report(Problem{At: at, Kind: badName}, "the name of key %q holds a backslash, which Windows does not allow; a path with it can be taken for that of another key", shown(name))
		}
		sub := f.room.key()
		sub.init(f, offset, child, name)
		sub.parent, sub.depth = k, k.depth+1
		if f.base.Layered() && child.layer()&layerSemantics == tombstone {
			gone = append(gone, sub)
			continue
		}
		if t := sub.modified; t != 0 && !t.IsSet() {
			r.report(Problem{At: at, Kind: badTime}, "the last write of key %q, 0x%016x, "+noTime, shown(name), uint64(t))
		}
		if whole && !element.isOf(name) {
			sub.hidden = true
			r.report(Problem{At: at, Kind: wrongHint}, "%s in the list of %q is not that of its name, by which Windows does not find it", element.said(name), shown(k.name))
		}
		keys = append(keys, sub)
	}
	if gone != nil {
		k.more().gone.keys = gone
	}
	sorted = f.checkOrder(k, keys, r)
	return keys, sorted, r.end()
}

// place returns the problem with a place inside the file. If it has no place, or the place to which a reference leads out of the file, it
// gets the place of the referrer.
func (f *File) place(p Problem, referrer Location) Problem {
	if p.At.Offset > f.size() {
		p.Msg += fmt.Sprintf(" (reference to %s)", p.At)
		p.At = Location{}
	}
	if p.At == (Location{}) {
		p.At = referrer
	}
	return p
}

// shown is a name as it stands in messages: valid UTF-8, and no longer than Windows allows. It is a type so that a problem that is
// only counted costs no formatting.
type shown string

func (s shown) String() string {
	if end := utf8.UTFMax * maxKeyName; len(s) > end {
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return Printable(string(s))
}

// nodeOf returns the record of a key, which was checked when the key was made.
func (f *File) nodeOf(k *Key) keyNode {
	node, _, _ := f.keyNode(k.cell)
	return node
}

// checkOrder returns whether the keys are sorted by name, and notes problems for names that occur twice or out of order. Windows does a
// binary search, so it may miss a key that is out of order.
func (f *File) checkOrder(k *Key, keys []*Key, r *reporter) (sorted bool) {
	for i := 1; i < len(keys); i++ {
		switch c := CompareFold(keys[i-1].name, keys[i].name); {
		case c == 0:
			r.report(Problem{At: keys[i].At(), Kind: duplicate}, "key %q has two subkeys named %q; lookups find the first", shown(k.name), shown(keys[i].name))
		case c > 0:
			r.report(Problem{At: keys[i].At(), Kind: wrongOrder},
				"the subkeys of %q are not sorted: %q stands after %q, where Windows may not find it", shown(k.name), shown(keys[i].name), shown(keys[i-1].name))
			return false // once is enough: after it every place is in doubt
		}
	}
	return true
}

// keyRoom allocates keys. Most keys have few subkeys or none, so that the subkeys of several keys share one allocation.
type keyRoom struct {
	keys   []Key
	lists  []*Key
	names  namer
	listed []subkey // the elements of the list that is read
	made   int      // number of keys allocated so far
}

// key returns a new key.
func (r *keyRoom) key() *Key {
	if len(r.keys) == 0 {
		r.keys = make([]Key, min(max(r.made, 8), 256))
		r.made += len(r.keys)
	}
	k := &r.keys[0]
	r.keys = r.keys[1:]
	return k
}

// list returns an empty list with room for n keys.
func (r *keyRoom) list(n int) []*Key {
	if len(r.lists) < n {
		r.lists = make([]*Key, max(n, min(r.made, 512)))
	}
	list := r.lists[:0:n]
	r.lists = r.lists[n:]
	return list
}

// listed returns the elements of a list of subkeys: of a leaf, or of the leaves of an index. Windows has no index in an index; following
// one would let a file lead the reader in circles. The result is valid until the next call.
func (f *File) listed(k *Key, list uint32, r *reporter) []subkey {
	signature, elements := f.list(k.name, list, f.room.listed[:0], r)
	f.room.listed = elements
	if signature != "ri" {
		return elements
	}
	var all []subkey
	seen := make(map[uint32]bool, len(elements))
	for _, element := range elements {
		leaf := element.cell
		if seen[leaf] {
			r.report(Problem{At: offsetOf(leaf), Kind: badList, Loss: true},
				"the index of the subkeys of %q, %s, names this list twice; it is read once, and the list that should stand there is lost", shown(k.name), cellAt(list))
			continue
		}
		seen[leaf] = true
		before := len(all)
		if signature, all = f.list(k.name, leaf, all, r); signature == "ri" {
			r.report(Problem{At: offsetOf(leaf), Kind: badList, Loss: true}, "an index of subkeys of %q stands in another index; it is left out", shown(k.name))
			all = all[:before]
		}
	}
	return all
}

// list appends the elements of one list of subkeys to others. The list is signed li or ri (offsets only), lf (with the first four
// characters of each name) or lh (with a hash of each name). of is the name of the key, for messages.
func (f *File) list(of string, offset uint32, others []subkey, r *reporter) (signature string, all []subkey) {
	fail := func(kind Kind, format string, args ...any) (string, []subkey) {
		r.report(Problem{At: offsetOf(offset), Kind: kind, Loss: true}, format, append([]any{shown(of)}, args...)...)
		return "", others
	}
	cell, fault := f.cell(offset)
	if fault != "" {
		return fail(BadCell, "the cell of a list of the subkeys of %q %s; those subkeys are lost", fault)
	}
	if len(cell) < 4 {
		return fail(badList, "a list of the subkeys of %q ends before its first element")
	}
	signature = string(cell[:2])
	width := 4
	switch signature {
	case "li", "ri":
	case "lf", "lh":
		width = 8
	default:
		return fail(badSignature, "a list of the subkeys of %q is signed %q, not lf, lh, li or ri; those subkeys are lost", cell[:2])
	}
	count, room := int(binary.LittleEndian.Uint16(cell[2:])), (len(cell)-4)/width
	if count > room {
		r.report(Problem{At: offsetOf(offset), Kind: badList, Loss: true},
			"a list of the subkeys of %q says that it has %d elements, its cell has room for %d; the rest is lost", shown(of), count, room)
		count = room
	}
	if !f.claim(count * width) {
		return fail(amplified, "a list of the subkeys of %q "+leftOut)
	}
	all = slices.Grow(others, count)
	for i := range count {
		at := cell[4+i*width:]
		element := subkey{cell: binary.LittleEndian.Uint32(at), form: cell[1]}
		if width == 8 {
			element.hint = binary.LittleEndian.Uint32(at[4:])
		}
		all = append(all, element)
	}
	return signature, all
}
