package regfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
)

// tiny makes nearly every key a large one, and the filter suspect nearly every name.
var tiny = limits{key: 2 * sizeOfOne, piece: sizeOfOne, filter: 8}

// walked is a key as it is met on a walk.
type walked struct {
	Path    string
	At      hive.Location
	Implied bool
	Values  []hive.Value
}

// checkOrdered holds the law of WalkOrdered: a file that it goes through gives the keys of its tree in the order of both walks, and the
// same exports; and what ParseOrdered tells of a file is what Parse tells. It reports whether the file is one of these.
func checkOrdered(t *testing.T, data []byte, file *File) bool {
	t.Helper()
	ordered := false
	for _, l := range []limits{usual, tiny} {
		r := bytes.NewReader(data)
		var seen []walked
		told, err := Options{}.parseOrdered("fuzz", r, func(s *hive.Stretch) { seen = add(t, seen, s) }, l)
		if file == nil {
			if problem := (*hive.Problem)(nil); !errors.As(err, &problem) || problem.Kind != hive.BadText {
				t.Fatalf("a file that is rejected gives the error %v", err)
			}
			return false
		}
		if err == ErrOrder {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		ordered = true
		var got []walked
		for s, err := range (Options{}).walkOrdered(r, l) {
			if err != nil {
				t.Fatal(err)
			}
			got = add(t, got, s)
		}
		tree := file.Tree()
		want, stored := allOf(tree.Walk()), allOf(tree.WalkStored())
		if !reflect.DeepEqual(want, stored) {
			t.Fatalf("the keys as stored are %+v, sorted %+v", stored, want)
		}
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(seen, want) {
			t.Fatalf("key by key it is\n%+v\n%+v\nwhole\n%+v\n%q", got, seen, want, data)
		}
		whole := *file
		whole.Edits, whole.Problems = nil, slices.Clone(file.Problems)
		for i := range whole.Problems {
			whole.Problems[i].Source = "fuzz"
		}
		if !reflect.DeepEqual(*told, whole) {
			t.Fatalf("key by key the file is %+v, whole %+v", *told, whole)
		}
		checkStreams(t, data, tree, l)
	}
	return ordered
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

// checkStreams holds that the exports of a file, and of some of its keys, are those of its tree.
func checkStreams(t *testing.T, data []byte, tree *hive.Key, l limits) {
	t.Helper()
	r := bytes.NewReader(data)
	trees, streams := []Tree{{Root: tree}}, []Stream{{Keys: Options{}.walkOrdered(r, l)}}
	for path, k := range tree.Walk() {
		if len(path) > 0 && len(trees) < 4 {
			path = path.Join()
			trees = append(trees, Tree{k, path})
			streams = append(streams, Stream{StretchesBelow(path, Options{}.walkOrdered(r, l)), path})
		}
	}
	var got, want bytes.Buffer
	if a, b := ExportOrdered(&got, streams...), Export(&want, trees...); fmt.Sprint(a) != fmt.Sprint(b) || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Fatalf("key by key the export is\n%s%v\nwhole\n%s%v", show(got.Bytes()), a, show(want.Bytes()), b)
	}
}

// randomSections makes a file of a few keys and values, which come twice, in other letters, deleted and out of their order now and then.
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
	text := header5 + "\n\n"
	for _, path := range paths {
		if text += "[" + path + "]\n"; r.IntN(12) == 0 {
			text += "[-" + path + pick("", `\a`, `\Z`) + "]\n"
		}
		for i := range r.IntN(14) {
			name := pick("x", "X", "y", "é")
			if r.IntN(8) > 0 {
				name = fmt.Sprintf("n%d", i)
			}
			text += `"` + name + `"=` + pick("-", `"text"`, "dword:1", "hex:01,02", "hex(7):61,00", "dword:1", "hex(2):\\\n 01", "dword:1", `"t`) + "\n"
		}
	}
	return []byte(text)
}

func TestOrdered(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ordered := 0
	const files = 2000
	for i := range files {
		data := randomSections(r, i%3)
		file, err := Parse("fuzz", data)
		if err != nil {
			t.Fatal(err)
		}
		if checkOrdered(t, data, file) {
			ordered++
		}
	}
	if ordered < files/10 || ordered > files*9/10 {
		t.Errorf("%d of %d files are in order", ordered, files)
	}
}

// TestLongValues holds the laws for values and comments that are written in pieces, with long characters on the edges of these.
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
