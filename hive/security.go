package hive

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// sddl returns a security descriptor, in the self-relative form that hives hold, as text in Microsoft's security descriptor definition
// language: "O:BAG:SYD:PAI(A;CI;KA;;;BA)". Rights have a name if they are exactly one of the rights to a registry key or a generic right,
// else they are a number. Accounts of a computer or domain have their whole SID, which says of which one. Data behind the SID of an
// entry, such as a condition, is in hex. An error says where the descriptor ends too early or holds something unknown.
// Sources: Microsoft, [MS-DTYP] 2.4 and 2.5.1, and "Security Descriptor String Format".
func sddl(b []byte) (string, error) {
	if len(b) < 20 || b[0] != 1 {
		return "", fmt.Errorf("there is no security descriptor at 0x0: it has at least 20 bytes and starts with 1")
	}
	control := binary.LittleEndian.Uint16(b[2:])
	var s strings.Builder
	for _, part := range []struct {
		letter string
		at     int
	}{{"O:", 4}, {"G:", 8}} {
		if at := binary.LittleEndian.Uint32(b[part.at:]); at != 0 {
			sid, _, err := readSID(b, int64(at))
			if err != nil {
				return "", err
			}
			s.WriteString(part.letter + sid)
		}
	}
	for _, list := range []struct {
		letter                                    string
		at                                        int
		present, protected, required, inheritance uint16
	}{{"D:", 16, 0x4, 0x1000, 0x100, 0x400}, {"S:", 12, 0x10, 0x2000, 0x200, 0x800}} {
		if control&list.present == 0 {
			continue
		}
		s.WriteString(list.letter)
		for _, flag := range []struct {
			bit  uint16
			name string
		}{{list.protected, "P"}, {list.required, "AR"}, {list.inheritance, "AI"}} {
			if control&flag.bit != 0 {
				s.WriteString(flag.name)
			}
		}
		at := binary.LittleEndian.Uint32(b[list.at:])
		if at == 0 {
			s.WriteString("NO_ACCESS_CONTROL")
			continue
		}
		if err := writeACL(&s, b, int64(at)); err != nil {
			return "", err
		}
	}
	return s.String(), nil
}

func writeACL(s *strings.Builder, b []byte, at int64) error {
	if at+8 > int64(len(b)) {
		return fmt.Errorf("the access control list at %#x lies beyond the end", at)
	}
	size, count := int64(binary.LittleEndian.Uint16(b[at+2:])), binary.LittleEndian.Uint16(b[at+4:])
	if size < 8 || at+size > int64(len(b)) {
		return fmt.Errorf("the access control list at %#x has an impossible size of %d bytes", at, size)
	}
	list := b[:at+size]
	at += 8
	for range count {
		if at+8 > int64(len(list)) {
			return fmt.Errorf("the access control list ends at %#x before its last entry", at)
		}
		n := int64(binary.LittleEndian.Uint16(list[at+2:]))
		if n < 8 || at+n > int64(len(list)) {
			return fmt.Errorf("the entry at %#x has an impossible size of %d bytes", at, n)
		}
		if err := writeACE(s, list[:at+n], at); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// aceTypes are the kinds of entries: their names, or numbers if they have none, and whether two GUIDs can precede the SID.
var aceTypes = map[byte]struct {
	name   string
	object bool
}{
	0x00: {"A", false}, 0x01: {"D", false}, 0x02: {"AU", false}, 0x03: {"AL", false},
	0x05: {"OA", true}, 0x06: {"OD", true}, 0x07: {"OU", true}, 0x08: {"OL", true},
	0x09: {"XA", false}, 0x0A: {"XD", false}, 0x0B: {"ZA", true}, 0x0C: {"0xc", true},
	0x0D: {"XU", false}, 0x0E: {"0xe", false}, 0x0F: {"0xf", true}, 0x10: {"0x10", true},
	mandatoryLabel: {"ML", false}, 0x12: {"RA", false}, 0x13: {"SP", false}, 0x14: {"TL", false}, accessFilter: {"FL", false},
}

const (
	mandatoryLabel = 0x11
	accessFilter   = 0x15
)

// aceFlags are the flags of entries in the order in which Windows writes them.
var aceFlags = []struct {
	bit  byte
	name string
}{{0x01, "OI"}, {0x02, "CI"}, {0x04, "NP"}, {0x08, "IO"}, {0x10, "ID"}, {0x20, "CR"}, {0x40, "SA"}, {0x80, "FA"}}

// rights are the names of access rights: those of registry keys, and the generic ones.
var rights = map[uint32]string{
	0xF003F: "KA", 0x20019: "KR", 0x20006: "KW", 0x10000000: "GA", 0x20000000: "GX", 0x40000000: "GW", 0x80000000: "GR",
}

// writeRights writes the rights of an entry. A mandatory label says what programs of lower integrity must not do.
func writeRights(s *strings.Builder, kind byte, mask uint32) {
	const noWriteUp, noReadUp, noExecuteUp = 1, 2, 4
	switch name, ok := rights[mask]; {
	case kind == mandatoryLabel && mask > 0 && mask <= noWriteUp|noReadUp|noExecuteUp:
		for _, right := range []struct {
			bit  uint32
			name string
		}{{noWriteUp, "NW"}, {noReadUp, "NR"}, {noExecuteUp, "NX"}} {
			if mask&right.bit != 0 {
				s.WriteString(right.name)
			}
		}
	case ok:
		s.WriteString(name)
	default:
		fmt.Fprintf(s, "0x%x", mask)
	}
}

// writeACE writes the entry at an offset, which is the end of b.
func writeACE(s *strings.Builder, b []byte, at int64) error {
	kind, ok := aceTypes[b[at]]
	if !ok {
		return fmt.Errorf("the entry at %#x is of the kind 0x%x, of which it is not known what it holds", at, b[at])
	}
	s.WriteString("(" + kind.name + ";")
	for _, f := range aceFlags {
		switch {
		case b[at+1]&f.bit == 0:
		case b[at] == accessFilter && f.name == "SA":
			s.WriteString("TP") // the bit has another meaning there
		default:
			s.WriteString(f.name)
		}
	}
	s.WriteString(";")
	writeRights(s, b[at], binary.LittleEndian.Uint32(b[at+4:]))
	next := at + 8
	var guids [2]string
	if kind.object {
		if next+4 > int64(len(b)) {
			return fmt.Errorf("the entry at %#x ends before its flags", at)
		}
		present := binary.LittleEndian.Uint32(b[next:])
		next += 4
		for i := range guids {
			if present&(1<<i) == 0 {
				continue
			}
			if next+16 > int64(len(b)) {
				return fmt.Errorf("the entry at %#x ends inside a GUID", at)
			}
			g := b[next:]
			guids[i] = fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(g), binary.LittleEndian.Uint16(g[4:]),
				binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:16])
			next += 16
		}
	}
	sid, size, err := readSID(b, next)
	if err != nil {
		return err
	}
	s.WriteString(";" + guids[0] + ";" + guids[1] + ";" + sid)
	// Entries are padded to a multiple of four bytes; only some kinds have data there.
	if rest := b[next+int64(size):]; b[at] >= 0x09 && b[at] != mandatoryLabel && strings.Trim(string(rest), "\x00") != "" {
		s.WriteString(";0x" + hex.EncodeToString(rest))
	}
	s.WriteString(")")
	return nil
}

