package hive

import "time"

// Filetime is a time as Windows stores it: the number of 100 ns intervals since 1601-01-01 UTC. Zero means that no time was set.
type Filetime int64

// TimeLayout is the layout of times as evidence has them: UTC, to the 100 ns of a Filetime.
const TimeLayout = "2006-01-02T15:04:05.0000000Z"

// unixEpoch is 1970-01-01 as a Filetime.
const unixEpoch Filetime = 116444736000000000

// perSecond is the number of intervals of a Filetime in a second.
const perSecond = 10_000_000

// FiletimeOf returns the Filetime of a time, rounded down to 100 ns.
func FiletimeOf(t time.Time) Filetime {
	return unixEpoch + Filetime(t.Unix())*perSecond + Filetime(t.Nanosecond()/100)
}

// year10000 is 10000-01-01 as a Filetime. RFC 3339, and so JSON, ends before it.
const year10000 Filetime = 2650467744000000000

// noTime is what is wrong with a number that is neither a time nor zero, for messages.
const noTime = "is not a time from 1601 to 9999; it is left out"

// IsSet reports whether f is a time up to the year 9999. Zero means that none was set, and Windows takes no number from 2^63 on for a time.
// Source: Microsoft, "FileTimeToSystemTime function".
func (f Filetime) IsSet() bool { return f > 0 && f < year10000 }

// Time returns the time in UTC, without loss, or the zero time if f is none, see [Filetime.IsSet].
func (f Filetime) Time() time.Time {
	if !f.IsSet() {
		return time.Time{}
	}
	return f.UTC()
}

// UTC is [Filetime.Time] that returns 1601-01-01 for zero, and what follows from that for all other numbers.
func (f Filetime) UTC() time.Time {
	sec := int64(f/perSecond) - int64(unixEpoch/perSecond)
	return time.Unix(sec, int64(f%perSecond)*100).UTC()
}
