package hivetest

import (
	"fmt"
	"math"
	"unicode/utf8"

	"regvet/hive"
)

// Checksum returns the right checksum for a base block.
func Checksum(base []byte) uint32 {
	var sum uint32
	for i := 0; i < BaseChecksum; i += 4 {
		sum ^= le.Uint32(base[i:])
	}
	switch sum {
	case 0:
		return 1
	case math.MaxUint32:
		return math.MaxUint32 - 1
	}
	return sum
}

// Seal writes the right checksum into the base block of a hive.
func Seal(hive []byte) { le.PutUint32(hive[BaseChecksum:], Checksum(hive)) }

// length16 returns a length or count for a field of 16 bits.
func length16(n int) uint16 {
	if n > math.MaxUint16 {
		panic(fmt.Sprintf("hivetest: %d does not fit in a field of 16 bits", n))
	}
	return uint16(n)
}

// encodeName returns the bytes that store a name, and whether they are Latin-1.
func encodeName(name string, wide bool) (b []byte, compressed bool) {
	if wide || !utf8.ValidString(name) {
		return hive.EncodeUTF16(name), false
	}
	for _, r := range name {
		if r > 0xFF {
			return hive.EncodeUTF16(name), false
		}
		b = append(b, byte(r))
	}
	return b, true
}

// nameHint returns what lf holds of a name: its first four characters, or zeros if one of them is not Latin-1.
func nameHint(name string) []byte {
	hint := make([]byte, 4)
	units := hive.EncodeUTF16(name)
	for i := 0; i < len(hint) && 2*i < len(units); i++ {
		u := le.Uint16(units[2*i:])
		if u > 0xFF {
			return make([]byte, 4)
		}
		hint[i] = byte(u)
	}
	return hint
}

// nameHash returns what lh holds of a name.
func nameHash(name string) uint32 {
	var h uint32
	units := hive.EncodeUTF16(hive.Fold(name))
	for i := 0; i < len(units); i += 2 {
		h = 37*h + uint32(le.Uint16(units[i:]))
	}
	return h
}

// security writes the record of the descriptor that all keys share; each key counts itself in it. It is alone in the ring of descriptors,
// so it is its own neighbor.
func (w *writer) security() int {
	descriptor := securityDescriptor()
	at := w.reserve(SecurityDescriptor + len(descriptor))
	copy(w.b[at:], "sk")
	w.put32(at+SecurityNext, Ref(at))
	w.put32(at+SecurityPrevious, Ref(at))
	w.put32(at+SecurityLength, uint32(len(descriptor)))
	copy(w.b[at+SecurityDescriptor:], descriptor)
	return at
}

// securityDescriptor is a descriptor like that of HKEY_LOCAL_MACHINE\SOFTWARE, in self-relative form: full access for SYSTEM and
// Administrators, who own the key, and read access for Users. Source: [MS-DTYP] 2.4.2 to 2.4.6.
func securityDescriptor() []byte {
	const (
		selfRelative = 0x8000
		hasDACL      = 0x0004
		fullAccess   = 0x000F003F
		readAccess   = 0x00020019
	)
	system, administrators, users := sid(18), sid(32, 544), sid(32, 545)

	var entries []byte
	allow := func(sid []byte, access uint32) {
		const allowed, toSubkeys = 0, 2
		entries = append(entries, allowed, toSubkeys)
		entries = le.AppendUint16(entries, uint16(8+len(sid)))
		entries = le.AppendUint32(entries, access)
		entries = append(entries, sid...)
	}
	allow(system, fullAccess)
	allow(administrators, fullAccess)
	allow(users, readAccess)
	list := []byte{2, 0}
	list = le.AppendUint16(list, uint16(8+len(entries)))
	list = le.AppendUint32(list, 3)
	list = append(list, entries...)

	const header = 20
	owner := uint32(header + len(list))
	b := []byte{1, 0}
	b = le.AppendUint16(b, selfRelative|hasDACL)
	b = le.AppendUint32(b, owner)
	b = le.AppendUint32(b, owner+uint32(len(administrators))) // the group
	b = le.AppendUint32(b, 0)                                 // no audit list
	b = le.AppendUint32(b, header)
	b = append(b, list...)
	b = append(b, administrators...)
	return append(b, system...)
}

// sid returns the identifier S-1-5-... of a user or group.
func sid(parts ...uint32) []byte {
	b := []byte{1, byte(len(parts)), 0, 0, 0, 0, 0, 5}
	for _, part := range parts {
		b = le.AppendUint32(b, part)
	}
	return b
}
