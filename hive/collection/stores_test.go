package collection_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive/collection"
	"regvet/internal/hivetest"
	"regvet/internal/imagetest"
)

// evidenceFiles returns those of [image], and what else is looked for beside or in a file: images in several files, archives, backups, and names that a
// collector encoded.
func evidenceFiles() map[string][]byte {
	files := image()
	system, log := dirtyHive()
	clean := hivetest.Build(specimen(), hivetest.Options{Name: "SYSTEM"})
	files["disk/Windows/System32/config/RegBack/SYSTEM"] = clean
	files["disk/Windows/System32/config/RegBack/SOFTWARE"] = nil
	files["kape/uploads/auto/C%3A/Windows/System32/config/SYSTEM"] = system
	files["kape/uploads/auto/C%3A/Windows/System32/config/SYSTEM%2ELOG1"] = log
	files["kape/uploads/auto/C%3A/disk.E01"] = []byte("no image")
	files["odd!/name/SYSTEM"] = clean
	files["100%/a b!.zip"] = imagetest.Zip([]imagetest.ArchiveFile{{Name: "uploads/auto/C%3A/Windows/System32/config/SYSTEM", Data: system},
		{Name: "uploads/auto/C%3A/Windows/System32/config/SYSTEM.LOG1", Data: log}, {Name: "odd!.reg", Data: files["text/plain.reg"]}})

	content := imagetest.NTFS(fstest.MapFS{"Windows/System32/config/SYSTEM": {Data: system}, "Windows/System32/config/SYSTEM.LOG1": {Data: log},
		"Users/alice/NTUSER.DAT": {Data: files["disk/Users/alice/NTUSER.DAT"]}}, imagetest.NTFSOptions{Size: 4 << 20})
	disk := make([]byte, 5<<20)
	imagetest.WriteMBR(disk, 512, []imagetest.Partition{{Start: 128, Sectors: uint64(len(content)/512 + 1), Type: 7, Content: content}}, nil)
	for i, segment := range (imagetest.EWF{PerSegment: 50}).Write(disk) {
		files[fmt.Sprintf("images/two/disk.%s", imagetest.EWFSuffix(i+1))] = segment
		files[fmt.Sprintf("kape/uploads/auto/C%%3A/ewf/disk.%s", strings.ToLower(imagetest.EWFSuffix(i+1)))] = segment
	}
	delete(files, "kape/uploads/auto/C%3A/ewf/disk.e02")
	files["kape/uploads/auto/C%3A/ewf/DISK.e02"] = files["images/two/disk.E02"]
	files["images/lost/disk.E01"] = files["images/two/disk.E01"]
	for i := range 3 {
		files[fmt.Sprintf("images/split/raw.%03d", i+1)] = disk[i*2<<20 : min((i+1)*2<<20, len(disk))]
	}
	parent := imagetest.VHD{Content: disk[:4<<20], ID: 1}
	child := imagetest.VHD{Content: append(append([]byte{}, disk[:3<<20]...), make([]byte, 1<<20)...), ID: 2, Parent: &parent, Name: `C:\vm\parent.vhd`}
	files["images/vhd/parent.vhd"], files["images/vhd/child.vhd"] = parent.Bytes(), child.Bytes()
	return files
}

// told returns all that is told of what a name leads to, in lines, with NAME for the name.
func told(t *testing.T, l *collection.Local, name, called string) string {
	t.Helper()
	var all strings.Builder
	tell := func(what ...any) {
		text, err := json.Marshal(what)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(text, '\n'))
	}
	for g := range collection.List(l, name) {
		tell("group", g.Machine, g.Passed)
		if g.Container != nil {
			tell("container", g.Container.Place, g.Container.Kind, g.Container.Table, g.Container.Problems)
			if g.Container.Image != nil {
				tell(g.Container.Image.Files)
			}
		}
		for _, f := range g.Files {
			tell("file", f, fmt.Sprint(f.Err))
		}
	}
	for _, r := range read(l, name) {
		tell(r)
	}
	return strings.ReplaceAll(all.String(), called, "NAME")
}

// memory returns a Local with a store of one bucket.
func memory(bucket fs.FS) *collection.Local {
	return &collection.Local{Shadows: true, Stores: map[string]collection.Store{"mem": func(name string) (fs.FS, error) {
		if name != "bucket" {
			return nil, errors.New("there is no bucket of that name")
		}
		return bucket, nil
	}}}
}

