package worktree

import "strings"

// wildcards are the bytes of a pattern that do not stand for themselves.
const wildcards = `*?[\`

// matcher is a pattern with wildcards, cut into parts. It takes memory in proportion to the length of the pattern, and matching takes time in
// proportion to the lengths of pattern and text. So a hostile pattern costs no more than any other of its length.
type matcher []part

type part struct {
	kind kind
	byte byte // of one
	set  *set // of oneOf
}

type kind byte

const (
	one     kind = iota // this byte
	oneOf               // a byte of the set
	star                // any bytes but slashes
	deep                // any bytes
	maybe               // the part after it may stand for nothing
	folders             // any bytes up to a slash
)

// set is a set of bytes. A wildcard of git stands for a byte, not for a character.
type set [256 / 8]byte

func (s *set) add(c byte)      { s[c/8] |= 1 << (c % 8) }
func (s *set) has(c byte) bool { return s[c/8]&(1<<(c%8)) != 0 }

// class turns a set of the bytes that a wildcard names into the set of those that it matches. A slash is never matched.
func (s *set) class(negated bool) *set {
	for i := range s {
		if negated {
			s[i] = ^s[i]
		}
	}
	s['/'/8] &^= 1 << ('/' % 8)
	return s
}

// newMatcher returns the parts of a pattern, or nil if it matches nothing, as a pattern with a bracket that is not closed does.
func newMatcher(glob string) matcher {
	var m matcher
	literal := strings.IndexAny(glob, wildcards) // git compares what is before this on its own, so a ** here is at the start of what is left
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			from := i
			for i+1 < len(glob) && glob[i+1] == '*' {
				i++
			}
			rest := glob[i+1:]
			switch {
			case i == from || from != literal && glob[from-1] != '/':
				m = append(m, part{kind: star})
			case strings.HasPrefix(rest, "/"):
				m = append(m, part{kind: maybe}, part{kind: folders})
				i++
			case rest == "" || strings.HasPrefix(rest, `\/`):
				m = append(m, part{kind: deep})
			default:
				m = append(m, part{kind: star})
			}
		case '?':
			m = append(m, part{kind: oneOf, set: new(set).class(true)})
		case '[':
			class, length := bracketClass(glob[i:])
			if length == 0 {
				return nil
			}
			m = append(m, part{kind: oneOf, set: class})
			i += length - 1
		case '\\':
			if i++; i == len(glob) {
				return nil
			}
			c = glob[i]
			fallthrough
		default:
			m = append(m, part{kind: one, byte: c})
		}
	}
	return m
}

// match reports whether the pattern matches all of a text. It reads the text once, and knows of each part whether the parts before it match
// what was read so far.
func (m matcher) match(text string) bool {
	now, next := make([]bool, len(m)+1), make([]bool, len(m)+1)
	now[0] = true
	for i := 0; ; i++ {
		for j, p := range m { // skip parts that may stand for nothing
			switch {
			case !now[j]:
			case p.kind == star || p.kind == deep:
				now[j+1] = true
			case p.kind == maybe:
				now[j+1], now[j+2] = true, true
			}
		}
		if i == len(text) {
			return now[len(m)]
		}
		clear(next)
		some, c := false, text[i]
		for j, p := range m {
			if !now[j] {
				continue
			}
			switch p.kind {
			case one:
				next[j+1] = next[j+1] || p.byte == c
			case oneOf:
				next[j+1] = next[j+1] || p.set.has(c)
			case star:
				next[j] = next[j] || c != '/'
			case deep:
				next[j] = true
			case folders:
				next[j] = true
				next[j+1] = next[j+1] || c == '/'
			}
			some = some || next[j] || next[j+1]
		}
		if !some {
			return false
		}
		now, next = next, now
	}
}

// posixClasses are the classes that a bracket can name: pairs of a first and a last byte. White space is what git takes for it.
var posixClasses = map[string]string{"alnum": "09AZaz", "alpha": "AZaz", "blank": "\t\t  ", "cntrl": "\x00\x1F\x7F\x7F", "digit": "09", "graph": "!~", "lower": "az",
	"print": " ~", "punct": "!/:@[`{~", "space": "\t\n\r\r  ", "upper": "AZ", "xdigit": "09AFaf"}

// bracketClass returns the set of bytes that the bracket at the start of a text matches, such as [!a-z[:digit:]], and the length of the bracket.
// The length is 0 if the bracket is not closed or names a class that does not exist.
func bracketClass(text string) (class *set, length int) {
	class = new(set)
	addRange := func(from, to byte) {
		for n := int(from); n <= int(to); n++ {
			class.add(byte(n))
		}
	}
	i := 1
	negated := i < len(text) && (text[i] == '!' || text[i] == '^')
	if negated {
		i++
	}
	before := -1 // the byte that a range may begin with, or -1
	for first := true; ; first = false {
		if i >= len(text) {
			return nil, 0
		}
		c := text[i]
		switch rest := text[i+1:]; {
		case c == ']' && !first:
			return class.class(negated), i + 1
		case c == '-' && before >= 0 && rest != "" && rest[0] != ']':
			if i++; text[i] == '\\' {
				i++
			}
			if i >= len(text) {
				return nil, 0
			}
			addRange(byte(before), text[i])
			before = -1
		case c == '[' && strings.HasPrefix(rest, ":"):
			name, _, closed := strings.Cut(rest[1:], "]")
			word, ok := strings.CutSuffix(name, ":")
			switch {
			case !closed:
				return nil, 0
			case !ok: // the bracket is a byte like any other
				class.add(c)
				before = int(c)
			default:
				ranges, ok := posixClasses[word]
				if !ok {
					return nil, 0
				}
				for ; ranges != ""; ranges = ranges[2:] {
					addRange(ranges[0], ranges[1])
				}
				before = -1
				i += len("[:") + len(name)
			}
		default:
			if c == '\\' {
				if i++; i >= len(text) {
					return nil, 0
				}
				c = text[i]
			}
			class.add(c)
			before = int(c)
		}
		i++
	}
}
