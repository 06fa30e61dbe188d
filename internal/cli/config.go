package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/internal/worktree"
	"regvet/rules"
	"regvet/rules/accept"
	"regvet/rules/lint"
	"regvet/rules/strict"
)

// scope is a config with the rules and the baseline that it chooses, and the plans that follow from it. Files without a config share an empty
// one.
type scope struct {
	file   string // the config, as messages name it; "" if there is none
	size   int64  // of the config, in bytes
	sha256 string // of the config, in hex
	folder string // the folder of the config, absolute
	top    string // the folder in which the config can name files, absolute; "" for any folder
	config *lint.Config
	packs  []*rules.Pack
	rules  []*rules.Rule
	known  *knownFile       // the baseline, or nil
	plans  map[string]*plan // by the settings by path that apply
}

// within returns the path of a file that the config names.
func (s *scope) within(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.folder, filepath.FromSlash(name))
}

// plan says how to lint some of the files of a scope.
type plan struct {
	*scope
	linter   lint.Linter
	paths    []int // the indexes of the settings by path that apply
	severity map[*lint.Check]lint.Severity
	failOn   lint.Severity
}

// never is a threshold above every severity.
const never = lint.Error + 1

// threshold returns the lowest severity that affects the exit status, for a value of --fail-on.
func threshold(word string) lint.Severity {
	if least, ok := lint.ParseSeverity(word); ok {
		return least
	}
	return never
}

// configFlags choose the configs of files.
type configFlags struct {
	config   string
	noConfig bool
}

func (c *configFlags) define(f *pflag.FlagSet, what, from string) {
	f.StringVar(&c.config, "config", "", "read "+what+" from this `FILE` instead of the nearest "+lint.ConfigName+" in or above the folder of each file")
	f.BoolVar(&c.noConfig, "no-config", false, "do not look for "+lint.ConfigName)
}

// configs finds the configs of files. It reads each config once.
type configs struct {
	*session
	flags   *configFlags
	skips   func(file string) bool   // which config is passed over, since it is in the evidence; nil for none
	refuse  func(accept.Word) string // see [lint.LoadConfig]
	load    func(*scope)             // what else to do for a config, and for files without one
	home    string                   // the working directory
	folders map[string]*scope        // by folder
	plain   *scope                   // the scope of files without a config, or nil
	broken  bool                     // a config, or a file that it names, has mistakes
}

// newConfigs returns a finder of configs. If something is wrong with the flags, it writes what and returns nil.
func newConfigs(s *session, flags *configFlags) *configs {
	home, err := os.Getwd()
	if err != nil {
		s.fail(statusUsage, "the working directory is unknown: %v", hive.Cause(err))
		return nil
	}
	if flags.config != "" && flags.noConfig {
		s.fail(statusUsage, "--config and --no-config cannot go together; leave one out")
		return nil
	}
	return &configs{session: s, flags: flags, load: func(*scope) {}, home: home, folders: map[string]*scope{}}
}

// of returns the scope of a file, the indexes of the settings by path that apply to it, and whether its config excludes it. Standard input
// counts as a file of the working directory.
func (c *configs) of(name string) (s *scope, paths []int, excluded bool) {
	file := filepath.Join(c.home, name)
	if filepath.IsAbs(name) {
		file = filepath.Clean(name)
	}
	s = c.scopeOf(filepath.Dir(file))
	inside := ".." // no glob matches this
	if rel, err := filepath.Rel(s.folder, file); err == nil && s.file != "" {
		inside = filepath.ToSlash(rel)
	}
	return s, s.config.Matching(inside), s.config.Excludes(inside)
}

// planner makes the plans of files.
type planner struct {
	*configs
	options           *lintOptions
	baselines         *baselines
	reading           sync.Mutex    // of everyRule, once files are linted
	everyRule         []*rules.Rule // see known
	selected, ignored lintWords
}

// lintWords are the words of --select or --ignore of a lint: some for checks, the others for rules of packs.
type lintWords struct {
	checks map[*lint.Check]bool
	rules  selection
}

