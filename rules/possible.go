package rules

import (
	"fmt"
	"slices"

	"regvet/hive"
)

// What the input leaves open, such as the version of Windows, may decide what a rule asks for. So a rule is answered for each case that the
// input allows: if all cases agree, that is the answer, and if not, the answer is unknown and says what each case would be.

const (
	maxWorlds  = 64 // versions and products for which a rule is answered one by one
	maxOpen    = 6  // overrides with open conditions of which every combination is answered
	maxAnswers = 4  // different answers that a message lists
)

// possibility is one case that the input allows: a Windows, and for conditions of the registry that it leaves open whether they hold.
type possibility struct {
	in      *evaluation // with the Windows of this case
	skipped bool        // the rule does not apply
	terms   Terms       // else what it asks for
	assumed []string    // the open conditions, as this case takes them
}

// possibilities are all cases of a rule at one place.
type possibilities struct {
	cases []possibility
	when  verdict      // whether the rule applies, as far as the input tells
	known hive.Windows // what the input tells of Windows
	open  []string     // the conditions of the registry that the input leaves open, and why
	many  bool         // there are too many cases to answer each
}

// worlds returns the evaluation for each Windows that the input allows and the rule tells apart, in the order of their versions. In each of
// them every condition on a version, a product or an edition either holds or does not.
func (e *evaluation) worlds(r *Rule) []*evaluation {
	var ends []hive.Version
	products := []string{e.windows.Product}
	var named []string // editions that conditions tell apart
	split := func(at *versionRange) {
		if at == nil {
			return
		}
		for _, v := range []hive.Version{at.from, at.below} {
			if below := e.windows.Below; v.Compare(e.windows.AtLeast) > 0 && (below == hive.Version{} || v.Compare(below) < 0) {
				ends = append(ends, v)
			}
		}
	}
	split(r.assume)
	r.eachCondition(func(c *Condition) {
		split(c.windows)
		if c.products != nil && isProduct(e.windows, c.products) == perhaps {
			products = productNames()
		}
		if c.editions != nil && isEdition(e.windows, c.editions) == perhaps {
			named = append(named, c.editions...)
		}
	})
	computers := computersOf(e.windows, products, named)
	slices.SortFunc(ends, hive.Version.Compare)
	ends = slices.Compact(ends)
	if (len(ends)+1)*len(computers) > maxWorlds {
		return []*evaluation{e}
	}
	var all []*evaluation
	for i := range len(ends) + 1 {
		for _, computer := range computers {
			in := *e // what was asked of the registry is shared
			in.windows.Product, in.windows.Edition = computer.product, computer.edition
			if i > 0 {
				in.windows.AtLeast = ends[i-1]
			}
			if i < len(ends) {
				in.windows.Below = ends[i]
			}
			all = append(all, &in)
		}
	}
	return all
}

// possibilities returns the cases of a rule in a scene.
func (e *evaluation) possibilities(r *Rule, s scene) (p possibilities) {
	p.known = e.windows
	if p.when.truth = yes; r.When != nil {
		p.when = e.holds(r.When, s)
	}
	for _, in := range e.worldsOf(r) {
		applies := p.when
		if applies.truth == perhaps {
			applies = in.holds(r.When, s)
		}
		var applied []string
		switch applies.truth {
		case no:
			p.cases = append(p.cases, possibility{in: in, skipped: true})
			continue
		case perhaps:
			if s.silent {
				p.cases = append(p.cases, possibility{in: in, skipped: true})
				break
			}
			p.leaves(r.When, applies)
			p.cases = append(p.cases, possibility{in: in, skipped: true, assumed: []string{"if not " + r.When.String()}})
			applied = []string{"if " + r.When.String()}
		}
		sure, open := overrideSet{}, []int(nil)
		for i, o := range r.overrides {
			switch v := in.holds(o.when, s); v.truth {
			case yes:
				sure[i] = true
			case perhaps:
				open = append(open, i)
				if !s.silent {
					p.leaves(o.when, v)
				}
			}
		}
		if len(open) > maxOpen {
			p.many, open = true, open[:0]
		}
		for some := range 1 << len(open) {
			assumed := slices.Clone(applied)
			for n, i := range open {
				switch sure[i] = some&(1<<n) != 0; {
				case s.silent:
				case sure[i]:
					assumed = append(assumed, "if "+r.overrides[i].when.String())
				default:
					assumed = append(assumed, "if not "+r.overrides[i].when.String())
				}
			}
			p.cases = append(p.cases, possibility{in: in, terms: e.termsOf(r, sure), assumed: assumed})
		}
	}
	return p
}

// overrideSet is some of the overrides of a rule, by their index.
type overrideSet [maxOverrides]bool

// chosen is a rule with those of its overrides that count.
type chosen struct {
	rule      *Rule
	overrides overrideSet
}

// termsOf returns the terms of a rule with some of its overrides. They are worked out once.
func (e *evaluation) termsOf(r *Rule, counts overrideSet) Terms {
	by := chosen{r, counts}
	t, ok := e.terms[by]
	if !ok {
		i := -1
		t = r.terms(func(override) bool { i++; return counts[i] })
		e.terms[by] = t
	}
	return t
}

// worldsOf returns [evaluation.worlds], which it works out once.
func (e *evaluation) worldsOf(r *Rule) []*evaluation {
	all, ok := e.split[r]
	if !ok {
		all = e.worlds(r)
		e.split[r] = all
	}
	return all
}

