package foreign

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

// Wazuh assesses configurations by policies in YAML (https://documentation.wazuh.com, "Creating custom SCA policies"; what that leaves open is
// taken from what wm_sca.c of 4.x and sca_impl of 5.0 do). A check has rules and a condition over them. A rule of the registry is found, not
// found or invalid:
//
//	r:KEY                   found where the key exists
//	r:KEY -> VALUE          found where the value exists; invalid without the key
//	r:KEY -> VALUE -> DATA  found where the data match; invalid without the key or the value
//
// "not" turns found and not found around, and leaves invalid. all fails by one that is not found, any passes by one that is found, none fails by
// one that is found; else one that is invalid makes the check not applicable. DATA are parts with && between them, each a text (in any case),
// r:REGEX or n:REGEX compare <= N, with ! before it for the opposite. REG_SZ and REG_EXPAND_SZ are their text, REG_DWORD is a decimal number,
// REG_MULTI_SZ has blanks between its strings, and all else is hex. Keys are looked for in the 64-bit and then in the 32-bit view, and a rule
// is found where it is in one.
//
// Where Wazuh differs from what a policy says, the text counts. It reads HKCU as the account that it runs in; here each user has an answer. 4.x
// puts a blank behind the last string of a list, shows bytes from 80 on as ffffff80, compares numbers with a sign and 32 bits, and does not see
// the ! of !r:KEY; 5.0 holds regular expressions against each line of a text, and never finds an empty one. Without regex_type 4.x takes
// OS_Regex, and 5.0, whose checks have a name in place of a title, PCRE2 in any case. Wazuh does not run a policy whose requirements are not met;
// here its rules are not applicable then. Where the input does not hold what they ask for, they count as met: whoever names a policy wants it.

func init() {
	formats = append(formats, format{"wazuh", "SCA policies of Wazuh (YAML)", isWazuh, readWazuh})
}

var wazuhParts = []*regexp.Regexp{regexp.MustCompile(`(?m)^["']?policy["']?[ \t]*:`), regexp.MustCompile(`(?m)^["']?checks["']?[ \t]*:`)}

func isWazuh(_ string, data []byte) bool {
	return !slices.ContainsFunc(wazuhParts, func(part *regexp.Regexp) bool { return !part.Match(data) })
}

// wazuh is a policy while it is read.
type wazuh struct {
	*file
	d         *strict.Decoder
	variables []variable
	engine    string // regex_type of the policy
	when      logic  // the requirements
}

// maxVaried is how long a text with variables may become in bytes; one that would be longer keeps their names.
const maxVaried = 1 << 16

// variable is a name with a dollar sign, and what stands for it.
type variable struct{ name, value string }

func readWazuh(f *file) error {
	var failed error
	err := strict.Read(strict.File{Source: f.Path, Kind: BadForeign, Whole: "a policy", Most: 100_000, Empty: "is empty"}, []byte(text(f.data)), func(d *strict.Decoder, root *yaml.Node) {
		w := &wazuh{file: f, d: d}
		failed = w.policy(root)
	})
	if err != nil {
		return err
	}
	return failed
}

// policy adds a row for each check, and one for the requirements if they cannot be said.
func (w *wazuh) policy(root *yaml.Node) error {
	parts := w.mapping(root, "the policy")
	about := w.mapping(parts["policy"], "policy")
	w.Title, w.engine = w.text(about["name"]), w.text(about["regex_type"])
	w.References = w.texts(about["references"])
	for name, value := range w.pairs(parts["variables"], "variables") {
		w.variables = append(w.variables, variable{name.Value, w.text(value)})
	}
	slices.SortStableFunc(w.variables, func(a, b variable) int { return len(b.name) - len(a.name) }) // $a stands in $ab
	w.when = allOf()
	if n := parts["requirements"]; n != nil {
		c := w.check(n)
		w.when = c.met()
		if lacks := c.lacks(); len(lacks) > 0 {
			row := Row{ID: "requirements", Title: c.title, Line: n.Line, Lacks: lacks}
			if err := w.add(row); err != nil {
				return err
			}
		}
	}
	checks := parts["checks"]
	if checks == nil {
		return nil
	}
	for n := range w.d.Elements(checks, "checks") {
		if err := w.add(w.check(n).row(w)); err != nil {
			return err
		}
	}
	return nil
}

// mapping returns the values of a mapping by their names; of nil there are none.
func (w *wazuh) mapping(n *yaml.Node, what string) map[string]*yaml.Node {
	all := map[string]*yaml.Node{}
	for name, value := range w.pairs(n, what) {
		all[name.Value] = value
	}
	return all
}

func (w *wazuh) pairs(n *yaml.Node, what string) func(func(name, value *yaml.Node) bool) {
	if n == nil || n.Tag == "!!null" {
		return func(func(name, value *yaml.Node) bool) {}
	}
	return w.d.Pairs(n, what)
}

// text returns the text of a scalar with its variables replaced, and "" for anything else.
func (w *wazuh) text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	text := n.Value
	for _, v := range w.variables {
		if v.name != "" && len(text)+strings.Count(text, v.name)*len(v.value) <= maxVaried {
			text = strings.ReplaceAll(text, v.name, v.value)
		}
	}
	return text
}

// texts returns the texts of a list, or one that stands alone.
func (w *wazuh) texts(n *yaml.Node) (all []string) {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		if t := w.text(n); t != "" {
			all = append(all, t)
		}
		return all
	}
	for e := range w.d.Elements(n, "") {
		if t := w.text(e); t != "" {
			all = append(all, t)
		}
	}
	return all
}
