// Command regvet-beam runs the check of regvet over many machines as a pipeline of Apache Beam.
//
// A pipeline lists what the inputs hold, deals it out machine by machine, and writes the lines of each to one of several results. The workers of Beam
// read no input themselves: each has some processes for that, see [pool], so that an input which takes too much memory or time costs that machine
// alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx" // the runners, and the filesystems of files here and on GCS
	"github.com/spf13/pflag"

	"regvet/cmd/regvet-beam/store"
	"regvet/internal/cli"
	"regvet/internal/memory"
	"regvet/rules/strict"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 1 && args[0] == childWord {
		return serve(os.Stdin, os.Stdout)
	}
	memory.Prepare()
	if len(args) > 0 && strings.HasPrefix(strings.TrimLeft(args[0], "-"), "worker") {
		flag.Parse() // a runner has started this as a worker
		beam.Init()  // does not return
	}
	o := &options{args: args}
	return o.program().Run(args, os.Stdout, os.Stderr, o.check)
}

// options are the values of the flags that are not those of regvet check.
type options struct {
	args     []string
	runner   string
	output   string
	children int
	memory   size
	time     time.Duration
	shards   int
	beamLog  bool
}

// program returns the command line of this program, whose flags it parses into the options.
func (o *options) program() cli.Program {
	return cli.Program{
		Name:  "regvet-beam",
		About: "audit many machines against rules, on Apache Beam",
		Example: `  regvet-beam check -o results cases
  regvet-beam check --pack all --children 8 --shards 16 -o results /mnt/cases
  regvet-beam check --runner dataflow --project P --region R --staging_location gs://B/staging -o gs://B/results gs://B/cases
`,
		Define: o.define,
		Stores: store.All(),
	}
}

// runners are those of Beam that run a pipeline and wait for it. universal is for any that has an endpoint.
var runners = []string{"prism", "dataflow", "flink", "spark", "universal"}

// notPassed are the flags of Beam that are not to be given: those of a worker, and those with which nothing would wait for the result.
const notPassed = " async id worker logging_endpoint control_endpoint semi_persist_dir options dot_file runner "

func (o *options) define(f *pflag.FlagSet) {
	f.StringVarP(&o.output, "output", "o", "", "write findings-*.jsonl, dead-*.jsonl and summary.json into this `FOLDER`, which must be empty or new")
	f.StringVar(&o.runner, "runner", "prism", "the `RUNNER` of Beam: "+strict.List(runners, "or")+"; prism is in this process, and to the others the flags of Beam are passed on, such as --endpoint and --project")
	f.IntVar(&o.children, "children", runtime.NumCPU(), "how many processes each worker has to read machines, `N` machines at a time")
	o.memory = 2 << 30
	f.Var(&o.memory, "memory", "the most memory that each of these processes may take, in `BYTES`, such as 512MiB; on Linux what takes more is ended, elsewhere this is only aimed at")
	f.DurationVar(&o.time, "time", 10*time.Minute, "the longest `DURATION` that a machine may take, such as 90s")
	f.IntVar(&o.shards, "shards", 1, "write the result as `N` files, each with some of the machines")
	f.BoolVar(&o.beamLog, "beam-log", false, "also write what Beam logs to standard error")
	flag.VisitAll(func(g *flag.Flag) {
		if !strings.Contains(notPassed, " "+g.Name+" ") && f.Lookup(g.Name) == nil {
			passed := pflag.PFlagFromGoFlag(g)
			passed.Value, passed.Hidden = beamFlag{passed.Value, g.Name}, true
			f.AddFlag(passed)
		}
	})
}

// beamFlag is a flag of Beam, which passes on to its workers what was set by package flag.
type beamFlag struct {
	pflag.Value
	name string
}

func (b beamFlag) Set(text string) error { return flag.Set(b.name, text) }

// size is a number of bytes.
type size int64

func (s *size) String() string {
	if *s>>30<<30 == *s {
		return fmt.Sprintf("%dGiB", *s>>30)
	}
	return fmt.Sprintf("%dMiB", *s>>20)
}

// Type returns what pflag calls text.
func (s *size) Type() string { return "string" }

// leastMemory is less than what a process with all rules needs, and more than what it can begin with.
const leastMemory = 128 << 20

func (s *size) Set(text string) error {
	number := strings.TrimRight(text, "KMGTiB")
	shift, known := map[string]uint{"": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[text[len(number):]]
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case !known || err != nil || n < 0 || n > 1<<62>>shift:
		return fmt.Errorf("%q is no amount of memory; it is a number with KiB, MiB or GiB, such as 2GiB", text)
	case n<<shift < leastMemory:
		return fmt.Errorf("%s is too little to read anything with; give %dMiB or more", text, leastMemory>>20)
	}
	*s = size(n << shift)
	return nil
}

