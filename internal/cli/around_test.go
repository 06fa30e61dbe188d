package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// readYAML reads a file of the repository strictly.
func readYAML(t *testing.T, name string, to any) {
	data, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestHooks requires that pre-commit can use each hook, and that regvet has the commands and flags that they run.
func TestHooks(t *testing.T) {
	var hooks []struct {
		ID, Name, Description, Entry, Language, Files string
	}
	readYAML(t, ".pre-commit-hooks.yaml", &hooks)
	if len(hooks) == 0 {
		t.Fatal("there are no hooks")
	}
	for _, h := range hooks {
		words := strings.Fields(h.Entry)
		if h.ID == "" || h.Name == "" || h.Language != "golang" || len(words) < 2 || words[0] != "regvet" {
			t.Fatalf("not a hook: %+v", h)
		}
		i := slices.IndexFunc(commands(), func(cmd command) bool { return cmd.name == words[1] })
		if i < 0 {
			t.Fatalf("%s: there is no command %s", h.ID, words[1])
		}
		flags, _ := commands()[i].parser()
		if err := flags.Parse(words[2:]); err != nil {
			t.Errorf("%s: %v", h.ID, err)
		}
		files := regexp.MustCompile(h.Files)
		for name, want := range map[string]bool{"a.reg": true, "b/C.REG": true, "a.registry": false, "areg": false} {
			if files.MatchString(name) != want {
				t.Errorf("%s: for %s: %v", h.ID, name, !want)
			}
		}
	}
}

// action holds the parts of action.yml that the test reads.
type action struct {
	Name, Description string
	Branding          map[string]string
	Inputs            map[string]struct{ Description, Default string }
	Outputs           map[string]struct{ Description, Value string }
	Runs              struct {
		Using string
		Steps []struct {
			ID, Name, If, Uses, Shell, Run string
			With, Env                      map[string]string
		}
	}
}

// TestAction runs the script of the GitHub action as a runner does, and requires that it uses exactly the inputs that action.yml declares.
func TestAction(t *testing.T) {
	var a action
	readYAML(t, "action.yml", &a)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" {
		t.Fatalf("not an action: %+v", a)
	}
	used := map[string]bool{}
	script := ""
	env := map[string]string{}
	for _, s := range a.Runs.Steps {
		if (s.Uses == "") == (s.Run == "") || s.Run != "" && s.Shell != "bash" {
			t.Errorf("not a step: %+v", s)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("the script of %q holds an expression, which may be a command of somebody else", s.Name)
		}
		texts := []string{s.If}
		for _, m := range []map[string]string{s.Env, s.With} {
			for _, text := range m {
				texts = append(texts, text)
			}
		}
		for _, text := range texts {
			for _, m := range regexp.MustCompile(`inputs\.([\w-]+)`).FindAllStringSubmatch(text, -1) {
				if _, ok := a.Inputs[m[1]]; !ok {
					t.Errorf("there is no input %s", m[1])
				}
				used[m[1]] = true
			}
		}
		if s.ID == "lint" {
			script, env = s.Run, s.Env
		}
	}
	for name, input := range a.Inputs {
		if !used[name] || input.Description == "" {
			t.Errorf("input %s: used %v, %q", name, used[name], input.Description)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	regvet, err := exec.LookPath("regvet")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		with   map[string]string
		status int
		shown  string // what the log must contain
		sarif  bool
		told   string // what the summary must contain; "" for no summary
	}{
		"default":      {nil, 1, "::warning file=a b.reg,line=4,", false, "REG214"},
		"paths":        {map[string]string{"paths": "\na b.reg\nclean\n", "fail-on": "error"}, 0, "1 warning in 1 of 2 files", false, "REG214"},
		"flags":        {map[string]string{"args": "--ignore REG214\n--exclude  clean"}, 0, "no findings in 1 file", false, "o findings"},
		"sarif":        {map[string]string{"sarif": "out.sarif"}, 1, "::warning file=a b.reg,", true, "REG214"},
		"upload":       {map[string]string{"upload-sarif": "true"}, 1, "::warning file=a b.reg,", true, "REG214"},
		"missing":      {map[string]string{"paths": "$(touch here)"}, 3, "cannot be read", false, "cannot be read"},
		"wrong":        {map[string]string{"args": "--nothing", "upload-sarif": "true"}, 2, "unknown flag: --nothing", false, ""},
		"not a folder": {map[string]string{"paths": "empty"}, 2, "there is no .reg file in empty", false, ""},
		"no summary":   {map[string]string{"summary": "false"}, 1, "::warning file=a b.reg,", false, ""},
		"config":       {map[string]string{"config": "con fig/'$(touch here)'.yaml"}, 0, "no findings in 2 files", false, "o findings"},
		"no config":    {map[string]string{"config": "nothing.yaml"}, 2, "nothing.yaml", false, ""},
		"baseline":     {map[string]string{"baseline": "known *.json"}, 0, "no findings in 2 files; 1 suppressed by the baseline", false, "1 suppressed by the baseline"},
		"blanks":       {map[string]string{"args": `--exclude "a b.reg"`}, 0, "no findings in 1 file", false, "o findings"},
		"quotes":       {map[string]string{"args": `--exclude a\ b.reg --exclude '"$(touch here)"' --exclude "it's; touch here"`}, 0, "no findings in 1 file", false, "o findings"},
		"globs":        {map[string]string{"args": "--exclude *.reg --allow-empty"}, 0, "no ", false, "o "},
		"expansion":    {map[string]string{"args": "--select $HOME`touch here`", "paths": "*"}, 2, "$HOME`touch", false, ""},
		"empty word":   {map[string]string{"args": "--exclude **/*.reg ''"}, 3, "regvet: ", false, "cannot be"},
		"blank args":   {map[string]string{"args": " \n\t "}, 1, "::warning file=a b.reg,", false, "REG214"},
		"open quote":   {map[string]string{"args": `--exclude "a b.reg`}, 2, "::error::the input args of the action cannot be split into words", false, ""},
		"cut":          {map[string]string{"paths": "a b.reg"}, 1, "::", false, "\n\nThe summary is cut here. The log of the job has the rest.\n"},
		"hostile path": {map[string]string{"paths": "-x\n; touch here\n`touch here`\na b.reg"}, 3, "cannot be read", false, "REG214"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, temp := t.TempDir(), t.TempDir()
			for _, folder := range []string{filepath.Join(dir, "clean"), filepath.Join(dir, "empty"), filepath.Join(dir, "con fig"), filepath.Join(temp, "regvet")} {
				if err := os.Mkdir(folder, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			const header = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters]\r\n"
			for file, value := range map[string]string{"a b.reg": "\"MaxUserPort\"=dword:00001388\r\n", "clean/c.reg": "\"MaxUserPort\"=dword:0000fffe\r\n"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(header+value), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			const off = "checks: {REG214: off}\n"
			const known = `{"schema_version": "1", "findings": [{"path": "a b.reg", "check": "REG214", "fingerprint": "67c8b4e0c20480ee7a5feb06cfa7a098", "message": ""}]}`
			for file, text := range map[string]string{"con fig/'$(touch here)'.yaml": off, "known *.json": known} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
					t.Skipf("needs files of any name: %v", err)
				}
			}
			if err := os.Symlink(regvet, filepath.Join(temp, "regvet", "regvet")); err != nil {
				t.Skipf("needs symbolic links: %v", err)
			}
			if name == "cut" { // regvet itself writes no summary of that size: it lists some of many findings
				long := "#!/bin/sh\nfor word; do case $word in markdown=*) yes 'a line of a summary' | head -c 2000000 >\"${word#markdown=}\" ;; esac; done\necho '::warning::many'\nexit 1\n"
				if err := os.Remove(filepath.Join(temp, "regvet", "regvet")); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(temp, "regvet", "regvet"), []byte(long), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
			cmd.Dir = dir
			output := filepath.Join(temp, "output")
			summary := filepath.Join(temp, "summary of the step")
			if err := os.WriteFile(summary, []byte("of a step before\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			cmd.Env = append(os.Environ(), "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary)
			for variable, expression := range env {
				input := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ inputs."), " }}")
				value, ok := c.with[input]
				if !ok {
					value = a.Inputs[input].Default
				}
				cmd.Env = append(cmd.Env, variable+"="+value)
			}
			log, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != c.status || !strings.Contains(string(log), c.shown) {
				t.Errorf("status %d, want %d; want %q in:\n%s", got, c.status, c.shown, log)
			}
			if _, err := os.Stat(filepath.Join(dir, "here")); err == nil {
				t.Error("what an input holds was run")
			}
			page, err := os.ReadFile(summary)
			if rest, ok := strings.CutPrefix(string(page), "of a step before\n"); err != nil || !ok || !strings.Contains(rest, c.told) || (rest == "") != (c.told == "") || len(page) > 1<<20 {
				t.Errorf("%v; the summary of %d bytes does not contain %q: %.1000s", err, len(page), c.told, page)
			}
			told, _ := os.ReadFile(output)
			file, ok := strings.CutPrefix(strings.TrimSpace(string(told)), "sarif=")
			if ok != c.sarif {
				t.Fatalf("output %q, want a SARIF file: %v", told, c.sarif)
			}
			if ok {
				if !filepath.IsAbs(file) {
					file = filepath.Join(dir, file)
				}
				if data, err := os.ReadFile(file); err != nil || !bytes.Contains(data, []byte("REG214")) {
					t.Errorf("%s: %v", file, err)
				}
			}
		})
	}
}

