package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/accept"
	"regvet/rules/lint"
)

var lintCommand = command{
	name: "lint", args: "FILE.reg|FOLDER...", short: "report what Windows will silently ignore or misread in .reg files",
	min: 1, max: -1, files: true, colours: true,
	example: `  regvet lint patch.reg
  regvet lint --fix --select REG012,REG022 .
  regvet lint --format sarif -o lint.sarif patches
  regvet lint --baseline known.json --write-baseline .
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(lintOptions)
		o.configFlags.define(f, "the settings", "the folder of each file")
		f.BoolVar(&o.showConfig, "show-config", false, "show the config and the settings for each file, and lint nothing")
		o.rules.define(f, defaultPacks)
		o.result.define(f, report.FormatNames()...)
		choose(f, &o.failOn, "fail-on", "", "warning", "exit with 1 for findings of at least this `SEVERITY`: %s", append(slices.Clone(lint.SeverityNames()), neverFails)...)
		choose(f, &o.severity, "severity", "", "", "in text and compact, list findings of at least this `SEVERITY`, and count the others: %s; info are counted only unless they fail the run", lint.SeverityNames()...)
		f.BoolVarP(&o.listing.All, "all", "a", false, "in text and compact, list all findings of a check that finds more than 20 things in a file, not only 5")
		f.BoolVarP(&o.listing.Quiet, "quiet", "q", false, "in text and compact, list no findings, only the totals")
		f.BoolVar(&o.listing.Statistics, "statistics", false, "in text and compact, end with a table of how much each check finds")
		f.StringSliceVar(&o.selected, "select", nil, "run only these `CHECKS`, each an ID, a name or the start of an ID, such as REG1, or report only what rules of packs find, each an ID, START*, "+
			accept.ByLevel+"NAME or "+accept.ByTag+"NAME (repeatable)")
		f.StringSliceVar(&o.ignored, "ignore", nil, "skip these `CHECKS`, or what these rules find (repeatable)")
		f.BoolVar(&o.makeFixes, "fix", false, "apply the safe fixes to the files")
		f.BoolVar(&o.diff, "diff", false, "show the safe fixes as a unified diff before the findings, and change nothing, even with --fix")
		f.BoolVar(&o.unsafeFixes, "unsafe-fixes", false, "with --fix or --diff, include the fixes that change what Windows does with the file")
		o.regFiles.define(f)
		shardFlag(f, &o.shard, "lint", "files")
		codePageFlag(f, &o.codePage)
		versionFlag(f, &o.windows, "the Windows `VERSION` that the files are for, such as 6.1, or a product such as 2008r2")
		o.baselineFlags.define(f, "hide")
		o.baselineFlags.defineWrite(f)
		return o.run
	},
}

type lintOptions struct {
	configFlags
	severity          choice
	listing           report.Listing
	showConfig        bool
	rules             ruleFlags
	result            resultFlags
	failOn            choice
	selected, ignored []string // checks
	makeFixes         bool
	diff              bool
	unsafeFixes       bool
	regFiles          regFileFlags
	shard             parsed[collection.Share]
	codePage          parsed[*regfile.CodePage]
	windows           parsed[*hive.Windows]
	baselineFlags
}

// mostListed is how many findings of one check are kept for a file, to be listed or counted. Where all are asked for, it is mostKnown.
const mostListed = 1000

func (o *lintOptions) run(s *session, args []string) {
	outputs, ok := o.understand(s)
	if !ok {
		return
	}
	planner := newPlanner(s, o)
	if planner == nil {
		return
	}
	files := o.regFiles.find(s, args)
	if len(files) == 0 && !o.regFiles.allowEmpty {
		return
	}
	jobs := planner.jobs(files)
	switch {
	case planner.broken:
		return
	case o.showConfig:
		s.write("", func(w io.Writer, _ report.Style) error { return writePlans(w, jobs) })
		return
	}
	jobs = included(s, args, jobs)
	for _, j := range jobs {
		s.files.Protect(j.name)
	}
	if jobs = ofShare(jobs, o.shard.value); len(files) > 0 {
		s.sayIfNone(o.shard.value, len(jobs), "files")
	}
	if !planner.baselines.apart(outputs) {
		return
	}
	sinks := s.beginAll(outputs)
	if sinks == nil {
		return
	}
	o.listing.Least, _ = lint.ParseSeverity(o.severity.value)
	r := report.LintReport{Version: version(), Run: planner.runOf(jobs), Checks: planner.running(jobs), Listing: o.listing, Baseline: len(planner.baselines.files) > 0}
	lines := map[*sink]*report.LintLines{} // the outputs that are written as the files are read; the others wait for the end
	wants := o.wanted(outputs)
	for _, k := range sinks {
		if k.format == "jsonl" {
			lines[k] = report.NewLintLines(k, r)
		}
	}
	done := 0
	unchecked := map[string]int{} // the number of files, by the config that turns all checks off
	inOrder(s, jobs, batch{live: o.result.live()}, func(s *session, j job) *linted { return o.lintFile(s, j, wants) }, func(f *linted) {
		j := jobs[done]
		done++
		if f == nil {
			return
		}
		if len(j.plan.severity) == 0 && j.plan.file != "" {
			f.Unchecked = j.plan.file
			unchecked[j.plan.file]++
		}
		f.FailOn = j.plan.failOn
		if j.plan.known != nil {
			j.plan.take(j.name, f.Findings, o.baselineFlags.write)
		}
		for _, finding := range f.Findings {
			if f.Counts(finding) {
				s.raise(statusFindings)
			}
		}
		for _, k := range sinks {
			if k.drafts == nil && len(f.diff) > 0 {
				k.Write(f.diff) // an error is returned again at the end
			}
		}
		for _, l := range lines {
			l.File(f.LintFile)
		}
		if len(lines) < len(sinks) {
			r.Files = append(r.Files, f.LintFile)
		}
	})
	for _, config := range slices.Sorted(maps.Keys(unchecked)) {
		s.say("%s turns all checks off, so %s not checked", config, report.Count(unchecked[config], "file is", "files are"))
	}
	planner.baselines.endAll()
	r.Refused = s.refused
	for _, k := range sinks {
		if l := lines[k]; l != nil {
			k.end(l.Close(s.refused))
		} else {
			k.end(report.WriteLint(k, k.format, r, k.style))
		}
	}
}

// understand returns the outputs that the flags choose. If flags contradict each other, it writes which and returns false.
func (o *lintOptions) understand(s *session) (outputs []output, ok bool) {
	if o.unsafeFixes && !o.makeFixes && !o.diff {
		s.fail(statusUsage, "--unsafe-fixes does nothing without --fix or --diff; add one of them")
	}
	o.baselineFlags.understand(s)
	if o.showConfig && (o.baselineFlags.flags.Changed("format") || len(o.result.outputs) > 0) {
		s.fail(statusUsage, "--show-config shows text on standard output; leave out --format and -o")
	}
	outputs = o.result.choose(s)
	if o.diff && slices.ContainsFunc(outputs, func(k output) bool { return k.file == "" && k.format != "text" }) {
		s.fail(statusUsage, "--diff shows text; write the findings to a file with -o FORMAT=FILE")
	}
	return outputs, !s.failed()
}

// wanted is what the formats need of a file besides its findings.
type wanted struct {
	hash bool
	text bool // of a file with fixes
	all  bool // every finding, and not only those that are listed
}

// wanted returns what the outputs need.
func (o *lintOptions) wanted(outputs []output) (w wanted) {
	w.all = o.listing.All || o.baselineFlags.write
	for _, k := range outputs {
		w.all = w.all || k.format != "text" && k.format != "compact"
		switch k.format {
		case "json", "jsonl", "csv", "html", "junit", "markdown":
			w.hash = true
		case "sarif":
			w.hash, w.text = true, true
		}
	}
	return w
}

// take compares the findings in a file with the baseline, or with write records them in it. Findings of checks that did not run are not gone, those
// of a check that no longer exists are.
func (p *plan) take(name string, findings []lint.Finding, write bool) {
	k := p.known
	place := k.place(name)
	k.seen[place] = true
	ran := func(id string) bool {
		c := lint.Lookup(id)
		return c == nil || p.severity[c] != 0
	}
	for i := range findings {
		switch f := &findings[i]; {
		case !write:
			k.Meet(place, f.Fingerprint())
		case f.Suppressed == nil:
			k.Record(place, f.Check.ID, f.Fingerprint(), f.Message)
			k.taken++
			f.Suppressed = &lint.Suppression{By: "baseline"}
		}
	}
	if write {
		k.Forget(place, ran)
	} else {
		k.gone += k.Gone(place, ran)
	}
}

// job is a file to lint.
type job struct {
	name     string
	plan     *plan
	excluded bool
}

// jobs returns a job with its plan for each file.
func (p *planner) jobs(files []string) (all []job) {
	for _, name := range files {
		plan, excluded := p.plan(name)
		all = append(all, job{name, plan, excluded})
	}
	return all
}

// included returns the jobs without those that configs exclude. It writes which arguments are excluded, and whether everything is.
func included(s *session, args []string, jobs []job) (all []job) {
	said := false
	for _, j := range jobs {
		if !j.excluded {
			all = append(all, j)
		} else if slices.Contains(args, j.name) {
			s.say("%s: is not linted, because %s excludes it", collection.DisplayName(j.name), j.plan.file)
			said = true
		}
	}
	if len(all) == 0 && len(jobs) > 0 && !said {
		s.say("nothing is linted; configs exclude what was found: %s", report.Count(len(jobs), ".reg file", ".reg files"))
	}
	return all
}

// ofShare returns the jobs of a share.
func ofShare(jobs []job, share collection.Share) (taken []job) {
	for i, j := range jobs {
		if share.Takes(i) {
			taken = append(taken, j)
		}
	}
	return taken
}

// running returns the checks that run in at least one job.
func (p *planner) running(jobs []job) (checks []*lint.Check) {
	plans := map[*plan]bool{}
	for _, j := range jobs {
		plans[j.plan] = true
	}
	for _, check := range lint.Checks() {
		for plan := range plans {
			if plan.severity[check] != 0 {
				checks = append(checks, check)
				break
			}
		}
	}
	return checks
}

// runOf returns what is known of this run, with the packs of all jobs.
func (p *planner) runOf(jobs []job) report.Run {
	seen := map[*scope]bool{}
	var packs []*rules.Pack
	var active []*rules.Rule
	for _, j := range jobs {
		if s := j.plan.scope; !seen[s] {
			seen[s] = true
			packs, active = append(packs, s.packs...), append(active, s.rules...)
		}
	}
	return p.session.runOf(packs, active)
}

// linter returns the linter for a job.
func (o *lintOptions) linter(j job, wants wanted) lint.Linter {
	l := j.plan.linter
	if wants.all {
		l.Most = mostKnown
	}
	if k := j.plan.known; k != nil && !o.baselineFlags.write {
		place := k.place(j.name)
		l.Known = func(fingerprint string) bool { return k.Knows(place, fingerprint) }
		l.Most += k.Size(place)
	}
	return l
}

// linted is a file that was linted.
type linted struct {
	report.LintFile
	diff []byte // what the fixes would change, with --diff
}

// lintFile lints a file, and with --fix also fixes it. If the file cannot be read or written, it writes why and returns nil.
func (o *lintOptions) lintFile(s *session, j job, wants wanted) *linted {
	l, name := o.linter(j, wants), j.name
	if o.makeFixes && !o.diff {
		return o.fixFile(s, l, name)
	}
	var in io.Reader
	var diff []byte
	if o.diff {
		data, err := collection.ReadFile(s.files, name)
		if err != nil {
			s.refuse(name, err)
			return nil
		}
		diff, in = o.diffOf(s, l, name, data), bytes.NewReader(data)
	} else {
		f, err := s.files.Open(name)
		if err != nil {
			s.refuse(name, fmt.Errorf("cannot be read: %w", hive.Cause(err)))
			return nil
		}
		defer f.Close()
		text, err := collection.NoContainer(f, name)
		if err != nil {
			s.refuse(name, err)
			return nil
		}
		in = text
	}
	sum := sha256.New()
	counter := &counted{r: in}
	in = counter
	var data bytes.Buffer
	switch {
	case wants.text:
		in = io.TeeReader(in, io.MultiWriter(sum, &data))
	case wants.hash:
		in = io.TeeReader(in, sum)
	}
	result, err := l.Lint(collection.DisplayName(name), in)
	if err != nil {
		s.refuse(name, fmt.Errorf("cannot be read: %w", hive.Cause(err)))
		return nil
	}
	f := newLinted(s, name, result)
	f.Size, f.diff = counter.n, diff
	if wants.hash {
		f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	if slices.ContainsFunc(f.Findings, func(f lint.Finding) bool { return f.Fix != nil }) {
		f.Text, _, _, _ = l.Read.Text(data.Bytes()) // a file without text has no findings with fixes
	}
	return f
}

// counted counts the bytes that were read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// newLinted returns the report about a file, and writes the problems in it.
func newLinted(s *session, name string, r *lint.Result) *linted {
	for _, p := range r.Problems {
		s.say("%v", &p)
	}
	return &linted{LintFile: report.LintFile{Path: name, Version: r.Version.String(), Encoding: r.Encoding, Findings: r.Findings, Problems: r.Problems}}
}

// fixed returns a file with the fixes that the flags ask for. If they cannot be made, it writes why and returns nil.
func (o *lintOptions) fixed(s *session, l lint.Linter, name string, data []byte) *lint.Fixed {
	least := lint.Safe
	if o.unsafeFixes {
		least = lint.Unsafe
	}
	fixed, err := l.Fix(collection.DisplayName(name), data, least)
	if err != nil {
		s.refuse(name, err)
		return nil
	}
	return fixed
}

// diffOf returns what the fixes would change, as a unified diff.
func (o *lintOptions) diffOf(s *session, l lint.Linter, name string, data []byte) []byte {
	fixed := o.fixed(s, l, name, data)
	if fixed == nil || fixed.Fixes == 0 {
		return nil
	}
	side := func(data []byte) report.Side {
		text, encoding, _, _ := l.Read.Text(data) // no error: the text was read before
		return report.Side{Text: string(text), Encoding: shownEncoding(encoding)}
	}
	var b bytes.Buffer
	_ = report.Diff(&b, collection.DisplayName(name), side(data), side(fixed.Data), s.style()) // never fails in memory
	return b.Bytes()
}

// fixFile fixes a file and returns it with the findings that remain.
func (o *lintOptions) fixFile(s *session, l lint.Linter, name string) *linted {
	data, err := collection.ReadFile(s.files, name)
	if err != nil {
		s.refuse(name, err)
		return nil
	}
	fixed := o.fixed(s, l, name, data)
	if fixed == nil {
		return nil
	}
	if fixed.Fixes > 0 && name != "-" {
		write := func(w io.Writer) error { _, err := w.Write(fixed.Data); return err }
		if !s.replace(name, nil, write) {
			return nil
		}
	}
	f := newLinted(s, name, fixed.Remains)
	f.Fixed = fixed.Fixes
	f.Size = int64(len(fixed.Data))
	sum := sha256.Sum256(fixed.Data)
	f.SHA256 = hex.EncodeToString(sum[:])
	f.Text = fixed.After
	return f
}
