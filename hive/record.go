package hive

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
)

// Flags are the flags in the record of a key.
type Flags uint16

// keyFlags are the names of the flags. Source: https://github.com/msuhanov/regf, "Key node".
var keyFlags = []struct {
	bit  Flags
	name string
}{
	{0x0001, "volatile"}, {0x0002, "hive-exit"}, {keyHiveEntry, "hive-entry"}, {0x0008, "no-delete"}, {keySymLink, "symbolic-link"},
	{keyCompName, "compressed-name"}, {keyPredefHandle, "predefined-handle"}, {0x0080, "virtual-mirrored"},
	{0x0100, "virtual-target"}, {0x0200, "virtual-store"},
}

// Names returns the names of the flags that are set; flags without a name are one number.
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

// Layer is the role of a key in a layered key: since Windows 10 version 1607 the hive of a container can be laid over that of the host, key
// by key. It is zero in all other hives. Source: https://github.com/msuhanov/regf, "Layered keys".
type Layer byte

// Names returns what the layers below contribute to the key, and whether the class is theirs; bits without a name are one number.
func (l Layer) Names() []string {
	const inheritClass = 0x80
	names := []string{}
	if l&layerSemantics != 0 {
		names = append(names, [...]string{"", "tombstone", "supersede-local", "supersede-tree"}[l&layerSemantics])
	}
	if l&inheritClass != 0 {
		names = append(names, "inherit-class")
	}
	if l &^= layerSemantics | inheritClass; l != 0 {
		names = append(names, fmt.Sprintf("0x%x", byte(l)))
	}
	return names
}

// Record is what the record of a key in a hive holds besides its name, time and lists.
type Record struct {
	Flags Flags
	// AccessBits tell since Windows 8 when the key was accessed: 1 early while Windows started, before NtInitializeRegistry, and 2 after
	// that. Earlier versions leave them zero.
	AccessBits byte
	Layer      Layer
	Class      string // text that the program that made the key gave it, which is rare; "" for none, or if it could not be read
	ClassFault string // why the class, or a part of it, could not be read, or ""
	Security   []byte // descriptor in self-relative form; nil for none, or if it could not be read
	SDDL       string // the descriptor in Microsoft's security descriptor definition language: "O:BAG:SYD:PAI(A;CI;KA;;;BA)"
	Fault      string // why there is a descriptor but no text of it, or ""
}

// Record returns what the key's record holds, or nil for a key that is not in a hive. Damage to the class or the descriptor is reported once,
// as a problem of the file.
func (k *Key) Record() *Record {
	if k.file == nil {
		return nil
	}
	f, node := k.file, k.file.nodeOf(k)
	class, d := k.class(node), f.descriptor(k, node.security())
	return &Record{Flags: Flags(node.flags()), AccessBits: node.accessBits(), Layer: Layer(node.layer()),
		Class: class.name, ClassFault: class.fault, Security: d.bytes, SDDL: d.text, Fault: d.fault}
}

// Class returns the Class of [Key.Record] alone, without reading the rest of it; it is "" for a key that is not in a hive.
func (k *Key) Class() string {
	if k.file == nil {
		return ""
	}
	return k.class(k.file.nodeOf(k)).name
}

// class is the class name of a key as far as it could be read, and why that is not all of it.
type class struct{ name, fault string }

