package foreign

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// PowerSTIG (https://github.com/microsoft/PowerStig) takes the rules of a STIG from XML that was made of DISA's own: a group for each kind of rule,
// in which a RegistryRule has a key, a value, its type and data. What an organisation has to choose is in NAME.org.default.xml beside it; the test
// string of the rule tells what it can choose. The resources Registry (PSDscResources) and RegistryPolicyFile (GPRegistryPolicyDsc) judge: type and
// data must be the same, text in any case, numbers by size; Ensure Absent and the data ShouldBeAbsent want that the value is not there, or the key
// if no value is named. A value that is not there fails, whatever Windows does without it.
//
// The tool differs from the text of its rules in these, where the text counts: it asks for the very value that the organisation chose, and here all
// that the rule lets it choose passes; it takes strings of a list in any order; RegistryPolicyFile reads the file of the group policy and not the
// registry; and a number in quotes is compared as text there, so that "10" is below "4".

func init() {
	formats = append(formats, format{"powerstig", "processed STIGs of PowerSTIG (XML)", isPowerSTIG, readPowerSTIG})
}

const (
	stigRoot  = "DISASTIG"
	orgRoot   = "OrganizationalSettings"
	orgEnding = ".org.default.xml"
	absent    = "ShouldBeAbsent" // in place of data: the value must not be there
)

func isPowerSTIG(_ string, data []byte) bool {
	root := rootOf(data)
	return root == stigRoot || root == orgRoot
}

// stigRule is one rule of the file.
type stigRule struct {
	kind string // the name of its group, such as RegistryRule
	line int
	// of holds the attributes and the texts of the elements of the rule by their names.
	of map[string]string

	orgFile string            // the name of the file that tells what the organisation chose
	noOrg   bool              // whether there is no such file
	org     map[string]string // what the organisation chose for the rule; nil for nothing
}

func readPowerSTIG(f *file) error {
	orgFile := strings.TrimSuffix(f.File, filepath.Ext(f.File)) + orgEnding
	organisation, err := f.organisation(orgFile)
	noOrg := errors.Is(err, fs.ErrNotExist)
	if err != nil && !noOrg {
		return err
	}
	x := f.xml(f.data)
	root, err := x.root()
	if err != nil {
		return err
	}
	switch root.Name.Local {
	case stigRoot:
	case orgRoot:
		return f.wrong(0, 0, "holds what an organisation chose for a STIG, and no rules; import NAME.xml, and NAME%s beside it is read too", orgEnding)
	default:
		return f.wrong(x.line, x.column, "begins with <%s>; a STIG of PowerSTIG begins with <%s>", root.Name.Local, stigRoot)
	}
	about := attributes(root)
	f.Title = about["title"]
	if f.Title != "" {
		f.References = []string{fmt.Sprintf("DISA: %s, version %s, %s", f.Title, about["fullversion"], about["releaseinfo"])}
	}
	for {
		kind, r, err := x.rule()
		if err != nil || r == nil {
			return err
		}
		rule := stigRule{kind: kind, line: x.ruleLine, of: r, orgFile: orgFile, noOrg: noOrg, org: organisation[r["id"]]}
		row := Row{ID: r["id"], Title: r["title"], Line: rule.line}
		one, lacks := rule.rule()
		row.Lacks = lacks
		if one.Asks != nil {
			one.Tags = append(one.Tags, tag(about["stigid"])...)
			row.Rules = []Rule{one}
		}
		if err := f.add(row); err != nil {
			return err
		}
	}
}

// tag returns a name as a tag, or none.
func tag(name string) []string {
	if w := strings.ToLower(word(name, "")); w != "" {
		return []string{w}
	}
	return nil
}

// organisation returns what the file beside that of the STIG says an organisation chose: the attributes of each setting by the ID of its rule.
func (f *file) organisation(name string) (map[string]map[string]string, error) {
	data, err := f.beside(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, f.wrong(0, 0, "%s beside it %v", name, err)
	}
	beside := &file{Source: &Source{Path: filepath.Join(filepath.Dir(f.Path), name)}}
	x := beside.xml(data)
	root, err := x.root()
	if err != nil {
		return nil, err
	}
	if root.Name.Local != orgRoot {
		return nil, beside.wrong(x.line, x.column, "begins with <%s>; what an organisation chose begins with <%s>", root.Name.Local, orgRoot)
	}
	all := map[string]map[string]string{}
	for {
		e, err := x.element("OrganizationalSetting")
		if err != nil || e == nil {
			return all, err
		}
		setting := attributes(*e)
		if _, old := setting["value"]; old { // as older versions name it
			setting["ValueData"] = setting["value"]
		}
		all[setting["id"]] = setting
	}
}

