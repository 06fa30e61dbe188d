package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// TestSearchLaw requires that search finds something if and only if export --full --deleted shows it, in random hives.
func TestSearchLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	hits := map[string]int{}
	for range 150 {
		name := filepath.Join(t.TempDir(), "hive")
		if err := os.WriteFile(name, randomHive(r), 0o666); err != nil {
			t.Fatal(err)
		}
		pattern := []string{"a", "ab", "B1", "1", "0x31", "12", "é", "a b", `a\b`}[r.IntN(9)]
		got := places(t, "search", "--deleted", "--format", "jsonl", pattern, name)
		want := shownPlaces(t, name, pattern)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (- shown by export, + found by search):\n%s", pattern, diff)
		}
		for place := range got {
			place, _, _ = strings.Cut(place, " ")
			hits[place]++
		}
	}
	for _, place := range []string{"key/live", "class/live", "value/live", "data/live", "key/deleted", "value/deleted", "data/deleted"} {
		if hits[place] < 5 {
			t.Errorf("only %d hits of %s: the law was hardly tested", hits[place], place)
		}
	}
}

// TestSearchText requires that search finds in the .reg text of a hive what it finds in the hive, but for the places and what only a hive has.
func TestSearchText(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 2))
	for range 50 {
		dir := t.TempDir()
		name, text := filepath.Join(dir, "hive"), filepath.Join(dir, "hive.reg")
		if err := os.WriteFile(name, randomHive(r), 0o666); err != nil {
			t.Fatal(err)
		}
		if status := run([]string{"export", "--prefix", `HKEY_LOCAL_MACHINE\X`, "-o", text, name}, nil, io.Discard, io.Discard); status != statusDone {
			t.Fatalf("export: status %d", status)
		}
		inHive := places(t, "search", "--format", "jsonl", "--mount", `HKLM\X`, "-E", "[a1]", name)
		inText := places(t, "search", "--format", "jsonl", "-E", "[a1]", text)
		// .reg text has no classes. Like Windows, export writes a REG_SZ up to its first NUL, and what reads it adds the NULs that text lacks.
		apart := func(place string, _ bool) bool {
			return regexp.MustCompile(`^(class/|data/live REG_(SZ|EXPAND_SZ|MULTI_SZ) )`).MatchString(place)
		}
		maps.DeleteFunc(inHive, apart)
		maps.DeleteFunc(inText, apart)
		if diff := cmp.Diff(inHive, inText); diff != "" {
			t.Fatalf("- in the hive, + in the text:\n%s", diff)
		}
	}
}

// randomHive returns a hive with names and data of few letters, from which some was deleted.
func randomHive(r *rand.Rand) []byte {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	name := func() string {
		return pick("a", "b", "A1", "ab", "1") + pick("", "é", " b", "12") + strconv.Itoa(r.IntN(1000))
	}
	data := func() (b []byte) {
		for range r.IntN(6) {
			if text := pick("ab", "B1", "É", "a b", `a\b`, "\x00", "12", "1", "ġ", "\x00\x00"); r.IntN(2) > 0 {
				b = append(b, text...)
			} else {
				b = hive.AppendUTF16(b, text)
			}
		}
		return b
	}
	var tree func(depth int) *hivetest.Key
	tree = func(depth int) *hivetest.Key {
		k := &hivetest.Key{Name: name(), Modified: 131_000_000_000_000_000 + hive.Filetime(r.IntN(1000))}
		if r.IntN(3) == 0 {
			k.Class = name()
		}
		for range r.IntN(5) {
			v := hive.Value{Name: name(), Type: hive.Type(r.IntN(14)), Data: data()}
			if r.IntN(3) == 0 {
				v.Type, v.Data = hive.DWord+hive.Type(r.IntN(2)), []byte{0, 0, 0, 0}
				v.Data[r.IntN(4)] = pick("\x01", "\x31", "\x0c")[0]
			}
			k.Values = append(k.Values, v)
		}
		for range r.IntN(4) {
			if depth < 3 {
				k.Keys = append(k.Keys, tree(depth+1))
			}
		}
		return k
	}
	root := tree(0)
	root.Keys = append(root.Keys, &hivetest.Key{Name: "gone ab", Modified: 131_000_000_000_000_000, Values: []hive.Value{hive.StringValue("ab 1", hive.SZ, "12 ab")}},
		&hivetest.Key{Name: "kept", Modified: 131_000_000_000_000_000, Values: []hive.Value{hive.StringValue("lost a1", hive.SZ, "a b"), hive.DWordValue("12", 12)}})
	b, at := hivetest.BuildLayout(root, hivetest.Options{})
	b = hivetest.DeleteValue(b, at.Key("kept"), "lost a1")
	gone := at.Key("gone ab")
	for _, record := range []int{gone.Node, gone.ValueList, gone.Value("ab 1").Record, gone.Value("ab 1").Data} {
		b = hivetest.Free(b, record)
	}
	// The list of the root loses that key, behind which others may stand.
	list := b[at.Key("").List+hivetest.ListElements:]
	i := 0
	for hivetest.Ref(gone.Node) != binary.LittleEndian.Uint32(list[8*i:]) {
		i++
	}
	n := len(root.Keys)
	copy(list[8*i:], list[8*(i+1):8*n])
	b = hivetest.Set16(b, at.Key("").List+hivetest.ListCount, uint16(n-1))
	return hivetest.Set32(b, at.Key("").Node+hivetest.NodeKeys, uint32(n-1))
}

