package rules

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/agext/levenshtein"

	"regvet/hive"
	"regvet/rules/strict"
)

// bindings are what the names in a rule's key and value matched, such as {service} in HKLM\...\Services\{service}.
type bindings map[string]string

// pattern matches names of keys or values: * matches any run of characters, ? matches one, and {name} matches a run and binds the name to it.
// [*], [?] and [{] are these characters themselves. A brace that encloses no name stands for itself, as in the names of classes,
// {4d36e972-e325-11ce-bfc1-08002be10318}. Case does not count, as in all names of the registry.
type pattern struct {
	text   string
	tokens []token // none where the text holds nothing special
	open   bool    // it may match several names

	takes func(name string) bool // reports whether a pattern without signs, such as that for misspelt names, matches a name; nil for all others
}

type token struct {
	kind tokenKind
	char string // of exactly: the character, as written
	fold rune   // of exactly: the character in the case in which names are compared
	name string // of anyRun: the name that it binds; "" for *
}

type tokenKind uint8

const (
	exactly tokenKind = iota
	anyOne
	anyRun
)

// boundNameSyntax is how a name that a pattern binds is written.
const boundNameSyntax = `^\{[A-Za-z_][A-Za-z0-9_]*\}$`

// special matches the start of a pattern if it is more than a plain character.
var special = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|\[([*?{])\]|(\*+)|(\?))`)
})

// patternCost returns how many parts a pattern costs, see [strict.Decoder.Spend]: a token of 48 bytes for each character.
func patternCost(text string) int {
	if !strings.ContainsAny(text, specialSigns) {
		return 0
	}
	return len(text) / 2
}

// specialSigns are the characters with which everything special in a pattern begins.
const specialSigns = "*?{["

func parsePattern(text string) pattern {
	p := pattern{text: text}
	if !strings.ContainsAny(text, specialSigns) {
		return p
	}
	for rest := text; rest != ""; {
		m := special().FindStringSubmatch(rest)
		switch {
		case m == nil:
			_, size := utf8.DecodeRuneInString(rest)
			p.tokens = append(p.tokens, tokensOf(rest[:size])...)
			rest = rest[size:]
			continue
		case m[1] != "":
			p.tokens = append(p.tokens, token{kind: anyRun, name: m[1]})
		case m[2] != "":
			p.tokens = append(p.tokens, tokensOf(m[2])...)
		case m[3] != "":
			p.tokens = append(p.tokens, token{kind: anyRun})
		default:
			p.tokens = append(p.tokens, token{kind: anyOne})
		}
		p.open = p.open || m[2] == ""
		rest = rest[len(m[0]):]
	}
	return p
}

// misspelt returns the pattern that matches misspellings of a name, and not the name itself.
func misspelt(name string) pattern {
	meant := hive.Fold(name)
	return pattern{text: "a misspelt " + name, open: true, takes: func(other string) bool {
		errors := levenshtein.Distance(meant, hive.Fold(other), nil)
		return errors > 0 && errors <= utf8.RuneCountInString(meant)/lettersToError
	}}
}

// lettersToError is how many letters of a name excuse one typing error: a letter that is wrong, extra or missing.
const lettersToError = 5

// otherThan returns the pattern that matches all names but these.
func otherThan(names []string) pattern {
	known := make(map[string]bool, len(names))
	for _, name := range names {
		if name == defaultValue {
			name = ""
		}
		known[hive.Fold(name)] = true
	}
	return pattern{text: "a value other than " + strict.List(names, "and"), open: true, takes: func(name string) bool { return !known[hive.Fold(name)] }}
}

// literal returns the pattern that matches one name only.
func literal(name string) pattern {
	p := pattern{text: name}
	if strings.ContainsAny(name, specialSigns) {
		p.tokens = tokensOf(name)
	}
	return p
}

// tokensOf returns a token for each character of a name.
func tokensOf(name string) []token {
	var all []token
	fold := folded(name)
	for char := range strings.SplitSeq(name, "") {
		all = append(all, token{char: char, fold: fold[len(all)]})
	}
	return all
}

// folded returns the characters of a name in the case in which names are compared, as many as the name has.
func folded(name string) []rune { return []rune(hive.Fold(name)) }

// String returns the pattern as written.
func (p pattern) String() string { return p.text }

// name returns the one name that a pattern without *, ? and {name} matches.
func (p pattern) name() string {
	if p.tokens == nil {
		return p.text
	}
	var b strings.Builder
	for _, t := range p.tokens {
		b.WriteString(t.char)
	}
	return b.String()
}

// names lists the names that the pattern binds.
func (p pattern) names() (all []string) {
	for _, t := range p.tokens {
		if t.name != "" {
			all = append(all, t.name)
		}
	}
	return all
}

// isName reports whether the pattern is one {name}, which matches anything.
func (p pattern) isName() bool { return len(p.tokens) == 1 && p.tokens[0].name != "" }

// nameless reports whether the pattern holds a * or ?, whose match has no name to refer to it by.
func (p pattern) nameless() bool {
	for _, t := range p.tokens {
		if t.kind != exactly && t.name == "" {
			return true
		}
	}
	return false
}

// fill replaces bound names by what they are bound to.
func (p pattern) fill(bound bindings) pattern {
	if !p.open || p.takes != nil || len(bound) == 0 {
		return p
	}
	if value, ok := bound[p.tokens[0].name]; ok && p.isName() {
		return literal(value)
	}
	var filled pattern
	var text strings.Builder
	for _, t := range p.tokens {
		value, ok := bound[t.name]
		switch {
		case t.name != "" && ok:
			filled.tokens = append(filled.tokens, tokensOf(value)...)
			text.WriteString(value)
			continue
		case t.kind == exactly:
			text.WriteString(t.char)
		case t.kind == anyOne:
			text.WriteByte('?')
		case t.name != "":
			text.WriteString("{" + t.name + "}")
		default:
			text.WriteByte('*')
		}
		filled.open = filled.open || t.kind != exactly
		filled.tokens = append(filled.tokens, t)
	}
	filled.text = text.String()
	return filled
}

// match reports whether the pattern matches a name, and adds to bound what it binds; bound may be nil.
func (p pattern) match(name string, bound bindings) bool {
	switch {
	case p.takes != nil:
		return p.takes(name)
	case p.tokens == nil:
		return hive.EqualFold(p.text, name)
	case p.isName():
		if bound != nil {
			bound[p.tokens[0].name] = name
		}
		return true
	}
	chars := folded(name)
	starts := align(len(p.tokens), len(chars),
		func(t int) bool { return p.tokens[t].kind == anyRun },
		func(t, e int) bool { return p.tokens[t].kind == anyOne || p.tokens[t].fold == chars[e] })
	if starts == nil {
		return false
	}
	if bound == nil {
		return true
	}
	places := make([]int, 0, len(chars)+1) // of the characters in name
	for i := range name {
		places = append(places, i)
	}
	places = append(places, len(name))
	for i, t := range p.tokens {
		if t.name != "" {
			bound[t.name] = name[places[starts[i]]:places[starts[i+1]]]
		}
	}
	return true
}

// align matches tokens with elements, in order and without gaps. A run takes any number of elements, as few as possible; every other token takes
// one that fits it. It returns where each token starts, followed by the number of elements, or nil if they do not match. It takes time in
// proportion to the product of both numbers at most.
func align(tokens, elements int, run func(t int) bool, fits func(t, e int) bool) []int {
	starts := make([]int, tokens+1)
	starts[tokens] = elements
	t, e, lastRun, tried := 0, 0, -1, 0
	for e < elements {
		switch {
		case t < tokens && run(t):
			starts[t], lastRun, tried = e, t, e
			t++
		case t < tokens && fits(t, e):
			starts[t] = e
			t++
			e++
		case lastRun >= 0:
			tried++
			t, e = lastRun+1, tried
		default:
			return nil
		}
	}
	for ; t < tokens && run(t); t++ {
		starts[t] = e
	}
	if t < tokens {
		return nil
	}
	return starts
}

// glob matches text of data against a pattern in which * stands for any run of characters and ? for one.
type glob []token

func parseGlob(text string) glob {
	p := parsePattern(strings.ReplaceAll(text, "{", "[{]"))
	if p.tokens == nil {
		return tokensOf(text)
	}
	return p.tokens
}

func (g glob) match(text string, fold bool) bool {
	chars, folds := strings.Split(text, ""), folded(text)
	return align(len(g), len(chars),
		func(t int) bool { return g[t].kind == anyRun },
		func(t, e int) bool {
			return g[t].kind == anyOne || g[t].char == chars[e] || fold && g[t].fold == folds[e]
		}) != nil
}
