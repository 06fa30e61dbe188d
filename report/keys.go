package report

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"
	"slices"
	"strconv"

	"regvet/hive"
	"regvet/internal/safetext"
)

// KeyFields selects fields that not every key has, or not everybody wants.
type KeyFields struct {
	Times bool // last write; a .reg file has none
	Full  bool // flags, access bits, class and security of a key of a hive, and where each key and value stands in its input
}

// Keys writes a key and all below it as lines of JSON, one key a line, each key before its subkeys, in the order of the file. The first key
// is written with the path at. Keys that the input only implies are left out.
func Keys(w io.Writer, root *hive.Key, at hive.Path, fields KeyFields) error {
	prefix := at.String()
	encoders := hive.Encoders()
	if fields.Full {
		encoders = 1 // a problem with a security descriptor names the first key that has it
	}
	return root.Encode(w, encoders, (*hive.Key).Stored, func() hive.Encoder {
		return (&keyLines{prefix: prefix, fields: fields, path: jsonPath}).part
	})
}

// keyLines writes keys as lines of JSON.
type keyLines struct {
	prefix string
	fields KeyFields
	path   pathText
	clock  clock
	values hive.ValueReader
}

func (l *keyLines) part(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
	l.path.begin(l.prefix)
	for i, name := range part.Above {
		l.path.enter(i+1, name)
	}
	for path, k := range part.Walk() {
		if len(path) > 0 {
			l.path.enter(len(path), path[len(path)-1])
		}
		if k.Implied() {
			continue
		}
		if len(b) >= hive.FullBuffer {
			b = exchange(b)
		}
		b = append(b, `{"key": "`...)
		b = append(b, l.path.text...)
		b = append(b, '"')
		if l.fields.Times {
			b = append(b, `, "modified": `...)
			b = l.clock.append(b, k.Filetime())
		}
		if l.fields.Full {
			b = appendPlace(appendRecord(b, k), k.At())
		}
		b = append(b, `, "values": [`...)
		b = appendValues(b, l.values.Values(k), false, l.fields.Full, exchange)
		b = append(b, ']')
		b = append(appendTombstones(b, k), "}\n"...)
	}
	return b
}

// appendTombstones appends the names of what a layer deletes from a key. Other keys have no such field.
func appendTombstones(b []byte, k *hive.Key) []byte {
	keys, values := k.Tombstones()
	if len(keys) == 0 && len(values) == 0 {
		return b
	}
	var keyNames, valueNames []string
	for _, k := range keys {
		keyNames = append(keyNames, k.Name())
	}
	for _, v := range values {
		valueNames = append(valueNames, v.Name)
	}
	b = append(b, `, "tombstones": {"keys": `...)
	b = appendStrings(b, keyNames)
	b = append(b, `, "values": `...)
	return append(appendStrings(b, valueNames), '}')
}

// OrderedKeys writes what [Keys] writes, without times, from a walk through an input that is not held in memory. It returns the error of
// the walk or of w.
func OrderedKeys(w io.Writer, keys iter.Seq2[*hive.Stretch, error], at hive.Path, full bool) error {
	path := jsonPath
	path.begin(at.String())
	b := make([]byte, 0, hive.FullBuffer)
	var failed error
	exchange := func(full []byte) []byte {
		if failed == nil {
			_, failed = w.Write(full)
		}
		return full[:0]
	}
	some := false // some values of the key were written
	for key, err := range keys {
		switch {
		case err != nil:
			return err
		case key.Implied:
			continue
		case len(b) >= hive.FullBuffer:
			b = exchange(b)
		}
		if key.Begins {
			for i, name := range key.Path {
				path.enter(i+1, name)
			}
			b = append(b, `{"key": "`...)
			b = append(b, path.to(len(key.Path))...)
			b = append(b, '"')
			if full {
				b = appendPlace(b, key.At)
			}
			b = append(b, `, "values": [`...)
			some = false
		}
		b = appendValues(b, key.Values, some, full, exchange)
		some = some || len(key.Values) > 0
		if key.Ends {
			b = append(b, "]}\n"...)
		}
		if failed != nil {
			return failed
		}
	}
	exchange(b)
	return failed
}

