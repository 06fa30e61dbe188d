package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/foreign"
)

// sourceTexts returns for people where a rule stands in files for other programs.
func sourceTexts(r *rules.Rule) (all []string) {
	for _, s := range r.Sources {
		all = append(all, hive.Visible(hive.Printable(s.String())))
	}
	return all
}

// ImportCounts returns for people what became of the rules of a file.
func ImportCounts(s *foreign.Source) string {
	return fmt.Sprintf("of %s, %d are whole rules here, %d in part, %d none", plural(len(s.Rows), "rule"), s.Count(foreign.Whole), s.Count(foreign.Part), s.Count(foreign.None))
}

// Imports writes for people what became of the rules of some files: a line for each file, and below it one for each rule that is not whole.
func Imports(w io.Writer, sources []*foreign.Source) error {
	var b bytes.Buffer
	for _, s := range sources {
		fmt.Fprintf(&b, "%s (%s): %s\n", hive.Visible(s.Path), s.Format, ImportCounts(s))
		for _, note := range s.Notes {
			fmt.Fprintf(&b, "  note: %s\n", hive.Visible(note))
		}
		for _, r := range s.Rows {
			if r.Outcome() == foreign.Whole {
				continue
			}
			place := ""
			if r.Line > 0 {
				place = fmt.Sprintf("%s %d: ", s.Unit, r.Line)
			}
			fmt.Fprintf(&b, "  %s%s: %s: %s\n", place, hive.Visible(strings.TrimSpace(r.ID+" "+r.Title)), importWords[r.Outcome()], hive.Visible(strings.Join(r.Lacks, "; ")))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

var importWords = map[foreign.Outcome]string{foreign.Part: "in part", foreign.None: "no rule"}

type jsonImport struct {
	SchemaVersion string           `json:"schema_version"`
	Files         []jsonImportFile `json:"files"`
}

type jsonImportFile struct {
	Path   string          `json:"path"`
	Format string          `json:"format"`
	Title  string          `json:"title,omitempty"`
	Notes  []string        `json:"notes,omitempty"`
	Whole  int             `json:"whole"`
	Part   int             `json:"part"`
	None   int             `json:"none"`
	Rules  []jsonImportRow `json:"rules"`
}

type jsonImportRow struct {
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	Line    int             `json:"line,omitempty"`
	Outcome foreign.Outcome `json:"outcome"`
	Rules   []string        `json:"rules"` // what they are called in the pack
	Lacks   []string        `json:"lacks,omitempty"`
}

// ImportsJSON writes what [Imports] does for programs, whole rules included.
func ImportsJSON(w io.Writer, sources []*foreign.Source) error {
	out := jsonImport{SchemaVersion: schemaVersion, Files: []jsonImportFile{}}
	for _, s := range sources {
		file := jsonImportFile{
			Path: hive.Printable(s.Path), Format: s.Format, Title: hive.Printable(s.Title), Rules: []jsonImportRow{},
			Whole: s.Count(foreign.Whole), Part: s.Count(foreign.Part), None: s.Count(foreign.None),
		}
		for _, note := range s.Notes {
			file.Notes = append(file.Notes, hive.Printable(note))
		}
		for _, r := range s.Rows {
			row := jsonImportRow{ID: hive.Printable(r.ID), Title: hive.Printable(r.Title), Line: r.Line, Outcome: r.Outcome(), Rules: []string{}}
			for _, rule := range r.Rules {
				row.Rules = append(row.Rules, rule.ID)
			}
			for _, why := range r.Lacks {
				row.Lacks = append(row.Lacks, hive.Printable(why))
			}
			file.Rules = append(file.Rules, row)
		}
		out.Files = append(out.Files, file)
	}
	return writeJSON(w, out)
}

// Exports writes for people what became of rules in the files of another program: a line for all, and below it one for each rule that is not whole.
func Exports(w io.Writer, x *foreign.Exported, files []string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s (%s): of %s, %d are said whole, %d in part, %d not\n", hive.Visible(cmp.Or(strings.Join(files, " and "), "standard output")), x.Format, plural(len(x.Rows), "rule"), x.Count(foreign.Whole), x.Count(foreign.Part), x.Count(foreign.None))
	for _, r := range x.Rows {
		why := hive.Visible(strings.Join(r.Lacks, "; "))
		switch r.Outcome {
		case foreign.Part:
			fmt.Fprintf(&b, "  %s: in part: it leaves out %s\n", r.Rule.ID, why)
		case foreign.None:
			fmt.Fprintf(&b, "  %s: not said: %s\n", r.Rule.ID, why)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

type jsonExport struct {
	SchemaVersion string           `json:"schema_version"`
	Format        string           `json:"format"`
	Files         []string         `json:"files"`
	Whole         int              `json:"whole"`
	Part          int              `json:"part"`
	None          int              `json:"none"`
	Rules         []jsonExportRule `json:"rules"`
}

type jsonExportRule struct {
	ID      string          `json:"id"`
	Outcome foreign.Outcome `json:"outcome"`
	Lacks   []string        `json:"lacks,omitempty"`
}

// ExportsJSON writes what [Exports] does for programs, whole rules included.
func ExportsJSON(w io.Writer, x *foreign.Exported, files []string) error {
	out := jsonExport{
		SchemaVersion: schemaVersion, Format: x.Format, Files: []string{}, Rules: []jsonExportRule{},
		Whole: x.Count(foreign.Whole), Part: x.Count(foreign.Part), None: x.Count(foreign.None),
	}
	for _, name := range files {
		out.Files = append(out.Files, hive.Printable(name))
	}
	for _, r := range x.Rows {
		row := jsonExportRule{ID: r.Rule.ID, Outcome: r.Outcome}
		for _, why := range r.Lacks {
			row.Lacks = append(row.Lacks, hive.Printable(why))
		}
		out.Rules = append(out.Rules, row)
	}
	return writeJSON(w, out)
}