// places returns the places of the hits of a search, with what is there and in which state.
func places(t *testing.T, args ...string) map[string]bool {
	t.Helper()
	var out, messages bytes.Buffer
	if status := run(args, nil, &out, &messages); status > statusFindings || (status == statusFindings) != (out.Len() > 0) {
		t.Fatalf("%q: status %d with %d bytes of hits: %s", args, status, out.Len(), messages.String())
	}
	all := map[string]bool{}
	for line := range bytes.Lines(out.Bytes()) {
		var h struct{ Place, State, Key, Value, Type, Match, Text string }
		if err := json.Unmarshal(line, &h); err != nil {
			t.Fatal(err)
		}
		if h.Match == "" || !strings.Contains(h.Text, h.Match) {
			t.Errorf("a hit of nothing: %s", line)
		}
		all[fmt.Sprintf("%s/%s %s %s, %s", h.Place, h.State, h.Type, h.Key, h.Value)] = true
	}
	return all
}

// shownPlaces returns the places of what export shows and that matches a pattern, found in another way than search finds it.
func shownPlaces(t *testing.T, name, pattern string) map[string]bool {
	t.Helper()
	var out bytes.Buffer
	if status := run([]string{"export", "--full", "--deleted", "--format", "jsonl", name}, nil, &out, io.Discard); status != statusDone {
		t.Fatalf("export: status %d", status)
	}
	contains := func(text string) bool { return strings.Contains(hive.Fold(text), hive.Fold(pattern)) }
	all := map[string]bool{}
	for line := range bytes.Lines(out.Bytes()) {
		var k struct {
			Key, Class    string
			Deleted, Live bool
			Values        []struct {
				Name, Data string
				TypeID     hive.Type `json:"type_id"`
			}
		}
		if err := json.Unmarshal(line, &k); err != nil {
			t.Fatal(err)
		}
		state := "live"
		if k.Deleted {
			state = "deleted"
		}
		if own := k.Key[strings.LastIndexByte(k.Key, '\\')+1:]; !k.Live && contains(own) {
			all[fmt.Sprintf("key/%s  %s, ", state, k.Key)] = true
		}
		if contains(k.Class) {
			all[fmt.Sprintf("class/%s  %s, ", state, k.Key)] = true
		}
		for _, v := range k.Values {
			if contains(v.Name) {
				all[fmt.Sprintf("value/%s %s %s, %s", state, v.TypeID, k.Key, v.Name)] = true
			}
			data, err := hex.DecodeString(v.Data)
			if err != nil {
				t.Fatal(err)
			}
			if shows(v.TypeID, data, pattern, contains) {
				all[fmt.Sprintf("data/%s %s %s, %s", state, v.TypeID, k.Key, v.Name)] = true
			}
		}
	}
	return all
}

// shows reports whether data has a pattern in it.
func shows(typ hive.Type, data []byte, pattern string, contains func(string) bool) bool {
	if n, err := (hive.Value{Type: typ, Data: data}).Uint64(); err == nil {
		want, err := strconv.ParseUint(pattern, 0, 64)
		return err == nil && want == n
	}
	even := contains(hive.DecodeUTF16(data))
	narrow := contains(string(data))
	switch typ {
	case hive.SZ, hive.ExpandSZ, hive.Link, hive.MultiSZ:
		text := strings.TrimRight(string(data), "\x00")
		return even || narrow && utf8.ValidString(text) && !strings.Contains(text, "\x00")
	}
	return even || narrow || len(data) > 0 && contains(hive.DecodeUTF16(data[1:]))
}

