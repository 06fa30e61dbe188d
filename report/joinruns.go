package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// run is what one run wrote.
type run struct {
	Report
	file     string
	known    map[string]*rules.Rule
	groups   []RecordedGroup
	pending  RecordedGroup // the inputs since the last group
	lost     []hive.Problem
	listed   []stored
	dropped  map[string]bool // the paths of inputs that another run has, too
	complete bool
}

// rule returns a rule that the run has, or one about configs; or nil.
func (r *run) rule(id string) *rules.Rule {
	if known := r.known[id]; known != nil {
		return known
	}
	for _, own := range rules.OwnRules() {
		if own.ID == id {
			return own
		}
	}
	return nil
}

// join makes one report of all runs.
func (rd *reader) join() (*Recorded, error) {
	first := rd.runs[0]
	out := &Recorded{Report: Report{Version: rd.Version, Rules: rd.order, All: rd.All, Quiet: rd.Quiet, Statistics: rd.Statistics, FailOn: first.FailOn,
		AllInstalls: first.AllInstalls, Choices: first.Choices, Deleted: true}, files: rd.files}
	var commands []string
	for _, r := range rd.runs {
		if !reflect.DeepEqual(r.Choices, first.Choices) || r.AllInstalls != first.AllInstalls || r.FailOn != first.FailOn {
			return nil, fmt.Errorf("%s: its run has another config, baseline, --severity, --fail-on or --all-installs than that of %s; report such runs apart, or give --fail-on if it is only that", r.file, first.file)
		}
		if !r.complete {
			out.Unfinished = append(out.Unfinished, r.file)
		}
		if d := r.Run.Date; out.Run.Date.IsZero() || !d.IsZero() && d.Before(out.Run.Date) {
			out.Run.Date = d
		}
		if !slices.Contains(commands, r.Run.Command) {
			commands = append(commands, r.Run.Command)
		}
		for _, p := range r.Run.Packs {
			if !slices.Contains(out.Run.Packs, p) {
				out.Run.Packs = append(out.Run.Packs, p)
			}
		}
		out.More, out.Unselected, out.Deleted = max(out.More, r.More), max(out.Unselected, r.Unselected), out.Deleted && r.Deleted
	}
	out.Run.Command = named(commands)
	var refused []hive.Problem
	var rest []RecordedGroup
	add := func(g RecordedGroup) {
		g.From = len(out.Inputs)
		out.Inputs = append(out.Inputs, g.inputs...)
		g.To, g.inputs = len(out.Inputs), nil
		refused = append(refused, g.Refused...)
		out.Groups = append(out.Groups, g)
	}
	turns := 0 // of the sets before
	for _, set := range rd.sets(out) {
		joined := set.join()
		out.Shadows += joined.Shadows
		out.Lost = append(out.Lost, joined.lost...)
		next := turns
		turn := func(n int) int {
			next = max(next, turns+n)
			return turns + n
		}
		for _, c := range joined.recorded {
			c.Turn = turn(c.Turn)
			out.recorded = append(out.recorded, c)
		}
		for _, text := range joined.PassedOver {
			if !slices.Contains(out.PassedOver, text) {
				out.PassedOver = append(out.PassedOver, text)
			}
		}
		for _, left := range joined.LeftOut {
			left.Turn = turn(left.Turn)
			out.LeftOut = AddLeftOut(out.LeftOut, left)
		}
		for _, g := range joined.groups {
			if g.Name == "" {
				rest = append(rest, g)
				continue
			}
			g.Turn = turn(g.Turn)
			add(g)
		}
		turns = next
	}
	for _, g := range rest { // last, as in each run, so that they are of no group when these lines are written and read
		add(g)
	}
	out.Refused = slices.Concat(out.Lost, refused)
	if rd.alike.n > 0 {
		out.Remarks = append(out.Remarks, Count(rd.alike.n, "input is in several runs with the same result, and counts", "inputs are in several runs with the same result, and count")+" once: "+rd.alike.first)
	}
	if rd.apart.n > 0 {
		out.Remarks = append(out.Remarks, Count(rd.apart.n, "input is in several runs with different results, and counts", "inputs are in several runs with different results, and count")+" each time: "+rd.apart.first)
	}
	return out, rd.list(out)
}

