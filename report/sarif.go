package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// sarifLimit is how many results of a run GitHub shows; it refuses a run with more than 25,000:
// https://docs.github.com/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit.
const sarifLimit = 5000

// sarifLog writes the report as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0.
//
// The place of a result is lines and columns in a .reg file, and a byte offset in a hive. Both have key and value as a logical location,
// and the fingerprint depends on these alone, so that a server recognizes a finding. Suppressed findings are included and marked, because a
// server takes a missing finding for a fixed one. If there are more results than GitHub shows, the rules with the most lose some, so that
// none crowds out the others, and a notification says how many each lost.
func sarifLog(w io.Writer, s sheet) error {
	run := sarif.NewRun()
	driver := sarif.NewToolComponent()
	driver.Contents = nil
	driver.Name, driver.Version, driver.InformationURI = ptr("regvet"), ptr(sarifVersion(s.version)), ptr(home())
	driver.FullName = ptr("regvet " + s.version)
	for _, t := range s.topics {
		driver.Rules = append(driver.Rules, sarifRule(t))
	}
	run.Tool = &sarif.Tool{Driver: driver}
	for _, p := range s.run.Packs {
		run.Tool.Extensions = append(run.Tool.Extensions, sarifPack(p))
	}
	run.ColumnKind, run.NewlineSequences = ptr("unicodeCodePoints"), []string{"\r\n", "\n", "\r"}
	run.AutomationDetails = &sarif.RunAutomationDetails{ID: ptr("regvet/" + s.command + "/")}

	invocation := sarif.NewInvocation()
	if s.run.Command != "" {
		invocation.CommandLine = ptr(hive.Printable(s.run.Command))
	}
	if date := s.run.date(); date != "" {
		invocation.StartTimeUtc = &date
	}
	successful := len(s.refused) == 0
	for _, p := range s.refused {
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, sarifProblem(p.Source, p))
	}
	for _, text := range s.left {
		note := sarif.NewNotification()
		note.Level, note.Message = "note", sarifText(text)
		note.Descriptor = &sarif.ReportingDescriptorReference{ID: ptr("left-out"), Index: -1}
		invocation.ToolConfigurationNotifications = append(invocation.ToolConfigurationNotifications, note)
	}
	counts := make([]int, len(s.topics))
	for _, f := range s.files {
		for r := range s.judged(f) {
			counts[r.topic]++
		}
	}
	most, shown := share(counts, sarifLimit), make([]int, len(s.topics))
	artifacts := map[string]int{} // by path; no two of them may be the same
	for _, f := range s.files {
		i, ok := artifacts[f.path]
		if !ok {
			i = len(run.Artifacts)
			artifacts[f.path] = i
			run.Artifacts = append(run.Artifacts, sarifArtifact(f))
		}
		for _, p := range f.problems {
			successful = successful && !p.Loss
			invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, sarifProblem(f.path, p))
		}
		if f.unasked != "" {
			note := sarifProblem(f.path, hive.Problem{Kind: hive.Kind(rules.NotCovered), Msg: f.unasked})
			note.Level = "note"
			invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, note)
		}
		var lines *ruler
		if f.text != nil {
			lines = newRuler(f.text)
		}
		for r := range s.judged(f) {
			if shown[r.topic] < most {
				shown[r.topic]++
				run.Results = append(run.Results, sarifResult(r, f, i, lines))
			}
		}
	}
	for i := range counts {
		if n := counts[i] - shown[i]; n > 0 {
			note := sarif.NewNotification()
			note.Level = "warning"
			note.Descriptor = &sarif.ReportingDescriptorReference{ID: ptr("results-not-shown"), Index: -1}
			note.AssociatedRule = &sarif.ReportingDescriptorReference{ID: ptr(s.topics[i].id), Index: i}
			note.Message = sarifText(fmt.Sprintf("%s of %s not shown, so that the results of all rules are at most %d; --format jsonl has all of them",
				plural(n, "more result"), s.topics[i].id+verb(n), sarifLimit))
			invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, note)
		}
	}
	invocation.ExecutionSuccessful = &successful
	run.Invocations = append(run.Invocations, invocation)

	log := sarif.NewReport()
	log.Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	log.AddRun(run)
	return writeSARIF(w, log)
}

