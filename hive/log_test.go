package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

const (
	base   = 4096 // bytes of the base block of a hive
	sector = hivetest.LogSector
)

// change is two states of a hive, one after the other.
type change struct{ before, after []byte }

// changes are pairs of states: one that only changes what is there, and one that needs more bins.
func changes() map[string]change {
	tree := func(port uint32, more ...*hivetest.Key) *hivetest.Key {
		return dated(&hivetest.Key{Name: "r", Keys: append([]*hivetest.Key{
			{Name: "Parameters", Class: "c", Values: []hive.Value{hive.DWordValue("MaxUserPort", port), hive.StringValue("Text", hive.SZ, strings.Repeat("text ", 100))}},
			{Name: "Other", Keys: []*hivetest.Key{{Name: "1"}, {Name: "2"}}},
		}, more...)})
	}
	later := tree(65534)
	for _, k := range later.Keys {
		k.Modified++
	}
	const written = 132223104001234567 // 2020-01-01
	build := func(root *hivetest.Key, at hive.Filetime) []byte {
		return hivetest.Build(root, hivetest.Options{Name: "SYSTEM", Sequence1: 4, Modified: at})
	}
	big := make([]byte, 20_000)
	for i := range big {
		big[i] = byte(i % 251)
	}
	return map[string]change{
		"same size": {build(tree(5000), written), build(later, written+1)},
		"grows":     {build(tree(5000), written), build(tree(5000, &hivetest.Key{Name: "New", Values: []hive.Value{{Name: "Big", Type: hive.Binary, Data: big}}}), written+1)},
		"shrinks":   {build(tree(5000, &hivetest.Key{Name: "Old", Values: []hive.Value{{Name: "Big", Type: hive.Binary, Data: big}}}), written), build(tree(1), written+1)},
	}
}

// sameSize is the change that fits into the bins that are there.
func sameSize() change { return changes()["same size"] }

// replay reads a hive with logs, twice, and checks what is true of every such reading.
func replay(t testing.TB, b []byte, logs ...hive.Log) *hive.File {
	t.Helper()
	was, most := bytes.Clone(b), len(b)
	var wasLogs [][]byte
	for _, l := range logs {
		wasLogs = append(wasLogs, bytes.Clone(l.Data))
		most += len(l.Data)
	}
	f, err := hive.Read("TEST", b, logs...)
	if err != nil {
		t.Fatal(err)
	}
	if int(f.Size()) > most {
		t.Fatalf("%d bytes were made of %d", f.Size(), most)
	}
	if len(f.Logs) != len(logs) && f.Header.Dirty() {
		t.Fatalf("%d logs were given, it is told of %d", len(logs), len(f.Logs))
	}
	for i, u := range f.Logs {
		if u.Name != logs[i].Name || u.Entries == 0 && u.Why == "" || u.Entries > 0 && u.Last-u.First != uint32(u.Entries-1) {
			t.Fatalf("log %s: %+v", logs[i].Name, u)
		}
	}
	again, err := hive.Read("TEST", b, logs...)
	if err != nil {
		t.Fatal(err)
	}
	if snapshot(again.Root()) != snapshot(f.Root()) || !slices.Equal(again.Logs, f.Logs) || !bytes.Equal(again.Bytes(), f.Bytes()) {
		t.Fatal("read twice, there are two hives")
	}
	steps(t, f, b, logs)
	if !bytes.Equal(b, was) {
		t.Fatal("the hive that was given was changed")
	}
	for i, l := range logs {
		if !bytes.Equal(l.Data, wasLogs[i]) {
			t.Fatalf("log %s was changed", l.Name)
		}
	}
	return f
}

// steps requires that there is one state after each entry that was applied to a hive, numbered as its logs were, and that the last is the hive
// itself.
func steps(t testing.TB, f *hive.File, b []byte, logs []hive.Log) {
	t.Helper()
	var want, got []string
	for _, l := range slices.SortedStableFunc(slices.Values(f.Logs), func(a, b hive.LogUse) int { return int(int32(a.First - b.First)) }) {
		for i := range l.Entries {
			want = append(want, fmt.Sprintf("%s %d", l.Name, l.First+uint32(i)))
		}
	}
	if want == nil {
		return // none can be applied, or with them no root is left
	}
	var last []byte
	for s := range hive.Steps(b, logs...) {
		got = append(got, fmt.Sprintf("%s %d", s.Log, s.Entry))
		if hive.IsDirty(s.Data) {
			t.Fatalf("after entry %d the hive is dirty", s.Entry)
		}
		last = s.Data
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the states are not those of the entries:\n%s", diff)
	}
	if !bytes.Equal(last, f.Bytes()) {
		t.Fatal("the hive after the last entry is not the hive with its logs")
	}
}

// TestStepsEnd requires that what is shown of a dirty hive ends when the reader has enough.
func TestStepsEnd(t *testing.T) {
	c := sameSize()
	log := hive.Log{Name: "LOG1", Data: hivetest.Log(c.before, 5, hivetest.Entries(5, 3, c.before, c.after)...)}
	n := 0
	for range hive.Steps(hivetest.Dirty(c.before, 6, 5), log) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d states were shown", n)
	}
}

