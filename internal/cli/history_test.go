package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/imagetest"
)

// portPast returns a machine whose MaxUserPort has another number in each state: 4000 deleted, 4001 in RegBack, 4002 in the other control set, 4003
// in the hive without its logs, 4004 and 4005 after entries of its logs. TcpTimedWaitDelay changes between them. RegBack has no SOFTWARE.
func portPast() map[string][]byte {
	const written = 131_000_000_000_000_000
	tree := func(set1, set2 uint32) *hivetest.Key {
		root := parameters(hive.DWordValue("TcpTimedWaitDelay", 240), hive.DWordValue("MaxUserPort", set1), hive.DWordValue("MaxUserPorX", 4000))
		other := parameters(hive.DWordValue("MaxUserPort", set2)).Keys[0]
		other.Name = "ControlSet002"
		root.Keys = slices.Insert(root.Keys, 1, other)
		stamp(root, written)
		return root
	}
	build := func(o hivetest.Options, set1, set2 uint32) ([]byte, *hivetest.KeyPlace) {
		data, at := hivetest.BuildLayout(tree(set1, set2), o)
		k := at.Key(`ControlSet001\Services\Tcpip\Parameters`)
		last := k.Value("MaxUserPorX").Record
		data[last+hivetest.ValueName+10] = 't'
		return hivetest.Set32(hivetest.Free(data, last), k.Node+hivetest.NodeValues, 2), k
	}
	const config = "past/Windows/System32/config/"
	backup := tree(4001, 4001)
	backup.Keys[0].Keys[0].Keys[0].Keys[0].Values = backup.Keys[0].Keys[0].Keys[0].Keys[0].Values[:2]
	state, k := build(hivetest.Options{Modified: written + 10_000_000, Sequence1: 4}, 4003, 4002)
	files := map[string][]byte{
		config + "RegBack/SYSTEM": hivetest.Build(backup, hivetest.Options{Modified: written, Sequence1: 2}),
		config + "SYSTEM":         hivetest.Dirty(state, 8, 5),
		config + "SOFTWARE":       windows()["disk/Windows/System32/config/SOFTWARE"],
	}
	entry := uint32(5)
	change := func(name string, n uint32) []byte {
		after := hivetest.Set32(state, k.Value(name).Record+hivetest.ValueData, n)
		all := hivetest.Entries(entry, 1, state, after)
		entry++
		state = after
		return all[0]
	}
	files[config+"SYSTEM.LOG1"] = hivetest.Log(state, 5, change("MaxUserPort", 4004), change("TcpTimedWaitDelay", 30))
	files[config+"SYSTEM.LOG2"] = hivetest.Log(state, 7, change("MaxUserPort", 4005))
	return files
}

// layPast writes the machine of portPast into a folder, and makes that the current one.
func layPast(t *testing.T, change func(map[string][]byte)) {
	t.Helper()
	t.Chdir(t.TempDir())
	files := portPast()
	if change != nil {
		change(files)
	}
	writeAll(t, files)
}

