package accept

import (
	"fmt"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/internal/glob"
	"regvet/rules"
	"regvet/rules/strict"
)

// Config is what the config of a project says for check, fix and apply. Flags go before it.
type Config struct {
	Packs, Rules   []strict.Reference // as those of a lint
	Select, Ignore []strict.Reference // words for rules
	Severity       string             // the lowest that is shown; "" if not set
	FailOn         string             // the lowest that counts for the exit status, or "never"; "" if not set
	Baseline       *strict.Reference  // the baseline file, relative to the folder of the config; nil for none
	Windows        *hive.Windows      // of inputs; nil if not set
	Waivers        []*Waiver
}

// Object is the form of a config.
var Object = strict.Object[Config]{
	Name: "check", What: "check", Doc: "How regvet check, fix and apply judge. It is read from the working directory and above, never from beside or inside of the inputs.",
	Fields: slices.Concat([]strict.Field[Config]{
		strict.May("packs", "The names of the rule packs to ask, or all; where it is not given kb196271 and those of rules. --pack takes its place.",
			strict.ReferencesForm, func(c *Config, all []strict.Reference) { c.Packs = all }),
		strict.May("rules", "Rule files, or folders of them, beside the built-in packs, relative to the folder of the config. --rules adds to them.",
			strict.ReferencesForm, func(c *Config, all []strict.Reference) { c.Rules = all }),
		strict.May("select", "Ask only these rules: "+words+". --select takes its place.", strict.ReferencesForm, func(c *Config, all []strict.Reference) { c.Select = all }),
		strict.May("ignore", "Do not ask these rules: "+words+". --ignore adds to them.", strict.ReferencesForm, func(c *Config, all []strict.Reference) { c.Ignore = all }),
		strict.May("severity", "Show findings from this severity on, and count the others. --severity takes its place.",
			strict.OneWord(rules.SeverityNames()...), func(c *Config, word string) { c.Severity = word }),
		strict.May("baseline", "The file of the findings that are known, relative to the folder of the config. --baseline takes its place.",
			strict.ReferenceForm, func(c *Config, r strict.Reference) { c.Baseline = &r }),
		strict.May("windows", "The Windows version of the inputs, such as \"6.1\" or \"2008r2\". --windows takes its place.",
			strict.WindowsForm, func(c *Config, w hive.Windows) { c.Windows = &w }),
		strict.May("waivers", "Findings that are accepted: they are shown, and count for nothing.",
			strict.Optional(strict.ListOf(waiverForm, 0, "")), func(c *Config, all []*Waiver) { c.Waivers = all }),
	}, strict.FailOn(rules.SeverityNames(), func(c *Config, word string) { c.FailOn = word })),
}

// words says what a [Word] can be.
const words = "the ID of a rule, the start of IDs with a * behind it, " + ByLevel + "NAME or " + ByTag + "NAME"

// WaiverObject is the form of a waiver.
var WaiverObject = strict.Object[draft]{
	Name: "waiver", What: "a waiver", Doc: "Findings that are accepted for a reason, and until when.",
	Fields: []strict.Field[draft]{
		strict.Must("rule", "The rules whose findings are accepted: "+words+".", strict.ReferenceForm, func(w *draft, r strict.Reference) { w.rule = r }),
		strict.May("key", `A glob of the keys at which, and below which, findings are accepted, such as HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\**; every key where it is not given.`,
			strict.Placed(strict.WordForm), func(w *draft, key strict.Located[string]) { w.key = key }),
		strict.May("host", "A glob of the names of the hosts on which findings are accepted, such as WEB-*; every host where it is not given.",
			strict.WordForm, func(w *draft, host string) { w.host = host }),
		strict.May("reason", "Why they are accepted. A waiver without a reason waives nothing, and is a finding.",
			strict.Optional(strict.TextForm), func(w *draft, text string) { w.reason = text }),
		strict.May("until", "The last day on which the waiver holds, in UTC, such as 2026-06-30. After it, the waiver waives nothing, and is a finding.",
			strict.Parsed(strict.Schema{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`}, day), func(w *draft, until time.Time) { w.until = until }),
	},
}

// draft is a waiver as it is written.
type draft struct {
	rule   strict.Reference
	key    strict.Located[string]
	host   string
	reason string
	until  time.Time
}

// day parses the date of a day.
func day(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fmt.Errorf("%q is not the date of a day; write it as 2026-06-30, year first", text)
	}
	return t, nil
}

var waiverForm = strict.NewForm(strict.Of(&WaiverObject, "waiver").Schema, func(d *strict.Decoder, n *yaml.Node, what string) *Waiver {
	var is draft
	WaiverObject.Read(d, n, what, &is)
	w := &Waiver{Waiver: rules.Waiver{Reason: strict.OneLine(is.reason), Until: is.until}, Rule: Word(is.rule.Name), RuleAt: is.rule.At, At: strict.Locate(n)}
	if is.host != "" {
		host := glob.ParseName(is.host)
		w.Host = &host
	}
	if is.key.V != "" {
		key, err := glob.ParseKey(is.key.V)
		if err != nil {
			d.WrongAt(is.key.At, "key: %v", err)
		}
		w.Key = key
	}
	w.describe(is.key.V, is.host)
	return w
})