// TestSearchSlack looks for what a longer value left in its cell.
func TestSearchSlack(t *testing.T) {
	before := append([]byte("now there; "), hive.EncodeUTF16("left over text")...)
	b, layout := hivetest.BuildLayout(&hivetest.Key{Values: []hive.Value{{Name: "short", Type: hive.Binary, Data: before}}}, hivetest.Options{})
	record := layout.Key("").Value("short")
	b = hivetest.Set32(b, record.Record+hivetest.ValueLength, 8)
	name := filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	search := func(status int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(append(append([]string{"search"}, args...), name), nil, &out, io.Discard); got != status {
			t.Errorf("%q: status %d, want %d", args, got, status)
		}
		return out.String()
	}
	search(statusDone, "left over")
	at := record.Data + len("now there; ")
	want := fmt.Sprintf("%s: offset %#x: ", name, at)
	if got := search(statusFindings, "--slack", "Left over"); !strings.HasPrefix(got, want) || !strings.Contains(got, "left over text") || !strings.HasSuffix(got, " (unused, as utf-16le)\n") {
		t.Errorf("got %q, want the start %q", got, want)
	}
	want = fmt.Sprintf("%s: offset %#x: ", name, record.Data+8)
	if got := search(statusFindings, "--slack", "-x", hex.EncodeToString(before[8:14])); !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want the start %q", got, want)
	}
}

// growth is an output that notes by how much the memory in use grew at most since its first byte.
type growth struct {
	written, sampled int
	first, most      int64
}

func (g *growth) Write(b []byte) (int, error) {
	if g.written += len(b); g.written-g.sampled > 2<<20 {
		g.sampled = g.written
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if g.first == 0 {
			g.first = int64(m.HeapAlloc)
		}
		g.most = max(g.most, int64(m.HeapAlloc)-g.first)
	}
	return len(b), nil
}

// TestSearchStreams requires that hits do not wait in memory for the end of an input or for those of other inputs.
func TestSearchStreams(t *testing.T) {
	name := largeSystem(t)
	out := new(growth)
	if status := run([]string{"search", "--format", "jsonl", "e", name, name, name}, nil, out, io.Discard); status != statusFindings {
		t.Fatalf("status %d", status)
	}
	if out.written < 60<<20 || out.most > 32<<20 {
		t.Errorf("for %d bytes of hits, memory grew by %d bytes", out.written, out.most)
	}
	t.Logf("%d bytes of hits, memory grew by %d bytes", out.written, out.most)
}

// TestSearchLimit requires that the hits in a small hive whose keys share a long path end before they fill the disk, unless all are asked for.
func TestSearchLimit(t *testing.T) {
	const leaves = 6000
	at := &hivetest.Key{}
	root := at
	for range 50 {
		below := &hivetest.Key{Name: strings.Repeat("long", 60)}
		at.Keys, at = []*hivetest.Key{below}, below
	}
	for i := range leaves {
		at.Keys = append(at.Keys, &hivetest.Key{Name: fmt.Sprint("leaf", i)})
	}
	name := filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(name, hivetest.Build(root, hivetest.Options{}), 0o666); err != nil {
		t.Fatal(err)
	}
	var out tally
	var messages bytes.Buffer
	status := run([]string{"search", "leaf", name}, nil, &out, &messages)
	want := fmt.Sprintf("regvet: %s: the hits are more than 100 times as long as the input and end here; --no-limit writes all of them, and a longer PATTERN or --key finds fewer\n", name)
	if status != statusInput || messages.String() != want || out.bytes > leastLimit || out.bytes < leastLimit/2 {
		t.Errorf("status %d, %d bytes, %s, want %s", status, out.bytes, messages.String(), want)
	}
	out = tally{}
	if status := run([]string{"search", "--no-limit", "leaf", name}, nil, &out, io.Discard); status != statusFindings || out.lines != leaves {
		t.Errorf("without a limit: status %d, %d hits", status, out.lines)
	}
}

// These benchmarks are comparable to those of export.
func BenchmarkSearch(b *testing.B)      { benchmark(b, statusFindings, "search", "maxuserport") }
func BenchmarkSearchRegex(b *testing.B) { benchmark(b, statusFindings, "search", "-E", "max.*port") }
func BenchmarkSearchSlack(b *testing.B) {
	benchmark(b, statusFindings, "search", "--deleted", "--slack", "maxuserport")
}
func BenchmarkSearchAll(b *testing.B) { benchmark(b, statusFindings, "search", "e") }