// wellKnown are the SIDs that have a two-letter name and mean the same on every computer.
var wellKnown = map[string]string{
	"S-1-1-0": "WD", "S-1-3-0": "CO", "S-1-3-1": "CG", "S-1-3-4": "OW",
	"S-1-5-2": "NU", "S-1-5-4": "IU", "S-1-5-6": "SU", "S-1-5-7": "AN", "S-1-5-9": "ED", "S-1-5-10": "PS", "S-1-5-11": "AU",
	"S-1-5-12": "RC", "S-1-5-18": "SY", "S-1-5-19": "LS", "S-1-5-20": "NS", "S-1-5-33": "WR",
	"S-1-5-32-544": "BA", "S-1-5-32-545": "BU", "S-1-5-32-546": "BG", "S-1-5-32-547": "PU", "S-1-5-32-548": "AO", "S-1-5-32-549": "SO",
	"S-1-5-32-550": "PO", "S-1-5-32-551": "BO", "S-1-5-32-552": "RE", "S-1-5-32-554": "RU", "S-1-5-32-555": "RD", "S-1-5-32-556": "NO",
	"S-1-5-32-558": "MU", "S-1-5-32-559": "LU", "S-1-15-2-1": "AC",
	"S-1-16-4096": "LW", "S-1-16-8192": "ME", "S-1-16-12288": "HI", "S-1-16-16384": "SI",
}

// readSID returns the SID at an offset as in SDDL, where some have a name, and its size in bytes.
func readSID(b []byte, at int64) (sid string, size int, err error) {
	if sid, size, err = numericSID(b, at); err == nil {
		if name, ok := wellKnown[sid]; ok {
			sid = name
		}
	}
	return sid, size, err
}

// SID returns the SID that bytes begin with as text, such as S-1-5-18, and whether they do.
func SID(b []byte) (sid string, ok bool) {
	sid, _, err := numericSID(b, 0)
	return sid, err == nil
}

// numericSID returns the SID at an offset as text, and its size in bytes.
func numericSID(b []byte, at int64) (sid string, size int, err error) {
	if at+8 > int64(len(b)) {
		return "", 0, fmt.Errorf("the SID at %#x lies beyond the end", at)
	}
	count := int(b[at+1])
	size = 8 + 4*count
	if b[at] != 1 || count > 15 || at+int64(size) > int64(len(b)) {
		return "", 0, fmt.Errorf("there is no SID at %#x", at)
	}
	authority := uint64(binary.BigEndian.Uint16(b[at+2:]))<<32 | uint64(binary.BigEndian.Uint32(b[at+4:]))
	sid = fmt.Sprintf("S-1-%d", authority)
	if authority >= 1<<32 {
		sid = fmt.Sprintf("S-1-0x%012x", authority)
	}
	for i := range count {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(b[at+8+int64(4*i):]))
	}
	return sid, size, nil
}
