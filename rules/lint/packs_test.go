package lint

import (
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestWatches holds which keys of a file are kept for the rules of packs: those at and above which a rule can find a value.
func TestWatches(t *testing.T) {
	pack, err := rules.Load("", []byte(`pack: p
title: P
rules:
  - {id: A, title: A, severity: low, key: 'HKLM\SYSTEM\CurrentControlSet\Services\{service}', value: V, expect: {exists: false}}
  - {id: B, title: B, severity: low, key: 'HKLM\SYSTEM\CurrentControlSet\Services\{service}\Parameters', all: [{value: V, expect: {data: {equals: 1}}}]}
  - {id: C, title: C, severity: low, key: 'HKLM\SYSTEM\**', expect: {written: {before: 2100-01-01}}, missing: pass}
  - {id: D, title: D, severity: low, key: 'HKLM\SYSTEM\CurrentControlSet\Control\Lsa', value: V, expect: {exists: false}}
  - {id: E, title: E, severity: low, key: 'HKLM\SOFTWARE\Deep\**', value: V, expect: {exists: false}}
`))
	if err != nil {
		t.Fatal(err)
	}
	w := newWatch(pack.Rules)
	for path, want := range map[string]bool{
		`HKLM\SYSTEM`:                                         false, // C is about the times of keys, which a file does not have
		`HKLM\SYSTEM\ControlSet001\Services`:                  true,
		`HKLM\SYSTEM\ControlSet001\Services\X`:                true,
		`HKLM\SYSTEM\CurrentControlSet\Services\X\PARAMETERS`: true,
		`HKLM\SYSTEM\ControlSet001\Services\X\Parameters\Y`:   false,
		`HKLM\SYSTEM\ControlSet001\Control\Lsa`:               true,
		`HKLM\SYSTEM\ControlSet001\Control\Lsa\Y`:             false,
		`HKLM\SYSTEM\ControlSet001\Enum\X`:                    false,
		`HKLM\SOFTWARE\Deep\A\B\C\D\E\F`:                      true,
		`HKLM\SOFTWARE\Other`:                                 false,
	} {
		if got := w.watches(hive.Fold(hive.ParsePath(path).String())); got != want {
			t.Errorf("%s is watched: %v", path, got)
		}
	}
}
