package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"regvet/hive"
)

// github writes each finding as a workflow command of GitHub Actions, which shows it beside the line of a pull request:
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions. The totals for the log come last.
//
// Nothing from an input can become a command of its own, because line breaks in it are escaped.
func github(w io.Writer, s sheet) error {
	b := bufio.NewWriter(w)
	for _, p := range s.gaps() {
		fmt.Fprintf(b, "::error file=%s", githubProperty(slashed(hive.Visible(p.Source))))
		if p.At.Line > 0 {
			fmt.Fprintf(b, ",line=%d,col=%d", p.At.Line, p.At.Column)
		}
		fmt.Fprintf(b, ",title=%s::%s\n", githubProperty("not read: "+string(p.Kind)), githubText(gapWords(p)))
	}
	for _, f := range s.files {
		for r := range f.found() {
			if r.suppressed != nil {
				continue // an annotation would ask for what was decided
			}
			level, title := r.alert(), r.id
			if level == "note" {
				level = "notice"
			}
			fmt.Fprintf(b, "::%s file=%s", level, githubProperty(slashed(hive.Visible(r.path))))
			if r.at.Line > 0 {
				fmt.Fprintf(b, ",line=%d,col=%d", r.at.Line, r.at.Column)
				if r.end.Line > 0 {
					fmt.Fprintf(b, ",endLine=%d", r.end.Line)
				}
				if r.end.Line == r.at.Line { // in several lines, columns have no meaning there
					fmt.Fprintf(b, ",endColumn=%d", r.end.Column)
				}
			} else {
				title += ": " + r.place()
			}
			fmt.Fprintf(b, ",title=%s::%s\n", githubProperty(title), githubText(s.told(r)))
		}
	}
	fmt.Fprintln(b, s.totals)
	return b.Flush()
}

// gapWords returns for people what could not be read, without the path.
func gapWords(p hive.Problem) string {
	p.Source = ""
	return hive.Visible(p.Error())
}

// told returns the lines of an annotation: what was found, what was expected, and what can be done. Place and ID
// stand beside it. Why a rule asks is too long to be read there; "regvet explain ID" shows it.
func (s sheet) told(r result) string {
	lines := []string{r.sentence()}
	add := func(f fact) {
		if f.text != "" {
			lines = append(lines, f.name+": "+hive.Visible(strings.Join(strings.Fields(f.text), " ")))
		}
	}
	t := s.topics[r.topic]
	add(fact{"expected", r.expected})
	for _, note := range r.notes {
		add(fact{"note", note})
	}
	for _, past := range r.history {
		add(fact{"history", past})
	}
	for _, f := range r.remedies() {
		add(f)
	}
	for _, reference := range t.references {
		add(fact{"see", reference})
	}
	return strings.Join(lines, "\n")
}

var (
	githubEscapes         = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubPropertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func githubText(s string) string     { return githubEscapes.Replace(s) }
func githubProperty(s string) string { return githubPropertyEscapes.Replace(s) }

// slashed returns a path with slashes, as servers expect it.
func slashed(path string) string { return filepath.ToSlash(hive.Printable(path)) }
