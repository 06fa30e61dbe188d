package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/report"
	"regvet/rules/lint"
)

var lintCommand = command{
	name: "lint", args: "FILE.reg|FOLDER...", short: "say what Windows will do with .reg files that they do not say",
	min: 1, max: -1,
	example: `  regvet lint patch.reg
  regvet lint --fix --select REG012,REG022 .
  regvet lint --format sarif -o lint.sarif patches
  regvet lint --baseline known.json --write-baseline .
`,
	flags: func(f *pflag.FlagSet, o *options) {
		configFlags(f, o)
		ruleFlags(f, o, defaultPacks)
		outputFlags(f, o)
		f.StringVar(&o.failOn, "fail-on", "warning", "exit with 1 for findings of at least this `SEVERITY`: info, warning, error, or never")
		f.StringSliceVar(&o.selected, "select", nil, "run only these `CHECKS`, by ID, name or the start of an ID, such as REG1 (repeatable)")
		f.StringSliceVar(&o.ignored, "ignore", nil, "do not run these `CHECKS` (repeatable)")
		f.BoolVar(&o.makeFixes, "fix", false, "make the fixes that are safe, in the files themselves")
		f.BoolVar(&o.diff, "diff", false, "show the fixes that are safe as a unified diff before the findings, and change nothing, with --fix neither")
		f.BoolVar(&o.unsafeFixes, "unsafe-fixes", false, "with --fix or --diff: the other fixes too, after which Windows does something else")
		regFileFlags(f, o)
		codePageFlag(f, o)
		f.StringVar(&o.windows, "windows", "", "the Windows `VERSION` that the files are for, such as 6.1 or 10.0")
		baselineFlags(f, o)
	},
	run: (*cli).lint,
}

// mostListed is how many findings of one check are listed of a file.
const mostListed = 1000

func (c *cli) lint() {
	if c.unsafeFixes && !c.makeFixes && !c.diff {
		c.fail(statusUsage, "--unsafe-fixes does nothing without --fix or --diff; add one of them")
	}
	if c.writeBaseline && c.given("baseline") && c.baseline == "" {
		c.fail(statusUsage, "--write-baseline has no file to write to; name one with --baseline")
	}
	if c.showConfig && (c.formatSet || len(c.outputs) > 0) {
		c.fail(statusUsage, "--show-config shows text on standard output; leave out --format and -o")
	}
	outputs := c.chooseOutputs()
	if c.diff && slices.ContainsFunc(outputs, func(o output) bool { return o.file == "" && o.format != "text" }) {
		c.fail(statusUsage, "--diff shows text; write the findings to a file with -o FORMAT=FILE")
	}
	planner := c.newPlanner()
	if planner == nil || outputs == nil || c.status >= statusUsage {
		return
	}
	files := c.regFiles()
	if len(files) == 0 && !c.allowEmpty {
		return
	}
	jobs := planner.jobs(files)
	switch {
	case planner.broken:
		return
	case c.showConfig:
		c.write(func(w io.Writer) error { return writePlans(w, jobs) })
		return
	}
	jobs = c.included(jobs)
	r := report.LintReport{Version: version(), Checks: planner.running(jobs), Baseline: len(planner.baselines) > 0}
	c.args = nil
	for _, j := range jobs {
		c.args = append(c.args, j.name) // none of them may be the output
	}
	sparing()
	sinks := c.beginAll(outputs)
	if sinks == nil {
		return
	}
	lines := map[*sink]*report.LintLines{} // these are written as the files are read, which the others keep in memory
	var wants wanted
	for _, s := range sinks {
		switch s.format {
		case "jsonl":
			lines[s] = report.NewLintLines(s, r)
			wants.hash = true
		case "json", "csv", "html", "markdown":
			wants.hash = true
		case "sarif":
			wants.hash, wants.text = true, true
		}
	}
	done := 0
	inOrder(c, jobs, func(c *cli, j job) *linted { return c.lintFile(j.linter(c), j.name, wants) }, func(f *linted) {
		j := jobs[done]
		done++
		if f == nil {
			return
		}
		if j.plan.known != nil {
			j.plan.known.take(j.name, f.Findings, j.plan, c.writeBaseline)
		}
		for _, finding := range f.Findings {
			if finding.Suppressed == nil && finding.Severity >= j.plan.failOn {
				c.raise(statusFindings)
			}
		}
		for _, s := range sinks {
			if s.draft == nil && len(f.diff) > 0 {
				s.Write(f.diff) // an error comes again at the end
			}
		}
		for _, l := range lines {
			l.File(f.LintFile)
		}
		if len(lines) < len(sinks) {
			r.Files = append(r.Files, f.LintFile)
		}
	})
	for _, file := range slices.Sorted(maps.Keys(planner.baselines)) {
		c.endBaseline(planner.baselines[file])
	}
	r.Refused = c.refused
	for _, s := range sinks {
		if l := lines[s]; l != nil {
			s.end(l.Close())
		} else {
			s.end(report.WriteLint(s, s.format, r, s.style))
		}
	}
}