// check runs the pipeline, and returns the exit status.
func (o *options) check(c *cli.Checker) int {
	ctx := context.Background()
	switch {
	case !slices.Contains(runners, o.runner):
		return c.Fail("--runner cannot be %q; it is %s", o.runner, strict.List(runners, "or"))
	case o.output == "":
		return c.Fail("there is no folder for the result; name one with -o")
	case o.children < 1 || o.shards < 1 || o.shards > maxShards:
		return c.Fail("--children is 1 or more, and --shards from 1 to %d", maxShards)
	case o.time <= 0:
		return c.Fail("--time is a duration such as 10m, and not %s", o.time)
	}
	if err := isFree(ctx, o.output); err != nil {
		return c.Fail("%s cannot be written: %v", o.output, err)
	}
	if err := flag.CommandLine.Parse(nil); err != nil {
		return c.Fail("%v", err)
	}
	temporary, err := os.MkdirTemp("", "regvet-beam-*")
	if err != nil {
		return c.Fail("there is no room for temporary files: %v; TMPDIR can name another folder for them", err)
	}
	defer os.RemoveAll(temporary) // of Beam, too, which leaves some
	for _, name := range []string{"TMPDIR", "TMP"} {
		os.Setenv(name, temporary)
	}
	beam.Init()
	if !o.beamLog {
		beamlog.SetLogger(silent{})
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	config := setup{Args: o.args, Children: o.children, Memory: int64(o.memory), Time: o.time}
	pipeline, err := build(c, config, o.output, o.shards)
	if err == nil {
		_, err = beam.Run(ctx, o.runner, pipeline)
	}
	endPools()
	if err != nil {
		return c.Fail("the pipeline did not end well, and what is in %s is not complete: %s", o.output, firstLine(err))
	}
	return o.end(ctx, c)
}

// end says what there is to say of the run as a whole, which its summary tells, and returns the exit status.
func (o *options) end(ctx context.Context, c *cli.Checker) int {
	t, err := readSummary(ctx, join(o.output, summaryName))
	if err != nil {
		return c.Fail("%s cannot be read: %v", join(o.output, summaryName), err)
	}
	c.SayLeftOut(t.LeftOut)
	if t.Dead > 0 {
		c.Say("%s", deadText(t.Dead, o.output))
	}
	if t.Groups == 0 && t.Status < statusInput {
		c.Say("no input holds a hive or a .reg file")
		return statusInput
	}
	return t.Status
}

// These are exit statuses of regvet.
const (
	statusUsage = 2 // wrong usage, or a result that cannot be written
	statusInput = 3 // an input that could not be read, or only in part
)

// deadText says how many lines there are of what could not be read.
func deadText(n int, folder string) string {
	if n == 1 {
		return "1 input could not be read; " + join(folder, "dead-*.jsonl") + " says why"
	}
	return fmt.Sprintf("%d inputs could not be read; %s says why", n, join(folder, "dead-*.jsonl"))
}

// readSummary reads the counts of a run.
func readSummary(ctx context.Context, name string) (t tally, err error) {
	fsys, err := filesystem.New(ctx, name)
	if err != nil {
		return t, err
	}
	defer fsys.Close()
	from, err := fsys.OpenRead(ctx, name)
	if err != nil {
		return t, err
	}
	defer from.Close()
	data, err := io.ReadAll(from)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	return t, err
}

// isFree returns an error unless a folder is empty or not there.
func isFree(ctx context.Context, folder string) error {
	const used = "there is something in it already; remove that, or name another folder"
	if strings.Contains(folder, "://") {
		fsys, err := filesystem.New(ctx, folder)
		if err != nil {
			return errors.New("no filesystem of Beam has this name; give a folder here, or gs://BUCKET/FOLDER")
		}
		defer fsys.Close()
		files, err := fsys.List(ctx, join(folder, "*"))
		if err == nil && len(files) > 0 {
			err = errors.New(used)
		}
		return err
	}
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(folder, 0o777)
	case err == nil && len(entries) > 0:
		return errors.New(used)
	}
	return err
}

// join returns the name of a file in a folder, of this computer or of a store.
func join(folder, name string) string {
	if strings.Contains(folder, "://") {
		return strings.TrimSuffix(folder, "/") + "/" + name
	}
	return filepath.Join(folder, name)
}

// firstLine returns the first line of an error, of which Beam makes many.
func firstLine(err error) string {
	text, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return text
}

// silent is a logger of Beam that logs nothing.
type silent struct{}

func (silent) Log(context.Context, beamlog.Severity, int, string) {}
