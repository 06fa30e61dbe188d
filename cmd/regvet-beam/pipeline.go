package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"regvet/hive"
	"regvet/internal/cli"
	"regvet/report"
)

func init() {
	for _, t := range []any{input{}, unit{}, record{}} {
		beam.RegisterType(reflect.TypeOf(t))
	}
	register.DoFn3x0[input, func(unit), func(int, record)](&listFn{})
	register.DoFn2x0[unit, func(int, record)](&checkFn{})
	register.DoFn4x1[context.Context, int, func(*record) bool, func([]byte), error](&writeFn{})
	register.DoFn2x1[context.Context, []byte, error](&endFn{})
	register.Function1x2(begin)
	register.Function2x1(merge)
	register.Emitter1[unit]()
	register.Emitter1[[]byte]()
	register.Emitter2[int, record]()
	register.Iter1[record]()
}

// input is what the command line names, by the index there.
type input struct {
	Index int
	Name  []byte // need not be UTF-8
}

// unit is a [collection.Unit], with its place in the order of a run that does everything by itself.
type unit struct {
	Input, Index int
	Name         string // for people
	Data         []byte // the binary form
}

// maxShards is how many results there are at most: what the number in their names has room for.
const maxShards = 99999

// shard returns in which of so many results the unit is.
func (u unit) shard(of int) int {
	h := fnv.New32a()
	h.Write([]byte(u.Name))
	return int(h.Sum32() % uint32(of))
}

// record is some of what there is to write about a unit.
type record struct {
	Input, Unit, Part int // in the order of which the lines are written
	Kind              int
	Data              []byte
}

// The kinds of records.
const (
	ofLines      = iota // lines of the result
	ofContainers        // lines of the result that stand behind those of all units
	ofLost              // lines that stand behind those
	ofDead              // lines of the dead letters
	ofTally             // a tally
	kinds
)

// mostData is how many bytes of lines a record has at most.
const mostData = 1 << 20

// build returns the pipeline that checks the inputs of a checker.
func build(c *cli.Checker, config setup, folder string, shards int) (*beam.Pipeline, error) {
	poolOf(config).checker = func() (*cli.Checker, error) { return c, nil }
	var inputs []input
	for i, name := range c.Inputs {
		inputs = append(inputs, input{i, []byte(name)})
	}
	var numbers []int
	for i := range shards {
		numbers = append(numbers, i)
	}
	p, s := beam.NewPipelineWithRoot()
	units, unlisted := beam.ParDo2(s.Scope("list"), &listFn{config, shards}, beam.Reshuffle(s, beam.CreateList(s, inputs)))
	checked := beam.ParDo(s.Scope("check"), &checkFn{Setup: config, Shards: shards}, beam.Reshuffle(s, units))
	begun := beam.ParDo(s.Scope("begin"), begin, beam.CreateList(s, numbers))
	all := beam.GroupByKey(s, beam.Flatten(s, unlisted, checked, begun))
	tallies := beam.ParDo(s.Scope("write"), &writeFn{config, folder, shards}, all)
	beam.ParDo0(s.Scope("end"), &endFn{folder}, beam.Combine(s.Scope("count"), merge, tallies))
	return p, nil
}

// begin makes each result be written, even if it has no unit.
func begin(shard int) (int, record) { return shard, record{Kind: ofTally, Data: []byte("{}")} }

// listFn lists what there is to check of an input.
type listFn struct {
	Setup  setup
	Shards int
}

func (f *listFn) ProcessElement(in input, units func(unit), records func(int, record)) {
	index := 0
	_, err := poolOf(f.Setup).ask(request{List: in.Name}, 0, func(line []byte) error {
		var m mark
		if json.Unmarshal(line, &m) != nil || m.Unit == nil {
			return nonsense("a unit that is none")
		}
		units(unit{in.Index, index, m.Unit.Name, m.Unit.Data})
		index++
		return nil
	})
	if err != nil { // what was listed until then is checked
		name := string(in.Name)
		r := results{unit: unit{Input: in.Index, Index: index, Name: name}}
		r.miss(err, "the rest of what it holds was not listed")
		r.emit(f.Shards, records)
	}
}

// checkFn checks units, as many at a time as there are processes: a runner may give a worker all of them in a row.
type checkFn struct {
	Setup  setup
	Shards int

	done    chan *results
	running int
}

func (f *checkFn) StartBundle(func(int, record)) {
	f.done, f.running = make(chan *results, f.Setup.Children), 0
}

