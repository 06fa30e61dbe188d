package report

import (
	"bytes"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"regvet/hive"
	"regvet/internal/safetext"
)

// Parquet is the name of a format of tables, see [Tables] and [Timeline]. It is not one of [FormatNames], because a report is several files in it.
const Parquet = "parquet"

// TableFiles are the names of the files of a report in tables, in the order in which [NewTables] takes them.
var TableFiles = []string{"findings.parquet", "inputs.parquet"}

// Tables writes a report as tables in Parquet while it is made: a row for each finding, and a row for each input and for what could not be read.
type Tables struct {
	report   Report
	count    tally
	findings *rowWriter[findingRow]
	inputs   *rowWriter[inputRow]
}

// NewTables begins a report. Its inputs follow one by one, see [Tables.Input].
func NewTables(findings, inputs io.Writer, r Report) *Tables {
	return &Tables{r, tally{}, newRowWriter[findingRow](findings, r.Version, r.Run), newRowWriter[inputRow](inputs, r.Version, r.Run)}
}

// Input writes an input and its findings.
func (t *Tables) Input(in Input) {
	t.count.addAll(in)
	t.inputs.add(inputRowOf(in))
	for _, f := range in.all() {
		if t.report.lists(f) {
			t.findings.add(findingRowOf(f, t.report.findingJSON(in, f)))
		}
	}
}

// Done ends the group of the inputs since the last, of which refused could not be read at all.
func (t *Tables) Done(_ string, _, _ int, refused []hive.Problem) {
	for _, p := range refused {
		t.inputs.add(refusedRowOf(p))
	}
}

// Close writes what else could not be read, and what is known of the run as a whole, and returns the first error of all writes.
func (t *Tables) Close(refused []hive.Problem) error {
	for _, p := range refused {
		t.inputs.add(refusedRowOf(p))
	}
	about := map[string]any{"regvet.summary": summaryJSON(t.report, t.count)}
	if c := choicesJSON(t.report.Choices); c != nil {
		about["regvet.config"] = c
	}
	err := t.findings.close(about)
	if e := t.inputs.close(about); err == nil {
		err = e
	}
	return err
}

// A group of rows is what a writer holds, and a reader reads at a time. It ends where one of the two is reached.
const (
	mostGroupRows  = 1 << 16
	mostGroupBytes = 8 << 20 // encoded, and before that of what is not yet
)

// rowWriter writes rows as a file in Parquet. The same rows of the same run give the same bytes.
type rowWriter[T any] struct {
	w     *parquet.GenericWriter[T]
	rows  int   // in the group that is not written yet
	begun int64 // the size of the file where that group begins
	err   error
}

// newRowWriter begins a table. Its metadata has, as the key "regvet", what the first line of a report in JSON lines has.
func newRowWriter[T any](w io.Writer, version string, run Run) *rowWriter[T] {
	start := jsonText(jsonStart{schemaVersion, jsonTool{"regvet", version}, runJSON(run)})
	// Statistics of pages would hold long values four times more. Those of groups and the index of pages serve readers, too.
	return &rowWriter[T]{w: parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Snappy), parquet.DataPageStatistics(false),
		&parquet.WriterConfig{CreatedBy: "regvet version " + version, KeyValueMetadata: map[string]string{"regvet": start}})}
}

func (t *rowWriter[T]) add(row T) {
	if t.err != nil {
		return
	}
	if _, t.err = t.w.Write([]T{row}); t.err != nil {
		return
	}
	if t.rows++; t.rows == mostGroupRows || t.w.Size()-t.begun >= mostGroupBytes {
		t.err = t.w.Flush()
		t.rows, t.begun = 0, t.w.Size()
		// The library keeps the first bytes of the bounds of each page until the end, and the whole of them with that.
		for _, index := range t.w.File().ColumnIndexes() {
			for i := range index.MinValues {
				index.MinValues[i], index.MaxValues[i] = bytes.Clone(index.MinValues[i]), bytes.Clone(index.MaxValues[i])
			}
		}
	}
}

// close ends the file with more metadata, each value as JSON, and returns the first error.
func (t *rowWriter[T]) close(about map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(about)) {
		t.w.SetKeyValueMetadata(key, jsonText(about[key]))
	}
	if err := t.w.Close(); t.err == nil {
		t.err = err
	}
	return t.err
}

// jsonText returns a value of this package as JSON, whose types always can be.
func jsonText(v any) string {
	var b strings.Builder
	_ = safetext.NewEncoder(&b).Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// textOrNull is [orNull] for text, which in Parquet must be UTF-8.
func textOrNull[T ~string](text T) *string { return orNull(hive.Printable(string(text))) }

// listOf returns no nil, which would be null.
func listOf(all []string) []string { return append([]string{}, printables(all)...) }

// The earliest and the latest time that a column can hold, which counts nanoseconds from 1970: in 1677 and in 2262.
var earliestNanosecond, latestNanosecond = time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)

// timeOrNull returns nil for no time, and for one that a column cannot hold.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() || t.Before(earliestNanosecond) || t.After(latestNanosecond) {
		return nil
	}
	return &t
}

// dayOrNull returns the number of days from 1970-01-01 to a day, or nil for none.
func dayOrNull(t time.Time) *int32 {
	if t.IsZero() {
		return nil
	}
	const day = 24 * 60 * 60
	return new(int32(t.Unix() / day))
}

// rowsOf returns a row for each element, and no nil, which would be null.
func rowsOf[T, R any](all []T, row func(T) R) []R {
	rows := make([]R, 0, len(all))
	for _, v := range all {
		rows = append(rows, row(v))
	}
	return rows
}

// placeOf returns the parts of a location.
func placeOf(l *jsonLocation) (offset, line, column *int64) {
	if l == nil {
		return nil, nil, nil
	}
	return l.Offset, orNull(int64(l.Line)), orNull(int64(l.Column))
}
