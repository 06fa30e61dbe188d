package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

// Sigma takes the rules about the registry (https://github.com/SigmaHQ/sigma-specification), one or more YAML documents in a file. They are about
// events, as Sysmon writes them: that a key was created, that a value was set. A hive at rest has what was created and set, and has not been
// undone since; a rule here is about that. It does not have what was deleted, and not which program did it, so that
//
//   - a selection that asks for a program, a user or an event that leaves nothing is left out, and a rule of such selections alone is none;
//   - a filter that asks for one excludes nothing. Findings say what the source would have left out.
//
// TargetObject is the path of a key or, with the name behind it, of a value, and Details its data, in the spelling of Sysmon: see the field
// nowhere of the language. Patterns are those of the Sigma specification 2: in any case, with * and ?, which \ escapes, as it does itself.
// Where programs that run Sigma disagree about a text with both names for a place, such as HKCR and HKLM\SOFTWARE\Classes, either does.

func init() {
	formats = append(formats, format{"sigma", "rules of Sigma about the registry (YAML)", isSigma, readSigma})
}

var sigmaHead = sync.OnceValue(func() [2]*regexp.Regexp {
	return [2]*regexp.Regexp{regexp.MustCompile(`(?m)^(logsource|correlation|action):`), regexp.MustCompile(`(?m)^(detection|correlation|filter):`)}
})

func isSigma(_ string, data []byte) bool {
	if !bytes.Contains(data, []byte("detection")) && !bytes.Contains(data, []byte("correlation")) && !bytes.Contains(data, []byte("filter")) {
		return false
	}
	head := sigmaHead()
	return head[0].Match(data) && head[1].Match(data)
}

const (
	maxSigmaParts = 20_000 // of a small document, see [strict.File]
	maxSigmaTests = 2_000  // tests of a rule, with each selection counted as often as its condition names it
	maxSigmaDepth = 50     // parentheses in one another
	maxDashes     = 125    // texts that windash makes of one before its last option
)

func readSigma(f *file) error {
	line := 0 // lines before the document
	for document := range sigmaDocuments(text(f.data)) {
		var row Row
		empty := false
		err := strict.Read(strict.File{Source: f.Path, Kind: BadForeign, Whole: "a rule of Sigma", Most: maxSigmaParts}, []byte(document), func(d *strict.Decoder, root *yaml.Node) {
			if empty = root.Kind == yaml.ScalarNode && root.Value == ""; empty {
				return
			}
			s := &sigma{Decoder: d, row: &row}
			s.read(root)
			row.Line = root.Line + line
		})
		if mistakes, ok := errors.AsType[strict.Mistakes](err); ok {
			at := mistakes[0].At
			return f.wrong(at.Line+line, at.Column, "%s", mistakes[0].Msg)
		}
		if !empty && row.Line > 0 {
			if err := f.add(row); err != nil {
				return err
			}
		}
		line += strings.Count(document, "\n")
	}
	return nil
}

// sigmaDocuments splits a file into its documents, each with the line that begins it.
func sigmaDocuments(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		from := 0
		for at := 0; at < len(text); {
			end := strings.IndexByte(text[at:], '\n')
			if end < 0 {
				end = len(text)
			} else {
				end += at + 1
			}
			if line := text[at:end]; at > from && (strings.TrimSpace(line) == "---" && line[0] == '-' || strings.HasPrefix(line, "--- ")) {
				if !yield(text[from:at]) {
					return
				}
				from = at
			}
			at = end
		}
		yield(text[from:])
	}
}

// sigma is a rule while it is read.
type sigma struct {
	*strict.Decoder
	row *Row

	id, title, status, level, description, author, license string

	references, tags, falsePositives []string

	product, category, service string

	conditions []string
	names      []string // of the selections, in their order
	selections map[string]*yaml.Node

	lost     []sigmaLack // what selections ask for that is left out
	open     []sigmaLack // what else the rule does not ask
	blind    []string    // fields by which filters would have excluded events
	programs []string    // of the events that they would have excluded
	tests    int
	why      string // why there is no rule, as soon as that is known
}

// read reads a document into the row.
func (s *sigma) read(root *yaml.Node) {
	s.selections = map[string]*yaml.Node{}
	found := map[string]bool{}
	for name, n := range s.Pairs(root, "the rule") {
		found[name.Value] = true
		text := map[string]*string{"id": &s.id, "title": &s.title, "status": &s.status, "level": &s.level, "description": &s.description, "author": &s.author, "license": &s.license}[name.Value]
		list := map[string]*[]string{"references": &s.references, "tags": &s.tags, "falsepositives": &s.falsePositives}[name.Value]
		switch {
		case text != nil && n.Kind == yaml.ScalarNode:
			*text = n.Value
		case list != nil:
			*list = s.scalars(n)
		case name.Value == "logsource" && n.Kind == yaml.MappingNode:
			s.readSource(n)
		case name.Value == "detection" && n.Kind == yaml.MappingNode:
			s.readDetection(n)
		}
	}
	s.row.ID, s.row.Title = s.id, s.title
	if s.row.ID == "" {
		s.row.ID = word(s.title, "rule")
	}
	is, why := s.kind(found)
	if why != "" {
		s.row.Lacks = []string{why}
		return
	}
	e := s.combined()
	if s.why == "" && e.op == "false" {
		s.why = "it asks for nothing that a hive holds"
		if s.lost != nil {
			s.why = strings.Join(lackTexts(s.lost), "; ")
		}
	}
	if s.why != "" {
		s.row.Lacks = []string{s.why}
		return
	}
	s.row.Lacks = lackTexts(append(s.lost, s.open...))
	s.row.Rules = []Rule{s.rule(is, e)}
}

