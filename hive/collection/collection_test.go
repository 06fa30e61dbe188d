package collection_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// find lists the groups that List returns, one line each: the machine, and the files with their users, their logs and "!" for an error.
func find(fsys fs.FS) []string {
	var all []string
	for in := range collection.List(fsys, ".") {
		var words []string
		if in.Passed != "" {
			words = append(words, "passed over: "+in.Passed)
		}
		if in.Machine != "" {
			words = append(words, in.Machine+":")
		}
		for _, f := range in.Files {
			word := f.Path
			if f.User != "" {
				word += "@" + f.User
			}
			if f.NotJoined != "" {
				word += " (" + f.NotJoined + ")"
			}
			if f.State != "" {
				word += " is " + string(f.State)
			}
			if f.Former {
				word += " is former"
			}
			if f.CopyOf != "" {
				word += " = " + f.CopyOf
			}
			words = append(append(words, word), f.Logs...)
			if f.Err != nil {
				words = append(words, "!")
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

// folder returns a folder in which these files are hives.
func folder(names ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for _, name := range names {
		m[name] = &fstest.MapFile{Data: hivetest.Build(&hivetest.Key{}, hivetest.Options{})}
	}
	return m
}

func TestFind(t *testing.T) {
	log := hivetest.Build(&hivetest.Key{}, hivetest.Options{})
	log[28] = 6
	hivetest.Seal(log)
	text := "Windows Registry Editor Version 5.00\r\n"
	files := folder("a/SYSTEM", "d41d8cd98f00b204e9800998ecf8427e", "cut off", "b.reg")
	files["cut off"].Data = files["cut off"].Data[:1000]
	for name, data := range map[string]string{
		"a/system.LOG1":    string(log),
		"a/SYSTEM.Log2":    "", // as Windows leaves it when it did not need it
		"a/lonely.LOG":     string(log),
		"a/a log":          string(log),
		"a/notes.txt":      "regedit",
		"four letters":     "regf",
		"empty":            "",
		"empty.reg":        "",
		"export.REG":       text,
		"wide.reg":         "\xFF\xFE" + string(hive.EncodeUTF16("\n"+text)),
		"marked.reg":       "\xEF\xBB\xBF" + text,
		"old.reg":          "REGEDIT4\n",
		"notes.reg":        "to be exported",
		"export.reg.txt":   text,
		"a folder.reg/x":   "x",
		"a folder.LOG1/it": "x",
	} {
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
	want := []string{"a/SYSTEM a/system.LOG1 a/SYSTEM.Log2", "b.reg", "cut off", "d41d8cd98f00b204e9800998ecf8427e", "empty.reg", "export.REG", "four letters",
		"marked.reg", "notes.reg", "old.reg", "wide.reg"}
	if diff := cmp.Diff(want, find(files)); diff != "" {
		t.Error(diff)
	}
	for range collection.List(files, ".") {
		break // a caller may stop early
	}
}

// TestComparePaths holds that paths are compared as the lists of their names are.
func TestComparePaths(t *testing.T) {
	all := []string{""}
	for at := 0; len(all[at]) < 4; at++ {
		for _, c := range "a/-~" {
			all = append(all, all[at]+string(c))
		}
	}
	for _, a := range all {
		for _, b := range all {
			if got, want := collection.ComparePaths(a, b), slices.Compare(strings.Split(a, "/"), strings.Split(b, "/")); got != want {
				t.Fatalf("%q and %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestMachines(t *testing.T) {
	for name, test := range map[string]struct{ files, want []string }{
		"a system": {
			[]string{"c/windows/system32/CONFIG/system", "c/windows/system32/CONFIG/SOFTWARE", "c/windows/system32/CONFIG/BBI",
				"c/USERS/alice/ntuser.dat", "c/USERS/alice/appdata/local/microsoft/windows/usrclass.DAT", "c/USERS/Bob/NTUSER.DAT",
				"c/USERS/Bob/old/NTUSER.DAT", "c/NTUSER.DAT", "elsewhere/Users/eve/NTUSER.DAT"},
			[]string{"c/NTUSER.DAT",
				"c/windows: c/windows/system32/CONFIG/SOFTWARE c/windows/system32/CONFIG/system c/USERS/Bob/NTUSER.DAT@Bob " +
					"c/USERS/alice/appdata/local/microsoft/windows/usrclass.DAT@alice c/USERS/alice/ntuser.dat@alice",
				"c/USERS/Bob/old/NTUSER.DAT", "c/windows/system32/CONFIG/BBI", "elsewhere/Users/eve/NTUSER.DAT"}},
		"an old one": {
			[]string{"WINNT/system32/config/SYSTEM", "Documents and Settings/u/NTUSER.DAT",
				"Documents and Settings/u/Local Settings/Application Data/Microsoft/Windows/UsrClass.dat"},
			[]string{"WINNT: WINNT/system32/config/SYSTEM Documents and Settings/u/Local Settings/Application Data/Microsoft/Windows/UsrClass.dat@u " +
				"Documents and Settings/u/NTUSER.DAT@u"}},
		"two systems on a disk": {
			[]string{"WINNT/System32/config/SYSTEM", "WINNT/System32/config/SAM", "Windows/System32/config/SYSTEM", "Users/u/NTUSER.DAT"},
			[]string{"Users/u/NTUSER.DAT", "WINNT: WINNT/System32/config/SAM WINNT/System32/config/SYSTEM", "Windows/System32/config/SYSTEM"}},
		"the folder of Windows": {
			[]string{"System32/config/SYSTEM", "System32/config/SAM", "System32/config/RegBack/SYSTEM", "System32/config/RegBack/SAM"},
			[]string{"System32/config/RegBack/SAM (a backup that Windows made in RegBack, of an earlier time) is regback",
				"System32/config/RegBack/SYSTEM (a backup that Windows made in RegBack, of an earlier time) is regback", ".: System32/config/SAM System32/config/SYSTEM"}},
		"copied with its backups": {
			[]string{"SYSTEM", "SAM", "regback/SYSTEM", "regback/SYSTEM.OLD", "regback/x.reg"},
			[]string{".: SAM SYSTEM", "regback/SYSTEM (a backup that Windows made in RegBack, of an earlier time) is regback",
				"regback/SYSTEM.OLD (a backup that Windows made in RegBack, of an earlier time) is regback", "regback/x.reg"}},
		"former and lone": {
			[]string{"Windows.old/Windows/System32/config/SYSTEM", "C/windows.OLD.000/Windows/System32/config/SYSTEM", "C/windows.OLD.000/Users/u/NTUSER.DAT",
				"x/Windows.old", "Windows.older/SYSTEM", "Windows.old.x/SYSTEM"},
			[]string{"C/windows.OLD.000/Windows: C/windows.OLD.000/Windows/System32/config/SYSTEM is former C/windows.OLD.000/Users/u/NTUSER.DAT@u is former",
				"Windows.old/Windows/System32/config/SYSTEM is former", "Windows.old.x/SYSTEM", "Windows.older/SYSTEM", "x/Windows.old"}},
		"a system by several ways": {
			[]string{"uploads/auto/C:/Windows/System32/config/SYSTEM", `uploads/ntfs/\\.\c:/windows/System32/config/system`, "uploads/mft/C:/Windows/System32/config/SAM",
				"uploads/auto/D:/Windows/System32/config/SYSTEM", "uploads/lazy_ntfs/C:/Users/u/NTUSER.DAT", "uploads/file/C:/Users/U/ntuser.dat", "uploads/x/C:/b.reg"},
			[]string{"uploads/auto/C:/Windows: uploads/auto/C:/Windows/System32/config/SYSTEM uploads/mft/C:/Windows/System32/config/SAM uploads/file/C:/Users/U/ntuser.dat@U " +
				"uploads/lazy_ntfs/C:/Users/u/NTUSER.DAT@U = uploads/file/C:/Users/U/ntuser.dat " +
				`uploads/ntfs/\\.\c:/windows/System32/config/system = uploads/auto/C:/Windows/System32/config/SYSTEM`,
				"uploads/auto/D:/Windows/System32/config/SYSTEM", "uploads/x/C:/b.reg"}},
		"the folder of the accessors": {
			[]string{"auto/C:/b", `ntfs/\\.\C:/b`, "mine/C:/b"},
			[]string{`auto/C:/b ntfs/\\.\C:/b = auto/C:/b`, "mine/C:/b"}},
		"of one drive and accessor": {
			[]string{"uploads/auto/C:/B", "uploads/auto/C:/b", "fs/sysvol/x", "fs/c:/x", "sysvol/x", "C/x"},
			[]string{"C/x", "fs/c:/x fs/sysvol/x = fs/c:/x", "sysvol/x", "uploads/auto/C:/B", "uploads/auto/C:/b"}},
		"earlier times": {
			[]string{"C/Windows/System32/config/SYSTEM", "C/Windows/repair/SYSTEM", "VSS2/Windows/System32/config/SYSTEM", "Users/vss1/NTUSER.DAT", "x.reg",
				"C/System Volume Information/_restore{A}/RP1/snapshot/_REGISTRY_USER_x", `\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3/NTUSER.DAT`},
			[]string{"C/System Volume Information/_restore{A}/RP1/snapshot/_REGISTRY_USER_x (of a restore point, of an earlier time) is vss",
				"C/Windows/System32/config/SYSTEM", "C/Windows/repair/SYSTEM (a backup that Windows made in repair, of an earlier time) is regback",
				"Users/vss1/NTUSER.DAT", "VSS2/Windows/System32/config/SYSTEM (of a shadow copy, of an earlier time) is vss",
				`\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3/NTUSER.DAT (of a shadow copy, of an earlier time) is vss`, "x.reg"}},
		"a shadow copy alone": {
			[]string{"VSS2/Windows/System32/config/SYSTEM", "VSS2/Windows/System32/config/SAM", "VSS2/Users/u/NTUSER.DAT", "x.reg"},
			[]string{"VSS2/Windows: VSS2/Windows/System32/config/SAM VSS2/Windows/System32/config/SYSTEM VSS2/Users/u/NTUSER.DAT@u", "x.reg"}},
		"of no installation": {
			[]string{"W/System32/config/SYSTEM", "W/System32/config/systemprofile/NTUSER.DAT", "W/System32/config/BCD-Template", "boot/bcd", "config/x/NTUSER.DAT"},
			[]string{"W/System32/config/BCD-Template (the template for boot configurations)", "W/System32/config/SYSTEM",
				"W/System32/config/systemprofile/NTUSER.DAT (of the folder of LocalSystem, for which Windows mounts DEFAULT instead)",
				"boot/bcd (the boot configuration of the computer, which is of no one installation)", "config/x/NTUSER.DAT"}},
		"backups alone": {[]string{"x/RegBack/SYSTEM", "x/RegBack/SAM"}, []string{"x/RegBack: x/RegBack/SAM x/RegBack/SYSTEM"}},
		"no user": {
			[]string{"W/System32/config/SYSTEM", "Users/default/NTUSER.DAT", "Users/Default/AppData/Local/Microsoft/Windows/UsrClass.dat", "Users/Default User/NTUSER.DAT"},
			[]string{"Users/Default/AppData/Local/Microsoft/Windows/UsrClass.dat (the template for new users, which is no user's own)",
				"W: W/System32/config/SYSTEM Users/Default User/NTUSER.DAT@Default User",
				"Users/default/NTUSER.DAT (the template for new users, which is no user's own)"}},
		"no user of XP": {
			[]string{"W/System32/config/SYSTEM", "Documents and Settings/Default User/NTUSER.DAT", "Documents and Settings/LocalService/NTUSER.DAT"},
			[]string{"Documents and Settings/Default User/NTUSER.DAT (the template for new users, which is no user's own)",
				"W: W/System32/config/SYSTEM Documents and Settings/LocalService/NTUSER.DAT@LocalService"}},
		"services of two systems": {
			[]string{"A/System32/config/SYSTEM", "A/ServiceProfiles/LocalService/NTUSER.DAT", "B/System32/config/SYSTEM", "B/serviceprofiles/NetworkService/NTUSER.DAT",
				"B/ServiceProfiles/NetworkService/AppData/Local/Microsoft/Windows/UsrClass.dat", "ServiceProfiles/LocalService/NTUSER.DAT"},
			[]string{"A: A/System32/config/SYSTEM A/ServiceProfiles/LocalService/NTUSER.DAT@LocalService",
				"B: B/System32/config/SYSTEM B/ServiceProfiles/NetworkService/AppData/Local/Microsoft/Windows/UsrClass.dat@NetworkService B/serviceprofiles/NetworkService/NTUSER.DAT@NetworkService",
				"ServiceProfiles/LocalService/NTUSER.DAT"}},
		"one name in two cases": {
			[]string{"W/System32/config/SYSTEM", "W/System32/config/system", "W/System32/config/SAM"},
			[]string{"W: W/System32/config/SAM W/System32/config/SYSTEM", "W/System32/config/system"}},
		"side by side":            {[]string{"SYSTEM", "SOFTWARE", "NTUSER.DAT", "x"}, []string{".: NTUSER.DAT SOFTWARE SYSTEM", "x"}},
		"one by itself":           {[]string{"a/SYSTEM", "b/SOFTWARE"}, []string{"a/SYSTEM", "b/SOFTWARE"}},
		"side by side, but twice": {[]string{"SYSTEM", "System", "SAM"}, []string{"SAM", "SYSTEM", "System"}},
		"copies by other names":   {[]string{"SYSTEM", "SYSTEM.bak", "WS01-SOFTWARE"}, []string{"SYSTEM", "SYSTEM.bak", "WS01-SOFTWARE"}},
		"no profile":              {[]string{"W/System32/config/SYSTEM", "Users/NTUSER.DAT", "Users/u/Desktop/UsrClass.dat"}, []string{"Users/NTUSER.DAT", "Users/u/Desktop/UsrClass.dat", "W/System32/config/SYSTEM"}},
	} {
		if diff := cmp.Diff(test.want, find(folder(test.files...))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestFindLinks requires that a link to a file is followed, that a link to a folder is not, and that a link to nothing is reported.
func TestFindLinks(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skipf("there are no symbolic links here: %v", err)
		}
	}
	write("SYSTEM", hivetest.Build(&hivetest.Key{}, hivetest.Options{}))
	link("SYSTEM", "a link")
	link(".", "a loop")
	link("nothing", "dangling")
	link("nothing", "SOFTWARE")
	if diff := cmp.Diff([]string{"SOFTWARE !", "SYSTEM", "a link", "passed over: a loop, which is a link to a folder that is not searched through it; dangling, which is a link that leads nowhere"}, find(os.DirFS(dir))); diff != "" {
		t.Error(diff)
	}
}

// broken is a folder in which one file cannot be opened.
type broken struct{ fstest.MapFS }

func (b broken) Open(name string) (fs.File, error) {
	if name == "x" {
		return nil, fmt.Errorf("the disk is broken")
	}
	return b.MapFS.Open(name)
}

func TestFindErrors(t *testing.T) {
	files := folder("SAM", "SYSTEM", "x")
	if diff := cmp.Diff([]string{".: SAM SYSTEM", "x !"}, find(broken{files})); diff != "" {
		t.Error(diff)
	}
}