// recovered compares a replayed hive with the state that the logs lead to.
func recovered(t testing.TB, f *hive.File, after []byte, last uint32) {
	t.Helper()
	want := read(t, after)
	if d := hive.Diff(f.Root(), want.Root()); len(d) > 0 {
		t.Fatalf("another tree: %v\nlogs: %+v", d, f.Logs)
	}
	if got, want := snapshot(f.Root()), snapshot(want.Root()); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	b := f.Bytes()
	if !bytes.Equal(b[base:len(after)], after[base:]) {
		t.Fatal("the bins differ")
	}
	for at, want := range map[int]uint32{
		hivetest.BaseSequence1: last, hivetest.BaseSequence2: last, hivetest.BaseType: 0,
		hivetest.BaseLength: uint32(len(after) - base), hivetest.BaseChecksum: hivetest.Checksum(b),
	} {
		if got := le.Uint32(b[at:]); got != want {
			t.Fatalf("field %d of the base block is %#x, want %#x", at, got, want)
		}
	}
	if clean := read(t, b); clean.Header.Dirty() || len(clean.Problems()) > 0 {
		t.Fatalf("the recovered hive is not sound: %v", clean.Problems())
	}
}

// TestReplay has entries spread over two logs in every way.
func TestReplay(t *testing.T) {
	for name, c := range changes() {
		for _, first := range []uint32{5, 0x7FFFFFFE, 0xFFFFFFFE, 0} {
			for n := 1; n <= 5; n++ {
				entries := hivetest.Entries(first, n, c.before, c.after)
				last := first + uint32(n) - 1
				// Of an earlier round: what stands behind the last entry of a log.
				remnant := hivetest.Entry(first-3, base, hivetest.Page{At: 0, Data: make([]byte, base)})
				dirty := map[string][]byte{
					"before":       hivetest.Dirty(c.before, first, first-1),
					"half written": hivetest.HalfWritten(c.before, c.after, first+1, first),
				}
				for state, b := range dirty {
					none := replay(t, b)
					if got, want := snapshot(none.Root()), snapshot(read(t, b).Root()); got != want || none.Size() != int64(len(b)) {
						t.Fatal("without logs it is not the hive that was given")
					}
					for split := range n + 1 {
						t.Run(fmt.Sprintf("%s/%s/%#x/%d+%d", name, state, first, split, n-split), func(t *testing.T) {
							var logs []hive.Log
							if split > 0 {
								logs = append(logs, hive.Log{Name: "LOG2", Data: append(hivetest.Log(b, first, entries[:split]...), remnant...)})
							}
							if split < n {
								logs = append(logs, hive.Log{Name: "LOG1", Data: append(hivetest.Log(b, first+uint32(split), entries[split:]...), remnant[:700]...)})
							}
							f := replay(t, b, logs...)
							recovered(t, f, c.after, last)
							total := 0
							for _, u := range f.Logs {
								total += u.Entries
								if u.Why == "" || !strings.Contains(u.Why, fmt.Sprintf("ends behind entry %d: the next one ", u.Last)) {
									t.Errorf("%+v", u)
								}
							}
							if total != n {
								t.Errorf("%d entries were applied, want %d", total, n)
							}
							slices.Reverse(logs)
							recovered(t, replay(t, b, logs...), c.after, last)
							// Once more, over what came of it, and beside a hive that is clean.
							recovered(t, replay(t, hivetest.Dirty(f.Bytes(), first, first-1), logs...), c.after, last)
							if g := replay(t, f.Bytes(), logs...); len(g.Logs) > 0 || !bytes.Equal(g.Bytes(), f.Bytes()) {
								t.Error("logs were applied to a clean hive")
							}
						})
					}
				}
			}
		}
	}
}

// TestReplayOld has logs of the old kind.
func TestReplayOld(t *testing.T) {
	for name, c := range changes() {
		for _, kind := range []uint32{hivetest.TypeOldLog, hivetest.TypeLogNT} {
			log := hivetest.Set32(hivetest.OldLog(c.before, c.after), hivetest.BaseType, kind)
			for state, b := range map[string][]byte{
				"before":       hivetest.Dirty(c.before, 5, 4),
				"half written": hivetest.HalfWritten(c.before, c.after, 5, 4),
				"destroyed":    hivetest.Destroyed(c.before),
			} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, state, kind), func(t *testing.T) {
					f := replay(t, b, hive.Log{Name: "LOG1", Data: append(log, make([]byte, 1000)...)})
					recovered(t, f, c.after, 4)
					if want := []hive.LogUse{{Name: "LOG1", Entries: 1, First: 4, Last: 4}}; !slices.Equal(f.Logs, want) {
						t.Errorf("%+v", f.Logs)
					}
				})
			}
		}
	}
}

// TestReplayOldLarge has bitmaps around the length at which they need another sector.
func TestReplayOldLarge(t *testing.T) {
	c := sameSize()
	for pages := 506; pages < 511; pages++ {
		before, after := longer(c.before, pages), longer(c.after, pages)
		recovered(t, replay(t, hivetest.Dirty(before, 5, 4), hive.Log{Name: "LOG1", Data: hivetest.OldLog(before, after)}), after, 4)
	}
}

// longer adds empty bins of a page each until there are as many pages.
func longer(b []byte, pages int) []byte {
	b = bytes.Clone(b)
	for len(b) < base+pages*4096 {
		bin := make([]byte, 4096)
		copy(bin, "hbin")
		le.PutUint32(bin[hivetest.BinOffset:], uint32(len(b)-base))
		le.PutUint32(bin[hivetest.BinSize:], 4096)
		le.PutUint32(bin[32:], 4096-32) // a free cell
		b = append(b, bin...)
	}
	return hivetest.Set32(b, hivetest.BaseLength, uint32(len(b)-base))
}

