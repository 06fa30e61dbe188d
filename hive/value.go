package hive

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Type is the type of a value's data, as Windows numbers it (winnt.h, REG_*). Any 32-bit number can occur in a file.
type Type uint32

// The types that Windows names.
const (
	None                     Type = 0
	SZ                       Type = 1
	ExpandSZ                 Type = 2
	Binary                   Type = 3
	DWord                    Type = 4
	DWordBigEndian           Type = 5
	Link                     Type = 6
	MultiSZ                  Type = 7
	ResourceList             Type = 8
	FullResourceDescriptor   Type = 9
	ResourceRequirementsList Type = 10
	QWord                    Type = 11
)

var typeNames = [...]string{
	"REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_LINK", "REG_MULTI_SZ",
	"REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTOR", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD",
}

// String returns the name of the type in Windows, or its number in hex with 0x in front.
func (t Type) String() string {
	if int64(t) < int64(len(typeNames)) {
		return typeNames[t]
	}
	return "0x" + strconv.FormatUint(uint64(t), 16)
}

// TypeNames returns the names of the types in the order of their numbers. The caller must not change the slice.
func TypeNames() []string { return typeNames[:] }

// ParseType is the inverse of [Type.String].
func ParseType(s string) (Type, bool) {
	for i, name := range typeNames {
		if s == name {
			return Type(i), true
		}
	}
	if len(s) > 2 && s[:2] == "0x" {
		n, err := strconv.ParseUint(s[2:], 16, 32)
		return Type(n), err == nil
	}
	return 0, false
}

// Value is one value of a key: a name, a type, and the data exactly as stored. Its methods decode the data.
type Value struct {
	Name string // "" for the default value; may hold any character, see [Printable]
	Type Type
	Data []byte // must not be changed: it may be part of the file in memory
	At   Location
	// Short is set if the hive holds less data than the record of the value says. Data then holds what was found, or is nil.
	Short bool
}

// Uint64 returns the number in a REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD. It fails if the value is of another type, or if the data is
// not exactly as long as the type, as Windows' own readers do.
func (v Value) Uint64() (uint64, error) {
	want := 4
	switch v.Type {
	case DWord, DWordBigEndian:
	case QWord:
		want = 8
	default:
		return 0, fmt.Errorf("%s is not a number", v.Type)
	}
	if len(v.Data) != want {
		return 0, fmt.Errorf("%s of %s, must be %d", v.Type, v.length(), want)
	}
	switch v.Type {
	case DWord:
		return uint64(binary.LittleEndian.Uint32(v.Data)), nil
	case DWordBigEndian:
		return uint64(binary.BigEndian.Uint32(v.Data)), nil
	}
	return binary.LittleEndian.Uint64(v.Data), nil
}

// Text returns the text of a REG_SZ, REG_EXPAND_SZ or REG_LINK: UTF-16LE up to the first NUL, or to the end if there is none. An odd last
// byte is left out. It fails if the value is of another type.
func (v Value) Text() (string, error) {
	switch v.Type {
	case SZ, ExpandSZ, Link:
	default:
		return "", fmt.Errorf("%s is not text", v.Type)
	}
	for i := 0; i+1 < len(v.Data); i += 2 {
		if v.Data[i] == 0 && v.Data[i+1] == 0 {
			return DecodeUTF16(v.Data[:i]), nil
		}
	}
	return DecodeUTF16(v.Data), nil
}

// Strings returns the strings of a REG_MULTI_SZ. They end at the first empty string, as in Windows; a last one without its NUL counts. It
// fails if the value is of another type.
func (v Value) Strings() ([]string, error) {
	if v.Type != MultiSZ {
		return nil, fmt.Errorf("%s is not a list of strings", v.Type)
	}
	var all []string
	start := 0
	for i := 0; i+1 < len(v.Data); i += 2 {
		if v.Data[i] != 0 || v.Data[i+1] != 0 {
			continue
		}
		if i == start {
			return all, nil
		}
		all = append(all, DecodeUTF16(v.Data[start:i]))
		start = i + 2
	}
	if start+1 < len(v.Data) {
		all = append(all, DecodeUTF16(v.Data[start:]))
	}
	return all, nil
}

// isNumber reports whether the type is that of a number.
func (t Type) isNumber() bool { return t == DWord || t == DWordBigEndian || t == QWord }

// Form returns the type for people. Of a number whose data has not the length of its type, it also returns that length: "REG_DWORD of 2 bytes".
func (v Value) Form() string {
	if _, err := v.Uint64(); err != nil && v.Type.isNumber() {
		return v.Type.String() + " of " + v.length()
	}
	return v.Type.String()
}

// length returns the number of bytes, with their unit.
func (v Value) length() string {
	if len(v.Data) == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", len(v.Data))
}

// Hidden returns the strings that stand behind the end of text or of a list: behind the first NUL of a REG_SZ, or behind the first empty
// string of a REG_MULTI_SZ. [Value.Text] and [Value.Strings] stop there, but a reader that goes by the length of the data does not. It is nil
// if only NULs follow.
func (v Value) Hidden() (all []string) {
	behind := false
	start := 0
	add := func(end int) {
		if behind && end > start {
			all = append(all, DecodeUTF16(v.Data[start:end]))
		}
	}
	switch v.Type {
	case SZ, ExpandSZ, Link, MultiSZ:
	default:
		return nil
	}
	for i := 0; i+1 < len(v.Data); i += 2 {
		if v.Data[i] == 0 && v.Data[i+1] == 0 {
			add(i)
			behind = behind || v.Type != MultiSZ || i == start
			start = i + 2
		}
	}
	add(len(v.Data) &^ 1)
	return all
}

// hidden returns [Value.Hidden] for people, or "".
func (v Value) hidden() string {
	hidden := v.Hidden()
	if hidden == nil {
		return ""
	}
	end := "a NUL"
	if v.Type == MultiSZ {
		end = "an empty string"
	}
	return " [behind " + end + ": " + Printable(strings.Join(hidden, ", ")) + "]"
}

// Display returns the data for people: a number in decimal, text as it is, strings separated by commas, and everything else as bytes in hex. It
// is empty for empty data. For a number whose data has not the length of its type, it says so, because bytes in hex can look decimal: "2 bytes
// (hex 88 13)". What is [Value.Hidden] follows in brackets.
func (v Value) Display() string {
	switch n, err := v.Uint64(); {
	case err == nil:
		return strconv.FormatUint(n, 10)
	case v.Type.isNumber() && len(v.Data) == 0:
		return v.length()
	case v.Type.isNumber():
		return fmt.Sprintf("%s (hex % x)", v.length(), v.Data)
	}
	if s, err := v.Text(); err == nil {
		return Printable(s) + v.hidden()
	}
	if list, err := v.Strings(); err == nil {
		return Printable(strings.Join(list, ", ")) + v.hidden()
	}
	return hex.EncodeToString(v.Data)
}

// DWordValue returns a REG_DWORD.
func DWordValue(name string, n uint32) Value { return NumberValue(name, DWord, uint64(n)) }

// NumberValue returns a REG_DWORD, with the low 32 bits of n, or a REG_QWORD.
func NumberValue(name string, t Type, n uint64) Value {
	v := Value{Name: name, Type: t, Data: binary.LittleEndian.AppendUint64(nil, n)}
	if t == DWord {
		v.Data = v.Data[:4]
	}
	return v
}

// StringValue returns a REG_SZ or REG_EXPAND_SZ with its closing NUL.
func StringValue(name string, t Type, text string) Value {
	return Value{Name: name, Type: t, Data: append(EncodeUTF16(text), 0, 0)}
}
