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

// SIDInSAM returns the SID of the computer, to which the local accounts belong, from the end of the value V of SAM\Domains\Account in the SAM hive,
// or "". Source: Sysinternals NewSID.
func (r *Registry) SIDInSAM() string {
	v := r.data(`HKLM\SAM\SAM\Domains\Account`, "V")
	return machineSID(v[max(0, len(v)-machineSIDSize):])
}

// SIDInSecurity returns the SID of the domain of the local accounts, from Policy\PolAcDmS in the SECURITY hive, or "". It is that of the computer or,
// on a domain controller, that of the domain. Source: Microsoft, POLICY_ACCOUNT_DOMAIN_INFO.
func (r *Registry) SIDInSecurity() string {
	return machineSID(r.data(`HKLM\SECURITY\Policy\PolAcDmS`, ""))
}

// Names returns the names of the computer in the SYSTEM hive, in every control set: the present ones and those that it gets at its next start. Source:
// Microsoft, SetComputerNameEx; KB 314053 for the values of TCP/IP.
func (r *Registry) Names() (all []string) {
	r = r.WithControlSet(AllControlSets)
	for _, at := range []struct{ key, value string }{
		{`Control\ComputerName\ComputerName`, "ComputerName"}, {`Services\Tcpip\Parameters`, "Hostname"}, {`Services\Tcpip\Parameters`, "NV Hostname"},
	} {
		for _, m := range r.Find(systemPath.Join(currentControlSet).Join(ParsePath(at.key)...)) {
			if m.Key == nil {
				continue
			}
			if name := m.Key.text(at.value); name != "" {
				all = append(all, name)
			}
		}
	}
	return all
}

// NameInSecurity returns the name that goes with [Registry.SIDInSecurity], from Policy\PolAcDmN in the SECURITY hive, or "". A length in bytes stands
// before the text. The name of a computer is cut off after 15 characters there, as in NetBIOS.
func (r *Registry) NameInSecurity() string {
	data := r.data(`HKLM\SECURITY\Policy\PolAcDmN`, "")
	const header = 8
	if len(data) < header {
		return ""
	}
	n := int(binary.LittleEndian.Uint16(data))
	if n > len(data)-header {
		return ""
	}
	return DecodeUTF16(data[header:][:n])
}

// IsNetBIOSName reports whether a name is that of a computer as NetBIOS has it: the first 15 characters, in any case.
func IsNetBIOSName(name, computer string) bool {
	runes := []rune(computer)
	return EqualFold(name, string(runes[:min(len(runes), 15)]))
}

// data returns the data of a value, or nil if there is none or not all of it could be read.
func (r *Registry) data(path, value string) []byte {
	k := r.lookup(ParsePath(path)...)
	if k == nil {
		return nil
	}
	v, ok := k.Value(value)
	if !ok || v.Short {
		return nil
	}
	return v.Data
}

// machineSIDSize is the length in bytes of the SID of a computer or a domain, S-1-5-21-A-B-C. Source: Microsoft, MS-DTYP 2.4.2.2.
const machineSIDSize = 8 + 4*4

// machineSID returns the text of the SID of a computer or a domain, or "" if the data are none.
func machineSID(data []byte) string {
	if len(data) != machineSIDSize || [12]byte(data) != [12]byte{1, 4, 7: 5, 8: 21} {
		return ""
	}
	part := func(i int) uint32 { return binary.LittleEndian.Uint32(data[12+4*i:]) }
	return fmt.Sprintf("S-1-5-21-%d-%d-%d", part(0), part(1), part(2))
}