func (f *checkFn) ProcessElement(u unit, emit func(int, record)) {
	for f.running == f.Setup.Children {
		f.finish(emit)
	}
	f.running++
	go func() { f.done <- check(poolOf(f.Setup), u) }()
}

func (f *checkFn) FinishBundle(emit func(int, record)) {
	for f.running > 0 {
		f.finish(emit)
	}
}

// finish waits for a unit that is checked.
func (f *checkFn) finish(emit func(int, record)) {
	r := <-f.done
	f.running--
	r.emit(f.Shards, emit)
}

// results is what there is to write about a unit.
type results struct {
	unit       unit
	lines      spool
	containers string
	lost       string
	dead       bytes.Buffer
	tally      tally
}

// check has a unit checked by a process of a pool. Whatever is wrong with it is part of the results.
func check(p *pool, u unit) *results {
	r := &results{unit: u}
	a, err := p.ask(request{Check: u.Data}, p.setup.Time, func(line []byte) error {
		if !isLine(line) {
			return nonsense("a line that is none of a result")
		}
		_, err := r.lines.Write(append(line, '\n'))
		return err
	})
	if err != nil {
		r.miss(err, "")
		return r
	}
	os.Stderr.WriteString(a.Messages)
	r.containers, r.lost = a.Containers, a.Lost
	r.tally = tally{Status: a.Status, Units: 1, Aside: a.Aside}
	for _, in := range a.Refused {
		r.bury(letter{u.Name, in})
	}
	return r
}

// isLine reports whether a line is one that [cli.Checker.Check] writes.
func isLine(line []byte) bool {
	for _, begin := range []string{`{"input":`, `{"finding":`, `{"hidden":`, `{"refused":`, `{"done":`} {
		if bytes.HasPrefix(line, []byte(begin)) {
			return json.Valid(line)
		}
	}
	return false
}

// letter is a dead letter: an input that could not be read, or a unit that could not be checked.
type letter struct {
	Unit string `json:"unit"`
	cli.Refused
}

func (r *results) bury(l letter) {
	r.tally.Dead++
	encoder := json.NewEncoder(&r.dead)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(l) // of strings, into memory
}

// miss makes the results those of a unit that was not checked, of which nothing is written but why. more follows the reason.
func (r *results) miss(err error, more string) {
	r.lines.Close()
	d, known := err.(*death)
	if !known {
		d = &death{"worker", "its answer could not be kept: " + err.Error()}
	}
	why := d.reason
	if more != "" {
		why += "; " + more
	}
	name := r.unit.Name
	fmt.Fprintf(os.Stderr, "regvet: %s: was not checked: %s\n", hive.Visible(name), hive.Visible(why))
	r.tally = tally{Status: statusInput, Units: 1}
	r.bury(letter{name, cli.Refused{Input: name, Kind: hive.Kind(d.kind), Reason: why}})
	_ = cli.Missed(&r.lines, name, why) // a spool holds as much in memory
}

// emit passes on the results.
func (r *results) emit(shards int, to func(int, record)) {
	defer r.lines.Close()
	shard, part := r.unit.shard(shards), 0
	emit := func(kind int, data []byte) {
		if len(data) > 0 {
			to(shard, record{r.unit.Input, r.unit.Index, part, kind, data})
			part++
		}
	}
	for at := int64(0); at < r.lines.size; at += mostData {
		data := make([]byte, min(mostData, r.lines.size-at))
		if _, err := io.ReadFull(r.lines.section(at, int64(len(data))), data); err != nil {
			panic(fmt.Sprintf("a temporary file cannot be read: %v", err)) // of this worker, and of no input; the runner tries again, or ends
		}
		emit(ofLines, data)
	}
	emit(ofContainers, []byte(r.containers))
	emit(ofLost, []byte(r.lost))
	emit(ofDead, r.dead.Bytes())
	emit(ofTally, r.tally.json())
}

// tally is what there is to say about units together.
type tally struct {
	Status int            `json:"status"` // the highest exit status
	Units  int            `json:"units"`  // what was dealt out: machines, images and archives, files that are of none, and folders in which something was passed over
	Groups int            `json:"groups"` // what was read together, each with a line "done"
	Dead   int            `json:"dead"`   // the number of dead letters
	Rules  int            `json:"rules"`
	Counts map[string]int `json:"counts"` // as in the summary of a result
	cli.Aside
}

func (t tally) json() []byte {
	data, err := json.Marshal(t)
	if err != nil {
		panic(err) // of strings and numbers
	}
	return data
}