// job is a file that is to be linted.
type job struct {
	name     string
	plan     *plan
	excluded bool
}

// jobs gives each file its plan.
func (p *planner) jobs(files []string) (all []job) {
	for _, name := range files {
		file := filepath.Join(p.home, name) // standard input is taken for a file of the working directory
		if filepath.IsAbs(name) {
			file = filepath.Clean(name)
		}
		plan, excluded := p.plan(file)
		all = append(all, job{name, plan, excluded})
	}
	return all
}

// included leaves out what configs exclude. It says so where nothing else tells that a file was not linted.
func (c *cli) included(jobs []job) (all []job) {
	told := false
	for _, j := range jobs {
		if !j.excluded {
			all = append(all, j)
		} else if slices.Contains(c.args, j.name) {
			c.say("%s: is not linted, since %s excludes it", displayName(j.name), j.plan.file)
			told = true
		}
	}
	if len(all) == 0 && len(jobs) > 0 && !told {
		c.say("nothing is linted; configs exclude what was found: %s", count(len(jobs), ".reg file"))
	}
	return all
}

// running lists the checks that run in one job or another.
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

// linter is the one for the file of a job.
func (j job) linter(c *cli) lint.Linter {
	l := j.plan.linter
	switch k := j.plan.known; {
	case c.writeBaseline:
		l.Most = mostKnown
	case k != nil:
		path := k.path(j.name)
		l.Known = func(fingerprint string) bool { return k.Known(path, fingerprint) }
		l.Most += k.Size(path)
	}
	return l
}

// wanted is what the formats want of a file beside its findings.
type wanted struct {
	hash bool
	text bool // if there are fixes
}

// linted is a file that was looked at.
type linted struct {
	report.LintFile
	diff []byte // what would put it right, if that is asked for
}

// lintFile looks at one file, or puts it right. It gives nil when the file cannot be read.
func (c *cli) lintFile(l lint.Linter, name string, wants wanted) *linted {
	if c.makeFixes && !c.diff {
		return c.fixFile(l, name)
	}
	var in io.Reader = c.stdin
	var diff []byte
	if c.diff {
		data, err := c.bytes(name)
		if err != nil {
			c.refuse(name, err)
			return nil
		}
		diff, in = c.diffOf(l, name, data), bytes.NewReader(data)
	} else if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			c.refuse(name, fmt.Errorf("cannot be read: %v", hive.Cause(err)))
			return nil
		}
		defer f.Close()
		in = f
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
	result, err := l.Lint(displayName(name), in)
	if err != nil {
		c.refuse(name, fmt.Errorf("cannot be read: %v", hive.Cause(err)))
		return nil
	}
	f := c.linted(name, result)
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

// linted makes a part of the report of a result, and says what the linter could not see.
func (c *cli) linted(name string, r *lint.Result) *linted {
	for _, p := range r.Problems {
		c.say("%v", &p)
	}
	return &linted{LintFile: report.LintFile{Path: name, Version: r.Version.String(), Encoding: r.Encoding, Findings: r.Findings, Problems: r.Problems}}
}

// fixed gives a file with the fixes that the flags ask for. Where they cannot be made it says why, and gives nil.
func (c *cli) fixed(l lint.Linter, name string, data []byte) *lint.Fixed {
	least := lint.Safe
	if c.unsafeFixes {
		least = lint.Unsafe
	}
	fixed, err := l.Fix(displayName(name), data, least)
	if err != nil {
		c.refuse(name, err)
		return nil
	}
	return fixed
}

// diffOf shows what the fixes would change.
func (c *cli) diffOf(l lint.Linter, name string, data []byte) []byte {
	fixed := c.fixed(l, name, data)
	if fixed == nil || fixed.Fixes == 0 {
		return nil
	}
	side := func(data []byte) report.Side {
		text, encoding, _, _ := l.Read.Text(data) // that there is text was seen when it was changed
		return report.Side{Text: string(text), Encoding: shownEncoding(encoding)}
	}
	var b bytes.Buffer
	_ = report.Diff(&b, displayName(name), side(data), side(fixed.Data), c.style()) // into memory it never fails
	return b.Bytes()
}

// fixFile puts a file right, or shows how. What it gives is what remains.
func (c *cli) fixFile(l lint.Linter, name string) *linted {
	data, err := c.bytes(name)
	if err != nil {
		c.refuse(name, err)
		return nil
	}
	fixed := c.fixed(l, name, data)
	if fixed == nil {
		return nil
	}
	if fixed.Fixes > 0 && name != "-" {
		write := func(w io.Writer) error { _, err := w.Write(fixed.Data); return err }
		if !c.replace(name, func() error { return nil }, write) {
			return nil
		}
	}
	f := c.linted(name, fixed.Remains)
	f.Fixed = fixed.Fixes
	f.Size = int64(len(fixed.Data))
	sum := sha256.Sum256(fixed.Data)
	f.SHA256 = hex.EncodeToString(sum[:])
	f.Text = fixed.After
	return f
}
