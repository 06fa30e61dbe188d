package foreign

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Source is a file of rules of another program.
type Source struct {
	Path       string // as the user names it
	File       string // its name without folders
	Format     string // one of [FormatNames]
	Title      string // what the file says that it is; "" if it does not
	References []string
	Unit       string   // what Row.Line counts: "line", or another word for it
	Notes      []string // what to know of the file as a whole
	Rows       []Row
}

// Row is one rule of a file, and what became of it.
type Row struct {
	ID    string // as the file has it
	Title string
	Line  int // where it begins; the first is 1, and 0 is a file without lines; see also Source.Unit
	Rules []Rule
	Lacks []string // what the row asks that its rules do not; with no rules, why there are none
}

// Outcome is how much of a row became rules.
type Outcome string

const (
	Whole Outcome = "whole"
	Part  Outcome = "part"
	None  Outcome = "none"
)

// Outcome returns how much of the row became rules.
func (r Row) Outcome() Outcome {
	switch {
	case len(r.Rules) == 0:
		return None
	case len(r.Lacks) > 0:
		return Part
	}
	return Whole
}

// Count returns how many rows have an outcome.
func (s *Source) Count(o Outcome) (n int) {
	for _, r := range s.Rows {
		if r.Outcome() == o {
			n++
		}
	}
	return n
}

// Rule is a rule in the language of regvet, as it is written into a pack.
type Rule struct {
	ID       string // what is asked for; a pack has another where it is taken
	Title    string
	Severity string
	Why      string // the rationale, or ""

	References, Tags, Levels []string

	// Asks holds the fields of the language that say what the rule asks, and its fix, in their order.
	Asks Fields
}

// Fields is a mapping of the language whose order is kept.
type Fields []Field

// Field is a field of a mapping: a text, a number, a truth value, [Fields], or a list of these.
type Field struct {
	Name  string
	Value any
}

// With returns the fields and one more.
func (f Fields) With(name string, value any) Fields {
	return append(slices.Clip(f), Field{name, value})
}

// folded returns operators that compare with a text whose case does not count, if it has any.
func folded(demand Fields, text string) Fields {
	return foldedIf(demand, hasLetters(text))
}

func foldedIf(demand Fields, fold bool) Fields {
	if fold {
		return demand.With("fold", true)
	}
	return demand
}

func hasLetters(text string) bool { return strings.ToLower(text) != strings.ToUpper(text) }

// unsafeFix returns a fix that a person has to weigh, for that reason.
func unsafeFix(fix Fields, because string) Fields {
	return fix.With("safe", false).With("because", because)
}

// literal returns the name of a key or value as a pattern that matches it alone.
func literal(name string) string {
	return boundName().ReplaceAllString(wildcards.Replace(name), "[{]$1")
}

var wildcards = strings.NewReplacer("*", "[*]", "?", "[?]")

// boundName matches what would be a name that a pattern binds, or look like a choice of names.
var boundName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*\}|[^\\{}]*[|,][^\\{}]*\})`)
})
