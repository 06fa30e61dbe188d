package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// LeftOut is what was there and was not read because nobody asked for it: files of an earlier time.
type LeftOut struct {
	State collection.State `json:"state"`
	Files int              `json:"files"`
	First string           `json:"first"`          // the path of the first of them
	Turn  int              `json:"turn,omitempty"` // of that one, see [collection.Group]
}

// AddLeftOut adds what was left out elsewhere: of each state, the first is that of the lower turn or, where there are no turns, the lower path.
func AddLeftOut(all []LeftOut, more ...LeftOut) []LeftOut {
	for _, l := range more {
		i := slices.IndexFunc(all, func(one LeftOut) bool { return one.State == l.State })
		if i < 0 {
			all = append(all, l)
			continue
		}
		files := all[i].Files + l.Files
		if cmp.Or(cmp.Compare(l.Turn, all[i].Turn), cmp.Compare(l.First, all[i].First)) < 0 {
			all[i] = l
		}
		all[i].Files = files
	}
	return all
}

// remark is a line of the end of a report: what was not examined, or not asked.
type remark struct{ label, text string }

// mostNamed is how many of many inputs a remark names.
const mostNamed = 3

// named returns names for people: all, or the first and how many more there are.
func named(names []string) string {
	if more := len(names) - mostNamed; more > 1 {
		return fmt.Sprintf("%s and %s more", strings.Join(names[:mostNamed], ", "), thousands(more))
	}
	return strings.Join(names, ", ")
}

// notExamined returns for people what was asked for and has no answer, or one that may not be the last: inputs that could not be read, what is lost
// of others, and answers that are open, by reason. If there is nothing, it says that.
func (r Report) notExamined() (all []remark) {
	all = refused(r.Refused)
	for _, text := range r.PassedOver {
		all = append(all, remark{"left", hive.Visible(text)})
	}
	var unasked []string
	all = append(all, r.lost()...)
	doubts, apart := map[string][]string{}, map[string][]string{}
	for _, in := range r.Inputs {
		name := hive.Visible(in.Path)
		for _, doubt := range in.Caveats() {
			doubts[doubt] = append(doubts[doubt], name)
		}
		if in.NotJoined != "" && in.SameAs == "" && !in.Former {
			apart[hive.Visible(in.NotJoined)] = append(apart[hive.Visible(in.NotJoined)], name)
		}
		if in.Unasked && in.SameAs == "" {
			unasked = append(unasked, name)
		}
	}
	for _, doubt := range slices.Sorted(maps.Keys(doubts)) {
		all = append(all, remark{"dirty", named(doubts[doubt]) + ": " + doubt})
	}
	for _, why := range slices.Sorted(maps.Keys(apart)) {
		all = append(all, remark{"apart", named(apart[why]) + ": " + why})
	}
	if len(unasked) > 0 {
		all = append(all, remark{"unasked", "no rule is about " + named(unasked)})
	}
	all = append(all, r.unanswered()...)
	if len(all) == 0 {
		all = append(all, remark{"nothing", "every input was read whole, and every rule that was asked has an answer"})
	}
	return all
}

// notExamined returns for people which files could not be read.
func (r LintReport) notExamined() []remark { return refused(r.Refused) }

// refused returns which inputs could not be read at all, and why.
func refused(problems []hive.Problem) (all []remark) {
	for i, p := range problems {
		if more := len(problems) - i; i == mostNamed && more > 1 {
			return append(all, remark{"not read", thousands(more) + " more inputs; --format json lists them"})
		}
		all = append(all, remark{"not read", hive.Visible(p.Error())})
	}
	return all
}

// lost returns of which inputs not all could be read, and of the first what.
func (r Report) lost() (all []remark) {
	inputs := 0
	for _, in := range r.Inputs {
		var lost []hive.Problem
		for _, p := range in.Problems {
			if p.Loss {
				lost = append(lost, p)
			}
		}
		if len(lost) == 0 {
			continue
		}
		if inputs++; inputs > mostNamed {
			continue
		}
		first := lost[0]
		first.Source = in.Path
		text := hive.Visible(first.Error())
		if more := len(lost) - 1; more > 0 {
			text += "; and " + Count(more, "more problem", "more problems")
		}
		all = append(all, remark{"damaged", text})
	}
	if more := inputs - mostNamed; more > 0 {
		all = append(all, remark{"damaged", Count(more, "more input", "more inputs") + " could not be read whole; --format json lists them"})
	}
	return all
}

// reasonWords say why answers are open.
var reasonWords = []struct {
	reason    rules.Reason
	one, more string
}{
	{rules.NotCovered, "is about a key that its input does not hold", "are about keys that their inputs do not hold"},
	{rules.Damaged, "is about what could not be read", "are about what could not be read"},
	{rules.Partial, "is about a hive of which there is one layer only", "are about hives of which there is one layer only"},
	{rules.Hidden, "is about data behind an end at which some readers stop", "are about data behind an end at which some readers stop"},
	{rules.Undecided, "depends on what the inputs do not tell", "depend on what the inputs do not tell"},
}

// unanswered returns how many answers are unknown, by reason. Inputs that no rule is about do not count.
func (r Report) unanswered() (all []remark) {
	d := r.digest()
	for _, w := range reasonWords {
		n := d.unknown[w.reason]
		if n == 0 {
			continue
		}
		text := Count(n, "answer "+w.one, "answers "+w.more)
		if w.reason == rules.NotCovered {
			text += ": " + named(frequent(d.lacking))
		}
		all = append(all, remark{"unknown", text})
	}
	return all
}

// hiveOf returns for people the hive that a path leads into: that of a user, or one of the computer by its name.
func hiveOf(p hive.Path) string {
	depth := 1
	if len(p) > 1 && p[0] == "HKEY_LOCAL_MACHINE" {
		depth = 2
	}
	return hive.Visible(p[:min(len(p), depth)].String())
}

// frequent returns names with their counts, the most frequent first.
func frequent(count map[string]int) (all []string) {
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) })
	for _, name := range names {
		all = append(all, fmt.Sprintf("%s (%s)", name, thousands(count[name])))
	}
	return all
}

// notAsked returns for people what could be asked of the same inputs, and how.
func (r Report) notAsked() (all []remark) {
	if len(r.Inputs) == 0 {
		return nil
	}
	if more := r.more(); more != "" {
		all = append(all, remark{"rules", more})
	}
	if r.Unselected > 0 {
		all = append(all, remark{"rules", Count(r.Unselected, "rule that is not selected", "rules that are not selected")})
	}
	for _, left := range r.LeftOut {
		text := hive.Visible(left.First)
		if more := left.Files - 1; more > 0 {
			text += " and " + Count(more, "more file", "more files")
		}
		switch left.State {
		case collection.RegBack:
			all = append(all, remark{"backups", text + ", of an earlier time: --regback"})
		case collection.Shadow:
			all = append(all, remark{"shadows", text + ", in a shadow copy or restore point: name the file or its folder"})
		}
	}
	if r.Shadows > 0 {
		all = append(all, remark{"shadows", Count(r.Shadows, "shadow copy", "shadow copies") + " in images: --vss"})
	}
	if !r.Deleted && slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Format == "regf" }) {
		all = append(all, remark{"deleted", "what values were before they were deleted: --deleted"})
	}
	return all
}
