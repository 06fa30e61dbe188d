package hive

import (
	"encoding/binary"
	"fmt"
)

// Flags of a key, as its record holds them.
type Flags uint16

// keyFlags are the names of the flags. Source: https://github.com/msuhanov/regf, "Key node".
var keyFlags = []struct {
	bit  Flags
	name string
}{
	{0x0001, "volatile"}, {0x0002, "hive-exit"}, {0x0004, "hive-entry"}, {0x0008, "no-delete"}, {keySymLink, "symbolic-link"},
	{keyCompName, "compressed-name"}, {keyPredefHandle, "predefined-handle"}, {0x0080, "virtual-mirrored"},
	{0x0100, "virtual-target"}, {0x0200, "virtual-store"},
}

// Names lists the flags that are set; those without a name are numbers.
func (f Flags) Names() []string {
	names := []string{}
	for _, flag := range keyFlags {
		if f&flag.bit != 0 {
			names = append(names, flag.name)
			f &^= flag.bit
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("0x%x", uint16(f)))
	}
	return names
}

// Record is what the record of a key in a hive holds beside its name, time and lists.
type Record struct {
	Flags      Flags
	AccessBits uint32 // what Windows 8 and later note of accesses to the key; earlier versions leave it zero
	Class      string // rarely used text that a program gave the key when it made it; "" for none
	Security   []byte // descriptor in self-relative form, see [SDDL]; nil when it could not be read
}

// Record reads the key's record anew; nil for a key that is in no hive. Damage to the class or the descriptor is reported as a
// problem of the file.
func (k *Key) Record() *Record {
	if k.file == nil {
		return nil
	}
	f, node := k.file, k.file.nodeOf(k)
	r := &Record{Flags: Flags(node.flags()), AccessBits: binary.LittleEndian.Uint32(node[12:])}
	report := f.reporter(k, new([]Problem))
	if n := node.classLength(); n > 0 && node.class() != nilCell {
		cell, fault := f.cell(node.class())
		if fault != "" {
			report(Problem{At: offsetOf(node.class()), Kind: BadCell, Loss: true}, "the cell of the class name of key %q %s", shown(k.name), fault)
		} else if len(cell) < n {
			report(Problem{At: offsetOf(node.class()), Kind: BadName, Loss: true}, "the class name of key %q is longer than its cell", shown(k.name))
		}
		r.Class = DecodeUTF16(cell[:min(n, len(cell))])
	}
	var fault string
	if r.Security, fault = f.security(node.security()); fault != "" {
		// Thousands of keys may share it.
		if _, said := f.badSecurity.LoadOrStore(node.security(), true); !said {
			report(Problem{At: offsetOf(node.security()), Kind: BadSecurity, Loss: true}, "the security descriptor of key %q, and of those that share it, %s", shown(k.name), fault)
		}
	}
	return r
}

// security reads a descriptor from a cell signed "sk", which many keys share.
func (f *File) security(offset uint32) (descriptor []byte, fault string) {
	const head = 20 // bytes before the descriptor
	if offset == nilCell {
		return nil, ""
	}
	cell, fault := f.cell(offset)
	switch {
	case fault != "":
		return nil, "cannot be read: its cell " + fault
	case len(cell) < head || string(cell[:2]) != "sk":
		return nil, `cannot be read: its cell is not signed "sk"`
	}
	size := int64(binary.LittleEndian.Uint32(cell[16:]))
	if size > int64(len(cell)-head) {
		return nil, fmt.Sprintf("is said to have %d bytes, its cell has %d", size, len(cell)-head)
	}
	return cell[head : head+size : head+size], ""
}

// Link gives the key that a symbolic link leads to. It reports whether the key is a link to a key below a root of the registry.
func (k *Key) Link() (target Path, ok bool) {
	if k.file == nil || k.file.nodeOf(k).flags()&keySymLink == 0 {
		return nil, false
	}
	v, ok := k.Value("SymbolicLinkValue")
	if !ok || v.Type != Link {
		return nil, false
	}
	text, _ := v.Text()
	path := ParsePath(text)
	switch {
	case len(path) < 2 || !EqualFold(path[0], "Registry"):
		return nil, false
	case EqualFold(path[1], "Machine"):
		return Path{"HKEY_LOCAL_MACHINE"}.Join(path[2:]...), true
	case EqualFold(path[1], "User"):
		return usersPath.Join(path[2:]...), true
	}
	return nil, false
}
