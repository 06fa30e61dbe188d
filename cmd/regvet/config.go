package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/lint"
)

// scope is what one config says, and what it leads to. Where there is none, it says nothing.
type scope struct {
	file   string // of the config, as messages name it; "" where there is none
	folder string // of the config, absolute
	config *lint.Config
	packs  []string
	rules  []*rules.Rule
	known  *knownFile // nil where there is no baseline
	plans  map[string]*plan
}

// plan is how some files of a scope are linted.
type plan struct {
	*scope
	linter   lint.Linter
	paths    []int // the numbers of the settings by path that count
	severity map[*lint.Check]lint.Severity
	failOn   lint.Severity
}

// never is above every severity.
const never = lint.Error + 1

// threshold returns the lowest severity that counts for the exit status.
func threshold(word string) lint.Severity {
	if least, ok := lint.ParseSeverity(word); ok {
		return least
	}
	return never
}

// planner finds the plans of files. It reads each config once.
type planner struct {
	*session
	options           *lintOptions
	home              string            // the working directory
	folders           map[string]*scope // by folder
	plain             *scope            // where there is no config
	baselines         map[string]*knownFile
	selected, ignored map[*lint.Check]bool
	broken            bool // a config has mistakes, or what it leads to
}

// newPlanner returns a planner of what the flags say. It says what is wrong with them, and returns nil then.
func newPlanner(s *session, o *lintOptions) *planner {
	p := &planner{session: s, options: o, folders: map[string]*scope{}, baselines: map[string]*knownFile{}}
	var err error
	if p.home, err = os.Getwd(); err != nil {
		s.fail(statusUsage, "the working directory cannot be told: %v", hive.Cause(err))
	}
	if o.config != "" && o.noConfig {
		s.fail(statusUsage, "--config and --no-config cannot go together; leave one out")
	}
	p.selected, p.ignored = checks(s, "--select", o.selected), checks(s, "--ignore", o.ignored)
	if s.failed() {
		return nil
	}
	return p
}

// checks finds the checks that a flag names.
func checks(s *session, flag string, names []string) map[*lint.Check]bool {
	found := map[*lint.Check]bool{}
	for _, name := range names {
		chosen := lint.Select(name)
		if len(chosen) == 0 {
			s.fail(statusUsage, "%s: there is no check %q%s; \"regvet explain\" lists them", flag, name, suggest(name, lint.Words()))
		}
		for _, check := range chosen {
			found[check] = true
		}
	}
	return found
}

// plan gives the plan of a file by its absolute path, and tells whether a config excludes it.
func (p *planner) plan(file string) (_ *plan, excluded bool) {
	s := p.scopeOf(filepath.Dir(file))
	inside := ".." // what no glob matches
	if rel, err := filepath.Rel(s.folder, file); err == nil && s.file != "" {
		inside = filepath.ToSlash(rel)
	}
	paths := s.config.Matching(inside)
	key := fmt.Sprint(paths)
	if s.plans[key] == nil {
		s.plans[key] = p.make(s, paths)
	}
	return s.plans[key], s.config.Excludes(inside)
}

// make makes a plan of what the config and the flags say. Flags go first.
func (p *planner) make(s *scope, paths []int) *plan {
	settings := s.config.With(paths)
	made := &plan{scope: s, paths: paths, severity: map[*lint.Check]lint.Severity{}}
	for _, check := range lint.Checks() {
		severity, on := settings.Severity(check)
		if len(p.selected) > 0 {
			on = p.selected[check]
		}
		if on && !p.ignored[check] {
			made.severity[check] = severity
		}
	}
	made.linter = lint.Linter{Most: mostListed, Rules: s.rules, Severity: func(c *lint.Check) lint.Severity { return made.severity[c] }}
	made.linter.Read.CodePage = p.options.codePage.value
	if settings.CodePage != nil && !p.options.flags.Changed("codepage") {
		made.linter.Read.CodePage = settings.CodePage
	}
	if v := cmp.Or(p.options.windows.value, settings.Windows); v != nil {
		made.linter.Target = hive.Exactly(*v)
	}
	made.failOn = threshold(p.options.failOn.value)
	if s.config.FailOn != "" && !p.options.flags.Changed("fail-on") {
		made.failOn = threshold(s.config.FailOn)
	}
	return made
}

// scopeOf gives the scope of the files in a folder: that of the nearest config upward. The search ends at the root of the repository, so
// that no file above it changes what a clone of it comes to.
func (p *planner) scopeOf(folder string) *scope {
	if p.options.config != "" {
		file, err := filepath.Abs(p.options.config)
		if err != nil {
			file = p.options.config
		}
		folder = filepath.Dir(file)
		if p.folders[folder] == nil {
			p.folders[folder] = p.read(file, p.options.config)
		}
		return p.folders[folder]
	}
	if p.options.noConfig {
		return p.unconfigured()
	}
	if s := p.folders[folder]; s != nil {
		return s
	}
	var s *scope
	file := filepath.Join(folder, lint.ConfigName)
	above := filepath.Dir(folder)
	switch {
	case exists(file):
		s = p.read(file, p.shown(file))
	case above == folder || exists(filepath.Join(folder, ".git")):
		s = p.unconfigured()
	default:
		s = p.scopeOf(above)
	}
	if other := strings.TrimSuffix(file, "yaml") + "yml"; exists(other) {
		p.mistake(fmt.Errorf("%s: a config is called %s; rename it, so that it counts", p.shown(other), lint.ConfigName))
	}
	p.folders[folder] = s
	return s
}

