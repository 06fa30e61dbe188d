package hivetest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"regvet/hive"
)

const (
	page       = 4096 // size of the base block; the size of a bin is a multiple of it
	binHeader  = 32
	cellHeader = 4
	cellAlign  = 8
	segment    = 16344 // bytes of data in each segment of big data except the last
)

var le = binary.LittleEndian

// Build returns a hive with the given root.
func Build(root *Key, o Options) []byte {
	b, _ := BuildLayout(root, o)
	return b
}

// BuildLayout returns a hive, and where its records are. If keys share a path, or values of a key share a name, the layout has the
// first.
func BuildLayout(root *Key, o Options) ([]byte, Layout) {
	o = o.withDefaults()
	if o.Minor < 2 || o.Minor > 6 {
		panic(fmt.Sprintf("hivetest: cannot write version 1.%d", o.Minor))
	}
	w := &writer{o: o, b: make([]byte, page), at: Layout{Keys: map[string]*KeyPlace{}}}
	node := w.key(root, "", 0)
	w.baseBlock(node)
	return w.b, w.at
}

// writer builds a hive.
type writer struct {
	o  Options
	b  []byte // the whole file; the base block is filled in at the end
	at Layout

	free, room int // place and size of the cell that is still free at the end of the bin for small cells
}

func (w *writer) put16(at int, n uint16) { le.PutUint16(w.b[at:], n) }
func (w *writer) put32(at int, n uint32) { le.PutUint32(w.b[at:], n) }
func (w *writer) put64(at int, n uint64) { le.PutUint64(w.b[at:], n) }

// reserve takes a cell for a record of n bytes, which are zero, and returns the place of the record. Small cells fill one bin after another;
// a cell that needs more than a page gets its own bin.
func (w *writer) reserve(n int) int {
	size := (cellHeader + n + cellAlign - 1) / cellAlign * cellAlign
	large := size > page-binHeader
	cell, room := w.free, w.room
	if large || room < size {
		cell, room = w.addBin(size)
	}
	room -= size
	w.put32(cell, uint32(-size))
	if room > 0 {
		w.put32(cell+size, uint32(room))
	}
	if !large {
		w.free, w.room = cell+size, room
	}
	return cell + cellHeader
}

// addBin adds a bin that can hold a cell of the given size, and returns the place and size of the free cell that fills it.
func (w *writer) addBin(cell int) (free, room int) {
	at := len(w.b)
	size := (binHeader + cell + page - 1) / page * page
	w.b = append(w.b, make([]byte, size)...)
	w.at.Bins = append(w.at.Bins, at)
	copy(w.b[at:], "hbin")
	w.put32(at+BinOffset, uint32(at-page))
	w.put32(at+BinSize, uint32(size))
	w.put64(at+BinModified, uint64(w.o.Modified))
	w.put32(at+binHeader, uint32(size-binHeader))
	return at + binHeader, size - binHeader
}

// store writes a record and returns its place.
func (w *writer) store(record []byte) int {
	at := w.reserve(len(record))
	copy(w.b[at:], record)
	return at
}

// refs writes a list of references and returns its place, or 0 for an empty list.
func (w *writer) refs(records []int) int {
	if len(records) == 0 {
		return 0
	}
	at := w.reserve(4 * len(records))
	for i, record := range records {
		w.put32(at+4*i, Ref(record))
	}
	return at
}

func (w *writer) baseBlock(root int) {
	copy(w.b, "regf")
	w.put32(BaseSequence1, w.o.Sequence1)
	w.put32(BaseSequence2, w.o.Sequence2)
	w.put64(BaseModified, uint64(w.o.Modified))
	w.put32(BaseMajor, 1)
	w.put32(BaseMinor, w.o.Minor)
	w.put32(BaseFormat, 1)
	w.put32(BaseRoot, Ref(root))
	w.put32(BaseLength, uint32(len(w.b)-page))
	w.put32(BaseCluster, 1)
	name := hive.EncodeUTF16(w.o.Name)
	copy(w.b[BaseName:], name[max(0, len(name)-2*31):])
	Seal(w.b)
}

// Flags that follow from what a key or value is.
const (
	hiveEntry     = 0x04 // the root of a hive
	noDelete      = 0x08
	compName      = 0x20 // the name of a key is Latin-1
	valueCompName = 0x01 // the name of a value is Latin-1
)

