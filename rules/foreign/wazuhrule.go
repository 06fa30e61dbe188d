package foreign

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// wazuhRule is a rule of a check.
type wazuhRule struct {
	negated bool
	key     string // a pattern
	key32   string // of the same key in the 32-bit view, where that is another; else ""
	value   string // likewise; "" for none
	data    []minterm
	why     string // why no registry can answer it, or ""
	text    string
}

// minterm is one of the parts of what is asked of data.
type minterm struct {
	negated bool
	data    Fields // operators on the text
}

// wazuhElsewhere is what the kinds of rules ask that do not ask the registry.
var wazuhElsewhere = map[string]string{"c": "what a command prints", "f": "a file", "d": "a folder", "p": "the running processes"}

// parseWazuh reads a rule.
func parseWazuh(text, engine string) (r wazuhRule) {
	r.text = line(text)
	rest := text
	if len(rest) > 4 && strings.EqualFold(rest[:4], "not ") {
		r.negated, rest = true, rest[4:]
	}
	if after, ok := strings.CutPrefix(rest, "!"); ok {
		r.negated, rest = !r.negated, after
	}
	kind, rest, ok := strings.Cut(rest, ":")
	if what := wazuhElsewhere[kind]; what != "" {
		r.why = "it asks " + what + ", which no registry tells"
		return r
	}
	if !ok || kind != "r" {
		r.why = fmt.Sprintf("its rule %q is of no kind that Wazuh knows", text)
		return r
	}
	if variable := environment.FindString(rest); variable != "" {
		r.why = fmt.Sprintf("it has %s in a rule, which Wazuh replaces by what its own environment has", variable)
		return r
	}
	parts := strings.SplitN(rest, " -> ", 3)
	if r.key, ok = driveKey(parts[0]); !ok {
		r.why = fmt.Sprintf("its rule %q names no key of the registry", text)
		return r
	}
	r.key = shortKey(r.key)
	r.key32 = wow64(r.key)
	if len(parts) == 1 {
		return r
	}
	switch r.value = literal(parts[1]); {
	case r.value == "":
		r.why = fmt.Sprintf("its rule %q names no value", text)
	case strings.HasPrefix(parts[1], "r:"):
		r.why = fmt.Sprintf("its rule %q looks for values by a regular expression on their names", text)
	case r.value == "@" || strings.EqualFold(r.value, "(default)"):
		r.value = "(default)"
	}
	if len(parts) == 3 && r.why == "" {
		r.data, r.why = minterms(parts[2], engine)
	}
	return r
}

// environment matches a variable of the environment, which Wazuh replaces in rules.
var environment = regexp.MustCompile(`%[A-Za-z_][A-Za-z0-9_()]*%`)

