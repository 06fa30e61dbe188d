package strict

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// document returns the root of the file, which may hold one YAML document, or nil: it is no YAML, costs too much, or is empty.
func (d *Decoder) document(data []byte) *yaml.Node {
	if err := CheckSize(int64(len(data))); err != nil {
		d.WrongAt(hive.Location{}, "%v", err)
		return nil
	}
	d.text = toUTF8(data)
	if offset, why := notYAML(d.text); why != "" {
		d.WrongAt(placeOf(d.text, offset), "not YAML: %s", why)
		return nil
	}
	if !d.affordable(start, parts(d.text), "") {
		return nil
	}
	root, second, err := parseYAML(d.text)
	switch {
	case err != nil:
		d.WrongAt(breaksAt(d.text, err), "not YAML: %s%s", complaint(err), advice(err))
	case second != nil:
		d.Wrong(second, "a second YAML document; %s is one document", d.Whole)
	}
	if root == nil || !d.follows(root) {
		return nil
	}
	return root
}

// parseYAML returns the root of a text and that of a second document, or nil for one that is not there.
func parseYAML(text string) (root, second *yaml.Node, err error) {
	in := yaml.NewDecoder(strings.NewReader(text))
	for _, to := range []**yaml.Node{&root, &second} {
		var n yaml.Node
		if err := in.Decode(&n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, err
		}
		*to = &n
	}
	if root != nil {
		root = root.Content[0]
	}
	return root, second, nil
}

// toUTF8 returns the text of a file without its byte order mark. YAML is UTF-8, or UTF-16 with such a mark.
func toUTF8(data []byte) string {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		data, _ = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
	}
	return strings.TrimPrefix(string(data), "\ufeff")
}

// notYAML finds the first character that no YAML can hold, and says why; "" where there is none.
func notYAML(text string) (offset int, why string) {
	for i, char := range text {
		switch {
		case char == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			return i, "it is neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8"
		case char < ' ' && !strings.ContainsRune("\t\r\n", char), char > '~' && char < '\u00a0' && char != '\u0085', char == '\ufeff', char == '\ufffe', char == '\uffff':
			return i, "control characters are not allowed; in double quotes they can be written as \\x1b"
		}
	}
	return 0, ""
}

// lineBreak is what ends a line in YAML.
var lineBreak = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]") })

// cutLine returns the first line of a text without its end, and what is behind it.
func cutLine(text string) (line, rest string) {
	end := lineBreak().FindStringIndex(text)
	if end == nil {
		return text, ""
	}
	return text[:end[0]], text[end[1]:]
}

// placeOf returns the line and column of a character.
func placeOf(text string, offset int) hive.Location {
	before := text[:offset]
	at := hive.Location{Line: 1}
	for end := lineBreak().FindStringIndex(before); end != nil; end = lineBreak().FindStringIndex(before) {
		at.Line, before = at.Line+1, before[end[1]:]
	}
	at.Column = utf8.RuneCountInString(before) + 1
	return at
}

// yamlLine matches the line that the YAML parser names in the text of its errors: the start of what it was reading, or one before, or none.
var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^yaml: line (\d+): `) })

// complaint returns the error of the YAML parser without its line.
func complaint(err error) string {
	msg := strings.TrimPrefix(err.Error(), yamlLine().FindString(err.Error()))
	return strings.ReplaceAll(strings.TrimPrefix(msg, "yaml: "), "\n", " ")
}

// breaksAt returns where text stops being YAML: the end of its shortest prefix that gets the same complaint from the parser. To save time, it is
// the line that the parser names in a large file, and the start of the line in a long line: parsing ten million bytes takes about a second.
func breaksAt(text string, err error) hive.Location {
	const (
		large  = 1 << 20
		effort = 16 << 20 // bytes to look at for the place in the line
	)
	many := min(200, effort/len(text)) // words of the line to look at
	first := 1
	if m := yamlLine().FindStringSubmatch(err.Error()); m != nil {
		first, _ = strconv.Atoi(m[1])
	}
	if len(text) > large {
		return hive.Location{Line: first, Column: 1}
	}
	named := regexp.MustCompile(`'\w*'`) // a name may be cut off
	same := named.ReplaceAllString(complaint(err), "")
	breaks := func(end int) bool {
		_, _, err := parseYAML(text[:end])
		return err != nil && named.ReplaceAllString(complaint(err), "") == same
	}
	ends := []int{} // of the lines
	for _, at := range lineBreak().FindAllStringIndex(text, -1) {
		ends = append(ends, at[1])
	}
	ends = append(ends, len(text))
	from := min(first, len(ends)) - 1
	far := 1 // lines after the one that is named; the place is usually near
	for from+far < len(ends) && !breaks(ends[from+far-1]) {
		far *= 2
	}
	near := far / 2
	line := min(from+near+sort.Search(min(far, len(ends)-from)-near, func(i int) bool { return breaks(ends[from+near+i]) }), len(ends)-1)
	start := 0
	if line > 0 {
		start = ends[line-1]
	}
	// Go back from the end of the line to the first word or sign without which there is no complaint. Prefixes that end within a construct
	// can fail for reasons of their own, so that halving does not work here.
	words := regexp.MustCompile(`\w+| +|.`).FindAllStringIndex(text[start:ends[line]], many)
	at := ends[line]
	if len(words) == many {
		at, words = start, nil
	}
	for len(words) > 0 && breaks(start+words[len(words)-1][1]) {
		at = start + words[len(words)-1][0]
		words = words[:len(words)-1]
	}
	return placeOf(text, at)
}

// advice returns what to do about an error of the YAML parser, by what most often causes it.
func advice(err error) string {
	msg := complaint(err)
	for _, a := range []struct{ about, advice string }{
		{"unknown escape character", `in double quotes a \ begins an escape, in single quotes and without any it does not`},
		{"mapping values are not allowed", "check the indentation, and put text that holds a colon and a blank in quotes"},
		{"did not find expected key", "check the indentation, close all quotes, and put text that begins with a brace, bracket or quote in quotes"},
		{"did not find expected '-'", "check the indentation"},
		{"did not find expected ','", "close what is open before this, and put text that holds a comma, brace, bracket or colon in quotes"},
		{"did not find expected node content", "close what is open before this"},
		{"alphabetic or numeric", "put text that begins with * or & in quotes"},
		{"unknown anchor", "put text that begins with * in quotes"},
		{"cannot start any token", "put text that begins with this character in quotes"},
		{"could not find expected ':'", "a colon and a blank stand between a field and what it holds"},
		{"tab character", "indent with blanks"},
		{"unexpected end of stream", "close the quotes"},
	} {
		if strings.Contains(msg, a.about) {
			return "; " + a.advice
		}
	}
	return ""
}
