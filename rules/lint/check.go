package lint

import (
	"slices"
	"strings"

	"regvet/hive/regfile"
)

// Check is one thing that the linter looks for. What is told of it anywhere, in the help, on its page, in SARIF, stands here.
type Check struct {
	ID          string   // "REG011": stable, never used again for another check
	Name        string   // "dword-form": for people, in kebab case
	Title       string   // what is wrong, as a sentence without a full stop
	Severity    Severity // where no configuration says otherwise
	Explanation string   // what Windows makes of it, why that matters and what to write instead; paragraphs apart by an empty line
	Bad         Example  // trips this check
	Good        Example  // the same, corrected: it does not trip it
	Fix         Safety   // of its fix, if there is one
	Off         bool     // runs only where it is asked for
	References  []string // addresses of pages that say more

	codes  []regfile.Code                                                  // the faults of the text that it speaks of
	say    func(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) // says it in other words than package regfile; nil for the same
	visit  func(p *pass, c *Check, s *regfile.Statement)                   // is shown each statement
	kinds  []regfile.Kind                                                  // that visit is shown; nil for all
	needs  facts                                                           // visit is shown statements with one of them; none for all
	data   string                                                          // of values, visit is shown those whose data start with one of these characters; "" for all
	known  bool                                                            // of values, visit is shown those that a [pattern] of the check is about
	finish func(p *pass, c *Check)                                         // is called when all of them were shown
}

// Safety tells what a fix may change.
type Safety int

const (
	NoFix  Safety = iota
	Unsafe        // the fixed file does what the author probably meant, which is not what the file did
	Safe          // the fixed file does what it did, or what it says without any doubt
)

func (s Safety) String() string { return [...]string{"none", "unsafe", "safe"}[s] }

// Severity orders the findings of the linter. The zero Severity is none.
type Severity int

// The severities, from the lowest.
const (
	Info    Severity = iota + 1 // worth knowing; the file works
	Warning                     // may do something else than it says
	Error                       // does something else than it says, on every Windows
)

var severityNames = []string{"info", "warning", "error"}

// SeverityNames lists the severities by name, from the lowest.
func SeverityNames() []string { return severityNames }

func (s Severity) String() string {
	if s < Info || s > Error {
		return "none"
	}
	return severityNames[s-1]
}

// ParseSeverity finds a severity by its name.
func ParseSeverity(name string) (Severity, bool) {
	i := slices.Index(severityNames, name)
	return Severity(i + 1), i >= 0
}

// Checks lists all checks by ID.
func Checks() []*Check { return checks }

// Lookup finds a check by its ID or its name, in any case of letters; nil when there is none.
func Lookup(name string) *Check {
	for _, c := range checks {
		if strings.EqualFold(c.ID, name) || strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// checks are sorted by ID.
var checks = slices.SortedFunc(slices.Values(slices.Concat(
	syntaxChecks, encodingChecks, semanticsChecks, portabilityChecks, securityChecks, styleChecks,
)), func(a, b *Check) int { return strings.Compare(a.ID, b.ID) })
