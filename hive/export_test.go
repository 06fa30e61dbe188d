package hive

// The readings of records, for the test that holds them against those of regparser.

type NodeFields struct {
	Flags                                          uint16
	Modified                                       Filetime
	Parent, Subkeys, SubkeyList, Values, ValueList uint32
	Security, Class                                uint32
	NameLength, ClassLength                        int
}

func ReadNode(record []byte) NodeFields {
	n := keyNode(record)
	return NodeFields{n.flags(), n.modified(), n.parent(), n.subkeys(), n.subkeyList(), n.values(), n.valueList(), n.security(), n.class(), n.nameLength(), n.classLength()}
}

type ValueFields struct {
	NameLength   int
	Length, Data uint32
	Type         Type
	Flags        uint16
}

func ReadValue(record []byte) ValueFields {
	v := keyValue(record)
	return ValueFields{v.nameLength(), v.length(), v.data(), v.typ(), v.flags()}
}

// ReadBin reads where a bin says that it stands, from the first one, and its size.
func ReadBin(header []byte) (offset, size uint32) {
	b := binHeader(header)
	return b.offset(), b.size()
}

// Bytes is the hive as it is read: after the logs were applied.
func (f *File) Bytes() []byte { return f.data }

// Replay puts logs over a copy of a dirty hive.
func Replay(hive []byte, logs []Log) ([]byte, []LogUse) {
	return replay(hive, parseHeader(hive), logs, func(string, uint32, []byte) bool { return true })
}

// The kinds of problems that only this package and its tests name.
const (
	Amplified    = amplified
	BadChecksum  = badChecksum
	BadHeader    = badHeader
	BadName      = badName
	BadSecurity  = badSecurity
	BadSignature = badSignature
	Dirty        = dirty
	Duplicate    = duplicate
	TooDeep      = tooDeep
	WrongOrder   = wrongOrder
)

var (
	DecodeLatin1 = decodeLatin1
	SDDL         = sddl
)

func (f *File) Size() int64            { return f.size() }
func (k *Key) Rename(name string) *Key { return k.rename(name) }
