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

// Time returns the time in UTC, without loss, or the zero time if f is zero.
func (f Filetime) Time() time.Time {
	if f == 0 {
		return time.Time{}
	}
	return f.UTC()
}

// UTC is [Filetime.Time] that returns 1601-01-01 for zero too.
func (f Filetime) UTC() time.Time {
	sec := int64(f/perSecond) - int64(unixEpoch/perSecond)
	return time.Unix(sec, int64(f%perSecond)*100).UTC()
}
