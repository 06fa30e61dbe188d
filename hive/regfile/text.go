package regfile

import (
	"bytes"
	"fmt"
	"iter"

	"regvet/hive"
)

// UTF16LE, with a byte order mark, is the encoding in which Windows writes .reg files, and the only one that every Windows reads as it was
// meant.
const UTF16LE = utf16LE

// Text returns the text of a file in UTF-8, without byte order mark and with lone surrogates as package hive keeps them, and the name of
// its encoding. It also returns what is lost that way if the text is written as a whole, bytes without meaning in the encoding, or "". The
// error is a [*hive.Problem], for what cannot be a .reg file at all.
func (o Options) Text(data []byte) (text []byte, encoding, loss string, err error) {
	p := newParser(o, bytes.NewReader(data), nil)
	if code, why := p.open(); code != 0 {
		return nil, "", "", &hive.Problem{At: hive.Location{Line: 1, Column: 1}, Kind: hive.BadText, Msg: why, Loss: true}
	}
	for p.fill() {
	}
	for _, d := range p.pending {
		if d.code == InvalidUTF8 || d.code == OddLength {
			loss = d.msg
		}
	}
	return p.text, p.encoding, loss, nil
}

// Unicode returns a file with a text, in UTF-16LE or, if the encoding that [Options.Text] returned is UTF-8 with a byte order mark, in that.
func Unicode(text []byte, encoding string) []byte {
	if encoding == utf8BOM {
		return append([]byte{0xEF, 0xBB, 0xBF}, text...)
	}
	return appendWide([]byte{0xFF, 0xFE}, text)
}

// InPage reports whether a file is in a code page, given the encoding that [Options.Text] returned.
func InPage(encoding string) bool { return encoding != utf16LE && encoding != utf8BOM }

// Encode returns text in the code page. It fails for characters that the code page does not have.
func (o Options) Encode(text string) (string, error) {
	data, ok := o.page().encode(nil, []byte(text))
	if !ok {
		return "", fmt.Errorf("the text has characters that %s does not have", o.page())
	}
	return string(data), nil
}

// Places translates places in the text of a file in a code page, in ascending order, into places in its data. The places must be in
// statements that are not [Statement.Frozen].
func (o Options) Places(text, data []byte, places iter.Seq[int64]) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		inText, inData := 0, 0
		for place := range places {
			for n := lineLength(text[inText:]); n > 0 && inText+n <= int(place); n = lineLength(text[inText:]) {
				inText += n
				inData += lineLength(data[inData:])
			}
			between, _ := o.page().encode(nil, text[inText:place])
			inText, inData = int(place), inData+len(between)
			if !yield(int64(inData)) {
				return
			}
		}
	}
}

// lineLength returns the number of bytes up to the next CR or LF, with it, or 0 if there is none. Neither is part of a longer character in any
// code page.
func lineLength(text []byte) int { return bytes.IndexAny(text, "\r\n") + 1 }