// leaves records a condition that the input leaves open.
func (p *possibilities) leaves(c *Condition, why verdict) {
	open := fmt.Sprintf("whether this holds: %s (%s)", c, why.why)
	if !slices.Contains(p.open, open) {
		p.open = append(p.open, open)
	}
}

// settled returns whether one case is left.
func (p possibilities) settled() bool { return len(p.cases) == 1 && !p.many }

// answer returns the answers to a rule of which ask returns those of one case, or nil if the rule does not apply in any case. In each case
// there are the same places to be asked about.
func (p possibilities) answer(ask func(in *evaluation, t Terms) []Finding) []Finding {
	var lists [][]Finding // nil for a case in which the rule does not apply
	var places []Finding
	for _, c := range p.cases {
		var list []Finding
		if !c.skipped {
			list = ask(c.in, c.terms)
			places = list
		}
		lists = append(lists, list)
	}
	if p.settled() {
		return places
	}
	var out []Finding
	for i := range places {
		out = append(out, p.join(lists, i))
	}
	return out
}

// join returns the answer that the cases have in common at the place of that index, or an unknown that lists theirs.
func (p possibilities) join(lists [][]Finding, place int) Finding {
	var f *Finding      // the worst
	var unread *Finding // the first that rests on what could not be read
	same, skipped, alike, failed := true, false, true, false
	for _, list := range lists {
		if list == nil {
			skipped = true
			continue
		}
		g := list[place]
		failed = failed || g.Status == Fail
		if g.Status == Unknown && unread == nil {
			unread = &g
		}
		if f == nil {
			f = &g
			continue
		}
		same = same && g.Status == f.Status
		alike = alike && (g.Status != Fail || g.Message == f.Message && g.Reason == f.Reason && g.Severity == f.Severity && sameFix(g, *f))
		if g.Status == Fail && (f.Status != Fail || g.Severity > f.Severity) {
			f = &g
		}
	}
	if unread != nil && !failed && !p.many {
		return *unread // reading it is what would decide
	}
	out := *f
	if p.many || !same || skipped && out.Status == Fail {
		out.Fix = nil
		for _, list := range lists {
			if list != nil {
				out.possible = append(out.possible, list[place])
			}
		}
		if skipped {
			out.possible = append(out.possible, Finding{Status: Unknown, Reason: NotApplicable})
		}
		return out.unknown(Undecided, p.tell(lists, place))
	}
	if assume := out.Rule.assume; !alike && assume != nil && out.Status == Fail && !versionKnown(p.known) {
		out = p.assumed(lists, place, *assume)
	} else {
		if !alike {
			out.Notes = append(slices.Clone(out.Notes), p.tell(lists, place))
		}
		for _, list := range lists {
			switch {
			case list == nil:
			case !sameFix(list[place], *f):
				out.Fix, out.openFix = nil, true
			case out.Fix != nil && !list[place].Fix.Safe():
				out.Fix = list[place].Fix // what is unsafe on one of them is not safe here
			}
			if list != nil && list[place].Alternative != f.Alternative {
				out.Alternative = ""
			}
		}
	}
	if skipped {
		out.Notes = append(slices.Clone(out.Notes), fmt.Sprintf("it cannot be told whether the rule applies here: it is for %s, and %s", out.Rule.When, p.when.why))
	}
	return out
}

// assumed returns the answer at the place of that index for some versions of Windows, with a note that says so, and one for each answer of the
// others.
func (p possibilities) assumed(lists [][]Finding, place int, versions versionRange) Finding {
	var f *Finding // the worst
	rest, from := p, lists
	rest.cases, lists = nil, nil
	var taken []possibility
	for i, list := range from {
		if c := p.cases[i]; versions.holds(c.in.windows) != yes {
			rest.cases, lists = append(rest.cases, c), append(lists, list)
		} else if list != nil {
			taken = append(taken, c)
			if g := list[place]; f == nil || g.Severity > f.Severity {
				f = &g
			}
		}
	}
	out := *f
	out.Notes = append(slices.Clone(out.Notes), fmt.Sprintf("it depends on what the input does not tell: %s; this answer and its fix hold %s", versionOf(p.known), p.words(p.spans(taken))))
	for _, a := range rest.answers(lists, place, Finding.remedy) {
		out.Notes = append(out.Notes, p.words(p.spans(a.cases))+": "+a.text)
	}
	return out
}

// sameFix reports whether the fixes of two answers make the same edits.
func sameFix(a, b Finding) bool {
	if a.Fix == nil || b.Fix == nil {
		return a.Fix == b.Fix
	}
	return slices.EqualFunc(a.Edits(), b.Edits(), hive.Edit.Equal)
}

// sameAnswer is the cases that have one answer.
type sameAnswer struct {
	text  string
	cases []possibility
}

// answers returns the different answers at the place of that index, in the order of their first cases.
func (p possibilities) answers(lists [][]Finding, place int, text func(Finding) string) (all []sameAnswer) {
	for i, list := range lists {
		answer := "the rule does not apply"
		if list != nil {
			answer = text(list[place])
		}
		at := slices.IndexFunc(all, func(a sameAnswer) bool { return a.text == answer })
		if at < 0 {
			at = len(all)
			all = append(all, sameAnswer{text: answer})
		}
		all[at].cases = append(all[at].cases, p.cases[i])
	}
	return all
}

func (p possibilities) first() hive.Windows { return p.cases[0].in.windows }
func (p possibilities) last() hive.Windows  { return p.cases[len(p.cases)-1].in.windows }
