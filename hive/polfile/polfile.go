// Package polfile reads and writes Registry.pol, the file in which a group policy keeps the registry values that it sets.
//
// A file is a header, "PReg" and version 1, and entries [key;value;type;size;data]. Brackets and semicolons are UTF-16LE, key and value are
// UTF-16LE with a NUL at the end, type and size are 32-bit numbers, and data are as many bytes as size says. The keys have no root: the file
// of a computer is about HKEY_LOCAL_MACHINE, that of a user about HKEY_CURRENT_USER. A value name that starts with two stars is an
// instruction, such as **del.NAME, which deletes a value.
//
// Sources: Microsoft, [MS-GPREG] sections 2.2.1 (syntax) and 3.2.5.1.2 (what a client does), and "Registry Policy File Format".
package polfile

import (
	"encoding/binary"
	"fmt"

	"regvet/hive"
)

// MaxSize is the largest size of a file, in bytes. The largest policies that are known have a few hundred thousand.
const MaxSize = 64 << 20

// header is what each file begins with.
const header = "PReg\x01\x00\x00\x00"

// Is reports whether data begin as a Registry.pol of any version.
func Is(data []byte) bool { return len(data) >= 4 && string(data[:4]) == header[:4] }

// File is the content of a Registry.pol.
type File struct {
	Entries []Entry

	// Problems is what is wrong with the file. Where the syntax of an entry is wrong, nothing tells where the next one begins: the problem is
	// the last one, it has loss, and the entries are those before it.
	Problems []hive.Problem

	source string
}

// Entry is one entry exactly as stored.
type Entry struct {
	Key   string // without a root, names separated by backslashes
	Value string // name, or instruction
	Type  hive.Type
	Data  []byte // must not be changed: it is part of the file in memory
	At    hive.Location
}

// The kinds of problems in a Registry.pol.
const (
	badPolicy      hive.Kind = "bad-policy"      // the header, or the syntax of an entry
	badInstruction hive.Kind = "bad-instruction" // an entry whose effect is not known
)

// Parse reads a file. The source is its name for messages. The error is a [*hive.Problem] for a file without the header.
func Parse(source string, data []byte) (*File, error) {
	reject := func(format string, args ...any) (*File, error) {
		return nil, &hive.Problem{Source: source, Kind: badPolicy, Msg: fmt.Sprintf(format, args...), Loss: true}
	}
	switch {
	case len(data) > MaxSize:
		return reject("has %d bytes, and a Registry.pol is read up to %d", len(data), MaxSize)
	case !Is(data):
		return reject("is no Registry.pol: it does not begin with PReg")
	case len(data) < len(header):
		return reject("has %d bytes, fewer than the header of a Registry.pol; copy it again", len(data))
	case string(data[:len(header)]) != header:
		return reject("is a Registry.pol of version %d, and only version 1 is known", binary.LittleEndian.Uint32(data[4:]))
	}
	f := &File{source: source}
	r := reader{data: data, at: len(header)}
	for r.at < len(data) {
		e := r.entry()
		if r.wrong != nil {
			r.wrong.Source = source
			f.Problems = append(f.Problems, *r.wrong)
			return f, nil
		}
		f.Entries = append(f.Entries, e)
	}
	return f, nil
}

// reader reads entries. It stops at the first thing that is wrong.
type reader struct {
	data  []byte
	at    int // the offset of what is read next
	start int // the offset of the entry
	wrong *hive.Problem
}

func (r *reader) entry() (e Entry) {
	r.start = r.at
	e.At = hive.Location{Offset: int64(r.at)}
	r.sign('[')
	e.Key = r.text("key")
	r.sign(';')
	e.Value = r.text("value name")
	r.sign(';')
	e.Type = hive.Type(r.number("type"))
	r.sign(';')
	size := r.number("size")
	r.sign(';')
	e.Data = r.bytes(size)
	r.sign(']')
	return e
}

// fail notes what is wrong at the place that is read, unless something was wrong before.
func (r *reader) fail(format string, args ...any) {
	if r.wrong != nil {
		return
	}
	msg := fmt.Sprintf(format, args...)
	if r.at != r.start {
		msg += fmt.Sprintf(", in the entry at offset %#x", r.start)
	}
	r.wrong = &hive.Problem{At: hive.Location{Offset: int64(r.at)}, Kind: badPolicy, Msg: msg + "; nothing behind it was read", Loss: true}
}

// rest returns how many bytes are left.
func (r *reader) rest() int { return len(r.data) - r.at }

// sign reads a bracket or semicolon.
func (r *reader) sign(want byte) {
	switch {
	case r.wrong != nil:
	case r.rest() < 2:
		r.fail("the file ends where %q should be", want)
	case r.data[r.at] != want || r.data[r.at+1] != 0:
		r.fail("% x instead of %q", r.data[r.at:r.at+2], want)
	default:
		r.at += 2
	}
}

// text reads UTF-16LE up to a NUL, and the NUL.
func (r *reader) text(what string) string {
	if r.wrong != nil {
		return ""
	}
	for i := r.at; i+1 < len(r.data); i += 2 {
		if r.data[i] == 0 && r.data[i+1] == 0 {
			s := hive.DecodeUTF16(r.data[r.at:i])
			r.at = i + 2
			return s
		}
	}
	r.fail("the %s does not end with a NUL", what)
	return ""
}

func (r *reader) number(what string) uint32 {
	if r.wrong != nil {
		return 0
	}
	if r.rest() < 4 {
		r.fail("the file ends where the %s should be", what)
		return 0
	}
	n := binary.LittleEndian.Uint32(r.data[r.at:])
	r.at += 4
	return n
}

func (r *reader) bytes(size uint32) []byte {
	if r.wrong != nil {
		return nil
	}
	if int64(size) > int64(r.rest()) {
		r.fail("the data have %d bytes by their size, and the file has %d more", size, r.rest())
		return nil
	}
	b := r.data[r.at : r.at+int(size) : r.at+int(size)]
	r.at += int(size)
	return b
}
