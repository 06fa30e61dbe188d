package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

// sigmaSelection is a selection of a rule of Sigma while it is read: a mapping of fields, which must all be so, or a list of mappings, of which
// one must.
type sigmaSelection struct {
	*sigma
	name    string
	negated bool // it is a filter
	renames bool // its mapping has the field NewName

	needs []string // fields of which the selection asks, and which a hive does not tell
	odd   []string // what else it asks for that is no question here

	blind, programs []string // as in a rule
}

// report records what of the selection is no question here.
func (r *sigmaSelection) report() {
	asks := slices.Clone(r.odd)
	if len(r.needs) > 0 {
		asks = append([]string{strict.List(r.needs, "and") + ", which a hive does not tell"}, asks...)
	}
	if len(asks) == 0 {
		return
	}
	effect, to := "it", &r.lost
	if r.negated {
		effect, to = "a filter excludes nothing: it", &r.open
		for _, one := range r.blind {
			note(&r.sigma.blind, one)
		}
		for _, one := range r.programs {
			note(&r.sigma.programs, one)
		}
	}
	noteLack(to, r.name, effect+" asks for "+strings.Join(asks, ", for "))
}

// note adds a text to a list, once.
func note(to *[]string, text string) {
	if !slices.Contains(*to, text) {
		*to = append(*to, text)
	}
}

// need records that a hive does not tell a field, and returns what the selection is without it: it does not hold.
func (r *sigmaSelection) need(field string, values []*yaml.Node) sigmaTest {
	note(&r.needs, field)
	if field != "Image" {
		note(&r.blind, field)
		return sigmaFalse
	}
	for _, v := range values {
		if v.Tag != "!!null" && v.Value != "" {
			note(&r.programs, v.Value)
		}
	}
	return sigmaFalse
}

// refused is need for a field that is asked for in a way that is no question here.
func (r *sigmaSelection) refused(field, how string) sigmaTest {
	note(&r.odd, field+" "+how)
	note(&r.blind, field)
	return sigmaFalse
}

func (r *sigmaSelection) read(n *yaml.Node) sigmaTest {
	var all []sigmaTest
	switch n.Kind {
	case yaml.MappingNode:
		r.renames = false
		for name := range r.Pairs(n, r.name) {
			r.renames = r.renames || name.Value == "NewName" || strings.HasPrefix(name.Value, "NewName|")
		}
		for name, n := range r.Pairs(n, r.name) {
			all = append(all, r.field(name.Value, n))
		}
		return sigmaAll(all...)
	case yaml.SequenceNode:
		for n := range r.Elements(n, r.name) {
			all = append(all, r.read(n))
		}
		return sigmaAny(all...)
	}
	return r.refused("words", "anywhere in an event")
}

// sigmaModifiers are how the values of a field are compared.
type sigmaModifiers struct {
	contains, starts, ends, all, re, cased, windash, exists, not bool
	flags                                                        string // of a regular expression
}

// modifiers reads what stands behind the name of a field. The first that is not known is returned as unknown.
func modifiers(words []string) (m sigmaModifiers, unknown string) {
	for _, w := range words {
		switch to := map[string]*bool{"contains": &m.contains, "startswith": &m.starts, "endswith": &m.ends, "all": &m.all, "re": &m.re, "cased": &m.cased,
			"windash": &m.windash, "exists": &m.exists, "neq": &m.not}[w]; {
		case to != nil:
			*to = true
		case m.re && slices.Contains([]string{"i", "m", "s"}, w):
			m.flags += w
		default:
			return m, w
		}
	}
	return m, ""
}

