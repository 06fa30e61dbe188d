package foreign

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// maxXMLDepth is how deep elements can be nested. The rules of a STIG take six levels.
const maxXMLDepth = 32

// xmlFile reads XML that knows no entities but the five of XML itself, and no declarations of types.
type xmlFile struct {
	*file
	*xml.Decoder
	depth        int
	line, column int    // where the last token begins
	group        string // the element below the root in which it is
	ruleLine     int    // where the last rule begins
}

// xml returns a reader of data of the file, or of a file beside it.
func (f *file) xml(data []byte) *xmlFile {
	d := xml.NewDecoder(strings.NewReader(text(data)))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // text has decoded it
	return &xmlFile{file: f, Decoder: d}
}

// next returns the next token, or nil at the end.
func (x *xmlFile) next() (xml.Token, error) {
	x.line, x.column = x.InputPos()
	token, err := x.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		why := err.Error()
		if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
			why = e.Msg
		}
		line, column := x.InputPos()
		return nil, x.wrong(line, column, "is no XML from here on: %s", why)
	}
	switch token.(type) {
	case xml.Directive:
		return nil, x.wrong(x.line, x.column, "declares a type of document, as no rule file does; take the declaration out")
	case xml.StartElement:
		if x.depth++; x.depth > maxXMLDepth {
			return nil, x.wrong(x.line, x.column, "nests elements in more than %d levels", maxXMLDepth)
		}
	case xml.EndElement:
		x.depth--
	}
	return token, nil
}

// root returns the first element.
func (x *xmlFile) root() (xml.StartElement, error) {
	e, err := x.element("")
	if err == nil && e == nil {
		err = x.wrong(x.line, x.column, "holds no element of XML")
	}
	if err != nil {
		return xml.StartElement{}, err
	}
	return *e, nil
}

// element returns the next element of that name or, without one, of any. It is nil at the end.
func (x *xmlFile) element(name string) (*xml.StartElement, error) {
	for {
		token, err := x.next()
		if err != nil || token == nil {
			return nil, err
		}
		if e, ok := token.(xml.StartElement); ok && (name == "" || e.Name.Local == name) {
			return &e, nil
		}
	}
}

// rule returns the next element Rule with the name of the element around it: its attributes, and the texts of the elements in it. It is nil at
// the end.
func (x *xmlFile) rule() (group string, of map[string]string, err error) {
	for {
		e, err := x.element("")
		if err != nil || e == nil {
			return "", nil, err
		}
		if x.depth == 2 {
			x.group = e.Name.Local
		}
		if x.depth == 3 && e.Name.Local == "Rule" {
			x.ruleLine = x.line
			of := attributes(*e)
			return x.group, of, x.texts(of)
		}
	}
}

// texts reads to the end of the element that was last read, and adds the texts of the elements in it by their names.
func (x *xmlFile) texts(of map[string]string) error {
	var text strings.Builder
	for inside := x.depth; ; {
		token, err := x.next()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if x.depth == inside+1 {
				text.Reset()
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if x.depth == inside {
				of[t.Name.Local] = text.String()
			}
			if x.depth < inside {
				return nil
			}
		}
	}
}

func attributes(e xml.StartElement) map[string]string {
	all := map[string]string{}
	for _, a := range e.Attr {
		all[a.Name.Local] = a.Value
	}
	return all
}

// rootOf returns the name of the root of a file in XML, or "" if it is none.
func rootOf(data []byte) string {
	d := xml.NewDecoder(strings.NewReader(text(data[:min(len(data), 1<<16)])))
	d.Strict = false // who reads the file tells its mistakes
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Name.Local
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				return ""
			}
		}
	}
}
