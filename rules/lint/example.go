package lint

import (
	"cmp"
	"strings"

	"regvet/hive"
)

// Example is a small .reg file.
type Example struct {
	Text     string // with LF as line end
	Encoding Encoding
	LineEnd  string // used instead of LF; "" for CR LF, which Windows writes
}

// Encoding is the encoding of an example.
type Encoding int

// The encodings of examples.
const (
	utf16LE    Encoding = iota // with byte order mark, as Windows writes it
	UTF16BE                    // with byte order mark
	UTF16NoBOM                 // little-endian, without byte order mark
	UTF8                       // without byte order mark
	UTF8BOM                    // with byte order mark
	Raw                        // Text holds the bytes of the file, with its line ends
)

// version5 returns an example with lines below the header of version 5.00 and an empty line.
func version5(lines string) Example {
	return Example{Text: "Windows Registry Editor Version 5.00\n\n" + lines}
}

// version4 is [version5] for the header REGEDIT4. The file is in the ANSI code page, as such files are.
func version4(lines string) Example {
	return Example{Text: "REGEDIT4\n\n" + lines, Encoding: UTF8}
}

// Bytes returns the example as the bytes of a file.
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
