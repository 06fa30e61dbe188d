package collection_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// specimen returns the keys of a SYSTEM hive.
func specimen() *hivetest.Key {
	return &hivetest.Key{Keys: []*hivetest.Key{
		{Name: "ControlSet001", Keys: []*hivetest.Key{{Name: "Control", Keys: []*hivetest.Key{{Name: "ComputerName", Keys: []*hivetest.Key{
			{Name: "ComputerName", Values: []hive.Value{hive.StringValue("ComputerName", hive.SZ, "WS01")}}}}}}}},
		{Name: "ControlSet002", Keys: []*hivetest.Key{{Name: "Control"}}},
		{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}},
	}}
}

// image returns the files of a computer: a machine whose SYSTEM hive is dirty, with two users of whom SOFTWARE knows one; .reg text in
// each form; and files that are damaged, each in its way.
func image() map[string][]byte {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key { return &hivetest.Key{Name: name, Keys: keys} }
	system, log := dirtyHive()
	list := key("ProfileList", &hivetest.Key{Name: "S-1-5-21-1-2-3-1001", Values: []hive.Value{hive.StringValue("ProfileImagePath", hive.SZ, `C:\Users\Alice`)}})
	user := key("", key("Environment"), key("Software", key("Example")))
	torn := bytes.Clone(log)
	torn[len(torn)-1]++
	text := "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\r\n\"n\"=dword:00000001\r\n"
	files := map[string][]byte{
		"disk/Windows/System32/config/SYSTEM":                           system,
		"disk/Windows/System32/config/SYSTEM.LOG1":                      log,
		"disk/Windows/System32/config/SYSTEM.LOG2":                      torn,
		"disk/Windows/System32/config/SOFTWARE":                         hivetest.Build(key("", key("Classes"), key("Microsoft", key("Windows NT", key("CurrentVersion", list)))), hivetest.Options{}),
		"disk/Windows/System32/config/SOFTWARE.LOG1":                    log, // which a clean hive does not need
		"disk/Users/alice/NTUSER.DAT":                                   hivetest.Build(user, hivetest.Options{}),
		"disk/Users/alice/AppData/Local/Microsoft/Windows/UsrClass.dat": hivetest.Build(key("", key("Local Settings")), hivetest.Options{}),
		"disk/Users/bob/NTUSER.DAT":                                     hivetest.Build(user, hivetest.Options{}),
		"text/plain.reg":                                                []byte(text),
		"text/wide.reg":                                                 append([]byte{0xFF, 0xFE}, hive.EncodeUTF16(text)...),
		"text/old.reg":                                                  []byte("REGEDIT4\n[HKEY_CURRENT_USER\\x]\n\"a\"=\"b\"\n"),
		"text/dropped.reg":                                              []byte(text + "\"lost\"=dword:123456789\r\n"),
		"text/none.reg":                                                 []byte("Dear diary,\n"),
		"text/empty.reg":                                                nil,
		"text/zeros.reg":                                                make([]byte, 5000),
		"damaged/short":                                                 system[:1000],
		"damaged/truncated":                                             system[:5000],
		"damaged/alone":                                                 system,
		"damaged/a log":                                                 log,
	}
	for name, data := range hivetest.Damages() {
		files["damaged/"+name] = data
	}
	return files
}

// reading is all that is told of a group.
type reading struct {
	Inputs  []collection.Input
	Keys    []string // of the registry, with their values
	Refused []string
}

