package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/evidence"
	"regvet/rules"
	"regvet/rules/ports"
)

// Run is what is known about a run, so that somebody else can repeat it.
type Run struct {
	Date    time.Time // of its start
	Command string    // the command line, quoted as a shell takes it
	Packs   []RunPack // whose rules ran
}

// RunPack is a pack of rules that took part in a run.
type RunPack struct {
	Name   string
	SHA256 string // of its file, in hex
	Rules  int    // how many of its rules ran
}

// PacksOf returns the packs that active rules are of, in the order of the packs. Of packs with the same name it returns one each.
func PacksOf(packs []*rules.Pack, active []*rules.Rule) (used []RunPack) {
	runs := map[string]bool{} // by ID: one of several rules that ask the same is another rule
	for _, r := range active {
		runs[r.ID] = true
	}
	for _, p := range packs {
		n := 0
		for _, r := range p.Rules {
			if runs[r.ID] {
				n++
			}
		}
		one := RunPack{p.Name, p.SHA256, n}
		if n > 0 && !slices.Contains(used, one) {
			used = append(used, one)
		}
	}
	return used
}

// String returns the pack for people.
func (p RunPack) String() string {
	return fmt.Sprintf("%s (%s, sha256 %s)", hive.Visible(p.Name), plural(p.Rules, "rule"), p.SHA256)
}

// date returns the date of the run, or "" if it is not known.
func (r Run) date() string {
	if r.Date.IsZero() {
		return ""
	}
	return r.Date.UTC().Format(time.RFC3339)
}

// fact is something that is known about a run or an input, with the name that programs know it by.
type fact struct{ name, text string }

// facts returns what is known of a run.
func (r Run) facts() []fact {
	all := []fact{{"date", r.date()}, {"command", hive.Printable(r.Command)}}
	for _, p := range r.Packs {
		all = append(all, fact{"pack", p.String()})
	}
	return known(all)
}

// known drops the facts that are not known.
func known(all []fact) []fact {
	return slices.DeleteFunc(all, func(f fact) bool { return f.text == "" })
}

// facts returns for people what is known of an input besides path, hash, size and logs.
func (in Input) facts() []fact {
	set, guessed := controlSet(in)
	if guessed {
		set += " (guessed)"
	}
	machine, installed, build, replaced, shutdown := "", "", "", "", ""
	if in.Former {
		replaced = former
	}
	if in.Machine != nil {
		machine = in.Machine.Name
	}
	if !in.Shutdown.IsZero() {
		shutdown = timestamp(in.Shutdown)
	}
	w := in.Windows
	if !w.Installed.IsZero() {
		installed = timestamp(w.Installed)
	}
	if n := w.Build(); n != 0 {
		build = fmt.Sprint(n)
		if w.Revision != 0 {
			build += fmt.Sprintf(".%d", w.Revision)
		}
	}
	windows := ""
	if w.AtLeast != (hive.Version{}) || w.Below != (hive.Version{}) {
		windows = w.Full()
	}
	all := []fact{
		{"evidence", wayWords(in.Evidence)}, {"text", in.Text}, {"mount", in.Mount.String()}, {"state", string(in.State)}, {"former", replaced},
		{"not_joined", in.NotJoined}, {"same_as", in.SameAs}, {"machine", machine}, {"user", in.User}, {"host", in.Host}, {"host_by", in.HostBy},
		{"time_zone", in.TimeZone}, {"last_shutdown", shutdown},
		{"windows", windows}, {"build", build}, {"edition", w.Edition}, {"product", w.Product}, {"installed", installed},
		{"windows_evidence", strings.Join(w.Evidence, "; ")}, {"windows_conflict", in.Overruled}, {"control_set", set}, {"other_control_sets", strings.Join(in.OtherSets, ", ")}, {"ports", portsWords(in.Ports)},
	}
	for i, f := range all {
		all[i].text = hive.Printable(f.text)
	}
	return known(all)
}

// portsWords returns for people which ports a program gets that connects without choosing one.
func portsWords(all []ports.Answer) string {
	var answers []string
	for _, one := range all {
		line := one.ControlSet + ": " + portsLine(one)
		if one.Assumed {
			line = "if this is " + vista(one) + ", " + line
		}
		if text := excluded(one.Excluded); text != "" {
			line += "; " + text
		}
		answers = append(answers, strings.Join(append([]string{line}, one.Notes...), "; "))
	}
	return strings.Join(answers, "; ")
}

// wayWords returns for people the way to an input in an image or archive.
func wayWords(way []evidence.Step) string {
	var steps []string
	for _, s := range way {
		step := strings.TrimSpace(s.Kind + " " + hive.Visible(s.Path))
		switch s.Kind {
		case "partition":
			step += fmt.Sprintf(" %d at %d", s.Number, s.Offset)
		case "vss":
			step += fmt.Sprintf(" %d, created %s", s.Number, timestamp(s.Created))
		}
		if s.Label != "" {
			step += fmt.Sprintf(" %q", hive.Visible(s.Label))
		}
		for _, f := range known([]fact{{"serial", s.Serial}, {"stored MD5", s.MD5}, {"stored SHA-1", s.SHA1}}) {
			step += ", " + f.name + " " + f.text
		}
		if s.Verified != nil && *s.Verified {
			step += ", verified"
		} else if s.Verified != nil {
			step += ", NOT what the image holds"
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, " > ")
}

// pastWords returns for people what was once set in the place of a finding.
func pastWords(past rules.Past) string {
	data := "its data lost,"
	if v := past.Value; !v.Short {
		data = hive.Visible(v.Display())
	}
	what := "was set here and later deleted"
	if past.KeyGone {
		what = "was set here, in a key that was later deleted"
	}
	return fmt.Sprintf("%s, %s %s; key last written %s; value at %s", past.Value.Type, data, what, timestamp(past.Modified), past.Value.At)
}
