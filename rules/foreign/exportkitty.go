package foreign

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"regvet/hive"
	"regvet/rules"
)

// kittyColumnNames is the head of the lists of today, in their order.
var kittyColumnNames = []string{
	"ID", "Category", "Name", "Method", "MethodArgument", "RegistryPath", "RegistryItem", "RegistryPathIntune", "RegistryPathDCP", "RegistryItemIntune",
	"ClassName", "Namespace", "Property", "DefaultValue", "DefaultValueIntune", "RecommendedValue", "RecommendedValueIntune", "Operator", "OperatorIntune",
	"Severity", "Filter",
}

// exportHardeningKitty writes a list. See hardeningkitty.go for how one is read.
func exportHardeningKitty(x *Exported, all []*rules.Rule) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(kittyColumnNames)
	taken := map[string]bool{}
	for _, r := range all {
		k, lacks, why := x.kitty(r)
		if why != "" {
			x.refuse(r, why)
			continue
		}
		x.note(r, lacks...)
		if k["ID"] = sourceID(r); taken[k["ID"]] {
			k["ID"] = r.ID
		}
		taken[k["ID"]] = true
		var cells []string
		for _, name := range kittyColumnNames {
			cells = append(cells, k[name])
		}
		w.Write(cells)
	}
	w.Flush() // into memory, which takes everything
	x.Files = []ExportedFile{{false, b.Bytes()}}
	return nil
}

// kitty returns the row of a rule with what it lacks, or why there is none.
func (x *Exported) kitty(r *rules.Rule) (k kitty, lacks []string, why string) {
	p, why := r.Plain(x.windows)
	switch {
	case why != "":
		return nil, nil, why
	case p.AboutKey && !p.AnyValue:
		return nil, nil, "it asks of a key, and a list asks of values"
	case p.Exists != nil && !*p.Exists:
		return nil, nil, "it wants that there is no such value, which no operator of a list says"
	case p.Asked == "":
		return nil, nil, "it does not ask the data"
	case p.Data == nil:
		return nil, nil, "no operator of a list asks this: " + p.Asked
	}
	k = kitty{
		"Name": line(r.Title), "Category": r.Pack, "Method": "Registry", "RegistryPath": drivePath(p.Key), "RegistryItem": kittyItem(p.Value),
		"Severity": kittyWord(r.Terms(x.windows).Severity),
	}
	if i := slices.IndexFunc(r.Tags, func(tag string) bool { return tag != "hardeningkitty" }); i >= 0 {
		k["Category"] = r.Tags[i]
	}
	if len(r.Levels) > 0 {
		k["Filter"] = r.Levels[0]
	}
	if p.AnyValue {
		lacks, why = k.askList(p.Data)
	} else {
		lacks, why = k.ask(p)
	}
	for _, name := range []string{"RegistryPath", "RegistryItem", "RecommendedValue", "DefaultValue"} {
		if hive.Printable(k[name]) != k[name] || strings.ContainsFunc(k[name], func(c rune) bool { return c < ' ' }) {
			why = fmt.Sprintf("its %s holds a character that no list has", name)
		}
	}
	return k, lacks, why
}

// askList completes the row of a rule that asks whether any value of a key has a text in its data.
func (k kitty) askList(c *rules.Comparison) (lacks []string, why string) {
	if !c.Shown || c.Contains == nil {
		return nil, "a list asks of all values of a key only whether one has a text in it"
	}
	k["Method"], k["RegistryItem"], k["RecommendedValue"], k["Operator"] = "RegistryList", *c.Contains, *c.Contains, "="
	if !c.Fold {
		lacks = append(lacks, "that case counts")
	}
	return lacks, ""
}

// ask completes the row of a rule that asks of one value.
func (k kitty) ask(p rules.Plain) (lacks []string, why string) {
	c := p.Data
	if k["Operator"], k["RecommendedValue"] = kittyOperator(p.Value, c); k["Operator"] == "" {
		return nil, "no operator of a list asks this: " + p.Asked
	}
	if len(p.Types) > 0 || !c.Shown && c.List == nil {
		lacks = append(lacks, "the type of the value")
	}
	switch minds := k["Operator"] == "contains"; { // which is the one operator for which case counts
	case c.Fold == !minds || !hasLetters(k["RecommendedValue"]):
	case minds:
		lacks = append(lacks, "that case does not count")
	default:
		lacks = append(lacks, "that case counts")
	}
	natural := k.missing() == "pass" // without a default
	switch m := p.Missing; {
	case m.Pass && !natural:
		if k["DefaultValue"] = k["RecommendedValue"]; k["DefaultValue"] == "" { // which is good
			lacks = append(lacks, "that the value may be missing")
		}
	case m.Default != nil:
		k["DefaultValue"] = p.Default
		if m.Windows() != "" {
			lacks = append(lacks, "of which Windows the default is known")
		}
	case !m.Pass && natural:
		lacks = append(lacks, "that the value must be there")
	}
	return lacks, ""
}

// kittyOperator returns the operator for a test and what it compares with, or "".
func kittyOperator(name string, c *rules.Comparison) (operator, with string) {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	switch {
	case c.Numbers && c.Min == c.Max && !c.Shown:
		return "=", number(c.Min)
	case c.Numbers && c.Max == math.MaxUint64:
		return ">=", number(c.Min)
	case c.Numbers && c.Min == 0:
		return "<=", number(c.Max)
	case c.Numbers && c.Min == 1:
		return "<=!0", number(c.Max)
	case len(c.Texts) == 1:
		return "=", c.Texts[0]
	case len(c.Texts) == 2 && c.Texts[1] == "":
		return "=|0", c.Texts[0]
	case c.Not != nil:
		return "!=", *c.Not
	case c.Contains != nil:
		return "contains", *c.Contains
	case len(c.List) > 1 && strings.EqualFold(name, "Machine"):
		return "=", strings.Join(c.List, ";")
	}
	return "", ""
}

// drivePath returns a key as PowerShell finds it.
func drivePath(key hive.Path) string {
	root := key[0]
	switch short := shortRoot(root); short {
	case "HKLM", "HKCU":
		root = short + ":"
	default:
		root = "Registry::" + root
	}
	return strings.Join(append([]string{root}, key[1:]...), `\`)
}

func kittyItem(name string) string {
	if name == "" {
		return "(Default)"
	}
	return name
}

func kittyWord(s rules.Severity) string {
	switch s {
	case rules.Info:
		return "Low" // the lowest of a list
	case rules.Critical:
		return "High"
	}
	word := s.String()
	return strings.ToUpper(word[:1]) + word[1:]
}
