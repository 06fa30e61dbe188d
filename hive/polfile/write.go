package polfile

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"regvet/hive"
)

// The limits of an entry. Source: [MS-GPREG] 2.2.1.
const (
	maxName = 259   // characters of a value name, instruction included
	maxData = 65535 // bytes
)

// Bytes returns a file with the entries. It is the inverse of [Parse] for a file without problems.
func Bytes(entries []Entry) []byte {
	b := []byte(header)
	for _, e := range entries {
		b = append(b, '[', 0)
		b = append(hive.AppendUTF16(b, e.Key), 0, 0, ';', 0)
		b = append(hive.AppendUTF16(b, e.Value), 0, 0, ';', 0)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(e.Type)), ';', 0)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(e.Data))), ';', 0)
		b = append(append(b, e.Data...), ']', 0)
	}
	return b
}

// The roots of the keys in the file of a computer, and in that of a user.
const (
	Machine = "HKEY_LOCAL_MACHINE"
	User    = "HKEY_CURRENT_USER"
)

// Entries returns what makes those of the edits whose keys are below root. No edit may be one that [Unwritable] refuses.
func Entries(root string, edits []hive.Edit) (entries []Entry) {
	for _, e := range edits {
		if long, _ := hive.LongRoot(e.Path[0]); long != root {
			continue
		}
		entry := Entry{Key: e.Path[1:].String()}
		switch e.Op {
		case hive.SetValue:
			entry.Value, entry.Type, entry.Data = e.Value.Name, e.Value.Type, e.Value.Data
		case hive.DeleteValue:
			entry.Value, entry.Type, entry.Data = deleteValue+e.Value.Name, hive.SZ, []byte{' ', 0, 0, 0}
		}
		entries = append(entries, entry)
	}
	return entries
}

// Soft returns the entry that sets the value of this one only where there is none of its name.
func (e Entry) Soft() Entry {
	e.Value = softValue + e.Value
	return e
}

// Unwritable returns why no policy makes an edit to the byte, or "".
func Unwritable(e hive.Edit) string {
	if reason := badPath(e.Path); reason != "" {
		return reason
	}
	switch e.Op {
	case hive.CreateKey:
		return ""
	case hive.DeleteKey:
		return "Microsoft does not say whether a policy that deletes a key deletes what is below it"
	case hive.DeleteValue:
		return badName(deleteValue + e.Value.Name)
	}
	switch name := e.Value.Name; {
	case name == "":
		return "in a policy, an entry without the name of a value only makes the key"
	case strings.HasPrefix(name, stars):
		return "a policy takes a value name that begins with two stars for an instruction"
	default:
		if reason := badName(name); reason != "" {
			return reason
		}
	}
	return badValue(e.Value)
}

// badPath returns why the key of an edit cannot be in a policy, or "".
func badPath(path hive.Path) string {
	if len(path) == 0 {
		return "no root is named"
	}
	switch root, _ := hive.LongRoot(path[0]); {
	case root != Machine && root != User:
		return "a policy holds keys of HKEY_LOCAL_MACHINE and HKEY_CURRENT_USER only"
	case len(path) == 1:
		return "it is a root of the registry"
	case len(path)-1 > hive.MaxDepth:
		return fmt.Sprintf("more than %d levels", hive.MaxDepth)
	}
	for _, name := range path[1:] {
		if name == "" || strings.Contains(name, `\`) {
			return "the name of a key is empty or holds a backslash"
		}
		if reason := notText(name); reason != "" {
			return reason
		}
	}
	return ""
}

// badName returns why a value name, or an instruction with one, cannot be in a policy, or "".
func badName(name string) string {
	if n := len(hive.EncodeUTF16(name)) / 2; n > maxName {
		return fmt.Sprintf("its name would have %d characters in a policy, which takes %d", n, maxName)
	}
	return notText(name)
}

// notText returns why a name is not one of visible characters and blanks, which are all that a policy may hold, or "". [MS-GPREG] allows only
// ASCII; the tools of Windows in other languages write other letters, too.
func notText(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "a name is not text"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F }):
		return "a name holds a control character, which no policy may"
	}
	return ""
}

// badValue returns why the type and data of a value cannot be in a policy, or "".
func badValue(v hive.Value) string {
	switch v.Type {
	case hive.SZ, hive.ExpandSZ, hive.MultiSZ:
		if n := len(v.Data); n%2 != 0 || n >= 2 && (v.Data[n-1] != 0 || v.Data[n-2] != 0) {
			return "its text does not end with a NUL, as that in a policy does"
		}
	case hive.DWord, hive.DWordBigEndian, hive.QWord:
		if _, err := v.Uint64(); err != nil {
			return err.Error()
		}
	case hive.Binary:
	default:
		return "a policy has no values of type " + v.Type.String()
	}
	switch n := len(v.Data); {
	case n == 0:
		return "in a policy, an entry without data may only make the key"
	case n > maxData:
		return fmt.Sprintf("it has %d bytes of data, and an entry of a policy takes %d", n, maxData)
	}
	return ""
}
