package report

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// Recorded is the report that [Lines] wrote of one or many runs. Its inputs are in memory, and their findings stay in the files, of which each format
// reads them as often as it needs them.
type Recorded struct {
	Report
	Groups []RecordedGroup // all inputs, in their order
	Lost   []hive.Problem  // of the refused inputs, those that are of no group

	Unfinished []string // the files with a run that did not come to its end
	Remarks    []string // for people, what about the files they may not expect
	Missing    []string // likewise, the shares that are not there

	files []*lineFile
}

// RecordedGroup is inputs that were read together.
type RecordedGroup struct {
	Name     string // the path of the first file; "" for inputs of no group, such as a config
	Status   int    // what it made of the exit status
	Turn     int    // see [collection.Group]
	From, To int    // its inputs
	Refused  []hive.Problem

	inputs  []Input
	fails   bool // one of the findings is a failure of the run
	dropped bool // another run had something of it
}

// findings returns what the findings make of the exit status.
func (g RecordedGroup) findings() int {
	if g.fails {
		return 1
	}
	return 0
}

// Source is a file that holds lines.
type Source struct {
	Name string
	io.ReaderAt
	Size int64 // in bytes
}

// Reading says what to make of lines.
type Reading struct {
	Version                string         // of regvet
	All, Quiet, Statistics bool           // see [Report]
	Each                   bool           // every answer is needed, even if All does not list it
	FailOn                 rules.Severity // 0 for that of the runs
	Budget                 int            // how many bytes of what inventories list are held in memory
}

// Read reads lines. The order of the inputs is that of the files and of the runs in them, but shares of one run that follow each other are in the order in
// which a run over all of them has the inputs. Rules of several runs are joined by their ID. The error names a file and a line, and what is wrong.
func Read(sources []Source, o Reading) (*Recorded, error) {
	rd := reader{Reading: o, rules: map[string]*knownRule{}, seen: map[string]seenInput{}}
	for _, s := range sources {
		if err := rd.file(s); err != nil {
			return nil, err
		}
	}
	return rd.join()
}

// Err returns the first error of reading a finding again.
func (r *Recorded) Err() error {
	for _, f := range r.files {
		if f.err != nil {
			return fmt.Errorf("%s: cannot be read again: %w", collection.DisplayName(f.Name), f.err)
		}
	}
	return nil
}

// Close removes temporary files.
func (r *Recorded) Close() {
	if r.Inventory != nil {
		r.Inventory.Close()
	}
}

// Write writes the groups to a report that is made as inputs are read.
func (r *Recorded) Write(to interface {
	Input(Input)
	Done(name string, status, turn int, refused []hive.Problem)
	Close(refused []hive.Problem) error
}) error {
	for _, g := range r.Groups {
		for _, in := range r.Inputs[g.From:g.To] {
			to.Input(in)
		}
		if g.Name != "" {
			to.Done(g.Name, g.Status, g.Turn, g.Refused)
		}
	}
	return to.Close(r.Lost)
}

// reader collects runs.
type reader struct {
	Reading
	files []*lineFile
	runs  []*run
	rules map[string]*knownRule
	order []*rules.Rule // of rules
	seen  map[string]seenInput

	alike, apart repeated
}

// knownRule is a rule, and where it was met first.
type knownRule struct {
	*rules.Rule
	record jsonRecord
	file   string
}

// seenInput is an input of a run, with a hash of all that the run says of it.
type seenInput struct {
	run  *run
	hash [sha256.Size]byte
}

// repeated are inputs that several runs have.
type repeated struct {
	n     int
	first string // the path of the first, and the files that have it
}

func (r *repeated) add(path, one, other string) {
	if r.n++; r.n == 1 {
		r.first = fmt.Sprintf("%s (%s, %s)", path, one, other)
	}
}

