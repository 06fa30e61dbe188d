package regfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
)

// tiny makes nearly every key a large one and nearly every name a suspect, and ends pieces nearly everywhere.
var tiny = limits{key: 2 * sizeOfOne, piece: sizeOfOne, filter: 8, buffers: 600, segments: 200, mostRuns: 6}

// walked is a key met on a walk.
type walked struct {
	Path    string
	At      hive.Location
	Implied bool
	Values  []hive.Value
}

// checkOrdered holds the law of Ordered: a file that can be read so yields the keys of its tree in the order of both walks, if it has the
// second one, and the same exports; and ParseOrdered returns the same about a file as Parse. For other files, it returns nil.
func checkOrdered(t *testing.T, o Options, data []byte, file *File) (found *Ordered) {
	t.Helper()
	text := io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
	for _, l := range []limits{usual, tiny} {
		var seen []walked
		told, x, err := o.parseOrdered("fuzz", text, func(s *hive.Stretch) {
			if s == nil {
				seen = nil
				return
			}
			seen = add(t, seen, s)
		}, l)
		if file == nil {
			if problem := (*hive.Problem)(nil); !errors.As(err, &problem) || problem.Kind != hive.BadText {
				t.Fatalf("a file that is rejected gives the error %v", err)
			}
			return nil
		}
		if err == ErrOrder {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		tree := file.Tree()
		got, want := walkedIn(t, x.Walk()), allOf(tree.Walk())
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(seen, want) {
			t.Fatalf("key by key it is\n%+v\n%+v\nwhole\n%+v\n%q", got, seen, want, data)
		}
		if found == nil {
			found = x
		}
		if walk := x.WalkStored(); walk != nil {
			if got, want := walkedIn(t, walk), allOf(tree.WalkStored()); !reflect.DeepEqual(got, want) {
				t.Fatalf("key by key the file holds\n%+v\nwhole\n%+v\n%q", got, want, data)
			}
		}
		whole := *file
		whole.Edits, whole.Problems = nil, slices.Clone(file.Problems)
		for i := range whole.Problems {
			whole.Problems[i].Source = "fuzz"
		}
		if !reflect.DeepEqual(*told, whole) {
			t.Fatalf("key by key the file is %+v, whole %+v", *told, whole)
		}
		checkStreams(t, x, tree)
	}
	return found
}

func walkedIn(t *testing.T, walk iter.Seq2[*hive.Stretch, error]) (all []walked) {
	t.Helper()
	for s, err := range walk {
		if err != nil {
			t.Fatal(err)
		}
		all = add(t, all, s)
	}
	return all
}

// add adds a stretch to the keys that were met, or to the last of them.
func add(t *testing.T, all []walked, s *hive.Stretch) []walked {
	t.Helper()
	if s.Begins {
		all = append(all, walked{Path: s.Path.String(), At: s.At, Implied: s.Implied})
	} else if last := all[len(all)-1]; s.Implied || last.Path != s.Path.String() || last.At != s.At {
		t.Fatalf("%+v is taken for a part of %+v", s, last)
	}
	last := &all[len(all)-1]
	last.Values = append(last.Values, s.Values...)
	return all
}

func allOf(walk func(func(hive.Path, *hive.Key) bool)) (all []walked) {
	for path, k := range walk {
		if len(path) > 0 {
			all = append(all, walked{path.String(), k.At(), k.Implied(), append([]hive.Value(nil), k.Values()...)})
		}
	}
	return all
}

// checkStreams requires that the exports of a file, and of some of its keys, are those of its tree.
func checkStreams(t *testing.T, x *Ordered, tree *hive.Key) {
	t.Helper()
	trees, streams := []Tree{{Root: tree}}, []Stream{{Keys: x.Walk()}}
	for path, k := range tree.Walk() {
		if len(path) > 0 && len(trees) < 4 {
			path = path.Join()
			trees = append(trees, Tree{k, path})
			streams = append(streams, Stream{StretchesBelow(path, x.Walk()), path})
		}
	}
	var got, want bytes.Buffer
	if a, b := ExportOrdered(&got, streams...), Export(&want, trees...); fmt.Sprint(a) != fmt.Sprint(b) || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Fatalf("key by key the export is\n%s%v\nwhole\n%s%v", show(got.Bytes()), a, show(want.Bytes()), b)
	}
}

