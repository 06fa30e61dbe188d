package hive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// segmentSize is the largest number of bytes of data in one cell since version 1.4 of the format; longer data is split into segments of
// that size.
const segmentSize = 16344

// keyValue is the record of a value, signed "vk", read straight from the bytes as [keyNode] is.
type keyValue []byte

const keyValueSize = 20 // bytes before the name

func (v keyValue) nameLength() int { return int(binary.LittleEndian.Uint16(v[2:])) }
func (v keyValue) length() uint32  { return binary.LittleEndian.Uint32(v[4:]) } // with inlineData
func (v keyValue) data() uint32    { return binary.LittleEndian.Uint32(v[8:]) }
func (v keyValue) typ() Type       { return Type(binary.LittleEndian.Uint32(v[12:])) }
func (v keyValue) flags() uint16   { return binary.LittleEndian.Uint16(v[16:]) }

const (
	valueCompName = 0x0001     // flag: the name is Latin-1, not UTF-16LE
	inlineData    = 0x80000000 // bit of the length: the record holds the data itself in place of its offset
)

// loadValues appends the values of a key to values, in the order of the key's list.
func (f *File) loadValues(k *Key, values []Value, names *namer) (all []Value, problems []Problem) {
	if k.count == 0 {
		return values, nil
	}
	count, at := k.count, offsetOf(k.list)
	r := f.reporter(k)
	list, fault := f.cell(k.list)
	if fault != "" {
		r.report(Problem{At: at, Kind: BadCell, Loss: true},
			"the cell of the list of the %d values of key %q %s; they are lost", count, shown(k.name), fault)
		return values, r.end()
	}
	n := min(int64(count), int64(len(list)/4))
	if n < int64(count) {
		r.report(Problem{At: at, Kind: badList, Loss: true},
			"key %q says that it has %d values, its list has room for %d; the rest is lost", shown(k.name), count, n)
	}
	claims := f.claims()
	defer claims.end()
	if !claims.take(int(n) * 4) {
		r.report(Problem{At: at, Kind: amplified, Loss: true}, "the list of the values of key %q "+leftOut, shown(k.name))
		return values, r.end()
	}
	before := len(values)
	if values == nil {
		values = make([]Value, 0, n)
	}
	names.left = max(names.left, int(n))
	var gone []Value
	for i := range n {
		offset := binary.LittleEndian.Uint32(list[4*i:])
		record, ok := f.valueRecord(k, offset, r)
		if !ok {
			continue
		}
		if !claims.take(keyValueSize + min(record.nameLength(), len(record)-keyValueSize)) {
			r.report(Problem{At: offsetOf(offset), Kind: amplified, Loss: true},
				"%s; the last %d values of key %q are left out", overAndOver, n-i, shown(k.name))
			break
		}
		v := f.value(k, offset, record, names, &claims, r)
		if f.base.Layered() && record.flags()&valueTombstone != 0 {
			gone = append(gone, v)
			continue
		}
		values = append(values, v)
	}
	if gone != nil {
		k.more().gone.values = gone
	}
	once := f.dropTwice(k, values[before:], r)
	return values[:before+len(once)], r.end()
}

// dropTwice notes problems for values of the same name, and drops a value that the list names a second time.
func (f *File) dropTwice(k *Key, values []Value, r *reporter) []Value {
	if areDistinct(values) {
		return values
	}
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(CompareFold(values[i].Name, values[j].Name), cmp.Compare(values[i].At.Offset, values[j].At.Offset), cmp.Compare(i, j))
	})
	twice := map[int]bool{}
	for n, i := range order[1:] {
		switch v, before := values[i], values[order[n]]; {
		case !EqualFold(before.Name, v.Name):
		case before.At == v.At:
			twice[i] = true
			r.report(Problem{At: v.At, Kind: duplicate, Loss: true},
				"the list of values of key %q names this value twice; it is read once, and the value that should stand there is lost", shown(k.name))
		default:
			r.report(Problem{At: v.At, Kind: duplicate}, "key %q has two values named %q; lookups find the first", shown(k.name), shown(v.Name))
		}
	}
	if len(twice) == 0 {
		return values
	}
	once := values[:0]
	for i, v := range values {
		if !twice[i] {
			once = append(once, v)
		}
	}
	return once
}

