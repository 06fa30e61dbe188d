package lint

import (
	"slices"
	"strings"

	"regvet/hive/regfile"
)

// Check is one thing that the linter looks for. The help, the page of the check and SARIF show what stands here.
type Check struct {
	ID          string   // "REG011": stable, never used again for another check
	Name        string   // "dword-form": for people, in kebab case
	Title       string   // what is wrong, as a sentence without a full stop
	Severity    Severity // unless a config says otherwise
	Explanation string   // what Windows makes of it, why that matters, what to write instead; an empty line between paragraphs
	Bad         Example  // trips this check
	Good        Example  // the same, corrected; does not trip it
	Fix         Safety   // of its fix; NoFix if it has none
	Off         bool     // runs only when selected
	References  []string // pages that say more, mostly URLs

	codes  []regfile.Code                                                  // the faults that it reports
	say    func(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) // reports a fault; nil to report it in the words of package regfile
	visit  func(p *pass, c *Check, s *regfile.Statement)                   // looks at a statement
	kinds  []regfile.Kind                                                  // of the statements for visit; nil for all
	needs  facts                                                           // visit gets only statements with one of these facts; 0 for all statements
	data   string                                                          // visit gets only values whose data start with one of these characters; "" for all values
	known  bool                                                            // visit gets only values that a [pattern] of the check is about
	finish func(p *pass, c *Check)                                         // is called after the last statement
}

// Safety is what a fix may change.
type Safety int

const (
	NoFix  Safety = iota
	Unsafe        // the fixed file does what the author probably meant, which is not what it did before
	Safe          // the fixed file does what it did before, or what it clearly says
)

func (s Safety) String() string { return [...]string{"none", "unsafe", "safe"}[s] }

// Severity is how bad a finding is. The zero Severity is none.
type Severity int

// The severities, from the lowest.
const (
	Info    Severity = iota + 1 // worth knowing; the file works
	Warning                     // the file may not do what it says
	Error                       // the file does not do what it says, on any Windows
)

var severityNames = []string{"info", "warning", "error"}

// SeverityNames returns the names of the severities, from the lowest.
func SeverityNames() []string { return severityNames }

func (s Severity) String() string {
	if s < Info || s > Error {
		return "none"
	}
	return severityNames[s-1]
}

// ParseSeverity returns the severity with a name, and reports whether there is one.
func ParseSeverity(name string) (Severity, bool) {
	i := slices.Index(severityNames, name)
	return Severity(i + 1), i >= 0
}

// Checks returns all checks, sorted by ID.
func Checks() []*Check { return checks }

// Lookup returns the check with an ID or a name, in any case, or nil.
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
