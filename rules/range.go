package rules

import (
	"fmt"
	"math"
	"strings"

	"regvet/hive"
)

// Range is the numbers from Min to Max, both included. It is empty when Min is above Max.
type Range struct{ Min, Max uint64 }

var everything = Range{0, math.MaxUint64}

func (r Range) has(n uint64) bool { return r.Min <= n && n <= r.Max }

func (r Range) and(s Range) Range { return Range{max(r.Min, s.Min), min(r.Max, s.Max)} }

// String writes the range for people: "65534", "30 to 300", "at least 65534", "at most 30".
func (r Range) String() string {
	switch {
	case r.Min > r.Max:
		return "nothing"
	case r.Min == r.Max:
		return fmt.Sprint(r.Min)
	case r.Max == math.MaxUint64:
		return fmt.Sprintf("at least %d", r.Min)
	case r.Min == 0:
		return fmt.Sprintf("at most %d", r.Max)
	}
	return fmt.Sprintf("%d to %d", r.Min, r.Max)
}

// truth is an answer that may be left open.
type truth int

const (
	no truth = iota
	perhaps
	yes
)

// versionRange is the versions of Windows from one, included, to another, not included; a zero version leaves that end open.
type versionRange struct{ from, below hive.Version }

// parseVersionRange reads comparisons with blanks between, all of which must hold: ">=6.0", ">=5.1 <6.0". A version by
// itself stands for that version and all of its builds.
func parseVersionRange(s string) (versionRange, error) {
	var r versionRange
	parts := strings.Fields(s)
	if len(parts) == 0 {
		return r, fmt.Errorf("a version range is empty; want comparisons such as >=6.0 or >=5.1 <6.0")
	}
	for _, part := range parts {
		number := strings.TrimLeft(part, "<>=")
		v, err := hive.ParseVersion(number)
		if err != nil {
			return r, err
		}
		switch operator := part[:len(part)-len(number)]; operator {
		case ">=":
			r.from = v
		case "<":
			r.below = v
		case "", "=":
			w := hive.Exactly(v)
			r.from, r.below = w.AtLeast, w.Below
		default:
			return r, fmt.Errorf("%q is no comparison of versions; want >=VERSION, <VERSION or VERSION", part)
		}
	}
	return r, nil
}

func (r versionRange) String() string {
	none := hive.Version{}
	switch {
	case r.below == none:
		return ">=" + r.from.String()
	case r.from == none:
		return "<" + r.below.String()
	}
	return ">=" + r.from.String() + " <" + r.below.String()
}

// holds tells whether every version that w may be lies in the range, or none.
func (r versionRange) holds(w hive.Windows) truth {
	none := hive.Version{}
	inside := func(at hive.Version) bool {
		return at.Compare(r.from) >= 0 && (r.below == none || at.Compare(r.below) < 0)
	}
	ends := r.below == none || w.Below != none && w.Below.Compare(r.below) <= 0
	switch {
	case inside(w.AtLeast) && ends:
		return yes
	case w.Below != none && w.Below.Compare(r.from) <= 0, r.below != none && w.AtLeast.Compare(r.below) >= 0:
		return no
	}
	return perhaps
}
