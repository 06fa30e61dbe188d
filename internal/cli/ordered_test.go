package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/report"
)

// withSmallText runs a function while .reg files up to a size are read whole.
func withSmallText[T any](size int64, f func() T) T {
	defer func(before int64) { smallText = before }(smallText)
	smallText = size
	return f()
}

// outcome holds the output, messages and exit status of a run.
type outcome struct {
	out, messages string
	status        int
}

func outcomeOf(args ...string) outcome {
	var out, messages bytes.Buffer
	status := run(args, nil, &out, &messages)
	return outcome{out.String(), messages.String(), status}
}

// checkOrdered requires that an export of a file has the same bytes and messages whether the file is read key by key, if its order allows that,
// or whole.
func checkOrdered(t *testing.T, name string, keys ...string) {
	t.Helper()
	for _, args := range [][]string{{"export", name}, {"export", "--format", "jsonl", "--full", "--codepage", "932", name}} {
		for _, key := range append([]string{""}, keys...) {
			for _, set := range []string{"current", "1", "all"} {
				args := append(args[:len(args):len(args)], "--control-set", set)
				if key != "" {
					args = append(args, key)
				}
				got := withSmallText(0, func() outcome { return outcomeOf(args...) })
				want := withSmallText(1<<40, func() outcome { return outcomeOf(args...) })
				if got != want {
					data, _ := os.ReadFile(name)
					t.Fatalf("%q: key by key it is\n%+v\nwhole\n%+v\n%q", args, got, want, data[:min(len(data), 4000)])
				}
			}
		}
	}
}