// areDistinct reports whether no two values have the same name. It may return false if it cannot say so quickly.
func areDistinct(values []Value) bool {
	var room [64]uint64
	marks := room[:0]
	for i := range values {
		mark, ok := nameMark(values[i].Name)
		if !ok || len(values) <= 8 && slices.Contains(marks, mark) {
			return false
		}
		marks = append(marks, mark)
	}
	if len(values) <= 8 {
		return true
	}
	slices.Sort(marks)
	for i := 1; i < len(marks); i++ {
		if marks[i-1] == marks[i] {
			return false
		}
	}
	return true
}

// nameMark returns a number that is equal for names that are equal to Windows, and nearly always differs for others. It is not ok for a
// name that is not ASCII, because two such names can be equal and differ in length.
func nameMark(name string) (mark uint64, ok bool) {
	const (
		high  = 0x8080808080808080
		small = 0x2020202020202020 // makes letters lower case; other characters that it makes equal only make marks equal
		prime = 0x9E3779B97F4A7C15
	)
	mark = uint64(len(name))
	all := uint64(0)
	for len(name) >= 8 {
		x := uint64(name[0]) | uint64(name[1])<<8 | uint64(name[2])<<16 | uint64(name[3])<<24 |
			uint64(name[4])<<32 | uint64(name[5])<<40 | uint64(name[6])<<48 | uint64(name[7])<<56
		all |= x
		mark = bits.RotateLeft64((mark^(x|small))*prime, 29)
		name = name[8:]
	}
	x := uint64(0)
	for i := 0; i < len(name); i++ {
		x = x<<8 | uint64(name[i])
	}
	return (mark ^ (x | small)) * prime, (all|x)&high == 0
}

// valueRecord returns the record of a value, and whether there is one.
func (f *File) valueRecord(k *Key, offset uint32, r *reporter) (record keyValue, ok bool) {
	cell, fault := f.cell(offset)
	kind := BadCell
	switch {
	case fault != "":
	case len(cell) < keyValueSize:
		fault = fmt.Sprintf("has %d bytes, a value needs %d", len(cell), keyValueSize)
	case string(cell[:2]) != "vk":
		kind, fault = badSignature, fmt.Sprintf(`is signed %q, not "vk"`, cell[:2])
	}
	if fault != "" {
		r.report(Problem{At: offsetOf(offset), Kind: kind, Loss: true}, "the cell of a value of key %q %s; the value is left out", shown(k.name), fault)
		return nil, false
	}
	return keyValue(cell), true
}

// value returns the value of a record.
func (f *File) value(k *Key, offset uint32, record keyValue, names *namer, claims *claims, r *reporter) Value {
	at := offsetOf(offset)
	name, whole := names.decode(record[keyValueSize:], record.nameLength(), record.flags()&valueCompName != 0)
	if !whole {
		r.report(Problem{At: at, Kind: badName, Loss: true}, "the name of value %q of key %q is longer than its cell; it is cut off there", shown(name), shown(k.name))
	}
	v := Value{Name: name, Type: record.typ(), At: at}
	var fault string
	v.Data, fault = f.valueData(record, claims)
	switch fault {
	case "":
	case inOneCell:
		r.report(Problem{At: at, Kind: badData}, "the data of value %q of key %q %s", shown(name), shown(k.name), fault)
	default:
		v.Short = true
		if len(v.Data) == 0 {
			v.Data = nil
		}
		kind := badData
		if fault == repeated {
			kind = amplified
		}
		r.report(Problem{At: at, Kind: kind, Loss: true}, "the data of value %q of key %q %s", shown(name), shown(k.name), fault)
	}
	return v
}

