package rules

import (
	"fmt"
	"math"
	"slices"
)

// interval is the numbers from Min to Max, both included.
type interval struct{ Min, Max uint64 }

var everything = interval{0, math.MaxUint64}

// String returns the range for people: "65534", "30 to 300", "at least 65534", "at most 30".
func (r interval) String() string {
	switch {
	case r.Min == r.Max:
		return fmt.Sprint(r.Min)
	case r.Max == math.MaxUint64:
		return fmt.Sprintf("at least %d", r.Min)
	case r.Min == 0:
		return fmt.Sprintf("at most %d", r.Max)
	}
	return fmt.Sprintf("%d to %d", r.Min, r.Max)
}

// numbers is a set of numbers, as sorted ranges with gaps between them.
type numbers []interval

func (s numbers) and(t numbers) numbers {
	var both numbers
	for len(s) > 0 && len(t) > 0 {
		if low, high := max(s[0].Min, t[0].Min), min(s[0].Max, t[0].Max); low <= high {
			both = append(both, interval{low, high})
		}
		if s[0].Max < t[0].Max {
			s = s[1:]
		} else {
			t = t[1:]
		}
	}
	return both
}

// but returns all numbers that are not among those.
func but(those ...uint64) numbers {
	slices.Sort(those)
	var rest numbers
	next, left := uint64(0), true // left: there are numbers from next on
	for _, n := range slices.Compact(those) {
		if n > next {
			rest = append(rest, interval{next, n - 1})
		}
		next, left = n+1, n < math.MaxUint64
	}
	if left {
		rest = append(rest, interval{next, math.MaxUint64})
	}
	return rest
}

// single returns the set of those numbers.
func single(those ...uint64) numbers {
	slices.Sort(those)
	var set numbers
	for _, n := range slices.Compact(those) {
		set = append(set, interval{n, n})
	}
	return set
}
