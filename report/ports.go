package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"regvet/rules/ports"
)

// ports says which ports a program gets that connects without choosing one: the range, a bar of all ports there are, and what is
// excluded. What the answer rests on is for those who ask for details.
func (p *page) ports(all []ports.Answer, details bool) {
	name := "ports"
	for i, one := range all {
		var where []string
		if len(all) > 1 && (i == 0 || all[i-1].ControlSet != one.ControlSet) && all[0].ControlSet != all[len(all)-1].ControlSet {
			where = append(where, one.ControlSet)
		}
		if one.Assumed {
			where = append(where, "if this is "+vista(one))
		}
		line := portsLine(one)
		if len(where) > 0 {
			line = strings.Join(where, ", ") + ": " + line
		}
		p.row(name, line)
		name = ""
		if one.Range != nil {
			fmt.Fprintf(p, "  %*s%s\n", label, "", p.portBar(one))
		}
		p.row("", excluded(one.Excluded))
		if !details {
			continue
		}
		p.row("", usedWords(one.Used))
		for _, note := range one.Notes {
			p.row("", note)
		}
	}
}

// portsLine says the range, its size and where it comes from.
func portsLine(one ports.Answer) string {
	if one.Range == nil {
		return "TCP unknown: " + one.Why
	}
	size := thousands(one.Range.Size()) + " ports"
	switch usable, ok := one.Usable(); {
	case !ok:
		size += ", exclusions unknown"
	case usable < one.Range.Size():
		size += ", " + thousands(usable) + " usable"
	}
	source := "set by MaxUserPort"
	if one.Source == ports.FromDefault {
		source = "the default of " + vista(one)
	}
	return fmt.Sprintf("TCP %d to %d, %s, %s; confidence %s", one.Range.From, one.Range.To, size, source, one.Confidence)
}

// vista names the Windows of an answer.
func vista(one ports.Answer) string {
	if one.Windows == ports.BeforeVista {
		return "Windows before Vista"
	}
	return "Windows Vista or later"
}

// shownExclusions is how many exclusions are listed for people.
const shownExclusions = 8

func excluded(all []ports.Exclusion) string {
	if len(all) == 0 {
		return ""
	}
	var parts []string
	for _, x := range all[:min(len(all), shownExclusions)] {
		part := strconv.Itoa(x.From)
		if x.To > x.From {
			part += "-" + strconv.Itoa(x.To)
		}
		parts = append(parts, part)
	}
	text := "excluded " + strings.Join(parts, ", ")
	if more := len(all) - shownExclusions; more > 0 {
		text += fmt.Sprintf(" and %s more", thousands(more))
	}
	return text + " by " + all[0].Source
}

// portMark is what stands in a bar for some ports.
type portMark struct {
	plain, unicode string
	color          color.Attribute
}

var (
	outsideMark  = portMark{".", "─", color.Faint}
	insideMark   = portMark{"#", "█", color.FgGreen}
	excludedMark = portMark{"x", "×", color.FgYellow} // at least one of the ports is
)

// portBar draws all ports from 0 to 65535 in one line, each mark an equal share of them.
func (p *page) portBar(one ports.Answer) string {
	const ends, widest = len("0 ") + len(" 65535"), 64
	cells := widest
	if p.Width > 0 {
		cells = min(widest, max(p.Width-label-2-ends, 8))
	}
	var b strings.Builder
	run, mark := 0, outsideMark
	end := func() {
		text := mark.plain
		if p.Unicode {
			text = mark.unicode
		}
		if run > 0 {
			b.WriteString(p.paint(strings.Repeat(text, run), mark.color))
		}
		run = 0
	}
	rest := one.Excluded
	for i := range cells {
		from, to := i*(ports.Max+1)/cells, (i+1)*(ports.Max+1)/cells-1
		for len(rest) > 0 && rest[0].To < from {
			rest = rest[1:]
		}
		next := outsideMark
		switch {
		case len(rest) > 0 && rest[0].From <= to:
			next = excludedMark
		case one.Range.From <= to && from <= one.Range.To:
			next = insideMark
		}
		if next != mark {
			end()
		}
		mark = next
		run++
	}
	end()
	return "0 " + b.String() + " 65535"
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// jsonPorts is the ephemeral TCP ports of one control set. What cannot be told is null.
type jsonPorts struct {
	ControlSet string          `json:"control_set"`
	Windows    string          `json:"windows"`           // for which the answer holds
	Assumed    bool            `json:"assumed,omitempty"` // the version is not known: this is one of two answers
	Start      *int            `json:"start"`
	End        *int            `json:"end"`
	Size       *int            `json:"size"`
	Usable     *int            `json:"usable"`
	Source     string          `json:"source"`
	Confidence string          `json:"confidence"`
	Excluded   []jsonExclusion `json:"excluded"`
	Used       []jsonUse       `json:"used,omitempty"`    // by services, as settings tell them
	Unknown    string          `json:"unknown,omitempty"` // why the range cannot be told
	Notes      []string        `json:"notes"`
}

type jsonExclusion struct {
	From   int    `json:"from"`
	To     int    `json:"to"`
	Source string `json:"source"`
}

type jsonUse struct {
	Port    int    `json:"port"`
	Service string `json:"service"`
	Key     string `json:"key"` // below the control set
	Value   string `json:"value"`
}

func portsJSON(all []ports.Answer) (out []jsonPorts) {
	for _, p := range all {
		j := jsonPorts{
			ControlSet: p.ControlSet, Windows: p.Windows, Assumed: p.Assumed, Source: p.Source, Confidence: string(p.Confidence),
			Excluded: []jsonExclusion{}, Unknown: p.Why, Notes: append([]string{}, p.Notes...),
		}
		if r := p.Range; r != nil {
			j.Start, j.End, j.Size = &r.From, &r.To, new(r.Size())
		}
		if n, ok := p.Usable(); ok {
			j.Usable = &n
		}
		for _, x := range p.Excluded {
			j.Excluded = append(j.Excluded, jsonExclusion{x.From, x.To, x.Source})
		}
		for _, u := range p.Used {
			j.Used = append(j.Used, jsonUse{u.Port, u.Service, u.Key, u.Value})
		}
		out = append(out, j)
	}
	return out
}
