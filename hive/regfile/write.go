package regfile

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"regvet/hive"
)

// Write writes a file that makes the edits when Windows imports it: version 5.00, UTF-16LE with byte order mark, lines that end with CR LF.
// The lines of the comment follow the first line of the file, each after a semicolon. Consecutive edits of one key become one section.
//
// Nothing is lost: a text whose data are not exactly the text and one NUL, or that holds line breaks, is written as hex(1). [Imported]
// returns what Windows then stores. A section makes its key, so a [hive.DeleteValue] for a key that does not exist leaves an empty key.
//
// Write fails before it writes anything if .reg text cannot express one of the edits, see [Unwritable].
func Write(w io.Writer, comment string, edits []hive.Edit) error {
	return WriteBlocks(w, comment, Block{Edits: edits})
}

// Block is some edits of a file with a comment of their own. The comment is written above the first key line, where every program that reads
// .reg text takes it for one; hivexregedit does not inside of a section.
type Block struct {
	Comment string
	Edits   []hive.Edit
}

// WriteBlocks is [Write] for edits in blocks, each of which begins a section.
func WriteBlocks(w io.Writer, comment string, blocks ...Block) error {
	var checked hive.Path
	for _, p := range blocks {
		for _, e := range p.Edits {
			if reason := unwritable(e, checked); reason != "" {
				what := fmt.Sprintf("key %q", clipped(e.Path.String()))
				if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
					what = fmt.Sprintf("value %q of %s", clipped(e.Value.Name), what)
				}
				return fmt.Errorf("%s cannot be written as .reg text: %s", what, reason)
			}
			checked = e.Path
		}
	}
	var err error
	enc := &encoder{exchange: func(full []byte) []byte {
		if err == nil {
			_, err = w.Write(full)
		}
		return full[:0]
	}}
	enc.begin()
	enc.comment(comment)
	for _, p := range blocks {
		if len(p.Edits) > 0 {
			enc.comment(p.Comment)
			enc.edits(p.Edits, p.Comment != "")
		}
	}
	enc.crlf()
	enc.exchange(enc.buf)
	return err
}

// edits writes sections. If the first follows its comment, there is no blank line between them.
func (enc *encoder) edits(edits []hive.Edit, commented bool) {
	var open hive.Path // the key of the current section
	for i, e := range edits {
		if e.Op == hive.CreateKey || e.Op == hive.DeleteKey || !slices.Equal(e.Path, open) {
			if i > 0 || !commented {
				enc.crlf()
			}
			enc.section(e.Path, e.Op == hive.DeleteKey)
			open = e.Path
		}
		switch e.Op {
		case hive.DeleteKey:
			open = nil
		case hive.SetValue:
			enc.value(e.Value, exactText)
		case hive.DeleteValue:
			enc.name(e.Value.Name)
			enc.ascii("-\r\n")
		}
	}
}

// Unwritable returns why .reg text cannot express an edit, or "". It cannot express edits outside the roots of the registry, the deletion
// of a root, names with NUL, CR or LF, key names that are empty or hold a backslash, and names that are too long.
func Unwritable(e hive.Edit) string { return unwritable(e, nil) }

// Inexact returns why importing the .reg text of an edit does not make it to the byte, or "": text cannot express the edit, or Windows adds
// a NUL to the data.
func Inexact(e hive.Edit) string {
	if reason := Unwritable(e); reason != "" {
		return reason
	}
	if e.Op == hive.SetValue && len(Imported(e.Value).Data) != len(e.Value.Data) {
		return "Windows adds the NUL that the text lacks when it imports it"
	}
	return ""
}

// unwritable is [Unwritable]; checked is a path known to be writable, or nil.
func unwritable(e hive.Edit, checked hive.Path) string {
	if checked == nil || !slices.Equal(e.Path, checked) {
		if reason := badPath(e.Path); reason != "" {
			return reason
		}
	}
	switch {
	case e.Op > hive.DeleteValue:
		return fmt.Sprintf("there is no operation %d", e.Op)
	case e.Op == hive.DeleteKey && len(e.Path) == 1:
		return "a root cannot be deleted"
	case e.Op == hive.SetValue || e.Op == hive.DeleteValue:
		return badName(e.Value.Name, maxValueName)
	}
	return ""
}

