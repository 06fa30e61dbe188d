package cli

import (
	"encoding/json"
	"slices"
	"testing"

	"regvet/internal/shared"
)

// TestPolicyCases has local settings and group policies that contradict each other: what the policy sets is the answer, both ways.
func TestPolicyCases(t *testing.T) {
	failed := func(args ...string) (all []string) {
		var report struct {
			Findings []struct{ Rule, Status string }
		}
		if err := json.Unmarshal(regvet(t, statusFindings, append([]string{"check", "--format", "json"}, args...)...), &report); err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Status == "fail" {
				all = append(all, f.Rule)
			}
		}
		return all
	}
	strong := failed("--pack", "windows-hardening", "--windows", "10.0.19045", shared.Path(t, "cases/rules/policy-overrides.reg"))
	for _, rule := range []string{"RdpNetworkLevelAuth", "RdpSecurityLayer", "RdpEncryptionLevel", "FirewallProfile", "EventLogSizeSecurity", "SmbInsecureGuest", "RemoteAssistance",
		"VirtualizationBasedSecurity", "CredentialGuard", "MemoryIntegrity"} {
		if slices.Contains(strong, "HARDENING-"+rule) {
			t.Errorf("policy-overrides: %s fails", rule)
		}
	}
	if !slices.Contains(strong, "HARDENING-RemoteDesktop") { // which no policy sets
		t.Errorf("policy-overrides: only %s fail", strong)
	}
	weak := failed("--pack", "all", shared.Path(t, "cases/rules/policy-weakens.reg"))
	for _, rule := range []string{"HARDENING-RemoteDesktop", "HARDENING-RdpNetworkLevelAuth", "HARDENING-FirewallProfile"} {
		if !slices.Contains(weak, rule) {
			t.Errorf("policy-weakens: %s does not fail", rule)
		}
	}
}
