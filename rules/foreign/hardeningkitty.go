package foreign

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"regvet/hive"
)

// HardeningKitty takes lists in CSV, a row for each setting, with a header (https://github.com/scipag/HardeningKitty). It reads the value with
// PowerShell, takes DefaultValue where it is missing, and compares text, or for <= and >= numbers, with RecommendedValue. PowerShell compares
// text without case. Two of its answers follow from how PowerShell turns an empty text into a number, not from what a list says: a missing
// value without a default meets "at most 5", since it counts as 0. Here it fails, as the text says.

func init() {
	formats = append(formats, format{"hardeningkitty", "lists of HardeningKitty (CSV)", isHardeningKitty, readHardeningKitty})
}

var kittyColumns = []string{"ID", "Name", "Method", "RegistryPath", "RegistryItem", "RecommendedValue", "Operator"}

func isHardeningKitty(_ string, data []byte) bool {
	head, _, _ := strings.Cut(text(data[:min(len(data), 4096)]), "\n")
	names, err := csv.NewReader(strings.NewReader(head)).Read()
	return err == nil && !slices.ContainsFunc(kittyColumns, func(c string) bool { return !slices.Contains(names, c) })
}

// kitty is one row: the cells by the names of their columns.
type kitty map[string]string

func readHardeningKitty(f *file) error {
	r := csv.NewReader(strings.NewReader(text(f.data)))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return f.csv(err)
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
		if len(cells) > len(head) {
			return f.wrong(at, 1, "has %d cells, and the head of the table %d; a comma in a cell needs quotes around it", len(cells), len(head))
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
	if method != "Registry" && method != "RegistryList" {
		return r, kittyElsewhere(method)
	}
	key, ok := driveKey(k["RegistryPath"])
	if !ok {
		return r, fmt.Sprintf("its path %q is not one of the registry", k["RegistryPath"])
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
	if method == "RegistryList" {
		return k.list(r)
	}
	name := literal(k["RegistryItem"])
	if name == "" || strings.EqualFold(name, "(default)") {
		name = "(default)"
	}
	r.Asks = r.Asks.With("value", name)
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

// demand returns what is expected of the value, and what it means that it is missing.
func (k kitty) demand() (expect Fields, missing any, why string) {
	want := k["RecommendedValue"]
	as := func(kind, operator string, v any) Fields {
		q := Fields{{operator, v}}
		if kind == "as_text" && strings.ToLower(want) != strings.ToUpper(want) {
			q = q.With("fold", true)
		}
		return Fields{{kind, q}}
	}
	op := k["Operator"]
	n, err := strconv.ParseUint(want, 10, 64)
	switch {
	case op == "=" && k.isPaths():
		expect = Fields{{"equals", texts(strings.Split(want, ";"))}, {"fold", true}}
	case op == "=":
		expect = as("as_text", "equals", want)
	case op == "=|0":
		expect = as("as_text", "in", []any{want, ""})
	case op == "!=":
		expect = as("as_text", "not", want)
	case op == "contains":
		expect = as("as_text", "contains", want)
	case slices.Contains([]string{"<=", ">=", "<=!0"}, op) && err != nil:
		return nil, nil, fmt.Sprintf("it compares sizes with %q, which is no number", want)
	case op == ">=":
		expect = as("as_number", "at_least", n)
	case op == "<=":
		expect = as("as_number", "at_most", n)
	case op == "<=!0" && n > 0:
		expect = as("as_number", "between", []any{1, n})
	default:
		return nil, nil, fmt.Sprintf("its operator %q is none of HardeningKitty's", op)
	}
	return Fields{{"data", expect}}, k.missing(), ""
}

// isPaths reports whether the value is one of the two that hold a list of paths, which the lists write with semicolons between them.
func (k kitty) isPaths() bool {
	return strings.EqualFold(k["RegistryItem"], "Machine") && strings.Contains(k["RecommendedValue"], ";")
}

// missing returns what it means that the value is not there.
func (k kitty) missing() any {
	source := "DefaultValue in the list"
	switch with, want, op := k["DefaultValue"], k["RecommendedValue"], k["Operator"]; {
	case with == "" && (op == "=|0" || op == "!=" && want != "" || op == "=" && want == ""):
		return "pass"
	case with == "":
		return "fail"
	case k.isPaths() && with == strings.ReplaceAll(want, ";", " "):
		return Fields{{"default", texts(strings.Split(want, ";"))}, {"source", source}}
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
	if k["Operator"] != "=" || !strings.EqualFold(want, k["RecommendedValue"]) {
		return Rule{}, fmt.Sprintf("of a list it asks %s %q, which is not that it holds %q", k["Operator"], k["RecommendedValue"], want)
	}
	has := Fields{{"value", "*"}, {"expect", Fields{{"data", Fields{{"as_text", Fields{{"contains", want}, {"fold", true}}}}}}}}
	r.Asks = r.Asks.With("any", []any{has})
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
		"service": "the state of a running service", "FirewallRule": "the rules of the running firewall", "CimInstance": "the running system",
		"MpPreference": "the running Defender", "MpPreferenceAsr": "the running Defender", "MpPreferenceExclusion": "the running Defender", "MpComputerStatus": "the running Defender",
		"Processmitigation": "the running system", "ScheduledTask": "the scheduled tasks", "BitLockerVolume": "the volumes of the running system", "bcdedit": "the boot configuration",
		"LanguageMode": "a session of PowerShell", "WindowsOptionalFeature": "the installed features of the running system",
	}[method]; where != "" {
		return fmt.Sprintf("its method %s asks %s, not the registry", method, where)
	}
	return fmt.Sprintf("its method %q does not ask the registry", method)
}

// driveKey returns the pattern for a path with a drive of PowerShell, such as HKLM:\SOFTWARE, or with the name of a root.
func driveKey(path string) (key string, ok bool) {
	path = strings.TrimPrefix(path, "Registry::")
	root, rest, _ := strings.Cut(strings.Trim(path, `\`), `\`)
	root = strings.ToUpper(strings.TrimSuffix(root, ":"))
	if !hive.ParsePath(root).HasRoot() {
		return "", false
	}
	all := []string{root}
	for name := range strings.SplitSeq(rest, `\`) {
		if name != "" {
			all = append(all, literal(name))
		}
	}
	return strings.Join(all, `\`), true
}