// rule returns what the rule becomes, and what of it is lacking. It has no questions if there is none.
func (r *stigRule) rule() (one Rule, lacks []string) {
	if r.of["conversionstatus"] == "fail" {
		return one, []string{"PowerSTIG could not convert it (conversionstatus fail)"}
	}
	one = Rule{
		ID: "STIG-" + word(r.of["id"], "rule"), Title: r.of["title"], Severity: "medium", Why: discussion(r.of["Description"]),
		Tags: []string{"powerstig"},
	}
	for cat, severity := range []string{"high", "medium", "low"} {
		if strings.EqualFold(r.of["severity"], severity) {
			one.Severity, one.Levels = severity, []string{"stig-cat" + strconv.Itoa(cat+1)}
		}
	}
	if legacy := r.text("LegacyId"); legacy != "" {
		one.References = []string{"DISA: rule " + legacy + " in older versions"}
	}
	var asks stigAsks
	switch r.kind {
	case "RegistryRule":
		asks = r.registry()
	case "ServiceRule":
		asks = r.service()
	default:
		asks.why = r.elsewhere()
	}
	if asks.why != "" {
		return Rule{}, []string{asks.why}
	}
	if r.of["conversionstatus"] == "warning" {
		asks.lacks = append(asks.lacks, "PowerSTIG converted it with a warning")
	}
	one.Asks = asks.fields
	one.Title = strings.TrimPrefix(one.Title+": "+asks.about, ": ")
	return one, asks.lacks
}

// text returns an element without the blanks around it, which stand in an empty one, or what the organisation chose in its place.
func (r *stigRule) text(name string) string {
	if t := strings.TrimSpace(r.of[name]); t != "" {
		return t
	}
	return strings.TrimSpace(r.org[name])
}

// discussion returns why a rule matters, which stands in its description between tags.
func discussion(description string) string {
	_, rest, _ := strings.Cut(description, "<VulnDiscussion>")
	text, _, _ := strings.Cut(rest, "</VulnDiscussion>")
	return text
}

// stigAsks is what a rule asks of the registry.
type stigAsks struct {
	about  string // the name of the value or key, for people
	fields Fields
	lacks  []string
	why    string // why it asks nothing
}

func (a *stigAsks) none(format string, args ...any) { a.why = fmt.Sprintf(format, args...) }

func (a *stigAsks) ask(name string, value any) { a.fields = a.fields.With(name, value) }

// registry returns what a RegistryRule asks.
func (r *stigRule) registry() (a stigAsks) {
	path := strings.TrimSpace(r.of["Key"])
	if path == "" && r.text("DuplicateOf") != "" {
		a.none("it is the same as %s, which asks for it", r.text("DuplicateOf"))
		return a
	}
	key, ok := driveKey(path)
	if !ok {
		a.none("its key %.100q is not one of the registry", path)
		return a
	}
	a.ask("key", key)
	name := strings.TrimSpace(r.of["ValueName"])
	wanted, empty := stigWanted{kind: stigKinds[strings.ToLower(r.text("ValueType"))], data: r.data()}, name == ""
	gone := strings.EqualFold(r.text("Ensure"), "Absent") || strings.EqualFold(wanted.data, absent)
	if rest, ok := strings.CutPrefix(name, "**del."); ok { // as policies name a value that they delete
		name, gone = rest, true
	}
	a.about = name
	if empty && (gone || wanted.kind.name == "" && wanted.data == "") {
		a.about = path[strings.LastIndexByte(path, '\\')+1:]
		a.ask("expect", Fields{{"exists", !gone}})
		if gone {
			a.ask("fix", unsafeFix(Fields{{"delete", "key"}}, "all keys and values below the key go with it"))
		}
		return a
	}
	if empty || strings.EqualFold(name, "(default)") {
		a.about = "(default)"
		a.ask("value", "(default)")
	} else {
		a.ask("value", literal(name))
	}
	switch {
	case gone:
		a.absent()
	case wanted.kind.name == "":
		a.none("its ValueType %.100q is no type of the registry", r.text("ValueType"))
	case strings.EqualFold(r.text("OrganizationValueRequired"), "True"):
		r.organisations(&a, wanted)
	default:
		a.equals(wanted)
	}
	return a
}

// data returns the data that the file of the STIG asks for. Blanks around them count, but a text of blanks alone is an empty element.
func (r *stigRule) data() string {
	if strings.TrimSpace(r.of["ValueData"]) == "" {
		return ""
	}
	return r.of["ValueData"]
}

