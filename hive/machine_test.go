package hive_test

import (
	"fmt"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// system mounts a SYSTEM tree with one control set, which holds the keys given.
func system(selected []hive.Value, control ...*hive.Key) *hive.Registry {
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("", nil, hive.NewKey("Select", selected),
		hive.NewKey("ControlSet001", nil, hive.NewKey("Control", nil, control...))))
	return r
}

func TestTimeZone(t *testing.T) {
	minutes := func(n int32) uint32 { return uint32(n) }
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	for _, c := range []struct {
		values []hive.Value
		want   string
	}{
		{[]hive.Value{hive.DWordValue("Bias", 300), text("TimeZoneKeyName", "Eastern Standard Time")}, "Eastern Standard Time, UTC-05:00"},
		{[]hive.Value{hive.DWordValue("Bias", minutes(-60)), hive.DWordValue("ActiveTimeBias", minutes(-120)), text("StandardName", "Mitteleuropäische Zeit")},
			"Mitteleuropäische Zeit, UTC+01:00, at the last change UTC+02:00"},
		{[]hive.Value{hive.DWordValue("Bias", minutes(-330)), text("StandardName", "@tzres.dll,-492")}, "UTC+05:30"},
		// What is behind the NUL of the name is left over from a longer one.
		{[]hive.Value{hive.DWordValue("Bias", 0), text("TimeZoneKeyName", "UTC\x00Standard Time")}, "UTC, UTC+00:00"},
		{[]hive.Value{text("TimeZoneKeyName", "UTC")}, "false"},
		{[]hive.Value{text("Bias", "60")}, "false"},
	} {
		r := system([]hive.Value{hive.DWordValue("Current", 1)}, hive.NewKey("TimeZoneInformation", c.values))
		z, ok := r.TimeZone()
		got := z.String()
		if !ok {
			got = fmt.Sprint(ok)
		}
		if got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if _, ok := hive.NewRegistry().TimeZone(); ok {
		t.Error("a registry of which nothing is known has a time zone")
	}
}

func TestShutdown(t *testing.T) {
	for _, c := range []struct {
		value hive.Value
		want  time.Time
	}{
		{hive.Value{Name: "ShutdownTime", Type: hive.Binary, Data: []byte{0x15, 0xcd, 0x5b, 0x07, 0, 0x98, 0xd9, 0x01}}, time.Date(2023, 6, 5, 22, 49, 47, 501902900, time.UTC)},
		{hive.Value{Name: "ShutdownTime", Type: hive.Binary, Data: []byte{1, 2, 3}}, time.Time{}},
		{hive.NumberValue("ShutdownTime", hive.QWord, 132000000000000000), time.Time{}},
	} {
		r := system([]hive.Value{hive.DWordValue("Current", 1)}, hive.NewKey("Windows", []hive.Value{c.value}))
		if got := r.Shutdown(); !got.Equal(c.want) {
			t.Errorf("%v: got %s, want %s", c.value, got, c.want)
		}
	}
	if got := hive.NewRegistry().Shutdown(); !got.IsZero() {
		t.Error(got)
	}
}

func TestSelections(t *testing.T) {
	r := system([]hive.Value{hive.DWordValue("LastKnownGood", 2), hive.DWordValue("Current", 1), hive.StringValue("Failed", hive.SZ, "0")})
	if got := fmt.Sprint(r.Selections()); got != "[{Current 1} {LastKnownGood 2}]" {
		t.Error(got)
	}
}

// TestNamesOfComputer tests what hives say about which computer they are of, and that damaged data say nothing.
func TestNamesOfComputer(t *testing.T) {
	named := func(n byte, text string) hive.Value {
		return hive.Value{Data: append([]byte{n, 0, n, 0, 8, 0, 0, 0}, hive.EncodeUTF16(text)...)}
	}
	sid := []byte{1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 255, 255, 255, 255}
	for _, test := range []struct {
		name      hive.Value
		sid       []byte
		want, SID string
	}{
		{named(8, "WS01"), sid, "WS01", "S-1-5-21-1-2-4294967295"},
		{named(10, "WS01"), sid[1:], "", ""},
		{hive.Value{Data: []byte{8, 0, 8, 0}}, append(sid, 0), "", ""},
		{hive.Value{}, append([]byte{2}, sid[1:]...), "", ""},
	} {
		policy := &hivetest.Key{Name: "Policy", Keys: []*hivetest.Key{
			{Name: "PolAcDmN", Values: []hive.Value{test.name}}, {Name: "PolAcDmS", Values: []hive.Value{{Data: test.sid}}}}}
		sam := &hivetest.Key{Name: "SAM", Keys: []*hivetest.Key{{Name: "Domains", Keys: []*hivetest.Key{
			{Name: "Account", Values: []hive.Value{{Name: "V", Type: hive.Binary, Data: append([]byte("before"), test.sid...)}}}}}}}
		reg := registryOf(t, map[string]*hivetest.Key{`HKLM\SECURITY`: {Keys: []*hivetest.Key{policy}}, `HKLM\SAM`: {Keys: []*hivetest.Key{sam}}})
		if reg.NameInSecurity() != test.want || reg.SIDInSecurity() != test.SID {
			t.Errorf("got %q and %q, want %q and %q", reg.NameInSecurity(), reg.SIDInSecurity(), test.want, test.SID)
		}
		if got := reg.SIDInSAM(); test.SID != "" && got != test.SID {
			t.Errorf("SAM has %q", got)
		}
	}
	if reg := hive.NewRegistry(); reg.NameInSecurity()+reg.SIDInSecurity()+reg.SIDInSAM() != "" || reg.Names() != nil {
		t.Error("an empty registry says something")
	}
	if !hive.IsNetBIOSName("DESKTOP-PM6C56D", "desktop-pm6c56dx") || hive.IsNetBIOSName("WS0", "WS01") {
		t.Error("names are compared otherwise")
	}
}