// list gives a report what inventories listed, if all is to be shown.
func (rd *reader) list(out *Recorded) error {
	if !rd.All || len(rules.Inventories(out.Rules)) == 0 {
		return nil
	}
	out.Inventory = NewInventory(out.Rules, rd.Budget)
	for _, r := range rd.runs {
		for _, part := range r.listed {
			lines := bufio.NewReader(io.NewSectionReader(part.file, part.from, part.to-part.from))
			for {
				line, err := lines.ReadBytes('\n')
				if err == io.EOF {
					break
				}
				var j jsonCheckLine
				if err == nil {
					j, err = parseLine(line)
				}
				if err == nil && j.Listed == nil {
					err = errChanged
				}
				if err == nil && !r.dropped[j.Listed.Input] {
					_, err = out.Inventory.add(rd.rules[j.Listed.Rule].Rule, *j.Listed)
				}
				if err != nil {
					out.Close()
					return fmt.Errorf("%s: what is listed cannot be read again: %w", r.file, err)
				}
			}
		}
	}
	return nil
}

// runSet is runs that are one together.
type runSet []*run

// sets returns the runs, those that are shares of one together: they follow each other, are of the same number of shares, and each is another one. It
// notes which are missing.
func (rd *reader) sets(out *Recorded) (all []runSet) {
	for _, r := range rd.runs {
		n := len(all) - 1
		if r.Share.Of > 0 && n >= 0 && all[n][0].Share.Of == r.Share.Of && !slices.ContainsFunc(all[n], func(other *run) bool { return other.Share == r.Share }) {
			all[n] = append(all[n], r)
		} else {
			all = append(all, runSet{r})
		}
	}
	for _, set := range all {
		if lacks := set[0].Share.Of - len(set); lacks > 0 && len(set) > 1 {
			out.Missing = append(out.Missing, fmt.Sprintf("of %d shares of a run %s not among the files, such as %s", set[0].Share.Of, Count(lacks, "is", "are"), set.firstMissing()))
		}
	}
	if len(all) == 1 && len(all[0]) == 1 {
		out.Share = all[0][0].Share
	}
	return all
}

// firstMissing returns the first share that is not there.
func (s runSet) firstMissing() string {
	for n := 1; ; n++ {
		if share := (collection.Share{Number: n, Of: s[0].Share.Of}); !slices.ContainsFunc(s, func(r *run) bool { return r.Share == share }) {
			return fmt.Sprintf("%d/%d", share.Number, share.Of)
		}
	}
}

// join returns what the run would have been, with everything in the order of its turn.
func (s runSet) join() (all run) {
	type lost struct {
		hive.Problem
		turn int
	}
	var problems []lost
	var rest []RecordedGroup
	for _, r := range s {
		all.groups = append(all.groups, r.groups...)
		if len(r.pending.inputs) > 0 {
			rest = append(rest, r.pending)
		}
		all.recorded = append(all.recorded, r.recorded...)
		all.Shadows += r.Shadows
		all.PassedOver = append(all.PassedOver, r.PassedOver...)
		all.LeftOut = append(all.LeftOut, r.LeftOut...)
		turns := r.turnsOfLost()
		for i, p := range r.lost {
			problems = append(problems, lost{p, turns[i]})
		}
	}
	slices.SortStableFunc(all.groups, func(a, b RecordedGroup) int { return cmp.Compare(a.Turn, b.Turn) })
	slices.SortStableFunc(all.recorded, func(a, b jsonLineContainer) int { return cmp.Compare(a.Turn, b.Turn) })
	slices.SortStableFunc(all.LeftOut, func(a, b LeftOut) int { return cmp.Compare(a.Turn, b.Turn) })
	slices.SortStableFunc(problems, func(a, b lost) int { return cmp.Compare(a.turn, b.turn) })
	for _, p := range problems {
		all.lost = append(all.lost, p.Problem)
	}
	all.groups = append(all.groups, rest...)
	return all
}

// turnsOfLost returns the turns of what is lost of images and archives, which is in their order.
func (r *run) turnsOfLost() []int {
	turns := make([]int, len(r.lost))
	next := 0
	for _, c := range r.recorded {
		for _, p := range c.Problems {
			if next < len(turns) && p.Loss && p.Message == r.lost[next].Msg {
				turns[next] = c.Turn
				next++
			}
		}
	}
	return turns
}