// any reports whether there are words.
func (w lintWords) any() bool { return len(w.checks) > 0 || w.rules.restricts() }

// has reports whether a word stands for a check, or for a rule whose findings it reports; nil for the check alone.
func (w lintWords) has(c *lint.Check, r *rules.Rule) bool {
	return w.checks[c] || r != nil && w.rules.has(r)
}

// newPlanner returns a planner for the flags. If something is wrong with them, it writes what and returns nil.
func newPlanner(s *session, o *lintOptions) *planner {
	p := &planner{configs: newConfigs(s, &o.configFlags), options: o, selected: wordsOf("select", o.selected), ignored: wordsOf("ignore", o.ignored)}
	if p.configs == nil {
		return nil
	}
	p.baselines = &baselines{p.configs, &o.baselineFlags, accept.Checks, map[string]*knownFile{}}
	p.load = p.loadAll
	p.refuse = func(word accept.Word) string {
		if slices.ContainsFunc(p.known(), word.Picks) {
			return ""
		}
		return p.noCheck(word)
	}
	for _, of := range []selection{p.selected.rules, p.ignored.rules} {
		for _, word := range of.words {
			if why := p.refuse(accept.Word(word)); why != "" {
				s.fail(statusUsage, "--%s: %s", of.flag, why)
			}
		}
	}
	if s.failed() {
		return nil
	}
	return p
}

// wordsOf returns the words of a flag.
func wordsOf(flag string, words []string) lintWords {
	w := lintWords{map[*lint.Check]bool{}, selection{flag: flag}}
	for _, word := range words {
		chosen := lint.Select(word)
		if len(chosen) == 0 {
			w.rules.words = append(w.rules.words, word)
		}
		for _, check := range chosen {
			w.checks[check] = true
		}
	}
	return w
}

// noCheck returns the message that a word stands for no check and no rule.
func (p *planner) noCheck(word accept.Word) string {
	if kind, _ := word.Split(); kind != "" {
		return noSuch(word, p.known())
	}
	return fmt.Sprintf("there is no check or rule %q%s; \"regvet explain\" lists the checks, \"regvet rules list\" the rules", word, suggest(string(word), append(lint.Words(), word.Like(p.known())...)))
}

// plan returns the plan for a file, and reports whether a config excludes the file.
func (p *planner) plan(name string) (_ *plan, excluded bool) {
	s, paths, excluded := p.of(name)
	key := fmt.Sprint(paths)
	if s.plans[key] == nil {
		s.plans[key] = p.make(s, paths)
	}
	return s.plans[key], excluded
}

// make returns the plan that follows from the config and the flags. Flags override the config.
func (p *planner) make(s *scope, paths []int) *plan {
	settings := s.config.With(paths)
	made := &plan{scope: s, paths: paths, severity: map[*lint.Check]lint.Severity{}}
	// severity returns that of a check, or of its findings by a rule, if they are reported.
	severity := func(check *lint.Check, rule *rules.Rule) lint.Severity {
		severity, on := settings.Severity(check)
		if rule != nil {
			severity, on = settings.RuleSeverity(check, rule)
		}
		if p.selected.any() {
			on = p.selected.has(check, rule)
		}
		if !on || p.ignored.has(check, rule) {
			return 0
		}
		return severity
	}
	for _, check := range lint.Checks() {
		if level := severity(check, nil); level > 0 {
			made.severity[check] = level
		}
	}
	for _, check := range lint.OfRules() {
		for _, rule := range s.rules {
			made.severity[check] = max(made.severity[check], severity(check, rule))
		}
		if made.severity[check] == 0 {
			delete(made.severity, check)
		}
	}
	made.linter = lint.Linter{Most: mostListed, Rules: s.rules, Severity: func(c *lint.Check) lint.Severity { return made.severity[c] },
		RuleSeverity: severity, RuleExists: p.ruleExists}
	made.linter.Read.CodePage = p.options.codePage.value
	if settings.CodePage != nil && !p.options.flags.Changed("codepage") {
		made.linter.Read.CodePage = settings.CodePage
	}
	if v := cmp.Or(p.options.windows.value, settings.Windows); v != nil {
		made.linter.Target = *v
	}
	made.failOn = threshold(p.options.failOn.value)
	if s.config.FailOn != "" && !p.options.flags.Changed("fail-on") {
		made.failOn = threshold(s.config.FailOn)
	}
	return made
}

