package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// gitlabFinding is one finding of a code quality report of GitLab: https://docs.gitlab.com/ci/testing/code_quality.
type gitlabFinding struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
	Content     gitlabContent  `json:"content"` // of Code Climate's form, which GitLab's is a part of
}

type gitlabContent struct {
	Body string `json:"body"` // Markdown
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

var gitlabSeverities = map[string]string{
	"critical": "blocker", "high": "critical", "medium": "major", "low": "minor", "info": "info",
	"error": "major", "warning": "minor",
}

// gitlabNoFailure is the severity of what is no failure of the run, and of nothing else.
const gitlabNoFailure = "info"

// gitlab writes the findings, and what could not be read, for GitLab's code quality. Each fingerprint must be unique in the report, or GitLab shows only one of the
// findings; and it must be the same in the next report. GitLab needs a line, and a hive has none: it is the first.
func gitlab(w io.Writer, s sheet) error {
	out := newList(w, 0)
	seen := map[[16]byte]int{} // by hash, because there is one for each finding
	print := func(same string) string {
		whole := sha256.Sum256([]byte(same))
		key := [16]byte(whole[:])
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", same, seen[key]))
		seen[key]++
		return hex.EncodeToString(sum[:16])
	}
	for _, p := range s.gaps() {
		text := gapWords(p)
		out.add(gitlabFinding{
			text, string(p.Kind), print(p.Source + "\x00" + text), "critical",
			gitlabLocation{slashed(p.Source), gitlabLines{max(p.At.Line, 1)}}, gitlabContent{"This could not be read, so that what it would say is not known.\n"},
		})
	}
	for _, f := range s.files {
		for r := range f.found() {
			severity := gitlabSeverities[r.severity]
			switch {
			case !r.counts:
				severity = gitlabNoFailure
			case severity == gitlabNoFailure:
				severity = "minor"
			}
			out.add(gitlabFinding{
				r.sentence(), r.id, print(r.path + "\x00" + r.print + "\x00" + r.realKey), severity,
				gitlabLocation{slashed(r.path), gitlabLines{max(r.at.Line, 1)}}, gitlabContent{s.listOf(r, f)},
			})
		}
	}
	out.close()
	_, err := io.WriteString(out, "\n")
	return err
}

// listOf returns all that is known of a finding, and of its input as a list in Markdown.
func (s sheet) listOf(r result, f file) string {
	about := append([]fact{{"sha256", f.sha256}, {"about", f.about}, {"logs", strings.Join(f.logs, "; ")}}, f.facts...)
	var b strings.Builder
	for _, one := range append(s.detailed(r), known(about)...) {
		text := escaped(strings.Join(strings.Fields(one.text), " "))
		if isAddress(one.text) {
			text = "<" + one.text + ">"
		}
		fmt.Fprintf(&b, "- %s: %s\n", one.name, text)
	}
	return b.String()
}
