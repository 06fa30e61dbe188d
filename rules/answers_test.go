package rules_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"regvet/hive"
	"regvet/internal/shared"
	"regvet/rules"
)

// sameAnswers requires that [rules.Answers] tells of the passes that [rules.Evaluate] finds, at their places, and otherwise finds the same. It
// returns the number of passes.
func sameAnswers(t *testing.T, reg *hive.Registry, w hive.Windows, all []*rules.Rule, about string) (passes int) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	place := func(r *rules.Rule, real hive.Path) string { return r.ID + " at " + real.String() }
	var rest, others []string
	for _, f := range rules.Evaluate(reg, w, all) {
		if f.Status == rules.Pass {
			want[place(f.Rule, f.RealKey)]++
			passes++
		} else {
			rest = append(rest, f.Fingerprint(), f.Message, fmt.Sprint(f.Notes))
		}
	}
	for _, f := range rules.Answers(reg, w, all, func(r *rules.Rule, real hive.Path) { got[place(r, real)]++ }) {
		others = append(others, f.Fingerprint(), f.Message, fmt.Sprint(f.Notes))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(others) != fmt.Sprint(rest) {
		t.Fatalf("%s: told passes\n%v\n, found\n%v\n; other findings\n%q\n, want\n%q", about, got, want, others, rest)
	}
	return passes
}

// TestAnswersLaw requires for random rules and registries that passes are told of as they are found.
func TestAnswersLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	passes := 0
	for i := range 3000 {
		text, content := openRule(rng), randomRegistry(rng)
		if i%2 == 0 {
			text = randomRule(rng)
		}
		p, err := rules.Load("", []byte(text))
		if err != nil {
			continue // its parts contradict each other
		}
		w := hive.Windows{AtLeast: hive.Version{Major: 5, Minor: rng.IntN(2)}}
		if rng.IntN(2) == 0 {
			w = hive.Exactly(hive.Version{Major: 6, Minor: rng.IntN(3)})
		}
		reg := registry(t, content)
		passes += sameAnswers(t, reg, w, p.Rules, text+"\n"+content)
		sameAnswers(t, reg.WithControlSet(hive.AllControlSets), w, p.Rules, text+"\n"+content)
	}
	if passes < 1000 {
		t.Errorf("the law was tried on too little: %d passes", passes)
	}
}

// TestAnswersOfHives requires the same for the built-in packs and real hives, on the Windows that these tell and on an unknown one.
func TestAnswersOfHives(t *testing.T) {
	packs, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	passes := 0
	for _, name := range []string{"SYSTEM", "SYSTEM_2"} {
		f, err := hive.Read(name, shared.Read(t, "hives/regipy/"+name))
		if err != nil {
			t.Fatal(err)
		}
		reg := hive.NewRegistry()
		reg.Mount(hive.ParsePath(`HKEY_LOCAL_MACHINE\SYSTEM`), f.Root())
		passes += sameAnswers(t, reg, reg.Windows(), packs, name)
		sameAnswers(t, reg, hive.Windows{}, packs, name)
	}
	if passes < 1000 {
		t.Errorf("there were only %d passes", passes)
	}
}
