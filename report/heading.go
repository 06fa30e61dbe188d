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
	case in.Format == "reg":
		parts = append(parts, ".reg file, "+in.Text)
	case in.Mount == nil:
		parts = append(parts, "hive, no telling which")
	default:
		parts = append(parts, "hive of "+hive.Visible(in.Mount.String()))
	}
	parts = append(append(parts, dirt(in)...), computer(in)...)
	if in.NotJoined != "" {
		parts = append(parts, in.NotJoined)
	}
	return strings.Join(parts, "; ")
}

// machine writes what a machine is, and from which of its hives that is known.
func (p *page) machine(hives []Input) {
	parts := []string{"machine of " + plural(len(hives), "hive")}
	best := hives[0]
	for _, in := range hives {
		if len(in.ControlSets) > 0 {
			best = in
		}
	}
	fmt.Fprintln(p, p.paint(hive.Visible(hives[0].Machine.Name), color.Bold))
	p.row("what", strings.Join(append(parts, computer(best)...), "; "))
	for _, in := range hives {
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
		parts = append(parts, "host "+hive.Visible(in.Host))
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