// absent asks that the value is not there.
func (a *stigAsks) absent() {
	a.ask("expect", Fields{{"exists", false}})
	a.ask("fix", Fields{{"delete", "value"}})
}

// equals asks for these data.
func (a *stigAsks) equals(w stigWanted) {
	demand, set, why := w.equal()
	if why != "" {
		a.none("%s", why)
		return
	}
	a.ask("expect", Fields{{"type", w.kind.name}, {"data", demand}})
	a.ask("missing", "fail")
	if set != nil {
		a.ask("fix", set)
	}
}

// organisations asks for what an organisation can choose. What it did choose is what the fix sets.
func (r *stigRule) organisations(a *stigAsks, w stigWanted) {
	test, understood := parseStigTest(r.text("OrganizationValueTestString"))
	chosen := r.org["ValueData"]
	if r.noOrg {
		a.lacks = append(a.lacks, fmt.Sprintf("what the organisation chose is in %s, which is not beside it", r.orgFile))
	}
	w.data = chosen
	if !understood {
		switch {
		case r.noOrg:
			a.none("its value is for the organisation to choose, in %s, which is not beside it", r.orgFile)
		case strings.TrimSpace(chosen) == "":
			a.none("its value is for the organisation to choose, and %s has none", r.orgFile)
		case strings.EqualFold(chosen, absent):
			a.absent()
		default:
			a.equals(w)
		}
		return
	}
	asked, why := test.ask(w.kind)
	if why != "" {
		a.none("%s", why)
		return
	}
	value := a.fields[len(a.fields)-1]
	switch {
	case len(asked.demands) == 0:
		a.absent()
		return
	case len(asked.demands) > 1: // of which one must hold: that is a list of conditions, in place of the value
		a.fields = a.fields[:len(a.fields)-1]
		var any []any
		for _, d := range asked.demands {
			any = append(any, Fields{value, {"expect", Fields{{"type", w.kind.name}, {"data", d}}}})
		}
		if asked.absent {
			any = append(any, Fields{value, {"expect", Fields{{"exists", false}}}})
		}
		a.ask("any", any)
		return
	}
	missing := "fail"
	if asked.absent {
		missing = "pass"
	}
	a.ask("expect", Fields{{"type", w.kind.name}, {"data", asked.demands[0]}})
	a.ask("missing", missing)
	if fix := r.chosen(w, test, asked.first); fix != nil {
		a.ask("fix", fix)
	}
}

// chosen returns the fix of a value that an organisation chooses: to what it chose, if it can, else to the first that it can choose.
func (r *stigRule) chosen(w stigWanted, test stigTest, first string) Fields {
	because := fmt.Sprintf("the organisation can choose another value, in %s", r.orgFile)
	switch {
	case strings.TrimSpace(w.data) == "":
	case !test.allows(w.data, w.kind):
		because = fmt.Sprintf("the organisation chose %s, which the rule does not allow", line(w.data))
	case strings.EqualFold(w.data, absent):
		return Fields{{"delete", "value"}}
	default:
		_, set, _ := w.equal()
		return set
	}
	if first == "" || !test.allows(first, w.kind) {
		return nil
	}
	w.data = first
	if _, set, _ := w.equal(); set != nil {
		return unsafeFix(set, because)
	}
	return nil
}

// stigKind is a type of values.
type stigKind struct {
	name string // as Windows has it
	bits int    // of a number; 0 for all else
}

// stigKinds are the types by what PowerSTIG calls them, in small letters.
var stigKinds = map[string]stigKind{
	"string": {name: "REG_SZ"}, "expandstring": {name: "REG_EXPAND_SZ"}, "multistring": {name: "REG_MULTI_SZ"}, "binary": {name: "REG_BINARY"},
	"dword": {"REG_DWORD", 32}, "qword": {"REG_QWORD", 64},
	"reg_sz": {name: "REG_SZ"}, "reg_expand_sz": {name: "REG_EXPAND_SZ"}, "reg_multi_sz": {name: "REG_MULTI_SZ"}, "reg_binary": {name: "REG_BINARY"},
	"reg_dword": {"REG_DWORD", 32}, "reg_qword": {"REG_QWORD", 64},
}

// stigWanted is the data that a value shall have, as text.
type stigWanted struct {
	kind stigKind
	data string
}