// TestDestroyed has hives whose base block cannot be used: only the newest log counts, and its base block replaces that of the hive.
func TestDestroyed(t *testing.T) {
	for name, c := range changes() {
		all := hivetest.Entries(1_000_000_000, 3, c.before, c.after)
		for state, b := range map[string][]byte{
			"checksum":  hivetest.Set32(c.before, hivetest.BaseChecksum, 1),
			"destroyed": hivetest.Destroyed(c.before),
			"dirty too": hivetest.Set32(hivetest.Dirty(c.before, 9, 8), hivetest.BaseChecksum, 1),
		} {
			t.Run(name+"/"+state, func(t *testing.T) {
				newest := hive.Log{Name: "LOG1", Data: hivetest.Log(c.before, 1_000_000_000, all...)}
				stale := hive.Log{Name: "LOG2", Data: hivetest.Log(c.before, 999_999_990, hivetest.Entries(999_999_990, 1, c.after, c.before)...)}
				f := replay(t, b, newest, stale)
				recovered(t, f, c.after, 1_000_000_002)
				want := []hive.LogUse{{Name: "LOG1", Entries: 3, First: 1_000_000_000, Last: 1_000_000_002},
					{Name: "LOG2", Why: "is older than the other one, and the base block of the hive does not tell which entries it needs"}}
				if !slices.Equal(f.Logs, want) {
					t.Errorf("%+v", f.Logs)
				}
				recovered(t, replay(t, b, stale, newest), c.after, 1_000_000_002)
				recovered(t, replay(t, b, newest), c.after, 1_000_000_002)
				p := f.Problems()[0]
				want2 := fmt.Sprintf("the hive is dirty (the checksum of its base block is %#08x, must be %#08x); applied: LOG1; not applied: LOG2 %s",
					f.Header.Checksum, f.Header.Computed, f.Logs[1].Why)
				if p.Kind != hive.BadChecksum || p.Msg != want2 || p.Loss {
					t.Errorf("got  %s\nwant %s", p.Msg, want2)
				}
			})
		}
	}
	// Without one that can be used, the bins are all there is. The base block of a log is held to the same rules.
	c := sameSize()
	log := hivetest.Log(c.before, 5, hivetest.Entries(5, 1, c.before, c.after)...)
	b := hivetest.Destroyed(c.before)
	dirty := fmt.Sprintf("TEST: offset 0x1fc: the hive is dirty (the checksum of its base block is 0xa5a5a5a5, must be %#08x): its latest changes are only in its logs, ", hivetest.Checksum(b))
	for _, test := range []struct {
		logs []hive.Log
		want string
	}{
		{nil, "which were not applied"},
		{[]hive.Log{{Name: "LOG1"}}, "of which none can be applied; not applied: LOG1 is empty"},
		{[]hive.Log{{Name: "LOG1", Data: hivetest.Set32(log, hivetest.BaseMajor, 2)}}, "of which none can be applied; not applied: LOG1 does not fit this hive: with it no root key can be read"},
	} {
		f := read(t, b, test.logs...)
		lost := "TEST: the base block is lost; the hive is read by its bins, and the root key by its flags"
		if diff := cmp.Diff([]string{lost, dirty + test.want}, told(f)); diff != "" {
			t.Error(diff)
		}
		sameKeys(t, f, read(t, c.before))
	}
}