// scopeOf returns the scope of the files in a folder: that of the nearest config in it or above. The search ends at the top of the repository,
// so that every clone has the same settings.
func (c *configs) scopeOf(folder string) *scope {
	if c.flags.config != "" {
		file, err := filepath.Abs(c.flags.config)
		if err != nil {
			file = c.flags.config
		}
		folder = filepath.Dir(file)
		if c.folders[folder] == nil {
			c.folders[folder] = c.read(file, c.flags.config, false)
		}
		return c.folders[folder]
	}
	if c.flags.noConfig {
		return c.unconfigured()
	}
	if s := c.folders[folder]; s != nil {
		return s
	}
	var s *scope
	file := filepath.Join(folder, lint.ConfigName)
	above := filepath.Dir(folder)
	switch {
	case exists(file) && !c.passes(file):
		s = c.read(file, c.shown(file), true)
	case above == folder || worktree.IsTop(folder):
		s = c.unconfigured()
	default:
		s = c.scopeOf(above)
	}
	if other := strings.TrimSuffix(file, "yaml") + "yml"; exists(other) && !c.passes(other) {
		c.mistake(fmt.Errorf("%s: is not read, because a config is called %s; rename it", c.shown(other), lint.ConfigName))
	}
	c.folders[folder] = s
	return s
}

// passes reports whether a config is passed over.
func (c *configs) passes(file string) bool { return c.skips != nil && c.skips(file) }

// exists reports whether there is anything with this name, even a broken link.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// shown returns an absolute path as messages show it: relative to the working directory if the file is in it, or if that is shorter.
func (c *configs) shown(file string) string {
	if rel, err := filepath.Rel(c.home, file); err == nil && (len(rel) < len(file) || filepath.IsLocal(rel)) {
		return rel
	}
	return file
}

// mistake writes what is wrong with a config, one line for each mistake. Then nothing is done with any file.
func (c *configs) mistake(err error) {
	c.broken = true
	c.mistakes(err)
}

// unconfigured returns the scope of files without a config.
func (c *configs) unconfigured() *scope {
	if c.plain == nil {
		c.plain = &scope{config: &lint.Config{}, plans: map[string]*plan{}}
		c.load(c.plain)
	}
	return c.plain
}

const maxConfig = 1 << 20 // bytes

// read returns the scope of a config, and writes what is wrong with it. found is false for the config that --config names.
//
// A config that was found comes from whoever wrote the files beside it, who may be the author of a pull request. So it, its rules and its
// baseline must be in the repository, or in its own folder if there is no repository, with links resolved, and must have the extensions of
// such files. Then no message shows a line of any other file.
func (c *configs) read(file, shown string, found bool) *scope {
	s := &scope{file: shown, folder: filepath.Dir(file), config: &lint.Config{}, plans: map[string]*plan{}}
	c.files.Protect(file)
	var data []byte
	var err error
	if found {
		var ok bool
		if s.top, ok = worktree.Top(s.folder); !ok {
			s.top = s.folder
		}
		data, err = worktree.Read(s.top, file, maxConfig)
		if real, e := filepath.EvalSymlinks(file); e == nil && filepath.Ext(real) != filepath.Ext(file) {
			err = fmt.Errorf("is a link to a file whose name does not end in %s; a config must be a file of its own", filepath.Ext(file))
		}
	} else if data, err = readSmall(c.files, file, maxConfig); err != nil {
		err = fmt.Errorf("cannot be read: %w", err)
	}
	if err != nil {
		c.mistake(fmt.Errorf("%s: %v", shown, err))
		return s
	}
	config, err := lint.LoadConfig(shown, data, c.refuse)
	if err != nil {
		c.mistake(err)
		return s
	}
	sum := sha256.Sum256(data)
	s.config, s.size, s.sha256 = config, int64(len(data)), hex.EncodeToString(sum[:])
	c.load(s)
	return s
}