// sarifVersion returns a version in a form that readers of SARIF can compare: it begins with a number.
func sarifVersion(version string) string {
	version = strings.TrimPrefix(version, "v")
	if version == "" || version[0] < '0' || version[0] > '9' {
		return "0.0.0-devel"
	}
	return version
}

// home returns the address of regvet: that of its module if it was built from one that has an address on the web. Else it is the package URL, by
// which registries and bills of materials know a module, for no other address is known to be true: https://github.com/package-url/purl-spec.
func home() string {
	path := "regvet"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Path != "" {
		path = info.Main.Path
	}
	if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") {
		return "https://" + path
	}
	return "pkg:golang/" + path
}

func verb(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// share returns how many results of each rule are kept, the first ones, so that they are at most limit together: all of the rules with few results, and of
// each other rule the same number. counts are the numbers of results.
func share(counts []int, limit int) (most int) {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	most = limit
	counts = slices.Sorted(slices.Values(counts))
	for i, room := 0, limit; i < len(counts) && sum > limit; i++ {
		most = room / (len(counts) - i)
		if counts[i] > most {
			break
		}
		room -= counts[i]
	}
	return most
}

func sarifArtifact(f file) *sarif.Artifact {
	a := sarif.NewArtifact()
	a.Location, a.Length = sarifFile(f.path, -1), int(f.size)
	a.Hashes = map[string]string{"sha-256": f.sha256}
	a.Roles = []string{"analysisTarget"}
	if len(f.facts) > 0 {
		a.Properties = sarif.NewPropertyBag()
		for _, one := range f.facts {
			a.Properties.Add(one.name, one.text)
		}
	}
	a.Description = sarifText(strings.Join(append([]string{f.about}, f.logs...), "\n"))
	return a
}

// sarifPack returns a pack of rules. The rules themselves are those of the driver, where GitHub looks for them.
func sarifPack(p RunPack) *sarif.ToolComponent {
	c := sarif.NewToolComponent()
	c.Contents = []string{"localizedData", "nonLocalizedData"}
	c.Name = ptr(hive.Printable(p.Name))
	c.Properties = sarif.NewPropertyBag().Add("sha256", p.SHA256).Add("rules", p.Rules)
	return c
}

// sarifRule returns what a rule or a check looks for, and why.
func sarifRule(t topic) *sarif.ReportingDescriptor {
	d := sarif.NewReportingDescriptor()
	d.ID = &t.id
	if t.name != t.id {
		d.Name = &t.name
	}
	d.ShortDescription = &sarif.MultiformatMessageString{Text: &t.title}
	d.FullDescription = &sarif.MultiformatMessageString{Text: ptr(cmp.Or(t.why, t.title))}
	text := cmp.Or(t.why, t.title)
	var paragraphs []string
	for line := range strings.SplitSeq(text, "\n") {
		paragraphs = append(paragraphs, escaped(line))
	}
	marked := strings.Join(paragraphs, "\n")
	for _, example := range []struct{ name, text string }{{"Found in", t.bad}, {"Put right", t.good}} {
		if example.text != "" {
			text += "\n\n" + example.name + ":\n\n" + example.text
			marked += "\n\n" + example.name + ":\n\n" + fenced(example.text)
		}
	}
	if len(t.references) > 0 {
		text += "\n\nSee:"
		marked += "\n\nSee:\n"
	}
	for _, reference := range t.references {
		text += "\n- " + reference
		if isAddress(reference) {
			marked += "\n- <" + reference + ">"
			if d.HelpURI == nil {
				d.HelpURI = &reference
			}
		} else {
			marked += "\n- " + escaped(reference)
		}
	}
	d.Help = &sarif.MultiformatMessageString{Text: &text, Markdown: &marked}
	d.DefaultConfiguration = sarif.NewReportingConfiguration()
	d.DefaultConfiguration.Level = t.level
	d.Properties = sarif.NewPropertyBag().Add("severity", t.severity).WithTags(t.tags)
	if t.score != "" {
		d.Properties.Add("security-severity", t.score)
	}
	return d
}

func isAddress(s string) bool {
	return (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " <>")
}

// fenced returns a code block.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "reg\n" + strings.TrimRight(text, "\n") + "\n" + fence
}