// TestLogRefused checks why a log is not applied, or where it ends.
func TestLogRefused(t *testing.T) {
	c := sameSize()
	b := hivetest.Dirty(c.before, 6, 5)
	entries := hivetest.Entries(5, 2, c.before, c.after)
	log := hivetest.Log(b, 5, entries...)
	head := log[:sector]
	length := uint32(len(c.before) - base)

	// entry changes a field of the first entry, and makes the hashes right.
	entry := func(at int, n uint32) []byte {
		b := bytes.Clone(log)
		e := b[sector:]
		le.PutUint32(e[at:], n)
		hivetest.SealEntry(e[:len(entries[0])])
		return b
	}
	flip := func(at int) []byte { return hivetest.Set32(log, at, le.Uint32(log[at:])^1) }
	second := sector + len(entries[0])
	tests := []struct {
		name string
		data []byte
		why  string
		used int // entries
	}{
		{"sound", log, "", 2},
		{"missing", nil, "is empty", 0},
		{"zeros", make([]byte, 2000), `does not start with "regf"`, 0},
		{"no log", []byte("HvLE"), `does not start with "regf"`, 0},
		{"cut in its base block", log[:511], "ends inside its base block", 0},
		{"a hive", c.after, "is no log: its type is 0", 0},
		{"type 7", hivetest.Set32(log, hivetest.BaseType, 7), "is no log: its type is 7", 0},
		{"checksum", flip(hivetest.BaseChecksum), "has a base block with a wrong checksum", 0},
		{"sequence numbers", hivetest.Set32(log, hivetest.BaseSequence2, 4), "was not written to its end (sequence numbers 5 and 4)", 0},
		{"no entries", head, "holds no entries", 0},
		{"older than the hive", hivetest.Log(b, 4, hivetest.Entries(4, 2, c.before, c.after)...), "is older than the hive: it starts at 4, needed is 5", 0},
		{"much older", hivetest.Log(b, 0x80000006, hivetest.Entries(0x80000006, 1, c.before, c.after)...), "is older than the hive: it starts at 2147483654, needed is 5", 0},
		{"newer than needed", hivetest.Log(b, 0x80000004, hivetest.Entries(0x80000004, 1, c.before, c.after)...), "", 1},
		{"number of its own", hivetest.Log(b, 6, entries...), "holds no entry to apply: the first one has the number 5, not 6", 0},
		{"hash 1", flip(sector + hivetest.EntryHash1), "holds no entry to apply: the first one has a wrong hash", 0},
		{"hash 1, upper half", flip(sector + hivetest.EntryHash1 + 4), "holds no entry to apply: the first one has a wrong hash", 0},
		{"hash 2", flip(sector + hivetest.EntryHash2), "holds no entry to apply: the first one has a wrong hash", 0},
		{"flags without a new hash", flip(sector + hivetest.EntryFlags), "holds no entry to apply: the first one has a wrong hash", 0},
		{"last byte without a new hash", flip(second - 4), "holds no entry to apply: the first one has a wrong hash", 0},
		{"signature", entry(0, 0x656C7668), `holds no entry to apply: the first one is not signed "HvLE"`, 0},
		{"size 0", entry(hivetest.EntrySize, 0), "holds no entry to apply: the first one has an impossible size of 0 bytes", 0},
		{"size of no sectors", entry(hivetest.EntrySize, 513), "holds no entry to apply: the first one has an impossible size of 513 bytes", 0},
		{"size beyond the file", entry(hivetest.EntrySize, 0x10000), "holds no entry to apply: the first one has an impossible size of 65536 bytes", 0},
		{"greatest size", entry(hivetest.EntrySize, 0xFFFFFE00), "holds no entry to apply: the first one has an impossible size of 4294966784 bytes", 0},
		{"number", entry(hivetest.EntryNumber, 7), "holds no entry to apply: the first one has the number 7, not 5", 0},
		{"no pages", entry(hivetest.EntryCount, 0), "holds no entry to apply: the first one has an impossible number of 0 pages", 0},
		{"too many pages", entry(hivetest.EntryCount, 0xFFFFFFFF), "holds no entry to apply: the first one has an impossible number of 4294967295 pages", 0},
		{"one page too many", entry(hivetest.EntryCount, uint32((len(entries[0])-40)/8+1)), fmt.Sprintf("holds no entry to apply: the first one has an impossible number of %d pages", (len(entries[0])-40)/8+1), 0},
		{"no bins", entry(hivetest.EntryLength, 0), "holds no entry to apply: the first one is for bins of an impossible length of 0 bytes", 0},
		{"bins of more than a hive can have", entry(hivetest.EntryLength, 1<<31+4096), "holds no entry to apply: the first one is for bins of an impossible length of 2147487744 bytes", 0},
		{"bins of half a page", entry(hivetest.EntryLength, length+2048), fmt.Sprintf("holds no entry to apply: the first one is for bins of an impossible length of %d bytes", length+2048), 0},
		{"bins that nobody has", entry(hivetest.EntryLength, 0x80000000), "ends at entry 5, which is for bins of 2147483648 bytes that neither it nor the hive holds", 0},
		{"more bins than it brings", hivetest.Log(b, 5, hivetest.Entry(5, int(length)+base, hivetest.Page{At: int(length), Data: make([]byte, base-sector)})),
			fmt.Sprintf("ends at entry 5, which is for bins of %d bytes that neither it nor the hive holds", length+base), 0},
		{"page behind the bins", entry(hivetest.EntryPages, length-256), fmt.Sprintf("holds no entry to apply: the first one has a page at %#x of an impossible size of 512 bytes", length-256), 0},
		{"page far away", entry(hivetest.EntryPages, 0xFFFFFE00), "holds no entry to apply: the first one has a page at 0xfffffe00 of an impossible size of 512 bytes", 0},
		{"page larger than the entry", entry(hivetest.EntryPages+4, uint32(len(entries[0]))), fmt.Sprintf("holds no entry to apply: the first one has a page at %#x of an impossible size of %d bytes", le.Uint32(entries[0][hivetest.EntryPages:]), len(entries[0])), 0},
		{"greatest page", entry(hivetest.EntryPages+4, 0xFFFFFFFF), fmt.Sprintf("holds no entry to apply: the first one has a page at %#x of an impossible size of 4294967295 bytes", le.Uint32(entries[0][hivetest.EntryPages:])), 0},
		{"cut in the second entry", log[:len(log)-1], fmt.Sprintf("ends behind entry 5: the next one has an impossible size of %d bytes", len(entries[1])), 1},
		{"cut in the header of the second entry", log[:second+20], `ends behind entry 5: the next one is not signed "HvLE"`, 1},
		{"zeros behind the last", append(bytes.Clone(log), make([]byte, 1024)...), `ends behind entry 6: the next one is not signed "HvLE"`, 2},
		{"remnant behind the last", append(bytes.Clone(log), hivetest.Entry(3, base, hivetest.Page{Data: make([]byte, sector)})...), "ends behind entry 6: the next one has the number 3, not 7", 2},
		{"the last once more", append(bytes.Clone(log), entries[1]...), "ends behind entry 6: the next one has the number 6, not 7", 2},
		{"one left out", append(bytes.Clone(log), hivetest.Entry(8, base, hivetest.Page{Data: make([]byte, sector)})...), "ends behind entry 6: the next one has the number 8, not 7", 2},
		{"next one is torn", append(bytes.Clone(log), flip(second + hivetest.EntryHash1)[second:]...), "ends behind entry 6: the next one has the number 6, not 7", 2},
		{"hash of the second", flip(second + hivetest.EntryHash1), "ends behind entry 5: the next one has a wrong hash", 1},
		{"second for bins that nobody has", hivetest.Log(b, 5, entries[0], hivetest.Entry(6, 0x80000000, hivetest.Page{At: 0x7FFFFE00, Data: make([]byte, 1)})),
			"ends at entry 6, which is for bins of 2147483648 bytes that neither it nor the hive holds", 1},
	}
	untouched := snapshot(read(t, b).Root())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := replay(t, b, hive.Log{Name: "LOG1", Data: test.data})
			u := f.Logs[0]
			if u.Why != test.why || u.Entries != test.used {
				t.Errorf("%d entries, %q\nwant %d, %q", u.Entries, u.Why, test.used, test.why)
			}
			p := f.Problems()[0]
			want := "the hive is dirty (sequence numbers 6 and 5); applied: LOG1"
			if test.used == 0 {
				want = "the hive is dirty (sequence numbers 6 and 5): its latest changes are only in its logs, of which none can be applied; not applied: LOG1 " + test.why
				if snapshot(f.Root()) != untouched || f.Size() != int64(len(b)) {
					t.Error("a log was refused, and the hive is another")
				}
			}
			if p.Msg != want || p.Kind != hive.Dirty || p.Loss {
				t.Errorf("got  %s\nwant %s", p.Msg, want)
			}
		})
	}
}

