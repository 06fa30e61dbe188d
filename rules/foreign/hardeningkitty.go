package foreign

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// HardeningKitty takes lists in CSV, a row for each setting, with a header (https://github.com/scipag/HardeningKitty). It reads the value with
// PowerShell, takes DefaultValue where it is missing, and compares text, or for <= and >= numbers, with RecommendedValue. PowerShell compares
// text without case, but "contains" is the method of .NET, which minds it. The strings of four lists it writes with semicolons between them, and in
// hardened paths blanks do not count. Where it saves the state of a computer as a list, the value -NODATA- stands for one that is missing.
//
// Some of its answers follow from how PowerShell turns texts into numbers or shows the properties of an object, not from what a list says; the
// text counts here. A missing value without a default, or an empty text, meets "at most 5" there, since it counts as 0, and here it fails. It puts
// the variables of the computer into REG_EXPAND_SZ, whose names the lists have. It finds the text of a RegistryList in the name of a value or key,
// too, where only data count here. Of a service it asks how Windows starts it, by the registry, whatever the list says of one that is missing.

func init() {
	formats = append(formats, format{"hardeningkitty", "lists of HardeningKitty (CSV)", isHardeningKitty, readHardeningKitty})
}

// kittyNeeds are the columns that each list has, and kittyTakes the others that say something here. The order and case of names do not count.
var (
	kittyNeeds = []string{"ID", "Name", "Method", "RegistryPath", "RegistryItem", "RecommendedValue", "Operator"}
	kittyTakes = []string{"MethodArgument", "Category", "DefaultValue", "Severity", "Filter"}
)

func isHardeningKitty(_ string, data []byte) bool {
	r := kittyTable(text(data[:min(len(data), 4096)]))
	r.LazyQuotes = true // the head stands before what may be cut
	names, err := r.Read()
	head := kittyHead(names)
	return err == nil && !slices.ContainsFunc(kittyNeeds, func(c string) bool { return !slices.Contains(head, c) })
}

// kittyTable returns the table of a list, whose cells may be separated by semicolons or tabs, too, as spreadsheets save them. They may tell the
// separator in a line of its own before the head.
func kittyTable(list string) *csv.Reader {
	before := len(list) - len(strings.TrimLeft(list, " \t\r\n"))
	head, rest, _ := strings.Cut(list[before:], "\n")
	separator := ','
	if told, ok := strings.CutPrefix(strings.TrimSpace(head), "sep="); ok && len(told) == 1 {
		separator = rune(told[0])
		list = strings.Repeat("\n", strings.Count(list[:before], "\n")+1) + rest // so that lines keep their numbers
	} else {
		for _, c := range ";\t" {
			if strings.Count(head, string(c)) > strings.Count(head, string(separator)) {
				separator = c
			}
		}
	}
	r := csv.NewReader(strings.NewReader(list))
	r.Comma, r.FieldsPerRecord = separator, -1
	return r
}

// kittyHead returns the names of columns as this file writes them.
func kittyHead(names []string) (head []string) {
	for _, name := range names {
		name = strings.TrimSpace(name)
		for _, known := range slices.Concat(kittyNeeds, kittyTakes) {
			if strings.EqualFold(name, known) {
				name = known
			}
		}
		head = append(head, name)
	}
	return head
}

// kitty is one row: the cells by the names of their columns.
type kitty map[string]string

func readHardeningKitty(f *file) error {
	r := kittyTable(text(f.data))
	head, err := r.Read()
	if err != nil {
		return f.csv(err)
	}
	head = kittyHead(head)
	if i := slices.IndexFunc(kittyNeeds, func(c string) bool { return !slices.Contains(head, c) }); i >= 0 {
		at, _ := r.FieldPos(0)
		return f.wrong(at, 1, "has no column %s; a list of HardeningKitty has %s", kittyNeeds[i], strict.List(kittyNeeds, "and"))
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return f.csv(err)
		}
		at, _ := r.FieldPos(0)
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" { // as spreadsheets fill rows up
			cells = cells[:len(cells)-1]
		}
		if len(cells) > len(head) {
			return f.wrong(at, 1, "has %d cells, and the head of the table %d; a cell that holds a %q needs quotes around it", len(cells), len(head), r.Comma)
		}
		if len(cells) == 0 {
			continue
		}
		k := kitty{}
		for i, cell := range cells {
			k[head[i]] = cell
		}
		row := Row{ID: k["ID"], Title: k["Name"], Line: at}
		if rule, why := k.rule(); why == "" {
			row.Rules = []Rule{rule}
		} else {
			row.Lacks = []string{why}
		}
		if err := f.add(row); err != nil {
			return err
		}
	}
}

// csv returns a mistake of the reader of CSV as one of the file.
func (f *file) csv(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return f.wrong(p.Line, p.Column, "is no CSV from here on: %v", p.Err)
	}
	return f.wrong(0, 0, "is no CSV: %v", err)
}

