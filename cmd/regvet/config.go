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

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/internal/worktree"
	"regvet/rules"
	"regvet/rules/lint"
)

// scope is a config with the rules and the baseline that it chooses, and the plans that follow from it. Files without a config share an empty
// one.
type scope struct {
	file   string // the config, as messages name it; "" if there is none
	folder string // the folder of the config, absolute
	top    string // the folder in which the config can name files, absolute; "" for any folder
	config *lint.Config
	packs  []*rules.Pack
	rules  []*rules.Rule
	known  *knownFile       // the baseline, or nil
	plans  map[string]*plan // by the settings by path that apply
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

func (c *configFlags) define(f *pflag.FlagSet, what string) {
	f.StringVar(&c.config, "config", "", "read "+what+" from this `FILE` instead of the nearest "+lint.ConfigName+" in or above the folder of each file")
	f.BoolVar(&c.noConfig, "no-config", false, "do not look for "+lint.ConfigName)
}

// configs finds the configs of files. It reads each config once.
type configs struct {
	*session
	flags   *configFlags
	load    func(*scope)      // what else to do for a config, and for files without one
	home    string            // the working directory
	folders map[string]*scope // by folder
	plain   *scope            // the scope of files without a config, or nil
	broken  bool              // a config, or a file that it names, has mistakes
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
	baselines         map[string]*knownFile
	selected, ignored map[*lint.Check]bool
}

// newPlanner returns a planner for the flags. If something is wrong with them, it writes what and returns nil.
func newPlanner(s *session, o *lintOptions) *planner {
	p := &planner{configs: newConfigs(s, &o.configFlags), options: o, baselines: map[string]*knownFile{}}
	p.selected, p.ignored = checks(s, "--select", o.selected), checks(s, "--ignore", o.ignored)
	if s.failed() {
		return nil
	}
	p.load = p.loadAll
	return p
}

// checks returns the checks that a flag names, and writes which names are unknown.
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
	case exists(file):
		s = c.read(file, c.shown(file), true)
	case above == folder || worktree.IsTop(folder):
		s = c.unconfigured()
	default:
		s = c.scopeOf(above)
	}
	if other := strings.TrimSuffix(file, "yaml") + "yml"; exists(other) {
		c.mistake(fmt.Errorf("%s: is not read, because a config is called %s; rename it", c.shown(other), lint.ConfigName))
	}
	c.folders[folder] = s
	return s
}

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
	config, err := lint.LoadConfig(shown, data)
	if err != nil {
		c.mistake(err)
		return s
	}
	s.config = config
	c.load(s)
	return s
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
	wrong := func(r lint.Reference, format string, args ...any) {
		p.mistake(&hive.Problem{Source: s.file, At: r.At, Kind: lint.BadConfig, Msg: fmt.Sprintf(format, args...)})
	}
	within := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(s.folder, filepath.FromSlash(name))
	}
	var fsys fs.FS = p.files
	if s.top != "" {
		fsys = ownFiles{s.top, []string{".yaml", ".yml"}}
	}
	chosen := ruleFlags{files: slices.Clone(p.options.rules.files), packs: p.options.rules.packs}
	for _, r := range s.config.Rules {
		name := p.shown(within(r.Name))
		if _, err := fs.Stat(fsys, name); err != nil {
			wrong(r, "the rules %q cannot be read: %v", r.Name, hive.Cause(err))
			continue
		}
		chosen.config = append(chosen.config, rulePath{fsys, name})
	}
	packs, ok := p.choosePacks(s, chosen, wrong)
	if ok {
		all, err := rules.Rules(packs...)
		if err != nil {
			p.mistake(err)
		}
		s.rules = rules.Distinct(all, nil)
		s.packs = packs
	}
	p.broken = p.broken || !ok
	switch baseline := s.config.Baseline; {
	case p.options.flags.Changed("baseline") && p.options.baseline != "":
		s.known = p.knownIn(p.files, p.options.baseline, p.options.baseline, nil)
	case p.options.flags.Changed("baseline"): // none
	case baseline != nil:
		if s.top != "" {
			fsys = ownFiles{s.top, []string{".json"}}
		}
		s.known = p.knownIn(fsys, within(baseline.Name), p.shown(within(baseline.Name)), func(err error) {
			wrong(*baseline, "the baseline %q cannot be read: %v", baseline.Name, err)
		})
	case p.options.writeBaseline:
		s.known = p.knownIn(p.files, baselineName, baselineName, nil)
	}
}

// choosePacks returns the packs that the flags name, or else those that the config names. If something is wrong with them, it writes what and
// returns false.
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
		switch {
		case r.Name == allPacks:
			chosen = packs
		case i < 0:
			wrong(r, "%s", noPack(r.Name, names))
		case !slices.Contains(chosen, packs[i]):
			chosen = append(chosen, packs[i])
		}
	}
	return chosen, true
}