// randomSections returns a file of a few keys and values, some of them twice, in another case, deleted, or out of order.
func randomSections(r *rand.Rand, disorder int) []byte {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	var paths []string
	for range r.IntN(12) {
		path := pick("HKEY_LOCAL_MACHINE", "HKEY_USERS", "HKLM")
		for range r.IntN(4) {
			path += `\` + pick("A", "b", "B", "a b", "a", "é", "É", "C")
		}
		paths = append(paths, path)
	}
	slices.SortStableFunc(paths, func(a, b string) int {
		return slices.CompareFunc(hive.ParsePath(a), hive.ParsePath(b), hive.CompareFold)
	})
	for range disorder {
		if n := len(paths); n > 1 && r.IntN(2) == 0 {
			i, j := r.IntN(n), r.IntN(n)
			paths[i], paths[j] = paths[j], paths[i]
		}
	}
	return sectionsOf(r, paths)
}

// sectionsOf returns a file of some keys, in that order.
func sectionsOf(r *rand.Rand, paths []string) []byte {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	text := header5 + pick("\n\n", "\n", "\r\n; é\r\n", "\r")
	for i, path := range paths {
		if text += pick("", "", " ") + "[" + path + pick("]\n", "]\r", "]\r\n"); r.IntN(12) == 0 {
			text += "[-" + pick(path, paths[r.IntN(i+1)]) + pick("", `\a`, `\Z`) + "]\n"
		}
		for i := range r.IntN(14) {
			name := pick("x", "X", "y", "é")
			if r.IntN(8) > 0 {
				name = fmt.Sprintf("n%d", i)
			}
			text += `"` + name + `"=` + pick("-", `"text"`, "dword:1", "hex:01,02", "hex(7):61,00", "dword:1", "hex(2):\\\n 01", "dword:1", `"t`, `"日"`) +
				pick("\n", "\n", "\r\n", "\r", "\n\n; é\n")
		}
	}
	return []byte(text)
}