// TestTwoLogs checks how two logs of the new kind go on from each other, or do not.
func TestTwoLogs(t *testing.T) {
	c := sameSize()
	b := hivetest.Dirty(c.before, 6, 5)
	entries := hivetest.Entries(5, 4, c.before, c.after)
	part := func(from, to uint32) []byte { return hivetest.Log(b, from, entries[from-5:to-5+1]...) }
	torn := func(log []byte) []byte { return hivetest.Set32(log, sector+hivetest.EntryHash1, 0) }
	tests := []struct {
		name       string
		log1, log2 []byte
		why1, why2 string
		used       [2]int
	}{
		{"in order", part(5, 6), part(7, 8), "", "", [2]int{2, 2}},
		{"the second is the older one", part(7, 8), part(5, 6), "", "", [2]int{2, 2}},
		{"gap", part(5, 6), part(8, 8), "", "does not go on where the other one ends: it starts at 8, needed is 7", [2]int{2, 0}},
		// Entry 5 was written to the log that is empty now, and entry 6 builds on it.
		{"the older one is empty", part(5, 8)[:sector], part(6, 8), "holds no entries", "does not go on where the other one ends: it starts at 6, needed is 5", [2]int{0, 0}},
		{"overlap", part(5, 7), part(6, 8), "", "does not go on where the other one ends: it starts at 6, needed is 8", [2]int{3, 0}},
		{"the same twice", part(5, 8), part(5, 8), "", "does not go on where the other one ends: it starts at 5, needed is 9", [2]int{4, 0}},
		{"an old round", part(5, 8), hivetest.Log(b, 1, hivetest.Entries(1, 4, c.after, c.before)...), "", "is older than the hive: it starts at 1, needed is 5", [2]int{4, 0}},
		{"a bad one", part(5, 8), torn(part(5, 8))[:100], "", "ends inside its base block", [2]int{4, 0}},
		{"the older one ends early", append(part(5, 5), torn(part(6, 6))[sector:]...), part(7, 8),
			"ends behind entry 5: the next one has a wrong hash", "does not go on where the other one ends: it starts at 7, needed is 6", [2]int{1, 0}},
		// What the first log should have held is missing, so that the second would be put over another hive than it was written for.
		{"the older one is torn at once", torn(part(5, 6)), part(7, 8), "holds no entry to apply: the first one has a wrong hash",
			"does not go on where the other one ends: it starts at 7, needed is 5", [2]int{0, 0}},
		{"one of each kind", hivetest.OldLog(c.before, c.after), part(5, 8), "is of the old kind, and there is one of the new kind", "", [2]int{0, 4}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logs := []hive.Log{{Name: "LOG1", Data: test.log1}, {Name: "LOG2", Data: test.log2}}
			f := replay(t, b, logs...)
			if got := f.Logs; got[0].Why != test.why1 || got[1].Why != test.why2 || got[0].Entries != test.used[0] || got[1].Entries != test.used[1] {
				t.Errorf("%+v", got)
			}
			if test.used[0]+test.used[1] == 4 {
				recovered(t, f, c.after, 8)
			}
			slices.Reverse(logs)
			if g := replay(t, b, logs...); snapshot(g.Root()) != snapshot(f.Root()) {
				t.Error("in another order the logs give another hive")
			}
		})
	}
}

