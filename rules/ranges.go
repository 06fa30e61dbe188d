package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// withinRange returns the operator for lists of ranges, as ports are written: each string must be a range within the limits.
func withinRange(limits interval) operator {
	return operator{text: fmt.Sprintf("ranges such as 4000-4010 within %s", limits), kinds: []kind{aList}, holds: func(d datum) bool {
		return !slices.ContainsFunc(d.list, func(s string) bool {
			r, ok := parseRange(s)
			return !ok || r.Min < limits.Min || r.Max > limits.Max
		})
	}}
}

// apartFrom returns the operator for lists of ranges that must not overlap another one. A string that is no range does not overlap; whether
// such strings are allowed is another question.
func apartFrom(taken interval) operator {
	return operator{text: "ranges apart from " + taken.String(), kinds: []kind{aList}, holds: func(d datum) bool {
		return !slices.ContainsFunc(d.list, func(s string) bool {
			r, ok := parseRange(s)
			return ok && r.Min <= taken.Max && taken.Min <= r.Max
		})
	}}
}

// parseRange reads a range such as 4000-4010: two whole numbers in decimal, the first not above the second.
func parseRange(s string) (r interval, ok bool) {
	low, high, ok := strings.Cut(s, "-")
	if !ok {
		return r, false
	}
	var errLow, errHigh error
	r.Min, errLow = strconv.ParseUint(low, 10, 64)
	r.Max, errHigh = strconv.ParseUint(high, 10, 64)
	return r, errLow == nil && errHigh == nil && r.Min <= r.Max
}
