package hivetest

import (
	"fmt"
	"slices"
)

// The functions that change a hive as Windows does for a deletion also work on a copy. What they free keeps its content.

// DeleteValue deletes a value of a key: it frees the cells of the value, moves up the later elements of the list and decrements the count. The
// former last element stays behind the end of the list.
func DeleteValue(hive []byte, k *KeyPlace, name string) []byte {
	hive = slices.Clone(hive)
	v := k.Value(name)
	n := int(le.Uint32(hive[k.Node+NodeValues:]))
	list := hive[k.ValueList : k.ValueList+4*n]
	at := 0
	for le.Uint32(list[4*at:]) != Ref(v.Record) {
		if at++; at == n {
			panic(fmt.Sprintf("hivetest: no value %q in the list of the key", name))
		}
	}
	copy(list[4*at:], list[4*(at+1):])
	le.PutUint32(hive[k.Node+NodeValues:], uint32(n-1))
	for _, record := range append([]int{v.Record, v.Data, v.List}, v.Segments...) {
		if record != 0 {
			hive = Free(hive, record)
		}
	}
	return hive
}

// Join merges the cell of a record with the free cells right behind it in its bin into one free cell. cells is the number of all of them.
func Join(hive []byte, record, cells int) []byte {
	size := 0
	for range cells {
		n := int32(le.Uint32(hive[record-cellHeader+size:]))
		if n <= 0 {
			panic(fmt.Sprintf("hivetest: the cell at offset %#x is not free", record-cellHeader+size))
		}
		size += int(n)
	}
	return CellSize(hive, record, int32(size))
}

// Move copies the record that a place refers to into a free cell, which it takes whole, and frees the cell that held the record. Windows does so
// with a list that needs more room.
func Move(hive []byte, place, to int) []byte {
	from := int(le.Uint32(hive[place:])) + page + cellHeader
	content := func(record int, used int32) []byte {
		size := used * int32(le.Uint32(hive[record-cellHeader:]))
		if size <= 0 {
			panic(fmt.Sprintf("hivetest: the cell of the record at offset %#x cannot be moved or taken", record))
		}
		return hive[record : record-cellHeader+int(size)]
	}
	record, room := content(from, -1), content(to, 1)
	if len(record) > len(room) {
		panic("hivetest: the record is larger than the cell that it is moved to")
	}
	hive = Free(hive, from)
	copy(hive[to:], record)
	return Refer(Free(hive, to), place, to) // whose size turns from free to in use
}
