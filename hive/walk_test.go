package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// TestValueReadersAtOnce checks that values are the same whether they are cached or not, in any order and with any number of goroutines, and that
// their problems are reported once.
func TestValueReadersAtOnce(t *testing.T) {
	for name, b := range hivetest.Damages() {
		want, err := hive.Read("TEST", b)
		if err != nil {
			continue
		}
		kept := map[string][]hive.Value{}
		for path, k := range want.Root().Walk() {
			kept[path.String()] = k.Values()
		}
		f := read(t, b)
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				var values hive.ValueReader
				for path, k := range f.Root().Walk() {
					for range 2 {
						if got := values.Values(k); !sameValues(got, kept[path.String()]) {
							t.Errorf("%s: %q: read %v, kept %v", name, path, got, kept[path.String()])
						}
					}
					if got := k.Values(); !sameValues(got, kept[path.String()]) {
						t.Errorf("%s: %q: values %v after they were read, before that %v", name, path, got, kept[path.String()])
					}
				}
			})
		}
		readers.Wait()
		if got, want := messages(f), messages(want); !slices.Equal(got, want) {
			t.Errorf("%s: problems\n%q, want\n%q", name, got, want)
		}
	}
}

func sameValues(a, b []hive.Value) bool {
	return slices.EqualFunc(a, b, func(v, w hive.Value) bool {
		return v.Name == w.Name && v.Type == w.Type && bytes.Equal(v.Data, w.Data) && v.Short == w.Short && v.At == w.At
	})
}

// messages lists the problems of a hive in an order that is always the same.
func messages(f *hive.File) []string {
	var all []string
	for _, p := range f.Problems() {
		all = append(all, p.Error())
	}
	slices.Sort(all)
	return all
}

// TestValueReaderAgain checks that a hive can be walked any number of times: nothing is claimed twice.
func TestValueReaderAgain(t *testing.T) {
	f := read(t, hivetest.Build(hivetest.Specimen(), hivetest.Options{}))
	var values hive.ValueReader
	for range 20 {
		for _, k := range f.Root().Walk() {
			values.Values(k)
		}
	}
	if got := f.Problems(); len(got) > 0 {
		t.Errorf("problems %v", got)
	}
}

// wordsOf makes a hive that is several parts of a walk, with keys whose order in the file is not that of their names.
func wordsOf(t *testing.T) *hive.Key {
	root := &hivetest.Key{Name: "ROOT"}
	for i := range 40 {
		k := &hivetest.Key{Name: fmt.Sprintf("Key %d", (i*7)%40)}
		for j := range i % 13 {
			k.Keys = append(k.Keys, &hivetest.Key{Name: fmt.Sprintf("Sub %d", 20-j), Keys: []*hivetest.Key{{Name: "Deep"}, {Name: "Deeper"}}})
		}
		root.Keys = append(root.Keys, k)
	}
	f, err := hive.Read("TEST", hivetest.Build(root, hivetest.Options{Unsorted: true}))
	if err != nil {
		t.Fatal(err)
	}
	return f.Root()
}

// encodePaths encodes the paths of keys, a line for each, with an exchange of buffers behind every so many bytes.
func encodePaths(fullAt int) func() hive.Encoder {
	return func() hive.Encoder {
		return func(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
			for path := range part.Walk() {
				if b = append(b, path.String()+"\n"...); len(b) >= fullAt {
					b = exchange(b)
				}
			}
			return b
		}
	}
}

// TestEncode checks that the output of encoders is written in the order of the walk.
func TestEncode(t *testing.T) {
	root := wordsOf(t)
	for _, order := range []struct {
		name    string
		subkeys func(*hive.Key) []*hive.Key
		walk    func(func(hive.Path, *hive.Key) bool)
	}{
		{"sorted", (*hive.Key).Keys, root.Walk()},
		{"stored", (*hive.Key).Stored, root.WalkStored()},
	} {
		var want strings.Builder
		for path := range order.walk {
			want.WriteString(path.String() + "\n")
		}
		for _, encoders := range []int{1, 2, 7} {
			for _, fullAt := range []int{1, 100, 1 << 20} {
				var got strings.Builder
				if err := root.Encode(&got, encoders, order.subkeys, encodePaths(fullAt)); err != nil || got.String() != want.String() {
					t.Errorf("%s, %d encoders, buffers full at %d bytes: error %v, or another text than that of the walk", order.name, encoders, fullAt, err)
				}
			}
		}
	}
}

// limitedWriter fails after a number of writes.
type limitedWriter struct{ left int }

var errFull = errors.New("the disk is full")

func (w *limitedWriter) Write(b []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestEncodeStops checks that the first error of the writer ends everything, and is returned.
func TestEncodeStops(t *testing.T) {
	root := wordsOf(t)
	for _, writes := range []int{0, 1, 5, 50} {
		if err := root.Encode(&limitedWriter{writes}, 3, (*hive.Key).Keys, encodePaths(10)); err != errFull {
			t.Errorf("after %d writes: %v, want %v", writes, err, errFull)
		}
	}
}

// TestEncodePanics checks that a panic in any goroutine ends everything, and is raised again in the goroutine that called Encode.
func TestEncodePanics(t *testing.T) {
	paths := encodePaths(10)
	for _, c := range []struct {
		name    string
		subkeys func(*hive.Key) []*hive.Key
		encoder func() hive.Encoder
	}{
		{"an encoder", (*hive.Key).Keys, func() hive.Encoder {
			encode := paths()
			return func(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
				if part.Number == 5 {
					panic("here")
				}
				return encode(b, part, exchange)
			}
		}},
		{"the walk", func(k *hive.Key) []*hive.Key {
			if k.Name() == "Key 30" {
				panic("here")
			}
			return k.Keys()
		}, paths},
	} {
		for _, encoders := range []int{1, 2, 5} {
			func() {
				defer func() {
					if r := recover(); r != "here" {
						t.Errorf("%s, %d encoders: %v", c.name, encoders, r)
					}
				}()
				err := wordsOf(t).Encode(io.Discard, encoders, c.subkeys, c.encoder)
				t.Errorf("%s, %d encoders: ended with %v", c.name, encoders, err)
			}()
		}
	}
}

// TestEncodersAtOnce checks that encoders wait for the writer, so that there are never more than a few buffers.
func TestEncodersAtOnce(t *testing.T) {
	const encoders = 3
	var mu sync.Mutex
	full, written, most := 0, 0, 0
	count := func(n *int) {
		mu.Lock()
		defer mu.Unlock()
		*n++
		most = max(most, full-written)
	}
	encode := func(b []byte, part hive.Part, exchange func([]byte) []byte) []byte {
		for range part.Walk() {
			for range 10 {
				count(&full)
				b = exchange(append(b, 'x'))
			}
		}
		count(&full)
		return append(b, 'x')
	}
	slow := writerFunc(func() { count(&written) })
	if err := wordsOf(t).Encode(slow, encoders, (*hive.Key).Keys, func() hive.Encoder { return encode }); err != nil {
		t.Fatal(err)
	}
	if limit := 4*encoders + 2; most > limit || full != written {
		t.Errorf("%d of %d buffers were written, up to %d waited; want %d at most", written, full, most, limit)
	}
}

type writerFunc func()

func (w writerFunc) Write(b []byte) (int, error) { w(); return len(b), nil }