// repeated is what is wrong with data that is not claimed.
const repeated = "are left out: " + overAndOver

// inOneCell is what is odd about data that is complete but not stored as Windows does it. Programs that write hives without Windows do so.
const inOneCell = "are in one cell, where data of this size must be in segments; Windows may not read them"

// valueData returns the data of a value. If there are fewer bytes than the record says, it returns those that exist, or nil, and what is
// wrong.
func (f *File) valueData(record keyValue, claims *claims) (data []byte, fault string) {
	length := record.length()
	if length&inlineData != 0 {
		n := length &^ inlineData
		if n > 4 {
			return record[8:12:12], fmt.Sprintf("are said to be %d bytes in the record itself, which has room for 4", n)
		}
		return record[8 : 8+n : 8+n], ""
	}
	if length == 0 {
		return []byte{}, ""
	}
	if f.base.Minor >= 4 && length > segmentSize {
		return f.bigData(record.data(), length, claims)
	}
	cell, fault := f.cell(record.data())
	if fault != "" {
		return nil, fmt.Sprintf("cannot be read: their %s %s", cellAt(record.data()), fault)
	}
	n := min(int64(length), int64(len(cell)))
	if !claims.take(int(n)) {
		return nil, repeated
	}
	if n < int64(length) {
		fault = fmt.Sprintf("are said to be %d bytes, their cell has %d", length, n)
	}
	return cell[:n:n], fault
}

// bigData joins data that is split into segments. Only the length decides whether it is, as in Windows: any data may begin with the letters
// of the signature.
func (f *File) bigData(offset, length uint32, claims *claims) (data []byte, fault string) {
	cell, fault := f.cell(offset)
	switch {
	case fault != "":
		return nil, fmt.Sprintf("cannot be read: the index of their segments, %s, %s", cellAt(offset), fault)
	case string(cell[:min(2, len(cell))]) != "db" && int64(len(cell)) >= int64(length):
		if !claims.take(int(length)) {
			return nil, repeated
		}
		return cell[:length:length], inOneCell
	case len(cell) < 8 || string(cell[:2]) != "db":
		return nil, fmt.Sprintf(`cannot be read: the index of their segments, %s, is not signed "db"`, cellAt(offset))
	}
	index := profile.CM_BIG_DATA(bytes.NewReader(cell), 0)
	list, fault := f.cell(index.List())
	if fault != "" {
		return nil, fmt.Sprintf("cannot be read: the list of their segments, %s, %s", cellAt(index.List()), fault)
	}
	segments := min(int(index.Count()), len(list)/4, int((int64(length)+segmentSize-1)/segmentSize))
	if !claims.take(4 * segments) {
		return nil, repeated
	}
	held := int64(0) // bytes in the segments that exist: to claim more would leave too little for the rest of a truncated hive
	for i := range segments {
		part, _ := f.cell(binary.LittleEndian.Uint32(list[4*i:]))
		held += int64(min(segmentSize, len(part)))
	}
	held = min(held, int64(length))
	if !claims.take(int(held)) {
		return nil, repeated
	}
	data = make([]byte, 0, held)
	for i := range segments {
		if len(data) == int(length) {
			break
		}
		segment := binary.LittleEndian.Uint32(list[4*i:])
		part, fault := f.cell(segment)
		if fault != "" {
			return data, fmt.Sprintf("end after %d of %d bytes: segment %d, %s, %s", len(data), length, i+1, cellAt(segment), fault)
		}
		want := min(segmentSize, int(length)-len(data))
		data = append(data, part[:min(want, len(part))]...)
		if len(part) < want {
			return data, fmt.Sprintf("end after %d of %d bytes: segment %d is too short", len(data), length, i+1)
		}
	}
	if len(data) < int(length) {
		return data, fmt.Sprintf("end after %d of %d bytes: there are only %d segments", len(data), length, segments)
	}
	return data, ""
}
