package report

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"regvet/hive"
)

// heading writes in a line or two what an input is.
func (p *page) heading(in Input) {
	fmt.Fprintln(p, p.paint(hive.Visible(in.Path), color.Bold))
	p.row("what", in.about())
	p.row("rules", in.unasked())
	if in.Dirty {
		p.row("logs", strings.Join(logs(in), "\n"))
	}
	p.row("sha256", in.SHA256)
}

// about returns for people what an input is.
func (in Input) about() string {
	parts := []string{}
	switch {
	case in.SameAs != "":
		return in.sameAs()
	case in.Format == ConfigFormat:
		return "config of regvet"
	case in.Format == "reg":
		parts = append(parts, ".reg file, "+in.Text)
	case in.Format == "pol":
		parts = append(parts, "Registry.pol "+in.Text)
	case in.Mount == nil && in.NotJoined != "":
		parts = append(parts, "hive")
	case in.Mount == nil:
		parts = append(parts, "hive, no telling which")
	default:
		parts = append(parts, "hive of "+hive.Visible(in.Mount.String()))
	}
	parts = append(append(parts, dirt(in)...), computer(in)...)
	if apart := in.apart(); apart != "" {
		parts = append(parts, hive.Visible(apart))
	}
	return strings.Join(parts, "; ")
}

// apart returns for people what an input is that is not of the present registry of a machine, or "" for any other.
func (in Input) apart() string {
	if in.Former {
		return strings.TrimPrefix(in.NotJoined+"; "+former, "; ")
	}
	return in.NotJoined
}

const former = "of a former Windows, which Setup replaced"

// sameAs returns for people of which input this one is another copy.
func (in Input) sameAs() string {
	return "another copy of " + hive.Visible(in.SameAs) + ", with the same bytes"
}

// machine writes what a machine is, and from which of its hives that is known.
func (p *page) machine(hives []Input) {
	best, n := spokesman(hives)
	parts := []string{"machine of " + plural(n, "hive")}
	if best.Former {
		parts = append(parts, former)
	}
	fmt.Fprintln(p, p.paint(hive.Visible(hives[0].Machine.Name), color.Bold))
	p.row("what", strings.Join(append(parts, computer(best)...), "; "))
	for _, in := range hives {
		if in.SameAs != "" {
			p.row("copy", strings.Join([]string{hive.Visible(in.Path), in.sameAs(), in.SHA256}, "\n"))
			continue
		}
		what := append([]string{hive.Visible(in.Mount.String())}, dirt(in)...)
		if in.Unasked {
			what = append(what, in.unasked())
		}
		lines := []string{hive.Visible(in.Path), strings.Join(what, "; ")}
		if in.Dirty {
			lines = append(lines, logs(in)...)
		}
		p.row("hive", strings.Join(append(lines, in.SHA256), "\n"))
	}
}

// spokesman returns the hive of a machine that tells most about it, and how many hives the machine has, each counted once.
func spokesman(hives []Input) (best Input, n int) {
	best = hives[0]
	for _, in := range hives {
		if len(in.ControlSets) > 0 && in.SameAs == "" {
			best = in
		}
		if in.SameAs == "" {
			n++
		}
	}
	return best, n
}

// dirt returns whether a hive is dirty, and if so, what was done about it.
func dirt(in Input) []string {
	switch logs := applied(in.Input); {
	case in.Format != "regf":
		return nil
	case !in.Dirty:
		return []string{"clean"}
	case len(logs) > 0:
		return []string{"dirty, with " + hive.Visible(strings.Join(logs, " and "))}
	}
	return []string{"dirty, read as it lies"}
}

// computer returns what the registry says about the computer.
func computer(in Input) (parts []string) {
	if in.Host != "" {
		parts = append(parts, "host "+host(in))
	}
	if in.Windows.AtLeast != (hive.Version{}) || in.Windows.Below != (hive.Version{}) {
		parts = append(parts, hive.Visible(in.Windows.Full()))
	}
	if set, guessed := controlSet(in); set != "" && guessed {
		parts = append(parts, "control set guessed: "+set)
	} else if set != "" {
		parts = append(parts, "control set "+set)
	}
	return parts
}
