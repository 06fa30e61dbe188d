package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"regvet/hive"
)

// InfoText writes for people what the inputs are, without findings.
func InfoText(w io.Writer, r Report, style Style) error {
	p := &page{Style: style}
	for i, c := range r.Containers {
		if i > 0 {
			p.WriteByte('\n')
		}
		p.container(c)
	}
	for i := 0; i < len(r.Inputs); {
		if i > 0 || len(r.Containers) > 0 {
			p.WriteByte('\n')
		}
		in, n := r.Inputs[i], 1
		switch {
		case in.Machine != nil:
			n = in.Machine.Hives
			p.machineInfo(r.Inputs[i : i+n])
		case in.SameAs != "":
			p.heading(in)
		default:
			p.info(in)
		}
		i += n
	}
	return p.send(w)
}

// machineInfo writes what a machine is, with its users and hives.
func (p *page) machineInfo(all []Input) {
	best, n := spokesman(all)
	fmt.Fprintln(p, p.paint(hive.Visible(best.Machine.Name), color.Bold))
	what := "machine of " + plural(n, "hive")
	if best.Former {
		what += "; " + former
	}
	p.row("what", what)
	p.computer(best)
	var names []string
	for _, u := range usersOf(all) {
		names = append(names, hive.Visible(u.String()))
	}
	p.row("users", strings.Join(names, "\n"))
	for _, in := range all {
		p.row("hive", strings.Join(in.inTree(), "\n"))
	}
}

// inTree returns the lines about a hive below its machine, of which the first is its path.
func (in Input) inTree() []string {
	lines := []string{hive.Visible(in.Path)}
	if in.SameAs != "" {
		return append(lines, in.sameAs(), "sha256 "+in.SHA256)
	}
	what := append([]string{fmt.Sprintf("%s, by its %s", hive.Visible(in.Mount.String()), in.MountBy)}, dirt(in)...)
	if h := in.Header; h != nil && !h.Lost {
		what = append(what, "regf "+headerVersion(*h))
		if h.Modified.IsSet() {
			what = append(what, "written "+timestamp(h.Modified.Time()))
		}
	}
	holds := fmt.Sprintf("%d bytes, %s, %s", in.Size, plural(in.Keys, "key"), plural(in.Values, "value"))
	lines = append(lines, strings.Join(what, "; "), holds, "sha256 "+in.SHA256, "md5 "+in.MD5)
	lines = append(lines, logs(in)...)
	for _, problem := range in.Problems {
		problem.Source = ""
		lines = append(lines, "problem: "+hive.Visible(problem.Error()))
	}
	return lines
}

// user is a user of a machine: the name of the folder of the profile and, if the machine tells it, the SID.
type user struct{ name, sid string }

func (u user) String() string {
	if u.sid == "" {
		return u.name
	}
	return u.name + ", " + u.sid
}

// usersOf returns the users whose hives are among those of a machine.
func usersOf(hives []Input) (all []user) {
	for _, in := range hives {
		if in.User == "" || len(in.Mount) < 2 {
			continue
		}
		u := user{name: in.User}
		if in.Mount[1] != in.User {
			u.sid = in.Mount[1]
		}
		if !slices.Contains(all, u) {
			all = append(all, u)
		}
	}
	return all
}

