package collection_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive/collection"
	"regvet/internal/imagetest"
)

const regText = "REGEDIT4\n\n[HKEY_CURRENT_USER\\Example]\n\"a\"=\"b\"\n"

// opened tells what becomes of a name: what the input is, or why it is refused.
func opened(l *collection.Local, name string) string {
	var told []string
	for g := range collection.List(l, name) {
		joined, refused := g.Open(l, collection.Options{})
		for _, p := range refused {
			p.Source = collection.DisplayName(p.Source)
			told = append(told, strings.ReplaceAll(p.Error(), name, "NAME"))
		}
		for _, in := range joined {
			told = append(told, in[0].Format)
		}
	}
	return strings.Join(told, "; ")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestStandardInput requires that standard input is read from where it stands, whatever it is, and that it is protected if it is a file.
func TestStandardInput(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "x.reg"), "read before\n"+regText)
	file := func(at int64) *os.File {
		f, err := os.Open(name)
		if err == nil {
			_, err = f.Seek(at, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		w.WriteString(regText)
		w.Close()
	}()
	const none = "standard input:1:1: "
	for _, test := range []struct {
		what, want string
		l          *collection.Local
	}{
		{"a file", none, &collection.Local{Stdin: file(0)}},
		{"a file of which something was read", "reg", &collection.Local{Stdin: file(int64(len("read before\n")))}},
		{"a file at its end", "standard input: is empty", &collection.Local{Stdin: file(1 << 20)}},
		{"a pipe", "reg", &collection.Local{Stdin: r}},
		{"no file", "reg", &collection.Local{Stdin: strings.NewReader(regText)}},
		{"a folder", "standard input: is a folder; give the files in it that are to be read", &collection.Local{Stdin: folder}},
		{"nothing", "standard input: cannot be opened: file does not exist", &collection.Local{}},
	} {
		if got := opened(test.l, "-"); got != test.want && (test.want != none || !strings.HasPrefix(got, none)) {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
	l := &collection.Local{Stdin: file(0)}
	if l.Protects(name) {
		t.Error("a file is protected that nobody spoke of")
	}
	l.Protect("-")
	if !l.Protects(name) {
		t.Error("standard input that is a file is not protected")
	}
}

// TestProtects requires that a file is protected by all of its names, and nothing else is.
func TestProtects(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"read", "named", "other"} {
		write(t, name, regText)
	}
	if err := errors.Join(os.Mkdir("sub", 0o777), os.Link("read", "hard")); err != nil {
		t.Fatal(err)
	}
	names := []string{"read", "./sub/../read", filepath.Join(dir, "read"), "hard", "named"}
	if os.Symlink("read", "soft") == nil && os.Symlink("soft", "softer") == nil {
		names = append(names, "soft", "softer")
	}
	l := &collection.Local{}
	for _, name := range names {
		if l.Protects(name) {
			t.Errorf("%s is protected before it is read", name)
		}
	}
	if got := opened(l, "read"); got != "reg" {
		t.Fatal(got)
	}
	l.Protect("named", "nothing", "sub", os.DevNull)
	for _, name := range names {
		if !l.Protects(name) {
			t.Errorf("%s is not protected", name)
		}
	}
	for _, name := range []string{"other", "nothing", "sub", os.DevNull} {
		if l.Protects(name) {
			t.Errorf("%s is protected", name)
		}
	}
	// The file decides, not the name.
	if err := errors.Join(os.Remove("read"), os.Rename("other", "read")); err != nil {
		t.Fatal(err)
	}
	if l.Protects("read") || !l.Protects("hard") {
		t.Error("what is protected is the name and not the file")
	}
}

// TestLogsAreProtected requires that the logs are protected that a hive was read with.
func TestLogsAreProtected(t *testing.T) {
	dir := t.TempDir()
	data, log := dirtyHive()
	name := write(t, filepath.Join(dir, "SYSTEM"), string(data))
	beside := write(t, name+".LOG1", string(log))
	named := write(t, filepath.Join(dir, "named"), string(log))
	l := &collection.Local{}
	if _, refused := collection.Open(l, name, collection.Options{}); refused != nil || !l.Protects(beside) || l.Protects(named) {
		t.Errorf("the log beside the hive is not protected: %v", refused)
	}
	if _, refused := collection.Open(l, name, collection.Options{Logs: []string{named}}); refused != nil || !l.Protects(named) {
		t.Errorf("the named log is not protected: %v", refused)
	}
}

// TestChangedWhileRead requires that of a file that grows what it had is read, and that one that becomes shorter is refused.
func TestChangedWhileRead(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "x.reg"), regText)
	for _, test := range []struct {
		what   string
		change func() error
		want   string
		err    string
	}{
		{"grows", func() error { return os.WriteFile(name, []byte(regText+"more"), 0o666) }, regText, ""},
		{"shrinks", func() error { return os.Truncate(name, 9) }, "",
			"x.reg: cannot be read to its end: it became shorter while it was read; copy it and give the copy"},
	} {
		f, err := os.Open(write(t, name, regText))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		data, err := collection.ReadFile(changing{f, func() {
			if err := test.change(); err != nil {
				t.Error(err)
			}
		}}, "x.reg")
		told := ""
		if err != nil {
			told = err.Error()
		}
		if diff := cmp.Diff([]string{test.want, test.err}, []string{string(data), told}); diff != "" {
			t.Errorf("a file that %s while it is read:\n%s", test.what, diff)
		}
	}
}

// TestVanishedImage requires that an image that is deleted between the search of its folder and its turn is told, and not as if it had never been there.
func TestVanishedImage(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.reg"), regText)
	gone := write(t, filepath.Join(dir, "gone!.zip"), string(imagetest.Zip([]imagetest.ArchiveFile{{Name: "b.reg", Data: []byte(regText)}})))
	l := &collection.Local{}
	var got []string
	for g := range collection.List(l, dir) {
		if err := os.Remove(gone); err != nil && len(got) == 0 {
			t.Fatal(err)
		}
		for _, f := range g.Files {
			got = append(got, filepath.Base(f.Path))
			if _, refused := f.Open(l, collection.Options{}); len(refused) > 0 {
				got = append(got, strings.TrimPrefix(refused[0].Error(), dir+string(filepath.Separator)))
			}
		}
	}
	if diff := cmp.Diff([]string{"a.reg", "gone!.zip", "gone!.zip: cannot be opened: no such file or directory"}, got); diff != "" {
		t.Error(diff)
	}
}

// changing is a file system of one file, which changes once its size was asked for.
type changing struct {
	*os.File
	change func()
}

func (c changing) Open(string) (fs.File, error) { return c, nil }

func (c changing) Stat() (fs.FileInfo, error) {
	info, err := c.File.Stat()
	c.change()
	return info, err
}