// field returns what a field of a mapping asks.
func (r *sigmaSelection) field(name string, n *yaml.Node) sigmaTest {
	words := strings.Split(name, "|")
	name = words[0]
	m, unknown := modifiers(words[1:])
	var values []*yaml.Node
	if n.Kind == yaml.SequenceNode {
		for e := range r.Elements(n, name) {
			values = append(values, e)
		}
	} else {
		values = append(values, n)
	}
	if slices.ContainsFunc(values, func(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode }) || len(values) == 0 {
		return r.refused(name, "in a form that is none of Sigma's")
	}
	r.tests += len(values)
	if r.tests > maxSigmaTests {
		return sigmaFalse // it is refused
	}
	var field string
	switch name {
	case "TargetObject":
		field = "path"
	case "Details":
		field = "data"
	case "NewName":
		if !r.negated {
			noteLack(&r.open, "", renameLost)
		}
		field = "path"
	case "EventType", "EventID":
	default:
		return r.need(name, values)
	}
	switch {
	case unknown != "":
		return r.refused(name, "with the modifier "+unknown+", which is not known here")
	case m.exists:
		return r.exists(name, values)
	case field == "":
		return r.event(name, m, values)
	}
	if m.not {
		r.negated = !r.negated
		defer func() { r.negated = !r.negated }()
	}
	var all []sigmaTest
	if m.all {
		for _, v := range values {
			all = append(all, r.values(name, field, m, []*yaml.Node{v}))
		}
		all = []sigmaTest{sigmaAll(all...)}
	} else {
		all = append(all, r.values(name, field, m, values))
	}
	if name == "NewName" {
		all = append(all, sigmaLeaf("is", "key"))
	}
	if m.not {
		return sigmaNot(sigmaAll(all...))
	}
	return sigmaAll(all...)
}

// exists returns what |exists asks: every event has a path, and only that of a value has data.
func (r *sigmaSelection) exists(name string, values []*yaml.Node) sigmaTest {
	t := sigmaTrue
	if name == "Details" {
		t = sigmaLeaf("is", "value")
	}
	if strings.EqualFold(values[0].Value, "false") {
		return sigmaNot(t)
	}
	return t
}

// event returns what the name or number of an event asks. A value that is there was set (13), and a key that is there was created (12).
func (r *sigmaSelection) event(name string, m sigmaModifiers, values []*yaml.Node) sigmaTest {
	kinds := map[string][3]string{"EventType": {"SetValue", "CreateKey", "RenameKey"}, "EventID": {"13", "12", "14"}}[name]
	var all []sigmaTest
	for _, v := range values {
		pattern, why := sigmaRegexp(m, v.Value)
		if why != "" {
			all = append(all, r.refused(name, why))
			continue
		}
		value, key := pattern.MatchString(kinds[0]), pattern.MatchString(kinds[1]) || r.renames && pattern.MatchString(kinds[2])
		if !value && !key && !r.negated { // what is there is no such event, so that a filter for it excludes nothing of it
			r.refused(name+" "+v.Value+",", "which leaves nothing in a hive")
		}
		t := sigmaFalse
		if value {
			t = sigmaLeaf("is", "value")
		}
		if key {
			t = sigmaAny(t, sigmaLeaf("is", "key"))
		}
		all = append(all, t)
	}
	t := sigmaAny(all...)
	if m.all {
		t = sigmaAll(all...)
	}
	if t.op == "any" && slices.ContainsFunc(t.below, isLeaf("value")) && slices.ContainsFunc(t.below, isLeaf("key")) {
		t = sigmaTrue
	}
	if m.not {
		return sigmaNot(t)
	}
	return t
}

// isLeaf reports whether a test asks only whether it is about a key or a value.
func isLeaf(is string) func(sigmaTest) bool {
	return func(t sigmaTest) bool { return t.op == "" && t.leaf[0] == Field{"is", is} }
}

// sigmaRegexp returns a regular expression for a text with modifiers, or what is wrong with it.
func sigmaRegexp(m sigmaModifiers, text string) (re *regexp.Regexp, why string) {
	pattern := "(?is)^" + globRegexp(sigmaGlob(m, text)) + "$"
	if m.re {
		pattern = sigmaFlags(m.flags) + text
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Sprintf("by the regular expression %q, which RE2 does not read", text)
	}
	return re, ""
}

func sigmaFlags(flags string) string {
	if flags == "" {
		return ""
	}
	return "(?" + flags + ")"
}

