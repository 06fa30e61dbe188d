package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports requires that imports point one way, from cmd to report, rules and hive. Each package may import only those listed, among the
// packages of this module, and only package hive imports regparser.
func TestImports(t *testing.T) {
	const regparser = "www.velocidex.com/golang/regparser"
	allowed := map[string][]string{
		"regvet/hive":                  {regparser},
		"regvet/hive/regfile":          {"regvet/hive"},
		"regvet/hive/polfile":          {"regvet/hive"},
		"regvet/hive/command":          {"regvet/hive"},
		"regvet/internal/hivetest":     {"regvet/hive"},
		"regvet/hive/evidence/block":   {"regvet/hive"},
		"regvet/hive/evidence/image":   {"regvet/hive", "regvet/hive/evidence/block"},
		"regvet/hive/evidence/volume":  {"regvet/hive", "regvet/hive/evidence/block"},
		"regvet/hive/evidence/ntfs":    {"regvet/hive", "regvet/hive/evidence/block"},
		"regvet/hive/evidence/vss":     {"regvet/hive", "regvet/hive/evidence/block"},
		"regvet/hive/evidence/fat":     {"regvet/hive", "regvet/hive/evidence/block"},
		"regvet/hive/evidence/archive": {"regvet/hive", "regvet/hive/evidence/block"},
		"regvet/internal/imagetest":    {},
		"regvet/internal/evidencetest": {"regvet/hive/evidence/block"},
		"regvet/hive/evidence": {"regvet/hive", "regvet/hive/evidence/block", "regvet/hive/evidence/image", "regvet/hive/evidence/volume", "regvet/hive/evidence/ntfs",
			"regvet/hive/evidence/fat", "regvet/hive/evidence/archive", "regvet/hive/evidence/vss"},
		"regvet/hive/collection":   {"regvet/hive", "regvet/hive/polfile", "regvet/hive/regfile", "regvet/hive/evidence", "regvet/hive/evidence/block"},
		"regvet/hive/search":       {"regvet/hive", "regvet/internal/glob"},
		"regvet/hive/script":       {"regvet/hive", "regvet/hive/regfile", "regvet/internal/safetext"},
		"regvet/internal/draft":    {},
		"regvet/internal/licences": {},
		"regvet/internal/memory":   {},
		"regvet/internal/shared":   {},
		"regvet/internal/safetext": {},
		"regvet/internal/glob":     {"regvet/hive"},
		"regvet/internal/runs":     {},
		"regvet/internal/worktree": {"regvet/hive", "regvet/internal/glob"},
		"regvet/rules":             {"regvet/hive", "regvet/hive/command", "regvet/hive/regfile", "regvet/rules/strict"},
		"regvet/rules/strict":      {"regvet/hive"},
		"regvet/rules/ports":       {"regvet/hive"},
		"regvet/rules/accept":      {"regvet/hive", "regvet/rules", "regvet/rules/strict", "regvet/internal/glob", "regvet/internal/safetext"},
		"regvet/rules/lint":        {"regvet/rules/accept", "regvet/hive", "regvet/hive/command", "regvet/hive/regfile", "regvet/rules", "regvet/rules/strict", "regvet/internal/glob", "regvet/internal/worktree", "regvet/internal/safetext"},
		"regvet/rules/foreign":     {"regvet/hive", "regvet/hive/collection", "regvet/hive/polfile", "regvet/hive/regfile", "regvet/rules", "regvet/rules/strict"},
		"regvet/report":            {"regvet/hive", "regvet/hive/collection", "regvet/hive/evidence", "regvet/hive/evidence/image", "regvet/hive/search", "regvet/rules", "regvet/rules/foreign", "regvet/rules/lint", "regvet/rules/ports", "regvet/rules/strict", "regvet/internal/runs", "regvet/internal/safetext"},
		"regvet/cmd/regvet":        {"regvet/internal/cli"},
		"regvet/internal/cli": {"regvet/hive", "regvet/hive/polfile", "regvet/hive/regfile", "regvet/hive/script", "regvet/hive/search", "regvet/hive/collection", "regvet/rules", "regvet/rules/accept", "regvet/rules/foreign", "regvet/rules/lint", "regvet/rules/ports", "regvet/rules/strict",
			"regvet/report", "regvet/internal/glob", "regvet/internal/runs", "regvet/internal/worktree", "regvet/internal/draft", "regvet/internal/memory", "regvet/internal/safetext"},
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "regvet/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		list, ok := allowed[names[0]]
		if !ok {
			t.Errorf("%s has no place in the order of packages yet; give it one here", names[0])
		}
		for _, imported := range names[1:] {
			if (strings.HasPrefix(imported, "regvet/") || imported == regparser) && !slices.Contains(list, imported) {
				t.Errorf("%s imports %s, against the order of packages", names[0], imported)
			}
		}
	}
}