func sarifResult(r result, f file, index int, lines *ruler) *sarif.Result {
	out := sarif.NewResult()
	out.RuleID, out.RuleIndex = &r.id, r.topic
	out.Level, out.Kind = r.alert(), "fail"
	switch {
	case r.status == rules.Pass:
		out.Kind = "pass"
	case r.reason == string(rules.NotApplicable):
		out.Kind = "notApplicable"
	case r.status == rules.Unknown:
		out.Kind = "open"
	}
	out.Message = sarifText(r.sentence()) // GitHub shows no logical locations
	out.PartialFingerprints = map[string]string{"regvet/v1": r.print}
	if r.baseline != "" {
		out.BaselineState = &r.baseline
	}

	place := sarif.NewLocation()
	if r.path != f.path {
		index = -1 // it is about the machine of several hives
	}
	place.PhysicalLocation = &sarif.PhysicalLocation{ArtifactLocation: sarifFile(r.path, index), Region: sarifRegion(r)}
	if place.PhysicalLocation.Region == nil {
		place.PhysicalLocation.Region = sarifWhole(f, index)
	}
	if r.line != "" && r.end.Line == r.at.Line { // the region around the place must contain all of it
		place.PhysicalLocation.ContextRegion = sarif.NewRegion()
		place.PhysicalLocation.ContextRegion.StartLine = &r.at.Line
		place.PhysicalLocation.ContextRegion.Snippet = &sarif.ArtifactContent{Text: &r.line}
	}
	if r.about == lint.AKey || r.about == lint.AValue {
		logical := sarif.NewLogicalLocation()
		name := r.realKey
		logical.Kind = ptr(string(r.about))
		if r.about == lint.AValue {
			name += `\` + r.value
			logical.Name = ptr(rules.ValueName(r.value))
		} else {
			logical.Name = ptr(name[strings.LastIndexByte(name, '\\')+1:])
		}
		logical.FullyQualifiedName = &name
		place.LogicalLocations = append(place.LogicalLocations, logical)
	}
	out.Locations = append(out.Locations, place)

	if fix := sarifFix(r, lines, index); fix != nil {
		out.Fixes = append(out.Fixes, fix)
	}
	if r.suppressed != nil {
		kind := "external"
		if r.suppressed.By == "comment" {
			kind = "inSource"
		}
		one := &sarif.Suppression{Kind: &kind, Status: ptr("accepted")}
		if r.waived != nil {
			one.Justification = ptr(r.accepted())
			if !r.waived.Until.IsZero() {
				one.Properties = sarif.NewPropertyBag().Add("until", r.waived.Until.Format(time.DateOnly))
			}
		} else if r.suppressed.Reason != "" {
			one.Justification = ptr(hive.Printable(r.suppressed.Reason))
		}
		out.Suppressions = append(out.Suppressions, one)
	}
	out.Properties = sarif.NewPropertyBag()
	for _, p := range []struct{ name, text string }{
		{"severity", r.severity}, {"reason", r.reason}, {"key", r.key}, {"observedType", r.kind}, {"observed", r.observed}, {"observedData", r.data},
		{"expected", r.expected}, {"modified", r.modified}, {"fix", r.fix}, {"fixSafety", r.safety},
		{"unsafe", r.because}, {"restart", r.restart}, {"fixNote", r.fixNote}, {"alternative", r.instead},
	} {
		if p.text != "" {
			out.Properties.Add(p.name, p.text)
		}
	}
	if len(r.notes) > 0 {
		out.Properties.Add("notes", r.notes)
	}
	if len(r.history) > 0 {
		out.Properties.Add("history", r.history)
	}
	return out
}

// sarifRegion returns where in its file a result is, or nil.
func sarifRegion(r result) *sarif.Region {
	region := sarif.NewRegion()
	switch {
	case r.at.Line > 0:
		region.StartLine, region.StartColumn = &r.at.Line, &r.at.Column
		if r.end.Line > 0 {
			region.EndLine, region.EndColumn = &r.end.Line, &r.end.Column
		}
	case r.at.Offset > 0:
		region.ByteOffset = int(r.at.Offset)
	default:
		return nil
	}
	return region
}

// sarifWhole returns all of a file, for a result that has no place in it, or the beginning of what is no file.
func sarifWhole(f file, index int) *sarif.Region {
	region := sarif.NewRegion()
	region.ByteOffset, region.ByteLength = 0, new(int)
	if index >= 0 {
		region.ByteLength = ptr(int(f.size))
	}
	return region
}

// sarifFix returns the changes of the file that fix a result, or nil if there are none or the text is unknown. The fix of a hive is no
// change of a file; the property fix has it.
func sarifFix(r result, lines *ruler, index int) *sarif.Fix {
	if len(r.changes) == 0 || lines == nil {
		return nil
	}
	change := sarif.NewArtifactChange()
	change.ArtifactLocation = sarifFile(r.path, index)
	for _, c := range r.changes {
		if c.From < 0 || c.To < c.From || c.To > int64(len(lines.text)) {
			return nil
		}
		from, to := lines.place(c.From), lines.place(c.To)
		region := sarif.NewRegion()
		region.StartLine, region.StartColumn, region.EndLine, region.EndColumn = &from.Line, &from.Column, &to.Line, &to.Column
		change.Replacements = append(change.Replacements, &sarif.Replacement{
			DeletedRegion: region, InsertedContent: &sarif.ArtifactContent{Text: ptr(hive.Printable(c.New))},
		})
	}
	fix := sarif.NewFix()
	fix.Description = sarifText(r.fix)
	fix.ArtifactChanges = append(fix.ArtifactChanges, change)
	fix.Properties = sarif.NewPropertyBag().Add("safety", r.safety)
	return fix
}

// sarifProblem returns what went wrong with an input.
func sarifProblem(path string, p hive.Problem) *sarif.Notification {
	n := sarif.NewNotification()
	n.Level = "warning"
	if p.Loss || p.Kind == hive.Unreadable {
		n.Level = "error"
	}
	n.Descriptor = &sarif.ReportingDescriptorReference{ID: ptr(string(p.Kind)), Index: -1}
	n.Message = sarifText(p.Msg)
	l := sarif.NewLocation()
	l.PhysicalLocation = &sarif.PhysicalLocation{ArtifactLocation: sarifFile(path, -1), Region: sarifRegion(result{at: p.At})}
	n.Locations = append(n.Locations, l)
	return n
}

// sarifFile returns the URI of a file: a relative one if the user gave a relative path. The index is that of its artifact, or -1.
func sarifFile(path string, index int) *sarif.ArtifactLocation {
	slashes := filepath.ToSlash(path)
	u := url.URL{Path: slashes}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
		if !strings.HasPrefix(slashes, "/") {
			u.Path = "/" + slashes // of a drive
		}
	}
	return &sarif.ArtifactLocation{URI: ptr(u.String()), Index: index}
}

func sarifText(s string) *sarif.Message { return &sarif.Message{Text: ptr(hive.Printable(s))} }

func ptr[T any](v T) *T { return &v }

// writeSARIF writes a log without defaults. The library writes all that SARIF has, most of it as empty lists and -1, which makes it three
// times as long.
func writeSARIF(w io.Writer, log *sarif.Report) error {
	data, err := json.Marshal(log)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return err
	}
	prune(all)
	return writeJSON(w, all)
}

// prune removes empty lists and objects, nulls and -1. An empty list of results stays: without it, the run would not have happened.
func prune(v any) (empty bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if prune(inner) && name != "results" && name != "rules" {
				delete(v, name)
			}
		}
		return len(v) == 0
	case []any:
		for _, inner := range v {
			prune(inner)
		}
		return len(v) == 0
	case json.Number:
		return v == "-1"
	}
	return v == nil
}

// ruler finds lines and columns in a text.
type ruler struct {
	text   []byte
	starts []int // of the lines
}

func newRuler(text []byte) *ruler {
	r := &ruler{text, []int{0}}
	for i, c := range text {
		if c == '\n' || c == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			r.starts = append(r.starts, i+1)
		}
	}
	return r
}

// place returns the line and column of a byte.
func (r *ruler) place(offset int64) hive.Location {
	at := int(offset)
	line, found := slices.BinarySearch(r.starts, at)
	if !found {
		line--
	}
	return hive.Location{Line: line + 1, Column: utf8.RuneCountInString(hive.Printable(string(r.text[r.starts[line]:at]))) + 1}
}
