package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules/accept"
	"regvet/rules/strict"
)

// baselineName is the default name of a baseline.
const baselineName = ".regvet-baseline.json"

const (
	maxBaseline = 1 << 28 // bytes; a million findings
	mostKnown   = 100_000 // findings of one check in one file
)

// baselineFlags choose a baseline.
type baselineFlags struct {
	flags *pflag.FlagSet
	file  string
	write bool
}

// define defines --baseline. The usage begins with what the command does with the findings that are in it.
func (b *baselineFlags) define(f *pflag.FlagSet, does string) {
	b.flags = f
	f.StringVar(&b.file, "baseline", "", does+" the findings that are recorded in this `FILE`; \"\" for no baseline, not even that of a config")
}

func (b *baselineFlags) defineWrite(f *pflag.FlagSet) {
	f.BoolVar(&b.write, "write-baseline", false, "record the current findings in the baseline, which is "+baselineName+" if none is named")
}

// given reports whether the command line says which baseline it is, or that there is none.
func (b *baselineFlags) given() bool { return b.flags.Changed("baseline") }

// understand writes an error if the flags contradict each other.
func (b *baselineFlags) understand(s *session) {
	if b.write && b.given() && b.file == "" {
		s.fail(statusUsage, "--write-baseline has no file to write to; name one with --baseline")
	}
}

// baselines are those of a run, each read once.
type baselines struct {
	*configs
	*baselineFlags
	kind  accept.Kind
	files map[string]*knownFile // by absolute path
}

// knownFile is a baseline, and what a run did with it.
type knownFile struct {
	*accept.Baseline
	name   string          // as the user names it
	folder string          // absolute
	seen   map[string]bool // the places that were looked at
	gone   int             // the number of recorded findings that no longer exist
	taken  int             // the number of findings that were recorded
}

// of returns the baseline that the flags choose, or else the one that a config names, or nil.
func (b *baselines) of(s *scope, named *strict.Reference) *knownFile {
	switch {
	case b.given() && b.file != "":
		return b.read(b.configs.files, b.file, b.file, nil)
	case b.given():
		return nil
	case named != nil:
		var fsys fs.FS = b.configs.files
		if s.top != "" {
			fsys = ownFiles{s.top, []string{".json"}}
		}
		file := s.within(named.Name)
		return b.read(fsys, file, b.shown(file), func(err error) { b.wrong(s, *named, "the baseline %q cannot be read: %v", named.Name, err) })
	case b.write:
		return b.read(b.configs.files, baselineName, baselineName, nil)
	}
	return nil
}

// read returns a baseline, which it reads once. If it cannot be read, read calls refuse with the reason, or writes it if refuse is nil.
func (b *baselines) read(fsys fs.FS, file, shown string, refuse func(error)) *knownFile {
	file, err := filepath.Abs(file)
	if err != nil {
		b.mistake(err)
		return nil
	}
	if k := b.files[file]; k != nil {
		return k
	}
	k := &knownFile{Baseline: accept.NewBaseline(b.kind), name: shown, folder: filepath.Dir(file), seen: map[string]bool{}}
	b.files[file] = k
	b.configs.files.Protect(file)
	data, err := readSmall(fsys, file, maxBaseline)
	switch {
	case isMissing(err) && b.write:
		return k
	case isMissing(err):
		err = fmt.Errorf("%w; write it with --write-baseline", err)
	}
	switch {
	case err != nil && refuse != nil:
		refuse(err)
		return k
	case err != nil:
		b.mistake(fmt.Errorf("the baseline %s cannot be read: %w", shown, err))
		return k
	}
	loaded, err := accept.LoadBaseline(b.kind, shown, data)
	if err != nil {
		b.mistake(err)
		return k
	}
	k.Baseline = loaded
	return k
}

// isMissing reports whether an error says that a file does not exist.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// place returns the path of an input as the baseline has it: relative to the baseline, with slashes.
func (k *knownFile) place(name string) string {
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

// lost returns the places in the baseline that no longer exist. Of one inside of an image or archive, that is known only of the image.
func (k *knownFile) lost() (lost []string) {
	for _, place := range k.Places() {
		file := filepath.FromSlash(place)
		if !filepath.IsAbs(file) {
			file = filepath.Join(k.folder, file)
		}
		_, err := os.Stat(file)
		if isMissing(err) {
			_, err = os.Stat(collection.Outermost(file))
		}
		if isMissing(err) && place != "-" && !k.seen[place] {
			lost = append(lost, place)
		}
	}
	return lost
}

// end writes a baseline if --write-baseline is set, or else a message about findings in it that no longer exist. What it has of places
// that were not looked at stays.
func (b *baselines) end(k *knownFile) {
	lost := k.lost()
	for _, place := range lost {
		k.gone += k.Size(place)
	}
	if b.write {
		for _, place := range lost {
			k.Remove(place)
		}
		if b.replace(k.name, nil, k.Write) {
			b.say("wrote %s to %s", report.Count(k.taken, "finding", "findings"), k.name)
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
	b.say("%s of the baseline %s %s gone; update it with --write-baseline%s", report.Count(k.gone, "finding", "findings"), k.name, verb, renamed)
}

// endAll is [baselines.end] for each baseline, in the order of their paths.
func (b *baselines) endAll() {
	for _, file := range slices.Sorted(maps.Keys(b.files)) {
		b.end(b.files[file])
	}
}

// apart reports whether no result is to go to the file of a baseline, and writes which one is.
func (b *baselines) apart(outputs []output) bool {
	apart := true
	for _, o := range outputs {
		for file := range b.files {
			if o.file != "" && !exists(file) && o.meets(output{file: file}) { // one that exists was read
				b.fail(statusUsage, "%s is the baseline, and no result can go there; choose another name for one", o.file)
				apart = false
			}
		}
	}
	return apart
}