// Tree is a key with all below it, and the path to export it under.
type Tree struct {
	Root *hive.Key
	At   hive.Path // such as HKEY_LOCAL_MACHINE\SYSTEM; if empty, the subkeys of Root are written as roots
}

// Export writes trees as reg.exe exports them: every key is a section, subkeys are sorted, and values are in the order in which they are
// stored. Keys that a .reg file only implies ([hive.Key.Implied]) are not written.
//
// As in Windows, a REG_SZ ends at its first NUL, and what follows is lost. Export differs in one point: Windows writes CR or LF in a text
// as they are, and cannot read them back; here, such a text becomes hex(1).
//
// What a layer deletes ([hive.Key.Tombstones]) becomes a deletion.
//
// What .reg text cannot express (see [Write]) is left out, with a comment in its place: values whose name or data cannot be written, and
// keys whose name cannot, with all below them. Export writes all the rest, and the error is [LeftOut].
func Export(w io.Writer, trees ...Tree) error {
	var frame encoder // for what is around the keys; never full
	frame.begin()
	var left LeftOut
	for _, t := range trees {
		if _, err := w.Write(frame.buf); err != nil {
			return err
		}
		frame.buf = frame.buf[:0]
		var mu sync.Mutex
		leftOf := map[int]LeftOut{} // by the number of the part
		err := t.Root.Encode(w, hive.Encoders(), (*hive.Key).Keys, func() hive.Encoder {
			x := exporter{at: t.At}
			return func(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
				x.encoder = encoder{b, exchange}
				x.part(part)
				if x.left != nil {
					mu.Lock()
					leftOf[part.Number], x.left = x.left, nil
					mu.Unlock()
				}
				return x.buf
			}
		})
		if err != nil {
			return err
		}
		for _, n := range slices.Sorted(maps.Keys(leftOf)) {
			left = append(left, leftOf[n]...)
		}
	}
	frame.crlf()
	if _, err := w.Write(frame.buf); err != nil {
		return err
	}
	if len(left) > 0 {
		return left
	}
	return nil
}

// LeftOut is the error of an export that is complete except for what .reg text cannot express: one sentence for each key or value.
type LeftOut []string

// Error returns one line for each.
func (l LeftOut) Error() string { return strings.Join(l, "\n") }

// exporter writes a part of a tree.
type exporter struct {
	encoder
	at   hive.Path
	left LeftOut

	// Consecutive keys differ at the end of their paths, so only the name of each is encoded.
	wide []byte
	ends []int // of the path of each key above, by its depth
	skip int   // the depth of a key left out, while below it; otherwise -1

	reader hive.ValueReader
}

// begin starts a walk at the key that is written as x.at.
func (x *exporter) begin() {
	x.wide = appendPath(x.wide[:0], x.at)
	x.ends = append(x.ends[:0], len(x.wide))
	x.skip = -1
}

func (x *exporter) part(p hive.Part) {
	x.begin()
	for i, name := range p.Above {
		if x.enter(i+1, name) != "" {
			break
		}
	}
	for below, k := range p.Walk() {
		if !x.reach(below) || k.Implied() {
			continue
		}
		values := x.reader.Values(k)
		goneKeys, goneValues := k.Tombstones()
		if len(x.wide) > 0 || len(values) > 0 || len(goneValues) > 0 {
			x.open()
			x.values(below, values)
			x.deleteValues(below, goneValues)
		}
		for _, gone := range goneKeys {
			x.deleteKey(below, gone.Name())
		}
	}
}

// deleteValues writes the deletions of values of the current key.
func (x *exporter) deleteValues(below hive.Path, values []hive.Value) {
	for _, v := range values {
		if reason := badName(v.Name, maxValueName); reason != "" {
			x.leave(fmt.Sprintf("deletion of value %q of key %q: %s; it is left out", clipped(v.Name), x.path(below), reason))
			continue
		}
		x.name(v.Name)
		x.ascii("-\r\n")
	}
}

// deleteKey writes the deletion of a subkey of the current key.
func (x *exporter) deleteKey(below hive.Path, name string) {
	path := x.at.Join(below...).Join(name)
	x.crlf()
	if reason := unwritable(hive.Edit{Op: hive.DeleteKey, Path: path}, nil); reason != "" {
		x.leave(fmt.Sprintf("deletion of key %q: %s; it is left out", clipped(path.String()), reason))
		return
	}
	x.section(path, true)
}

