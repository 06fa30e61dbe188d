package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"regvet/report"
	"regvet/rules/lint"
)

// baselineName is the default name of a baseline.
const baselineName = ".regvet-baseline.json"

// knownFile is a baseline, and what a run did with it.
type knownFile struct {
	*lint.Baseline
	name   string          // as the user names it
	folder string          // absolute
	seen   map[string]bool // the paths of the files that were linted
	gone   int             // the number of recorded findings that no longer exist
	taken  int             // the number of findings that were recorded
}

const (
	maxBaseline = 1 << 28 // bytes; a million findings
	mostKnown   = 100_000 // findings of one check in one file
)

// knownIn returns a baseline, which it reads once. If it cannot be read, knownIn calls refuse with the reason, or writes it if refuse is nil.
func (p *planner) knownIn(fsys fs.FS, file, shown string, refuse func(error)) *knownFile {
	file, err := filepath.Abs(file)
	if err != nil {
		p.mistake(err)
		return nil
	}
	if k := p.baselines[file]; k != nil {
		return k
	}
	k := &knownFile{Baseline: lint.NewBaseline(), name: shown, folder: filepath.Dir(file), seen: map[string]bool{}}
	p.baselines[file] = k
	p.files.Protect(file)
	data, err := readSmall(fsys, file, maxBaseline)
	switch {
	case isMissing(err) && p.options.writeBaseline:
		return k
	case isMissing(err):
		err = fmt.Errorf("%w; write it with --write-baseline", err)
	}
	switch {
	case err != nil && refuse != nil:
		refuse(err)
		return k
	case err != nil:
		p.mistake(fmt.Errorf("the baseline %s cannot be read: %w", shown, err))
		return k
	}
	loaded, err := lint.LoadBaseline(shown, data)
	if err != nil {
		p.mistake(err)
		return k
	}
	k.Baseline = loaded
	return k
}

// isMissing reports whether an error says that a file does not exist.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// path returns the path of a file as the baseline has it: relative to the baseline, with slashes.
func (k *knownFile) path(name string) string {
	if name == "-" {
		return name
	}
	file, err := filepath.Abs(name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	if rel, err := filepath.Rel(k.folder, file); err == nil {
		file = rel
	}
	return filepath.ToSlash(file)
}

// take compares the findings in a file with the baseline, or with write records them in it.
func (k *knownFile) take(name string, findings []lint.Finding, p *plan, write bool) {
	path := k.path(name)
	k.seen[path] = true
	ran := func(c *lint.Check) bool { return p.severity[c] != 0 }
	if !write {
		k.gone += k.Compare(path, findings, ran)
		return
	}
	k.taken += k.Replace(path, findings, ran)
	for i := range findings {
		if findings[i].Suppressed == nil {
			findings[i].Suppressed = &lint.Suppression{By: "baseline"}
		}
	}
}

// lost returns the files in the baseline that no longer exist.
func (k *knownFile) lost() (paths []string) {
	for _, path := range k.Paths() {
		file := filepath.FromSlash(path)
		if !filepath.IsAbs(file) {
			file = filepath.Join(k.folder, file)
		}
		if _, err := os.Stat(file); isMissing(err) && path != "-" && !k.seen[path] {
			paths = append(paths, path)
		}
	}
	return paths
}

// endBaseline writes a baseline if --write-baseline is set, or else a message about findings in it that no longer exist. What it has of files
// that were not linted stays.
func (o *lintOptions) endBaseline(s *session, k *knownFile) {
	lost := k.lost()
	for _, path := range lost {
		k.gone += k.Size(path)
	}
	if o.writeBaseline {
		for _, path := range lost {
			k.Remove(path)
		}
		if s.replace(k.name, nil, k.Write) {
			s.say("wrote %s to %s", report.Count(k.taken, "finding", "findings"), k.name)
		}
		return
	}
	if k.gone == 0 {
		return
	}
	renamed := ""
	if len(lost) > 0 {
		renamed = lost[0] + " is"
		if more := len(lost) - 1; more > 0 {
			renamed = fmt.Sprintf("%s and %s are", lost[0], report.Count(more, "more file", "more files"))
		}
		renamed = "; " + renamed + " no longer there: if a file was renamed, change its path in the baseline"
	}
	verb := "are"
	if k.gone == 1 {
		verb = "is"
	}
	s.say("%s of the baseline %s %s gone; update it with --write-baseline%s", report.Count(k.gone, "finding", "findings"), k.name, verb, renamed)
}
