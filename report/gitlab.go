package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// gitlabFinding is one finding in the form that GitLab's code quality reports have: https://docs.gitlab.com/ci/testing/code_quality.
type gitlabFinding struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
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

// gitlab writes the findings for GitLab's code quality. A fingerprint must be the only one of its kind in the report, or GitLab shows
// one finding for two; it still tells the same finding in two reports. A hive has no lines, and GitLab needs one: it is the first.
func gitlab(w io.Writer, s sheet) error {
	out := []gitlabFinding{}
	seen := map[string]int{}
	for _, f := range s.files {
		for _, r := range f.failed() {
			same := r.path + "\x00" + r.print + "\x00" + r.realKey
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", same, seen[same]))
			seen[same]++
			out = append(out, gitlabFinding{
				r.sentence(), r.id, hex.EncodeToString(sum[:16]), gitlabSeverities[r.severity],
				gitlabLocation{slashed(r.path), gitlabLines{max(r.at.Line, 1)}},
			})
		}
	}
	return writeJSON(w, out)
}
