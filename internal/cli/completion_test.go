package cli

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"regvet/report"
)

// offered returns the words that complete offers, followed by the pattern of files.
func offered(words ...string) string {
	c := complete(commands(), words)
	var all []string
	for _, w := range c.words {
		all = append(all, w[0])
	}
	return strings.Join(append(all, c.files), " ")
}

func TestComplete(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"inf", "info "},
		{"help|exp", "export explain "},
		{"help|info|", ""},
		{"nothing|", ""},
		{"lint|--fo", "--format "},
		{"lint|--", "--help --config "},
		{"lint|-", "--help --config "},
		{"lint|--format|js", "json jsonl "},
		{"lint|-f|js", "json jsonl "},
		{"lint|--format=js", "--format=json --format=jsonl "},
		{"lint|--format|=|js", "json jsonl "},
		{"lint|--format|=", "text json "},
		{"lint|--nothing=", ""},
		{"lint|--fail-on|", "info warning error never "},
		{"check|--fail-on|c", "critical "},
		{"check|-af|sa", "sarif "},
		{"check|-ajson|", " *"},
		{"check|-r|", " *.[yY][aA]*[mM][lL]"},
		{"check|--log|", " *"},
		{"check|--mount|", ""},
		{"check|--pack|kb19", "kb196271 "},
		{"info|--format|", "text json "},
		{"export|--format|", "reg jsonl "},
		{"lint|--select|REG504", "REG504 "},
		{"fmt|--encoding|utf-8", "utf-8 "},
		{"lint|--fix|a.reg|", " *.[rR][eE][gG]"},
		{"lint|--|--f", " *.[rR][eE][gG]"},
		{"lint|-|", " *.[rR][eE][gG]"},
		{"fix|SYSTEM|", "*"},
		{"export|SYSTEM|", ""},
		{"history|SYSTEM|", ""},
		{"history|--rule|KB196271-T", "KB196271-TcpTimedWaitDelay "},
		{"rules|", "list show lint test docs new schema "},
		{"rules|show|KB196271-T", "KB196271-TcpTimedWaitDelay "},
		{"explain|KB196271-T", "KB196271-TcpTimedWaitDelay "},
		{"completion|", "bash zsh fish powershell "},
		{"completion|zsh|", ""},
		{"=", ""},
		{"version|", ""},
	} {
		got := offered(strings.Split(c.typed, "|")...)
		if !strings.HasPrefix(strings.TrimPrefix(got, " "), strings.TrimPrefix(c.want, " ")) || c.want == "" && got != "" {
			t.Errorf("%s: offered %q, want %q", c.typed, got, c.want)
		}
	}
}

// TestCompleteWords requires that a command accepts each word that is offered for its flags, and that words are offered for each flag that only
// accepts certain words.
func TestCompleteWords(t *testing.T) {
	for _, cmd := range commands() {
		flags, _ := cmd.parser()
		flags.VisitAll(func(f *pflag.Flag) {
			name, usage := pflag.UnquoteUsage(f)
			c := flagValues(cmd.name, f)
			if len(c.words) == 0 && (name == "FORMAT" || name == "SEVERITY" || name == "CHECKS") {
				t.Errorf("%s --%s: no words are offered for %s", cmd.name, f.Name, name)
			}
			for _, w := range c.words {
				var out, messages bytes.Buffer
				run([]string{cmd.name, "--" + f.Name, w[0], "nothing"}, nil, &out, &messages)
				if strings.Contains(messages.String(), "--"+f.Name) || strings.Contains(messages.String(), "there is no pack") {
					t.Errorf("%s --%s %s (%s): %s", cmd.name, f.Name, w[0], usage, &messages)
				}
			}
		})
	}
}

// sortedWords sorts the words of each line, because bash lists files in any order.
func sortedWords(text string) (lines []string) {
	for line := range strings.Lines(text) {
		words := strings.Split(strings.Trim(line, "<>\n"), "><")
		slices.Sort(words)
		lines = append(lines, strings.Join(words, " | "))
	}
	return lines
}

// TestBash completes lines in bash with the script.
func TestBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.reg", "b c.REG", "d.txt", "f.d"} {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o777); err != nil {
		t.Fatal(err)
	}
	const script = `
source <(regvet completion bash)
line() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_regvet
	printf '<%s>' "${COMPREPLY[@]}"
	echo
}
line regvet ex
line regvet lint --format = js
line regvet lint --format =
line regvet lint ''
line regvet lint b
line regvet info d
line regvet check -o sarif = a
line regvet nothing ''
complete -p regvet
`
	want := `<export><explain>
<json><jsonl>
<` + strings.Join(report.FormatNames(), "><") + `>
<a.reg><b c.REG><folder>
<b c.REG>
<d.txt>
<a.reg>
<>
complete -F _regvet regvet
`
	out, err := exec.Command(bash, "--norc", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(sortedWords(want), sortedWords(string(out))); diff != "" {
		t.Errorf("bash offers (- wanted, + offered):\n%s", diff)
	}
}