// add adds what there is to say about other units.
func (t *tally) add(o tally) {
	t.Status, t.Rules = max(t.Status, o.Status), max(t.Rules, o.Rules)
	t.Units += o.Units
	t.Groups += o.Groups
	t.Dead += o.Dead
	for name, n := range o.Counts {
		if t.Counts == nil {
			t.Counts = map[string]int{}
		}
		t.Counts[name] += n
	}
	t.Aside.Add(o.Aside)
}

// merge adds two tallies.
func merge(a, b []byte) []byte {
	var t tally
	for _, data := range [][]byte{a, b} {
		var one tally
		if err := json.Unmarshal(data, &one); err != nil {
			panic(err) // made by this program
		}
		t.add(one)
	}
	t.Aside.Sort()
	return t.json()
}

// writeFn writes a result, and the dead letters of its units.
type writeFn struct {
	Setup  setup
	Folder string
	Shards int
}

// names of the files in the folder of the results
const summaryName = "summary.json"

func (f *writeFn) name(what string, shard int) string {
	return join(f.Folder, fmt.Sprintf("%s-%05d-of-%05d.jsonl", what, shard+1, f.Shards))
}

func (f *writeFn) ProcessElement(ctx context.Context, shard int, records func(*record) bool, emit func([]byte)) error {
	type place struct {
		record
		at, size int64
	}
	var data spool
	defer data.Close()
	var of [kinds][]place
	var t tally
	for r := (record{}); records(&r); r = (record{}) {
		if r.Kind == ofTally {
			var one tally
			if err := json.Unmarshal(r.Data, &one); err != nil {
				return err
			}
			t.add(one)
			continue
		}
		at := place{r, data.size, int64(len(r.Data))}
		if _, err := data.Write(r.Data); err != nil {
			return err
		}
		at.Data = nil
		of[r.Kind] = append(of[r.Kind], at)
	}
	t.Aside.Sort()
	inOrder := func(kind int) io.Reader {
		slices.SortFunc(of[kind], func(a, b place) int {
			return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Part, b.Part))
		})
		var all []io.Reader
		for _, p := range of[kind] {
			all = append(all, data.section(p.at, p.size))
		}
		return io.MultiReader(all...)
	}
	err := write(ctx, f.name("findings", shard), func(w io.Writer) error {
		return f.result(w, inOrder(ofLines), io.MultiReader(inOrder(ofContainers), inOrder(ofLost)), shard == 0, &t)
	})
	if err == nil {
		err = write(ctx, f.name("dead", shard), func(w io.Writer) error {
			_, err := io.Copy(w, inOrder(ofDead))
			return err
		})
	}
	if err == nil {
		emit(t.json())
	}
	return err
}

// result writes a result, and counts what is in it.
func (f *writeFn) result(w io.Writer, lines, around io.Reader, first bool, t *tally) error {
	c, err := poolOf(f.Setup).checker()
	if err != nil {
		return err
	}
	var begin bytes.Buffer
	if err := c.Begin(&begin, t.Aside); err != nil {
		return err
	}
	lines = io.TeeReader(io.MultiReader(&begin, lines), w)
	part, err := report.ReadPart(lines)
	if err == nil {
		_, err = io.Copy(io.Discard, lines) // what is no line for a reader of lines is written all the same
	}
	if err == nil {
		_, err = io.Copy(w, around)
	}
	if err != nil {
		return err
	}
	t.Groups = len(part.Done)
	var end bytes.Buffer
	status, err := c.End(&end, part, first)
	if err != nil {
		return err
	}
	t.Status = max(t.Status, status)
	all := bytes.Split(bytes.TrimSpace(end.Bytes()), []byte("\n"))
	var last struct{ Summary map[string]int }
	if err := json.Unmarshal(all[len(all)-1], &last); err != nil {
		return err
	}
	t.Rules = last.Summary["rules"]
	delete(last.Summary, "rules")
	t.Counts = last.Summary
	_, err = w.Write(end.Bytes())
	return err
}

// write writes a file in a filesystem of Beam.
func write(ctx context.Context, name string, content func(io.Writer) error) error {
	fsys, err := filesystem.New(ctx, name)
	if err != nil {
		return err
	}
	defer fsys.Close()
	to, err := fsys.OpenWrite(ctx, name)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(to, 1<<20)
	err = content(buffered)
	return cmp.Or(err, buffered.Flush(), to.Close())
}

// endFn writes the counts of all results, which shows that these are complete.
type endFn struct{ Folder string }

func (f *endFn) ProcessElement(ctx context.Context, data []byte) error {
	return write(ctx, join(f.Folder, summaryName), func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}
