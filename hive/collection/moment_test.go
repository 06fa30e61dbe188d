package collection_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// moments lists the states of the one machine in a folder, with the number of the current control set in each, or what could not be read.
func moments(t *testing.T, fsys fs.FS) (all []string) {
	t.Helper()
	var groups []collection.Group
	for g := range collection.List(fsys, ".") {
		groups = append(groups, g)
	}
	for _, g := range groups {
		if g.State() != "" {
			continue
		}
		joined, refused := g.Open(fsys, collection.Options{Steps: true})
		if len(joined) != 1 || len(refused) > 0 {
			t.Fatalf("%d registries, and %v", len(joined), refused)
		}
		for m := range joined[0].Moments(fsys, g.Earlier(fsys, groups), collection.Options{}, func(*collection.Opened) bool { return true }) {
			words := []string{string(m.State), m.Place}
			if m.Log != "" {
				words = append(words, fmt.Sprintf("%s %d", m.Log, m.Entry))
			}
			if m.Joined != nil {
				v, _ := m.Joined[0].Registry.Find(hive.ParsePath(`HKLM\SYSTEM\Select`))[0].Key.Value("Current")
				words = append(words, v.Display())
			}
			for _, p := range m.Refused {
				words = append(words, p.Error())
			}
			all = append(all, strings.Join(words, "|"))
		}
	}
	return all
}

// pastFolder returns a machine with two backups and a dirty hive with a log of n entries.
func pastFolder(n int) fstest.MapFS {
	state, at := hivetest.BuildLayout(specimen(), hivetest.Options{Modified: 131_000_000_000_000_000})
	current := at.Key("Select").Value("Current").Record + hivetest.ValueData
	first := hivetest.Dirty(state, uint32(2+n), 2)
	var entries [][]byte
	for i := range n {
		after := hivetest.Set32(state, current, uint32(i+2))
		entries = append(entries, hivetest.Entries(uint32(2+i), 1, state, after)...)
		state = after
	}
	backup := func(n uint32, at hive.Filetime) *fstest.MapFile {
		root := specimen()
		root.Keys[2].Values[0] = hive.DWordValue("Current", n)
		return &fstest.MapFile{Data: hivetest.Build(root, hivetest.Options{Modified: at})}
	}
	return fstest.MapFS{
		"Windows/System32/config/SYSTEM":         {Data: first},
		"Windows/System32/config/SYSTEM.LOG1":    {Data: hivetest.Log(first, 2, entries...)},
		"Windows/System32/config/RegBack/SYSTEM": backup(11, 130_000_000_000_000_000),
		"Windows/repair/system":                  backup(12, 129_000_000_000_000_000),
	}
}

// TestMoments requires that the states of a machine come in the order of their times, whatever the names of their folders.
func TestMoments(t *testing.T) {
	want := []string{
		"regback|Windows/repair|12",
		"regback|Windows/System32/config/RegBack|11",
		"without-logs|Windows/System32/config/SYSTEM|1",
		"log-entry|Windows/System32/config/SYSTEM|SYSTEM.LOG1 2|2",
		"log-entry|Windows/System32/config/SYSTEM|SYSTEM.LOG1 3|3",
		"||4",
	}
	if diff := cmp.Diff(want, moments(t, pastFolder(3))); diff != "" {
		t.Error(diff)
	}
}

// TestManyEntries requires that a log with too many entries is not gone through to its end, and that this is told once.
func TestManyEntries(t *testing.T) {
	files := pastFolder(6)
	size := int64(len(files["Windows/System32/config/SYSTEM"].Data))
	defer collection.SetMostReplayed(2*size + 1)()
	want := []string{
		"log-entry|Windows/System32/config/SYSTEM|SYSTEM.LOG1 2|2",
		"log-entry|Windows/System32/config/SYSTEM|SYSTEM.LOG1 3|3",
		"log-entry|Windows/System32/config/SYSTEM|SYSTEM.LOG1 4|Windows/System32/config/SYSTEM: has more entries in its logs than are read one by one; " +
			"its states from entry 4 of SYSTEM.LOG1 to the last but one are not known",
		"||7",
	}
	if diff := cmp.Diff(want, moments(t, files)[3:]); diff != "" {
		t.Error(diff)
	}
}
