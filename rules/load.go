package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
)

// BadRule is the kind of a mistake in a rule file.
const BadRule hive.Kind = "bad-rule"

// Mistakes are all that is wrong with rule files, or with a config, each with its file, line and column.
type Mistakes []Mistake

// Mistake is one thing that is wrong with a file.
type Mistake struct {
	hive.Problem
	Text string // the line of the file in which it stands; "" when it stands in none
}

// Excerpt gives the line in which the mistake stands with its number, and below it a caret at the place; "" when it stands in none.
func (m Mistake) Excerpt() string {
	if strings.TrimSpace(m.Text) == "" {
		return ""
	}
	const most = 100 // characters before and behind the place
	number := fmt.Sprint(m.At.Line)
	chars := []rune(m.Text)
	at := min(m.At.Column-1, len(chars))
	start, end := max(0, at-most), min(len(chars), at+most)
	// A tab stays one, so that the caret stands right however wide it is.
	pad := func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}
	shown := func(text []rune) string {
		return strings.Join(each(strings.Split(string(text), "\t"), hive.Visible), "\t")
	}
	before := shown(chars[start:at])
	return fmt.Sprintf("  %s | %s%s\n  %*s | %s^", number, before, shown(chars[at:end]), len(number), "", strings.Map(pad, before))
}

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
			return nil, Mistakes{asMistake(path, fmt.Errorf("the folder cannot be read: %w", hive.Cause(err)))}
		}
		for _, e := range entries {
			if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
		if len(files) == 0 {
			return nil, Mistakes{asMistake(path, errors.New("the folder holds no rule file (*.yaml, *.yml)"))}
		}
	}
	var packs []*Pack
	var mistakes Mistakes
	for _, name := range files {
		data, err := readFile(name)
		if err != nil {
			mistakes = append(mistakes, asMistake(name, err))
			continue
		}
		pack, err := load(name, data, os.DirFS(filepath.Dir(name)))
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

func asMistake(source string, err error) Mistake {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return Mistake{*p, ""}
	}
	return Mistake{hive.Problem{Source: source, Kind: BadRule, Msg: err.Error()}, ""}
}

// Rules gives the rules of some packs in their order. An ID that stands twice is a mistake, which is told at its second place.
func Rules(packs ...*Pack) ([]*Rule, error) {
	var all []*Rule
	var mistakes Mistakes
	first := map[string]*Pack{}
	for _, p := range packs {
		for _, r := range p.Rules {
			if other := first[r.ID]; other != nil {
				mistakes = append(mistakes, asMistake("", &hive.Problem{Source: p.Source, At: r.At, Kind: BadRule,
					Msg: fmt.Sprintf("rule %s stands in %s already; an id names one rule", r.ID, other.Source)}))
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
func Load(source string, data []byte) (*Pack, error) { return load(source, data, nil) }

// load is [Load] for a file in a folder, in which the hives of its tests are.
func load(source string, data []byte, files fs.FS) (*Pack, error) {
	d := &decoder{StrictReader: StrictReader{Source: source, Kind: BadRule, Whole: "a rule file"}}
	pack := &Pack{Source: source, files: files}
	if root := d.document(data); root != nil {
		packObject.read(d, root, "", pack)
		d.complete(pack)
	}
	if mistakes := d.Mistakes(); mistakes != nil {
		return nil, mistakes
	}
	return pack, nil
}

// complete gives each rule what it has of its pack, and finds those of one id.
func (d *decoder) complete(p *Pack) {
	ids := map[string]bool{}
	for _, r := range p.Rules {
		if r.ID != "" && ids[r.ID] {
			d.WrongAt(r.At, "rule %s stands twice; an id names one rule", r.ID)
		}
		ids[r.ID] = true
		r.Pack, r.source, r.files = p.Name, p.Source, p.files
		r.References = append(slices.Clone(p.References), r.References...)
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return hive.ReadFile(f, name, 16<<20)
}
