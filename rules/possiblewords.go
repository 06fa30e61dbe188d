package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// What the cases of a rule have in common, and what sets them apart, for people.

// cure returns the fix for people.
func (f Finding) cure() string {
	if f.Fix == nil {
		return "there is no fix"
	}
	return f.Fix.String()
}

// tell returns what the answer, or the fix where that alone differs, depends on, what it is in each case, and what would decide it, in one line.
func (p possibilities) tell(lists [][]Finding, place int) string {
	if p.many {
		return "it depends on what the input does not tell, in too many cases to list them: " + strings.Join(p.open, "; ")
	}
	what, different := "it", p.answers(lists, place, Finding.verdict)
	if len(different) == 1 {
		what, different = "the fix", p.answers(lists, place, Finding.cure)
	}
	var answers []string
	byVersion, byProduct, byEdition := false, false, false
	for _, a := range different {
		spans := p.spans(a.cases)
		for _, s := range spans {
			byVersion, byProduct = byVersion || s.from != p.first().AtLeast || s.below != p.last().Below, byProduct || s.product != ""
			byEdition = byEdition || s.edition != ""
		}
		answers = append(answers, p.words(spans)+": "+a.text)
	}
	open := p.open
	if byEdition {
		edition := editionOf(p.known)
		if p.known.Edition == "" {
			edition += ` (Control\ProductOptions of the SYSTEM hive tells it)`
		}
		open = append([]string{edition}, open...)
	}
	if byProduct {
		open = append([]string{productOf(p.known) + ` (Control\ProductOptions of the SYSTEM hive tells it)`}, open...)
	}
	if byVersion {
		version := versionOf(p.known)
		if p.known.String() != (hive.Windows{}).String() {
			version += ", and --windows tells more"
		}
		open = append([]string{version}, open...)
	}
	if more := len(answers) - maxAnswers; more > 0 {
		answers = append(answers[:maxAnswers], fmt.Sprintf("and %d more answers", more))
	}
	return what + " depends on what the input does not tell: " + strings.Join(slices.Concat(open, answers), "; ")
}

// remedy returns an answer for people, and of a failure the remedy.
func (f Finding) remedy() string {
	text := f.verdict()
	switch {
	case f.Status != Fail:
	case f.Fix == nil:
		text += "; there is no fix"
	case !f.Fix.Safe():
		text += "; the fix is unsafe there: " + f.Fix.Because
	}
	if f.Alternative != "" {
		text += "; instead: " + f.Alternative
	}
	return text
}

// verdict returns an answer for people: "fail, low: V is not set".
func (f Finding) verdict() string {
	text := string(f.Status)
	switch f.Status {
	case Fail:
		text += ", " + f.Severity.String()
	case Unknown:
		text += ", " + string(f.Reason)
	}
	return text + ": " + f.Message
}

// span is what some cases have in common and others do not: a range of versions, products, editions, conditions of the registry.
type span struct {
	from, below               hive.Version
	product, edition, assumed string
}

// spans returns what sets some cases apart from the others. Versions that lie side by side are one span.
func (p possibilities) spans(some []possibility) (merged []span) {
	var spans []span
	products := map[span][]string{}
	for _, c := range some {
		one := span{from: c.in.windows.AtLeast, below: c.in.windows.Below, assumed: strings.Join(c.assumed, " and ")}
		if p.editions(c.in.windows.Product) > 1 {
			one.edition = editionWord(c.in.windows.Edition)
		}
		if products[one] == nil {
			spans = append(spans, one)
		}
		if product := productWord(c.in.windows.Product); !slices.Contains(products[one], product) {
			products[one] = append(products[one], product)
		}
	}
	editions := map[span][]string{}
	var sides []span
	for _, one := range spans {
		if of := products[one]; p.first().Product != p.last().Product && len(of) < len(productWords()) {
			one.product = strict.List(of, "or")
		}
		edition := one.edition
		if one.edition = ""; editions[one] == nil {
			sides = append(sides, one)
		}
		editions[one] = append(editions[one], edition)
	}
	for _, one := range sides {
		one.edition = strict.List(editions[one], "or")
		i := slices.IndexFunc(merged, func(s span) bool {
			return s.below == one.from && s.product == one.product && s.edition == one.edition && s.assumed == one.assumed
		})
		if i >= 0 && one.from != (hive.Version{}) {
			merged[i].below = one.below
			continue
		}
		merged = append(merged, one)
	}
	return merged
}

// editions returns how many editions of a product the cases tell apart.
func (p possibilities) editions(product string) int {
	var all []string
	for _, c := range p.cases {
		if w := c.in.windows; w.Product == product && !slices.Contains(all, w.Edition) {
			all = append(all, w.Edition)
		}
	}
	return len(all)
}

// boundary returns the version at which a span starts or ends, for people: "Windows Vista or Server 2008 (6.0)".
func boundary(v hive.Version) string {
	name := strings.ReplaceAll(hive.Exactly(v).Name(), " or later", "") // 10.0 is the version of all since Windows 10
	if name == "" {
		return v.String()
	}
	return fmt.Sprintf("%s (%s)", name, v)
}

// words returns the spans for people.
func (p possibilities) words(spans []span) string {
	var all []string
	for _, s := range spans {
		var words []string
		if s.from != p.first().AtLeast {
			words = append(words, "since "+boundary(s.from))
		}
		if s.below != p.last().Below {
			words = append(words, "before "+boundary(s.below))
		}
		text := strings.Join(words, " and ")
		if s.product != "" {
			text += " on a " + s.product
		}
		switch s.edition {
		case "":
		case anyOther:
			text += " of any other edition"
		default:
			text += " of the edition " + s.edition
		}
		text += " " + s.assumed
		all = append(all, strings.TrimSpace(text))
	}
	if more := len(all) - maxAnswers; more > 0 {
		all = append(all[:maxAnswers], fmt.Sprintf("in %d more cases", more))
	}
	return strings.Join(all, ", or ")
}
