package report

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"regvet/hive"
)

// Keys writes a key and all below it as lines of JSON, one key a line, parents before what is below them, in the order of the
// file. The key itself is written under the path at. Keys that the input only implies are left out. With times, each line has
// the last write of its key; a .reg file has none.
func Keys(w io.Writer, root *hive.Key, at hive.Path, times bool) error {
	out := bufio.NewWriterSize(w, 1<<16)
	prefix := at.String()
	var line []byte
	for path, k := range root.WalkStored() {
		if k.Implied() {
			continue
		}
		line = append(line[:0], `{"key": `...)
		line = appendString(line, joined(prefix, path))
		if times {
			line = append(line, `, "modified": "`...)
			line = append(line, timestamp(k.Filetime().UTC())...)
			line = append(line, '"')
		}
		line = append(line, `, "values": [`...)
		for i, v := range k.Values() {
			if i > 0 {
				line = append(line, `, `...)
			}
			line = append(line, `{"name": `...)
			line = appendString(line, v.Name)
			line = append(line, `, "type": "`...)
			line = append(line, v.Type.String()...)
			line = append(line, `", "type_id": `...)
			line = strconv.AppendUint(line, uint64(v.Type), 10)
			line = append(line, `, "data": `...)
			if v.Data == nil && v.Short {
				line = append(line, `null`...)
			} else {
				line = append(line, '"')
				line = hex.AppendEncode(line, v.Data)
				line = append(line, '"')
			}
			if v.Short {
				line = append(line, `, "short": true`...)
			}
			line = append(line, '}')
		}
		line = append(line, "]}\n"...)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
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

// appendString appends s as a JSON string. Most names are plain ASCII and need nothing but the quotes.
func appendString(b []byte, s string) []byte {
	plain := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) < 0
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var quoted strings.Builder
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(hive.Printable(s)) // of a string never fails
	return append(b, strings.TrimSuffix(quoted.String(), "\n")...)
}