// rule returns the rule of a row, or why there is none.
func (k kitty) rule() (r Rule, why string) {
	method := k["Method"]
	key, ok := driveKey(k["RegistryPath"])
	switch {
	case method == "service":
		key, ok = serviceKey(k["MethodArgument"])
	case method != "Registry" && method != "RegistryList":
		return r, kittyElsewhere(method)
	}
	if !ok && method == "service" {
		return r, fmt.Sprintf("its service %.100q is no name of one", k["MethodArgument"])
	}
	if !ok {
		return r, fmt.Sprintf("its path %.100q is not one of the registry", k["RegistryPath"])
	}
	r = Rule{
		ID: "HK-" + word(k["ID"], "row"), Title: k["Name"], Severity: kittySeverity(k["Severity"]),
		Tags: []string{"hardeningkitty"}, Asks: Fields{{"key", key}},
	}
	if c := strings.ToLower(word(k["Category"], "")); c != "" {
		r.Tags = append(r.Tags, c)
	}
	if level := word(k["Filter"], ""); level != "" {
		r.Levels = []string{level}
	}
	switch method {
	case "RegistryList":
		return k.list(r)
	case "service":
		return k.service(r)
	}
	name := literal(k["RegistryItem"])
	if name == "" || strings.EqualFold(name, "(default)") {
		name = "(default)"
	}
	r.Asks = r.Asks.With("value", name)
	if k["Operator"] == "=" && k["RecommendedValue"] == noData {
		r.Asks = r.Asks.With("expect", Fields{{"exists", false}})
		r.Asks = r.Asks.With("fix", unsafeFix(Fields{{"delete", "value"}}, "the list tells only that the value was missing when it was saved"))
		return r, ""
	}
	expect, missing, why := k.demand()
	if why != "" {
		return r, why
	}
	r.Asks = r.Asks.With("expect", expect).With("missing", missing)
	if fix := k.fix(); fix != nil {
		r.Asks = r.Asks.With("fix", fix)
	}
	return r, ""
}

// noData is what a list has for a value that was missing when the list was saved from a computer.
const noData = "-NODATA-"

