package report

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"regvet/hive"
)

// pastColumns are the columns of the past of settings as CSV. More may be added at the end.
var pastColumns = []string{
	"input", "rule", "asked", "value", // what was asked for
	"state", "log", "entry", "same", "until", // same is the number of later states that are the same, and until the last of them
	"status", "reason", "type", "observed", "data", // of the value; data is in hex
	"key", "current", "modified", // where the key is, whether that is in the current control set, and its last write, UTC
	"place", "offset", "line",
	"base_written", "sequence1", "sequence2", // of the base block of the hive
	"message", "notes",
	"created", // when the shadow copy was created, UTC
}

// PastCSV writes the past of settings as CSV, one line for each row.
func PastCSV(w io.Writer, past Past, style Style) error {
	table, err := newCSV(w, pastColumns, style)
	if err != nil {
		return err
	}
	for _, s := range past.Settings {
		for _, r := range s.Rows {
			table.row(r.cells(s))
		}
	}
	table.Flush()
	return table.Error()
}

// cells returns the row in the columns of CSV.
func (r PastRow) cells(s Setting) []string {
	var rule, name, entry, until, current, kind, text, data, sequence1, sequence2 string
	if s.Rule != nil {
		rule = s.Rule.ID
	}
	if !s.AboutKey {
		name = hive.Printable(r.Value)
	}
	if r.Log != "" {
		entry = strconv.FormatUint(uint64(r.Entry), 10)
	}
	if r.Until != nil {
		until = r.Until.label()
	}
	if r.Current != nil {
		current = strconv.FormatBool(*r.Current)
	}
	if v := r.Observed; v != nil {
		kind = v.Type.String()
		if !v.Short {
			text, data = hive.Printable(v.Display()), hex.EncodeToString(v.Data)
		}
	}
	if h := r.Header; h != nil {
		sequence1, sequence2 = fmt.Sprint(h.Sequence1), fmt.Sprint(h.Sequence2)
	}
	return []string{
		s.Input, rule, hive.Printable(s.Key.String()), name,
		r.state(), r.Log, entry, strconv.Itoa(r.Same), until,
		r.Status, r.Reason, kind, text, data,
		hive.Printable(r.Key.String()), current, r.written(),
		r.Place, number(r.At.Offset), number(int64(r.At.Line)),
		r.base(), sequence1, sequence2,
		r.Message, strings.Join(r.Notes, "; "),
		r.created(),
	}
}