// globRegexp returns a pattern of the language as a regular expression.
func globRegexp(glob string) string {
	var b strings.Builder
	for glob != "" {
		size := 1
		switch {
		case strings.HasPrefix(glob, "[*]"), strings.HasPrefix(glob, "[?]"):
			b.WriteString(`\` + glob[1:2])
			size = 3
		case glob[0] == '*':
			b.WriteString(".*")
		case glob[0] == '?':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(glob[:1]))
		}
		glob = glob[size:]
	}
	return b.String()
}

// values returns what some values of a field ask, of which one must do.
func (r *sigmaSelection) values(name, field string, m sigmaModifiers, values []*yaml.Node) sigmaTest {
	var likes, res []any
	var all []sigmaTest
	for _, v := range values {
		switch {
		case v.Tag == "!!null" && field == "data": // the event of a key has no data
			all = append(all, sigmaLeaf("is", "key"))
		case v.Tag == "!!null": // every event has a path
		case m.re:
			if _, why := sigmaRegexp(m, v.Value); why != "" {
				all = append(all, r.refused(name, why))
			} else {
				res = append(res, sigmaFlags(m.flags)+v.Value)
			}
		default:
			texts, why := r.spellings(m, v.Value)
			if why != "" {
				all = append(all, r.refused(name, why))
			}
			for _, text := range texts {
				glob := sigmaGlob(m, text)
				if field == "path" {
					glob = sysmonRoot(glob)
				}
				likes = append(likes, glob)
			}
		}
	}
	if res != nil {
		all = append(all, sigmaLeaf(field+"_matches", single(res)))
	}
	if likes != nil {
		t := sigmaLeaf(field, single(likes))
		if m.cased {
			t.leaf = t.leaf.With("cased", true)
		}
		all = append(all, t)
	}
	return sigmaAny(all...)
}

// sysmonRoot returns a pattern for a path with the roots of Sysmon in place of those that the kernel has.
func sysmonRoot(glob string) string {
	for kernel, short := range map[string]string{`\registry\machine\`: `HKLM\`, `\registry\user\`: `HKU\`} {
		if len(glob) >= len(kernel) && strings.EqualFold(glob[:len(kernel)], kernel) {
			return short + glob[len(kernel):]
		}
	}
	return glob
}

func single(all []any) any {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// sigmaGlob returns a text of Sigma as a pattern of the language.
func sigmaGlob(m sigmaModifiers, text string) string {
	var b strings.Builder
	if m.contains || m.ends {
		b.WriteByte('*')
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		escaped := c == '\\' && i+1 < len(text) && strings.IndexByte(`*?\`, text[i+1]) >= 0
		if escaped {
			i++
			c = text[i]
		}
		switch {
		case escaped && c != '\\':
			b.WriteString("[" + string(c) + "]")
		case c == '*' && strings.HasSuffix(b.String(), "["):
			b.WriteString("**") // [*] would be the sign itself
		default:
			b.WriteByte(c)
		}
	}
	if m.contains || m.starts {
		b.WriteByte('*')
	}
	return b.String()
}

var dash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\B[-/]\b`) })

// spellings returns a text with the signs before its options as they can be written, if windash asks for that, or what is wrong with it.
func (r *sigmaSelection) spellings(m sigmaModifiers, text string) (all []string, why string) {
	if strings.Contains(text, "[?]") {
		return nil, "with [?], which the language of regvet has for the sign ? itself"
	}
	if !m.windash {
		return []string{text}, ""
	}
	all = []string{""}
	from := 0
	for _, at := range dash().FindAllStringIndex(text, -1) {
		if len(all) > maxDashes {
			return nil, "with too many options for windash"
		}
		var more []string
		for _, before := range all {
			for _, sign := range []string{"-", "/", "\u2013", "\u2014", "\u2015"} {
				more = append(more, before+text[from:at[0]]+sign)
			}
		}
		all, from = more, at[1]
	}
	for i := range all {
		all[i] += text[from:]
	}
	r.tests += len(all)
	return all, ""
}
