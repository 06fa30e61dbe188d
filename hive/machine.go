package hive

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// TimeZone is the time zone of a computer.
type TimeZone struct {
	Name   string // as Windows calls it; "" if unknown
	Bias   int    // minutes to add to local standard time for UTC
	Active int    // the same for the time in force at the last change, which can be daylight saving time
}

// String returns the name and the offsets from UTC: "W. Europe Standard Time, UTC+01:00, at the last change UTC+02:00".
func (z TimeZone) String() string {
	utc := func(bias int) string {
		sign := '+'
		if bias > 0 {
			sign = '-'
		}
		bias = max(bias, -bias)
		return fmt.Sprintf("UTC%c%02d:%02d", sign, bias/60, bias%60)
	}
	s := utc(z.Bias)
	if z.Name != "" {
		s = z.Name + ", " + s
	}
	if z.Active != z.Bias {
		s += ", at the last change " + utc(z.Active)
	}
	return s
}

// TimeZone returns the time zone in Control\TimeZoneInformation of the current control set, and whether there is one. Source: Microsoft,
// TIME_ZONE_INFORMATION: UTC = local time + bias.
func (r *Registry) TimeZone() (z TimeZone, ok bool) {
	control := r.control(currentControlSet)
	if control == nil {
		return z, false
	}
	bias, ok := lookupValue(control, "TimeZoneInformation", "Bias")
	n, err := bias.Uint64()
	if !ok || err != nil {
		return z, false
	}
	z.Bias, z.Active = int(int32(n)), int(int32(n))
	if active, ok := lookupValue(control, "TimeZoneInformation", "ActiveTimeBias"); ok {
		if n, err := active.Uint64(); err == nil {
			z.Active = int(int32(n))
		}
	}
	// Since Vista there is a name that does not depend on the language of the system; before, and if it is empty, only one that does.
	for _, name := range []string{"TimeZoneKeyName", "StandardName"} {
		if v, ok := lookupValue(control, "TimeZoneInformation", name); ok && !v.Short && z.Name == "" {
			z.Name, _ = v.Text()
		}
	}
	if strings.HasPrefix(z.Name, "@") { // a reference to a string in a DLL
		z.Name = ""
	}
	return z, true
}

// Shutdown returns the time of the last orderly shutdown, from Control\Windows\ShutdownTime of the current control set, or the zero time.
func (r *Registry) Shutdown() time.Time { return r.ShutdownOf(currentControlSet) }

// ShutdownOf returns [Registry.Shutdown] from the control set of that name.
func (r *Registry) ShutdownOf(set string) time.Time {
	control := r.control(set)
	if control == nil {
		return time.Time{}
	}
	v, ok := lookupValue(control, "Windows", "ShutdownTime")
	if !ok || v.Type != Binary || len(v.Data) != 8 {
		return time.Time{}
	}
	return Filetime(binary.LittleEndian.Uint64(v.Data)).Time()
}

// control returns the key Control of a control set, or nil if there is none or if it is unknown which set that is.
func (r *Registry) control(set string) *Key {
	m := r.Find(systemPath.Join(set, "Control"))
	if len(m) != 1 {
		return nil
	}
	return m[0].Key
}

// Selection is a number in the key Select of the SYSTEM hive: that of the control set that is the current one, the default for the next
// start, the last that failed, or the last known good one. Source: Microsoft KB 102984.
type Selection struct {
	Name   string
	Number uint64 // 0 for none
}

// Selections returns the numbers that Select holds.
func (r *Registry) Selections() (all []Selection) {
	k := r.lookup(systemPath.Join("Select")...)
	if k == nil {
		return nil
	}
	for _, name := range []string{"Current", "Default", "Failed", "LastKnownGood"} {
		if v, ok := k.Value(name); ok {
			if n, err := v.Uint64(); err == nil {
				all = append(all, Selection{name, n})
			}
		}
	}
	return all
}