// class returns the key's class name. It is read once, because each reading is a claim.
func (k *Key) class(node keyNode) class {
	if node.classLength() == 0 || node.class() == nilCell {
		return class{}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	rare := k.more()
	if rare.class == nil {
		rare.class = k.file.readClass(k, node)
	}
	return *rare.class
}

func (f *File) readClass(k *Key, node keyNode) *class {
	n := node.classLength()
	cell, fault := f.cell(node.class())
	kind := BadCell
	switch {
	case fault != "":
		fault = "cannot be read: its cell " + fault
	case !f.claim(min(n, len(cell))):
		kind, cell, fault = amplified, nil, leftOut
	case len(cell) < n:
		kind, fault = badName, "is longer than its cell"
	}
	if fault != "" {
		f.reporter(k).report(Problem{At: offsetOf(node.class()), Kind: kind, Loss: true}, "the class name of key %q %s", shown(k.name), fault)
	}
	return &class{DecodeUTF16(cell[:min(n, len(cell))]), fault}
}

// descriptor is a security descriptor that was read, see [Record].
type descriptor struct {
	once        sync.Once // done when it is read
	bytes       []byte
	text, fault string
}

// descriptor returns the descriptor in a cell. Thousands of keys may share it, so it is read, and what is wrong with it is reported, only for
// the first.
func (f *File) descriptor(k *Key, offset uint32) *descriptor {
	known, ok := f.descriptors.Load(offset)
	if !ok {
		known, _ = f.descriptors.LoadOrStore(offset, new(descriptor))
	}
	d := known.(*descriptor)
	d.once.Do(func() {
		kind := f.readDescriptor(d, offset)
		if d.fault != "" {
			f.reporter(k).report(Problem{At: offsetOf(offset), Kind: kind, Loss: true},
				"the security descriptor of key %q, and of those that share it, %s", shown(k.name), d.fault)
		}
	})
	return d
}

// readDescriptor fills in a descriptor, and returns the kind of its fault, if it has one. Its bytes and its text, which can be a few times as
// long, are both claimed.
func (f *File) readDescriptor(d *descriptor, offset uint32) Kind {
	b, fault := f.security(offset)
	if fault != "" || b == nil {
		d.fault = fault
		return badSecurity
	}
	if !f.claim(securityHead + len(b)) {
		d.fault = leftOut
		return amplified
	}
	text, err := sddl(b)
	if !f.claim(len(text)) {
		d.fault = leftOut
		return amplified
	}
	d.bytes, d.text = b, text
	if err != nil {
		d.fault = "is damaged: " + err.Error()
	}
	return badSecurity
}

// securityHead is the number of bytes before the descriptor in a cell signed "sk".
const securityHead = 20

// security returns the descriptor in a cell signed "sk", or what is wrong with it; neither if no cell is named.
func (f *File) security(offset uint32) (descriptor []byte, fault string) {
	if offset == nilCell {
		return nil, ""
	}
	cell, fault := f.cell(offset)
	switch {
	case fault != "":
		return nil, "cannot be read: its cell " + fault
	case len(cell) < securityHead || string(cell[:2]) != "sk":
		return nil, `cannot be read: its cell is not signed "sk"`
	}
	size := int64(binary.LittleEndian.Uint32(cell[16:]))
	if size > int64(len(cell)-securityHead) {
		return nil, fmt.Sprintf("is said to have %d bytes, its cell has %d", size, len(cell)-securityHead)
	}
	return cell[securityHead : securityHead+size : securityHead+size], ""
}

// Link reports whether the key is a symbolic link, and returns the path of the key that it leads to, or nil if that is unknown or not below
// HKEY_LOCAL_MACHINE or HKEY_USERS.
func (k *Key) Link() (target Path, ok bool) {
	if k.file == nil || k.file.nodeOf(k).flags()&keySymLink == 0 {
		return nil, false
	}
	v, ok := k.Value(linkValue)
	if !ok || v.Type != Link || v.Short {
		return nil, true
	}
	text, _ := v.Text()
	if strings.Count(text, `\`) > maxPath {
		return nil, true
	}
	path := ParsePath(text)
	switch {
	case len(path) < 2 || !EqualFold(path[0], "Registry"):
		return nil, true
	case EqualFold(path[1], "Machine"):
		return Path{"HKEY_LOCAL_MACHINE"}.Join(path[2:]...), true
	case EqualFold(path[1], "User"):
		return usersPath.Join(path[2:]...), true
	}
	return nil, true
}

// maxPath is more names than any path of a key has: those to the root of a hive, and one for each level in it.
const maxPath = MaxDepth + 8

// linkValue names the value of a symbolic link that holds its target, a path as in the kernel: \Registry\Machine\SYSTEM.
const linkValue = "SymbolicLinkValue"

// linkKnown returns why the target of a link is unknown: Damaged with the problem, or NotCovered.
func (k *Key) linkKnown() (Known, *Problem) {
	v, ok := k.Value(linkValue)
	if ok && v.Short || !ok && k.ValuesKnown() == Damaged {
		return Damaged, k.FirstLoss()
	}
	return NotCovered, nil
}
