package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/draft"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/strict"
)

var fixCommand = command{
	name: "fix", args: "INPUT|FOLDER...", short: "write a patch that fixes what rules find, and its undo",
	min: 1, max: -1, files: true, colours: true,
	example: `  regvet fix SYSTEM
  regvet fix --dry-run --severity high SYSTEM
  regvet fix -o ports.reg --undo ports-undo.reg --select KB196271-MaxUserPort SYSTEM
  regvet fix -o ports.ps1 SYSTEM
  regvet fix -o fixes/ collected
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(fixOptions)
		o.rules.define(f, defaultPacks)
		o.selected.define(f, "fix only what these rules find:")
		f.BoolVar(&o.unsafe, "unsafe-fixes", false, "also make fixes that need a decision, because they may break something, cannot be undone on the machine, or are no recommendation of a vendor; --select with the ID of a rule makes that of this rule. Without it they are told, which is no failure")
		o.accept.define(f, "fix only findings", "do not fix")
		choose(f, &o.format, "format", "f", "reg", "output `FORMAT` of both files: %s; the default is the one of the ending of -o", patchFormats()...)
		f.StringVarP(&o.output, "output", "o", "", "write the fix to this `FILE` (default fix.reg, or "+strict.List(otherNames(), "or")+" in other formats), or the fixes of several machines to this folder, in a folder for each (default "+manyFolder+")")
		f.StringVar(&o.undo, "undo", "", "write the undo of one machine to this `FILE` (default undo.reg beside the fix)")
		pathFlag(f, &o.root, "root", "write the edits for a hive that is loaded at this `KEY` with reg load, such as HKLM\\OFFLINE", `HKLM\OFFLINE`)
		f.BoolVar(&o.force, "force", false, "overwrite existing files")
		f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show and prove the fix, but write nothing")
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type fixOptions struct {
	rules         ruleFlags
	input         inputFlags
	selected      selection
	accept        acceptFlags
	accepted      *accepted // what these flags and the config decide
	format        choice
	output, undo  string
	lintRules     []*rules.Rule // those against which the linter checks values by default
	asked         [2]string     // both, as the user gave them
	root          parsed[hive.Path]
	unsafe        bool
	force, dryRun bool
}

// manyFolder is the folder for the fixes of several machines if the user names none.
const manyFolder = "fixes"

// run plans and proves the fix of each machine, and then writes all of them.
func (o *fixOptions) run(s *session, args []string) {
	if o.chooseFormat(s); s.failed() {
		return
	}
	o.accepted = o.accept.load(s, &o.rules, &o.selected, args)
	if o.accepted == nil || s.failed() {
		return
	}
	o.accepted.windows(&o.input)
	o.accepted.sayFlaws()
	active := o.activeRules()
	var ok bool
	if o.lintRules, ok = new(ruleFlags).load(s); !ok {
		return
	}
	s.files.Protect(o.input.logs...)
	list := machinesOf(s, args, o)
	many := o.isFolder() || len(list.groups) > 1
	if s.failed() || !o.checkNames(s, many, len(list.groups)) {
		return
	}
	var all []*fixed
	plan := func(s *session, together collection.Joined) []*fixed { return o.plan(s, together, active) }
	each(s, list.groups, &o.input, o.input.options(true), batch{}, plan, func(a groupResult[*fixed]) { all = append(all, a.results...) })
	if len(all) > 1 && !many { // the hives of one folder are those of several machines
		many = true
		if o.output, o.undo = o.asked[0], o.asked[1]; !o.checkNames(s, many, len(all)) {
			return
		}
	}
	switch {
	case many:
		o.writeMany(s, list, all)
	case len(all) == 1:
		o.writeOne(s, all[0])
	}
}

// chooseFormat sets the format by the endings of the files, unless the user gives one.
func (o *fixOptions) chooseFormat(s *session) {
	if o.format.given {
		return
	}
	of := "" // the file whose ending chose it
	for _, name := range []string{o.output, o.undo} {
		if name == "" || name == o.output && o.isFolder() {
			continue
		}
		switch format := formatOf(name); {
		case format == "" && filepath.Ext(name) != "":
			s.say("%s: no format has this ending, so that it is written as %s; --format chooses another", name, o.format.value)
		case format != "" && of != "" && format != formatOf(of):
			s.fail(statusUsage, "by their endings %s and %s are of different formats, and a fix and its undo have one; --format chooses it", of, name)
		case format != "":
			o.format.value, of = format, name
		}
	}
}

// isFolder reports whether -o names a folder: one that exists, or a name that ends in a slash.
func (o *fixOptions) isFolder() bool {
	if o.output == "" {
		return false
	}
	info, err := os.Stat(o.output)
	return os.IsPathSeparator(o.output[len(o.output)-1]) || err == nil && info.IsDir()
}

// checkNames fills in the default names. If something is wrong with the names, it writes what and returns false.
func (o *fixOptions) checkNames(s *session, many bool, machines int) (ok bool) {
	if many {
		return o.checkFolder(s, machines)
	}
	o.asked = [2]string{o.output, o.undo}
	ok = true
	refuse := func(format string, args ...any) {
		s.fail(statusUsage, format, args...)
		ok = false
	}
	format := o.format.value
	o.output = cmp.Or(o.output, fixName(format))
	o.undo = cmp.Or(o.undo, filepath.Join(filepath.Dir(o.output), undoName(format)))
	if o.output == "-" || o.undo == "-" {
		refuse("fix writes two files; give -o and --undo the names of files, not -")
	}
	if o.root.value != nil && undoFormat(format) != format {
		refuse("--root is for a hive that is loaded with reg load, which --format %s does not reach; leave one of the two out", format)
	}
	for _, name := range []string{o.output, besideName(format, o.output)} {
		if name != "" && filepath.Clean(name) == filepath.Clean(o.undo) {
			refuse("the fix and its undo cannot both be %s", name)
		}
	}
	if filepath.Clean(o.output) == filepath.Clean(besideName(format, o.output)) {
		refuse("the fix cannot be %s: that is the name of the file beside it; choose another", o.output)
	}
	for _, name := range []string{o.output, o.undo, besideName(format, o.output)} {
		ok = (name == "" || o.mayWrite(s, name)) && ok
	}
	return ok
}

// checkFolder is checkNames for a folder with the fixes of several machines.
func (o *fixOptions) checkFolder(s *session, machines int) bool {
	wrong := ""
	switch {
	case o.undo != "":
		wrong = "--undo names one file, and in a folder each machine has an undo of its own; leave it out"
	case o.root.value != nil && machines > 1:
		wrong = fmt.Sprintf("--root is for one hive, and %d machines or hives were found; name one", machines)
	case o.output == "-":
		wrong = fmt.Sprintf("the fixes of %d machines go into a folder; give -o the name of one, not -", machines)
	case o.output != "" && !o.isFolder() && formatOf(o.output) != "":
		wrong = fmt.Sprintf("-o %s is the name of one file, and %d machines were found; give it a folder, such as %s/", o.output, machines, strings.TrimSuffix(o.output, filepath.Ext(o.output)))
	}
	if wrong != "" {
		s.fail(statusUsage, "%s", wrong)
		return false
	}
	o.output = cmp.Or(o.output, manyFolder)
	return o.mayWrite(s, filepath.Join(o.output, summaryName)) && o.mayWrite(s, filepath.Join(o.output, refusedName))
}

// mayWrite reports whether a file may be written. If it exists and --force does not overwrite it, mayWrite writes an error.
func (o *fixOptions) mayWrite(s *session, name string) bool {
	if _, err := os.Lstat(name); err != nil || o.force || o.dryRun {
		return true
	}
	s.fail(statusUsage, "%s exists; --force overwrites it", name)
	return false
}

// names returns the names of the two files, without a folder: for a machine, or for the hive of a user of it.
func (o *fixOptions) names(user string) (fix, undo string) {
	fix, undo = fixName(o.format.value), undoName(o.format.value)
	if o.undo != "" { // one machine
		fix, undo = filepath.Base(o.output), filepath.Base(o.undo)
	}
	if user == "" {
		return fix, undo
	}
	of := func(name string) string {
		ext := filepath.Ext(name)
		return strings.TrimSuffix(name, ext) + "-" + user + ext
	}
	return of(fix), of(undo)
}

// fixed is what fix does about one machine.
type fixed struct {
	report.FixedMachine
	files [][]patchFile // of each outcome
}

// plan plans and proves the fix of one machine, or of an input by itself: of the computer, and of each user whose hive is among the inputs.
func (o *fixOptions) plan(s *session, together collection.Joined, active []*rules.Rule) []*fixed {
	in := together[0]
	if in.Format == "pol" {
		s.fail(statusUsage, "%s is a policy, which is changed where it is made; fix writes patches for hives and .reg files", in.Name())
		return nil
	}
	if o.root.value != nil && in.Mount == nil {
		s.fail(statusUsage, "--root needs to know where Windows mounts the hive, and %s does not show it; give --mount too", in.Name())
		return nil
	}
	if o.root.value != nil && len(together) > 1 {
		s.fail(statusUsage, "--root is for one hive, and a machine with %d was found; name one", len(together))
		return nil
	}
	m := &fixed{}
	users := usersOf(together)
	found := map[string][]rules.Finding{} // by the key of the user
	answers := evaluate(s, in, o.input.windows.value, active)
	o.accepted.waive(answers, in.Host)
	for _, f := range answers {
		user := ""
		if u := userOf(users, f); u != nil {
			user = u.Key
		}
		found[user] = append(found[user], f)
	}
	names := folderNames{}
	for _, user := range append([]*report.FixedUser{nil}, users...) {
		key, name := "", ""
		if user != nil {
			key, name = user.Key, names.unique(user.Name)
		}
		if user != nil && len(found[key]) == 0 {
			continue
		}
		outcome, files := o.outcome(s, together, found[key], active, user, name)
		m.Outcomes, m.files = append(m.Outcomes, outcome), append(m.files, files)
	}
	for _, one := range together {
		facts := one.Facts()
		if one.SameAs == "" {
			if one != in {
				one.Describe(o.input.windows.value)
			}
			facts = s.facts(one)
		}
		m.Inputs = append(m.Inputs, report.Input{Input: facts})
	}
	return []*fixed{m}
}

// outcome plans and proves the fix for the findings of the computer, or of one user, and returns it with its files.
func (o *fixOptions) outcome(s *session, together collection.Joined, found []rules.Finding, active []*rules.Rule, user *report.FixedUser, name string) (report.Outcome, []patchFile) {
	in := together[0]
	outcome := report.Outcome{DryRun: o.dryRun, User: user}
	var findings []rules.Finding
	refused := unwritable(o.format.value, below(in, o.root.value))
	for _, f := range found {
		switch {
		case f.Waived != nil || o.accepted.isKnown(in.Input, f):
			outcome.Accepted++
		case !o.accepted.picks(f.Rule) || f.Severity < o.accepted.least:
			if f.Status == rules.Fail {
				outcome.Others++
			}
		case f.Status == rules.Unknown:
			if f.Applies() || o.selected.restricts() { // the user who selects a rule wants to know why there is no fix
				outcome.Open = append(outcome.Open, f)
			}
		case f.NeedsDecision() && !o.unsafe && !o.selected.names(f.Rule):
			undo := rules.NewPlan(in.Registry, []rules.Finding{f}).Undo
			outcome.LeftOut = append(outcome.LeftOut, rules.Unfixed{Finding: f, Why: refused(f.Edits(), undo)})
		default:
			findings = append(findings, f)
		}
	}
	outcome.Plan = rules.NewPlanAmong(in.Registry, in.Windows, active, findings, refused)
	if len(outcome.Plan.Unfixed) > 0 {
		s.raise(statusFindings)
	}
	if len(outcome.Plan.Edits) == 0 {
		return outcome, nil
	}
	return outcome, o.prove(s, together, active, &outcome, name)
}

// activeRules returns the rules to evaluate: those of the chosen packs or, if none is chosen, of each pack with a rule that is selected.
func (o *fixOptions) activeRules() []*rules.Rule {
	a := o.accepted
	active := a.loaded
	if a.anyPack {
		var packs []string
		for _, r := range active {
			if a.pick.picks(r) {
				packs = append(packs, r.Pack)
			}
		}
		active = slices.DeleteFunc(slices.Clone(active), func(r *rules.Rule) bool { return !slices.Contains(packs, r.Pack) })
	}
	return rules.Distinct(active, o.selected.chosen)
}

// prove makes the texts of the files and proves in memory what they will do. It returns no files for a fix that would leave a finding or cause a
// new one, or whose undo would not restore every byte.
func (o *fixOptions) prove(s *session, together collection.Joined, active []*rules.Rule, outcome *report.Outcome, user string) []patchFile {
	in, plan, root := together[0], outcome.Plan, o.root.value
	p := newPatch(together, o, s.runOf(o.accepted.packs, active), outcome)
	p.fix, p.undo = o.names(user)
	if o.undo != "" { // one machine
		p.folder = filepath.Dir(o.output)
	}
	made, err := p.render(plan, below(in, root))
	if err != nil {
		s.fail(statusFindings, "%v", err)
		return nil
	}
	back := func(edits []hive.Edit) []hive.Edit {
		if root == nil {
			return edits
		}
		return moved(edits, root, in.Mount)
	}
	proof := rules.Prove(in.Registry, in.Windows, active, plan, back(made.fix), back(made.undo))
	outcome.Proof = &proof
	if !proof.Holds() {
		s.raise(statusFindings)
		return nil
	}
	outcome.Note = fixNote(o.format.value)
	return made.files
}

// writeOne writes the files of one machine, and what was done.
func (o *fixOptions) writeOne(s *session, m *fixed) {
	ok := true
	var all []patchFile
	for i, files := range m.files {
		for _, f := range files {
			beside := o.output
			if f.undo {
				beside = o.undo
			}
			if f.name == filepath.Base(beside) {
				f.name = beside // as the user wrote it; whether it is there was looked for before
			} else {
				f.name = filepath.Join(filepath.Dir(beside), f.name)
				ok = o.mayWrite(s, f.name) && ok
			}
			all = append(all, f)
			m.Outcomes[i].Files = append(m.Outcomes[i].Files, f.name)
		}
	}
	if !ok || !o.dryRun && !s.saveAll(all) {
		return
	}
	s.write("", func(w io.Writer, style report.Style) error { return report.Fixes(w, m.Outcomes, style) })
}

// saveAll writes files, or none of them. Undos are put in place first, so that there is never a fix without its undo.
func (s *session) saveAll(all []patchFile) bool {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b patchFile) int { return cmp.Compare(a.place(), b.place()) })
	var outputs []output
	for _, f := range all {
		outputs = append(outputs, output{file: f.name})
	}
	sinks := s.beginAll(outputs)
	if len(sinks) < len(all) {
		return false
	}
	var drafts []*draft.File
	for i, k := range sinks {
		k.Write(all[i].text) // an error is returned again at the end
		drafts = append(drafts, k.drafts...)
	}
	if err := draft.CommitAll(drafts...); err != nil {
		e, _ := errors.AsType[*fs.PathError](err) // it always is one
		s.fail(statusUsage, "%s cannot be written: %v", e.Path, e.Err)
		return false
	}
	return true
}

// alwaysLoaded are the keys of HKEY_USERS that Windows has while nobody is logged on.
var alwaysLoaded = []string{".DEFAULT", "S-1-5-18", "S-1-5-19", "S-1-5-20"}

// userOf returns the one of the users in whose hive a finding is, or nil if it is in one that Windows always has loaded.
func userOf(users []*report.FixedUser, f rules.Finding) *report.FixedUser {
	path := f.Key
	if f.Fix != nil {
		path = f.Edits()[0].Path
	}
	for _, u := range users {
		if len(path) > 1 && hive.EqualFold(path[1], u.Key) && path.HasPrefix(hive.ParsePath("HKU")) {
			return u
		}
	}
	return nil
}

// usersOf returns the users whose hives are among those of a machine.
func usersOf(together collection.Joined) (all []*report.FixedUser) {
	for _, in := range together {
		known := func(u *report.FixedUser) bool { return hive.EqualFold(u.Key, in.Mount[1]) }
		if in.User == "" || in.SameAs != "" || len(in.Mount) < 2 || slices.Contains(alwaysLoaded, in.Mount[1]) || slices.ContainsFunc(all, known) {
			continue
		}
		all = append(all, &report.FixedUser{Name: in.User, Key: in.Mount[1]})
	}
	return all
}

// below returns a function that moves edits of the running system below root, the key at which the hive is loaded. With a nil root it changes
// nothing.
func below(in *collection.Opened, root hive.Path) func([]hive.Edit) []hive.Edit {
	return func(edits []hive.Edit) []hive.Edit {
		if root == nil {
			return edits
		}
		return moved(in.Registry.Real(edits...), in.Mount, root)
	}
}

// moved returns the edits with the path to in place of from at the beginning of their paths.
func moved(edits []hive.Edit, from, to hive.Path) []hive.Edit {
	var all []hive.Edit
	for _, e := range edits {
		if e.Path.HasPrefix(from) {
			e.Path = to.Join(e.Path[len(from):]...)
		}
		all = append(all, e)
	}
	return all
}
