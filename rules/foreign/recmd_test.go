package foreign_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"regvet/internal/shared"
	"regvet/rules/foreign"
)

// outcomes are what became of the rows of a file: how many are whole, in part and none, and how many lack what.
type outcomes struct {
	Whole, Part, None int
	Lacks             map[string]int
}

// TestRECmdCorpus imports the batch files of RECmd. Each reason for what is not whole stands here.
func TestRECmdCorpus(t *testing.T) {
	plugin := func(name, decodes string) string {
		return "RECmd's plugin " + name + " decodes " + decodes + "; the raw data are listed"
	}
	var (
		visited   = plugin("LastVisitedPidlMRU", "the folder behind the program")
		saved     = plugin("OpenSavePidlMRU", "the paths of files")
		assist    = plugin("UserAssist", "names in ROT13, counts and times")
		sam       = plugin("SAM", "the accounts, with their times and counts")
		compat    = plugin("AppCompatCache", "the programs in the cache")
		office    = plugin("OfficeMRU", "the time in each text")
		aliases   = plugin("SAMBuiltin", "the groups and their members")
		bluetooth = plugin("BluetoothServicesBthPort", "the names of devices in bytes")
		taskband  = plugin("Taskband", "the pinned shortcuts")
		tasks     = plugin("TaskCache", "the times and actions of tasks")
		want      = map[string]outcomes{
			"Kroll_Batch.reb":    {316, 11, 0, map[string]int{visited: 2, saved: 1, assist: 1, sam: 1, compat: 1, office: 1, aliases: 1, bluetooth: 1, taskband: 1, tasks: 1}},
			"RECmd_Batch_MC.reb": {37, 7, 0, map[string]int{visited: 2, saved: 1, assist: 1, sam: 1, compat: 1, office: 1}},
			"SystemASEPs.reb":    {23, 0, 0, map[string]int{}},
		}
	)
	whole, rows := 0, 0
	for _, name := range shared.Glob(t, "corpora/recmd", "*.reb") {
		s, err := foreign.Read(os.DirFS(filepath.Dir(name)), filepath.Base(name), "")
		if err != nil {
			t.Fatal(err)
		}
		_, pack, err := foreign.Pack("", s) // takes out what the language refuses
		if err != nil {
			t.Fatal(err)
		}
		got := outcomes{s.Count(foreign.Whole), s.Count(foreign.Part), s.Count(foreign.None), map[string]int{}}
		for _, r := range s.Rows {
			for _, why := range r.Lacks {
				got.Lacks[why]++
			}
		}
		if diff := gocmp.Diff(want[filepath.Base(name)], got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if len(pack.Rules) != len(s.Rows) || slices.ContainsFunc(s.Rows, func(r foreign.Row) bool { return cmp.Compare(r.Line, 1) < 0 }) {
			t.Errorf("%s: %d rules of %d entries", name, len(pack.Rules), len(s.Rows))
		}
		whole, rows = whole+got.Whole, rows+len(s.Rows)
	}
	if 100*whole < 95*rows {
		t.Errorf("%d of %d entries are whole", whole, rows)
	}
}