// reach goes to the next key of a walk and reports whether it can be written.
func (x *exporter) reach(below hive.Path) bool {
	if x.skip >= 0 && len(below) > x.skip {
		return false
	}
	x.skip = -1
	if depth := len(below); depth > 0 {
		if reason := x.enter(depth, below[depth-1]); reason != "" {
			x.crlf()
			x.leave(fmt.Sprintf("key %q: %s; it is left out with all below it", x.path(below), reason))
			return false
		}
	}
	return true
}

// path returns the path of a key for a message.
func (x *exporter) path(below hive.Path) string { return clipped(x.at.Join(below...).String()) }

// open writes the key line of the current key.
func (x *exporter) open() {
	x.crlf()
	x.buf = append(x.buf, '[', 0)
	x.buf = append(x.buf, x.wide...)
	x.buf = append(x.buf, ']', 0)
	x.crlf()
}

// values writes values of the current key.
func (x *exporter) values(below hive.Path, values []hive.Value) {
	for _, v := range values {
		if n := len(v.Name); 0 < n && n <= maxValueName && hive.IsPlain(v.Name) && !v.Short { // as nearly all
			start := len(x.buf)
			x.plainName(v.Name)
			x.data(v, start, windowsText)
			continue
		}
		reason := badName(v.Name, maxValueName)
		if v.Short {
			reason = "its data could not be read whole"
		}
		if reason != "" {
			x.leave(fmt.Sprintf("value %q of key %q: %s; it is left out", clipped(v.Name), x.path(below), reason))
			continue
		}
		x.value(v, windowsText)
	}
}

// enter appends name to the path at depth - 1, or returns why .reg text cannot express it.
func (x *exporter) enter(depth int, name string) (reason string) {
	if reason = badKeyName(name); len(x.at)+depth-1 > hive.MaxDepth {
		reason = fmt.Sprintf("more than %d levels", hive.MaxDepth)
	}
	if reason != "" {
		x.skip = depth
		return reason
	}
	if x.wide = x.wide[:x.ends[depth-1]]; len(x.wide) > 0 {
		x.wide = append(x.wide, '\\', 0)
	}
	x.wide = appendWide(x.wide, name)
	x.ends = append(x.ends[:depth], len(x.wide))
	return ""
}

// leave notes, also in the file, that something is left out.
func (x *exporter) leave(what string) {
	x.left = append(x.left, what)
	x.plain("; " + what)
	x.crlf()
}

// badPath returns why .reg text cannot express a path, or "".
func badPath(path hive.Path) string {
	if len(path) == 0 {
		return "no root is named"
	}
	for i := range path {
		if reason := badLast(path[:i+1]); reason != "" {
			return reason
		}
	}
	return ""
}

// badLast is badPath for a path that is good except for its last name.
func badLast(path hive.Path) string {
	switch {
	case len(path) == 1:
		if _, ok := hive.LongRoot(path[0]); !ok {
			return "it is not below a root such as " + hive.RootNames()[0]
		}
	case len(path)-1 > hive.MaxDepth:
		return fmt.Sprintf("more than %d levels", hive.MaxDepth)
	}
	return badKeyName(path[len(path)-1])
}

// badKeyName returns why .reg text cannot express the name of a key, or "".
func badKeyName(name string) string {
	switch {
	case name == "":
		return "a name is empty"
	case len(name) <= maxKeyName && hive.IsPlain(name):
		return ""
	case strings.Contains(name, `\`):
		return "a name holds a backslash"
	}
	return badName(name, maxKeyName)
}

// badName returns why .reg text cannot express a name, or "".
func badName(name string, most int) string {
	if len(name) <= most && hive.IsPlain(name) {
		return ""
	}
	ascii := true
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == 0 || c == '\r' || c == '\n':
			return "a name holds a NUL or a line break"
		case c >= 0x80:
			ascii = false
		}
	}
	switch {
	case len(name) > most && units(name) > most:
		return fmt.Sprintf("a name has %d characters, at most %d are allowed", units(name), most)
	case !ascii && hive.DecodeUTF16(hive.EncodeUTF16(name)) != name:
		return "a name is not text"
	}
	return ""
}

// clipped shortens a name, which may be very long, for a message.
func clipped(name string) string {
	const most = 1000 // bytes
	if len(name) > most {
		name = name[:most] + "…"
	}
	return hive.Printable(name)
}