// read opens all that a folder holds, as one who wants all there is. Paths are told from the folder.
func read(fsys fs.FS, name string) (all []reading) {
	tidy := func(path string) string {
		return filepath.ToSlash(strings.TrimPrefix(path, name+string(filepath.Separator)))
	}
	for g := range collection.List(fsys, name) {
		joined, refused := g.Open(fsys, collection.Options{SHA256: true, MD5: true})
		var r reading
		for _, p := range refused {
			p.Source = tidy(p.Source)
			r.Refused = append(r.Refused, p.Error())
		}
		for _, together := range joined {
			for path, k := range together[0].Registry.Root().Walk() {
				r.Keys = append(r.Keys, path.String())
				for _, v := range k.Values() {
					r.Keys = append(r.Keys, path.String()+": "+v.Name+" "+v.Type.String()+" "+string(v.Data))
				}
			}
			for _, in := range together {
				in.Describe(nil)
				in.Inspect(true)
				facts := in.Facts()
				facts.Path = tidy(facts.Path)
				if facts.Machine != nil {
					facts.Machine = &collection.Machine{Name: tidy(facts.Machine.Name), Hives: facts.Machine.Hives}
				}
				for i, p := range facts.Problems {
					p.Source = tidy(p.Source)
					facts.Problems[i] = p
				}
				r.Inputs = append(r.Inputs, facts)
			}
		}
		all = append(all, r)
	}
	return all
}

// zipped returns an archive of files.
func zipped(t *testing.T, files map[string][]byte) *zip.Reader {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for name, data := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(data) // an error comes again from Close
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAnyFileSystem requires that what is read does not depend on the file system in which it lies.
func TestAnyFileSystem(t *testing.T) {
	files := image()
	dir := t.TempDir()
	memory, archive := fstest.MapFS{}, map[string][]byte{}
	for name, data := range files {
		memory["image/"+name] = &fstest.MapFile{Data: data}
		archive["image/"+name] = data
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	want := read(&collection.Local{}, dir)
	for name, got := range map[string][]reading{
		"a map":                   read(memory, "image"),
		"a zip":                   read(zipped(t, archive), "image"),
		"a folder as an io/fs.FS": read(os.DirFS(filepath.Dir(dir)), filepath.Base(dir)),
	} {
		if diff := cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Errorf("- as files, + in %s:\n%s", name, diff)
		}
	}

	// And it is what it should be.
	var machine reading
	var refused []string
	inputs := 0
	for _, r := range want {
		inputs += len(r.Inputs)
		refused = append(refused, r.Refused...)
		if len(r.Inputs) > 1 {
			machine = r
		}
	}
	var mounts, logs []string
	for _, in := range machine.Inputs {
		mounts = append(mounts, in.Mount.String()+" "+in.MountBy)
		for _, l := range in.Logs {
			logs = append(logs, l.Name+" "+l.Why)
		}
		if in.Machine.Name != "disk/Windows" || in.Machine.Hives != 5 {
			t.Errorf("%s is of the machine %v", in.Path, in.Machine)
		}
	}
	if diff := cmp.Diff([]string{`HKEY_LOCAL_MACHINE\SOFTWARE keys`, `HKEY_LOCAL_MACHINE\SYSTEM keys`,
		`HKEY_USERS\S-1-5-21-1-2-3-1001\Software\Classes keys and the folder of the profile`,
		`HKEY_USERS\S-1-5-21-1-2-3-1001 keys and the folder of the profile`,
		`HKEY_USERS\bob keys and the folder of the profile`}, mounts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"SOFTWARE.LOG1 is not needed: the hive is clean", "SYSTEM.LOG1 ", "SYSTEM.LOG2 does not go on where the other one ends: it starts at 2, needed is 3"}, logs); diff != "" {
		t.Error(diff)
	}
	if i := slices.IndexFunc(machine.Keys, func(s string) bool {
		return strings.HasPrefix(s, `HKEY_LOCAL_MACHINE\SYSTEM\Select: Current REG_DWORD `)
	}); i < 0 || !strings.HasSuffix(machine.Keys[i], " \x02\x00\x00\x00") {
		t.Errorf("the log is not applied: %q", machine.Keys)
	}
	for _, line := range []string{"text/none.reg:1:1: ", "text/empty.reg: is empty", "text/zeros.reg: holds nothing but zeros; copy it again", "damaged/short: offset 0x3e8: the file ends inside the base block"} {
		if n := len(slices.DeleteFunc(slices.Clone(refused), func(s string) bool { return !strings.HasPrefix(s, line) })); n != 1 {
			t.Errorf("%d lines start with %q among %q", n, line, refused)
		}
	}
	if inputs < 20 {
		t.Errorf("only %d inputs are read", inputs)
	}
}
