package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const wildcards = `*?[\`

var posixClasses = []string{"alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit"}

// globExpression makes a regular expression of a pattern of a .gitignore, so that no pattern takes more than linear time. It gives nil for
// one that matches nothing, such as a bracket that is not closed.
func globExpression(glob string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	literal := strings.IndexAny(glob, wildcards) // git compares what stands before this by itself
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
				b.WriteString(`[^/]*`)
			case strings.HasPrefix(rest, "/"):
				b.WriteString(`(?:.*/)?`)
				i++
			case rest == "" || strings.HasPrefix(rest, `\/`):
				b.WriteString(`.*`)
			default:
				b.WriteString(`[^/]*`)
			}
		case '?':
			b.WriteString(`[^/]`)
		case '[':
			class, length := bracketClass(glob[i:])
			if length == 0 {
				return nil
			}
			b.WriteString(class)
			i += length - 1
		case '\\':
			if i++; i == len(glob) {
				return nil
			}
			c = glob[i]
			fallthrough
		default:
			fmt.Fprintf(&b, `\x{%x}`, c)
		}
	}
	return regexp.MustCompile(b.String() + `\z`)
}

// bracketClass makes the class of a regular expression of one of a glob, such as [!a-z[:digit:]], which the text begins with. It also
// gives its length in the text, which is 0 when it is not closed or names a class that there is not.
func bracketClass(text string) (class string, length int) {
	var set [256]bool
	i := 1
	negated := i < len(text) && (text[i] == '!' || text[i] == '^')
	if negated {
		i++
	}
	before := -1 // what a range may begin with
	for first := true; ; first = false {
		if i >= len(text) {
			return "", 0
		}
		c := text[i]
		switch rest := text[i+1:]; {
		case c == ']' && !first:
			return setClass(set, negated), i + 1
		case c == '-' && before >= 0 && rest != "" && rest[0] != ']':
			if i++; text[i] == '\\' {
				i++
			}
			if i >= len(text) {
				return "", 0
			}
			for n := before; n <= int(text[i]); n++ {
				set[n] = true
			}
			before = -1
		case c == '[' && strings.HasPrefix(rest, ":"):
			name, _, closed := strings.Cut(rest[1:], "]")
			word, ok := strings.CutSuffix(name, ":")
			switch {
			case !closed:
				return "", 0
			case !ok: // it is a bracket like any other
				set[c] = true
				before = int(c)
			default:
				if !slices.Contains(posixClasses, word) {
					return "", 0
				}
				ascii := regexp.MustCompile(`[[:` + word + `:]]`)
				for n := range 128 {
					set[n] = set[n] || ascii.MatchString(string(rune(n)))
				}
				before = -1
				i += len("[:") + len(name)
			}
		default:
			if c == '\\' {
				if i++; i >= len(text) {
					return "", 0
				}
				c = text[i]
			}
			set[c] = true
			before = int(c)
		}
		i++
	}
}

// setClass writes a set of bytes, or those that are not in it, as a class of a regular expression. None of them is a slash.
func setClass(set [256]bool, negated bool) string {
	class := ""
	for n, in := range set {
		if in != negated && n != '/' {
			class += fmt.Sprintf(`\x{%x}`, n)
		}
	}
	if class == "" {
		return `[^\x{0}-\x{10ffff}]` // nothing
	}
	return "[" + class + "]"
}
