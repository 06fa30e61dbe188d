package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
)

// Program is another program with the command check, which deals out the inputs by itself to processes that use the same files.
type Program struct {
	Name    string // "regvet-beam"
	About   string // what it does, in one line
	Example string // command lines, as the help shows them
	// Define defines the flags that it has beside those of check about rules, inputs and the exit status.
	Define func(*pflag.FlagSet)
	Stores map[string]collection.Store // see [collection.Local]; nil for none
}

// whole are the flags of check that are about the result, or about a run as a whole.
var whole = []string{"output", "format", "no-bom", "quiet", "statistics", "write-baseline", "shard", "resume"}

// Run runs a command line, whose first word is not the name of the program. For check it calls use, which returns the exit status; all else, such as
// --help, it answers itself: the help is that of check. Messages go to stderr. It returns the exit status.
func (p Program) Run(args []string, stdout, stderr io.Writer, use func(*Checker) int) int {
	check := checkCommand
	check.program, check.short, check.example, check.colours = p.Name, p.About, p.Example, false
	check.define = func(f *pflag.FlagSet) func(*session, []string) {
		o, all := new(checkOptions), pflag.NewFlagSet("", pflag.ContinueOnError)
		all.SortFlags = false
		o.define(all)
		p.Define(f)
		all.VisitAll(func(flag *pflag.Flag) {
			if !slices.Contains(whole, flag.Name) {
				f.AddFlag(flag)
			}
		})
		return func(s *session, args []string) {
			s.files.Stores = p.Stores
			if c := o.checker(s, args); c != nil {
				s.raise(use(c))
			}
		}
	}
	if len(args) == 0 {
		flags, _ := check.parser()
		fmt.Fprint(stderr, check.help(flags))
		return statusUsage
	}
	if len(args) == 1 && slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		args = []string{check.name, "--help"}
	}
	return runCommands(p.Name, []command{check}, args, nil, stdout, stderr)
}

// checker returns a checker of inputs. If something is wrong with the options, it writes what and returns nil.
func (o *checkOptions) checker(s *session, inputs []string) *Checker {
	if slices.Contains(inputs, collection.StandardInput) {
		s.fail(statusUsage, "standard input cannot be dealt out to processes; copy it to a file and give that")
		return nil
	}
	run := o.load(s, inputs)
	if run == nil || s.failed() {
		return nil
	}
	if run.lists() {
		s.fail(statusUsage, "what inventories list is sorted at the end of a run, which here is of many processes; leave out --all, or the rules that only list")
		return nil
	}
	return &Checker{Inputs: inputs, run: run, session: s}
}

// Checker checks inputs unit by unit, wherever each is dealt out to. What it writes for all units together is what check writes in JSON lines. What
// concerns a run as a whole, such as a waiver that matches nothing, it does not say.
type Checker struct {
	Inputs  []string // as the command line names them
	run     *checking
	session *session
}

// Answer is what there is to say about a unit beside its lines.
type Answer struct {
	Status   int    // what it makes of the exit status
	Messages string // for standard error, in lines
	// Containers has a line of JSON for each image and archive, and Lost one for each thing that could not be read of them, whatever lies there. Behind
	// the lines of all units come the containers of all, and then what is lost of all.
	Containers, Lost string
	Refused          []Refused
	Aside
}

// Aside is what was met beside the inputs, and was not checked.
type Aside struct {
	LeftOut      []report.LeftOut `json:"left_out,omitempty"`      // what is of an earlier time, and was not asked for
	PassedOver   []string         `json:"passed_over,omitempty"`   // for people, what may be a hive and was not looked into
	ShadowCopies int              `json:"shadow_copies,omitempty"` // how many in images were not looked into
}

// Add adds what was met beside other inputs.
func (a *Aside) Add(o Aside) {
	a.LeftOut = report.AddLeftOut(a.LeftOut, o.LeftOut...)
	a.PassedOver = append(a.PassedOver, o.PassedOver...)
	a.ShadowCopies += o.ShadowCopies
}

// Sort puts what was added into an order that does not depend on who added it first.
func (a *Aside) Sort() {
	slices.SortFunc(a.LeftOut, func(a, b report.LeftOut) int { return cmp.Compare(a.State, b.State) })
	slices.Sort(a.PassedOver)
	a.PassedOver = slices.Compact(a.PassedOver)
}