func writeAll(t *testing.T, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// pastRows runs history and returns its rows, one line each, and its messages.
func pastRows(t *testing.T, status int, args ...string) (rows []string, messages string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(append([]string{"history", "--format", "json"}, args...), strings.NewReader(""), &out, &errs); got != status {
		t.Fatalf("exit status %d, want %d: %s", got, status, errs.String())
	}
	var past struct {
		States []struct {
			Rule, State, Log, Place, Key, Status, Reason, Message string
			Entry                                                 *uint32
			Same                                                  int
			Current                                               *bool
			Value, Time                                           *string
			Base                                                  *struct{ Written *string } `json:"base_block"`
			Observed                                              *struct{ Type, Data, Text *string }
			Location                                              *struct{ Offset int64 }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &past); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), errs.String())
	}
	for _, s := range past.States {
		row := s.State
		if s.Entry != nil {
			row += fmt.Sprintf(" %s:%d", s.Log, *s.Entry)
		}
		if set := strings.Split(s.Key, `\`); len(set) > 2 {
			row += " " + set[2]
		}
		if s.Current != nil && *s.Current {
			row += "!"
		}
		if s.Value == nil {
			row += " key"
		} else {
			row += " " + *s.Value
		}
		row += " " + s.Status
		if s.Reason != "" {
			row += ":" + s.Reason
		}
		if s.Reason == "not-covered" {
			row += " (" + s.Message + ")"
		}
		if s.Observed != nil && s.Observed.Text != nil {
			row += " " + *s.Observed.Text
		}
		if s.Same > 0 {
			row += fmt.Sprintf(" +%d", s.Same)
		}
		rows = append(rows, row)
	}
	return rows, errs.String()
}

const tcpip = `HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`

// TestHistoryOfEachState requires that each state of a machine has a row of its own, the oldest first.
func TestHistoryOfEachState(t *testing.T) {
	layPast(t, nil)
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"in each control set", []string{"past", tcpip, "maxuserport"}, []string{
			"regback ControlSet002 maxuserport set 4001",
			"regback ControlSet001! maxuserport set 4001",
			"without-logs ControlSet002 maxuserport set 4002 +3",
			"without-logs ControlSet001! maxuserport set 4003",
			"log-entry SYSTEM.LOG1:5 ControlSet001! maxuserport set 4004 +1",
			"present SYSTEM.LOG2:7 ControlSet001! maxuserport set 4005",
			"deleted ControlSet001 maxuserport deleted 4000",
		}},
		{"in one control set", []string{"past", `HKLM\SYSTEM\ControlSet002\Services\Tcpip\Parameters`, "MaxUserPort"}, []string{
			"regback ControlSet002 MaxUserPort set 4001",
			"without-logs ControlSet002 MaxUserPort set 4002 +3",
		}},
		{"of the chosen set", []string{"--control-set", "1", "past", tcpip, "TcpTimedWaitDelay"}, []string{
			"regback ControlSet001! TcpTimedWaitDelay set 240 +2",
			"log-entry SYSTEM.LOG1:6 ControlSet001! TcpTimedWaitDelay set 30 +1",
		}},
		{"of a hive alone", []string{"past/Windows/System32/config/SYSTEM", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, "MaxUserPort"}, []string{
			"without-logs ControlSet001 MaxUserPort set 4003",
			"log-entry SYSTEM.LOG1:5 ControlSet001 MaxUserPort set 4004 +1",
			"present SYSTEM.LOG2:7 ControlSet001 MaxUserPort set 4005",
			"deleted ControlSet001 MaxUserPort deleted 4000",
		}},
		{"below its root", []string{"past/Windows/System32/config/SYSTEM", `ControlSet002\Services\Tcpip\Parameters`, "MaxUserPort"}, []string{
			"without-logs ControlSet002 MaxUserPort set 4002 +3",
		}},
		{"without its logs", []string{"--no-logs", "past/Windows/System32/config/SYSTEM", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, "MaxUserPort"}, []string{
			"present ControlSet001 MaxUserPort set 4003",
			"deleted ControlSet001 MaxUserPort deleted 4000",
		}},
		{"of a key", []string{"past", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`}, []string{
			"regback ControlSet001 key there +4",
			"regback ControlSet001 TcpTimedWaitDelay set 240 +2",
			"log-entry SYSTEM.LOG1:6 ControlSet001 TcpTimedWaitDelay set 30 +1",
			"regback ControlSet001 MaxUserPort set 4001",
			"without-logs ControlSet001 MaxUserPort set 4003",
			"log-entry SYSTEM.LOG1:5 ControlSet001 MaxUserPort set 4004 +1",
			"present SYSTEM.LOG2:7 ControlSet001 MaxUserPort set 4005",
			"deleted ControlSet001 MaxUserPort deleted 4000",
		}},
		{"of what is nowhere", []string{"past", `HKLM\SYSTEM\Nothing`, "N"}, []string{"regback Nothing N key-missing +4"}},
		{"of a hive that RegBack lacks", []string{"past", `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`, "CurrentVersion"}, []string{
			"regback Microsoft CurrentVersion unknown:not-covered (not there in past/Windows/System32/config/RegBack)",
			"present Microsoft CurrentVersion set 6.1",
		}},
		{"of a rule", []string{"--rule", "KB196271-MaxUserPort", "past"}, []string{
			"regback ControlSet002 MaxUserPort fail:out-of-range 4001",
			"regback ControlSet001! MaxUserPort fail:out-of-range 4001",
			"without-logs ControlSet002 MaxUserPort fail:out-of-range 4002 +3",
			"without-logs ControlSet001! MaxUserPort fail:out-of-range 4003",
			"log-entry SYSTEM.LOG1:5 ControlSet001! MaxUserPort fail:out-of-range 4004 +1",
			"present SYSTEM.LOG2:7 ControlSet001! MaxUserPort fail:out-of-range 4005",
			"deleted ControlSet001 MaxUserPort deleted 4000",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := pastRows(t, 0, test.args...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHistoryInEvidence requires the same rows of a machine in an archive as of one in a folder.
func TestHistoryInEvidence(t *testing.T) {
	layPast(t, nil)
	files := portPast()
	var members []imagetest.ArchiveFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		members = append(members, imagetest.ArchiveFile{Name: name, Data: files[name]})
	}
	writeAll(t, map[string][]byte{"past.zip": imagetest.Zip(members)})
	for _, args := range [][]string{{tcpip, "MaxUserPort"}, {tcpip}, {"--rule", "KB196271-MaxUserPort"}} {
		want, _ := pastRows(t, 0, append([]string{"past"}, args...)...)
		got, _ := pastRows(t, 0, append([]string{"past.zip"}, args...)...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (- folder, + archive): %s", args, diff)
		}
	}
}

// TestHistoryLeavesOut requires that a file of an earlier time that belongs to no hive of the input for certain is told of, and not silently left out.
func TestHistoryLeavesOut(t *testing.T) {
	layPast(t, func(files map[string][]byte) {
		files["past/VSS1/Windows/System32/config/SYSTEM"] = files["past/Windows/System32/config/RegBack/SYSTEM"]
	})
	_, messages := pastRows(t, 0, "past", tcpip, "MaxUserPort")
	want := "regvet: past/VSS1/Windows/System32/config/SYSTEM is of a shadow copy, of an earlier time, and is left out, since it is not known which of the hives it was; " +
		"name it to see what it holds\n"
	if !strings.HasSuffix(messages, want) {
		t.Errorf("got %s\nwant %s", messages, want)
	}
}

// TestHistoryOfFindings requires that --findings tells the past of what fails now, and of nothing else: TcpTimedWaitDelay was put right.
func TestHistoryOfFindings(t *testing.T) {
	layPast(t, nil)
	got, _ := pastRows(t, 0, "--findings", "past")
	want, _ := pastRows(t, 0, "--rule", "KB196271-MaxUserPort", "past")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestHistoryOfDamage requires that what cannot be read of a state is unknown in its row, and makes the exit status 3.
func TestHistoryOfDamage(t *testing.T) {
	const config = "past/Windows/System32/config/"
	for _, test := range []struct {
		name   string
		change func(map[string][]byte)
		want   string
	}{
		{"a backup that cannot be read", func(f map[string][]byte) {
			f[config+"RegBack/SYSTEM"] = hivetest.Truncate(f[config+"RegBack/SYSTEM"], 4200)
		}, "regback ControlSet001 MaxUserPort unknown:damaged"},
		{"a key that is damaged in the backup", func(f map[string][]byte) {
			data := f[config+"RegBack/SYSTEM"]
			f[config+"RegBack/SYSTEM"] = bytes.ReplaceAll(data, []byte("Tcpip"), []byte("Tcp\\p"))
			at := bytes.Index(data, []byte("Tcpip")) - 76
			f[config+"RegBack/SYSTEM"] = hivetest.Sign(data, at, "xx")
		}, "regback ControlSet001 MaxUserPort unknown:damaged"},
		{"a state between that has no root", func(f map[string][]byte) {
			log := f[config+"SYSTEM.LOG1"]
			state := f[config+"SYSTEM"]
			lost := slices.Clone(state)
			copy(lost[4096+32:], make([]byte, 512))
			f[config+"SYSTEM.LOG1"] = hivetest.Log(log, 5, hivetest.Entries(5, 1, state, lost)[0], hivetest.Entries(6, 1, lost, state)[0])
		}, "log-entry SYSTEM.LOG1:5 ControlSet001 MaxUserPort unknown:damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			layPast(t, test.change)
			got, messages := pastRows(t, 3, "past", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, "MaxUserPort")
			if !slices.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant %s\n%s", strings.Join(got, "\n"), test.want, messages)
			}
			if last := "present SYSTEM.LOG2:7 ControlSet001 MaxUserPort set 4005"; !slices.Contains(got, last) {
				t.Errorf("what is sound is not told: %s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestHistoryEqualsExports holds the law that the rows of a hive with logs are the differences of the exports of its states.
func TestHistoryEqualsExports(t *testing.T) {
	random := rand.New(rand.NewPCG(16, 2))
	for round := range 20 {
		t.Chdir(t.TempDir())
		n := 2 + random.IntN(8)
		var states [][]byte
		for range n {
			states = append(states, hivetest.Build(randomParameters(random), hivetest.Options{Sequence1: 4}))
		}
		slices.SortStableFunc(states, func(a, b []byte) int { return len(a) - len(b) }) // bins grow, and Windows does not cut them
		var entries [2][][]byte
		for i := range n - 1 {
			entries[i*2/n] = append(entries[i*2/n], hivetest.Entries(uint32(5+i), 1, states[i], states[i+1])...)
		}
		files := map[string][]byte{"SYSTEM": hivetest.Dirty(states[0], uint32(5+n), 5)}
		first := uint32(5)
		for i, all := range entries {
			if len(all) > 0 {
				files[fmt.Sprintf("SYSTEM.LOG%d", i+1)] = hivetest.Log(states[0], first, all...)
			}
			first += uint32(len(all))
		}
		want := map[string][]string{}
		for i, state := range states {
			name := fmt.Sprintf("state%d", i)
			files[name] = state
		}
		writeAll(t, files)
		for _, value := range []string{"A", "B", "C"} {
			for i := range states {
				data := exportedValue(t, fmt.Sprintf("state%d", i), value)
				if all := want[value]; len(all) == 0 || all[len(all)-1] != data {
					want[value] = append(all, data)
				}
			}
			rows, _ := pastRows(t, 0, "SYSTEM", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, value)
			var got []string
			for _, row := range rows {
				if strings.HasPrefix(row, "deleted") {
					continue
				}
				_, row, _ = strings.Cut(row, " "+value+" ")
				row, _, _ = strings.Cut(row, " +")
				got = append(got, row)
			}
			if diff := cmp.Diff(want[value], got); diff != "" {
				t.Fatalf("round %d, %s (- exports, + history):\n%s", round, value, diff)
			}
		}
		all, _ := pastRows(t, 0, "SYSTEM", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`)
		for _, value := range slices.Sorted(maps.Keys(want)) {
			rows, _ := pastRows(t, 0, "SYSTEM", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, value)
			of := slices.DeleteFunc(slices.Clone(all), func(row string) bool { return !strings.Contains(row, " "+value+" ") })
			if len(of) > 0 && !slices.Equal(of, rows) {
				t.Fatalf("round %d: of %s alone\n%s\nof its key\n%s", round, value, strings.Join(rows, "\n"), strings.Join(all, "\n"))
			}
		}
	}
}

// randomParameters returns a SYSTEM hive with some values, or without the key that may hold them.
func randomParameters(random *rand.Rand) *hivetest.Key {
	var values []hive.Value
	for _, name := range []string{"A", "B", "C"} {
		if random.IntN(3) > 0 {
			values = append(values, hive.DWordValue(name, random.Uint32N(2)))
		}
	}
	root := parameters(values...)
	if random.IntN(4) == 0 {
		root.Keys[0].Keys[0].Keys[0].Keys = nil
	}
	return root
}

// exportedValue returns a value of the key of TCP/IP as export shows it, in the words of history.
func exportedValue(t *testing.T, name, value string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run([]string{"export", "--format", "jsonl", name, `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`}, strings.NewReader(""), &out, &errs); status != 0 {
		return "key-missing"
	}
	var key struct {
		Values []struct{ Name, Data string }
	}
	if err := json.Unmarshal(out.Bytes(), &key); err != nil {
		t.Fatal(err)
	}
	for _, v := range key.Values {
		if v.Name == value {
			return fmt.Sprintf("set %d", v.Data[1]-'0')
		}
	}
	return "missing"
}
