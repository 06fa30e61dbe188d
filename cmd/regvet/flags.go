package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/rules"
	"regvet/rules/strict"
)

// choice is the value of a flag that is one of some words. What is accepted, what the help lists and what a shell completes all come from
// the words.
type choice struct {
	flag  string
	words []string
	value string
}

// choose defines a flag that takes one of words. In usage, %s stands for the words.
func choose(f *pflag.FlagSet, to *choice, name, short, value, usage string, words ...string) {
	*to = choice{name, words, value}
	f.VarP(to, name, short, strings.Replace(usage, "%s", strict.List(words, "or"), 1))
}

func (c *choice) String() string { return c.value }

// Type names the type as pflag's own flags for text do, so that the help quotes the default likewise.
func (c *choice) Type() string { return "string" }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) && word != "" {
		return wrongValue(fmt.Sprintf("--%s cannot be %q%s; it is %s", c.flag, word, suggest(word, c.words), strict.List(c.words, "or")))
	}
	c.value = word
	return nil
}

// wrongValue is the error of a flag's value: a whole message.
type wrongValue string

func (w wrongValue) Error() string { return string(w) }

// severityWords are the severities of rules from which one can be chosen, with words that stand for none.
func severityWords(more ...string) []string {
	return append(slices.Clone(rules.SeverityNames()), more...)
}

// neverFails is what --fail-on is where no finding counts for the exit status.
const neverFails = "never"

// failFlag defines --fail-on for findings of rules.
func failFlag(f *pflag.FlagSet, to *choice, which string) {
	choose(f, to, "fail-on", "", "low", "exit with 1 for "+which+" of at least this `SEVERITY`: %s", severityWords(neverFails)...)
}

// fails reports whether --fail-on has a finding count for the exit status.
func (c *choice) fails(f rules.Finding) bool {
	least, ok := rules.ParseSeverity(c.value)
	return ok && f.Status == rules.Fail && f.Severity >= least
}

// parsed is the value of a flag whose text is parsed.
type parsed[T any] struct {
	flag  string
	text  string
	value T
	parse func(string) (T, error)
}

// parseFlag defines a flag whose text is parsed. Empty text is not parsed, and leaves the zero value.
func parseFlag[T any](f *pflag.FlagSet, to *parsed[T], name, text, usage string, parse func(string) (T, error)) {
	*to = parsed[T]{flag: name, parse: parse}
	if err := to.Set(text); err != nil {
		panic(err) // the default is ours
	}
	f.Var(to, name, usage)
}

func (p *parsed[T]) String() string { return p.text }

// Type is as that of [choice].
func (p *parsed[T]) Type() string { return "string" }

func (p *parsed[T]) Set(text string) (err error) {
	p.text = text
	if text != "" {
		p.value, err = p.parse(text)
	}
	if err != nil {
		return wrongValue(fmt.Sprintf("--%s: %v", p.flag, err))
	}
	return nil
}

// versionFlag defines --windows.
func versionFlag(f *pflag.FlagSet, to *parsed[*hive.Windows], usage string) {
	parseFlag(f, to, "windows", "", usage, func(text string) (*hive.Windows, error) {
		w, err := hive.ParseWindows(text)
		return &w, err
	})
}

// codePageFlag defines --codepage, the code page of .reg files that are not UTF-16.
func codePageFlag(f *pflag.FlagSet, to *parsed[*regfile.CodePage], text, usage string) {
	parseFlag(f, to, "codepage", text, usage, regfile.ParseCodePage)
}

const codePageUsage = "the ANSI code page `NUMBER` in which Windows reads .reg files that are not UTF-16"

// pathFlag defines a flag whose value is a key of the registry from its root.
func pathFlag(f *pflag.FlagSet, to *parsed[hive.Path], name, usage, example string) {
	parseFlag(f, to, name, "", usage, func(text string) (hive.Path, error) {
		path := hive.ParsePath(text)
		if !path.HasRoot() {
			return nil, fmt.Errorf("%q does not start with a root of the registry, as %s does", text, example)
		}
		return path, nil
	})
}

