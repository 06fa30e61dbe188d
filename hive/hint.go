package hive

import (
	"fmt"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// Windows does not read the names of all subkeys to find one. Beside the cell of each, lists hold a hint: lf the first four characters of the
// name, lh a hash of it. A key whose hint is that of another name is not found, although its record is sound.
// Source: https://github.com/msuhanov/regf, "Subkeys list".

// subkey is an element of a list of subkeys.
type subkey struct {
	cell uint32
	hint uint32
	form byte // what the hint is: the second letter of the list's signature, f or h; another for none
}

// isOf reports whether the hint is that of a name.
func (s subkey) isOf(name string) bool {
	switch s.form {
	case 'h':
		return s.hint == nameHash(name)
	case 'f':
		return s.begins(name)
	}
	return true
}

// nameHash returns the hash of a name in lists that are signed lh: 37 times what it is of the units before, plus the unit in upper case.
func nameHash(name string) (hash uint32) {
	for unit := range upperUnits(name) {
		hash = 37*hash + uint32(unit)
	}
	return hash
}

// begins reports whether the hint can be that of a name in a list that is signed lf: its first four characters, in either case. A first byte of
// zero is no hint: Windows writes it for names with a character of more than a byte, and then compares the name. What it writes for other
// characters beyond ASCII is not documented, and a real hive has 81 for U+009F, so those are not compared.
func (s subkey) begins(name string) bool {
	if byte(s.hint) == 0 {
		return true
	}
	i, wide := 0, false
	for unit := range upperUnits(name) {
		switch c := byte(s.hint >> (8 * i)); {
		case unit >= utf8.RuneSelf:
			wide = true
		case c == 0 && wide:
		case uint16(Upper(rune(c))) != unit:
			return false
		}
		if i++; i == 4 {
			break
		}
	}
	return true
}

// said returns the hint for messages, and what it must be.
func (s subkey) said(name string) string {
	if s.form == 'h' {
		return fmt.Sprintf("the hash 0x%08x of key %q", s.hint, shown(name))
	}
	return fmt.Sprintf("the hint %q of key %q", decodeLatin1([]byte{byte(s.hint), byte(s.hint >> 8), byte(s.hint >> 16), byte(s.hint >> 24)}), shown(name))
}

// upperUnits visits the UTF-16 units of a name in upper case.
func upperUnits(name string) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i := 0; i < len(name); {
			r, n := decodeRune(name[i:])
			i += n
			if r >= 0x10000 {
				high, low := utf16.EncodeRune(r)
				if !yield(uint16(high)) || !yield(uint16(low)) {
					return
				}
				continue
			}
			if !yield(uint16(Upper(r))) {
				return
			}
		}
	}
}