// scalars returns a text, or the texts of a list.
func (s *sigma) scalars(n *yaml.Node) (all []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	if n.Kind == yaml.SequenceNode {
		for e := range s.Elements(n, "a list") {
			if e.Kind == yaml.ScalarNode {
				all = append(all, e.Value)
			}
		}
	}
	return all
}

func (s *sigma) readSource(n *yaml.Node) {
	for name, n := range s.Pairs(n, "logsource") {
		if to := map[string]*string{"product": &s.product, "category": &s.category, "service": &s.service}[name.Value]; to != nil {
			*to = strings.ToLower(n.Value)
		}
	}
}

func (s *sigma) readDetection(n *yaml.Node) {
	for name, n := range s.Pairs(n, "detection") {
		switch name.Value {
		case "condition":
			s.conditions = s.scalars(n)
		case "timeframe":
			s.why = "it counts events in a time, and a hive has no events"
		default:
			s.names = append(s.names, name.Value)
			s.selections[name.Value] = n
		}
	}
}

// kind returns whether the rule is about keys or values, "" for both, or why it is about neither.
func (s *sigma) kind(found map[string]bool) (is, why string) {
	switch {
	case found["correlation"]:
		return "", "it correlates events, and a hive has no events"
	case found["filter"]:
		return "", "it is a filter for other rules, which this reads by themselves"
	case found["action"]:
		return "", "it is part of a collection (action), which Sigma no longer has; write whole rules"
	case !found["logsource"] || !found["detection"]:
		return "", "it has no logsource, or no detection"
	case s.product != "" && s.product != "windows":
		return "", fmt.Sprintf("it is about %s, not Windows", s.product)
	}
	switch s.category {
	case "registry_set":
		return "value", ""
	case "registry_add":
		return "key", ""
	case "registry_event":
		return "", ""
	case "registry_rename":
		noteLack(&s.open, "", renameLost)
		return "key", ""
	case "registry_delete":
		return "", "it asks for what was deleted, which a hive does not hold; regvet search --deleted finds what is left of it"
	}
	return "", fmt.Sprintf("its events (%s) are not those of the registry", strings.Trim(s.category+" "+s.service, " "))
}

const renameLost = "a hive has the new name of a key, and does not tell that it was renamed"

// rule returns the rule.
func (s *sigma) rule(is string, e sigmaTest) Rule {
	traits := e.fields()
	if is != "" {
		traits = sigmaAll(sigmaLeaf("is", is), e).fields()
	}
	r := Rule{
		ID: "SIGMA-" + word(s.row.ID, "rule"), Title: s.title, Severity: sigmaSeverity(s.level), Why: s.description,
		Tags: []string{"sigma"}, References: slices.Clone(s.references),
	}
	if r.Title == "" {
		r.Title = s.row.ID
	}
	if s.falsePositives != nil {
		r.Why = strings.TrimSpace(r.Why)
		if r.Why != "" && !strings.HasSuffix(r.Why, ".") {
			r.Why += "."
		}
		r.Why += " False positives: " + strings.Join(s.falsePositives, "; ")
	}
	if s.author != "" {
		r.References = append(r.References, "written by "+s.author)
	}
	if s.license != "" {
		r.References = append(r.References, "license: "+s.license)
	}
	if s.status != "" {
		r.Tags = append(r.Tags, s.status)
	}
	r.Tags = append(r.Tags, s.tags...)
	if hives := e.hives(); hives != nil {
		r.Asks = Fields{{"when", Fields{{"hive", oneOrAll(hives)}}}}
	}
	caveat := "the source is about the moment when this was written; what Windows and its programs write there themselves is told as well"
	if out := s.excluded(); out != "" {
		caveat = "the source leaves out " + out + ", which a hive does not tell"
	}
	r.Asks = r.Asks.With("nowhere", traits).With("caveat", caveat)
	return r
}

// maxPrograms is how many programs a finding names that the source leaves out.
const maxPrograms = 3

// excluded returns for findings what filters would have excluded, or "".
func (s *sigma) excluded() string {
	var parts []string
	if n := len(s.programs); n > 0 {
		some := s.programs[:min(n, maxPrograms)]
		if n > maxPrograms {
			some = append(slices.Clone(some), fmt.Sprintf("%d more", n-maxPrograms))
		}
		parts = append(parts, "what programs like "+strict.List(some, "and")+" do")
	}
	if s.blind != nil {
		parts = append(parts, "some events by their "+strict.List(s.blind, "and"))
	}
	return strings.Join(parts, ", and ")
}

// sigmaLack is something that is asked for and is no question here, and the selections that ask for it.
type sigmaLack struct {
	names []string // none for the whole rule
	what  string
}

// noteLack adds what a selection lacks; those that lack the same are told together.
func noteLack(to *[]sigmaLack, name, what string) {
	i := slices.IndexFunc(*to, func(l sigmaLack) bool { return l.what == what })
	if i < 0 {
		i = len(*to)
		*to = append(*to, sigmaLack{what: what})
	}
	if l := &(*to)[i]; name != "" && !slices.Contains(l.names, name) {
		l.names = append(l.names, name)
	}
}

func lackTexts(all []sigmaLack) (texts []string) {
	for _, l := range all {
		switch len(l.names) {
		case 0:
			texts = append(texts, l.what)
		default:
			texts = append(texts, l.what+" ("+strings.Join(l.names, ", ")+")")
		}
	}
	return texts
}

func sigmaSeverity(level string) string {
	switch l := strings.ToLower(level); l {
	case "low", "medium", "high", "critical":
		return l
	}
	return "info" // informational, or a rule without a level
}
