package lint

import (
	"cmp"
	"strings"

	"regvet/hive"
)

// Example is a small .reg file.
type Example struct {
	Text     string // with LF at its line ends
	Encoding Encoding
	LineEnd  string // in place of LF; "" for CR LF, which is what Windows writes
}

// Encoding is how the text of an example becomes bytes.
type Encoding int

// The encodings of examples.
const (
	utf16LE    Encoding = iota // with byte order mark, which is what Windows writes
	UTF16BE                    // with byte order mark
	UTF16NoBOM                 // little-endian, without byte order mark
	UTF8                       // without byte order mark
	UTF8BOM                    // with byte order mark
	Raw                        // Text holds the bytes as they are, line ends too
)

// version5 is an example of the lines that stand below the header and the empty line that Windows writes.
func version5(lines string) Example {
	return Example{Text: "Windows Registry Editor Version 5.00\n\n" + lines}
}

// version4 is [version5] for the older header. Its text is in the ANSI code page, as such files are.
func version4(lines string) Example {
	return Example{Text: "REGEDIT4\n\n" + lines, Encoding: UTF8}
}

// Bytes returns the example as it lies in a file.
func (e Example) Bytes() []byte {
	text := e.Text
	if e.Encoding != Raw {
		text = strings.ReplaceAll(text, "\n", cmp.Or(e.LineEnd, "\r\n"))
	}
	utf16 := hive.EncodeUTF16(text)
	switch e.Encoding {
	case utf16LE:
		return append([]byte{0xFF, 0xFE}, utf16...)
	case UTF16BE:
		for i := 0; i < len(utf16); i += 2 {
			utf16[i], utf16[i+1] = utf16[i+1], utf16[i]
		}
		return append([]byte{0xFE, 0xFF}, utf16...)
	case UTF16NoBOM:
		return utf16
	case UTF8BOM:
		return append([]byte{0xEF, 0xBB, 0xBF}, text...)
	}
	return []byte(text)
}
