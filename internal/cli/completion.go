package cli

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/rules"
	"regvet/rules/lint"
)

func completionCommand(all func() []command) command {
	return command{
		name: "completion", args: "bash|zsh|fish|powershell", short: "print the completion script for a shell",
		min: 1, max: -1,
		example: `  source <(regvet completion bash)
  source <(regvet completion zsh)
  regvet completion fish | source
  regvet completion powershell | Out-String | Invoke-Expression
`,
		define: noFlags(func(s *session, args []string) { completion(s, args, all()) }),
	}
}

// shells are the shells that there is a script for. Each script asks "regvet completion words" for the candidates, so that it never knows more
// or less than the program.
var shells = []string{"bash", "zsh", "fish", "powershell"}

//go:embed completion
var scripts embed.FS

func completion(s *session, args []string, commands []command) {
	shell, words := args[0], args[1:]
	switch {
	case shell == "words" && len(words) > 0:
		fmt.Fprint(s.stdout, complete(commands, words))
	case !slices.Contains(shells, shell):
		s.fail(statusUsage, "there is no script for %q%s; there is one for %s", shell, suggest(shell, shells), strings.Join(shells, ", "))
	case len(words) > 0:
		s.fail(statusUsage, "completion does not take %q; see \"regvet completion --help\"", words[0])
	default:
		script, err := scripts.ReadFile("completion/regvet." + shell)
		if err != nil {
			panic(err) // the script is embedded
		}
		s.stdout.Write(script)
	}
}

// candidates are the possible completions at a place of a command line.
type candidates struct {
	words [][2]string // each with its meaning
	files string      // a pattern: files that match it, and all folders, are candidates too; "" for no files
}

// String returns the candidates in the form that the scripts read: a line for each word, with a tab before its meaning, and a line for the
// pattern of files, which begins with a tab.
func (c candidates) String() string {
	var b strings.Builder
	for _, w := range c.words {
		fmt.Fprintf(&b, "%s\t%s\n", w[0], w[1])
	}
	if c.files != "" {
		fmt.Fprintf(&b, "\t%s\n", c.files)
	}
	return b.String()
}

// from returns the candidates without the words that do not begin with what is typed.
func (c candidates) from(typed string) candidates {
	c.words = slices.DeleteFunc(c.words, func(w [2]string) bool { return !strings.HasPrefix(w[0], typed) })
	return c
}

// behind returns the candidates with text before each word.
func (c candidates) behind(text string) candidates {
	for i := range c.words {
		c.words[i][0] = text + c.words[i][0]
	}
	return c
}

// plainWords returns words without meanings.
func plainWords(words ...string) candidates {
	var c candidates
	for _, w := range words {
		c.words = append(c.words, [2]string{w})
	}
	return c
}

var anyFile, ruleFile, regFile = candidates{files: "*"}, candidates{files: "*.[yY][aA]*[mM][lL]"}, candidates{files: "*.[rR][eE][gG]"}

// complete returns the candidates for the last of the words after regvet.
func complete(commands []command, words []string) candidates {
	words, split := rejoin(words)
	last, before := words[len(words)-1], words[:len(words)-1]
	if len(before) == 0 || before[0] == "help" {
		var c candidates
		for _, cmd := range commands {
			c.words = append(c.words, [2]string{cmd.name, cmd.short})
		}
		if len(before) > 1 {
			return candidates{}
		}
		return c.from(last)
	}
	i := slices.IndexFunc(commands, func(cmd command) bool { return cmd.name == before[0] })
	if i < 0 {
		return candidates{}
	}
	cmd := commands[i]
	flags, _ := cmd.parser()
	var args []string
	var waiting *pflag.Flag // the flag whose value comes next, or nil
	onlyArgs := false
	for _, w := range before[1:] {
		switch {
		case waiting != nil:
			waiting = nil
		case onlyArgs || w == "-" || !strings.HasPrefix(w, "-"):
			args = append(args, w)
		case w == "--":
			onlyArgs = true
		default:
			waiting = waitsFor(flags, w)
		}
	}
	name, value, hasValue := strings.Cut(last, "=")
	switch {
	case waiting != nil:
		return flagValues(cmd.name, waiting).from(last)
	case !onlyArgs && hasValue && strings.HasPrefix(last, "--"):
		f := flags.Lookup(name[2:])
		if f == nil {
			return candidates{}
		}
		c := flagValues(cmd.name, f).from(value)
		if !split {
			c = c.behind(name + "=")
		}
		return c
	case !onlyArgs && strings.HasPrefix(last, "-"):
		c := candidates{words: [][2]string{{"--help", "show the flags and examples"}}}
		flags.VisitAll(func(f *pflag.Flag) {
			_, usage := pflag.UnquoteUsage(f)
			c.words = append(c.words, [2]string{"--" + f.Name, usage})
		})
		return c.from(last)
	}
	return arguments(cmd, args).from(last)
}

