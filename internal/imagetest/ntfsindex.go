package imagetest

import (
	"cmp"
	"slices"
)

// ntfsKey is an entry of an index, and the node before it.
type ntfsKey struct {
	name  []uint16
	key   []byte // the attribute $FILE_NAME
	to    uint64
	child int
}

// viewIndex returns an index that is not of names, without entries.
func (w *ntfsWriter) viewIndex(name string, order uint32) ntfsAttribute {
	return ntfsAttribute{kind: ntfsRoot, name: name, value: w.indexRoot(0, order, ntfsNode(nil, -1), false)}
}

// index gives a folder the B-tree of its names.
func (w *ntfsWriter) index(e *ntfsEntry) {
	keys := slices.Clone(e.names)
	slices.SortFunc(keys, func(a, b ntfsKey) int { return cmp.Or(w.compare(a.name, b.name), slices.Compare(a.name, b.name)) })
	last := -1
	var nodes [][]byte
	unit := w.Cluster
	if unit > w.Index {
		unit = 512
	}
	room := w.Record - 700
	if len(keys) > 0 && w.Record < 1024 {
		room = 0
	}
	for ntfsSize(keys) > room {
		keys, last = w.level(keys, last, &nodes, unit)
		if w.NodeEntries == 0 && len(keys) == 0 {
			break
		}
	}
	root := ntfsNode(keys, last)
	e.attributes = append(e.attributes, ntfsAttribute{kind: ntfsRoot, name: "$I30", value: w.indexRoot(ntfsName, 1, root, len(nodes) > 0)})
	if len(nodes) == 0 {
		return
	}
	e.attributes = append(e.attributes, w.outside(ntfsAllocation, "$I30", slices.Concat(nodes...), e.how.Fragments))
	inUse := make([]byte, (len(nodes)+63)/64*8)
	for i := range nodes {
		inUse[i/8] |= 1 << (i % 8)
	}
	e.attributes = append(e.attributes, ntfsAttribute{kind: ntfsBitmap, name: "$I30", value: inUse})
}

func (w *ntfsWriter) compare(a, b []uint16) int {
	fold := func(u []uint16) []uint16 {
		u = slices.Clone(u)
		for i := range u {
			u[i] = w.up[u[i]]
		}
		return u
	}
	return slices.Compare(fold(a), fold(b))
}

// level puts the keys into nodes, and returns those between the nodes.
func (w *ntfsWriter) level(keys []ntfsKey, last int, nodes *[][]byte, unit int) (upper []ntfsKey, child int) {
	write := func(keys []ntfsKey, last int) int {
		vcn := len(*nodes) * (w.Index / unit)
		*nodes = append(*nodes, w.node(ntfsNode(keys, last), vcn, last >= 0))
		return vcn
	}
	for {
		n := 0
		for n < len(keys) && ntfsSize(keys[:n+1]) <= w.Index-0x40-w.Index/256-32 && (w.NodeEntries == 0 || n < w.NodeEntries) {
			n++
		}
		if n == len(keys) {
			return upper, write(keys, last)
		}
		if n == len(keys)-1 && n > 1 { // the last node is not to be empty
			n--
		}
		between := keys[n]
		between.child = write(keys[:n], between.child)
		upper = append(upper, between)
		keys = keys[n+1:]
	}
}

// ntfsSize returns the bytes of entries with a node before each.
func ntfsSize(keys []ntfsKey) (n int) {
	for _, k := range keys {
		n += (16+len(k.key)+7)&^7 + 8
	}
	return n
}

// ntfsNode returns the header and the entries of a node.
func ntfsNode(keys []ntfsKey, last int) []byte {
	raw := make([]byte, 16)
	ntfsLE.PutUint32(raw, 16)
	for _, k := range append(slices.Clone(keys), ntfsKey{child: last}) {
		size, flags := (16+len(k.key)+7)&^7, uint16(0)
		if k.child >= 0 {
			size, flags = size+8, 1
			raw[12] = 1
		}
		if k.key == nil {
			flags |= 2
		}
		entry := make([]byte, size)
		ntfsLE.PutUint64(entry, k.to)
		ntfsLE.PutUint16(entry[8:], uint16(size))
		ntfsLE.PutUint16(entry[10:], uint16(len(k.key)))
		ntfsLE.PutUint16(entry[12:], flags)
		copy(entry[16:], k.key)
		if k.child >= 0 {
			ntfsLE.PutUint64(entry[size-8:], uint64(k.child))
		}
		raw = append(raw, entry...)
	}
	ntfsLE.PutUint32(raw[4:], uint32(len(raw)))
	ntfsLE.PutUint32(raw[8:], uint32(len(raw)))
	return raw
}

// indexRoot returns the attribute $INDEX_ROOT.
func (w *ntfsWriter) indexRoot(kind, order uint32, node []byte, large bool) []byte {
	raw := make([]byte, 16)
	ntfsLE.PutUint32(raw, kind)
	ntfsLE.PutUint32(raw[4:], order)
	ntfsLE.PutUint32(raw[8:], uint32(w.Index))
	raw[12] = byte(w.Index / w.Cluster)
	if w.Index < w.Cluster {
		raw[12] = byte(w.Index / 512)
	}
	if large {
		node[12] = 1
	}
	return append(raw, node...)
}

// node returns a node outside of the root.
func (w *ntfsWriter) node(content []byte, vcn int, inner bool) []byte {
	raw := make([]byte, w.Index)
	copy(raw, "INDX")
	ntfsLE.PutUint64(raw[0x10:], uint64(vcn))
	shift := (0x28+2*(w.Index/512+1)+7)&^7 - 0x18
	copy(raw[0x18:], content[:16])
	copy(raw[0x18+shift:], content[16:])
	ntfsLE.PutUint32(raw[0x18:], uint32(shift))
	ntfsLE.PutUint32(raw[0x1C:], uint32(len(content)-16+shift))
	ntfsLE.PutUint32(raw[0x20:], uint32(w.Index-0x18))
	if inner {
		raw[0x24] = 1
	}
	ntfsProtect(raw, 0x28)
	return raw
}