// TestStoreIsAsAFolder requires that the same is found and read in a store as in a folder, whatever is named: but for the beginning of the names.
func TestStoreIsAsAFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names in folders have other separators here")
	}
	dir := t.TempDir()
	objects := fstest.MapFS{}
	for name, data := range evidenceFiles() {
		objects["cases/1 of 2/"+name] = &fstest.MapFile{Data: data}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	const called = "mem://bucket/cases/1 of 2"
	names := []string{"", "/disk", "/disk/Windows/System32/config/SYSTEM", "/kape", "/kape/uploads/auto/C:/Windows", "/kape/uploads/auto/C%3A/Windows/System32/config/SYSTEM",
		"/kape/uploads/auto/C:/ewf/disk.e01", "/odd!/name", "/odd!/name/SYSTEM", "/100%/a b!.zip", "/100%/a b!!.zip!/uploads/auto/C:/Windows", "/100%/a b!!.zip!/odd!!.reg",
		"/images/two/disk.E01", "/images/two/disk.E02", "/images/two/disk.E01!/p1/Windows", "/images/two/disk.E01!/p1/Windows/System32/config/SYSTEM", "/images/split/raw.001",
		"/images/split/raw.002", "/images/lost", "/images/vhd", "/images/vhd/child.vhd!/p1", "/text/wide.reg", "/nothing", "/nothing/there!/p1", "/disk.E01!/p1"}
	inputs := 0
	for _, name := range names {
		want := strings.ReplaceAll(told(t, &collection.Local{Shadows: true}, dir+name, dir), "no such file or directory", "file does not exist")
		got := told(t, memory(objects), called+name, called)
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s: - in a folder, + in a store:\n%s", name, diff)
		}
		inputs += strings.Count(got, `"SHA256":"`)
	}
	if inputs < 150 {
		t.Errorf("only %d inputs were read", inputs)
	}
}

// TestNamesInStores requires that a name in a store is shown as it was typed and below that as it is called, and which names lead to nothing.
func TestNamesInStores(t *testing.T) {
	text := &fstest.MapFile{Data: []byte(regText)}
	objects := fstest.MapFS{"x.reg": text, "a/b.reg": text, `a/b\c.reg`: text, "a/d/e.zip": {Data: imagetest.Zip([]imagetest.ArchiveFile{{Name: "f.reg", Data: text.Data}})}}
	for name, want := range map[string]string{
		"mem://bucket":                  `mem://bucket/a/b.reg mem://bucket/a/b\c.reg mem://bucket/x.reg mem://bucket/a/d/e.zip!/f.reg`,
		"mem://bucket/":                 `mem://bucket/a/b.reg mem://bucket/a/b\c.reg mem://bucket/x.reg mem://bucket/a/d/e.zip!/f.reg`,
		"mem://bucket/a/":               `mem://bucket/a/b.reg mem://bucket/a/b\c.reg mem://bucket/a/d/e.zip!/f.reg`,
		`mem://bucket/a/b\c.reg`:        `mem://bucket/a/b\c.reg`,
		"mem://bucket/a/d/e.zip":        `mem://bucket/a/d/e.zip!/f.reg`,
		"mem://bucket/a/d/e.zip!/":      `mem://bucket/a/d/e.zip!/f.reg`,
		"mem://bucket/a/d/e.zip!/f.reg": `mem://bucket/a/d/e.zip!/f.reg`,
		"mem://bucket/a/d/e.zip!/g.reg": `mem://bucket/a/d/e.zip!/g.reg: cannot be opened: file does not exist`,
		"mem://bucket/a/b.reg!/g.reg":   `mem://bucket/a/b.reg!/g.reg: leads into a file that is no image and no archive`,
		"mem://bucket/nothing":          `mem://bucket/nothing: cannot be opened: file does not exist`,
		"mem://bucket//x.reg":           `mem://bucket//x.reg: cannot be opened: no file can be called so: a part of the name is empty, "." or ".."; copy the object under another name`,
		"mem://bucket/a/../x.reg":       `mem://bucket/a/../x.reg: cannot be opened: no file can be called so: a part of the name is empty, "." or ".."; copy the object under another name`,
		"mem://other/x.reg":             `mem://other/x.reg: cannot be opened: there is no bucket of that name`,
		"mem://":                        `mem://: cannot be opened: no such file or directory`,
		"file://bucket/x.reg":           `file://bucket/x.reg: cannot be opened: no such file or directory`,
	} {
		l := memory(objects)
		var got []string
		for g := range collection.List(l, name) {
			for _, f := range g.Files {
				if _, refused := f.Open(l, collection.Options{}); len(refused) > 0 {
					got = append(got, refused[0].Error())
				} else {
					got = append(got, f.Path)
				}
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		if l.Protect(name); l.Protects(name) {
			t.Errorf("%s is protected, as if an output could replace it", name)
		}
	}
	// Without stores, such a name is that of a file.
	t.Chdir(t.TempDir())
	if err := errors.Join(os.MkdirAll("mem:/bucket", 0o777), os.WriteFile("mem:/bucket/x.reg", text.Data, 0o666)); err != nil {
		t.Skip(err) // not on Windows
	}
	if got := opened(&collection.Local{}, "mem://bucket/x.reg"); got != "reg" {
		t.Error(got)
	}
}