// rejoin joins a flag, the sign = and its value, which bash splits into words. It reports whether the last word was joined.
func rejoin(words []string) (joined []string, last bool) {
	for i := 0; i < len(words); i++ {
		n := len(joined) - 1
		if last = words[i] == "=" && n >= 0; !last {
			joined = append(joined, words[i])
			continue
		}
		joined[n] += "="
		if i+1 < len(words) {
			i++
			joined[n] += words[i]
		}
	}
	return joined, last
}

// waitsFor returns the flag in word that takes the next word as its value, or nil.
func waitsFor(flags *pflag.FlagSet, word string) *pflag.Flag {
	if name, long := strings.CutPrefix(word, "--"); long {
		if f := flags.Lookup(name); f != nil && f.NoOptDefVal == "" {
			return f
		}
		return nil
	}
	for i := 1; i < len(word); i++ {
		f := flags.ShorthandLookup(word[i : i+1])
		if f == nil {
			return nil
		}
		if f.NoOptDefVal == "" {
			if i == len(word)-1 {
				return f
			}
			return nil
		}
	}
	return nil
}

// flagValues returns the candidates for the value of a flag.
func flagValues(command string, f *pflag.Flag) candidates {
	if c, ok := f.Value.(*choice); ok {
		return plainWords(c.words...)
	}
	switch f.Name {
	case "select", "ignore", "rule":
		if command == "lint" {
			return eitherWords()
		}
		return ruleWords()
	case "pack":
		return packWords()
	case "control-set":
		return plainWords("current", "all")
	case "rules":
		return ruleFile
	}
	if name, _ := pflag.UnquoteUsage(f); strings.HasSuffix(name, "FILE") {
		return anyFile
	}
	return candidates{}
}

// arguments returns the candidates for the argument after those before.
func arguments(cmd command, before []string) candidates {
	switch {
	case cmd.max >= 0 && len(before) >= cmd.max:
		return candidates{}
	case cmd.name == "completion":
		if len(before) > 0 {
			return candidates{}
		}
		return plainWords(shells...)
	case cmd.name == "rules" && len(before) == 0:
		var c candidates
		for _, v := range verbs {
			c.words = append(c.words, [2]string{v.name, v.short})
		}
		return c
	case cmd.name == "rules":
		return ruleWords()
	case cmd.name == "schema":
		var c candidates
		for _, s := range schemas {
			c.words = append(c.words, [2]string{s.name, "the JSON Schema " + s.short})
		}
		return c
	case cmd.name == "explain":
		return eitherWords()
	case (cmd.name == "export" || cmd.name == "history") && len(before) > 0: // a key, of which only the input knows
		return candidates{}
	case strings.Contains(cmd.args, "FILE.reg") || cmd.name == "apply" && len(before) == 0:
		return regFile
	}
	return anyFile
}

func checkWords() (c candidates) {
	for _, check := range lint.Checks() {
		c.words = append(c.words, [2]string{check.ID, check.Title})
	}
	return c
}

// eitherWords returns the checks and the rules.
func eitherWords() candidates {
	c := checkWords()
	c.words = append(c.words, ruleWords().words...)
	return c
}

func ruleWords() (c candidates) {
	for _, p := range rules.BuiltIn() {
		for _, r := range p.Rules {
			c.words = append(c.words, [2]string{r.ID, r.Title})
		}
	}
	return c
}

func packWords() (c candidates) {
	for _, p := range rules.BuiltIn() {
		c.words = append(c.words, [2]string{p.Name, p.Title})
	}
	c.words = append(c.words, [2]string{allPacks, "all packs"})
	return c
}
