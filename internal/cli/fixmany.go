package cli

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
)

// The files at the top of a folder with the fixes of several machines, and the one in the folder of each machine that tells all about its fix.
const (
	summaryName = "summary.csv"
	refusedName = "refused.csv"
	reportName  = "report.txt"
)

// fixList is the machines to fix, each a group of files.
type fixList struct {
	groups []collection.Group
	places map[string]string // of each machine, by the path of each of its files: its path in the input
}

// machinesOf lists the machines that the arguments name. It leaves out, and says so, what is not to be fixed on a machine: earlier states, a former
// Windows and hives that are of no machine, unless that is all that there is, so that the user means it. What lies in the folder for the output is
// what fix itself wrote, unless the user names that folder.
func machinesOf(s *session, args []string, o *fixOptions) fixList {
	onlyOnce(s, args)
	list := fixList{places: map[string]string{}}
	output := cmp.Or(o.output, manyFolder)
	written := 0
	for _, arg := range args {
		own := func(g collection.Group) bool {
			is := isBelow(g.Files[0].Path, output) && !isBelow(arg, output)
			if is {
				written += len(g.Files)
			}
			return is
		}
		for _, g := range groupsBut(s, []string{arg}, o.input.mount.value == nil, own) {
			if g.Container != nil || list.places[g.Files[0].Path] != "" {
				continue
			}
			list.groups = append(list.groups, g)
			for _, f := range g.Files {
				list.places[f.Path] = placeIn(arg, g, len(args) > 1)
			}
		}
	}
	if written > 0 {
		s.say("%s: the %d hives and .reg files in it are not fixed, because it is the folder for the output", output, written)
	}
	list.leaveOut(s)
	return list
}

// leaveOut leaves out the machines that there is a reason not to fix, unless there is one for each.
func (l *fixList) leaveOut(s *session) {
	reason := func(g collection.Group) string {
		if g.Files[0].Former {
			return "it is of a former Windows"
		}
		return g.Files[0].NotJoined
	}
	left := slices.DeleteFunc(slices.Clone(l.groups), func(g collection.Group) bool { return reason(g) != "" })
	if len(left) == 0 {
		return
	}
	told := map[string]int{}
	for _, g := range l.groups {
		if why := reason(g); why != "" {
			if told[why]++; told[why] <= mostLeftOut {
				s.say("%s: not fixed: %s; name it alone to fix it", g.Files[0].Path, why)
			}
		}
	}
	for why, n := range told {
		if n > mostLeftOut {
			s.say("%d more are not fixed for the same reason: %s", n-mostLeftOut, why)
		}
	}
	l.groups = left
}

// mostLeftOut is how many inputs that are left out for one reason are told with a line each.
const mostLeftOut = 5

// placeIn returns the path of a machine in the argument that names it, without the folders that each Windows has. Where there are several arguments, it
// begins with the last name of the argument, and so it does where the argument is the machine.
func placeIn(arg string, g collection.Group, several bool) string {
	place := filepath.ToSlash(g.Files[0].Path)
	switch {
	case g.Machine != "":
		place = filepath.ToSlash(g.Machine)
	case hive.KnownName(place) != "" && place != filepath.ToSlash(arg):
		place = path.Dir(place) // all that there is of the machine
	}
	arg = strings.TrimSuffix(filepath.ToSlash(arg), "/")
	base := path.Base(arg)
	if base == "." || base == ".." {
		if absolute, err := filepath.Abs(arg); err == nil {
			base = filepath.Base(absolute)
		}
	}
	rest, ok := strings.CutPrefix(place, arg)
	if arg == "." {
		rest, ok = "/"+place, true
	}
	if !ok {
		rest = ""
	}
	if rest = strings.TrimPrefix(rest, "/"); several || rest == "" || rest == "." || strings.HasPrefix(rest, "!") {
		rest = path.Join(base, rest)
	}
	for _, own := range []string{"config", "System32", "Windows"} {
		if dir := path.Dir(rest); dir != "." && hive.EqualFold(path.Base(rest), own) {
			rest = dir
		}
	}
	return strings.TrimSuffix(rest, "!")
}

// isBelow reports whether a file lies in a folder or below it. Names that cannot be made absolute lie nowhere.
func isBelow(name, folder string) bool {
	absolute, err := filepath.Abs(name)
	top, topErr := filepath.Abs(folder)
	if err != nil || topErr != nil {
		return false
	}
	rel, err := filepath.Rel(top, absolute)
	return err == nil && filepath.IsLocal(rel)
}

