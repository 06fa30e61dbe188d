package main

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/rules"
)

// ruleFlags choose the rules.
type ruleFlags struct {
	files  []string // rule files and folders of them
	packs  []string // none for those that the command uses unsaid
	config []rulePath
	known  int // how many rules there are, of built-in packs and of these files, chosen or not; set by load
}

// rulePath is a rule file, or a folder of them, that a config names.
type rulePath struct {
	fsys fs.FS
	path string
}

// allPacks stands for every pack in --pack.
const allPacks = "all"

// defaultPacks is what commands that hold something against rules use without --pack.
const defaultPacks = rules.DefaultPack + " and those of --rules"

// define defines the flags. Which packs are used without --pack is told by the command.
func (r *ruleFlags) define(f *pflag.FlagSet, unsaid string) {
	f.StringArrayVarP(&r.files, "rules", "r", nil, "a rule `FILE`, or a folder of them, beside the built-in packs (repeatable)")
	f.StringArrayVarP(&r.packs, "pack", "p", nil, fmt.Sprintf("use the pack of this `NAME`: %s, one of --rules, or %s; without it %s (repeatable)", strings.Join(rules.BuiltInNames(), ", "), allPacks, unsaid))
}

// unsaidAll makes all packs those that are used where the command line names none.
func (r *ruleFlags) unsaidAll() {
	if len(r.packs) == 0 {
		r.packs = []string{allPacks}
	}
}

// load returns the rules of the packs that the flags choose. What is wrong with them it says, and returns false.
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
	return all, true
}

// loadPacks returns the packs that the flags choose. What is wrong with them it says, and returns false.
func (r *ruleFlags) loadPacks(s *session) (packs []*rules.Pack, ok bool) {
	ok = true
	names := rules.BuiltInNames()
	var own []*rules.Pack
	files := slices.Clone(r.config)
	for i, path := range r.files {
		files = slices.Insert(files, i, rulePath{s.files, path})
	}
	for _, f := range files {
		more, err := rules.LoadFiles(f.fsys, f.path)
		if err != nil {
			s.mistakes(err)
			ok = false
			continue
		}
		own = append(own, more...)
	}
	r.known = rules.CountBuiltIn()
	for _, p := range own {
		names = append(names, p.Name)
		r.known += len(p.Rules)
	}
	known := append(slices.Clone(names), allPacks)
	for _, name := range r.packs {
		if !slices.Contains(known, name) {
			s.fail(statusUsage, "there is no pack %q%s; there is %s, and %s for all of them", name, suggest(name, known), strings.Join(names, ", "), allPacks)
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