func TestOrderedExport(t *testing.T) {
	files, err := filepath.Glob("../../testdata/*.reg")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	keys := []string{`HKLM\SYSTEM\CurrentControlSet\Services`, `HKCU`, `HKCR\.txt`, `HKLM\SOFTWARE`, `Software`, `\`}
	for _, name := range files {
		checkOrdered(t, name, keys...)
	}
	t.Run("published", func(t *testing.T) {
		for _, name := range realFiles(t) {
			checkOrdered(t, name, keys...)
		}
	})
	r := rand.New(rand.NewPCG(1, 2))
	name := filepath.Join(t.TempDir(), "random.reg")
	ordered := 0
	for range 100 {
		if err := os.WriteFile(name, randomSystem(r), 0o666); err != nil {
			t.Fatal(err)
		}
		checkOrdered(t, name, `HKLM\system\CurrentControlSet\a`, `HKLM\SYSTEM\ControlSet002`, `HKEY_CURRENT_USER\A`, `HKCR\A`, `HKU\S-1\A\B`, `HKLM\SYSTEM\Select\x`)
		if in, _ := collection.OpenOrdered(&collection.Local{}, name, nil, "", false, 0, collection.Options{}); in != nil {
			in.Ordered.Close()
			ordered++
		}
	}
	if ordered < 50 || ordered == 100 {
		t.Errorf("%d of 100 random files were read key by key", ordered)
	}
}

// randomSystem returns a file with keys that have other paths in Windows, most of them in order, and a few lines that are lost.
func randomSystem(r *rand.Rand) []byte {
	var paths []hive.Path
	for range 1 + r.IntN(10) {
		roots := []string{`HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001`, `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002`, `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet`,
			`HKEY_LOCAL_MACHINE\SYSTEM\Select`, `HKEY_USERS\S-1`, `HKEY_USERS\S-1_Classes`, `HKEY_CURRENT_USER`, `HKEY_CLASSES_ROOT`,
			`HKEY_LOCAL_MACHINE\SOFTWARE\Classes`, `HKEY_LOCAL_MACHINE\SYSTEM`}
		path := hive.ParsePath(roots[r.IntN(len(roots))])
		for range r.IntN(3) {
			path = path.Join([]string{"A", "B", "a", "Key9", "Key10"}[r.IntN(5)])
		}
		paths = append(paths, path)
	}
	if r.IntN(2) > 0 {
		slices.SortFunc(paths, func(a, b hive.Path) int { return slices.CompareFunc(a, b, hive.CompareFold) })
	}
	text := "Windows Registry Editor Version 5.00\n\n"
	for _, path := range paths {
		text += "[" + path.String() + "]\n\"a\"=\"b\"\n"
		switch r.IntN(10) {
		case 0:
			text += "\"lost\"=dword:123456789\n"
		case 1:
			text += "[" + path.Join("A", "lost").String() + "\n"
		case 2:
			text += "[-" + path.Join("A").String() + "]\n"
		}
		if path[len(path)-1] == "Select" {
			text += fmt.Sprintf("\"Current\"=dword:%d\n", r.IntN(4))
		}
	}
	return []byte(text)
}

// brokenFile is a file whose second half cannot be read.
type brokenFile struct {
	*bytes.Reader
	err error
}

func (f brokenFile) ReadAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > f.Size()/2 {
		return 0, f.err
	}
	return f.Reader.ReadAt(b, at)
}

// changing is a file whose content can be replaced.
type changing struct{ io.ReaderAt }

// TestOrderedFails requires a message about an export that ends before its input does.
func TestOrderedFails(t *testing.T) {
	text := "Windows Registry Editor Version 5.00\n\n" + strings.Repeat("[HKEY_USERS\\A]\n", 100_000)
	// The last key continues the run of the first.
	runs := strings.Replace(text, "A]", "B]", 1) + "[HKEY_USERS\\Z\\1]\n[HKEY_USERS\\C]\n[HKEY_USERS\\Z\\0]\n"
	const unread, changed = "cannot be read to its end, so the output is not complete: I/O error",
		"was changed while it was read, so the output is not complete; run the command again"
	for _, c := range []struct {
		text  string
		after io.ReaderAt // the content when the file is read again
		want  string
	}{
		{text, brokenFile{bytes.NewReader([]byte(text)), errors.New("I/O error")}, unread},
		{text, strings.NewReader(strings.Replace(text, "USERS\\A", "USERS\\B", 1)), changed},
		{runs, brokenFile{bytes.NewReader([]byte(runs)), errors.New("I/O error")}, unread},
		{runs, strings.NewReader(strings.Replace(runs, "USERS\\Z", "USERS\\0", 1)), changed},                    // before A
		{runs, strings.NewReader(strings.Replace(runs, "\n[HKEY_USERS\\B]", "\n\nHKEY_USERS\\B]", 1)), changed}, // one line more
		{runs, strings.NewReader(strings.Replace(runs, "B]\n[", "B]  ", 1)), changed},                           // one less
		{runs, strings.NewReader(strings.Replace(runs, "[HKEY_USERS\\C]", "                ", 1)), changed},
		{runs, strings.NewReader(runs[:strings.Index(runs, "[HKEY_USERS\\C]")]), changed},
	} {
		for _, format := range []string{"reg", "jsonl"} {
			var out, messages bytes.Buffer
			s := &session{stdout: &out, stderr: &messages}
			o := &exportOptions{format: choice{value: format}}
			file := &changing{strings.NewReader(c.text)}
			_, found, err := regfile.Options{}.ParseOrdered("big.reg", io.NewSectionReader(file, 0, int64(len(c.text))), func(*hive.Stretch) {})
			if err != nil {
				t.Fatal(err)
			}
			if format == "jsonl" && found.WalkStored() == nil {
				continue
			}
			file.ReaderAt = c.after
			in := &collection.Opened{Ordered: &collection.Ordered{Ordered: found}}
			in.Path = "big.reg"
			s.write("", func(w io.Writer, _ report.Style) error { return o.export(s, w, in, []subtree{{}}) })
			if got := messages.String(); s.status != statusInput || got != "regvet: big.reg: "+c.want+"\n" {
				t.Errorf("%s: status %d, %s", format, s.status, got)
			}
		}
	}
}

// TestFormatFails requires a message about a file whose second reading fails halfway, and that the part so far does not replace the file.
func TestFormatFails(t *testing.T) {
	text := []byte("Windows Registry Editor Version 5.00\n\n" + strings.Repeat("[HKEY_USERS\\A]\n", 100_000))
	name := filepath.Join(t.TempDir(), "big.reg")
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	s := &session{stdout: &out, stderr: &messages}
	o := &fmtOptions{rewrite: true}
	broken := brokenFile{bytes.NewReader(text), errors.New("I/O error")}
	f := &formattedFile{path: name, text: io.NewSectionReader(broken, 0, int64(len(text))), close: func() error { return nil }}
	if err := o.differs(s, &out, plainStyle, f); err != nil || s.status != statusInput || out.Len() > 0 {
		t.Errorf("status %d, error %v, output %s", s.status, err, out.String())
	}
	if want := "regvet: " + name + ": cannot be read to its end: I/O error\n"; messages.String() != want {
		t.Errorf("messages are %s, want %s", messages.String(), want)
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(after, text) {
		t.Errorf("the file was changed: %v", err)
	}
	if left, _ := filepath.Glob(name + "*"); len(left) != 1 {
		t.Errorf("there is %q", left)
	}
}

// peakHeap returns how many bytes the heap grows at most while a function runs.
func peakHeap(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as in the program
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(heap)
	before := heap[0].Value.Uint64()
	stop, peak := make(chan bool), make(chan uint64)
	go func() {
		most := before
		for {
			select {
			case <-stop:
				peak <- most - before
				return
			case <-time.After(time.Millisecond):
				metrics.Read(heap)
				most = max(most, heap[0].Value.Uint64())
			}
		}
	}()
	f()
	close(stop)
	return <-peak
}

// largeText writes a .reg file with many keys of a form that takes their number, and a key with many values.
func largeText(t testing.TB, size int, key string) string {
	name := filepath.Join(t.TempDir(), "large.reg")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	line := func(format string, args ...any) {
		n, _ := w.Write(hive.EncodeUTF16(fmt.Sprintf(format+"\r\n", args...))) // an error is returned again at the end
		size -= n
	}
	w.Write([]byte{0xFF, 0xFE})
	line("Windows Registry Editor Version 5.00\r\n")
	half := size / 2
	for i := 0; size > half; i++ {
		line("[HKEY_LOCAL_MACHINE\\SOFTWARE\\"+key+"]\r\n\"Name\"=\"text\"\r\n\"Start\"=dword:%08x\r\n", i, i)
	}
	line("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Large]")
	for i := 0; size > 0; i++ {
		line("\"Value%08d\"=dword:%08x", i, i)
	}
	line("")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestLargeText requires that memory does not grow with the size of a file. The tree of this one would take 200 MB.
func TestLargeText(t *testing.T) {
	sorted, numbered := largeText(t, 32<<20, "Key%08d"), largeText(t, 32<<20, "Key%d")
	for _, args := range [][]string{
		{"export", sorted}, {"export", "--format", "jsonl", sorted}, {"export", numbered}, {"export", "--format", "jsonl", numbered},
		{"fmt", sorted}, {"fmt", "--check", sorted}, {"lint", "--fail-on", "never", sorted},
	} {
		var messages bytes.Buffer
		peak := peakHeap(func() {
			if status := run(args, nil, io.Discard, &messages); status != statusDone {
				t.Errorf("%q: status %d, %s", args, status, messages.String())
			}
		})
		t.Logf("%q: %d MB", args, peak>>20)
		if peak > 64<<20 {
			t.Errorf("%q: %d MB on the heap, want at most 64", args, peak>>20)
		}
	}
}
