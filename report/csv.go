package report

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"regvet/hive"
	"regvet/rules"
)

// csvColumns are the columns of a CSV report, the same for a check and for the linter. More may be added at the end.
var csvColumns = []string{
	"input", "rule", "pack", "severity", "status", "reason", // of a pass and of the linter there is no reason
	"key", "real_key", "value", // as the running system is asked, and where it is in the input
	"type", "observed", "data", // of the value; data is in hex
	"expected", "message", "modified", // last write of the key, UTC
	"line", "column", "offset", // in a .reg file, and in a hive
	"fix", "suppressed_by", "suppression_reason", "title", "fingerprint", "sha256",
	"machine", "host", // the machine that the hive was read as a part of, and the computer's own name
	"notes",                                           // what else there is to know, such as that the hive is dirty and the answer may be an old one
	"logs",                                            // what became of the logs of a dirty hive, with the hashes of those that were applied
	"counts",                                          // whether it is a failure of the run: true or false
	"waived_until",                                    // of a failure that is waived, the last day
	"fix_safety", "fix_because", "restart", "instead", // safe or unsafe, and why; what must be restarted; a remedy that is no change of the registry
	"rationale", "references", "tags", // of the rule
	"history",                                              // what was once set here and then deleted
	"windows", "control_set", "mount", "evidence", "ports", // of the input; evidence is the way to it in an image or archive
	"category", "user", "deleted", // of what an inventory lists, with the status listed
}

// csvTable writes a line with the names of the columns, then one for each finding, and one without a rule for each input that no rule is about.
func csvTable(w io.Writer, s sheet, style Style) error {
	table, err := newCSV(w, csvColumns, style)
	if err != nil {
		return err
	}
	for _, f := range s.files {
		of := map[string]string{
			"sha256": f.sha256, "machine": f.fact("machine"), "host": f.fact("host"), "logs": strings.Join(f.logs, "; "), "windows": f.fact("windows"),
			"control_set": f.fact("control_set"), "mount": f.fact("mount"), "evidence": f.fact("evidence"), "ports": f.fact("ports"),
		}
		row := func(cells map[string]string) {
			maps.Copy(cells, of)
			one := make([]string, len(csvColumns))
			for i, name := range csvColumns {
				one[i] = cells[name]
			}
			table.row(one)
		}
		if f.unasked != "" {
			row(map[string]string{"input": f.path, "status": string(rules.Unknown), "reason": string(rules.NotCovered), "message": f.unasked, "counts": "false"})
		}
		for r := range s.listed(f) {
			t := s.topics[r.topic]
			cells := map[string]string{
				"input": r.path, "rule": r.id, "pack": t.pack, "severity": r.severity, "status": string(r.status), "reason": r.reason,
				"key": r.key, "real_key": r.realKey, "value": r.value, "type": r.kind, "observed": r.observed, "data": r.data,
				"expected": r.expected, "message": r.message, "modified": r.modified,
				"line": number(int64(r.at.Line)), "column": number(int64(r.at.Column)), "offset": number(r.at.Offset),
				"fix": r.remedy(), "title": t.title, "fingerprint": r.print, "notes": strings.Join(r.notes, "; "),
				"counts": strconv.FormatBool(r.counts), "fix_safety": r.safety, "fix_because": r.because, "restart": r.restart, "instead": r.instead,
				"rationale": strings.Join(strings.Fields(t.why), " "), "references": strings.Join(t.references, "; "), "tags": strings.Join(t.tags, "; "),
				"history": strings.Join(r.history, "; "),
			}
			if r.suppressed != nil {
				cells["status"], cells["suppressed_by"], cells["suppression_reason"] = "suppressed", r.suppressed.By, r.suppressed.Reason
			}
			if w := r.waived; w != nil {
				cells["status"] = "waived"
				if !w.Until.IsZero() {
					cells["waived_until"] = w.Until.Format(time.DateOnly)
				}
			}
			row(cells)
		}
	}
	sums := map[string]string{}
	for _, f := range s.files {
		sums[hive.Printable(f.path)] = f.sha256
	}
	err = s.inventory.each(func(l jsonListed) error {
		table.row(l.csvCells(sums[l.Input]))
		return table.Error()
	})
	if err != nil {
		return err
	}
	table.Flush()
	return table.Error()
}

// asText returns what is to stand before a cell so that a spreadsheet takes it for text, and a log of GitHub Actions for no command.
func asText[T string | []byte](cell T) string {
	if len(cell) > 0 && strings.IndexByte("=+-@", cell[0]) >= 0 || len(cell) > 1 && cell[0] == ':' && cell[1] == ':' {
		return "'"
	}
	return ""
}

// rows writes RFC 4180 in UTF-8. Control characters are escaped as in Go, so that a row is one line.
//
// A spreadsheet runs text that starts like a formula, and names and data of a registry can be made to do so. An apostrophe before such a
// cell makes it text. A cell that starts with ::, a command in a log of GitHub Actions, gets one too. The column data has the evidence
// unchanged, as have all fields in JSON.
type rows struct{ *csv.Writer }

// csvMark returns what stands before a table: the byte order mark without which Excel assumes another encoding, unless the style leaves it out
// for programs that would take it for a part of the first name.
func csvMark(style Style) string {
	if style.NoMark {
		return ""
	}
	return "\uFEFF"
}

func newRows(w io.Writer) rows {
	t := rows{csv.NewWriter(w)}
	t.UseCRLF = true
	return t
}

// newCSV begins a table with a line of the names of its columns.
func newCSV(w io.Writer, columns []string, style Style) (rows, error) {
	_, err := io.WriteString(w, csvMark(style))
	table := newRows(w)
	table.row(slices.Clone(columns))
	return table, err
}

// row writes a line. It changes the cells.
func (t rows) row(cells []string) {
	for i, cell := range cells {
		cell = hive.Visible(cell)
		cells[i] = asText(cell) + cell
	}
	_ = t.Write(cells) // the writer keeps its error
}

// number returns n as text, or "" for 0, which is no place.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
