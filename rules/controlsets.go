package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// compareSets notes where the control sets hold different data, for example after a fix in only one of them.
func compareSets(found []Finding) {
	same := map[string][]int{} // findings about one place of each control set
	for i, f := range found {
		set := hive.ControlSetOf(f.RealKey)
		if set == "" {
			continue // of a user, say
		}
		_, below, _ := strings.Cut(f.RealKey.String(), set)
		place := hive.Fold(below) + "\x00" + hive.Fold(f.Value)
		same[place] = append(same[place], i)
	}
	for _, places := range same {
		states := each(places, func(i int) string { return found[i].state() })
		if !slices.ContainsFunc(states, func(s string) bool { return s != states[0] }) {
			continue
		}
		for i, at := range places {
			states[i] = fmt.Sprintf("in %s it %s", hive.ControlSetOf(found[at].RealKey), states[i])
		}
		for _, at := range places {
			found[at].Notes = append(found[at].Notes, "the control sets differ: "+strings.Join(states, ", "))
		}
	}
}

// state returns what is at the place of a finding, for people.
func (f Finding) state() string {
	switch {
	case f.Observed != nil:
		return fmt.Sprintf("is %s %s", f.Observed.Type, hive.Visible(f.Observed.Display()))
	case f.Status == Unknown:
		return "cannot be told"
	case f.AboutKey && (f.Status == Fail) == (f.Reason == Present):
		return "is there"
	case f.AboutKey:
		return "is not there"
	}
	return "is not set"
}
