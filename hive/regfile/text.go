package regfile

import (
	"bytes"
	"fmt"

	"regvet/hive"
)

// UTF16LE, with a byte order mark, is the encoding in which Windows writes .reg files, and the only one that every Windows reads as it was
// meant.
const UTF16LE = utf16LE

// Text returns the text of a file in UTF-8, without byte order mark and with lone surrogates as package hive keeps them, and the name of
// its encoding. It also returns what is lost that way, bytes without meaning in the encoding, or "". The error is a [*hive.Problem], for
// what cannot be a .reg file at all.
func (o Options) Text(data []byte) (text []byte, encoding, loss string, err error) {
	p := newParser(o, bytes.NewReader(data), nil)
	if code, why := p.open(); code != 0 {
		return nil, "", "", &hive.Problem{At: hive.Location{Line: 1, Column: 1}, Kind: hive.BadText, Msg: why, Loss: true}
	}
	for p.fill() {
	}
	for _, d := range p.doubts {
		if d.code == InvalidUTF8 || d.code == OddLength || d.code == NotInCodePage {
			loss = d.msg
		}
	}
	return p.text, p.encoding, loss, nil
}

// Encode returns a file with a text, in an encoding that [Options.Text] returns. It fails for text that the code page does not have.
func (o Options) Encode(text []byte, encoding string) ([]byte, error) {
	switch encoding {
	case utf16LE:
		return appendWide([]byte{0xFF, 0xFE}, text), nil
	case utf8BOM:
		return append([]byte{0xEF, 0xBB, 0xBF}, text...), nil
	}
	page := o.page()
	data, ok := page.encode(nil, text)
	if !ok {
		return nil, fmt.Errorf("the text has characters that %s does not have", page)
	}
	return data, nil
}
