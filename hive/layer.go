package hive

import "slices"

// Since Windows 10 version 1607 a hive can be a layer: a differencing hive, which is laid over the hive of the host, key by key, such as
// those of containers. It holds only what differs. What is absent from it comes from the layers below, unless the layer deletes it with a
// tombstone or takes the place of a whole key. Source: https://github.com/msuhanov/regf, "Layered keys".

const (
	layeredHive    = 0x02 // flag of the base block, since format version 1.6; in Windows 8 it meant something else
	valueTombstone = 0x02 // flag of a value: the layer deletes it

	tombstone      = 0x01 // what a layer does with a key: delete it,
	supersedeLocal = 0x02 // hide the values below,
	supersedeTree  = 0x03 // or hide all that is below
	layerSemantics = 0x03
)

// Layered reports whether the hive is a layer, which holds only what differs from the layers below it.
func (h Header) Layered() bool { return h.Flags&layeredHive != 0 && h.Minor >= 6 }

// tombstones are what a layer deletes from a key, in the order of the file.
type tombstones struct {
	keys   []*Key
	values []Value
}

// Tombstones returns the subkeys and the values that a layer deletes from the key. They are not among [Key.Keys] and [Key.Values], and only
// their names and places count.
func (k *Key) Tombstones() (keys []*Key, values []Value) {
	if !k.layered() {
		return nil, nil
	}
	k.loadKeys()
	k.Values()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rare == nil {
		return nil, nil
	}
	return k.rare.gone.keys, k.rare.gone.values
}

func (k *Key) layered() bool { return k.file != nil && k.file.base.Layered() }

func (k *Key) semantics() byte { return k.file.nodeOf(k).layer() & layerSemantics }

// partial reports whether layers below may add subkeys, and values, to the key.
func (k *Key) partial() (keys, values bool) {
	if !k.layered() {
		return false, false
	}
	for up := k; up != nil; up = up.parent {
		if up.semantics() == supersedeTree {
			return false, false
		}
	}
	return true, k.semantics() != supersedeLocal
}

// KeyKnown returns what it proves that there is no subkey of a name.
func (k *Key) KeyKnown(name string) Known {
	if gone, _ := k.Tombstones(); slices.ContainsFunc(gone, func(c *Key) bool { return EqualFold(c.name, name) }) {
		return Whole
	}
	return k.KeysKnown()
}

// ValueKnown returns what it proves that there is no value of a name.
func (k *Key) ValueKnown(name string) Known {
	if _, gone := k.Tombstones(); slices.ContainsFunc(gone, func(v Value) bool { return EqualFold(v.Name, name) }) {
		return Whole
	}
	return k.ValuesKnown()
}