// appendValues appends values of a key; behind is whether others stand before them.
func appendValues(b []byte, values []hive.Value, behind, full bool, exchange func([]byte) []byte) []byte {
	for i, v := range values {
		if i > 0 || behind {
			b = append(b, `, `...)
		}
		if len(b) >= hive.FullBuffer {
			b = exchange(b)
		}
		b = appendValue(b, v, full, exchange)
	}
	return b
}

// Deleted writes keys and values recovered from unused space of a hive as lines of JSON, each marked as deleted, with its offset. The path
// of an orphan has only the names that are known; it is "" for an orphaned value. A key marked as live was not deleted itself, but values
// were deleted from it.
func Deleted(w io.Writer, all []hive.Deleted, at hive.Path) error {
	out := bufio.NewWriterSize(w, 1<<16)
	prefix := at.String()
	var line []byte
	for _, d := range all {
		line = append(line[:0], `{"key": `...)
		if d.Orphan {
			line = appendString(line, d.Path.String())
			line = append(line, `, "orphan": true`...)
		} else {
			line = appendString(line, joined(prefix, d.Path))
		}
		if d.Live {
			line = append(line, `, "live": true`...)
		}
		line = append(line, `, "deleted": true`...)
		if !d.Key.Implied() {
			line = append(line, `, "modified": `...)
			line = new(clock).append(line, d.Key.Filetime())
		}
		line = appendPlace(line, d.At)
		line = append(line, `, "values": [`...)
		for i, v := range d.Key.Values() {
			if i > 0 {
				line = append(line, `, `...)
			}
			line = appendValue(line, v, true, func(line []byte) []byte { return line })
		}
		line = append(line, "]}\n"...)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// appendRecord appends what only the record of a key tells. A class or descriptor that cannot be read is null, and the problem is the file's; a
// key without one has no such field.
func appendRecord(b []byte, k *hive.Key) []byte {
	if r := k.Record(); r != nil {
		b = append(b, `, "flags": `...)
		b = appendStrings(b, r.Flags.Names())
		b = append(b, `, "access_bits": `...)
		b = strconv.AppendUint(b, uint64(r.AccessBits), 10)
		if r.Layer != 0 {
			b = append(b, `, "layer": `...)
			b = appendStrings(b, r.Layer.Names())
		}
		switch {
		case r.Class != "":
			b = append(b, `, "class": `...)
			b = appendString(b, r.Class)
		case r.ClassFault != "":
			b = append(b, `, "class": null`...)
		}
		switch {
		case r.Fault != "":
			b = append(b, `, "security": null`...)
		case r.Security != nil:
			b = append(b, `, "security": `...)
			b = appendString(b, r.SDDL)
		}
	}
	return b
}

func appendStrings(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, s := range all {
		if i > 0 {
			b = append(b, `, `...)
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// appendPlace appends the place of something in its input.
func appendPlace(b []byte, at hive.Location) []byte {
	switch {
	case at.Line > 0:
		b = append(b, `, "line": `...)
		b = strconv.AppendInt(b, int64(at.Line), 10)
	case at.Offset > 0:
		b = append(b, `, "offset": `...)
		b = strconv.AppendInt(b, at.Offset, 10)
	}
	return b
}

func appendValue(b []byte, v hive.Value, full bool, exchange func([]byte) []byte) []byte {
	b = append(b, `{"name": `...)
	b = appendString(b, v.Name)
	b = append(b, `, "type": "`...)
	b = append(b, v.Type.String()...)
	b = append(b, `", "type_id": `...)
	b = strconv.AppendUint(b, uint64(v.Type), 10)
	b = append(b, `, "data": `...)
	if v.Data == nil && v.Short {
		b = append(b, `null`...)
	} else {
		b = append(b, '"')
		for piece := range slices.Chunk(v.Data, hive.FullBuffer/4) {
			if b = appendHex(b, piece); len(b) >= hive.FullBuffer {
				b = exchange(b)
			}
		}
		b = append(b, '"')
	}
	if v.Short {
		b = append(b, `, "short": true`...)
	}
	if full {
		b = appendPlace(b, v.At)
	}
	return append(b, '}')
}

func joined(prefix string, path hive.Path) string {
	switch {
	case len(path) == 0:
		return prefix
	case prefix == "":
		return path.String()
	}
	return prefix + `\` + path.String()
}

// pathText is the path of a key as a format has it, which is most of the bytes of a line. Consecutive keys differ at the end of their paths, so
// only the name of each is encoded.
type pathText struct {
	encode    func(b []byte, name string) []byte // appends a name
	separator string                             // between names, encoded
	text      []byte
	ends      []int // of the path of each key above, by its depth
	root      bool  // there is a path above the first key
}

// jsonPath is the path as it stands between the quotes of a JSON string.
var jsonPath = pathText{encode: appendInner, separator: `\\`}

// begin starts a walk at the key that is written as prefix.
func (p *pathText) begin(prefix string) {
	p.text = p.encode(p.text[:0], prefix)
	p.ends = append(p.ends[:0], len(p.text))
	p.root = prefix != ""
}

// enter appends name to the path at depth - 1.
func (p *pathText) enter(depth int, name string) {
	p.text = p.to(depth - 1)
	if p.root || depth > 1 {
		p.text = append(p.text, p.separator...)
	}
	p.text = p.encode(p.text, name)
	p.ends = append(p.ends[:depth], len(p.text))
}

// to returns the path that was entered at a depth.
func (p *pathText) to(depth int) []byte { return p.text[:p.ends[depth]] }

// clock formats times. It keeps the last second, because neighboring keys were often written in the same one.
type clock struct {
	second hive.Filetime // that text is of, in seconds
	text   []byte
}

// append appends a time as JSON: in the layout [hive.TimeLayout], or null for none.
func (c *clock) append(b []byte, t hive.Filetime) []byte {
	const perSecond = 10_000_000
	if !t.IsSet() {
		return append(b, "null"...)
	}
	if second := t / perSecond; c.text == nil || second != c.second {
		c.second, c.text = second, t.UTC().AppendFormat(c.text[:0], `"2006-01-02T15:04:05.`)
	}
	b = append(b, c.text...)
	rest := t % perSecond
	for unit := hive.Filetime(perSecond / 10); unit > 0; unit /= 10 {
		b = append(b, '0'+byte(rest/unit%10))
	}
	return append(b, `Z"`...)
}

// hexPairs holds the two digits of each byte, the first in the low byte.
var hexPairs = func() (pairs [256]uint16) {
	const digits = "0123456789abcdef"
	for i := range pairs {
		pairs[i] = uint16(digits[i>>4]) | uint16(digits[i&15])<<8
	}
	return pairs
}()

// appendHex appends data in hexadecimal as package hex does, in half the time.
func appendHex(b, data []byte) []byte {
	b = slices.Grow(b, 2*len(data))
	out := b[len(b) : len(b)+2*len(data)]
	b = b[:len(b)+len(out)]
	for ; len(data) >= 4; data, out = data[4:], out[8:] {
		binary.LittleEndian.PutUint64(out, uint64(hexPairs[data[0]])|uint64(hexPairs[data[1]])<<16|
			uint64(hexPairs[data[2]])<<32|uint64(hexPairs[data[3]])<<48)
	}
	for i, c := range data {
		binary.LittleEndian.PutUint16(out[2*i:], hexPairs[c])
	}
	return b
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	return append(appendInner(append(b, '"'), s), '"')
}

// appendInner appends s as it stands between the quotes of a JSON string.
func appendInner(b []byte, s string) []byte {
	if hive.IsPlain(s) {
		return append(b, s...)
	}
	return safetext.AppendJSON(b, hive.Printable(s))
}
