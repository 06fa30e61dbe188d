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
	"regvet/internal/worktree"
	"regvet/rules"
	"regvet/rules/lint"
	"regvet/rules/strict"
)

// scope is what one config says, and what it leads to. Where there is none, it says nothing.
type scope struct {
	file   string // of the config, as messages name it; "" where there is none
	folder string // of the config, absolute
	top    string // the folder in which the config can name files, absolute; "" for one that was named
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
		made.linter.Target = *v
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
			p.folders[folder] = p.read(file, p.options.config, false)
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
		s = p.read(file, p.shown(file), true)
	case above == folder || worktree.IsTop(folder):
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

// exists reports whether there is something of a name, be it only a link that leads nowhere.
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

// read reads the config that --config names, or one that was found, and what it leads to. It says what is wrong with it.
//
// A config that was found comes from whoever wrote the files beside it, and that may be the author of a pull request: it, its rules and its
// baseline must lie in the repository, or in its own folder where there is none, links resolved, and have the names that such files have. So
// no message shows a line of any other file.
func (p *planner) read(file, shown string, found bool) *scope {
	s := &scope{file: shown, folder: filepath.Dir(file), config: &lint.Config{}, plans: map[string]*plan{}}
	p.files.Protect(file)
	var data []byte
	var err error
	if found {
		var ok bool
		if s.top, ok = worktree.Top(s.folder); !ok {
			s.top = s.folder
		}
		data, err = worktree.Read(s.top, file, maxConfig)
		if real, e := filepath.EvalSymlinks(file); e == nil && filepath.Ext(real) != filepath.Ext(file) {
			err = errors.New("leads to a file of another name; a config is a file of its own")
		}
	} else if data, err = readSmall(p.files, file, maxConfig); err != nil {
		err = fmt.Errorf("cannot be read: %w", err)
	}
	if err != nil {
		p.mistake(fmt.Errorf("%s: %v", shown, err))
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

// readSmall reads a file that a person writes. The error does not name it.
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

// ownFiles are the files that a config which was found can name, by their paths as messages show them.
type ownFiles struct {
	top     string
	endings []string // of their names, links resolved
}

// Open implements [fs.FS]. Folders are opened whatever their names are.
func (o ownFiles) Open(name string) (fs.File, error) {
	refuse := func(err error) (fs.File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	absolute, err := filepath.Abs(name)
	if err != nil {
		return refuse(err)
	}
	rel, err := filepath.Rel(o.top, absolute)
	if err != nil || !filepath.IsLocal(rel) {
		return refuse(errors.New("it lies outside of the repository, of which alone a config can name files"))
	}
	folder, err := worktree.OpenFolder(o.top)
	if err != nil {
		return refuse(err)
	}
	defer folder.Close()
	f, err := folder.Open(filepath.ToSlash(rel))
	if err != nil {
		err = hive.Cause(err)
		if cause := errors.Unwrap(err); cause != nil {
			return refuse(cause)
		}
		return refuse(fmt.Errorf("it %w", err))
	}
	info, err := f.Stat()
	real, realErr := filepath.EvalSymlinks(absolute)
	if err = cmp.Or(err, realErr); err == nil && !info.IsDir() && !slices.Contains(o.endings, filepath.Ext(real)) {
		err = fmt.Errorf("its name does not end in %s", strict.List(o.endings, "or"))
	}
	if err != nil {
		f.Close()
		return refuse(err)
	}
	return f, nil
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
	var fsys fs.FS = p.files
	if s.top != "" {
		fsys = ownFiles{s.top, []string{".yaml", ".yml"}}
	}
	chosen := ruleFlags{files: slices.Clone(p.options.rules.files), packs: p.options.rules.packs} // with the rule files of the config
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
		s.rules = all
		for _, pack := range packs {
			s.packs = append(s.packs, pack.Name)
		}
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
