package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/internal/glob"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/strict"
)

// choice is the value of a flag that takes one of some words. The words decide what is accepted, what the help lists and what a shell
// completes.
type choice struct {
	flag  string
	words []string
	value string
	given bool // by the user
}

// choose defines a flag that takes one of the words. In the usage, %s stands for the list of them.
func choose(f *pflag.FlagSet, to *choice, name, short, value, usage string, words ...string) {
	*to = choice{flag: name, words: words, value: value}
	f.VarP(to, name, short, strings.Replace(usage, "%s", strict.List(words, "or"), 1))
}

func (c *choice) String() string { return c.value }

// Type returns the type of pflag's own text flags, so that the help quotes the default in the same way.
func (c *choice) Type() string { return "string" }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) && word != "" {
		return wrongValue(fmt.Sprintf("--%s cannot be %q%s; it is %s", c.flag, word, suggest(word, c.words), strict.List(c.words, "or")))
	}
	c.value, c.given = word, true
	return nil
}

// wrongValue is an error in the value of a flag. It is a whole message, which names the flag.
type wrongValue string

func (w wrongValue) Error() string { return string(w) }

// severityWords returns the names of the severities of rules, followed by more words.
func severityWords(more ...string) []string {
	return append(slices.Clone(rules.SeverityNames()), more...)
}

// neverFails is the value of --fail-on with which findings do not affect the exit status.
const neverFails = "never"

// failFlag defines --fail-on for findings of rules. The help says which findings count.
func failFlag(f *pflag.FlagSet, to *choice, which string) {
	choose(f, to, "fail-on", "", "low", "exit with 1 for "+which+" of at least this `SEVERITY`: %s", severityWords(neverFails)...)
}

// listFlags say what a report of a check lists.
type listFlags struct{ quiet, statistics, all bool }

func (l *listFlags) define(f *pflag.FlagSet) {
	f.BoolVarP(&l.quiet, "quiet", "q", false, "in text and compact, list no findings, only the summary")
	f.BoolVar(&l.statistics, "statistics", false, "in text and compact, end with a table of how much each rule finds")
	f.BoolVarP(&l.all, "all", "a", false, "also list passes, all unknowns, rules that do not apply, and what inventories list")
}

// least returns the lowest severity that --fail-on makes count. Where none does, it is above all that there are.
func (c *choice) least() rules.Severity {
	if least, ok := rules.ParseSeverity(c.value); ok {
		return least
	}
	return rules.Critical + 1
}

// parsed is the value of a flag, parsed from its text.
type parsed[T any] struct {
	flag  string
	text  string
	value T
	parse func(string) (T, error)
}

// parseFlag defines a flag with a parser. Empty text is not parsed and leaves the value as it was, which is zero at first.
func parseFlag[T any](f *pflag.FlagSet, to *parsed[T], name, text, usage string, parse func(string) (T, error)) {
	*to = parsed[T]{flag: name, parse: parse}
	if err := to.Set(text); err != nil {
		panic(err) // the default is a constant of this program
	}
	f.Var(to, name, usage)
}

func (p *parsed[T]) String() string { return p.text }

// Type returns what [choice.Type] returns.
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
		w, err := hive.ParseWindows(spokenWindows(text))
		if err != nil {
			_, err = hive.ParseWindows(text) // which says it as it was written
		}
		return &w, err
	})
}

// codePageFlag defines --codepage.
func codePageFlag(f *pflag.FlagSet, to *parsed[*regfile.CodePage]) {
	parseFlag(f, to, "codepage", "", "the ANSI code page `NUMBER` in which Windows reads .reg files without a byte order mark, such as 932 "+
		"(65001 is UTF-8); if it is not given, they are read in 1252, which is a guess", regfile.ParseCodePage)
}

// spokenWindows returns a version or product as a person may write it, "Windows Server 2012 R2" or "WinXP", as the flag has it: "2012r2", "xp".
func spokenWindows(text string) string {
	word := strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(text))
	for _, prefix := range []string{"microsoft", "windows", "win", "server"} {
		word = strings.TrimPrefix(word, prefix)
	}
	if strings.HasPrefix(word, "nt") {
		word = strings.TrimSuffix(word, ".0")
	}
	return word
}

// pathFlag defines a flag whose value is the path of a key, beginning with a root of the registry.
func pathFlag(f *pflag.FlagSet, to *parsed[hive.Path], name, usage, example string) {
	parseFlag(f, to, name, "", usage, func(text string) (hive.Path, error) {
		if err := slashed(text); err != nil {
			return nil, err
		}
		path := hive.ParsePath(text)
		if !path.HasRoot() {
			return nil, fmt.Errorf("%q does not start with a root of the registry, as %s does", text, example)
		}
		return path, nil
	})
}

// keyFlag defines --key for a command that looks at some keys only.
func keyFlag(f *pflag.FlagSet, to *parsed[glob.Key], usage string) {
	parseFlag(f, to, "key", "", usage, func(text string) (glob.Key, error) {
		if err := slashed(text); err != nil {
			return glob.Key{}, err
		}
		return glob.ParseKey(text)
	})
}