// shortKey returns a key with the short name of its root.
func shortKey(key string) string {
	root, rest, _ := strings.Cut(key, `\`)
	return strings.TrimSuffix(shortRoot(root)+`\`+rest, `\`)
}

// wow64 returns where programs of 32 bits find a key of HKLM\SOFTWARE, or "" where that is the same key (Microsoft, "Registry Keys Affected by
// WOW64", as of Windows 7).
func wow64(key string) string {
	const software = `HKLM\SOFTWARE\`
	if len(key) <= len(software) || !strings.EqualFold(key[:len(software)], software) {
		return ""
	}
	below := key[len(software):]
	inside := func(folder string) bool {
		return strings.EqualFold(below, folder) || len(below) > len(folder) && strings.EqualFold(below[:len(folder)+1], folder+`\`)
	}
	if inside("WOW6432Node") {
		return ""
	}
	for _, of := range []string{"CLSID", "DirectShow", "Interface", "Media Type", "MediaFoundation"} {
		if inside(`Classes\` + of) {
			return software + `Classes\WOW6432Node` + below[len("Classes"):]
		}
	}
	if slices.ContainsFunc(sharedKeys, inside) {
		return ""
	}
	return software + `WOW6432Node\` + below
}

// sharedKeys are the keys of HKLM\SOFTWARE that programs of 32 and 64 bits share.
var sharedKeys = []string{"Classes", "Clients", "Policies", "RegisteredApplications",
	`Microsoft\COM3`, `Microsoft\Cryptography\Calais\Current`, `Microsoft\Cryptography\Calais\Readers`, `Microsoft\Cryptography\Services`,
	`Microsoft\CTF\SystemShared`, `Microsoft\CTF\TIP`, `Microsoft\DFS`, `Microsoft\Driver Signing`, `Microsoft\EnterpriseCertificates`,
	`Microsoft\EventSystem`, `Microsoft\MSMQ`, `Microsoft\Non-Driver Signing`, `Microsoft\OLE`, `Microsoft\RAS`, `Microsoft\RPC`,
	`Microsoft\Shared Tools\MSInfo`, `Microsoft\SOFTWARE\Microsoft\Shared Tools\MSInfo`, `Microsoft\SystemCertificates`, `Microsoft\TermServLicensing`,
	`Microsoft\Transaction Server`,
	`Microsoft\Windows\CurrentVersion\Control Panel\Cursors\Schemes`, `Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers`,
	`Microsoft\Windows\CurrentVersion\Explorer\DriveIcons`, `Microsoft\Windows\CurrentVersion\Explorer\KindMap`,
	`Microsoft\Windows\CurrentVersion\Group Policy`, `Microsoft\Windows\CurrentVersion\Policies`, `Microsoft\Windows\CurrentVersion\PreviewHandlers`,
	`Microsoft\Windows\CurrentVersion\Setup`, `Microsoft\Windows\CurrentVersion\Telephony\Locations`,
	`Microsoft\Windows NT\CurrentVersion\Console`, `Microsoft\Windows NT\CurrentVersion\FontDpi`, `Microsoft\Windows NT\CurrentVersion\FontLink`,
	`Microsoft\Windows NT\CurrentVersion\FontMapper`, `Microsoft\Windows NT\CurrentVersion\Fonts`, `Microsoft\Windows NT\CurrentVersion\FontSubstitutes`,
	`Microsoft\Windows NT\CurrentVersion\Gre_Initialize`, `Microsoft\Windows NT\CurrentVersion\Image File Execution Options`,
	`Microsoft\Windows NT\CurrentVersion\LanguagePack`, `Microsoft\Windows NT\CurrentVersion\NetworkCards`, `Microsoft\Windows NT\CurrentVersion\Perflib`,
	`Microsoft\Windows NT\CurrentVersion\Ports`, `Microsoft\Windows NT\CurrentVersion\Print`, `Microsoft\Windows NT\CurrentVersion\ProfileList`,
	`Microsoft\Windows NT\CurrentVersion\Time Zones`}

// minterms reads what is asked of data: parts with && between them.
func minterms(text, engine string) (all []minterm, why string) {
	for part := range strings.SplitSeq(text, " && ") {
		var m minterm
		part, m.negated = strings.CutPrefix(part, "!")
		var of Fields
		switch kind := strings.ToLower(part[:min(len(part), 2)]); kind {
		case "r:":
			re, fold, why := re2(part[2:], engine)
			if why != "" {
				return nil, why
			}
			of = foldedIf(Fields{{"matches", re}}, fold)
		case "n:":
			pattern, compare, ok := strings.Cut(part[2:], " compare ")
			re, fold, why := re2(pattern, engine)
			if why != "" {
				return nil, why
			}
			number := comparison(compare)
			if !ok || number == nil {
				return nil, fmt.Sprintf("its comparison %q cannot be told", part)
			}
			of = foldedIf(Fields{{"captures", Fields{{re, number}}}}, fold)
		default:
			of = foldedIf(Fields{{"equals", part}}, hasLetters(part))
		}
		m.data = Fields{{"as_hex_text", of}}
		if merged, ok := together(all, m); ok {
			all = merged
		} else {
			all = append(all, m)
		}
	}
	return all, ""
}

// together returns the parts with a comparison added to another one of the same number, if there is one.
func together(all []minterm, m minterm) ([]minterm, bool) {
	for i, other := range all {
		a, b := other.number(), m.number()
		if a == nil || b == nil || a.Name != b.Name || a.Value.(Fields)[0].Name == b.Value.(Fields)[0].Name || fmt.Sprint(other.operators()[1:]) != fmt.Sprint(m.operators()[1:]) {
			continue
		}
		both := append(slices.Clone(a.Value.(Fields)), b.Value.(Fields)...)
		all[i].data = Fields{{"as_hex_text", append(Fields{{"captures", Fields{{a.Name, both}}}}, other.operators()[1:]...)}}
		return all, true
	}
	return all, false
}

func (m minterm) operators() Fields { return m.data[0].Value.(Fields) }

// number returns the expression that finds a number and what is asked of it, or nil if the part asks for something else, or for the opposite.
func (m minterm) number() *Field {
	if first := m.operators()[0]; !m.negated && first.Name == "captures" {
		return &first.Value.(Fields)[0]
	}
	return nil
}

var digits = regexp.MustCompile(`[0-9]+`)

// comparison returns the operator on a number of a comparison such as "<= 30", or nil if it is none.
func comparison(text string) Fields {
	n, err := strconv.ParseUint(digits.FindString(text), 10, 64)
	if err != nil {
		return nil
	}
	for _, op := range [][2]string{{"!=", "not"}, {"<=", "at_most"}, {">=", "at_least"}, {"<", "below"}, {">", "above"}, {"=", "equals"}} {
		if strings.HasPrefix(strings.TrimSpace(text), op[0]) {
			return Fields{{op[1], n}}
		}
	}
	return nil
}

// re2 returns a regular expression of one of Wazuh's engines as one of RE2, and whether case does not count in it.
func re2(pattern, engine string) (re string, fold bool, why string) {
	re, ok := pattern, true
	if engine == "osregex" {
		if re, ok = osRegex(pattern); !ok {
			return "", false, fmt.Sprintf("its expression %q is none of OS_Regex", pattern)
		}
	}
	if _, err := syntax.Parse(re, syntax.Perl); err != nil || engine != "osregex" && perlOnly.MatchString(strings.ReplaceAll(re, `\\`, "")) {
		return "", false, fmt.Sprintf("its regular expression %q has what RE2 cannot do, such as a lookahead", pattern)
	}
	return re, engine != "pcre2" && hasLetters(escapes.ReplaceAllString(re, "")), ""
}

var (
	escapes  = regexp.MustCompile(`\\.`)
	perlOnly = regexp.MustCompile(`\\[v]`) // what RE2 takes for something else
)

// osRegex returns an expression of OS_Regex as one of RE2. It has few special characters, and + and * stand behind one with a backslash only
// (Wazuh, "Regular Expression Syntax").
func osRegex(pattern string) (re string, ok bool) {
	classes := map[byte]string{'w': `[A-Za-z0-9@_-]`, 'W': `[^A-Za-z0-9@_-]`, 'd': `\d`, 'D': `\D`, 's': ` `, 'S': `[^ ]`, 't': `\t`,
		'p': `[()*+,\-.:;<=>?\[\]!"'#$%&|{}]`, '.': `(?s:.)`}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '\\':
			if i++; i == len(pattern) {
				return "", false
			}
			class, known := classes[pattern[i]]
			if !known && strings.IndexByte(`$()\|<`, pattern[i]) < 0 {
				return "", false
			}
			if !known {
				class = regexp.QuoteMeta(pattern[i : i+1])
			}
			b.WriteString(class)
			if i+1 < len(pattern) && (pattern[i+1] == '+' || pattern[i+1] == '*') {
				i++
				b.WriteByte(pattern[i])
			}
		case '(', ')':
			if depth++; c == ')' {
				depth -= 2
			}
			if depth < 0 {
				return "", false
			}
			b.WriteByte(c)
		case '|':
			if depth > 0 { // it stands between whole patterns only
				return "", false
			}
			b.WriteByte(c)
		case '^':
			if i > 0 && pattern[i-1] != '|' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case '$':
			if i+1 < len(pattern) && pattern[i+1] != '|' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return b.String(), depth == 0
}

// views returns what holds in each view of the registry in which the rule looks for its key.
func (r wazuhRule) views(holds func(key string) logic) (all []logic) {
	all = []logic{holds(r.key)}
	if r.key32 != "" {
		all = append(all, holds(r.key32))
	}
	return all
}

// matches returns when what the rule names is there, before "not".
func (r wazuhRule) matches() logic {
	return anyOf(r.views(func(key string) logic {
		var holds []logic
		for _, m := range r.data {
			one := is(fact{key: key, value: r.value, data: m.data})
			if m.negated {
				holds = append(holds, is(fact{key: key, value: r.value}))
				one = noneOf(one)
			}
			holds = append(holds, one)
		}
		if r.data == nil {
			holds = append(holds, is(fact{key: key, value: r.value}))
		}
		return allOf(holds...)
	})...)
}

// invalid returns when the rule is invalid.
func (r wazuhRule) invalid() logic {
	if r.why != "" || r.value == "" {
		return anyOf()
	}
	return allOf(r.views(func(key string) logic {
		needs := fact{key: key}
		if r.data != nil {
			needs.value = r.value
		}
		return noneOf(is(needs))
	})...)
}

// found returns when the rule is found.
func (r wazuhRule) found() logic {
	if r.why != "" {
		return is(fact{elsewhere: r.text})
	}
	if r.negated {
		return noneOf(r.matches(), r.invalid())
	}
	return r.matches()
}

// notFound returns when the rule is not found.
func (r wazuhRule) notFound() logic {
	r.negated = !r.negated
	return r.found()
}

// says returns when the rule is found, where it does not matter what holds where it is invalid.
func (r wazuhRule) says() logic {
	if r.why == "" && r.negated {
		return noneOf(r.matches())
	}
	return r.found()
}

// met returns when requirements are met, or are about what the input does not hold.
func (c *wazuhCheck) met() logic {
	if c.lacks() != nil {
		return allOf()
	}
	var met, absent []logic
	for _, r := range c.rules {
		r.key32 = "" // which Windows it is, both views tell
		switch {
		case c.word == "none":
			met = append(met, r.found())
		case !r.negated && len(r.data) == 1 && !r.data[0].negated:
			met = append(met, is(fact{key: r.key, value: r.value, data: r.data[0].data, pass: true}))
		default:
			met = append(met, anyOf(r.found(), r.invalid()))
		}
		if _, hive, _ := strings.Cut(r.key, `\`); strings.HasPrefix(r.key, `HKLM\`) {
			hive, _, _ = strings.Cut(strings.ToUpper(hive), `\`)
			if slices.Contains([]string{"SYSTEM", "SOFTWARE", "SAM", "SECURITY"}, hive) {
				absent = append(absent, noneOf(is(fact{hive: hive})))
			}
		}
	}
	return anyOf(append(absent, joined(c.word, met))...)
}
