package hive

import "fmt"

// Offsets of fields of the base block.
const (
	rootField   = 36 // the cell of the root key
	lengthField = 40 // of all bins
)

// rootLost is why the base block does not lead to the root key.
type rootLost struct {
	Problem
	provisional *Key // the key to which it leads, which is not marked as a root; nil if it leads to none
}

// readRoot reads the key that the base block names as the root. The error is a [rootLost].
func (f *File) readRoot() error {
	node, kind, fault := f.keyNode(f.base.Root)
	if fault != "" {
		return &rootLost{Problem: f.place(Problem{Source: f.Source, At: offsetOf(f.base.Root), Kind: kind, Loss: true,
			Msg: "the cell of the root key " + fault}, Location{Offset: rootField})}
	}
	name, _ := node.name()
	root := new(Key)
	root.init(f, f.base.Root, node, name)
	if node.flags()&keyHiveEntry == 0 {
		return &rootLost{Problem{Kind: badHeader, Msg: fmt.Sprintf("the base block names key %q as the root, which is none", shown(name))}, root}
	}
	f.setRoot(root)
	return nil
}

func (f *File) setRoot(root *Key) {
	f.root = root
	if t := root.modified; t != 0 && !t.IsSet() {
		f.report(Problem{At: root.At(), Kind: badTime, Msg: fmt.Sprintf("the last write of the root key, 0x%016x, %s", uint64(t), noTime)})
	}
}

// refusal returns the reason why nothing can be read.
func (lost *rootLost) refusal(f *File) *Problem {
	p := lost.Problem
	p.Msg += "; nothing can be read"
	if end := f.ends + baseBlockSize; p.At.Offset >= end {
		p.Msg += fmt.Sprintf("; by its base block the hive ends at %#x", end)
	}
	// What was met before may be the reason.
	const most = 3
	for i, before := range f.Problems() {
		if i == most {
			p.Msg += fmt.Sprintf("; and %d problems more", f.met()-most)
			break
		}
		p.Msg += "; "
		if place := before.At.String(); place != "" {
			p.Msg += place + ": "
		}
		p.Msg += before.Msg
	}
	return &p
}

// findRoot makes the key that is marked as the root of a hive the root, where the base block does not lead to it, and reports whether there
// is one. Of several, such as one that was copied from another hive or was left over, the one with the most subkeys is taken. Those must
// name it as their parent, so that a key that is in no tree has none.
func (f *File) findRoot(lost *rootLost) bool {
	f.loading.Lock()
	defer f.loading.Unlock()
	best, most := uint32(nilCell), -1
	bins := f.data[baseBlockSize:]
	consider := func(at, end int) {
		if end = min(end, len(bins)); end-at < f.cellHeader+keyNodeSize {
			return // there is no room for a key, be the size of the cell what it may
		}
		size := sizeOf(bins[at:])
		if size < f.cellHeader+keyNodeSize || size%(2*f.cellHeader) != 0 || !isRoot(bins[at+f.cellHeader:min(at+size, end)]) {
			return
		}
		if n := f.children(uint32(at)); n > most {
			best, most = uint32(at), n
		}
	}
	for word, bits := range f.inUse {
		for bit := range 64 {
			if at := (word*64 + bit) * 8; bits&(1<<bit) != 0 {
				consider(at, len(bins))
			}
		}
	}
	for _, spans := range [][]span{f.free, f.unmapped} {
		for _, s := range spans {
			for at := s.from; at < s.to; at += 2 * f.cellHeader {
				consider(at, s.to)
			}
		}
	}
	if best == nilCell || lost.provisional != nil && !f.isBelow(f.base.Root, best) {
		if lost.provisional != nil {
			f.setRoot(lost.provisional)
		}
		return lost.provisional != nil
	}
	msg := lost.Msg + "; the root key was found by its flags, at " + offsetOf(best).String()
	if f.inUse[best/512]&(1<<(best/8%64)) == 0 {
		f.inUse[best/512] |= 1 << (best / 8 % 64)
		f.free = without(f.free, []span{{int(best), int(best) + sizeOf(bins[best:])}})
		msg += ", in a cell that is marked as free"
	}
	f.base.Root = best
	if !f.base.Lost { // else it is told already
		f.report(Problem{At: Location{Offset: rootField}, Kind: lost.Kind, Msg: msg, Loss: true})
	}
	node, _, _ := f.keyNode(best)
	name, _ := node.name()
	root := new(Key)
	root.init(f, best, node, name)
	f.setRoot(root)
	return true
}

// isRoot reports whether a cell holds the record of a key that is marked as the root of a hive.
func isRoot(cell []byte) bool {
	if len(cell) < keyNodeSize || string(cell[:2]) != "nk" {
		return false
	}
	n := keyNode(cell)
	return n.flags()&keyHiveEntry != 0 && n.flags()&^knownKeyFlags == 0 && n.nameLength() > 0 && n.nameLength() <= len(cell)-keyNodeSize
}

// children returns the number of subkeys of the key in a cell, in use or not, that name it as their parent.
func (f *File) children(cell uint32) (n int) {
	node := keyNode(f.data[baseBlockSize+int(cell)+f.cellHeader:])
	if node.subkeys() == 0 {
		return 0
	}
	for _, element := range f.listed(&Key{}, node.subkeyList(), nil) {
		if child, _, fault := f.keyNode(element.cell); fault == "" && child.parent() == cell {
			n++
		}
	}
	return n
}

// isBelow reports whether a key names another as its parent, or as that of a key above it.
func (f *File) isBelow(cell, above uint32) bool {
	for range MaxDepth {
		node, _, fault := f.keyNode(cell)
		switch {
		case fault != "":
			return false
		case node.parent() == above:
			return true
		}
		cell = node.parent()
	}
	return false
}
