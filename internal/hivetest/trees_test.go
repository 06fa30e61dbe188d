package hivetest

import (
	"fmt"
	"math/rand/v2"

	"regvet/hive"
)

// someTime is 2020-01-01 00:00:00.1234567.
const someTime hive.Filetime = 132223104001234567

// dated gives every key of a tree a time of its own.
func dated(root *Key) *Key {
	at := someTime
	eachKey(root, func(_ []string, k *Key) {
		k.Modified = at
		at += 61_000_000_1
	})
	return root
}

// sizesTree has values of all types, and of all sizes at which the way they are stored changes.
func sizesTree() *Key {
	noise := rand.New(rand.NewPCG(1, 2))
	data := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(noise.Uint32())
		}
		return b
	}
	binary := &Key{Name: "Binary"}
	sizes := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 100, 4056, 4059, 4060, 4061, 4064, 4092, 4096, 8188, 16343, 16344, 16345, 16352,
		2*16344 - 1, 2 * 16344, 2*16344 + 1, 2*16344 + 2, 3*16344 + 1, 100_000}
	for _, n := range sizes {
		binary.Values = append(binary.Values, hive.Value{Name: fmt.Sprint(n), Type: hive.Binary, Data: data(n)})
	}
	// The first bytes of big data's own record are data like any other.
	signed := append([]byte("db\x02\x00"), data(20_000)...)
	binary.Values = append(binary.Values, hive.Value{Name: "db", Type: hive.Binary, Data: signed})

	types := &Key{Name: "Types", Class: "Class of types", Values: []hive.Value{
		{Name: "", Type: hive.None},
		hive.StringValue("sz", hive.SZ, "text"),
		hive.StringValue("expand", hive.ExpandSZ, `%SystemRoot%\system32`),
		hive.DWordValue("dword", 0x01020304),
		{Name: "be", Type: hive.DWordBigEndian, Data: []byte{1, 2, 3, 4}},
		{Name: "multi", Type: hive.MultiSZ, Data: hive.EncodeUTF16("a\x00b\x00\x00")},
		{Name: "qword", Type: hive.QWord, Data: data(8)},
	}}
	return dated(&Key{Name: "Sizes", Keys: []*Key{binary, types, {Name: "Empty"}}})
}

// namesTree has the names that are stored or compared in a way of their own.
func namesTree() *Key {
	names := []string{"\x00a", "a\x00b", "a/b", "line\nbreak", "\u0080\u009F", "äÖ", "ÿ", "Ÿ2", "ſ", "Кириллица", "日本", "\U0001F600", "q\"z", "x", "lower", "UPPER"}
	root := &Key{Name: "Names"}
	for _, name := range names {
		k := &Key{Name: name, Values: []hive.Value{{Name: "", Type: hive.SZ}, {Name: name, Type: hive.Binary, Data: []byte(name)}}}
		root.Keys = append(root.Keys, k)
	}
	root.Keys[len(root.Keys)-1].UTF16 = true
	root.Values = append(root.Values, hive.Value{Name: `back\slash`, Type: 0xFFFF0012, Data: []byte{1, 2, 3, 4, 5}})
	return dated(root)
}

// wideTree has a key with n subkeys, in a list of the given form.
func wideTree(n int, form string) *Key {
	wide := &Key{Name: "Wide", List: form}
	for i := range n {
		wide.Keys = append(wide.Keys, &Key{Name: fmt.Sprintf("key%05d", i)})
	}
	return dated(&Key{Name: "Root", Keys: []*Key{wide}})
}

// deepTree has keys down to the given number of levels below the root.
func deepTree(depth int) *Key {
	root := &Key{Name: "Root"}
	for k := root; depth > 0; depth-- {
		child := &Key{Name: fmt.Sprint(depth), Values: []hive.Value{{Name: "v", Type: hive.Binary, Data: []byte{1}}}}
		k.Keys = []*Key{child}
		k = child
	}
	return dated(root)
}
