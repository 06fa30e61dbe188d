package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules"
)

// Docs writes a reference of the packs in Markdown, with those of their rules that are given. Packs without a given rule are left out.
func Docs(w io.Writer, packs []*rules.Pack, all []*rules.Rule) error {
	p := &page{}
	fmt.Fprintf(p, "# Rules\n\nWritten by `regvet rules docs`. `regvet rules show RULE` says the same of one rule.\n")
	for _, pack := range packs {
		var ours []*rules.Rule
		for _, r := range pack.Rules {
			if slices.ContainsFunc(all, func(other *rules.Rule) bool { return other.ID == r.ID }) {
				ours = append(ours, r)
			}
		}
		if len(ours) > 0 {
			p.packDocs(pack, ours)
		}
	}
	return p.send(w)
}

func (p *page) packDocs(pack *rules.Pack, all []*rules.Rule) {
	fmt.Fprintf(p, "\n## %s\n\n%s\n\n| rule | severity | what it finds |\n| --- | --- | --- |\n", pack.Name, escaped(pack.Title))
	for _, r := range all {
		fmt.Fprintf(p, "| [%s](#%s) | %s | %s |\n", r.ID, ruleAnchor(r.ID), r.Terms(hive.Windows{}).Severity, escaped(r.Title))
	}
	for _, r := range all {
		p.ruleDocs(r)
	}
	for _, l := range pack.Lists {
		p.listDocs(l)
	}
}

// listDocs writes the entries of a named list with their sources.
func (p *page) listDocs(l *rules.List) {
	fmt.Fprintf(p, "\n### List %s\n\n%s", l.Name, escaped(strings.ToUpper(l.Title[:1])+l.Title[1:]))
	if l.Folder != "" {
		fmt.Fprintf(p, ", in the folder %s of Windows", code(l.Folder))
	}
	p.WriteString(".\n\n| entry | what it is | where | source |\n| --- | --- | --- | --- |\n")
	for _, e := range l.Entries {
		var names []string
		for _, text := range e.Is {
			names = append(names, code(text))
		}
		if e.Form != "" {
			names = append(names, "like "+code(e.Form))
		}
		fmt.Fprintf(p, "| %s | %s | %s | %s |\n", strings.Join(names, ", "), escaped(e.About), escaped(e.Where()), escaped(e.From))
	}
}

func (p *page) ruleDocs(r *rules.Rule) {
	fmt.Fprintf(p, "\n### %s\n\n%s.\n\n", r.ID, strings.TrimSuffix(escaped(r.Title), "."))
	if r.Rationale != "" {
		fmt.Fprintf(p, "%s\n\n", escaped(r.Rationale))
	}
	item := func(name, text string) {
		if text != "" {
			fmt.Fprintf(p, "- %s: %s\n", name, text)
		}
	}
	item("key", code(r.Key.String()))
	if !r.AboutKey {
		item("value", code(rules.ValueName(r.Value.String())))
	}
	if r.When != nil {
		item("applies to", escaped(r.When.String()))
	}
	if r.Conditions != nil {
		item("expected", escaped(r.Conditions.String()))
	}
	if r.Nowhere != nil {
		item("nowhere", escaped(r.Nowhere.String()))
	}
	item("assumes", escaped(r.Assumes()))
	variants := r.Variants()
	for i, v := range variants {
		t := v.Terms
		before := rules.Terms{}
		if i > 0 {
			before = variants[0].Terms
			fmt.Fprintf(p, "\nFor %s:\n\n", escaped(v.When))
		}
		// What an override leaves unchanged is not repeated.
		changed := func(name, now, then string) {
			if i == 0 || now != then {
				item(name, escaped(now))
			}
		}
		changed("severity", t.Severity.String(), before.Severity.String())
		changed("expected", t.Expected(), before.Expected())
		if len(t.Valid) > 0 {
			changed("valid", t.Valid.String(), before.Valid.String())
		}
		changed("overridden by policy", strings.ReplaceAll(policies(t), "\n", "; then "), strings.ReplaceAll(policies(before), "\n", "; then "))
		changed("not set", absence(r, t), absence(r, before))
		if t.Fix != nil && (i == 0 || t.Fix != before.Fix) {
			item("fix", escaped(strings.TrimSpace(t.Fix.String()+". "+t.Fix.Note)))
			item("unsafe", escaped(t.Fix.Because))
		}
		changed("instead", t.Alternative, before.Alternative)
	}
	if r.CoveredBy != "" {
		fmt.Fprintf(p, "\nWhere [%s](#%s) runs too, this rule does not: it asks the same and more.\n", r.CoveredBy, ruleAnchor(r.CoveredBy))
	}
	if len(r.Tags) > 0 {
		fmt.Fprintf(p, "\nTags: %s\n", escaped(strings.Join(r.Tags, ", ")))
	}
	if len(r.Levels) > 0 {
		fmt.Fprintf(p, "\nLevels: %s\n", escaped(strings.Join(r.Levels, ", ")))
	}
	if len(r.References) > 0 {
		p.WriteString("\nReferences:\n\n")
		for _, ref := range r.References {
			fmt.Fprintf(p, "- %s\n", link(ref))
		}
	}
}

// link returns a reference in Markdown, as a link if it is an address.
func link(reference string) string {
	if strings.HasPrefix(reference, "https://") && !strings.ContainsAny(reference, "<> ") {
		return "<" + reference + ">"
	}
	return escaped(reference)
}

// ruleAnchor returns the anchor that GitHub makes for the section of a rule.
func ruleAnchor(id string) string { return strings.ReplaceAll(strings.ToLower(id), ".", "") }
