package image

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/text/encoding/charmap"
)

// mostText is how many bytes of text of a section are read. EnCase hangs on a megabyte.
const mostText = 1 << 20

// mostTexts is how many of them are read in an image; there are six.
const mostTexts = 32

// inflate returns the compressed text of a section.
func (o *ewfOpener) inflate(s section) ([]byte, error) {
	if o.texts++; o.texts > mostTexts {
		return nil, fmt.Errorf("the image has more than %d sections of text", mostTexts)
	}
	z, err := zlib.NewReader(io.NewSectionReader(s.file, s.at, s.end-s.at))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, mostText+1))
	if err == nil && len(text) > mostText {
		err = fmt.Errorf("the text has more than %d bytes", mostText)
	}
	return text, err
}

// header takes the facts of the case. Most programs write each section twice.
func (o *ewfOpener) header(s section) {
	if o.facts[s.kind] != nil {
		return
	}
	text, err := o.inflate(s)
	if err != nil {
		o.tell(s.file.Name(), s.at-ewfDescriptor, false, "the %s section, which tells of the case, cannot be read: %v", s.kind, err)
		return
	}
	o.facts[s.kind] = caseFacts(plainText(text))
}

// plainText decodes what is in UTF-16 with a byte order mark, in UTF-8, or else in the code page of Western Windows, since none is named.
func plainText(text []byte) string {
	if len(text) >= 2 {
		var order binary.ByteOrder
		switch [2]byte(text) {
		case [2]byte{0xff, 0xfe}:
			order = binary.LittleEndian
		case [2]byte{0xfe, 0xff}:
			order = binary.BigEndian
		}
		if order != nil {
			units := make([]uint16, len(text)/2-1)
			for i := range units {
				units[i] = order.Uint16(text[2+2*i:])
			}
			return string(utf16.Decode(units))
		}
	}
	if !utf8.Valid(text) {
		text, _ = charmap.Windows1252.NewDecoder().Bytes(text) // knows each byte
	}
	return string(text)
}

// caseNames are what the fields of a header mean, in the order in which they are shown.
var caseNames = []struct{ field, name string }{
	{"c", "case number"}, {"n", "evidence number"}, {"a", "description"}, {"e", "examiner"}, {"t", "notes"},
	{"md", "model"}, {"sn", "serial number"}, {"l", "device label"},
	{"m", "acquired"}, {"u", "system date"}, {"av", "acquisition software"}, {"ov", "operating system"},
}

// caseFacts reads the lines of a header: "main", the names of the fields with tabs between them, and their values likewise.
func caseFacts(text string) []Fact {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	main := slices.Index(lines, "main")
	if main < 0 || main+2 >= len(lines) {
		return nil
	}
	fields, values := strings.Split(lines[main+1], "\t"), strings.Split(lines[main+2], "\t")
	var facts []Fact
	for _, known := range caseNames {
		i := slices.Index(fields, known.field)
		if i < 0 || i >= len(values) || values[i] == "" {
			continue
		}
		value := values[i]
		if known.field == "m" || known.field == "u" {
			value = caseTime(value)
		}
		facts = append(facts, Fact{known.name, value})
	}
	return facts
}

// caseTime returns a time of a header as one reads it: seconds since 1970, or six numbers, which are in the time zone of the computer that made
// the image. Others stay as they are.
func caseTime(value string) string {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil && seconds > 0 && seconds < 1<<33 {
		return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if t, err := time.Parse("2006 1 2 15 4 5", value); err == nil {
		return t.Format(time.DateTime)
	}
	return value
}