// file reads the runs of a file.
func (rd *reader) file(s Source) error {
	f := &lineFile{Source: s}
	rd.files = append(rd.files, f)
	name := hive.Visible(collection.DisplayName(s.Name))
	lines := bufio.NewScanner(io.NewSectionReader(s, 0, s.Size))
	lines.Buffer(nil, MostLine)
	lines.Split(anyLines)
	in := fileReader{reader: rd, file: f, name: name}
	for lines.Scan() {
		in.number++
		line := lines.Bytes()
		j, err := parseLine(line)
		if err == nil {
			err = in.line(j, line)
		} else if in.run != nil && !in.run.complete && (bytes.IndexByte(line, 0) >= 0 || line[len(line)-1] != '\n') {
			break // what the end of a process, or of a computer, left
		}
		if err != nil {
			if in.run == nil && j.SchemaVersion == "" {
				return fmt.Errorf("%s:%d: %w; report takes what \"regvet check --format jsonl\" writes", name, in.number, err)
			}
			return fmt.Errorf("%s:%d: %w", name, in.number, err)
		}
		in.at += int64(len(line))
	}
	switch err := lines.Err(); {
	case err == bufio.ErrTooLong:
		return fmt.Errorf("%s:%d: is longer than %d bytes, and no line of check is", name, in.number+1, MostLine)
	case err != nil:
		return fmt.Errorf("%s: cannot be read: %w", name, hive.Cause(err))
	case in.run == nil:
		return fmt.Errorf("%s: is empty; report takes what \"regvet check --format jsonl\" writes", name)
	}
	in.end()
	return nil
}

// fileReader reads the lines of one file.
type fileReader struct {
	*reader
	file   *lineFile
	name   string
	number int   // of the line
	at     int64 // where it begins
	run    *run
	input  *Input // whose findings may follow, or nil
	counts bool   // whether one of them is a failure of the run
	hash   []byte // of its lines, so far
}

// line takes a line.
func (rd *fileReader) line(j jsonCheckLine, line []byte) error {
	if j.SchemaVersion != "" {
		rd.end()
		return rd.start(j.jsonCheckStart)
	}
	r := rd.run
	switch {
	case r == nil:
		return errors.New("is not the first line of a run, which says how the run was made")
	case r.complete:
		return errors.New("follows the summary of a run, and begins no other one")
	}
	c := checker{}
	finding := cmp.Or(j.Finding, j.Hidden)
	if finding == nil {
		rd.endInput()
	}
	switch {
	case j.Input != nil:
		in := c.input(*j.Input, r.rule)
		in.Counted, in.Lacking = nil, nil // of which there is much
		end := rd.at + int64(len(line))
		in.stored = &stored{rd.file, r.rule, rd.at, end, end}
		rd.input, rd.counts, rd.hash = &in, false, hashOf(nil, line)
	case finding != nil && rd.input == nil:
		return errors.New("is a finding without an input before it")
	case finding != nil:
		rule := r.rule(finding.Rule)
		if rule == nil {
			return fmt.Errorf("is a finding of the rule %s, which the first line of the run does not have", hive.Visible(finding.Rule))
		}
		f := c.finding(*finding, rule)
		if r.lists(f) != (j.Finding != nil) || !r.tells(f) {
			c.wrong("is a finding that this run would not list here, with a severity of %s", f.Severity)
		}
		rd.counts = rd.counts || r.Counts(*rd.input, f)
		rd.input.stored.to += int64(len(line))
		rd.hash = hashOf(rd.hash, line)
	case j.Refused != nil:
		p := c.refused(*j.Refused)
		if rd.repeats("refused\x00"+p.Source, p.Source, hashOf(nil, line)) {
			r.pending.dropped = true
			break
		}
		r.pending.Refused = append(r.pending.Refused, p)
	case j.Done != nil:
		p := &r.pending
		p.Name, p.Turn, p.Status = j.Done.Name, c.count("turn", j.Done.Turn), p.findings()
		if j.Done.Status > 1 { // by something else
			p.Status = j.Done.Status
		}
		if j.Done.Name == "" {
			c.wrong("name is empty")
		}
		if j.Done.Status < 0 || j.Done.Status > 3 {
			c.wrong("status is %d, which is none that check has", j.Done.Status)
		}
		if !p.dropped || len(p.inputs)+len(p.Refused) > 0 {
			r.groups = append(r.groups, *p)
		}
		*p = RecordedGroup{}
	case j.Container != nil:
		if !rd.repeats("container\x00"+j.Container.Path, j.Container.Path, hashOf(nil, line)) {
			r.recorded = append(r.recorded, c.container(*j.Container))
		}
	case j.Listed != nil:
		if rule := r.rule(j.Listed.Rule); rule == nil || rule.Inventory == nil {
			c.wrong("is listed by the rule %s, which the first line of the run does not have as an inventory", hive.Visible(j.Listed.Rule))
		}
		r.listed = append(r.listed, stored{file: rd.file, from: rd.at, to: rd.at + int64(len(line))})
		if n := len(r.listed); n > 1 && r.listed[n-2].to == rd.at {
			r.listed[n-2].to = r.listed[n-1].to
			r.listed = r.listed[:n-1]
		}
	case j.Summary != nil:
		r.complete = true
	}
	return c.err
}

