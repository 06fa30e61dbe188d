package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/lint"
)

// Listing says which findings of a lint are listed one by one in the formats that people read in a terminal, text and compact. The others are
// counted. All other formats have every finding.
type Listing struct {
	Least      lint.Severity // findings below it are counted only; 0 for those that are below Warning and do not count as failures
	All        bool          // list each finding of a check that finds much, and not only the first few; in text, also each place of one by itself
	Quiet      bool          // list no findings
	Statistics bool          // list how much each check finds
}

// A check that finds more than many things in one file has most likely found one thing over and over: few of them show what it is.
const (
	manyAlike = 20
	fewAlike  = 5
)

// listedFile is what is listed of the findings of a file.
type listedFile struct {
	findings []lint.Finding // in the order of their places
	more     []string       // how many findings of some checks are left out, in words
}

// listed returns the findings of a file that are listed.
func (r LintReport) listed(file LintFile) (out listedFile) {
	if r.Listing.Quiet {
		return out
	}
	count := map[*lint.Check]int{}
	for _, f := range file.Findings {
		if r.isListed(file, f) {
			count[f.Check]++
		}
	}
	seen := map[*lint.Check]int{}
	for _, f := range file.sorted() {
		if !r.isListed(file, f) {
			continue
		}
		seen[f.Check]++
		if r.Listing.All || count[f.Check] <= manyAlike || seen[f.Check] <= fewAlike {
			out.findings = append(out.findings, f)
		}
		if more := count[f.Check] - fewAlike; !r.Listing.All && count[f.Check] > manyAlike && seen[f.Check] == fewAlike {
			out.more = append(out.more, fmt.Sprintf("%s: %s of %s; --all lists them", hive.Visible(file.Path), plural(more, "more finding"), f.Check.ID))
		}
	}
	return out
}

// isListed reports whether a finding is severe enough to be listed, and not suppressed.
func (r LintReport) isListed(file LintFile, f lint.Finding) bool {
	least := cmp.Or(r.Listing.Least, min(lint.Warning, file.FailOn))
	return f.Suppressed == nil && f.Severity >= least
}

// unlisted returns how many findings are not severe enough to be listed, in words, or "" for none.
func (r LintReport) unlisted() string {
	count := lintTally{Severity: map[lint.Severity]int{}}
	for _, file := range r.Files {
		for _, f := range file.Findings {
			if f.Suppressed == nil && !r.isListed(file, f) {
				count.Severity[f.Severity]++
			}
		}
	}
	if len(count.Severity) == 0 || r.Listing.Quiet {
		return ""
	}
	return fmt.Sprintf("not listed: %s; --severity info lists all", count.severities())
}

// statistics returns a table of how much each check finds, as lines, the most frequent first. Suppressed findings do not count.
func (r LintReport) statistics() (lines []string) {
	if !r.Listing.Statistics {
		return nil
	}
	rows := statistics{}
	for _, file := range r.Files {
		for _, f := range file.Findings {
			if f.Suppressed == nil {
				rows.add(file.Path, f.Check.ID, f.Check.Title, int(f.Severity), f.Severity.String())
			}
		}
	}
	return rows.lines("files", "check")
}

// statistics returns a table of how much each rule finds, as lines, the most frequent first. Waived findings do not count.
func (r Report) statistics() (lines []string) {
	if !r.Statistics {
		return nil
	}
	return r.digest().statistics.lines("inputs", "rule")
}

// statistics count findings by the ID of what made them.
type statistics map[string]*statistic

type statistic struct {
	id, title    string
	rank         int    // of the highest severity, which can differ from place to place
	severity     string // its name
	count, files int
	last         string // the file of the last finding
}

// add counts a finding. Those of one file follow each other.
func (s statistics) add(file, id, title string, rank int, severity string) {
	one := s[id]
	if one == nil {
		one = &statistic{id: id, title: title}
		s[id] = one
	}
	one.count++
	if one.count == 1 || one.last != file {
		one.files, one.last = one.files+1, file
	}
	if rank > one.rank {
		one.rank, one.severity = rank, severity
	}
}

// lines returns the table. The columns are as wide as what is in them.
func (s statistics) lines(files, id string) (lines []string) {
	all := slices.SortedFunc(maps.Values(s), func(a, b *statistic) int { return cmp.Or(b.count-a.count, strings.Compare(a.id, b.id)) })
	width, level := len("REG505 "), len("warning")
	for _, one := range all {
		width, level = max(width, len(one.id)), max(level, len(one.severity))
	}
	if len(all) > 0 {
		lines = append(lines, fmt.Sprintf("%8s %6s  %-*s %-*s %s", "findings", files, width, id, level, "level", "what it finds"))
	}
	for _, one := range all {
		lines = append(lines, fmt.Sprintf("%8d %6d  %-*s %-*s %s", one.count, one.files, width, one.id, level, one.severity, one.title))
	}
	return lines
}
