package cli

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/rules"
	"regvet/rules/strict"
)

// ruleFlags choose the rules that a command uses.
type ruleFlags struct {
	files  []string // rule files and folders of them
	packs  []string // none for the default of the command
	config []rulePath
	loaded []*rules.Pack // the chosen ones; set by load
	known  int           // how many rules there are, of built-in packs and of these files, chosen or not; set by load
}

// rulePath is a rule file, or a folder of them, that a config names.
type rulePath struct {
	fsys fs.FS
	path string
}

// allPacks is the value of --pack that stands for every pack.
const allPacks = "all"

// defaultPacks names the packs that are used without --pack, for commands that evaluate rules.
const defaultPacks = rules.DefaultPack + " and those of --rules"

// define defines the flags. The help names the packs that the command uses by default.
func (r *ruleFlags) define(f *pflag.FlagSet, byDefault string) {
	f.StringArrayVarP(&r.files, "rules", "r", nil, "also load this rule `FILE`, or a folder of them (repeatable)")
	f.StringArrayVarP(&r.packs, "pack", "p", nil, fmt.Sprintf("use the pack with this `NAME`: %s, one of --rules, or %s (repeatable; default %s)", strings.Join(rules.BuiltInNames(), ", "), allPacks, byDefault))
}

// defaultToAll chooses all packs if the command line names none.
func (r *ruleFlags) defaultToAll() {
	if len(r.packs) == 0 {
		r.packs = []string{allPacks}
	}
}

// noPack returns the message that a pack has none of the names.
func noPack(name string, names []string) string {
	known := append(slices.Clone(names), allPacks)
	return fmt.Sprintf("there is no pack %q%s; it is %s", name, suggest(name, known), strict.List(known, "or"))
}

// load returns the rules of the packs that the flags choose. If something is wrong with them, it writes what and returns false.
func (r *ruleFlags) load(s *session) ([]*rules.Rule, bool) {
	packs, ok := r.loadPacks(s)
	if !ok {
		return nil, false
	}
	all, err := rules.Rules(packs...)
	if err != nil {
		s.mistakes(err)
		return nil, false
	}
	r.loaded = packs
	return all, true
}

// loadPacks returns the packs that the flags choose. If something is wrong with them, it writes what and returns false.
func (r *ruleFlags) loadPacks(s *session) (packs []*rules.Pack, ok bool) {
	ok = true
	names := rules.BuiltInNames()
	var own []*rules.Pack
	files := slices.Clone(r.config)
	for i, path := range r.files {
		files = slices.Insert(files, i, rulePath{s.files, path})
	}
	for _, f := range files {
		these, err := loadRules(s, f.fsys, f.path)
		if err != nil {
			s.mistakes(err)
			ok = false
			continue
		}
		own = append(own, these...)
	}
	var more []*rules.Rule
	for _, p := range own {
		names = append(names, p.Name)
		more = append(more, p.Rules...)
	}
	r.known = rules.CountBuiltIn() + len(rules.Distinct(more, nil))
	for i, name := range r.packs {
		switch at := slices.IndexFunc(names, func(one string) bool { return strings.EqualFold(one, name) }); {
		case slices.Contains(names, name) || name == allPacks:
		case at >= 0:
			r.packs[i] = names[at]
		default:
			s.fail(statusUsage, "%s", noPack(name, names))
			ok = false
		}
	}
	switch {
	case !ok:
		return nil, false
	case slices.Contains(r.packs, allPacks):
		return append(rules.BuiltIn(), own...), true
	case len(r.packs) == 0:
		return append(rules.BuiltIn(rules.DefaultPack), own...), true
	}
	own = slices.DeleteFunc(own, func(p *rules.Pack) bool { return !slices.Contains(r.packs, p.Name) })
	return append(rules.BuiltIn(r.packs...), own...), true
}