func TestOldLogRefused(t *testing.T) {
	c := changes()["grows"]
	b := hivetest.Dirty(c.before, 5, 4)
	log := hivetest.OldLog(c.before, c.after)
	length := uint32(len(c.after) - base)
	count := 0
	for _, p := range hivetest.Pages(c.before, c.after) {
		count += len(p.Data) / sector
	}
	older := bytes.Clone(log)
	le.PutUint64(older[hivetest.BaseModified:], le.Uint64(b[hivetest.BaseModified:])-1)
	hivetest.Seal(older)
	tests := []struct {
		name string
		hive []byte
		data []byte
		why  string
	}{
		{"sound", b, log, ""},
		{"time of the hive", b, hivetest.Set32(log, hivetest.BaseModified, le.Uint32(b[hivetest.BaseModified:])), ""},
		{"older", b, older, "is older than the hive"},
		// The base block does not count when it is bad, the first bin does.
		{"older than the first bin", hivetest.Destroyed(b), older, "is older than the hive"},
		{"not older than the first bin", hivetest.Destroyed(hivetest.Set32(b, base+hivetest.BinModified, le.Uint32(older[hivetest.BaseModified:]))), older, ""},
		{"older than the bad base block", hivetest.Set32(hivetest.Set32(b, hivetest.BaseModified+4, 0x7FFFFFFF), hivetest.BaseChecksum, 0), log, ""},
		{"signature", b, hivetest.Sign(log, sector, "DIRX"), `its bitmap is not signed "DIRT"`},
		{"base block only", b, log[:sector], `its bitmap is not signed "DIRT"`},
		{"no bins", b, hivetest.Set32(log, hivetest.BaseLength, 0), "is for bins of an impossible length of 0 bytes"},
		{"bins of more than a hive can have", b, hivetest.Set32(log, hivetest.BaseLength, 1<<31+4096), "is for bins of an impossible length of 2147487744 bytes"},
		{"bins of half a page", b, hivetest.Set32(log, hivetest.BaseLength, length+1), fmt.Sprintf("is for bins of an impossible length of %d bytes", length+1)},
		{"cut in the bitmap", b, log[:sector+5], "ends inside its bitmap"},
		{"length beyond all", b, hivetest.Set32(log, hivetest.BaseLength, 0x80000000), "ends inside its bitmap"},
		{"a longer bitmap", b, hivetest.Set32(log, hivetest.BaseLength, length+base), fmt.Sprintf("is for bins of %d bytes, which neither it nor the hive holds", length+base)},
		{"cut in the pages", b, log[:len(log)-1], fmt.Sprintf("ends before the last of its %d pages", count)},
		{"no pages", b, log[:2*sector], fmt.Sprintf("ends before the last of its %d pages", count)},
		{"sequence numbers", b, hivetest.Set32(log, hivetest.BaseSequence2, 9), "was not written to its end (sequence numbers 4 and 9)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := hive.Read("TEST", test.hive, hive.Log{Name: "LOG", Data: test.data})
			if err != nil {
				if !bytes.Equal(test.hive[4:508], hivetest.Destroyed(b)[4:508]) || test.why == "" {
					t.Fatal(err)
				}
				return // refused, and so is the hive, of which there is nothing left
			}
			if u := replay(t, test.hive, hive.Log{Name: "LOG", Data: test.data}).Logs[0]; u.Why != test.why || (u.Entries == 1) != (test.why == "") {
				t.Errorf("%+v\nwant %q", u, test.why)
			}
			if test.why == "" {
				recovered(t, f, c.after, 4)
			}
		})
	}
}

// TestTwoOldLogs has the newer one last: it holds all that the other one does, and more.
func TestTwoOldLogs(t *testing.T) {
	c := sameSize()
	b := hivetest.Dirty(c.before, 5, 4)
	first := bytes.Clone(c.before)
	hivetest.Seal(first)
	logs := []hive.Log{{Name: "LOG1", Data: hivetest.OldLog(c.before, first)}, {Name: "LOG2", Data: hivetest.OldLog(c.before, c.after)}}
	for range 2 {
		f := replay(t, b, logs...)
		recovered(t, f, c.after, 4)
		for _, u := range f.Logs {
			if (u.Name == "LOG2") != (u.Why == "") || u.Name == "LOG1" && u.Why != "is not needed: another log was applied" {
				t.Errorf("%+v", u)
			}
		}
		slices.Reverse(logs)
	}
	// One that cannot be applied does not stand in the way.
	f := replay(t, b, hive.Log{Name: "LOG1", Data: hivetest.OldLog(c.before, c.after)}, hive.Log{Name: "LOG2", Data: logs[1].Data[:600]})
	if f.Logs[0].Entries != 1 {
		t.Errorf("%+v", f.Logs)
	}
}

// TestEntryFlags has the one flag that an entry carries into the base block.
func TestEntryFlags(t *testing.T) {
	c := sameSize()
	for _, flags := range []uint32{0, 1, 2, 3, 0xFFFFFFFF} {
		for _, entry := range []uint32{0, 1, 0xFFFFFFFF} {
			b := hivetest.Set32(hivetest.Dirty(c.before, 6, 5), 144, flags)
			e := hivetest.Entries(5, 1, c.before, c.after)[0]
			le.PutUint32(e[hivetest.EntryFlags:], entry)
			hivetest.SealEntry(e)
			f := replay(t, b, hive.Log{Name: "LOG1", Data: hivetest.Log(b, 5, e)})
			recovered(t, f, c.after, 5)
			if got, want := le.Uint32(f.Bytes()[144:]), flags&^1|entry&1; got != want {
				t.Errorf("%#x with %#x: %#x, want %#x", flags, entry, got, want)
			}
		}
	}
}