// exists tells whether there is something of a name, be it only a link that leads nowhere.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// shown is an absolute path as messages show it: from the working directory, where that is shorter.
func (p *planner) shown(file string) string {
	if rel, err := filepath.Rel(p.home, file); err == nil && (len(rel) < len(file) || filepath.IsLocal(rel)) {
		return rel
	}
	return file
}

// mistake says what is wrong with a config, a line each. Nothing is linted then.
func (p *planner) mistake(err error) {
	p.broken = true
	p.mistakes(err)
}

// unconfigured is the scope of files for which there is no config.
func (p *planner) unconfigured() *scope {
	if p.plain == nil {
		p.plain = &scope{config: &lint.Config{}, plans: map[string]*plan{}}
		p.load(p.plain)
	}
	return p.plain
}

// maxConfig is how many bytes of a config are read.
const maxConfig = 1 << 20

// read reads a config and what it leads to. It says what is wrong with it.
func (p *planner) read(file, shown string) *scope {
	s := &scope{file: shown, folder: filepath.Dir(file), config: &lint.Config{}, plans: map[string]*plan{}}
	data, err := readSmall(p.files, file, maxConfig)
	if err != nil {
		p.mistake(fmt.Errorf("%s: cannot be read: %v", shown, err))
		return s
	}
	config, err := lint.LoadConfig(shown, data)
	if err != nil {
		p.mistake(err)
		return s
	}
	s.config = config
	p.load(s)
	return s
}

// readSmall reads a file that a person writes.
func readSmall(files *collection.Local, name string, most int64) ([]byte, error) {
	f, err := collection.OpenFound(files, name)
	if err != nil {
		return nil, hive.Cause(err)
	}
	defer f.Close()
	return hive.ReadFile(f, name, most)
}

// load gives a scope its rules and its baseline. It says what is wrong with them.
func (p *planner) load(s *scope) {
	wrong := func(r lint.Reference, format string, args ...any) {
		p.mistake(&hive.Problem{Source: s.file, At: r.At, Kind: lint.BadConfig, Msg: fmt.Sprintf(format, args...)})
	}
	within := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(s.folder, filepath.FromSlash(name))
	}
	chosen := ruleFlags{files: slices.Clone(p.options.rules.files), packs: p.options.rules.packs} // with the rule files of the config
	for _, r := range s.config.Rules {
		if _, err := os.Stat(within(r.Name)); err != nil {
			wrong(r, "the rules %q cannot be read: %v", r.Name, hive.Cause(err))
			continue
		}
		chosen.files = append(chosen.files, p.shown(within(r.Name)))
	}
	packs, ok := p.choosePacks(s, chosen, wrong)
	if ok {
		all, err := rules.Rules(packs...)
		if err != nil {
			p.mistake(err)
		}
		s.rules = all
		for _, pack := range packs {
			s.packs = append(s.packs, pack.Name)
		}
	}
	p.broken = p.broken || !ok
	switch baseline := s.config.Baseline; {
	case p.options.flags.Changed("baseline") && p.options.baseline != "":
		s.known = p.knownIn(p.options.baseline, p.options.baseline, nil)
	case p.options.flags.Changed("baseline"): // none
	case baseline != nil:
		s.known = p.knownIn(within(baseline.Name), p.shown(within(baseline.Name)), func(err error) {
			wrong(*baseline, "the baseline %q cannot be read: %v", baseline.Name, err)
		})
	case p.options.writeBaseline:
		s.known = p.knownIn(baselineName, baselineName, nil)
	}
}

// choosePacks loads packs, and leaves those that the flags name, or else the config. What is wrong with them it says, and returns false.
func (p *planner) choosePacks(s *scope, flags ruleFlags, wrong func(lint.Reference, string, ...any)) ([]*rules.Pack, bool) {
	if p.options.flags.Changed("pack") || len(s.config.Packs) == 0 {
		return flags.loadPacks(p.session)
	}
	flags.packs = []string{allPacks}
	packs, ok := flags.loadPacks(p.session)
	if !ok {
		return nil, false
	}
	var names []string
	for _, pack := range packs {
		names = append(names, pack.Name)
	}
	var chosen []*rules.Pack
	for _, r := range s.config.Packs {
		i := slices.Index(names, r.Name)
		switch known := append(slices.Clone(names), allPacks); {
		case r.Name == allPacks:
			chosen = packs
		case i < 0:
			wrong(r, "there is no pack %q%s; there is %s, and %s for all of them", r.Name, suggest(r.Name, known), strings.Join(names, ", "), allPacks)
		case !slices.Contains(chosen, packs[i]):
			chosen = append(chosen, packs[i])
		}
	}
	return chosen, true
}

// isMissing tells that a file is not there, and not that something else is wrong with it.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
