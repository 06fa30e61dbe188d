package report

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/evidence"
	"regvet/rules"
	"regvet/rules/ports"
)

// knownFact is something that a report may know, and a word that stands for it in [factsReport] and for nothing else.
type knownFact struct{ name, word string }

// knownFacts are all that a report can know, in the order of docs/formats.md.
var knownFacts = []knownFact{
	{"version of regvet", "9.8.7"}, {"date of the run", "2005-11-11T"}, {"command line", "zzcommand"}, {"packs that ran", "zzpackname"}, {"hash of a pack", "zzpackhash"},
	{"input", "zzinput"}, {"SHA-256 of the input", "zzinputhash"}, {"way to it in an image", "zzserial"}, {"where it is mounted", "zzmount"}, {"state of an earlier time", "zzstate"},
	{"machine", "zzmachine"}, {"host", "zzhost"}, {"Windows", "10.0.19045"}, {"edition", "zzedition"}, {"evidence of the Windows", "zzevidence"}, {"control set", "zzset"}, {"other control sets", "zzotherset"},
	{"time zone", "zztimezone"}, {"last shutdown", "2002-03-04T"}, {"user", "zzuser"}, {"form of its text", "zztext"}, {"what names the host", "zznamed"},
	{"logs applied", "zzlog"}, {"hash of a log", "zzloghash"}, {"ports", "zzports"}, {"damage", "zzdamage"}, {"what could not be read", "zzgone"},
	{"rule", "ZZ-RULE"}, {"pack", "zzrulepack"}, {"title", "zztitle"}, {"rationale", "zzrationale"}, {"references", "https://example.org/zzreference"}, {"tags", "zztag"},
	{"severity", "critical"}, {"reason", "wrong-type"}, {"key in the input", "zzrealkey"}, {"key as it is asked for", "zzaskedkey"}, {"value", "zzvalue"}, {"type and data", "zzobserved"}, {"data in hex", "7a007a006f00"},
	{"expected", "zzexpected"}, {"message", "zzmessage"}, {"notes", "zznote"}, {"history", "zzpast"}, {"last write of the key", "2001-02-03T"}, {"place in the input", "0x7b8"},
	{"fix", "zzfixvalue"}, {"whether the fix is safe, and why not", "zzbecause"}, {"restart", "zzrestart"}, {"remedy without the registry", "zzinstead"}, {"fingerprint", ""}, {"waived: reason", "zzwaived"}, {"waived: last day", "2031-05-06"},
}

// noPlace are the facts that a format to programs has no place for: compact is one line for each finding, an annotation is read beside a line, a table and
// GitLab's list have no place for what is not about a finding.
var noPlace = map[string][]string{
	"json": {}, "jsonl": {}, "sarif": {}, "junit": {}, Parquet: {},
	"csv":    {"other control sets", "time zone", "last shutdown", "user", "form of its text", "what names the host", "version of regvet", "date of the run", "command line", "packs that ran", "hash of a pack", "state of an earlier time", "evidence of the Windows", "damage", "what could not be read"},
	"gitlab": {"version of regvet", "date of the run", "command line", "packs that ran", "hash of a pack"},
	"github": {"other control sets", "time zone", "last shutdown", "user", "form of its text", "what names the host", "waived: reason", "waived: last day", "version of regvet", "date of the run", "command line", "packs that ran", "hash of a pack", "SHA-256 of the input", "way to it in an image", "state of an earlier time",
		"machine", "host", "Windows", "edition", "evidence of the Windows", "control set", "logs applied", "hash of a log", "ports", "pack", "title", "rationale", "tags", "reason",
		"key as it is asked for", "type and data", "data in hex", "last write of the key", "fingerprint"},
	"compact": {"other control sets", "time zone", "last shutdown", "user", "form of its text", "what names the host", "version of regvet", "date of the run", "command line", "packs that ran", "hash of a pack", "SHA-256 of the input", "way to it in an image", "state of an earlier time",
		"machine", "host", "Windows", "edition", "evidence of the Windows", "control set", "logs applied", "hash of a log", "ports", "damage", "what could not be read", "pack", "title", "rationale", "references", "tags", "severity", "reason",
		"key as it is asked for", "type and data", "data in hex", "expected", "notes", "history", "last write of the key", "fix", "whether the fix is safe, and why not", "restart", "remedy without the registry", "fingerprint", "value"},
}