// TestLogMutations sets every byte of a small hive and its log to other values, with the hashes that fit and with those that were.
func TestLogMutations(t *testing.T) {
	before := hivetest.Build(dated(&hivetest.Key{Keys: []*hivetest.Key{{Name: "A", Values: []hive.Value{hive.DWordValue("v", 1)}}}}), hivetest.Options{Sequence1: 4, Modified: 5})
	after := hivetest.Build(dated(&hivetest.Key{Keys: []*hivetest.Key{{Name: "A", Values: []hive.Value{hive.DWordValue("v", 2), hive.StringValue("w", hive.SZ, "text")}}}}), hivetest.Options{Sequence1: 4, Modified: 6})
	dirty := hivetest.Dirty(before, 6, 5)
	entries := hivetest.Entries(5, 2, before, after)
	for name, sound := range map[string][]byte{"new": hivetest.Log(dirty, 5, entries...), "old": hivetest.OldLog(before, after)} {
		t.Run(name, func(t *testing.T) {
			files := [2][]byte{dirty, sound}
			check := func() {
				f, err := hive.Read("TEST", files[0], hive.Log{Name: "LOG1", Data: files[1]})
				if err != nil {
					sane(t, slices.Concat(files[:]...), *must(errors.AsType[*hive.Problem](err)))
					return
				}
				if int(f.Size()) > len(files[0])+len(files[1]) {
					t.Fatalf("%d bytes were made of %d and %d", f.Size(), len(files[0]), len(files[1]))
				}
				for _, k := range f.Root().Walk() {
					k.Values()
				}
				for _, p := range f.Problems() {
					sane(t, f.Bytes(), p)
				}
			}
			for i := range files {
				sound := files[i]
				for at, was := range sound {
					if was == 0 && at%4 != 3 && at > 512 && at%16 != 0 || at > 512 && at < base && i == 0 {
						continue
					}
					for n, to := range []byte{0, 0xFF, 0x7F, was + 1, was ^ 0x80} {
						if to == was {
							continue
						}
						files[i] = bytes.Clone(sound)
						files[i][at] = to
						check()
						if n%2 == 0 && i == 1 && at >= sector && name == "new" {
							e := files[1][sector:]
							hivetest.SealEntry(e[:len(entries[0])])
							hivetest.SealEntry(e[len(entries[0]):])
							check()
						} else if at < hivetest.BaseChecksum {
							hivetest.Seal(files[i])
							check()
						}
					}
				}
				files[i] = sound
			}
		})
	}
}

// FuzzReadWithLogs reads hives with two logs.
func FuzzReadWithLogs(f *testing.F) {
	for _, c := range changes() {
		dirty := hivetest.HalfWritten(c.before, c.after, 6, 5)
		entries := hivetest.Entries(5, 3, c.before, c.after)
		old := hivetest.OldLog(c.before, c.after)
		f.Add(dirty, hivetest.Log(dirty, 5, entries...), []byte(nil))
		f.Add(dirty, hivetest.Log(dirty, 6, entries[1:]...), hivetest.Log(dirty, 5, append(entries[:1:1], entries[1])...))
		f.Add(hivetest.Destroyed(c.before), hivetest.Log(dirty, 5, entries...), old)
		f.Add(dirty, old, old)
		f.Add(hivetest.Destroyed(c.before), old, []byte("regf"))
	}
	f.Fuzz(func(t *testing.T, b, log1, log2 []byte) {
		logs := []hive.Log{{Name: "LOG1", Data: log1}, {Name: "LOG2", Data: log2}}
		for i := range logs {
			// So that fields are believed; odd lengths keep their checksum and hashes.
			if d := bytes.Clone(logs[i].Data); len(d) >= sector && len(d)%2 == 0 {
				hivetest.Seal(d)
				sealEntries(d[sector:])
				logs[i].Data = d
			}
		}
		if len(b) >= sector && len(b)%2 == 0 {
			b = bytes.Clone(b)
			hivetest.Seal(b)
		}
		laws(t, b, logs...)
	})
}

// sealEntries writes the right hashes into all entries that it finds.
func sealEntries(b []byte) {
	for len(b) >= sector {
		size := int64(le.Uint32(b[hivetest.EntrySize:]))
		if size < sector || size > int64(len(b)) {
			return
		}
		hivetest.SealEntry(b[:size])
		b = b[size:]
	}
}

// BenchmarkReplay reads a hive of 12 MB with two logs of 3 MB together.
func BenchmarkReplay(b *testing.B) {
	before := systemHive()
	var pages []hivetest.Page
	for at := range 3 << 20 / 4096 {
		at *= 4096
		pages = append(pages, hivetest.Page{At: at, Data: before[base+at:][:4096]})
	}
	var entries [][]byte
	number := uint32(2)
	for part := range slices.Chunk(pages, 64) {
		entries = append(entries, hivetest.Entry(number, len(before)-base, part...))
		number++
	}
	dirty := hivetest.Dirty(before, 3, 2)
	half := len(entries) / 2
	logs := []hive.Log{{Name: "LOG1", Data: hivetest.Log(dirty, 2, entries[:half]...)}, {Name: "LOG2", Data: hivetest.Log(dirty, 2+uint32(half), entries[half:]...)}}
	b.SetBytes(int64(len(logs[0].Data) + len(logs[1].Data)))
	b.ReportAllocs()
	for b.Loop() {
		if data, uses := hive.Replay(dirty, logs); data == nil || uses[1].Entries == 0 {
			b.Fatalf("%+v", uses)
		}
	}
}

