package report

import (
	"fmt"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// details returns all of a finding but its message as lines of text, each a name and what it is.
func (s sheet) details(r result) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, f := range s.detailed(r) {
		for line := range strings.SplitSeq(f.text, "\n") {
			if line != "" {
				fmt.Fprintf(&b, "%s: %s\n", f.name, hive.Visible(line))
			}
		}
	}
	return b.String()
}

// detailed returns all that is known of a finding but its message, for people.
func (s sheet) detailed(r result) []fact {
	t := s.topics[r.topic]
	all := []fact{
		{"title", t.title}, {"pack", t.pack}, {"severity", r.severity}, {"reason", r.reason}, {"accepted", r.accepted()},
		{"place", strings.TrimSpace(r.path + " " + r.at.String())}, {"key", r.realKey},
	}
	if r.key != r.realKey {
		all = append(all, fact{"asked for as", r.key})
	}
	if r.about == lint.AValue {
		all = append(all, fact{"value", rules.ValueName(r.value)})
	}
	all = append(all, fact{"key last written", r.modified}, fact{"source", r.line})
	if r.kind != "" {
		all = append(all, fact{"observed", r.kind + ", " + r.observed}, fact{"data", r.data})
	}
	all = append(all, fact{"expected", r.expected})
	for _, note := range r.notes {
		all = append(all, fact{"note", note})
	}
	for _, past := range r.history {
		all = append(all, fact{"history", past})
	}
	all = append(all, fact{"why", t.why})
	all = append(all, r.remedies()...)
	for _, reference := range t.references {
		all = append(all, fact{"see", reference})
	}
	return known(append(all, fact{"tags", strings.Join(t.tags, ", ")}, fact{"fingerprint", r.print}))
}

// remedies returns what can be done about a finding, for people. The fix says itself what must be restarted.
func (r result) remedies() []fact {
	safety := fact{"safety", r.safety}
	if r.because != "" {
		safety = fact{"unsafe", r.because}
	}
	return []fact{{"fix", r.fix}, safety, {"about the fix", r.fixNote}, {"instead", r.instead}}
}