// key writes a key and everything below it. The root has no parent.
func (w *writer) key(k *Key, path string, parent int) int {
	name, compressed := encodeName(k.Name, k.UTF16)
	node := w.reserve(NodeName + len(name))
	place := &KeyPlace{Node: node, Values: map[string]*ValuePlace{}}
	if w.at.Keys[path] == nil {
		w.at.Keys[path] = place
	}
	flags := k.Flags
	if parent == 0 {
		flags |= hiveEntry | noDelete
		w.at.Security = w.security()
	}
	if compressed {
		flags |= compName
	}

	w.values(k, place)
	class := hive.EncodeUTF16(k.Class)
	if len(class) > 0 {
		place.Class = w.store(class)
	}
	keys := slices.Clone(k.Keys)
	if !w.o.Unsorted {
		slices.SortStableFunc(keys, func(a, b *Key) int { return hive.CompareFold(a.Name, b.Name) })
	}
	nodes := make([]int, len(keys))
	var maxName, maxClass int
	for i, child := range keys {
		below := child.Name
		if parent != 0 {
			below = path + `\` + child.Name
		}
		nodes[i] = w.key(child, below, node)
		maxName = max(maxName, len(hive.EncodeUTF16(child.Name)))
		maxClass = max(maxClass, len(hive.EncodeUTF16(child.Class)))
	}
	w.subkeys(k.List, keys, nodes, place)

	copy(w.b[node:], "nk")
	w.put16(node+NodeFlags, flags)
	w.put64(node+NodeModified, uint64(k.Modified))
	w.put32(node+NodeParent, Ref(parent))
	w.put32(node+NodeKeys, uint32(len(keys)))
	w.put32(node+NodeList, Ref(place.List))
	w.put32(node+NodeVolatileList, Nil)
	w.put32(node+NodeValues, uint32(len(k.Values)))
	w.put32(node+NodeValueList, Ref(place.ValueList))
	w.put32(node+NodeSecurity, Ref(w.at.Security))
	w.put32(w.at.Security+SecurityCount, le.Uint32(w.b[w.at.Security+SecurityCount:])+1)
	w.put32(node+NodeClass, Ref(place.Class))
	w.put32(node+NodeMaxName, uint32(maxName))
	w.put32(node+NodeMaxClass, uint32(maxClass))
	w.put16(node+NodeNameLength, length16(len(name)))
	w.put16(node+NodeClassLength, length16(len(class)))
	copy(w.b[node+NodeName:], name)
	return node
}

// values writes the values of a key, and their largest sizes into its record.
func (w *writer) values(k *Key, place *KeyPlace) {
	records := make([]int, len(k.Values))
	var maxName, maxData int
	for i, v := range k.Values {
		p := w.value(v)
		records[i] = p.Record
		if place.Values[v.Name] == nil {
			place.Values[v.Name] = p
		}
		maxName = max(maxName, len(hive.EncodeUTF16(v.Name)))
		maxData = max(maxData, len(v.Data))
	}
	place.ValueList = w.refs(records)
	w.put32(place.Node+NodeMaxValueName, uint32(maxName))
	w.put32(place.Node+NodeMaxData, uint32(maxData))
}

func (w *writer) value(v hive.Value) *ValuePlace {
	name, compressed := encodeName(v.Name, false)
	p := &ValuePlace{Record: w.reserve(ValueName + len(name))}
	copy(w.b[p.Record:], "vk")
	w.put16(p.Record+ValueNameLength, length16(len(name)))
	w.put32(p.Record+ValueType, uint32(v.Type))
	if compressed && len(name) > 0 {
		w.put16(p.Record+ValueFlags, valueCompName)
	}
	copy(w.b[p.Record+ValueName:], name)

	length := uint32(len(v.Data))
	if length <= 4 {
		w.put32(p.Record+ValueLength, length|Inline)
		copy(w.b[p.Record+ValueData:], v.Data)
		return p
	}
	if length > segment && w.o.Minor >= 4 {
		w.bigData(v.Data, p)
	} else {
		p.Data = w.store(v.Data)
	}
	w.put32(p.Record+ValueLength, length)
	w.put32(p.Record+ValueData, Ref(p.Data))
	return p
}

func (w *writer) bigData(data []byte, p *ValuePlace) {
	p.Data = w.reserve(8)
	for part := range slices.Chunk(data, segment) {
		at := w.reserve(segment) // the last one also gets a cell for a whole segment
		copy(w.b[at:], part)
		p.Segments = append(p.Segments, at)
	}
	p.List = w.refs(p.Segments)
	copy(w.b[p.Data:], "db")
	w.put16(p.Data+BigCount, length16(len(p.Segments)))
	w.put32(p.Data+BigList, Ref(p.List))
}

// subkeys writes the list of subkeys in the given form, or in the form that Windows would choose.
func (w *writer) subkeys(form string, keys []*Key, nodes []int, place *KeyPlace) {
	leaf := w.o.leaf()
	if form == "" {
		form = leaf
		if len(keys) > w.o.max(form) {
			form = "ri"
		}
	}
	switch form {
	case "li", "lf", "lh":
		if len(keys) > 0 {
			place.List = w.leaf(form, keys, nodes)
		}
	case "ri":
		if len(keys) < 2 {
			panic("hivetest: an ri needs two subkeys or more")
		}
		if leaf == "lf" {
			leaf = "li" // Windows never puts an ri over lf
		}
		n := min(w.o.max(leaf), (len(keys)+1)/2)
		for i := 0; i < len(keys); i += n {
			end := min(i+n, len(keys))
			place.Leaves = append(place.Leaves, w.leaf(leaf, keys[i:end], nodes[i:end]))
		}
		place.List = w.reserve(ListElements + 4*len(place.Leaves))
		copy(w.b[place.List:], "ri")
		w.put16(place.List+ListCount, length16(len(place.Leaves)))
		for i, list := range place.Leaves {
			w.put32(place.List+ListElements+4*i, Ref(list))
		}
	default:
		panic(fmt.Sprintf("hivetest: no form %q of a list of subkeys", form))
	}
}

// leaf writes one list of keys.
func (w *writer) leaf(form string, keys []*Key, nodes []int) int {
	size := 8
	if form == "li" {
		size = 4
	}
	list := w.reserve(ListElements + size*len(keys))
	copy(w.b[list:], form)
	w.put16(list+ListCount, length16(len(keys)))
	for i, k := range keys {
		at := list + ListElements + size*i
		w.put32(at, Ref(nodes[i]))
		switch form {
		case "lf":
			copy(w.b[at+4:], nameHint(k.Name))
		case "lh":
			w.put32(at+4, nameHash(k.Name))
		}
	}
	return list
}
