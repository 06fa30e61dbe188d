package hivetest

import (
	"iter"
	"slices"

	"regvet/hive"
)

// The functions that damage a hive work on a copy.

// Set16 writes a field of 16 bits. A changed base block gets the right checksum, unless the field is the checksum.
func Set16(hive []byte, at int, n uint16) []byte {
	return patch(hive, at, le.AppendUint16(nil, n))
}

// Set32 writes a field of 32 bits. A changed base block gets the right checksum, unless the field is the checksum.
func Set32(hive []byte, at int, n uint32) []byte {
	return patch(hive, at, le.AppendUint32(nil, n))
}

// Refer sets the reference at a place to the record at an offset of a [Layout].
func Refer(hive []byte, at, record int) []byte { return Set32(hive, at, Ref(record)) }

// Sign overwrites the signature of a record, a bin or the base block.
func Sign(hive []byte, at int, signature string) []byte { return patch(hive, at, []byte(signature)) }

// Free marks the cell of a record as free, as deletion does.
func Free(hive []byte, record int) []byte {
	return Set32(hive, record-cellHeader, -le.Uint32(hive[record-cellHeader:]))
}

// CellSize sets the size of the cell of a record. It is negative for a cell in use.
func CellSize(hive []byte, record int, size int32) []byte {
	return Set32(hive, record-cellHeader, uint32(size))
}

// Truncate returns the first n bytes, as if the disk had been full.
func Truncate(hive []byte, n int) []byte { return slices.Clone(hive[:n]) }

func patch(hive []byte, at int, b []byte) []byte {
	hive = slices.Clone(hive)
	copy(hive[at:at+len(b)], b)
	if at < BaseChecksum {
		Seal(hive)
	}
	return hive
}

// Specimen returns a small tree with one record of each kind, which [Damages] damages. It has the keys Plain, Plain\Leaf, Plain\Leaf\Deep
// and List, whose ten subkeys 0 to 9 are in three lists under an ri if it is built with a ListMax of 4. Plain has the values Inline (a
// REG_DWORD), Text (a REG_SZ in its own cell) and Big (40,000 bytes in three segments).
func Specimen() *Key {
	list := &Key{Name: "List"}
	for c := '0'; c <= '9'; c++ {
		list.Keys = append(list.Keys, &Key{Name: string(c)})
	}
	big := make([]byte, 40_000)
	for i := range big {
		big[i] = byte(i % 251)
	}
	return &Key{Name: "Specimen", Keys: []*Key{
		{
			Name:  "Plain",
			Class: "Class",
			Values: []hive.Value{
				hive.DWordValue("Inline", 1),
				hive.StringValue("Text", hive.SZ, "a text in a cell"),
				{Name: "Big", Type: hive.Binary, Data: big},
			},
			Keys: []*Key{{Name: "Leaf", Keys: []*Key{{Name: "Deep"}}}},
		},
		list,
	}}
}

