package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// recipe returns the text of a recipe for build servers.
func recipe(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/ci", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRecipes runs the commands of the recipes that call regvet, and requires the files that the recipes hand on. What parses the recipes for
// the servers themselves is not in Go, so .ci/recipes runs it.
func TestRecipes(t *testing.T) {
	var gitlab struct {
		Registry struct {
			Image     string
			Script    []string
			Artifacts struct {
				When    string
				Reports map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(recipe(t, "gitlab-ci.yml")), &gitlab); err != nil {
		t.Fatal(err)
	}
	jenkins := recipe(t, "Jenkinsfile")
	step := regexp.MustCompile(`(?m)^ *sh '(.*)'$`).FindStringSubmatch(jenkins)
	results := regexp.MustCompile(`testResults: '([^']*)'`).FindStringSubmatch(jenkins)
	if step == nil || results == nil || gitlab.Registry.Artifacts.When != "always" {
		t.Fatalf("a recipe lacks a part: %q, %q, %+v", step, results, gitlab)
	}
	reports := []string{gitlab.Registry.Artifacts.Reports["codequality"], gitlab.Registry.Artifacts.Reports["junit"]}
	for name, c := range map[string]struct {
		line  string
		files []string
	}{
		"gitlab":  {gitlab.Registry.Script[len(gitlab.Registry.Script)-1], reports},
		"jenkins": {step[1], []string{results[1], "regvet.sarif"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			data, err := os.ReadFile("../../testdata/untidy.reg")
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "a.reg"), data, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			words := strings.Fields(c.line)
			if words[0] != "regvet" {
				t.Fatalf("%q does not run regvet", c.line)
			}
			if status := run(words[1:], nil, io.Discard, io.Discard); status != statusFindings {
				t.Errorf("%s: exit status %d", c.line, status)
			}
			for _, file := range c.files {
				if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), "REG") {
					t.Errorf("%s does not write its findings to %q: %v", c.line, file, err)
				}
			}
		})
	}
}

// TestActionRecipe requires that the example for GitHub gives the action inputs that it has, and treats a pull request from another repository
// as coming from strangers.
func TestActionRecipe(t *testing.T) {
	var a action
	readYAML(t, "action.yml", &a)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(recipe(t, "github.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	steps := workflow.Jobs["lint"].Steps
	i := slices.IndexFunc(steps, func(s struct {
		Uses string
		With map[string]string
	}) bool {
		return strings.HasPrefix(s.Uses, "owner/regvet@")
	})
	if i < 0 {
		t.Fatalf("the example does not use the action: %+v", steps)
	}
	for name := range steps[i].With {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("the action has no input %s", name)
		}
	}
	const strangers = "${{ github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name != github.repository && '--no-config' || '' }}"
	if !strings.Contains(steps[i].With["args"], strangers) {
		t.Errorf("the config of a stranger counts: %q", steps[i].With["args"])
	}
}
