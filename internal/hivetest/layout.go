package hivetest

import "fmt"

// Layout holds where the records of a hive are. All offsets count from the start of the file. The offset of a record is that of its
// signature or first byte, four bytes after the start of its cell; 0 means that there is no such record.
type Layout struct {
	Bins     []int
	Security int                  // the security descriptor of all keys
	Keys     map[string]*KeyPlace // by path below the root, names as spelled, joined by backslashes; "" is the root
}

// KeyPlace holds where the records of a key are.
type KeyPlace struct {
	Node      int
	Class     int
	List      int   // the list of subkeys, or the ri over several
	Leaves    []int // the lists under an ri
	ValueList int
	Values    map[string]*ValuePlace // by name, as spelled
}

// ValuePlace holds where the records of a value are.
type ValuePlace struct {
	Record   int
	Data     int   // the data, or the record of big data; 0 if the value's record holds the data itself
	List     int   // the list of the segments of big data
	Segments []int // the segments of big data
}

// Key returns the place of the key at path. It panics if there is none.
func (l Layout) Key(path string) *KeyPlace {
	k := l.Keys[path]
	if k == nil {
		panic(fmt.Sprintf("hivetest: no key %q in the layout", path))
	}
	return k
}

// Value returns the place of the value of that name. It panics if there is none.
func (k *KeyPlace) Value(name string) *ValuePlace {
	v := k.Values[name]
	if v == nil {
		panic(fmt.Sprintf("hivetest: no value %q in the layout", name))
	}
	return v
}

// Nil is the reference that leads nowhere, which Windows calls HCELL_NIL.
const Nil = 0xFFFFFFFF

// Ref returns the reference to the record at an offset of a [Layout], as other records store it: the offset of its cell from the first bin.
// It returns Nil for 0.
func Ref(record int) uint32 {
	if record == 0 {
		return Nil
	}
	return uint32(record - cellHeader - page)
}

// Where the fields of the base block are.
const (
	BaseSequence1 = 4
	BaseSequence2 = 8
	BaseModified  = 12 // 64 bits
	BaseMajor     = 20
	BaseMinor     = 24
	BaseType      = 28
	BaseFormat    = 32
	BaseRoot      = 36
	BaseLength    = 40 // of all bins together
	BaseCluster   = 44
	BaseName      = 48  // 64 bytes
	BaseManager   = 112 // 16 bytes: the identifier of the manager of the hive's transactions
	BaseChecksum  = 508
)

// Where the fields of a bin are, from its start.
const (
	BinOffset   = 4
	BinSize     = 8
	BinModified = 20 // 64 bits
)

// Where the fields of a key's record (nk) are, from its start.
const (
	NodeFlags        = 2  // 16 bits
	NodeModified     = 4  // 64 bits
	NodeAccessBits   = 12 // 8 bits, followed by 8 for layered keys
	NodeParent       = 16
	NodeKeys         = 20
	NodeVolatileKeys = 24
	NodeList         = 28
	NodeVolatileList = 32
	NodeValues       = 36
	NodeValueList    = 40
	NodeSecurity     = 44
	NodeClass        = 48
	NodeMaxName      = 52
	NodeMaxClass     = 56
	NodeMaxValueName = 60
	NodeMaxData      = 64
	NodeNameLength   = 72 // 16 bits
	NodeClassLength  = 74 // 16 bits
	NodeName         = 76
)

// Where the fields of a value's record (vk) are, from its start.
const (
	ValueNameLength = 2 // 16 bits
	ValueLength     = 4 // Inline is set when ValueData is the data itself
	ValueData       = 8
	ValueType       = 12
	ValueFlags      = 16 // 16 bits
	ValueName       = 20

	Inline = 0x80000000
)

// Where the fields of a list of subkeys (li, lf, lh, ri) are, from its start. An element of lf and lh is eight bytes, one
// of li and ri four; the reference comes first.
const (
	ListCount    = 2 // 16 bits
	ListElements = 4
)

// Where the fields of the record of big data (db) are, from its start.
const (
	BigCount = 2 // 16 bits
	BigList  = 4
)

// Where the fields of a security descriptor's record (sk) are, from its start.
const (
	SecurityNext       = 4
	SecurityPrevious   = 8
	SecurityCount      = 12 // keys that refer to it
	SecurityLength     = 16
	SecurityDescriptor = 20
)
