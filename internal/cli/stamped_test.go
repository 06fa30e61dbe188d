package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/shared"
)

// stampedData returns a SYSTEM hive with two control sets, of which the first is current, and with times that Windows does not write: the service
// Updater was changed only in the other set, Agent has the time zero, Late was written after the hive and at a whole second, and
// Control\Windows was written before the shutdown that it records.
func stampedData() []byte {
	at := func(month time.Month) hive.Filetime {
		return hive.FiletimeOf(time.Date(2011, month, 1, 8, 30, 0, 123_456_700, time.UTC))
	}
	key := func(name string, month time.Month, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Modified: at(month), Keys: keys}
	}
	windows, choice := key("Windows", 2), key("Select", 1)
	windows.Values = []hive.Value{hive.NumberValue("ShutdownTime", hive.Binary, uint64(at(5)))}
	choice.Values = []hive.Value{hive.DWordValue("Current", 1), hive.DWordValue("LastKnownGood", 2)}
	zero, late := key("Agent", 1), key("Late", 1)
	zero.Modified, late.Modified = 0, hive.FiletimeOf(time.Date(2011, 9, 1, 0, 0, 0, 0, time.UTC))
	root := key("", 1,
		key("ControlSet001", 1, key("Control", 1, windows), key("Services", 1, zero, late, key("Spooler", 4), key("Updater", 1))),
		key("ControlSet002", 1, key("Control", 1), key("Services", 1, key("Spooler", 1), key("Updater", 4))),
		choice)
	return hivetest.Build(root, hivetest.Options{Name: "SYSTEM", Modified: at(6)})
}

// TestTimesOfRealSystems requires that no rule about the times of keys fails on a real SYSTEM hive, in any control set, because Windows does not
// leave such times. Other answers show that the rules were evaluated.
func TestTimesOfRealSystems(t *testing.T) {
	answered := map[string]bool{}
	for _, name := range []string{"SYSTEM", "SYSTEM_2"} {
		input := shared.Path(t, "hives/regipy/"+name)
		for _, set := range []string{"current", "all", "1"} {
			var out bytes.Buffer
			run([]string{"check", "--pack", "forensics", "--control-set", set, "--format", "json", "--all", input}, nil, &out, io.Discard)
			var r struct {
				Findings []struct{ Rule, Status, Expected, Message string }
			}
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Findings {
				if !strings.HasPrefix(f.Expected, "last written ") {
					continue
				}
				if f.Status == "fail" {
					t.Errorf("%s, set %s: %s: %s", name, set, f.Rule, f.Message)
				}
				answered[f.Rule] = answered[f.Rule] || f.Status == "pass"
			}
		}
	}
	if len(answered) != 5 {
		t.Errorf("asked %v", answered)
	}
	for rule, ok := range answered {
		if !ok {
			t.Errorf("%s passes nowhere", rule)
		}
	}
}