// inputFlags say how an input is to be understood.
type inputFlags struct {
	controlSet parsed[string] // the name of a key, hive.AllControlSets, or "" for the current one
	mount      parsed[hive.Path]
	windows    parsed[*hive.Windows]
	codePage   parsed[*regfile.CodePage]
	logs       []string
	noLogs     bool
}

func (i *inputFlags) define(f *pflag.FlagSet) {
	parseFlag(f, &i.controlSet, "control-set", "current", "the `SET` that CurrentControlSet is: current, all, or a number", parseControlSet)
	i.defineMount(f)
	f.StringArrayVar(&i.logs, "log", nil, "apply this log `FILE` to a dirty hive, in place of those that lie beside it (repeatable)")
	i.defineNoLogs(f)
	codePageFlag(f, &i.codePage, "1252", codePageUsage)
}

func (i *inputFlags) defineMount(f *pflag.FlagSet) {
	pathFlag(f, &i.mount, "mount", "the `PATH` at which Windows mounts the hive, for one that cannot tell, such as HKLM\\SYSTEM", `HKLM\SYSTEM`)
}

func (i *inputFlags) defineNoLogs(f *pflag.FlagSet) {
	f.BoolVar(&i.noLogs, "no-logs", false, "read a dirty hive as it lies, without its logs")
}

func (i *inputFlags) defineVersion(f *pflag.FlagSet) {
	versionFlag(f, &i.windows, "the Windows `VERSION`, such as 6.1 or 10.0.19045, or a product: "+strings.Join(hive.WindowsWords(), ", "))
}

func parseControlSet(text string) (string, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case text == "current":
		return "", nil
	case text == "all":
		return hive.AllControlSets, nil
	case err == nil && 1 <= n && n <= 999:
		return fmt.Sprintf("ControlSet%03d", n), nil
	}
	return "", fmt.Errorf("there is no control set %q; it is current, all, or a number from 1 to 999", text)
}

// options returns how inputs are opened. They are hashed where the result tells hashes.
func (i *inputFlags) options(hashed bool) collection.Options {
	return collection.Options{Mount: i.mount.value, Logs: i.logs, NoLogs: i.noLogs, Text: regfile.Options{CodePage: i.codePage.value}, SHA256: hashed}
}

// open opens an input, and protects it and its logs. When nothing can be read of it, or it lacks the control set that was chosen, it says so
// and returns nil.
func (i *inputFlags) open(s *session, path string, hashed bool) *collection.Opened {
	file := collection.Locate(s.files, path)
	s.files.Protect(file.Logs...)
	s.files.Protect(i.logs...)
	in, refused := file.Open(s.files, i.options(hashed))
	s.refuseAll(refused)
	if in == nil || !i.chooseControlSet(s, collection.Joined{in}) {
		return nil
	}
	return in
}

// chooseControlSet makes CurrentControlSet the set that the flag chooses. Where that is not there, it says so and returns false.
func (i *inputFlags) chooseControlSet(s *session, together collection.Joined) bool {
	if i.controlSet.value == "" {
		return true
	}
	if err := together.ChooseControlSet(i.controlSet.value); err != nil {
		s.fail(statusUsage, "%v", err)
		return false
	}
	return true
}

// formatFlag defines --format for a command that has formats of its own.
func formatFlag(f *pflag.FlagSet, to *choice, words ...string) {
	choose(f, to, "format", "f", words[0], "the `FORMAT` of the result: %s", words...)
}

// onlyOnce says so when standard input is to be read more than once.
func onlyOnce(s *session, args []string) {
	if first := slices.Index(args, collection.StandardInput); first >= 0 && slices.Contains(args[first+1:], collection.StandardInput) {
		s.fail(statusUsage, "standard input can be read only once")
	}
}

// outputFlag defines --output for a command with one result.
func outputFlag(f *pflag.FlagSet, to *string) {
	f.StringVarP(to, "output", "o", "", "write the result to this `FILE`")
}