// Refused is an input that could not be read at all.
type Refused struct {
	Input  string    `json:"input"`
	Kind   hive.Kind `json:"kind"`
	Reason string    `json:"reason"`
}

// Units lists what an input stands for. Each unit has the files of one machine, so that different processes can check them.
func (c *Checker) Units(input string, yield func(collection.Unit) error) error {
	files := c.files()
	for u := range collection.Units(files, input) {
		if err := yield(u); err != nil {
			return err
		}
	}
	return nil
}

// files returns the file system for one unit. It keeps what was opened of images and archives, so that none is used for two.
func (c *Checker) files() *collection.Local {
	return &collection.Local{Shadows: c.run.vss, Stores: c.session.files.Stores}
}

// Check checks a unit, and writes what check writes of its inputs. Nothing that is wrong with an input is an error, which is one of writing.
func (c *Checker) Check(w io.Writer, u collection.Unit) (a Answer, err error) {
	var messages, containers, lost bytes.Buffer
	s := &session{files: c.files(), stdout: w, stderr: &messages}
	all := s.listed(u.Of, u.List(s.files), c.run.joins(), func(collection.Group) bool { return false })
	for i := range all {
		all[i].Turn = 0 // which would be that in the unit alone
	}
	for _, one := range s.containers {
		one.Turn = 0
	}
	groups := s.leaveOut(earlier(c.run.regback, c.run.vss), all)
	lines := report.ResumeLines(w, c.run.report, report.Part{})
	c.run.check(s, groups, batch{one: true}, lines.Input, lines.Done)
	r := c.run.report
	r.Containers = s.containers
	report.ResumeLines(&containers, r, report.Part{}).Around(nil)
	report.ResumeLines(&lost, c.run.report, report.Part{}).Around(s.lost)
	a = Answer{Status: s.status, Messages: messages.String(), Containers: containers.String(), Lost: lost.String(), Aside: Aside{LeftOut: s.leftOut, PassedOver: s.passedOver}}
	for i := range a.LeftOut {
		a.LeftOut[i].Turn = 0
	}
	if !c.run.vss {
		a.ShadowCopies = s.shadows()
	}
	for _, p := range s.unread() {
		a.Refused = append(a.Refused, Refused{hive.Printable(p.Source), p.Kind, hive.Printable(p.Msg)})
	}
	return a, lines.Err()
}

// Missed writes that a unit could not be checked, as check writes it of an input that cannot be read. The error is one of writing.
func Missed(w io.Writer, name, why string) error {
	lines := report.ResumeLines(w, report.Report{}, report.Part{})
	lines.Done(name, statusInput, 0, []hive.Problem{collection.Refusal(name, &hive.Problem{Kind: hive.Unreadable, Msg: "was not checked: " + why, Loss: true})})
	return lines.Err()
}

// Begin writes the line with which a result begins: the program, the command line, the rules, and what was met beside its inputs.
func (c *Checker) Begin(w io.Writer, beside Aside) error {
	r := c.run.report
	r.LeftOut, r.PassedOver, r.Shadows = beside.LeftOut, beside.PassedOver, beside.ShadowCopies
	return report.NewLines(w, r).Err()
}

// End writes what follows the lines of the units in one of several results, which part has read: the summary and, in the first of them, what is to say
// about the config. It returns what the config makes of the exit status, and the first error of writing.
func (c *Checker) End(w io.Writer, part report.Part, first bool) (status int, err error) {
	lines := report.ResumeLines(w, c.run.report, part)
	if config := c.run.accepted.flaws(); config != nil && first {
		status = c.run.status(*config)
		lines.Input(*config)
	}
	return status, lines.Close(nil)
}

// Say writes a message to standard error.
func (c *Checker) Say(format string, args ...any) { c.session.say(format, args...) }

// Fail writes a message about what keeps the program from going on, and returns the exit status.
func (c *Checker) Fail(format string, args ...any) int {
	c.session.fail(statusUsage, format, args...)
	return statusUsage
}

// SayLeftOut says what was left out of all units together.
func (c *Checker) SayLeftOut(left []report.LeftOut) {
	for _, l := range left {
		c.session.sayLeftOut("check", l)
	}
}