// Damages returns the [Specimen] damaged in one place at a time, by a name that says how. A reader must survive all of them, and report
// the damage in what it reads.
func Damages() iter.Seq2[string, []byte] {
	b, at := BuildLayout(Specimen(), Options{ListMax: 4})
	plain, leaf, list := at.Key("Plain"), at.Key(`Plain\Leaf`), at.Key("List")
	text, big := plain.Value("Text"), plain.Value("Big")
	first := at.Bins[0]
	middle := text.Data + 8 // in the middle of a cell
	outside := len(b) + 8

	damages := []struct {
		name string
		hive []byte
	}{
		{"dirty", Set32(b, BaseSequence2, 0)},
		{"bad checksum", Set32(b, BaseChecksum, ^Checksum(b))},
		{"major version 2", Set32(b, BaseMajor, 2)},
		{"a transaction log", Set32(b, BaseType, 6)},
		{"root is nowhere", Refer(b, BaseRoot, 0)},
		{"root is outside", Refer(b, BaseRoot, outside)},
		{"bins longer than the file", Set32(b, BaseLength, uint32(len(b)))},
		{"cut inside the base block", Truncate(b, 512)},
		{"cut after the base block", Truncate(b, page)},
		{"cut inside the last bin", Truncate(b, len(b)-page/2)},

		{"bin without signature", Sign(b, first, "nibh")},
		{"bin at another offset", Set32(b, first+BinOffset, page)},
		{"bin of size 0", Set32(b, first+BinSize, 0)},
		{"bin of a huge size", Set32(b, first+BinSize, 0xFFFFF000)},
		{"cell of size 0", CellSize(b, plain.Node, 0)},
		{"cell of a huge size", CellSize(b, plain.Node, -0x7FFFFFF8)},
		{"cell of the least size", CellSize(b, plain.Node, -0x80000000)},
		{"cell of an odd size", CellSize(b, plain.Node, -81)},
		{"cell shorter than its record", CellSize(b, plain.Node, -16)},

		{"key is free", Free(b, leaf.Node)},
		{"key of another signature", Sign(b, leaf.Node, "kn")},
		{"key with another parent", Refer(b, leaf.Node+NodeParent, list.Node)},
		{"key name longer than its cell", Set16(b, leaf.Node+NodeNameLength, 0xFFFF)},
		{"class name in a free cell", Free(b, plain.Class)},
		{"class name longer than its cell", Set16(b, plain.Node+NodeClassLength, 0xFFFF)},

		{"more subkeys than in the list", Set32(b, plain.Node+NodeKeys, 2)},
		{"fewer subkeys than in the list", Set32(b, list.Node+NodeKeys, 9)},
		{"no subkeys but a list", Set32(b, list.Node+NodeKeys, 0)},
		{"subkeys but no list", Refer(b, list.Node+NodeList, 0)},
		{"list of another signature", Sign(b, plain.List, "hl")},
		{"list is free", Free(b, plain.List)},
		{"list longer than its cell", Set16(b, plain.List+ListCount, 0xFFFF)},
		{"element is nowhere", Refer(b, plain.List+ListElements, 0)},
		{"element is outside", Refer(b, plain.List+ListElements, outside)},
		{"element is at the end of the numbers", Set32(b, plain.List+ListElements, 0xFFFFFFF8)},
		{"element is inside a cell", Refer(b, plain.List+ListElements, middle)},
		{"element is the list", Refer(b, plain.List+ListElements, plain.List)},
		{"element is its own key", Refer(b, plain.List+ListElements, plain.Node)},
		{"element is the key above", Refer(b, leaf.List+ListElements, plain.Node)},
		{"two elements are one key", Refer(b, list.Leaves[0]+ListElements, at.Key(`List\1`).Node)},
		{"elements out of order", Refer(Refer(b, list.Leaves[0]+ListElements, at.Key(`List\1`).Node),
			list.Leaves[0]+ListElements+8, at.Key(`List\0`).Node)},
		{"ri names itself", Refer(b, list.List+ListElements, list.List)},
		{"ri in ri", Refer(Set16(Sign(b, list.Leaves[0], "ri"), list.Leaves[0]+ListCount, 1),
			list.Leaves[0]+ListElements, list.Leaves[1])},
		{"ri names a list twice", Refer(b, list.List+ListElements, list.Leaves[1])},
		{"ri names a key", Refer(b, list.List+ListElements, list.Node)},

		{"values without end", Set32(b, plain.Node+NodeValues, 0xFFFFFFFF)},
		{"values but no list", Refer(b, plain.Node+NodeValueList, 0)},
		{"value list is free", Free(b, plain.ValueList)},
		{"value is outside", Refer(b, plain.ValueList, outside)},
		{"value twice", Refer(b, plain.ValueList, text.Record)},
		{"value is free", Free(b, text.Record)},
		{"value of another signature", Sign(b, text.Record, "kv")},
		{"value name longer than its cell", Set16(b, text.Record+ValueNameLength, 0xFFFF)},

		{"data longer than their cell", Set32(b, text.Record+ValueLength, 0x7FFFFFF0)},
		{"inline data of more than 4 bytes", Set32(b, plain.Value("Inline").Record+ValueLength, Inline|8)},
		{"data are nowhere", Refer(b, text.Record+ValueData, 0)},
		{"data are inside a cell", Refer(b, text.Record+ValueData, middle)},
		{"data are free", Free(b, text.Data)},
		{"big data of another signature", Sign(b, big.Data, "bd")},
		{"big data of one segment", Set16(b, big.Data+BigCount, 1)},
		{"big data of too many segments", Set16(b, big.Data+BigCount, 0xFFFF)},
		{"big data longer than the segments", Set32(b, big.Record+ValueLength, 60_000)},
		{"big data without a list", Refer(b, big.Data+BigList, 0)},
		{"segment is missing", Refer(b, big.List+4, 0)},
		{"segment is free", Free(b, big.Segments[1])},
		{"segment is the list of segments", Refer(b, big.List+4, big.List)},
		{"security descriptor of another signature", Sign(b, at.Security, "ks")},
	}
	return func(yield func(string, []byte) bool) {
		for _, d := range damages {
			if !yield(d.name, d.hive) {
				return
			}
		}
	}
}
