package rules

import "testing"

func TestCountBuiltIn(t *testing.T) {
	all, err := Rules(BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	want := len(Distinct(all, nil))
	if got := CountBuiltIn(); got != want {
		t.Errorf("counted %d rules in the texts of the built-in packs, of which %d run together", got, want)
	}
}
