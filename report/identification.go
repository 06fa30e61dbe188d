package report

import (
	"cmp"
	"fmt"
	"strings"

	"regvet/hive"
)

// The most machines, and inputs that are of none, that a page identifies, and how many of them it shows unfolded.
const (
	mostIdentified = 50
	mostUnfolded   = 3
)

// subject is what a page identifies: a machine, or an input that is of none.
type subject struct {
	unit
	name, anchor string
}

// subjects returns what a page about a check identifies: all, if they are few, and else what has findings, the worst first; and how many there are
// beside them.
func (r Report) subjects(entries []entry) (shown []subject, more int) {
	units := r.units()
	pick := units
	if len(units) > mostUnfolded && !r.All {
		pick = r.worstUnits(entries)
	}
	for i, u := range pick[:min(len(pick), mostIdentified)] {
		best, _ := spokesman(r.Inputs[u.from:u.to])
		name := cmp.Or(best.Host, best.Path)
		if best.Machine != nil {
			name = cmp.Or(best.Host, best.Machine.Name)
		}
		shown = append(shown, subject{u, name, fmt.Sprintf("subject-%d", i+1)})
	}
	return shown, len(units) - len(shown)
}

// worstUnits returns the units that have a finding in an entry, in the order of the entries.
func (r Report) worstUnits(entries []entry) (all []unit) {
	of := make([]unit, len(r.Inputs))
	for _, u := range r.units() {
		for i := u.from; i < u.to; i++ {
			of[i] = u
		}
	}
	seen := map[unit]bool{}
	for _, e := range entries {
		for _, at := range e.spots {
			if u := of[at.input]; !seen[u] {
				seen[u] = true
				all = append(all, u)
			}
		}
	}
	return all
}

// productWords are what the types of Windows are called.
var productWords = map[string]string{
	hive.Fold("WinNT"): "workstation", hive.Fold("ServerNT"): "server", hive.Fold("LanmanNT"): "domain controller",
}

// identify writes what a machine or an input is.
func (p *pageHTML) identify(inputs []Input, s subject, folded bool) {
	end := "</section>\n"
	if folded {
		p.text("<details id=\""+s.anchor+"\">\n<summary><h3 class=\"name\">%s</h3></summary>\n", s.name)
		end = "</details>\n"
	} else {
		p.text("<section id=\""+s.anchor+"\">\n<h3 class=\"name\">%s</h3>\n", s.name)
	}
	best, n := spokesman(inputs)
	l := &listHTML{pageHTML: p}
	if m := best.Machine; m != nil {
		l.row("machine", "code", m.Name)
		l.row("hives", "span", fmt.Sprint(n))
	}
	if best.Former {
		l.row("note", "span", former)
	}
	l.computer(best)
	var users []string
	for _, u := range usersOf(inputs) {
		users = append(users, u.String())
	}
	l.rows("users", "span", users)
	l.close()
	p.raw("<ul class=\"files\">\n")
	for _, in := range inputs {
		p.input(in)
	}
	p.raw("</ul>\n" + end)
}

// computer writes what the registry says about the computer.
func (l *listHTML) computer(in Input) {
	l.row("host", "span", in.Host)
	if w := in.Windows; w.AtLeast != (hive.Version{}) || w.Below != (hive.Version{}) {
		l.row("Windows", "span", w.Full())
		if w.Build() > 0 {
			l.row("build", "span", fmt.Sprint(w.Build()))
		}
	} else if in.Format == "regf" && in.NotJoined == "" {
		l.row("Windows", "span", "not known; --windows tells it")
	}
	if product := in.Windows.Product; product != "" {
		words := productWords[hive.Fold(product)]
		l.row("product", "span", strings.TrimPrefix(words+" ("+product+")", " "))
	}
	l.row("edition", "span", in.Windows.Edition)
	if !in.Windows.Installed.IsZero() {
		l.row("installed", "time", timestamp(in.Windows.Installed))
	}
	l.row("conflict", "span", in.Overruled)
	l.row("time zone", "span", in.TimeZone)
	if !in.Shutdown.IsZero() {
		l.row("last shutdown", "time", timestamp(in.Shutdown))
	}
	var sets []string
	for _, s := range in.ControlSets {
		how := s.Source
		if s.Guessed {
			how += "; a guess"
		}
		sets = append(sets, s.Name+" ("+how+")")
	}
	if len(in.OtherSets) > 0 {
		sets = append(sets, "also there: "+strings.Join(in.OtherSets, ", "))
	}
	l.rows("control sets", "span", sets)
}

// input writes what a file is, with its hashes.
func (p *pageHTML) input(in Input) {
	p.text("<li><code>%s</code><br>%s, %s bytes", in.Path, hive.Printable(in.kind()), thousands(int(in.Size)))
	p.raw("<br><span class=\"faint\">SHA-256</span> " + hash(in.SHA256) + "\n")
	for _, step := range in.Evidence {
		if step.Path != "" {
			p.text("<br><span class=\"faint\">in %s</span> <code>%s</code>\n", step.Kind, step.Path)
		}
	}
	if in.Dirty {
		for _, line := range logs(in) {
			if sum, ok := strings.CutPrefix(line, "sha256 "); ok {
				p.raw("<br><span class=\"faint\">SHA-256 of the log</span> " + hash(sum) + "\n")
			} else {
				p.text("<br><span class=\"faint\">%s</span>\n", line)
			}
		}
	}
	p.raw("</li>\n")
}

// kind returns for people what a file is, without what it says of the computer.
func (in Input) kind() string {
	in.Host, in.Windows, in.ControlSets = "", hive.Windows{}, nil
	return in.about()
}

// container writes what an image or archive is, with the hashes that it stores.
func (p *pageHTML) container(c jsonLineContainer) {
	p.text("<section>\n<h3><code>%s</code></h3>\n", c.Path)
	l := &listHTML{pageHTML: p}
	l.row("what", "span", c.Kind)
	if c.Size > 0 {
		l.row("content", "span", thousands(int(c.Size))+" bytes")
	}
	for _, h := range c.Hashes {
		l.name(h.Name)
		l.raw("<dd>" + hash(h.Stored) + ", as the image stores it")
		if strings.EqualFold(h.Computed, h.Stored) {
			l.raw(", verified")
		} else if h.Computed != "" {
			l.raw("; the content has " + hash(h.Computed))
		}
		l.raw("</dd>\n")
	}
	for _, f := range c.Facts {
		l.row(f.Name, "span", f.Value)
	}
	l.close()
	p.raw("</section>\n")
}
