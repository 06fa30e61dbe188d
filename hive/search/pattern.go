package search

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"regvet/hive"
)

// Kind says how a pattern is written.
type Kind int

const (
	Literal Kind = iota // text that stands for itself, and where it is a number also for that number
	Regex               // a regular expression of Go, https://github.com/google/re2/wiki/Syntax
	Bytes               // bytes in hex
)

// Pattern is what to look for. It is safe for concurrent use.
type Pattern struct {
	expr     *regexp.Regexp // nil unless it is a Regex
	bytes    []byte         // nil unless it is Bytes
	text     string         // a Literal
	folded   []rune         // the literal by which Windows compares names; nil if case matters
	number   uint64         // the number that the literal is
	isNumber bool
	run      run  // that all matches of a Literal or Regex have
	isPath   bool // the literal has a backslash, so that it can be the end of a path
}

// Compile compiles a pattern. With ignoreCase a literal is compared as Windows compares names, and a regular expression by the simple folding of
// Unicode. The error says in one line what is wrong and, in a regular expression, where.
func Compile(pattern string, kind Kind, ignoreCase bool) (*Pattern, error) {
	switch {
	case pattern == "":
		return nil, errors.New("the pattern is empty and would match everything; export shows all there is")
	case kind == Regex:
		return compileRegex(pattern, ignoreCase)
	case kind == Bytes:
		return compileBytes(pattern)
	case !utf8.ValidString(pattern) || strings.ContainsRune(pattern, 0):
		return nil, fmt.Errorf("the pattern %q is no text: it is not UTF-8, or holds a NUL; give it as bytes in hex", pattern)
	}
	p := &Pattern{text: pattern, isPath: strings.Contains(pattern, `\`)}
	var err error
	p.number, err = parseNumber(pattern)
	p.isNumber = err == nil
	p.run = runOf(pattern)
	if ignoreCase {
		for _, r := range pattern {
			p.folded = append(p.folded, hive.Upper(r))
		}
	}
	return p, nil
}

// parseNumber parses a number in decimal, or in hex behind 0x.
func parseNumber(text string) (uint64, error) {
	if len(text) > 2 && (text[:2] == "0x" || text[:2] == "0X") {
		return strconv.ParseUint(text[2:], 16, 64)
	}
	return strconv.ParseUint(text, 10, 64)
}

func compileRegex(pattern string, ignoreCase bool) (*Pattern, error) {
	flags := ""
	if ignoreCase {
		flags = "(?i)"
	}
	_, err := regexp.Compile(pattern) // alone, so that the error is about what the user wrote
	if err == nil {
		var expr *regexp.Regexp
		if expr, err = regexp.Compile(flags + pattern); err == nil {
			parsed, _ := syntax.Parse(flags+pattern, syntax.Perl) // was parsed just now
			return &Pattern{expr: expr, run: runOf(required(parsed)...)}, nil
		}
	}
	wrong, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return nil, fmt.Errorf("\"%s\" is no regular expression: %v", pattern, err)
	}
	at := placeOf(pattern, wrong)
	return nil, fmt.Errorf("\"%s\" is no regular expression: %s at offset %d, where \"%s\" begins", pattern, wrong.Code, at, pattern[at:])
}

// longSyntax is the length of an expression, in bytes, from which the place of an error in it is only what the parser tells.
const longSyntax = 1000

// placeOf returns the offset of an error in an expression: that of the part that the parser names, or the end of the longest start that is right.
func placeOf(pattern string, wrong *syntax.Error) int {
	if at := strings.Index(pattern, wrong.Expr); wrong.Expr != pattern && at >= 0 || len(pattern) > longSyntax {
		return max(at, 0)
	}
	for at := len(pattern) - 1; at > 0; at-- {
		if _, err := syntax.Parse(pattern[:at], syntax.Perl); err == nil {
			return at
		}
	}
	return 0
}

// compileBytes parses bytes in hex, with spaces or commas between them or without.
func compileBytes(pattern string) (*Pattern, error) {
	var digits strings.Builder
	for i, part := range strings.FieldsFunc(pattern, func(r rune) bool { return r == ' ' || r == ',' }) {
		if len(part)%2 != 0 {
			return nil, fmt.Errorf("%q is not bytes in hex: part %d, %q, has an odd number of digits; want such as \"de ad be ef\"", pattern, i+1, part)
		}
		digits.WriteString(part)
	}
	data, err := hex.DecodeString(digits.String())
	if err != nil || len(data) == 0 {
		return nil, fmt.Errorf("%q is not bytes in hex; want two digits for each, such as \"de ad be ef\"", pattern)
	}
	return &Pattern{bytes: data}, nil
}

// find returns the place of the first match in text, or from -1.
func (p *Pattern) find(text string) (from, to int) {
	switch {
	case p.expr != nil:
		if at := p.expr.FindStringIndex(text); at != nil {
			return at[0], at[1]
		}
		return -1, 0
	case p.bytes != nil:
		return -1, 0
	case p.folded == nil:
		from = strings.Index(text, p.text)
		return from, from + len(p.text)
	}
	return p.findFolded(text)
}

// findFolded finds the literal in any case. A match can have another length than the pattern, because the cases of a character can.
func (p *Pattern) findFolded(text string) (from, to int) {
	first := p.folded[0]
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		switch {
		case 'a' <= r && r <= 'z':
			r -= 'a' - 'A'
		case r >= utf8.RuneSelf:
			r, n = upperAt(text[i:])
		}
		if r == first {
			if length := p.foldedLength(text[i:]); length >= 0 {
				return i, i + length
			}
		}
		i += n
	}
	return -1, 0
}

// foldedLength returns the length of the literal at the start of text, or -1.
func (p *Pattern) foldedLength(text string) (length int) {
	for _, want := range p.folded {
		if length == len(text) {
			return -1
		}
		r, n := upperAt(text[length:])
		if r != want {
			return -1
		}
		length += n
	}
	return length
}

// upperAt returns the upper case of the character at the start of text, and the length of the character. A byte that is no text, or a part of a
// lone surrogate, is -1, which no pattern has.
func upperAt(text string) (rune, int) {
	r, n := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && n == 1 {
		return -1, 1
	}
	return hive.Upper(r), n
}
