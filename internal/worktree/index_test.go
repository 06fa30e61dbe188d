package worktree

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// entry is an entry of an index as tests write it.
type entry struct {
	name string
	mode uint32 // 0 for a file
	more bool   // it has more flags, as those of "git add -N" have
}

// writeIndex writes an index without the sum at its end.
func writeIndex(version uint32, hash int, entries []entry, extensions string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("DIRC"), version)
	b = binary.BigEndian.AppendUint32(b, uint32(len(entries)))
	before := ""
	for _, e := range entries {
		start := len(b)
		b = append(b, make([]byte, statLength+hash)...)
		mode := e.mode
		if mode == 0 {
			mode = 0o100644
		}
		binary.BigEndian.PutUint32(b[start+modeAt:], mode)
		flags := uint16(min(len(e.name), nameLength))
		if e.more {
			b = binary.BigEndian.AppendUint16(b, flags|extended)
			flags = 0
		}
		b = binary.BigEndian.AppendUint16(b, flags)
		name := e.name
		if version == 4 {
			common := 0
			for common < min(len(before), len(name)) && before[common] == name[common] {
				common++
			}
			b = appendVarint(b, len(before)-common)
			before, name = name, name[common:]
		}
		b = append(append(b, name...), 0)
		for version < 4 && (len(b)-start)%8 != 0 {
			b = append(b, 0)
		}
	}
	return append(b, extensions...)
}

// appendVarint writes a number as git's own encode_varint does.
func appendVarint(b []byte, n int) []byte {
	bytes := []byte{byte(n & 0x7F)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		bytes = append(bytes, byte(n&0x7F)|0x80)
	}
	slices.Reverse(bytes)
	return append(b, bytes...)
}

func extension(name string, data []byte) string {
	return name + string(binary.BigEndian.AppendUint32(nil, uint32(len(data)))) + string(data)
}

// writeBitmap writes a bitmap: runs of words of nothing but 0 or 1, and the words between them.
func writeBitmap(bits []bool) []byte {
	var words []uint64
	for from := 0; from < len(bits); from += 64 {
		word := uint64(0)
		for i, bit := range bits[from:min(from+64, len(bits))] {
			if bit {
				word |= 1 << i
			}
		}
		words = append(words, word)
	}
	var packed []uint64
	for len(words) > 0 {
		run, plain := 0, 0
		first := words[0]
		for first == 0 || ^first == 0 {
			if run == len(words) || words[run] != first {
				break
			}
			run++
		}
		for run+plain < len(words) && words[run+plain] != 0 && ^words[run+plain] != 0 {
			plain++
		}
		packed = append(packed, first&1*min(1, uint64(run))|uint64(run)<<1|uint64(plain)<<33)
		packed = append(packed, words[run:run+plain]...)
		words = words[run+plain:]
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(bits)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(packed)))
	for _, word := range packed {
		b = binary.BigEndian.AppendUint64(b, word)
	}
	return binary.BigEndian.AppendUint32(b, 0)
}

// seal writes the sum behind an index.
func seal(body []byte, sum hash.Hash) []byte {
	sum.Reset()
	sum.Write(body)
	return sum.Sum(bytes.Clone(body))
}

func parse(data []byte) ([]string, error) {
	x, err := parseIndex(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		return nil, err
	}
	return x.paths, nil
}

var someEntries = []entry{{name: "a.REG"}, {name: "a.txt"}, {name: "a/" + strings.Repeat("long/", 1000) + "b.reg"}, {name: "a/b.reg", more: true}, {name: "lib", mode: modeSubmodule},
	{name: "sparse/", mode: modeFolder}}

