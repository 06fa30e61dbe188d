package report

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"regvet/hive"
)

// KeyFields are the fields of a line that not every key has, or not everybody wants.
type KeyFields struct {
	Times bool // last write; a .reg file has none
	Full  bool // flags, access bits, class and security of a key of a hive, and where each key and value stands in its input
}

// Keys writes a key and all below it as lines of JSON, one key a line, parents before what is below them, in the order of the
// file. The key itself is written under the path at. Keys that the input only implies are left out.
func Keys(w io.Writer, root *hive.Key, at hive.Path, fields KeyFields) error {
	prefix := at.String()
	encoders := hive.Encoders()
	if fields.Full {
		encoders = 1 // a problem with a security descriptor names the first key that has it
	}
	return root.Encode(w, encoders, (*hive.Key).Stored, func() hive.Encoder {
		return (&keyLines{prefix: prefix, fields: fields}).part
	})
}

// keyLines encodes keys as lines.
type keyLines struct {
	prefix string
	fields KeyFields
	values hive.ValueReader
}

func (l *keyLines) part(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
	for path, k := range part.Walk() {
		if k.Implied() {
			continue
		}
		if len(b) >= hive.FullBuffer {
			b = exchange(b)
		}
		b = append(b, `{"key": `...)
		b = appendKey(b, l.prefix, path)
		if l.fields.Times {
			b = append(b, `, "modified": "`...)
			b = k.Filetime().UTC().AppendFormat(b, timeLayout)
			b = append(b, '"')
		}
		if l.fields.Full {
			b = appendPlace(appendRecord(b, k), k.At())
		}
		b = append(b, `, "values": [`...)
		b = appendValues(b, l.values.Values(k), false, l.fields.Full, exchange)
		b = append(b, "]}\n"...)
	}
	return b
}

// OrderedKeys writes what [Keys] writes of a tree, without times, from a walk through an input that is not held in memory. The error may be
// that of the walk.
func OrderedKeys(w io.Writer, keys iter.Seq2[*hive.Stretch, error], at hive.Path, full bool) error {
	prefix := at.String()
	b := make([]byte, 0, hive.FullBuffer)
	var failed error
	exchange := func(full []byte) []byte {
		if failed == nil {
			_, failed = w.Write(full)
		}
		return full[:0]
	}
	some := false // of the values of the key were written
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
			b = append(b, `{"key": `...)
			b = appendKey(b, prefix, key.Path)
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

// appendValues appends values of a key, behind others of it or as the first.
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

// Deleted writes keys and values that were found in the space of a hive that is not in use as lines of JSON, each marked as deleted and with its
// offset. An orphan has a key only as far as that is known, an orphan value the key "". A key that is live was not deleted itself: the
// values were deleted from it.
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
			line = append(line, `, "modified": "`...)
			line = append(line, timestamp(d.Key.Filetime().UTC())...)
			line = append(line, '"')
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

// appendRecord appends what only the record of a key tells. A descriptor that cannot be read is null, and the problem is the file's; a
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
		if r.Class != "" {
			b = append(b, `, "class": `...)
			b = appendString(b, r.Class)
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

// appendPlace appends where something stands in its input.
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
			if b = hex.AppendEncode(b, piece); len(b) >= hive.FullBuffer {
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

// appendKey appends the path of a key as a JSON string. That is what most of the bytes are, and nearly all are plain.
func appendKey(b []byte, prefix string, path hive.Path) []byte {
	start := len(b)
	b, ok := appendPlain(append(b, '"'), prefix)
	for i, name := range path {
		if i > 0 || prefix != "" {
			b = append(b, `\\`...)
		}
		plain := false
		b, plain = appendPlain(b, name)
		ok = ok && plain
	}
	if !ok {
		return appendString(b[:start], joined(prefix, path))
	}
	return append(b, '"')
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	start := len(b)
	b, ok := appendPlain(append(b, '"'), s)
	if ok {
		return append(b, '"')
	}
	var quoted strings.Builder
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(hive.Printable(s)) // of a string never fails
	return append(b[:start], strings.TrimSuffix(quoted.String(), "\n")...)
}

// appendPlain appends s as it stands in a JSON string. Where it is not all visible ASCII, it stops and gives false.
func appendPlain(b []byte, s string) (all []byte, ok bool) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return b, false
		case c == '"' || c == '\\':
			b = append(append(b, s[from:i]...), '\\')
			from = i
		}
	}
	return append(b, s[from:]...), true
}