// TestProblemMatcher has the problem matcher read each line of the compact format.
func TestProblemMatcher(t *testing.T) {
	data, err := os.ReadFile("../../.github/problem-matcher.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		ProblemMatcher []struct {
			Owner, Severity string
			Pattern         []struct {
				Regexp                                      string
				File, Line, Column, Severity, Message, Code int
			}
		}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	const text = "Windows Registry Editor Version 5.00\r\n\r\n; regvet:ignore-file REG505\r\n" +
		"[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters]\r\n\"MaxUserPort\"=dword:00001388\r\n"
	if err := os.WriteFile("a 1:2: b.reg", []byte(text), 0o666); err != nil {
		t.Skipf("needs a file of any name: %v", err)
	}
	var out bytes.Buffer
	run([]string{"lint", "--severity", "info", "--format", "compact", "a 1:2: b.reg"}, nil, &out, io.Discard)
	var got []string
	for line := range strings.Lines(out.String()) {
		matched := 0
		for _, m := range file.ProblemMatcher {
			p := m.Pattern[0]
			groups := regexp.MustCompile(p.Regexp).FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if groups == nil {
				continue
			}
			matched++
			severity := m.Severity
			if severity == "" {
				severity = groups[p.Severity]
			}
			got = append(got, strings.Join([]string{groups[p.File], groups[p.Line], groups[p.Column], severity, groups[p.Code]}, "|"))
		}
		if matched != 1 {
			t.Errorf("%d matchers for %s", matched, line)
		}
	}
	for _, want := range []string{"|3|3|notice|REG505", "|5|1|warning|REG214"} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, want) }) {
			t.Errorf("no %s in %q", want, got)
		}
	}
}
