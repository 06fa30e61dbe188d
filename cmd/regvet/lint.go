package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

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
`,
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o)
		outputFlags(f, o)
		f.StringVar(&o.failOn, "fail-on", "warning", "exit with 1 for findings of at least this `SEVERITY`: info, warning, error, or never")
		f.StringSliceVar(&o.selected, "select", nil, "run only these `CHECKS`, by ID, name or the start of an ID, such as REG1 (repeatable)")
		f.StringSliceVar(&o.ignored, "ignore", nil, "do not run these `CHECKS` (repeatable)")
		f.BoolVar(&o.makeFixes, "fix", false, "make the fixes that are safe, in the files themselves")
		f.BoolVar(&o.unsafeFixes, "unsafe-fixes", false, "with --fix: the other fixes too, after which Windows does something else")
		codePageFlag(f, o)
		f.StringVar(&o.windows, "windows", "", "the Windows `VERSION` that the files are for, such as 6.1 or 10.0")
	},
	run: (*cli).lint,
}

// mostListed is how many findings of one check are listed of a file.
const mostListed = 1000

func (c *cli) lint() {
	failOn, ok := lint.ParseSeverity(c.failOn)
	if !ok && c.failOn != "never" {
		c.fail(statusUsage, "--fail-on cannot be %q; it is %s, or never", c.failOn, strings.Join(lint.SeverityNames(), ", "))
	}
	if c.unsafeFixes && !c.makeFixes {
		c.fail(statusUsage, "--unsafe-fixes does nothing without --fix; add it")
	}
	outputs := c.chooseOutputs()
	linter, checks := c.linter()
	if c.status >= statusUsage {
		return
	}
	files := c.regFiles()
	c.args = files          // none of them may be the output
	debug.SetGCPercent(100) // what was read of a file is garbage soon
	r := report.LintReport{Version: version(), Checks: checks}
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
	inOrder(c, files, func(c *cli, name string) *report.LintFile { return c.lintFile(linter, name, wants) }, func(f *report.LintFile) {
		if f == nil {
			return
		}
		for _, finding := range f.Findings {
			if finding.Suppressed == nil && c.failOn != "never" && finding.Severity >= failOn {
				c.raise(statusFindings)
			}
		}
		for _, l := range lines {
			l.File(*f)
		}
		if len(lines) < len(sinks) {
			r.Files = append(r.Files, *f)
		}
	})
	r.Refused = c.refused
	for _, s := range sinks {
		if l := lines[s]; l != nil {
			s.end(l.Close())
		} else {
			s.end(report.WriteLint(s, s.format, r, s.style))
		}
	}
}

// linter is what the flags make of it, and the checks that it runs. It says what is wrong with them.
func (c *cli) linter() (lint.Linter, []*lint.Check) {
	l := lint.Linter{Read: c.readOptions(), Most: mostListed, Rules: c.loadRules()}
	if c.windows != "" {
		v, err := hive.ParseVersion(c.windows)
		if err != nil {
			c.fail(statusUsage, "--windows: %v", err)
		}
		l.Target = hive.Exactly(v)
	}
	selected, ignored := c.checks("--select", c.selected), c.checks("--ignore", c.ignored)
	l.Severity = func(check *lint.Check) lint.Severity {
		on := !check.Off
		if len(c.selected) > 0 {
			on = selected[check]
		}
		if !on || ignored[check] {
			return 0
		}
		return check.Severity
	}
	var checks []*lint.Check
	for _, check := range lint.Checks() {
		if l.Severity(check) != 0 {
			checks = append(checks, check)
		}
	}
	return l, checks
}

// checks finds the checks that a flag names.
func (c *cli) checks(flag string, names []string) map[*lint.Check]bool {
	found := map[*lint.Check]bool{}
	for _, name := range names {
		any := false
		for _, check := range lint.Checks() {
			if strings.EqualFold(check.Name, name) || name != "" && strings.HasPrefix(check.ID, strings.ToUpper(name)) {
				found[check], any = true, true
			}
		}
		if !any {
			var known []string
			for _, check := range lint.Checks() {
				known = append(known, check.ID, check.Name)
			}
			c.fail(statusUsage, "%s: there is no check %q%s; \"regvet explain\" lists them", flag, name, suggest(name, known))
		}
	}
	return found
}

// wanted is what the formats want of a file beside its findings.
type wanted struct {
	hash bool
	text bool // if there are fixes
}

// lintFile looks at one file, or puts it right. It gives nil when the file cannot be read.
func (c *cli) lintFile(l lint.Linter, name string, wants wanted) *report.LintFile {
	if c.makeFixes {
		return c.fixFile(l, name)
	}
	var in io.Reader = c.stdin
	if name != "-" {
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
	f.Size = counter.n
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
func (c *cli) linted(name string, r *lint.Result) *report.LintFile {
	for _, p := range r.Problems {
		c.say("%v", &p)
	}
	return &report.LintFile{Path: name, Version: r.Version.String(), Encoding: r.Encoding, Findings: r.Findings, Problems: r.Problems}
}

// fixFile puts a file right, or shows how. What it gives is what remains.
func (c *cli) fixFile(l lint.Linter, name string) *report.LintFile {
	data, err := c.bytes(name)
	if err != nil {
		c.refuse(name, err)
		return nil
	}
	least := lint.Safe
	if c.unsafeFixes {
		least = lint.Unsafe
	}
	fixed, err := l.Fix(displayName(name), data, least)
	if err != nil {
		c.refuse(name, err)
		return nil
	}
	if fixed.Fixes > 0 && name != "-" {
		d, err := newDraft(name)
		if err == nil {
			_, err = d.Write(fixed.Data)
			if err == nil {
				err = d.commit()
			}
		}
		if err != nil {
			c.fail(statusInput, "%s cannot be written: %v", name, hive.Cause(err))
		}
	}
	f := c.linted(name, fixed.Remains)
	f.Size = int64(len(fixed.Data))
	sum := sha256.Sum256(fixed.Data)
	f.SHA256 = hex.EncodeToString(sum[:])
	f.Text = fixed.After
	return f
}