// demand returns what is expected of the value, and what it means that it is missing.
func (k kitty) demand() (expect Fields, missing any, why string) {
	want := k["RecommendedValue"]
	asText := func(operator string, v any) Fields { return Fields{{"as_text", folded(Fields{{operator, v}}, want)}} }
	asNumber := func(operator string, v any) Fields { return Fields{{"as_number", Fields{{operator, v}}}} }
	op := k["Operator"]
	n, err := strconv.ParseUint(want, 10, 64)
	switch {
	case op == "=" && k.isList():
		expect = Fields{{"equals", texts(strings.Split(want, ";"))}, {"fold", true}}
	case op == "=" && strings.HasSuffix(strings.ToLower(strings.TrimRight(k["RegistryPath"], `\`)), hardenedPaths):
		expect = asText("matches", "^ *"+regexp.MustCompile(` *([,=]) *`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(want)), " *$1 *")+" *$")
	case op == "=":
		expect = asText("equals", want)
	case op == "=|0":
		expect = asText("in", []any{want, ""})
	case op == "!=":
		expect = asText("not", want)
	case op == "contains":
		expect = Fields{{"as_text", Fields{{"contains", want}}}}
	case slices.Contains([]string{"<=", ">=", "<=!0"}, op) && err != nil:
		return nil, nil, fmt.Sprintf("it compares sizes with %.100q, which is no number", want)
	case op == ">=":
		expect = asNumber("at_least", n)
	case op == "<=":
		expect = asNumber("at_most", n)
	case op == "<=!0" && n > 0:
		expect = asNumber("between", []any{1, n})
	default:
		return nil, nil, fmt.Sprintf("its operator %.100q is none of HardeningKitty's", op)
	}
	return Fields{{"data", expect}}, k.missing(), ""
}

// hardenedPaths is the end of the key of the settings in which blanks do not count, in small letters.
const hardenedPaths = `\policies\microsoft\windows\networkprovider\hardenedpaths`

// isList reports whether the value is one of those that hold a list of texts, which the lists write with semicolons between them.
func (k kitty) isList() bool {
	isOne := func(name string) bool { return strings.EqualFold(name, k["RegistryItem"]) }
	return strings.Contains(k["RecommendedValue"], ";") && slices.ContainsFunc([]string{"Machine", "EccCurves", "NullSessionPipes", "NullSessionShares"}, isOne)
}

// missing returns what it means that the value is not there.
func (k kitty) missing() any {
	source := "DefaultValue in the list"
	switch with, want, op := k["DefaultValue"], k["RecommendedValue"], k["Operator"]; {
	case with == "" && (op == "=|0" || op == "!=" && want != "" || op == "=" && want == ""):
		return "pass"
	case with == "":
		return "fail"
	case k.isList() && with == strings.ReplaceAll(want, ";", " "): // as older versions showed them
		return Fields{{"default", texts(strings.Split(want, ";"))}, {"source", source}}
	case k.isList():
		return Fields{{"default", texts(strings.Split(with, ";"))}, {"source", source}}
	default:
		if n, err := strconv.ParseUint(with, 10, 64); err == nil {
			return Fields{{"default", n}, {"source", source}}
		}
		return Fields{{"default", with}, {"source", source}}
	}
}

// fix returns what sets the recommended number, or nil if it is none.
func (k kitty) fix() Fields {
	n, err := strconv.ParseUint(k["RecommendedValue"], 10, 32)
	if err != nil || k["Operator"] == "!=" {
		return nil
	}
	return Fields{{"set", Fields{{"type", "REG_DWORD"}, {"data", n}}}, {"safe", false}, {"because", "the list does not tell the type of the value; numbers are REG_DWORD but for a few"}}
}

// list completes the rule of a RegistryList, which asks whether any value of the key has a text in its data.
func (k kitty) list(r Rule) (Rule, string) {
	want := k["RegistryItem"]
	has := Fields{{"value", "*"}, {"expect", Fields{{"data", Fields{{"as_text", Fields{{"contains", want}, {"fold", true}}}}}}}}
	if k["Operator"] == "=" && want != "" && k["RecommendedValue"] == noData {
		r.Asks = r.Asks.With("none", []any{has})
		return r, ""
	}
	if want == "" {
		return Rule{}, "it names no text that the list shall hold"
	}
	if k["Operator"] != "=" || !strings.EqualFold(want, k["RecommendedValue"]) {
		return Rule{}, fmt.Sprintf("of a list it asks %s %.100q, which is not that it holds %.100q", k["Operator"], k["RecommendedValue"], want)
	}
	r.Asks = r.Asks.With("any", []any{has})
	return r, ""
}

// service completes the rule of a service, which asks how Windows starts it. A service that is not there has no start, whatever its default is.
func (k kitty) service(r Rule) (Rule, string) {
	start, ok := serviceStarts[strings.ToLower(k["RecommendedValue"])]
	if !ok {
		return Rule{}, fmt.Sprintf("its service shall start as %.100q, which no service does", k["RecommendedValue"])
	}
	missing := map[string]string{"=": "fail", "=|0": "pass"}[k["Operator"]]
	if missing == "" {
		return Rule{}, fmt.Sprintf("of a service it asks %s, and not how it starts", k["Operator"])
	}
	r.Asks = append(r.Asks, serviceStart(start, missing)...)
	return r, ""
}

func texts(all []string) []any {
	var out []any
	for _, t := range all {
		out = append(out, t)
	}
	return out
}

func kittySeverity(word string) string {
	switch w := strings.ToLower(word); w {
	case "low", "medium", "high", "critical":
		return w
	}
	return "info" // a row that only shows a value
}

// kittyElsewhere says why a row that asks by another method is no rule.
func kittyElsewhere(method string) string {
	if where := map[string]string{
		"accesschk": "the rights of users in the security database", "auditpol": "the audit policy, which Windows keeps in the SECURITY hive in a form of its own",
		"secedit": "the security database", "accountpolicy": "the account policy in the SAM", "localaccount": "the accounts in the SAM",
		"FirewallRule": "the rules of the running firewall", "CimInstance": "the running system",
		"MpPreference": "the running Defender", "MpPreferenceAsr": "the running Defender", "MpPreferenceExclusion": "the running Defender", "MpComputerStatus": "the running Defender",
		"Processmitigation": "the running system", "ScheduledTask": "the scheduled tasks", "BitLockerVolume": "the volumes of the running system", "bcdedit": "the boot configuration",
		"LanguageMode": "a session of PowerShell", "WindowsOptionalFeature": "the installed features of the running system",
	}[method]; where != "" {
		return fmt.Sprintf("its method %s asks %s, not the registry", method, where)
	}
	return fmt.Sprintf("its method %.100q does not ask the registry", method)
}

// driveKey returns the pattern for a path with a drive of PowerShell, such as HKLM:\SOFTWARE, or with the name of a root.
func driveKey(path string) (key string, ok bool) {
	path = strings.TrimPrefix(path, "Registry::")
	root, rest, _ := strings.Cut(strings.Trim(path, `\`), `\`)
	root, ok = hive.LongRoot(strings.TrimSuffix(strings.TrimSpace(root), ":"))
	if !ok {
		return "", false
	}
	all := []string{hive.ShortRootNames()[slices.Index(hive.RootNames(), root)]}
	for name := range strings.SplitSeq(rest, `\`) {
		if name != "" {
			all = append(all, literal(name))
		}
	}
	return strings.Join(all, `\`), true
}