func (p *page) info(in Input) {
	fmt.Fprintln(p, p.paint(hive.Visible(in.Path), color.Bold))
	p.row("what", hive.Visible(in.apart()))
	p.row("size", fmt.Sprintf("%d bytes", in.Size))
	p.row("sha256", in.SHA256)
	p.row("md5", in.MD5)
	if h := in.Header; h != nil {
		format := "hive, regf " + headerVersion(*h)
		if h.Lost {
			format = "hive; its base block is lost"
		}
		if h.Layered() {
			format += ", a layer: it holds only what differs from the layers below it"
		}
		p.row("format", format)
		state := "clean"
		if in.Dirty {
			state = "dirty"
		}
		sum := "valid"
		if h.Checksum != h.Computed {
			sum = fmt.Sprintf("%#08x, must be %#08x", h.Checksum, h.Computed)
		}
		if !h.Lost {
			p.row("state", fmt.Sprintf("%s; sequence numbers %d and %d; checksum %s", state, h.Sequence1, h.Sequence2, sum))
			if h.Modified.IsSet() {
				p.row("written", timestamp(h.Modified.Time()))
			}
			p.row("name", hive.Visible(h.Name))
			p.row("bins", fmt.Sprintf("%d bytes", h.Length))
		}
		if in.Newest.IsSet() {
			p.row("newest", "a key last written "+timestamp(in.Newest.Time()))
		}
		p.row("logs", cmp.Or(strings.Join(logs(in), "\n"), "none"))
		mount := "not known; --mount tells it"
		switch {
		case in.Mount == nil && in.NotJoined != "":
			mount = "none"
		case hive.Application(in.Mount) != "":
			mount = fmt.Sprintf("none; its root is here %s, by its %s", hive.Visible(in.Mount.String()), in.MountBy)
		case in.Mount != nil:
			mount = fmt.Sprintf("%s, by its %s", hive.Visible(in.Mount.String()), in.MountBy)
		}
		p.row("mount", mount)
	} else if in.Format == "pol" {
		p.row("format", "Registry.pol, the settings of a group policy")
		p.row("keys", in.Text)
		p.row("entries", fmt.Sprint(in.Edits))
	} else {
		p.row("format", ".reg file, "+in.Text)
		p.row("edits", fmt.Sprint(in.Edits))
	}
	p.computer(in)
	p.row("holds", fmt.Sprintf("%s, %s", plural(in.Keys, "key"), plural(in.Values, "value")))
	if len(in.Problems) == 0 {
		p.row("problems", "none")
	}
	for i, problem := range in.Problems {
		name := ""
		if i == 0 {
			name = "problems"
		}
		problem.Source = ""
		p.row(name, hive.Visible(problem.Error()))
	}
}

// computer writes what an input says about its computer.
func (p *page) computer(in Input) {
	p.row("host", host(in))
	if len(in.Windows.Evidence) > 0 {
		p.row("windows", hive.Visible(in.Windows.Full()))
		if in.Windows.Product != "" {
			p.row("product", hive.Visible(hive.ProductName(in.Windows.Product)))
		}
		lines := []string{}
		for _, e := range in.Windows.Evidence {
			lines = append(lines, hive.Visible(e))
		}
		p.row("evidence", strings.Join(lines, "\n"))
		if !in.Windows.Installed.IsZero() {
			p.row("installed", timestamp(in.Windows.Installed))
		}
	}
	p.row("time zone", hive.Visible(in.TimeZone))
	if !in.Shutdown.IsZero() {
		p.row("shutdown", timestamp(in.Shutdown))
	}
	var selections []string
	for _, s := range in.Selections {
		selections = append(selections, fmt.Sprintf("%s %d", s.Name, s.Number))
	}
	p.row("select", strings.Join(selections, ", "))
	for i, s := range in.ControlSets {
		name := ""
		if i == 0 {
			name = "sets"
		}
		how := s.Source
		if s.Guessed {
			how += "; a guess"
		}
		p.row(name, s.Name+" ("+how+")")
	}
	others := hive.Visible(strings.Join(in.OtherSets, ", "))
	if len(in.ControlSets) == 0 {
		p.row("sets", others)
	} else if others != "" {
		p.row("", "also there: "+others)
	}
	p.ports(in.Ports, true)
}

// host returns the name of the computer and, where that is not the usual value, which one it is from.
func host(in Input) string {
	if in.HostBy != "" {
		return hive.Visible(in.Host) + ", by " + in.HostBy
	}
	return hive.Visible(in.Host)
}