// TestIndexForms reads each version with each hash, with a sum and with zeros in its place. Only the entries that matter are kept.
func TestIndexForms(t *testing.T) {
	want := []string{someEntries[0].name, someEntries[2].name, "a/b.reg", "lib", "sparse/"}
	for version := uint32(2); version <= 4; version++ {
		for _, sum := range []hash.Hash{sha1.New(), sha256.New()} {
			entries := someEntries
			if version == 2 { // where there are no more flags
				entries = slices.Clone(entries)
				entries[3].more = false
			}
			body := writeIndex(version, sum.Size(), entries, extension("TREE", []byte("any"))+extension("sdir", nil))
			for _, data := range [][]byte{seal(body, sum), slices.Concat(body, make([]byte, sum.Size()))} {
				got, err := parse(data)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("version %d, hash of %d bytes: %v: %s", version, sum.Size(), err, cmp.Diff(want, got))
				}
			}
			if got, err := parse(seal(writeIndex(version, sum.Size(), nil, ""), sum)); err != nil || got != nil {
				t.Errorf("version %d, hash of %d bytes, no entries: %s, %v", version, sum.Size(), got, err)
			}
		}
	}
}

// TestIndexDamaged changes or cuts an index at each of its bytes: that is always seen.
func TestIndexDamaged(t *testing.T) {
	entries := []entry{{name: "a.reg"}, {name: "b.reg"}, {name: "bb.reg", more: true}}
	for version := uint32(3); version <= 4; version++ {
		whole := seal(writeIndex(version, sha1.Size, entries, extension("TREE", []byte("x"))), sha1.New())
		if _, err := parse(whole); err != nil {
			t.Fatal(err)
		}
		for i := range whole {
			if paths, err := parse(whole[:i]); err == nil {
				t.Errorf("version %d: cut to %d bytes, it is read as %s", version, i, paths)
			}
			changed := bytes.Clone(whole)
			changed[i] ^= 0x20
			if paths, err := parse(changed); err == nil {
				t.Errorf("version %d: with byte %d changed, it is read as %s", version, i, paths)
			}
		}
	}
}

// TestIndexRefused requires the message about each index that is not used.
func TestIndexRefused(t *testing.T) {
	count := func(n uint32) []byte {
		b := writeIndex(2, sha1.Size, someEntries[:1], "")
		binary.BigEndian.PutUint32(b[8:], n)
		return b
	}
	bomb := []entry{{name: strings.Repeat("a", 1<<16)}}
	for i := range 500 {
		bomb = append(bomb, entry{name: bomb[0].name + fmt.Sprintf("%03d.reg", i)})
	}
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"too many entries": {count(1 << 31), errDamaged.Error()},
		"too few entries":  {count(0), errDamaged.Error()},
		"version 5":        {writeIndex(5, sha1.Size, nil, ""), `has version 5, which is not known; "git update-index --index-version 4" writes one that is`},
		"new extension":    {writeIndex(4, sha1.Size, someEntries, extension("newx", nil)), `has the extension "newx", which is not known; name the files to be linted in place of their folder`},
		"no extension":     {writeIndex(4, sha1.Size, nil, "\x00\x00\x00\x00\x00\x00\x00\x00"), errDamaged.Error()},
		"long extension":   {writeIndex(4, sha1.Size, nil, "TREE\xFF\xFF\xFF\xFF"), errDamaged.Error()},
		"flags in 2":       {writeIndex(2, sha1.Size, someEntries, ""), errDamaged.Error()},
		"names that grow":  {writeIndex(4, sha1.Size, bomb, ""), errDamaged.Error()},
		"short link":       {writeIndex(2, sha1.Size, nil, extension("link", make([]byte, 19))), errDamaged.Error()},
		"long bitmap":      {writeIndex(2, sha1.Size, nil, extension("link", slices.Concat(make([]byte, 24), []byte{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}))), errDamaged.Error()},
		"one bitmap":       {writeIndex(2, sha1.Size, nil, extension("link", slices.Concat(make([]byte, 20), writeBitmap(nil)))), errDamaged.Error()},
	} {
		if paths, err := parse(seal(c.body, sha1.New())); err == nil || err.Error() != c.want {
			t.Errorf("%s: %d paths, %v; want %s", name, len(paths), err, c.want)
		}
	}
}

