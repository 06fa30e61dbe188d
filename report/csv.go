package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

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
	"notes",                       // what else there is to know, such as that the hive is dirty and the answer may be an old one
	"logs",                        // what became of the logs of a dirty hive, with the hashes of those that were applied
	"category", "user", "deleted", // of what an inventory lists, with the status listed
}

// csvTable writes a line with the names of the columns, then one for each finding, and one without a rule for each input that no rule is about.
func csvTable(w io.Writer, s sheet) error {
	table, err := newCSV(w, csvColumns)
	if err != nil {
		return err
	}
	for _, f := range s.files {
		if f.unasked != "" {
			cells := make([]string, len(csvColumns))
			for name, text := range map[string]string{
				"input": f.path, "status": string(rules.Unknown), "reason": string(rules.NotCovered), "message": f.unasked,
				"sha256": f.sha256, "machine": f.machine, "host": f.host, "logs": strings.Join(f.logs, "; "),
			} {
				cells[slices.Index(csvColumns, name)] = text
			}
			table.row(cells)
		}
		for _, r := range s.listed(f) {
			status, by, why := string(r.status), "", ""
			if r.suppressed != nil {
				status, by, why = "suppressed", r.suppressed.By, r.suppressed.Reason
			}
			table.row([]string{
				r.path, r.id, s.topics[r.topic].pack, r.severity, status, r.reason,
				r.key, r.realKey, r.value,
				r.kind, r.observed, r.data,
				r.expected, r.message, r.modified,
				number(int64(r.at.Line)), number(int64(r.at.Column)), number(r.at.Offset),
				r.remedy(), by, why, s.topics[r.topic].title, r.print, f.sha256,
				f.machine, f.host,
				strings.Join(r.notes, "; "), strings.Join(f.logs, "; "),
				"", "", "",
			})
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

// rows writes RFC 4180. It is UTF-8 with the byte order mark without which Excel would assume another encoding. Control characters are
// escaped as in Go, so that a row is one line.
//
// A spreadsheet runs text that starts like a formula, and names and data of a registry can be made to do so. An apostrophe before such a
// cell makes it text. A cell that starts with ::, a command in a log of GitHub Actions, gets one too. The column data has the evidence
// unchanged, as have all fields in JSON.
type rows struct{ *csv.Writer }

// csvMark begins a table.
const csvMark = "\uFEFF"

func newRows(w io.Writer) rows {
	t := rows{csv.NewWriter(w)}
	t.UseCRLF = true
	return t
}

// newCSV begins a table with a line of the names of its columns.
func newCSV(w io.Writer, columns []string) (rows, error) {
	_, err := io.WriteString(w, csvMark)
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