// writeMany writes the files of several machines into a folder, and what was done.
func (o *fixOptions) writeMany(s *session, list fixList, all []*fixed) {
	names := folderNames{}
	names.unique(summaryName)
	names.unique(refusedName)
	f := report.FixedMachines{DryRun: o.dryRun, Folder: o.output}
	seen := map[string]bool{}
	for _, m := range all {
		file := m.Inputs[0].Path
		m.Place = list.places[file]
		if seen[m.Place] { // a hive that is not joined with the others of its machine
			m.Place = path.Join(m.Place, path.Base(filepath.ToSlash(file)))
		}
		seen[m.Place] = true
		m.Folder = names.unique(m.Place)
		if plain := strings.NewReplacer("!/", "_", "/", "_").Replace(m.Place); m.Folder != plain {
			s.say("%s: its folder is called %s, because its own name is taken, or no name for a folder on every system", m.Place, m.Folder)
		}
	}
	if !o.dryRun && !o.fillFolder(s, all) {
		return
	}
	for _, m := range all {
		f.Machines = append(f.Machines, m.FixedMachine)
	}
	f.Refused = s.unread()
	if !o.dryRun {
		for name, write := range map[string]func(io.Writer, report.FixedMachines) error{summaryName: report.FixSummary, refusedName: report.RefusedFixes} {
			s.write(filepath.Join(o.output, name), func(w io.Writer, _ report.Style) error { return write(w, f) })
		}
	}
	s.write("", func(w io.Writer, style report.Style) error { return report.FixMany(w, f, style) })
}

// fillFolder writes the folders of machines. It reports whether anything could be written; what could not be is told.
func (o *fixOptions) fillFolder(s *session, all []*fixed) bool {
	root := s.openFolder(o.output, []string{summaryName, refusedName})
	if root == nil {
		return false
	}
	defer root.Close()
	for _, m := range all {
		if err := o.fillMachine(s, root, m, all); err != nil {
			s.fail(statusUsage, "%s cannot be written: %v", filepath.Join(o.output, m.Folder), hive.Cause(err))
			m.drop(err)
		}
	}
	return true
}

var (
	errLink    = errors.New("it is a link, and links in the folder for the output are not followed; remove it")
	errInput   = errors.New("inputs were read from this folder; choose another one for the output")
	errUnsaved = errors.New("not all of its files could be written")
)

// fillMachine writes the folder of one machine, if there is anything to tell of it.
func (o *fixOptions) fillMachine(s *session, root *os.Root, m *fixed, all []*fixed) error {
	folder := filepath.Join(o.output, m.Folder)
	if !m.Tells() {
		o.sayStale(s, root, m)
		return nil
	}
	if err := root.Mkdir(m.Folder, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil && holdsInput(folder, all) {
		return errInput
	}
	switch info, err := root.Lstat(m.Folder); {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return errLink
	case !info.IsDir():
		return errors.New("it is a file")
	}
	var write []patchFile
	for i, files := range m.files {
		for _, f := range files {
			m.Outcomes[i].Files = append(m.Outcomes[i].Files, f.name)
			f.name = filepath.Join(folder, f.name)
			write = append(write, f)
		}
	}
	var text strings.Builder
	_ = report.Fixes(&text, m.Outcomes, plainStyle) // never fails in memory
	if len(write) == 0 {
		o.sayStale(s, root, m)
	}
	write = append(write, patchFile{name: filepath.Join(folder, reportName), text: []byte(text.String())})
	for _, f := range write {
		if isLink(root, filepath.Join(m.Folder, filepath.Base(f.name))) {
			return errLink
		}
		if !o.mayWrite(s, f.name) {
			return errUnsaved
		}
	}
	if !s.saveAll(write) {
		return errUnsaved
	}
	return nil
}

// sayStale says that the folder of a machine has a fix of an earlier run, and the machine has none now.
func (o *fixOptions) sayStale(s *session, root *os.Root, m *fixed) {
	fix, _ := o.names("")
	if _, err := root.Lstat(filepath.Join(m.Folder, fix)); err == nil {
		s.say("%s is of an earlier run, and there is nothing to fix now; remove it", filepath.Join(o.output, m.Folder, fix))
	}
}

// holdsInput reports whether an input of one of the machines lies in a folder or below it.
func holdsInput(folder string, all []*fixed) bool {
	return slices.ContainsFunc(all, func(m *fixed) bool {
		return slices.ContainsFunc(m.Inputs, func(in report.Input) bool { return isBelow(in.Path, folder) })
	})
}

func isLink(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// drop notes that nothing was written for a machine.
func (m *fixed) drop(err error) {
	m.Unwritten = hive.Cause(err).Error()
	for i := range m.Outcomes {
		m.Outcomes[i].Files = nil
	}
}
