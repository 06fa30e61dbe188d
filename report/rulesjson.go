package report

import (
	"io"
	"slices"

	"regvet/hive"
	"regvet/rules"
)

type jsonRules struct {
	SchemaVersion string     `json:"schema_version"`
	Tool          jsonTool   `json:"tool"`
	Rules         []jsonRule `json:"rules"`
}

type jsonRule struct {
	ID         string         `json:"id"`
	Pack       string         `json:"pack"`
	Title      string         `json:"title"`
	Key        string         `json:"key"`
	Value      *string        `json:"value"`                // null where the rule is about the key itself
	When       string         `json:"when,omitempty"`       // where it applies
	Conditions string         `json:"conditions,omitempty"` // instead of what is expected of a value
	Nowhere    string         `json:"nowhere,omitempty"`    // likewise: what no key and no value may be like
	Inventory  *jsonInventory `json:"inventory,omitempty"`  // instead of a verdict
	Assumes    string         `json:"assumes,omitempty"`    // the versions of Windows that it answers for where the version is not known
	jsonTerms
	Overrides  []jsonOverride `json:"overrides"`
	Tags       []string       `json:"tags"`
	Levels     []string       `json:"levels"`
	Rationale  string         `json:"rationale"`
	References []string       `json:"references"`
	Tests      int            `json:"tests"`
}

type jsonInventory struct {
	Category string `json:"category"`
	As       string `json:"as,omitempty"`
}

type jsonOverride struct {
	When string `json:"when"`
	jsonTerms
}

type jsonTerms struct {
	Severity string      `json:"severity"`
	Expected string      `json:"expected"`
	Valid    string      `json:"valid,omitempty"`
	Policy   []jsonPlace `json:"policy,omitempty"` // the places that go before the value, in their order
	Missing  string      `json:"missing,omitempty"`
	Fix      *jsonRemedy `json:"fix"` // null where there is none

	Alternative string `json:"alternative,omitempty"`
}

// jsonPlace is a place of group policy; names in braces are those that the key of the rule binds.
type jsonPlace struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Text  string `json:"text"` // with how its data are understood
}

// jsonRemedy is the fix of a rule or of a finding.
type jsonRemedy struct {
	Text    string `json:"text"`
	Safe    bool   `json:"safe"`
	Because string `json:"because,omitempty"` // why it is not safe
	Restart string `json:"restart"`
	Note    string `json:"note,omitempty"`
}

// remedyJSON returns nil for no fix.
func remedyJSON(f *rules.Fix) *jsonRemedy {
	if f == nil {
		return nil
	}
	return &jsonRemedy{f.String(), f.Safe(), f.Because, f.Restart, f.Note}
}

// RulesJSON writes the documentation of rules as one JSON object.
func RulesJSON(w io.Writer, version string, all []*rules.Rule) error {
	out := jsonRules{schemaVersion, jsonTool{"regvet", version}, []jsonRule{}}
	for _, r := range all {
		variants := r.Variants()
		j := jsonRule{ID: r.ID, Pack: r.Pack, Title: r.Title, Key: hive.Printable(r.Key.String()), jsonTerms: termsJSON(r, variants[0].Terms),
			Overrides: []jsonOverride{}, Tags: orEmpty(r.Tags), Levels: orEmpty(r.Levels), Assumes: r.Assumes(), Rationale: r.Rationale, References: orEmpty(r.References), Tests: len(r.Tests)}
		if !r.AboutKey {
			name := hive.Printable(r.Value.String())
			j.Value = &name
		}
		if r.When != nil {
			j.When = r.When.String()
		}
		if i := r.Inventory; i != nil {
			j.Inventory = &jsonInventory{hive.Printable(i.Category), i.As}
		}
		if r.Conditions != nil {
			j.Conditions = r.Conditions.String()
		}
		if r.Nowhere != nil {
			j.Nowhere = r.Nowhere.String()
		}
		for _, v := range variants[1:] {
			j.Overrides = append(j.Overrides, jsonOverride{v.When, termsJSON(r, v.Terms)})
		}
		out.Rules = append(out.Rules, j)
	}
	return writeJSON(w, out)
}

func orEmpty(all []string) []string {
	if all == nil {
		return []string{}
	}
	return slices.Clone(all)
}

func termsJSON(r *rules.Rule, t rules.Terms) jsonTerms {
	j := jsonTerms{Severity: t.Severity.String(), Expected: t.Expected(), Missing: absence(r, t), Fix: remedyJSON(t.Fix), Alternative: t.Alternative}
	if len(t.Valid) > 0 {
		j.Valid = t.Valid.String()
	}
	for _, p := range t.Policies {
		j.Policy = append(j.Policy, jsonPlace{hive.Printable(p.Key()), hive.Printable(p.Value()), hive.Printable(p.String())})
	}
	return j
}
