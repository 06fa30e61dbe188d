package rules

import "testing"

func TestCountBuiltIn(t *testing.T) {
	want := 0
	for _, p := range BuiltIn() {
		want += len(p.Rules)
	}
	if got := CountBuiltIn(); got != want {
		t.Errorf("counted %d rules in the texts of the built-in packs, which have %d", got, want)
	}
}
