package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// badRule is the kind of a mistake in a rule file.
const badRule hive.Kind = "bad-rule"

// Mistakes are everything that is wrong with rule files, each with its file, line and column.
type Mistakes = strict.Mistakes

// Mistake is one thing that is wrong with a rule file.
type Mistake = strict.Mistake

const (
	maxParts = 500_000 // of a small rule file: some 10,000 rules of usual length
	maxRules = 20_000  // of a run
)

// LoadFiles reads the rule files at a path of a file system: a file, or each .yaml and .yml file of a folder, in the order of their names.
// If one has mistakes, the error is the [Mistakes] of all and there are no packs, so that no run is silently weaker than it was meant to be.
func LoadFiles(fsys fs.FS, path string) ([]*Pack, error) {
	return LoadFilesBy(fsys, path, isRuleFile, LoadFile)
}

// LoadFilesBy is [LoadFiles] for files that something else reads: those of a folder that belong reports, each by load, which is told the name and
// the data. It may return no pack.
func LoadFilesBy(fsys fs.FS, path string, belongs func(name string) bool, load func(name string, data []byte) (*Pack, error)) ([]*Pack, error) {
	files := []string{path}
	if info, err := fs.Stat(fsys, path); err == nil && info.IsDir() {
		if files, err = ruleFiles(fsys, path, belongs); err != nil {
			return nil, Mistakes{asMistake(path, err)}
		}
	}
	var packs []*Pack
	var mistakes Mistakes
	count := 0
	for _, name := range files {
		data, err := ReadFile(fsys, name)
		if err != nil {
			mistakes = append(mistakes, asMistake(name, err))
			continue
		}
		if count += countRules(data); count > maxRules {
			return nil, tooMany(path, count)
		}
		pack, err := load(name, data)
		switch m, ok := errors.AsType[Mistakes](err); {
		case ok:
			mistakes = append(mistakes, m...)
		case err != nil:
			mistakes = append(mistakes, asMistake(name, err))
		case pack != nil:
			packs = append(packs, pack)
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return packs, nil
}

// LoadFile is [Load] for a file, whose tests may name hives in its folder.
func LoadFile(name string, data []byte) (*Pack, error) {
	return load(name, data, "", os.DirFS(filepath.Dir(name)))
}

func isRuleFile(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// ruleFiles lists the files of a folder that belong.
func ruleFiles(fsys fs.FS, folder string, belongs func(name string) bool) (files []string, err error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("the folder cannot be read: %w", hive.Cause(err))
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if e.IsDir() || !belongs(name) {
			continue
		}
		if info, err := fs.Stat(fsys, name); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file; in a folder only such files are read", hive.Visible(e.Name()))
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil, errors.New("the folder holds no rule file (*.yaml, *.yml)")
	}
	return files, nil
}

// ReadFile reads a rule file or a pipe, unless it is too large. The error does not name the file.
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot be opened: %w", hive.Cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", hive.Cause(err))
	}
	if err := strict.CheckSize(info.Size()); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxSize+1)) // of a pipe just too much
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", hive.Cause(err))
	}
	return data, strict.CheckSize(int64(len(data)))
}

func asMistake(source string, err error) Mistake {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return Mistake{Problem: *p}
	}
	return Mistake{Problem: hive.Problem{Source: source, Kind: badRule, Msg: err.Error()}}
}

// Rules returns the rules of some packs in their order. An ID that is used twice is a mistake, reported at its second place, and so are more
// rules than a run can take. A rule with a source, whose ID was made of what its list has, gets a number where that is taken: lists of one kind have
// the same IDs.
func Rules(packs ...*Pack) ([]*Rule, error) {
	count := 0
	for _, p := range packs {
		count += len(p.Rules)
	}
	if err := tooMany("", count); err != nil {
		return nil, err
	}
	var all []*Rule
	var mistakes Mistakes
	first := map[string]*Pack{}
	for _, p := range packs {
		for _, r := range p.Rules {
			if len(r.Sources) > 0 && first[r.ID] != nil {
				one := *r
				for n := 2; first[one.ID] != nil; n++ {
					one.ID = r.ID + "-" + strconv.Itoa(n)
				}
				r = &one
			}
			if other := first[r.ID]; other != nil {
				mistakes = append(mistakes, asMistake("", &hive.Problem{Source: p.Source, At: r.At, Kind: badRule,
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

// Distinct returns the rules without those that another one of them covers, and with one in place of those with sources that ask the same, so
// that one fact is told once. Rules for which keep is true stay; it may be nil.
func Distinct(all []*Rule, keep func(*Rule) bool) []*Rule {
	ids := map[string]bool{}
	for _, r := range all {
		ids[r.ID] = true
	}
	return slices.DeleteFunc(merged(all, keep), func(r *Rule) bool { return r.CoveredBy != "" && ids[r.CoveredBy] && (keep == nil || !keep(r)) })
}

// Load reads a pack of rules from YAML; source names the file in its mistakes. The error is [Mistakes], which holds all that is wrong.
func Load(source string, data []byte) (*Pack, error) { return load(source, data, "", nil) }

func ruleFile(source string) strict.File {
	return strict.File{Source: source, Kind: badRule, Whole: "a rule file", Most: maxParts,
		Empty: "the file holds no rules; a rule file starts with \"pack: NAME\""}
}

// load is [Load] with the tree of the file, see [strict.MakeTree], and with the folder of the file, which holds the hives of its tests; "" and
// nil for none.
func load(source string, data []byte, tree string, files fs.FS) (*Pack, error) {
	if err := tooMany(source, countRules(data)); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	pack := &Pack{Source: source, SHA256: hex.EncodeToString(sum[:]), files: files}
	err := strict.ReadTree(ruleFile(source), data, tree, func(d *strict.Decoder, root *yaml.Node) {
		packObject.Read(d, root, "", pack)
		completePack(d, pack)
	})
	if err != nil {
		return nil, err
	}
	return pack, nil
}

// countRules returns about how many rules a file holds, without parsing it: each has a field id.
func countRules(data []byte) (n int) {
	for i := 0; ; n++ {
		next := bytes.Index(data[i:], []byte("id"))
		if next < 0 {
			return n
		}
		at := i + next
		i = at + len("id")
		before, after := at == 0 || !isWord(data[at-1]), bytes.TrimPrefix(data[i:], []byte(`"`))
		if !before || len(after) == 0 || after[0] != ':' {
			n--
		}
	}
}

func isWord(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

// tooMany returns the mistake about more rules than a run can take, or nil.
func tooMany(source string, n int) error {
	if n <= maxRules {
		return nil
	}
	return Mistakes{asMistake(source, fmt.Errorf("there are %d rules or more; a run takes at most %d: check with some of them at a time", n, maxRules))}
}

// completePack gives each rule what it has from its pack, and finds IDs that are used twice and lists that are not there.
func completePack(d *strict.Decoder, p *Pack) {
	findLists(d, p)
	ids := map[string]bool{}
	for _, r := range p.Rules {
		if r.ID != "" && ids[r.ID] {
			d.WrongAt(r.At, "rule %s stands twice; an id names one rule", r.ID)
		}
		ids[r.ID] = true
		r.Pack, r.source, r.files = p.Name, p.Source, p.files
		if d.Spend(r.At, "references", len(p.References)/10) {
			r.References = slices.Concat(p.References, r.References)
		}
	}
}