// factsReport returns a report that knows everything: a failure, and another one that is waived.
func factsReport() Report {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	text := func(s string) []byte { return append(hive.EncodeUTF16(s), 0, 0) }
	asked, real := hive.Path{"HKEY_LOCAL_MACHINE", "zzaskedkey"}, hive.Path{"zzmount", "zzrealkey"}
	failed := rules.Finding{
		Rule:   &rules.Rule{ID: "ZZ-RULE", Pack: "zzrulepack", Title: "zztitle", Rationale: "zzrationale", References: []string{"https://example.org/zzreference"}, Tags: []string{"zztag"}},
		Status: rules.Fail, Reason: rules.WrongType, Severity: rules.Critical, Key: asked, RealKey: real, Value: "zzvalue",
		Observed: &hive.Value{Name: "zzvalue", Type: hive.SZ, Data: text("zzobserved")}, At: hive.Location{Offset: 0x7b8}, Modified: when,
		Expected: "zzexpected", Message: "zzmessage", Notes: []string{"zznote"}, Alternative: "zzinstead",
		History: []rules.Past{{Value: hive.Value{Name: "zzvalue", Type: hive.SZ, Data: text("zzpast")}, Modified: time.Unix(0, 0)}},
		Fix:     &rules.Fix{Because: "zzbecause", Restart: "service zzrestart", Steps: []rules.Step{{Edit: hive.Edit{Op: hive.SetValue, Path: asked, Value: hive.DWordValue("zzfixvalue", 1)}}}},
	}
	waived := failed
	waived.Waived = &rules.Waiver{Reason: "zzwaived", Until: time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)}
	v := hive.Version{Major: 10, Build: 19045}
	in := Input{Findings: []rules.Finding{failed, waived}, Input: collection.Input{
		Path: "zzinput", Format: "regf", SHA256: "zzinputhash", Size: 4096, Host: "zzhost", Mount: hive.Path{"zzmount"}, State: "zzstate", Dirty: true,
		Machine: &collection.Machine{Name: "zzmachine", Hives: 1}, Logs: []collection.Log{{LogUse: hive.LogUse{Name: "zzlog", Entries: 1, First: 1, Last: 1}, SHA256: "zzloghash"}},
		Windows:  hive.Windows{AtLeast: v, Below: hive.Version{Major: 10, Build: 19046}, Edition: "zzedition", Evidence: []string{"zzevidence"}},
		Evidence: []evidence.Step{{Kind: "ntfs", Serial: "zzserial"}}, ControlSets: []hive.ControlSet{{Name: "zzset"}}, OtherSets: []string{"zzotherset"},
		TimeZone: "zztimezone", Shutdown: time.Date(2002, 3, 4, 5, 6, 7, 0, time.UTC), User: "zzuser", Text: "zztext", HostBy: "zznamed",
		Problems: []hive.Problem{{Source: "zzinput", Kind: hive.BadCell, Msg: "zzdamage", Loss: true}},
	}}
	in.Ports = []ports.Answer{{ControlSet: "zzset", Windows: ports.SinceVista, Why: "zzports"}}
	return Report{
		Version: "9.8.7", Run: Run{time.Date(2005, 11, 11, 0, 0, 0, 0, time.UTC), "zzcommand", []RunPack{{"zzpackname", "zzpackhash", 1}}},
		Rules: []*rules.Rule{failed.Rule}, Inputs: []Input{in}, Refused: []hive.Problem{{Source: "zzgone", Kind: hive.Unreadable, Msg: "zzgone"}},
	}
}

// holdsFact reports whether a format says what a report knows.
func holdsFact(out []byte, f knownFact, fingerprint string) bool {
	words := []string{f.word}
	switch f.name {
	case "fingerprint":
		words = []string{fingerprint}
	case "severity":
		words = []string{"critical", "CRITICAL"}
	case "place in the input":
		words = append(words, "1976")
	}
	return slices.ContainsFunc(words, func(w string) bool {
		return bytes.Contains(out, []byte(w)) || bytes.Contains(out, []byte(escaped(w))) || bytes.Contains(out, []byte(strings.ReplaceAll(w, ":", "%3A")))
	})
}

const formatsPage = "../docs/formats.md"

// TestFacts requires that each format to programs says all that a report knows, except for what it has no place for, and that the table in
// docs/formats.md says of each format what it has.
func TestFacts(t *testing.T) {
	r := factsReport()
	fingerprint := r.Inputs[0].Findings[0].Fingerprint()
	formats := append(FormatNames(), Parquet)
	table := []string{"| fact | " + strings.Join(formats, " | ") + " |", "|---" + strings.Repeat("|---", len(formats)) + "|"}
	out := map[string][]byte{Parquet: tablesText(t, r)}
	for _, format := range FormatNames() {
		out[format] = []byte(written(t, r, Write, format))
	}
	for _, f := range knownFacts {
		row := "| " + f.name + " |"
		for _, format := range formats {
			has := holdsFact(out[format], f, fingerprint)
			row += map[bool]string{true: " yes |", false: " |"}[has]
			if missing, ok := noPlace[format]; ok && has == slices.Contains(missing, f.name) {
				t.Errorf("%s: that it has the %s is %v", format, f.name, has)
			}
		}
		table = append(table, row)
	}
	page, err := os.ReadFile(formatsPage)
	if err != nil {
		t.Fatal(err)
	}
	const start, end = "<!-- what each format says -->\n", "<!-- the end of the table -->\n"
	before, rest, _ := strings.Cut(string(page), start)
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatal("the page has no place for the table")
	}
	want := fmt.Sprint(before, start, strings.Join(table, "\n"), "\n", end, after)
	switch {
	case *update:
		err = os.WriteFile(formatsPage, []byte(want), 0o666)
		if err != nil {
			t.Fatal(err)
		}
	case want != string(page):
		t.Errorf("the table is not true; run the test with -update:\n%s", strings.Join(table, "\n"))
	}
}