func hashOf(before, line []byte) []byte {
	h := sha256.New()
	h.Write(before)
	h.Write(line)
	return h.Sum(nil)
}

// start takes the first line of a run.
func (rd *fileReader) start(j jsonCheckStart) error {
	switch {
	case j.SchemaVersion != schemaVersion:
		return fmt.Errorf("has the schema_version %q, and this regvet reads %q; use regvet %s, which wrote it", hive.Visible(j.SchemaVersion), schemaVersion, hive.Visible(j.Tool.Version))
	case j.Rules == nil:
		return fmt.Errorf("has no rules, so that it is of another command than check, or of a regvet that wrote none; make it again with this one")
	}
	c := checker{}
	rd.run = &run{Report: c.report(j), file: rd.name, known: map[string]*rules.Rule{}, dropped: map[string]bool{}}
	rd.run.FailOn = cmp.Or(rd.FailOn, rd.run.FailOn)
	rd.runs = append(rd.runs, rd.run)
	for _, record := range j.Rules {
		known := rd.rules[record.ID]
		if known == nil {
			known = &knownRule{c.rule(record), record, rd.name}
			rd.rules[record.ID] = known
			rd.order = append(rd.order, known.Rule)
		}
		record.File = known.record.File // the same rules may lie elsewhere
		if !reflect.DeepEqual(known.record, record) {
			return fmt.Errorf("the rule %s is another one than in %s; report runs with different rules of one ID apart", hive.Visible(record.ID), known.file)
		}
		if rd.run.known[record.ID] != nil {
			c.wrong("the rule %q is there twice", record.ID)
		}
		rd.run.known[record.ID] = known.Rule
		rd.run.Rules = append(rd.run.Rules, known.Rule)
	}
	if (rd.All || rd.Each) && !rd.run.All && c.err == nil {
		return errors.New("is of a run without --all, which only counted passes and the like, and --all and junit list each of them; make it with check --all")
	}
	return c.err
}

// repeats reports whether another run has the same, by a key and a hash of all that the run says of it. It counts that, and what is not the same.
func (rd *fileReader) repeats(key, path string, hash []byte) bool {
	before, there := rd.seen[key]
	switch {
	case !there:
		rd.seen[key] = seenInput{rd.run, [sha256.Size]byte(hash)}
	case before.run == rd.run:
	case before.hash == [sha256.Size]byte(hash):
		rd.alike.add(hive.Visible(path), before.run.file, rd.name)
		return true
	default:
		rd.apart.add(hive.Visible(path), before.run.file, rd.name)
	}
	return false
}

// endInput takes the input whose lines were read, unless another run has the same.
func (rd *fileReader) endInput() {
	in := rd.input
	if in == nil {
		return
	}
	rd.input = nil
	if rd.repeats("input\x00"+in.Path+"\x00"+in.SHA256, in.Path, rd.hash) {
		rd.run.dropped[hive.Printable(in.Path)] = true
		rd.run.pending.dropped = true
		return
	}
	p := &rd.run.pending
	if m := in.Machine; m != nil {
		if n := len(p.inputs) - 1; n >= 0 && p.inputs[n].Machine != nil && p.inputs[n].Machine.Name == m.Name {
			in.Machine = p.inputs[n].Machine
		}
		in.Machine.Hives++
	}
	p.inputs = append(p.inputs, *in)
	p.fails = p.fails || rd.counts
}

// end takes what follows the last group of a run, if the run came to its end.
func (rd *fileReader) end() {
	r := rd.run
	if r == nil {
		return
	}
	rd.endInput()
	if r.complete {
		r.lost, r.pending.Refused, r.pending.Status = r.pending.Refused, nil, r.pending.findings()
	} else {
		r.pending = RecordedGroup{}
	}
	rd.run = nil
}
