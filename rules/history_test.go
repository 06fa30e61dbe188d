package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/rules"
)

func TestAddHistory(t *testing.T) {
	mount := hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}
	finding := func(value string, key ...string) rules.Finding {
		return rules.Finding{Status: rules.Fail, RealKey: mount.Join(key...), Value: value}
	}
	deleted := func(path hive.Path, values ...hive.Value) hive.Deleted {
		return hive.Deleted{Path: path, Key: hive.NewKey(path[len(path)-1], values)}
	}
	findings := []rules.Finding{
		finding("Port", "Set1", "Tcpip"), finding("Delay", "Set1", "Tcpip"), finding("Port", "Set2", "Tcpip"),
		{Status: rules.Pass, RealKey: hive.Path{"HKEY_LOCAL_MACHINE", "SOFTWARE", "Tcpip"}, Value: "Port"},
	}
	gone := deleted(hive.Path{"set1", "TCPIP"}, hive.DWordValue("PORT", 1), hive.DWordValue("Other", 2))
	live := deleted(hive.Path{"Set1", "Tcpip"}, hive.DWordValue("Port", 3))
	live.Live = true
	orphan := deleted(hive.Path{"Set1", "Tcpip"}, hive.DWordValue("Port", 4))
	orphan.Orphan = true
	below := deleted(hive.Path{"Set1", "Tcpip", "Below"}, hive.DWordValue("Delay", 5))

	got := rules.AddHistory(findings, mount, []hive.Deleted{gone, live, orphan, below})
	want := [][]rules.Past{
		{{Value: hive.DWordValue("PORT", 1), KeyGone: true}, {Value: hive.DWordValue("Port", 3)}},
		nil, nil, nil,
	}
	for i, f := range got {
		if diff := cmp.Diff(want[i], f.History); diff != "" {
			t.Errorf("finding %d: %s", i, diff)
		}
		if findings[i].History != nil {
			t.Error("the findings that were given changed")
		}
		if f.History = nil; !cmp.Equal(f.RealKey, findings[i].RealKey) || f.Status != findings[i].Status {
			t.Error("an answer changed")
		}
	}
}
