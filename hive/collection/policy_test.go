package collection_test

import (
	"testing"

	"regvet/hive/collection"
	"regvet/hive/polfile"
)

// TestPolicyRoot holds what tells whether a Registry.pol is that of a user: the last word of its name, else its folder.
func TestPolicyRoot(t *testing.T) {
	for name, want := range map[string]string{
		"user.pol":                        polfile.User,
		"fix-user.pol":                    polfile.User,
		"GPO_USER.POL":                    polfile.User,
		"gpo/User/Registry.pol":           polfile.User,
		`C:\gpo\user\Registry.pol`:        polfile.User,
		"gpo/User/machine.pol":            polfile.Machine,
		"gpo/Machine/Registry.pol":        polfile.Machine,
		"gpo/User/Machine/Registry.pol":   polfile.Machine,
		"office-2016-computer-user.pol":   polfile.User,
		"user-settings-machine.pol":       polfile.Machine,
		"superuser.pol":                   polfile.Machine,
		"fix.pol":                         polfile.Machine,
		"image.dd/1/User/Registry.pol":    polfile.User,
		collection.StandardInput:          polfile.Machine,
		"":                                polfile.Machine,
		"Users/Machine2/Registry.pol":     polfile.Machine,
		"windows-computer-machine.pol":    polfile.Machine,
		"gpo/DomainSysvol/GPO/User/x.pol": polfile.User,
	} {
		if got, by := collection.PolicyRoot(name); got != want || by == "" {
			t.Errorf("%s: %s by %s", name, got, by)
		}
	}
}