// TestIndexSplit puts the two parts of a split index together.
func TestIndexSplit(t *testing.T) {
	var entries []entry
	deleted, replaced := make([]bool, 1000), make([]bool, 1000)
	var top []entry
	want := []string{"new.reg"}
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range 999 {
		name := fmt.Sprintf("%04d.reg", i)
		entries = append(entries, entry{name: name})
		switch {
		case i >= 100 && i < 400 || chance.IntN(10) == 0:
			deleted[i] = true
			continue
		case chance.IntN(10) == 0:
			replaced[i] = true
			top = append(top, entry{})
		}
		want = append(want, name)
	}
	entries, want = append(entries, entry{name: "9999"}), append(want, "9999") // what was a file is a submodule now
	replaced[999], top = true, append(top, entry{mode: modeSubmodule})
	top = append(top, entry{name: "new.reg"}, entry{name: "new.txt"})
	for _, sum := range []func() hash.Hash{sha1.New, sha256.New} {
		size := sum().Size()
		folder := t.TempDir()
		shared := seal(writeIndex(4, size, entries, ""), sum())
		base := shared[len(shared)-size:]
		name := filepath.Join(folder, "sharedindex."+hex.EncodeToString(base))
		index := seal(writeIndex(2, size, top, extension("link", slices.Concat(base, writeBitmap(deleted), writeBitmap(replaced)))), sum())
		write(t, folder, map[string]string{"index": string(index)})
		if _, err := readIndex(folder); err == nil || !strings.Contains(err.Error(), name+": cannot be read: ") {
			t.Errorf("without the shared index: %v", err)
		}
		if err := os.WriteFile(name, seal(writeIndex(4, size, entries[1:], ""), sum()), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := readIndex(folder); err == nil || err.Error() != name+": "+errDamaged.Error() {
			t.Errorf("with another shared index: %v", err)
		}
		if err := os.WriteFile(name, shared, 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := readIndex(folder)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %s", err, cmp.Diff(want, []string(got)))
		}
		// A link to no shared index, as one has that was split and is not any more.
		index = seal(writeIndex(2, size, top, extension("link", make([]byte, size))), sum())
		write(t, folder, map[string]string{"index": string(index)})
		if got, err := readIndex(folder); err != nil || !slices.Equal(got, []string{"new.reg"}) {
			t.Errorf("without a base: %s, %v", got, err)
		}
	}
}

// TestIndexTracks asks an index for paths.
func TestIndexTracks(t *testing.T) {
	x := index{"a.reg", "b/c/d.reg", "b0.reg", "lib", "sparse/in/"}
	for path, want := range map[string]string{"a.reg": "is has", "a": "", "b": "has", "b/c": "has", "b/c/d.reg": "is has", "b/d": "", "lib": "is has", "lib/x.reg": "", "sparse": "has",
		"sparse/in": "has", "sparse/in/x.reg": "is has", "sparse/in/x/y": "is has", "sparse/x.reg": "", "z": ""} {
		var got []string
		if x.tracks(path) {
			got = append(got, "is")
		}
		if x.tracksIn(path) {
			got = append(got, "has")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestBitmap requires that a bitmap returns the bits that were written, and then zeros. A run of 2^32 words takes no time.
func TestBitmap(t *testing.T) {
	chance := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var bits []bool
		for range chance.IntN(6) {
			same, bit := chance.IntN(2) == 0, chance.IntN(2) == 0
			for range chance.IntN(300) {
				if !same {
					bit = chance.IntN(2) == 0
				}
				bits = append(bits, bit)
			}
		}
		b, rest, err := parseBitmap(append(writeBitmap(bits), "rest"...))
		if err != nil || string(rest) != "rest" {
			t.Fatalf("%q, %v", rest, err)
		}
		for i, want := range append(bits, make([]bool, 70)...) {
			if b.next() != want {
				t.Fatalf("bit %d of %d is not %v", i, len(bits), want)
			}
		}
	}
	b := bitmap{words: []byte{0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0}}
	if !b.next() || b.run != (1<<31-1+1<<31)*64-1 {
		t.Errorf("a run of %d", b.run)
	}
}

// TestLargeIndex reads an index in memory that is in proportion to what is kept, not to the index.
func TestLargeIndex(t *testing.T) {
	var entries []entry
	for i := range 100_000 {
		entries = append(entries, entry{name: fmt.Sprintf("drivers/net/ethernet/vendor/file%06d.c", i)})
	}
	entries = append(entries, entry{name: "z.reg"})
	data := seal(writeIndex(2, sha1.Size, entries, ""), sha1.New())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got, err := parse(data)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || !slices.Equal(got, []string{"z.reg"}) {
		t.Fatalf("%s, %v", got, err)
	}
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 100_000 {
		t.Errorf("%d bytes are held of an index with %d", held, len(data))
	}
	runtime.KeepAlive(data)
}

// TestLongNames reads an index in which each entry of 65 bytes changes the last byte of a name of 16 MiB. Where the whole name was looked at
// each time, that would take minutes.
func TestLongNames(t *testing.T) {
	const entries = 100_000
	body := writeIndex(4, sha1.Size, []entry{{name: strings.Repeat("a", 1<<24)}}, "")
	next := binary.BigEndian.AppendUint16(make([]byte, statLength+sha1.Size), nameLength)
	body = append(body, bytes.Repeat(append(next, 1, 'b', 0), entries)...)
	binary.BigEndian.PutUint32(body[8:], entries+1)
	start := time.Now()
	if got, err := parse(seal(body, sha1.New())); err != nil || got != nil {
		t.Errorf("%d paths, %v", len(got), err)
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("took %v", took)
	}
}

// FuzzIndex reads any bytes as an index and as a shared index. What is kept is in proportion to their number, and an index that is written with
// the paths that were read is read as the same paths.
func FuzzIndex(f *testing.F) {
	for version := uint32(2); version <= 4; version++ {
		f.Add(writeIndex(version, sha1.Size, someEntries, extension("TREE", []byte("x"))), writeBitmap([]bool{true, false, true}))
	}
	f.Add(writeIndex(4, sha256.Size, someEntries, extension("link", make([]byte, sha256.Size))), writeBitmap(make([]bool, 1000)))
	f.Add(writeIndex(2, sha1.Size, someEntries[:2], extension("link", slices.Concat(make([]byte, sha1.Size), writeBitmap(nil), writeBitmap(nil)))), []byte{})
	f.Fuzz(func(t *testing.T, body, bits []byte) {
		for _, sum := range []func() hash.Hash{sha1.New, sha256.New} {
			data := seal(body, sum())
			var by *link
			if b, _, err := parseBitmap(bits); err == nil {
				by = &link{make([]byte, sum().Size()), b, b}
			}
			for _, l := range []*link{nil, by} {
				x, err := parseIndexWith(sum(), bytes.NewReader(data), int64(len(data)), l)
				if err != nil {
					continue
				}
				var entries []entry
				kept := 0
				for _, p := range x.paths {
					if p == "" || strings.Contains(p, "\x00") {
						t.Fatalf("the path %q is kept", p)
					}
					kept += len(p)
					entries = append(entries, entry{name: p, mode: modeSubmodule})
				}
				if kept > 4*len(data) {
					t.Fatalf("%d bytes are kept of %d", kept, len(data))
				}
				for version := uint32(2); version <= 4; version++ {
					again, err := parse(seal(writeIndex(version, sum().Size(), entries, ""), sum()))
					if err != nil && kept > 64*len(entries) && version == 4 {
						continue // names that have much in common
					}
					if err != nil || !slices.Equal(again, x.paths) {
						t.Fatalf("written as version %d: %v: %s", version, err, cmp.Diff(x.paths, again))
					}
				}
			}
		}
	})
}