// wrong writes what is wrong with something that a config names.
func (c *configs) wrong(s *scope, r strict.Reference, format string, args ...any) {
	c.mistake(s.config.Mistake(r.At, fmt.Sprintf(format, args...)))
}

// readSmall returns the bytes of a file, unless it has more than most. The error does not name the file.
func readSmall(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, hive.Cause(err)
	}
	defer f.Close()
	data, err := hive.ReadFile(f, name, most)
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		err = errors.New("it " + p.Msg)
	}
	return data, err
}

// loadAll loads the rules and the baseline of a scope, and writes what is wrong with them.
func (p *planner) loadAll(s *scope) {
	flags := ruleFlags{files: p.options.rules.files, packs: p.options.rules.packs}
	if p.selected.rules.restricts() && len(s.config.Packs) == 0 {
		flags.defaultToAll() // an ID names a rule without its pack
	}
	if packs, ok := p.packs(s, &flags, s.config.Packs, s.config.Rules); ok {
		all, err := rules.Rules(packs...)
		if err != nil {
			p.mistake(err)
		}
		s.rules = rules.Distinct(all, nil)
		s.packs = packs
		for _, r := range s.config.RuleWords() {
			if word := accept.Word(r.Name); !slices.ContainsFunc(all, word.Picks) && !slices.ContainsFunc(p.every(flags), word.Picks) {
				p.wrong(s, r, "%s", p.noCheck(word))
			}
		}
	}
	s.known = p.baselines.of(s, s.config.Baseline)
}

// packs returns the packs that the flags name, or else those that a config names, and adds the rule files of the config to the flags. If something is
// wrong with them, it writes what and returns false.
func (c *configs) packs(s *scope, flags *ruleFlags, named, files []strict.Reference) (chosen []*rules.Pack, ok bool) {
	var fsys fs.FS = c.files
	if s.top != "" {
		fsys = ownFiles{s.top, []string{".yaml", ".yml"}}
	}
	for _, r := range files {
		name := c.shown(s.within(r.Name))
		if _, err := fs.Stat(fsys, name); err != nil {
			c.wrong(s, r, "the rules %q cannot be read: %v", r.Name, hive.Cause(err))
			continue
		}
		flags.config = append(flags.config, rulePath{fsys, name})
	}
	if len(flags.packs) > 0 || len(named) == 0 {
		chosen, ok = flags.loadPacks(c.session)
		c.broken = c.broken || !ok
		return chosen, ok
	}
	flags.defaultToAll()
	packs, ok := flags.loadPacks(c.session)
	if !ok {
		c.broken = true
		return nil, false
	}
	var names []string
	for _, pack := range packs {
		names = append(names, pack.Name)
	}
	for _, r := range named {
		i := slices.Index(names, r.Name)
		switch {
		case r.Name == allPacks:
			chosen = packs
		case i < 0:
			c.wrong(s, r, "%s", noPack(r.Name, names))
		case !slices.Contains(chosen, packs[i]):
			chosen = append(chosen, packs[i])
		}
	}
	return chosen, true
}

// every returns the rules of all packs, chosen or not.
func (c *configs) every(flags ruleFlags) []*rules.Rule {
	flags.packs = []string{allPacks}
	all, _ := flags.load(c.session) // what is wrong with the files has been told before
	return all
}

// known returns all rules of built-in packs and of --rules.
func (p *planner) known() []*rules.Rule {
	if p.everyRule == nil {
		p.everyRule = p.every(ruleFlags{files: p.options.rules.files})
	}
	return p.everyRule
}

// ruleExists reports whether there is a rule of that ID in any pack. Any number of goroutines may call it.
func (p *planner) ruleExists(id string) bool {
	p.reading.Lock()
	defer p.reading.Unlock()
	return slices.ContainsFunc(p.known(), accept.Word(id).Names)
}