// randomRuns returns a file of keys in the order of their numbers, in several lists, or in no order.
func randomRuns(r *rand.Rand) []byte {
	var paths []string
	root := `HKEY_USERS\A`
	switch r.IntN(4) {
	case 0: // two levels, with or without the keys above
		above := r.IntN(2) == 0
		for i := range 1 + r.IntN(4) {
			if above {
				paths = append(paths, fmt.Sprintf(`%s\Key%d`, root, i+8))
			}
			for j := range r.IntN(6) {
				paths = append(paths, fmt.Sprintf(`%s\Key%d\Sub%d`, root, i+8, j+8))
			}
		}
	case 1: // a list behind another
		for range 2 + r.IntN(3) {
			for _, name := range []string{"a", "b", `b\x`, `b\x\y`, `b\Z`, "c", "d", "é"} {
				if r.IntN(2) == 0 {
					name = strings.ToUpper(name)
				}
				if r.IntN(3) == 0 {
					paths = append(paths, root+`\`+name)
				}
			}
		}
	default:
		for i := range r.IntN(20) {
			paths = append(paths, fmt.Sprintf(`%s\%d`, root, i)+[]string{"", "", `\1`, `\1\x`}[r.IntN(4)])
		}
		if r.IntN(2) == 0 {
			r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		}
	}
	return sectionsOf(r, paths)
}

// encodings encode UTF-8 text as files, and read them.
var encodings = []struct {
	page int
	make func([]byte) []byte
}{
	{1252, slices.Clone[[]byte]},
	{65001, slices.Clone[[]byte]},
	{65001, func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("日"), []byte("\xE6\x97")) }}, // half a character
	{932, func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("é"), []byte("\x83\x5C")) }},   // a backslash is its second half
	{936, func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("é"), []byte{0x81}) }},         // the first half of a character
	{950, func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("é"), []byte{0x88, 0x62}) }},   // two characters of Unicode
	{949, func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("é"), []byte{0xA1}) }},
	{1252, func(text []byte) []byte { return append([]byte{0xEF, 0xBB, 0xBF}, text...) }},
	{1252, func(text []byte) []byte {
		return append([]byte{0xEF, 0xBB, 0xBF}, bytes.ReplaceAll(text, []byte("日"), []byte{0xE6, 0xFF})...)
	}},
	{1252, func(text []byte) []byte { return wide(string(text)) }},
	{1252, func(text []byte) []byte {
		return append(wide(strings.ReplaceAll(string(text), "日", "\uE00A\u0D0A😀")), 'x')
	}},
}

func TestOrdered(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const files = 1000
	var ordered, merged, stored int
	for i := range files {
		text := randomSections(r, i%3)
		if i%2 == 0 {
			text = randomRuns(r)
		}
		encoding := encodings[r.IntN(len(encodings))]
		data, o := encoding.make(text), Options{codePages[encoding.page]()}
		file, err := o.Parse("fuzz", data)
		if err != nil {
			t.Fatal(err)
		}
		x := checkOrdered(t, o, data, file)
		if x == nil {
			continue
		}
		ordered++
		if x.runs.cut {
			merged++
			if x.stored {
				stored++
			}
		}
	}
	if ordered < files/2 || ordered > files*9/10 || merged < files/4 || stored < files/20 || stored > merged*9/10 {
		t.Errorf("of %d files %d can be read key by key, %d of them have several runs, %d of these can be read as they stand", files, ordered, merged, stored)
	}
}

// TestOrderedDeletes holds the law for keys that are deleted after others, and which of these files can be read key by key.
func TestOrderedDeletes(t *testing.T) {
	for _, c := range []struct {
		lines string // the names of keys
		want  bool
	}{
		{"A B -C", true},
		{"A B -B", false},
		{"A B -A", false},
		{"B A -C", true},
		{"B A -B", false}, // the last of a run that ended before
		{"B A -b", false},
		{`B\x A -B`, false},
		{`B A -B\x`, true},
		{"C B A -C", false},
		{"C B A -B", false},
		{"C D A B -D", false},
		{"C D A B -E", true},
		{"C A -E B", true},
	} {
		text := header5 + "\n"
		for _, name := range strings.Fields(c.lines) {
			name, deletes := strings.CutPrefix(name, "-")
			if deletes {
				text += "[-HKEY_USERS\\" + name + "]\n"
				continue
			}
			text += "[HKEY_USERS\\" + name + "]\n@=\"text\"\n"
		}
		file, err := Parse("test", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if x := checkOrdered(t, Options{}, []byte(text), file); (x != nil) != c.want {
			t.Errorf("%s: read key by key %v, want %v", c.lines, x != nil, c.want)
		}
	}
}

// TestLongRuns holds the law for files that are read in several pieces, with runs that start at the edges of these.
func TestLongRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, encoding := range encodings {
		text := header5 + "\n"
		for i := range 300 {
			text += fmt.Sprintf("\n[HKEY_USERS\\A\\%s%d]\n\"日\"=\"é\"\n;%s", strings.Repeat("é", r.IntN(250)), i%40, strings.Repeat("é日", r.IntN(400)))
		}
		data, o := encoding.make([]byte(text)), Options{codePages[encoding.page]()}
		file, err := o.Parse("fuzz", data)
		if err != nil {
			t.Fatal(err)
		}
		if x := checkOrdered(t, o, data, file); x == nil || !x.runs.cut {
			t.Error("a file is not read run by run")
		}
	}
	// The line that begins a run ends with a piece, or between its CR and its LF does.
	const before, line = header5 + "\r\n;", "\r\n[HKEY_USERS\\B]\r\n[HKEY_USERS\\A]\r\n"
	for shift := range 4 {
		data := []byte(before + strings.Repeat("x", pieceSize-len(before+line)+shift) + line + "@=\"text\"\r\n")
		file, err := Parse("fuzz", data)
		if err != nil {
			t.Fatal(err)
		}
		if checkOrdered(t, Options{}, data, file) == nil {
			t.Errorf("with %d characters more, the file is not read run by run", shift)
		}
	}
}

// TestRuns requires that there are as few runs as possible.
func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name string
		keys func(i int) string // for the numbers from 0
		want int
	}{
		{"sorted", func(i int) string { return fmt.Sprintf("Key%04d", i) }, 1},
		{"numbers", func(i int) string { return fmt.Sprint("Key", i) }, 3},
		{"two levels", func(i int) string { return fmt.Sprintf("Key%d\\Sub%d", i/20, i%20) }, 4},
		{"two lists in turn", func(i int) string { return fmt.Sprintf("%c\\%04d", 'b'-i%2, i/2) }, 2},
		{"from behind", func(i int) string { return fmt.Sprintf("Key%04d", 999-i) }, 1000},
	} {
		text := header5 + "\n"
		for i := range 1000 {
			text += "[HKEY_USERS\\A\\" + c.keys(i) + "]\n"
		}
		_, x, err := Options{}.ParseOrdered("test", io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))), func(*hive.Stretch) {})
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := len(x.runs.others) + 1; got != c.want {
			t.Errorf("%s: there are %d runs, want %d", c.name, got, c.want)
		}
	}
}

// TestLongValues holds the laws for values and comments that are written in pieces, with long characters at the edges of these.
func TestLongValues(t *testing.T) {
	for shift := range 5 {
		long := strings.Repeat("x", shift) + strings.Repeat("aé日😀", pieceSize/4)
		quotes := strings.Repeat("x", shift) + strings.Repeat(`a日"\`, pieceSize/4)
		data := bytes.Repeat([]byte{1, 0xAB}, pieceSize)
		edits := []hive.Edit{{Op: hive.CreateKey, Path: hive.ParsePath(`HKU\A`)}}
		for i, v := range []hive.Value{
			hive.StringValue("", hive.SZ, long), hive.StringValue("", hive.SZ, quotes), {Type: hive.Binary, Data: data}, hive.StringValue("", hive.SZ, "short"),
		} {
			v.Name = fmt.Sprint(i)
			edits = append(edits, hive.Edit{Op: hive.SetValue, Path: edits[0].Path, Value: v})
		}
		checkRewrite(t, edits)
		tree := hive.Apply(hive.NewImpliedKey(""), edits...)
		checkExport(t, tree)
		var file bytes.Buffer
		if err := Export(&file, Tree{Root: tree}); err != nil {
			t.Fatal(err)
		}
		text := hive.DecodeUTF16(file.Bytes()[2:]) + "; " + long + "\r\n\"left\"=" + long + "\r\n"
		checkFormat(t, FormatOptions{}, wide(text))
		checkFormat(t, FormatOptions{UTF8: true}, wide(text))
		page, err := ParseCodePage("932")
		if err != nil {
			t.Fatal(err)
		}
		narrow, ok := page.encode(nil, []byte(strings.NewReplacer(header5, header4, "é", "e", "😀", "!").Replace(text)))
		if !ok {
			t.Fatal("the code page does not hold the text")
		}
		checkFormat(t, FormatOptions{Options: Options{page}}, narrow)
	}
}