// slashed returns an error if a path has slashes where backslashes are meant. A slash may be part of a name, but not of that of a root.
func slashed(path string) error {
	root, _, found := strings.Cut(path, "/")
	if found && hive.ParsePath(root).HasRoot() && !strings.Contains(root, `\`) {
		return errors.New(useBackslashes(path))
	}
	return nil
}

// useBackslashes returns how to write a path that has slashes.
func useBackslashes(path string) string {
	return `the parts of a path have a \ between them: ` + strings.ReplaceAll(path, "/", `\`)
}

// inputFlags say how to read an input.
type inputFlags struct {
	controlSet parsed[string] // the name of its key, hive.AllControlSets, or "" for the current one
	mount      parsed[hive.Path]
	windows    parsed[*hive.Windows]
	codePage   parsed[*regfile.CodePage]
	logs       []string
	noLogs     bool
}

func (i *inputFlags) define(f *pflag.FlagSet) {
	parseFlag(f, &i.controlSet, "control-set", "current", "the `SET` that CurrentControlSet stands for: current, all, a number, or a name such as ControlSet001", parseControlSet)
	i.defineMount(f)
	f.StringArrayVar(&i.logs, "log", nil, "apply this log `FILE` to a dirty hive instead of the logs beside it (repeatable)")
	i.defineNoLogs(f)
	codePageFlag(f, &i.codePage)
}

func (i *inputFlags) defineMount(f *pflag.FlagSet) {
	pathFlag(f, &i.mount, "mount", "the `PATH` where Windows mounts the hive, such as HKLM\\SYSTEM, if its keys and name do not show it", `HKLM\SYSTEM`)
}

func (i *inputFlags) defineNoLogs(f *pflag.FlagSet) {
	f.BoolVar(&i.noLogs, "no-logs", false, "read a dirty hive without applying its logs")
}

func (i *inputFlags) defineVersion(f *pflag.FlagSet) {
	versionFlag(f, &i.windows, "the Windows `VERSION`, such as 6.1 or 10.0.19045, or a product: "+strings.Join(hive.WindowsWords(), ", "))
}

// parseControlSet returns the name of a key for the number of a set, or for the name itself, as every report shows it.
func parseControlSet(text string) (string, error) {
	number := text
	if prefix := "ControlSet"; len(text) > len(prefix) && hive.EqualFold(text[:len(prefix)], prefix) {
		number = text[len(prefix):]
	}
	n, err := strconv.ParseUint(number, 10, 16)
	switch {
	case hive.EqualFold(text, "current"), hive.EqualFold(text, "CurrentControlSet"):
		return "", nil
	case hive.EqualFold(text, "all"):
		return hive.AllControlSets, nil
	case err == nil && 1 <= n && n <= 999:
		return fmt.Sprintf("ControlSet%03d", n), nil
	}
	return "", fmt.Errorf("there is no control set %q; it is current, all, a number from 1 to 999, or a name such as ControlSet001", text)
}

// options returns the options for opening inputs. If the result includes hashes, hashed must be true.
func (i *inputFlags) options(hashed bool) collection.Options {
	return collection.Options{Mount: i.mount.value, Logs: i.logs, NoLogs: i.noLogs, Text: regfile.Options{CodePage: i.codePage.value}, SHA256: hashed}
}

// open opens an input, and protects it and its logs. If the input cannot be read or lacks the chosen control set, open writes why and returns
// nil.
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

// chooseControlSet makes CurrentControlSet stand for the set that the flag chooses. It reports whether there is such a set, and writes an error
// if not.
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

// shardFlag defines --shard for a command that does something with all of some things.
func shardFlag(f *pflag.FlagSet, to *parsed[collection.Share], does, things string) {
	parseFlag(f, to, "shard", "", does+" only a share of the "+things+", `I/N`: 1/4 is the first of four, and the four together are everything", parseShard)
}

// parseShard returns the share that a text such as 1/4 names.
func parseShard(text string) (share collection.Share, err error) {
	number, of, found := strings.Cut(text, "/")
	if share.Number, err = strconv.Atoi(number); err == nil {
		share.Of, err = strconv.Atoi(of)
	}
	if !found || err != nil || share.Number < 1 || share.Of < share.Number {
		return share, fmt.Errorf("%q names no share; 1/4 is the first of four, and 4/4 the last", text)
	}
	return share, nil
}

// formatFlag defines --format for a command with formats of its own. The first is the default.
func formatFlag(f *pflag.FlagSet, to *choice, words ...string) {
	choose(f, to, "format", "f", words[0], "output `FORMAT`: %s", words...)
}

// endings are the formats that the ending of a file stands for.
var endings = map[string]string{
	".html": "html", ".htm": "html", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".sarif": "sarif", ".csv": "csv", ".xml": "junit", ".md": "markdown",
	".reg": "reg", ".body": "bodyfile", ".parquet": report.Parquet, ".txt": "text", ".text": "text", ".log": "text",
}

// follow chooses the format that the ending of a file stands for, unless the user gives one. Where it stands for none that the command has, follow says
// which it is.
func (c *choice) follow(s *session, file string) {
	ext := strings.ToLower(filepath.Ext(file))
	format := endings[ext]
	switch {
	case c.given || file == "" || file == "-":
	case slices.Contains(c.words, format):
		c.value = format
	case ext != "" && format != "text" && filepath.Dir(file) != "/dev":
		s.say("%s: no format of this command has this ending, so that it is written as %s; --format chooses another", file, c.value)
	}
}

// onlyOnce writes an error if the arguments name standard input more than once.
func onlyOnce(s *session, args []string) {
	if first := slices.Index(args, collection.StandardInput); first >= 0 && slices.Contains(args[first+1:], collection.StandardInput) {
		s.fail(statusUsage, "standard input can be read only once")
	}
}

// outputFlag defines --output for a command with one result.
func outputFlag(f *pflag.FlagSet, to *string) {
	f.StringVarP(to, "output", "o", "", "write the result to this `FILE` instead of standard output")
}

// noMarkFlag defines --no-bom for a command that writes CSV.
func noMarkFlag(f *pflag.FlagSet, to *bool) {
	f.BoolVar(to, "no-bom", false, "write CSV without the byte order mark that Excel needs, for programs that take it for a part of the first column's name")
}
