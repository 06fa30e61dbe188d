package cli

import (
	"errors"
	"fmt"
	"math"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

// survey is what the inventories among the rules list of the inputs of one registry.
type survey struct {
	together collection.Joined
	to       *report.Inventory // nil if it is only counted
	count    map[*collection.Opened]int
	asked    map[*collection.Opened]bool // an inventory looks at it
	left     int64                       // bytes that it may still have
	err      error                       // errLimit, or that of a temporary file

	gone map[*collection.Opened][]hive.Deleted // the results of deleted
}

// deleted returns what was deleted from a hive, which takes as long to find as all else.
func (v *survey) deleted(in *collection.Opened) []hive.Deleted {
	all, found := v.gone[in]
	if !found {
		all = in.Hive.Deleted()
		v.gone[in] = all
	}
	return all
}

// survey lists, or counts, what the inventories among the rules of a report list of the inputs of one registry.
func (o *checkOptions) survey(s *session, together collection.Joined, r report.Report) *survey {
	v := &survey{together: together, to: r.Inventory, count: map[*collection.Opened]int{}, asked: map[*collection.Opened]bool{}, left: math.MaxInt64, gone: map[*collection.Opened][]hive.Deleted{}}
	all := rules.Inventories(r.Rules)
	if len(all) == 0 {
		return v
	}
	if v.to != nil {
		var size int64
		for _, in := range together {
			size += in.Size
		}
		v.left = max(mostGrowth*size, leastLimit)
	}
	registry := together[0].Registry
	for _, rule := range all {
		for _, place := range rule.Places() {
			for _, m := range registry.Find(place) {
				in := together.Holder(m.Real)
				v.asked[in] = v.asked[in] || m.Key != nil && !m.Key.Implied() || m.Key == nil && m.Known != hive.NotCovered
			}
		}
	}
	rules.Survey(registry, all, func(l rules.Listed) bool { return v.add(together.Holder(l.RealKey), l) })
	for _, in := range together {
		if o.deleted && in.Hive != nil && in.SameAs == "" && v.err == nil {
			rules.SurveyDeleted(registry, all, in.Mount, v.deleted(in), func(l rules.Listed) bool { return v.add(in, l) })
		}
	}
	if errors.Is(v.err, errLimit) {
		s.refuse(together[0].Path, fmt.Errorf("what is listed of it is more than %d times as long as the hives and ends here, because many keys share what is written with each; list some rules alone with --select", mostGrowth))
	}
	return v
}

// add adds what was found in an input, and reports whether more can be added.
func (v *survey) add(in *collection.Opened, l rules.Listed) bool {
	if v.to != nil {
		size, err := v.to.Add(in.Input, l)
		if v.left -= int64(size); err == nil && v.left < 0 {
			err = errLimit
		}
		if v.err = err; err != nil {
			return false
		}
	}
	if l.Gap == "" {
		v.count[in]++
	}
	return true
}
