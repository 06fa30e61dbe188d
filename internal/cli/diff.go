package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/report"
)

var diffCommand = command{
	name: "diff", args: "FROM TO", short: "show the edits that turn one input into another",
	min: 2, max: 2, colours: true,
	example: `  regvet diff SYSTEM.before SYSTEM
  regvet diff --format reg -o changes.reg SYSTEM.before SYSTEM
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(diffOptions)
		choose(f, &o.format, "format", "f", "text", "output `FORMAT`: %s; importing reg turns FROM into TO", "text", "reg", "json")
		outputFlag(f, &o.output)
		o.input.defineMount(f)
		o.input.defineNoLogs(f)
		codePageFlag(f, &o.input.codePage)
		return o.run
	},
}

type diffOptions struct {
	format choice
	output string
	input  inputFlags
}

func (o *diffOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	onlyOnce(s, args)
	if s.failed() {
		return
	}
	from, to := o.input.open(s, args[0], true), o.input.open(s, args[1], true)
	if from == nil || to == nil {
		return
	}
	d, ok := o.difference(s, from, to)
	if !ok {
		return
	}
	from.Describe(nil)
	to.Describe(nil)
	d.Version, d.Run, d.From.Input, d.To.Input = version(), s.runOf(nil, nil), s.facts(from), s.facts(to)
	sayUnproven(s, from, to, d)
	if len(d.Edits) > 0 {
		s.raise(statusFindings)
	}
	s.write(o.output, func(w io.Writer, style report.Style) error {
		switch o.format.value {
		case "json":
			return report.DifferenceJSON(w, d)
		case "reg":
			return writeDifference(s, w, d)
		}
		return report.DifferenceText(w, d, style)
	})
}

// difference compares two inputs. Control sets are compared under their own names. Two hives are compared from their roots, and must have the
// same mount; other inputs are compared from the roots of the registry. If they cannot be compared, difference writes why and returns false.
func (o *diffOptions) difference(s *session, from, to *collection.Opened) (d report.Difference, ok bool) {
	a, b := from.Root, to.Root
	for _, in := range []*collection.Opened{from, to} {
		if n := deletions(in.Policy); n > 0 {
			s.say("%s: %s not compared; regvet export shows what the policy deletes", in.Name(), report.Count(n, "deletion is", "deletions are"))
		}
	}
	switch {
	case from.Format == "regf" && to.Format == "regf":
		if d.At = from.Mount; d.At == nil {
			d.At = to.Mount
		}
		if from.Mount != nil && to.Mount != nil && !from.Mount.Equal(to.Mount) {
			s.fail(statusUsage, "%s is mounted at %s and %s at %s, so they have nothing in common; give --mount if both belong at one place",
				from.Name(), from.Mount, to.Name(), to.Mount)
			return d, false
		}
		if d.At == nil && o.format.value == "reg" {
			s.fail(statusUsage, "neither keys nor names show which hives these are, and .reg text needs their path; give --mount, such as --mount HKLM\\SYSTEM")
			return d, false
		}
	default:
		for _, in := range []*collection.Opened{from, to} {
			if in.Format == "regf" && in.Mount == nil {
				s.fail(statusUsage, "%s: neither keys nor name show which hive this is, so it cannot be compared with a .reg file; give --mount, such as --mount HKLM\\SYSTEM", in.Name())
				return d, false
			}
		}
		a, b = from.Registry.Root(), to.Registry.Root()
		if isWholePolicy(from) && isWholePolicy(to) { // what one sets and the other does not is a difference
			d.Root, d.Edits = from.Root, hive.Diff(from.Root, to.Root)
			return d, true
		}
	}
	d.Root = a
	d.Edits, d.Unproven = hive.DiffKnown(a, b)
	return d, true
}

// isWholePolicy reports whether an input is a Registry.pol of which all could be read.
func isWholePolicy(in *collection.Opened) bool {
	return in.Format == "pol" && !slices.ContainsFunc(in.Facts().Problems, func(p hive.Problem) bool { return p.Loss })
}

// sayUnproven writes what was not compared: one line for each key that was not read whole, and one for each .reg file that does not cover all
// keys of the other input.
func sayUnproven(s *session, from, to *collection.Opened, d report.Difference) {
	type hole struct {
		key  string
		inTo bool
	}
	var holes []hole
	counts := map[hole]int{}
	outside, below := map[bool]int{}, map[bool]int{}
	for _, u := range d.Unproven {
		if u.Known == hive.Partial {
			below[u.InTo]++
			continue
		}
		if u.Known != hive.Damaged {
			outside[u.InTo]++
			continue
		}
		path := u.Path
		if u.Op == hive.CreateKey || u.Op == hive.DeleteKey {
			path = path[:len(path)-1]
		}
		h := hole{d.At.Join(path...).String(), u.InTo}
		if counts[h]++; counts[h] == 1 {
			holes = append(holes, h)
		}
	}
	side := map[bool]*collection.Opened{false: from, true: to}
	for _, h := range holes {
		s.fail(statusInput, "%s: the key %s could not be read whole, so what is missing there proves nothing; %s left out",
			side[h.inTo].Name(), h.key, report.Count(counts[h], "difference is", "differences are"))
	}
	for _, inTo := range []bool{false, true} {
		if n := below[inTo]; n > 0 {
			s.say("%s is a layer of a hive, and the layers below it are not known; %s not compared",
				side[inTo].Name(), report.Count(n, "key or value was", "keys or values were"))
		}
		if n := outside[inTo]; n > 0 {
			was := "were"
			if n == 1 {
				was = "was"
			}
			s.say("%s covers only the keys that it lists; %s of %s outside of them %s not compared",
				side[inTo].Name(), report.Count(n, "key or value", "keys or values"), side[!inTo].Name(), was)
		}
	}
}

// writeDifference writes the edits as .reg text. It leaves out edits that .reg text cannot express and writes which, and also writes which data
// Windows changes when it imports the text.
func writeDifference(s *session, w io.Writer, d report.Difference) error {
	var edits []hive.Edit
	var left hive.Path // a key that is left out with all below it
	for _, e := range d.Edits {
		e.Path = d.At.Join(e.Path...)
		if left != nil && e.Path.HasPrefix(left) {
			continue
		}
		if reason := regfile.Unwritable(e); reason != "" {
			s.fail(statusInput, "%s cannot be written as .reg text: %s; it is left out (--format json has it)", report.Place(e), reason)
			if e.Op == hive.CreateKey {
				left = e.Path
			}
			continue
		}
		if e.Op == hive.SetValue && len(regfile.Imported(e.Value).Data) != len(e.Value.Data) {
			s.say("%s: Windows adds the NUL that the text lacks when it imports it (--format json has the exact bytes)", report.Place(e))
		}
		edits = append(edits, e)
	}
	about := func(in report.Input) string {
		return fmt.Sprintf("%s, sha256 %s", filepath.Base(in.Name()), in.SHA256)
	}
	comment := fmt.Sprintf("Written by regvet %s: importing this turns the first of these inputs into the second.\n%s\n%s", version(), about(d.From), about(d.To))
	return regfile.Write(w, comment, edits)
}
