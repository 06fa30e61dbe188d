package rules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
)

// BadRule is the kind of a mistake in a rule file.
const BadRule hive.Kind = "bad-rule"

// Mistakes are all that is wrong with rule files, each with its file, line and column.
type Mistakes []hive.Problem

// Error gives one line for each mistake.
func (m Mistakes) Error() string {
	var lines []string
	for _, p := range m {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// LoadFiles reads the rule files at a path: a file, or each .yaml and .yml file of a folder, in the order of their names. Where one
// has mistakes, no packs are given but the [Mistakes] of all, so that no run is silently weaker than it was meant to be.
func LoadFiles(path string) ([]*Pack, error) {
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files = nil
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, Mistakes{{Source: path, Kind: BadRule, Msg: fmt.Sprintf("the folder cannot be read: %v", hive.Cause(err))}}
		}
		for _, e := range entries {
			if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
		if len(files) == 0 {
			return nil, Mistakes{{Source: path, Kind: BadRule, Msg: "the folder holds no rule file (*.yaml, *.yml)"}}
		}
	}
	var packs []*Pack
	var mistakes Mistakes
	for _, name := range files {
		data, err := hive.ReadFile(name)
		if err != nil {
			mistakes = append(mistakes, asProblem(name, err))
			continue
		}
		pack, err := Load(name, data)
		if m, ok := errors.AsType[Mistakes](err); ok {
			mistakes = append(mistakes, m...)
			continue
		}
		packs = append(packs, pack)
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return packs, nil
}

func asProblem(source string, err error) hive.Problem {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return *p
	}
	return hive.Problem{Source: source, Kind: BadRule, Msg: err.Error()}
}

// Rules gives the rules of some packs in their order. An ID that stands twice is a mistake, which is told at its second place.
func Rules(packs ...*Pack) ([]*Rule, error) {
	var all []*Rule
	var mistakes Mistakes
	first := map[string]*Pack{}
	for _, p := range packs {
		for _, r := range p.Rules {
			if other := first[r.ID]; other != nil {
				mistakes = append(mistakes, hive.Problem{Source: p.Source, At: r.At, Kind: BadRule,
					Msg: fmt.Sprintf("rule %s stands in %s already; an id names one rule", r.ID, other.Source)})
				continue
			}
			first[r.ID] = p
			all = append(all, r)
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return all, nil
}

// Load reads a pack of rules from YAML. Everything that is wrong with it is reported at once: the error is [Mistakes].
func Load(source string, data []byte) (*Pack, error) {
	d := &decoder{source: source}
	pack := &Pack{Source: source}
	if root := d.document(data); root != nil {
		d.pack(root, pack)
	}
	if len(d.mistakes) > 0 {
		slices.SortStableFunc(d.mistakes, func(a, b hive.Problem) int {
			return slices.Compare([]int{a.At.Line, a.At.Column}, []int{b.At.Line, b.At.Column})
		})
		return nil, d.mistakes
	}
	return pack, nil
}
