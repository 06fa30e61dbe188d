package rules

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/agext/levenshtein"

	"regvet/hive"
)

// bindings are the names that a rule's key and value gave to what they met, as {service} in HKLM\...\Services\{service} does.
type bindings map[string]string

// pattern is the name of a key or a value. In it * stands for any run of characters, ? for one, and {name} for a run that is then known
// by that name. [*], [?] and [{] are these characters themselves. A brace that encloses no name stands for itself, as in the names
// of classes, {4d36e972-e325-11ce-bfc1-08002be10318}. Case does not count, as in all names of the registry.
type pattern struct {
	text   string
	tokens []token // none where the text holds nothing special
	open   bool    // it holds a *, ? or {name}, or stands for misspelt names

	meant string // the name that was meant, folded, where the pattern stands for those that differ from it by a typing error; else ""
}

type token struct {
	kind tokenKind
	char string // of exactly: the character, as written
	fold rune   // of exactly: the character in the case in which names are compared
	name string // of anyRun: what it is known by; "" for *
}

type tokenKind uint8

const (
	exactly tokenKind = iota
	anyOne
	anyRun
)

// special finds what is more than a character of its own at the start of a pattern.
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

// specialSigns are the characters with which all that is special in a pattern begins.
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

// misspelt is the pattern that stands for what a name is written like by mistake. It does not stand for the name itself.
func misspelt(name string) pattern {
	return pattern{text: "a misspelt " + name, open: true, meant: hive.Fold(name)}
}

// lettersToError is for how many letters of a name one that is wrong, too many or missing is taken for a typing error.
const lettersToError = 5

// misspells tells that a name is not the one that was meant, and close to it.
func (p pattern) misspells(name string) bool {
	errors := levenshtein.Distance(p.meant, hive.Fold(name), nil)
	return errors > 0 && errors <= utf8.RuneCountInString(p.meant)/lettersToError
}

// literal is the pattern that stands for a name and nothing else.
func literal(name string) pattern { return pattern{text: name, tokens: tokensOf(name)} }

// tokensOf gives a token for each character of a name.
func tokensOf(name string) []token {
	var all []token
	fold := folded(name)
	for char := range strings.SplitSeq(name, "") {
		all = append(all, token{char: char, fold: fold[len(all)]})
	}
	return all
}

// folded gives the characters of a name in the case in which names are compared. There are as many as the name has.
func folded(name string) []rune { return []rune(hive.Fold(name)) }

// String gives the pattern as written.
func (p pattern) String() string { return p.text }

// name gives the one name that a pattern without *, ? and {name} stands for.
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

// names lists what the pattern binds.
func (p pattern) names() (all []string) {
	for _, t := range p.tokens {
		if t.name != "" {
			all = append(all, t.name)
		}
	}
	return all
}

// nameless tells that the pattern holds a * or ?, of which nobody can say later what it met.
func (p pattern) nameless() bool {
	for _, t := range p.tokens {
		if t.kind != exactly && t.name == "" {
			return true
		}
	}
	return false
}

// fill puts what is bound in the place of its names.
func (p pattern) fill(bound bindings) pattern {
	if !p.open || p.meant != "" || len(bound) == 0 {
		return p
	}
	var filled pattern
	var text strings.Builder
	for _, t := range p.tokens {
		value, ok := bound[t.name]
		switch {
		case t.name != "" && ok:
			filled.tokens = append(filled.tokens, literal(value).tokens...)
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

// match tells whether the pattern stands for a name, and adds to bound what it binds; bound may be nil.
func (p pattern) match(name string, bound bindings) bool {
	switch {
	case p.meant != "":
		return p.misspells(name)
	case p.tokens == nil:
		return hive.EqualFold(p.text, name)
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

// align lays tokens against elements, in order and without a gap. A token that is a run takes any number of them, as few as will do,
// each other token one that fits it. It gives where each token starts, and at last the number of elements; nil when it cannot be.
// It takes time in proportion to the product of both numbers at most.
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

// glob matches text of data against a pattern in which * stands for any run of characters and ? for one; case counts.
type glob []token

func parseGlob(text string) glob {
	p := parsePattern(strings.ReplaceAll(text, "{", "[{]"))
	if p.tokens == nil {
		return tokensOf(text)
	}
	return p.tokens
}

func (g glob) match(text string) bool {
	chars := strings.Split(text, "")
	return align(len(g), len(chars),
		func(t int) bool { return g[t].kind == anyRun },
		func(t, e int) bool { return g[t].kind == anyOne || g[t].char == chars[e] }) != nil
}