// equal returns the operators that ask for the data, and the fix that sets them, which is nil for a text of several lines: XML does not tell what
// its lines end with.
func (w stigWanted) equal() (demand, set Fields, why string) {
	fix := func(data any) Fields { return Fields{{"set", Fields{{"type", w.kind.name}, {"data", data}}}} }
	switch {
	case w.kind.bits > 0:
		n, ok := stigNumber(w.data, w.kind.bits)
		if !ok {
			return nil, nil, fmt.Sprintf("its data %.100q are no number of a %s", w.data, w.kind.name)
		}
		return Fields{{"equals", n}}, fix(n), ""
	case w.kind.name == "REG_BINARY":
		digits := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(w.data)), "0x")
		b, err := hex.DecodeString(strings.Repeat("0", len(digits)%2) + digits)
		if err != nil || len(b) == 0 {
			return nil, nil, fmt.Sprintf("its data %.100q are no bytes in hexadecimal", w.data)
		}
		return Fields{{"bytes", hex.EncodeToString(b)}}, fix(hex.EncodeToString(b)), ""
	case w.kind.name == "REG_MULTI_SZ":
		all := []any{}
		if w.data != "" {
			all = texts(strings.Split(w.data, ";"))
		}
		return folded(Fields{{"equals", all}}, w.data), fix(all), ""
	case strings.ContainsAny(w.data, "\r\n"):
		return Fields{{"matches", `(?i)^\s*` + spaced(w.data, `\s+`) + `\s*$`}}, nil, ""
	}
	return folded(Fields{{"equals", w.data}}, w.data), fix(w.data), ""
}

// spaced returns the regular expression for the words of a text with something else between them.
func spaced(text, between string) string {
	words := strings.Fields(text)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return strings.Join(words, between)
}

// stigNumber returns the number that a text is, in decimal or with 0x in hexadecimal. One below 0 stands for the number of so many bits that
// Windows PowerShell shows as it.
func stigNumber(text string, bits int) (uint64, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, bits)
		return n, err == nil
	}
	if n, err := strconv.ParseUint(text, 10, bits); err == nil {
		return n, true
	}
	n, err := strconv.ParseInt(text, 10, bits)
	return uint64(n) & (math.MaxUint64 >> (64 - bits)), err == nil
}

// service returns what a ServiceRule asks: how Windows starts the service.
func (r *stigRule) service() (a stigAsks) {
	name, startup := r.text("ServiceName"), r.text("StartupType")
	key, ok := serviceKey(name)
	switch {
	case name == "":
		a.none("it names no service; the organisation has to, in %s", r.orgFile)
		return a
	case !ok:
		a.none("its service %.100q is no name of one", name)
		return a
	}
	a.about = name
	a.ask("key", key)
	if strings.EqualFold(r.text("Ensure"), "Absent") {
		a.ask("value", "Start")
		a.ask("expect", Fields{{"exists", false}})
		return a
	}
	start, ok := serviceStarts[strings.ToLower(startup)]
	if !ok {
		a.none("its StartupType %.100q is none that a service has in the registry", startup)
		return a
	}
	a.fields = append(a.fields, serviceStart(start, "fail")...)
	if state := r.text("ServiceState"); state != "" {
		a.lacks = append(a.lacks, fmt.Sprintf("whether the service runs (its ServiceState is %s) is not in the registry", state))
	}
	return a
}

// elsewhere says why a rule of another kind is none here.
func (r *stigRule) elsewhere() string {
	if option := r.text("OptionName"); r.kind == "SecurityOptionRule" && option != "" {
		return fmt.Sprintf("the security option %.100q is set through the security policy, not by a value of the registry", option)
	}
	if where := stigElsewhere[r.kind]; where != "" {
		return fmt.Sprintf("a rule of the kind %s asks for %s", r.kind, where)
	}
	return fmt.Sprintf("a rule of the kind %s does not ask the registry", r.kind)
}

// stigElsewhere is what other kinds of rules ask for.
var stigElsewhere = map[string]string{
	"AccountPolicyRule":   "the account policy, which Windows keeps in the SAM hive in a form of its own",
	"AuditPolicyRule":     "the audit policy, which Windows keeps in the SECURITY hive in a form of its own",
	"AuditSettingRule":    "an answer of the running system to a query of WMI",
	"DocumentRule":        "a document of the organisation",
	"ManualRule":          "a person who looks",
	"PermissionRule":      "the permissions of a file or key, which the language of regvet does not ask about",
	"RootCertificateRule": "certificates that the organisation has",
	"UserRightRule":       "the rights of users, which Windows keeps in the SECURITY hive in a form of its own",
	"WindowsFeatureRule":  "an installed feature, which the servicing of the running system tells",
}