// BenchmarkReplayCopy is what [BenchmarkReplay] costs at least: a copy of the hive.
func BenchmarkReplayCopy(b *testing.B) {
	dirty := systemHive()
	b.SetBytes(int64(len(dirty)))
	for b.Loop() {
		if c := bytes.Clone(dirty); len(c) == 0 {
			b.Fatal("empty")
		}
	}
}

// TestLogOfAnotherHive has a log whose entries are sound but not for this hive, which is then read without it.
func TestLogOfAnotherHive(t *testing.T) {
	c := sameSize()
	other := bytes.Clone(c.before)
	for at := base; at < len(other); at++ {
		other[at] ^= 0x55
	}
	for name, log := range map[string][]byte{
		"new": hivetest.Log(c.before, 5, hivetest.Entries(5, 1, c.before, other)...),
		"old": hivetest.OldLog(c.before, other),
	} {
		t.Run(name, func(t *testing.T) {
			b := hivetest.Dirty(c.before, 6, 5)
			f := replay(t, b, hive.Log{Name: "LOG", Data: log}, hive.Log{Name: "empty"})
			if got, want := snapshot(f.Root()), snapshot(read(t, b).Root()); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			want := "the hive is dirty (sequence numbers 6 and 5): its latest changes are only in its logs, of which none can be applied; " +
				"not applied: LOG does not fit this hive: with it no root key can be read; empty is empty"
			if p := f.Problems(); len(p) != 1 || p[0].Msg != want {
				t.Errorf("%v", p)
			}
		})
	}
}

// TestLaterLogs has logs that hold more than was applied of them, and such as only look so.
func TestLaterLogs(t *testing.T) {
	c := sameSize()
	b := hivetest.Dirty(c.before, 6, 5)
	entries := hivetest.Entries(5, 4, c.before, c.after)
	part := func(from, to uint32) []byte { return hivetest.Log(b, from, entries[from-5:to-5+1]...) }
	torn := func(log []byte) []byte { return hivetest.Set32(log, len(log)-sector, 0x12345678) }
	newer, old := hivetest.Dirty(c.before, 5, 4), hivetest.OldLog(c.before, c.after)
	tests := []struct {
		name  string
		hive  []byte
		log   []byte
		later bool
	}{
		{"goes on", b, part(7, 8), false},
		{"gap", b, part(8, 8), true},
		{"overlap", b, part(6, 8), false},
		{"torn", b, torn(part(7, 7)), true},
		{"torn at its end", b, torn(part(7, 8)), true},
		{"cut off", b, part(7, 8)[:sector+len(entries[2])+100], true},
		{"followed by what is left over", b, append(part(7, 8), entries[0]...), false},
		{"followed by zeros", b, append(part(7, 8), make([]byte, 1024)...), false},
		{"of an earlier round", b, hivetest.Log(b, 1, hivetest.Entries(1, 3, c.after, c.before)...), false},
		{"empty", b, nil, false},
		{"a base block", b, part(7, 8)[:sector], false},
		{"a bad base block", b, hivetest.Set32(part(7, 8), hivetest.BaseSequence2, 9), true},
		{"half a base block", b, part(7, 8)[:100], true},
		{"a hive", b, c.after, false},
		{"old, torn", newer, hivetest.Set32(old, hivetest.BaseModified, le.Uint32(old[hivetest.BaseModified:])+1)[:len(old)-1], true},
		{"old", newer, old, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logs := []hive.Log{{Name: "LOG1", Data: part(5, 6)}, {Name: "LOG2", Data: test.log}}
			if &test.hive[0] == &newer[0] {
				logs[0].Data = old
			}
			f := replay(t, test.hive, logs...)
			if u := f.Logs[1]; u.Later != test.later || f.Logs[0].Later || f.Logs[0].Entries == 0 {
				t.Errorf("%+v", f.Logs)
			}
		})
	}
}

// TestForeignLogs compares the identifiers of a hive and its log.
func TestForeignLogs(t *testing.T) {
	c := sameSize()
	b := hivetest.Dirty(c.before, 6, 5)
	log := hivetest.Log(b, 5, hivetest.Entries(5, 1, c.before, c.after)...)
	set := hivetest.Set32
	for _, id := range []struct {
		hive, log uint32
		foreign   bool
	}{{0, 0, false}, {1, 1, false}, {0, 1, false}, {1, 0, false}, {1, 2, true}} {
		f := replay(t, set(b, hivetest.BaseManager, id.hive), hive.Log{Name: "LOG1", Data: set(log, hivetest.BaseManager, id.log)})
		if u := f.Logs[0]; u.Entries != 1 || u.Foreign != id.foreign {
			t.Errorf("%+v: %+v", id, u)
		}
	}
	// A base block that does not add up may hold anything there.
	f := replay(t, set(set(b, hivetest.BaseManager, 1), hivetest.BaseChecksum, 0), hive.Log{Name: "LOG1", Data: set(log, hivetest.BaseManager, 2)})
	if u := f.Logs[0]; u.Entries != 1 || u.Foreign {
		t.Errorf("%+v", u)
	}
}
