package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/imagetest"
)

// handedIn is one tree of files in an image or archive.
type handedIn struct {
	name  string            // of the file to check
	files map[string][]byte // that are laid out, that file among them
	below string            // where in it the tree begins
	// checked is set where the format has checksums of all content, so that any damage can be told.
	checked bool
	way     string // to a file in it, as the JSON tells it
}

// machineFiles are the files of a disk: a Windows with a hive whose log is needed, a former one, and an export.
func machineFiles(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for name, from := range map[string]string{
		"Windows/System32/config/SYSTEM":             "SYSTEM-dirty",
		"Windows/System32/config/SYSTEM.LOG1":        "SYSTEM-dirty.LOG1",
		"Windows.old/Windows/System32/config/SYSTEM": "SYSTEM",
		"Users/alice/Desktop/Über!.reg":              "SYSTEM-10.reg",
	} {
		data, err := os.ReadFile(filepath.Join("../../testdata", from))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	files["Windows/System32/config/SOFTWARE"] = &fstest.MapFile{Data: hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Classes"}, {Name: "Microsoft"}}},
		hivetest.Options{Name: "SOFTWARE"})}
	return files
}

// allEvidence returns the tree in each kind of evidence that is read.
func allEvidence(t *testing.T, files fstest.MapFS) []handedIn {
	t.Helper()
	var members []imagetest.ArchiveFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		members = append(members, imagetest.ArchiveFile{Name: name, Data: files[name].Data})
	}
	archive := func(name string, data []byte) handedIn {
		return handedIn{name: name, files: map[string][]byte{name: data}, checked: true, way: name[len("a."):]}
	}
	tar := imagetest.Tar(members)
	all := []handedIn{
		archive("a.zip", imagetest.Zip(members)), archive("a.7z", imagetest.SevenZip(members, true)), archive("b.7z", imagetest.SevenZip(members, false)),
		archive("a.tar.gz", imagetest.Gzip(tar)), archive("a.tar.zst", imagetest.Zstd(tar)), archive("a.tar.xz", imagetest.XZ(tar, 1<<20)),
		{name: "a.tar", files: map[string][]byte{"a.tar": tar}, way: "tar"},
	}
	ntfs := imagetest.NTFS(files, imagetest.NTFSOptions{Label: "Windows", Size: 2 << 20})
	one := func(name, below, way string, data []byte) {
		all = append(all, handedIn{name: name, files: map[string][]byte{name: data}, below: below, way: way})
	}
	one("ntfs.raw", "v0/", "raw ntfs", ntfs)
	one("fat.raw", "v0/", "raw fat16", imagetest.FAT(16, files, imagetest.FATOptions{}))
	one("exfat.raw", "v0/", "raw exfat", imagetest.ExFAT(files, imagetest.FATOptions{}))
	disk := func() []byte { return make([]byte, 4<<20) }
	partition := imagetest.Partition{Start: 256, Sectors: uint64(len(ntfs)/512 + 1), Type: 7, GUID: "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", Content: ntfs}
	mbr, logical, gpt := disk(), disk(), disk()
	imagetest.WriteMBR(mbr, 512, []imagetest.Partition{partition}, nil)
	one("mbr.dd", "p1/", "raw partition ntfs", mbr)
	imagetest.WriteMBR(logical, 512, []imagetest.Partition{{Start: 128, Sectors: 7000, Type: 5}}, []imagetest.Partition{partition})
	one("logical.dd", "p5/", "raw partition ntfs", logical)
	imagetest.WriteGPT(gpt, 512, []imagetest.Partition{{}, partition})
	one("gpt.dd", "p2/", "raw partition ntfs", gpt)
	whole := func(name string, files map[string][]byte, checked bool) {
		format := strings.Replace(strings.ToLower(filepath.Ext(name)[1:]), "001", "raw", 1)
		all = append(all, handedIn{name: name, files: files, below: "p2/", checked: checked, way: format + " partition ntfs"})
	}
	whole("split.001", map[string][]byte{"split.001": gpt[:1<<20], "split.002": gpt[1<<20 : 2<<20], "split.003": gpt[2<<20 : 3<<20], "split.004": gpt[3<<20:]}, false)
	segments := func(stem string, e imagetest.EWF) map[string][]byte {
		files := map[string][]byte{}
		for i, segment := range e.Write(gpt) {
			files[stem+"."+imagetest.EWFSuffix(i+1)] = segment
		}
		return files
	}
	whole("one.E01", segments("one", imagetest.EWF{Compressed: true}), true)
	whole("six.E01", segments("six", imagetest.EWF{PerSegment: 22}), true)
	whole("dynamic.vhd", map[string][]byte{"dynamic.vhd": imagetest.VHD{Content: gpt}.Bytes()}, false)
	whole("fixed.vhd", map[string][]byte{"fixed.vhd": imagetest.VHD{Content: gpt, Fixed: true}.Bytes()}, false)
	whole("disk.vhdx", map[string][]byte{"disk.vhdx": imagetest.VHDX{Content: gpt}.Bytes()}, false)
	whole("disk.vdi", map[string][]byte{"disk.vdi": imagetest.VDI{Content: gpt}.Bytes()}, false)
	for _, kind := range []string{"monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "streamOptimized"} {
		whole(kind+".vmdk", imagetest.VMDK{Name: kind + ".vmdk", Type: kind}.Write(gpt), false)
	}
	whole("disk.qcow2", map[string][]byte{"disk.qcow2": imagetest.QCOW2{}.Write(gpt)}, false)
	whole("packed.qcow2", map[string][]byte{"packed.qcow2": imagetest.QCOW2{Compress: "zlib"}.Write(gpt)}, false)
	all = append(all, handedIn{name: "kape.zip", below: "T/disk.vhdx!/p2/", way: "zip vhdx partition ntfs",
		files: map[string][]byte{"kape.zip": imagetest.Zip([]imagetest.ArchiveFile{{Name: "T/disk.vhdx", Data: imagetest.VHDX{Content: gpt}.Bytes()}})}})
	return all
}

// judged is what a check says of an input: its findings, and for each input its hash, both with the paths as in the folder.
type judged struct {
	status   int
	messages string
	findings map[string]bool // as JSON
	sums     map[string]string
	ways     map[string]bool // to the inputs, by the kinds of their steps
}

// judge checks an input. The paths in the result lose the prefix.
func judge(t *testing.T, input, prefix string) judged {
	t.Helper()
	var out, messages bytes.Buffer
	j := judged{findings: map[string]bool{}, sums: map[string]string{}, ways: map[string]bool{}}
	j.status = run([]string{"check", "--pack", "all", "--format", "json", input}, nil, &out, &messages)
	j.messages = messages.String()
	var result struct {
		Inputs []struct {
			Path, SHA256 string
			Evidence     []struct{ Kind string }
		}
		Findings []map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatalf("%s: %v: %s", input, err, &messages)
	}
	inside := func(path string) string {
		return strings.ReplaceAll(strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(prefix)), "!!", "!")
	}
	for _, in := range result.Inputs {
		j.sums[inside(in.Path)] = in.SHA256
		var way []string
		for _, step := range in.Evidence {
			way = append(way, step.Kind)
		}
		j.ways[strings.Join(way, " ")] = true
	}
	for _, f := range result.Findings {
		delete(f, "fingerprint")
		for _, field := range []string{"input", "machine"} {
			if path, ok := f[field].(string); ok {
				f[field] = inside(path)
			}
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		j.findings[string(text)] = true
	}
	return j
}

// write lays out files in a new folder, which it returns.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// folderFiles returns the files of a tree by their names.
func folderFiles(t *testing.T, files fs.FS) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all[name], err = fs.ReadFile(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEvidence tests that a check says the same of one tree of files, whatever image or archive it lies in, and changes no file.
func TestEvidence(t *testing.T) {
	files := machineFiles(t)
	folder := write(t, folderFiles(t, files))
	want := judge(t, folder, folder+"/")
	if want.status == statusInput || len(want.findings) == 0 || len(want.sums) != 4 {
		t.Fatalf("the folder: status %d, %d findings, inputs %v: %s", want.status, len(want.findings), want.sums, want.messages)
	}
	for _, e := range allEvidence(t, files) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, e.files)
			before := hashes(t, dir)
			input := filepath.Join(dir, e.name)
			got := judge(t, input, input+"!/"+e.below)
			if got.status != want.status {
				t.Errorf("status %d, want %d: %s", got.status, want.status, got.messages)
			}
			if diff := cmp.Diff(want.sums, got.sums); diff != "" {
				t.Errorf("the inputs (- of the folder, + of the image):\n%s", diff)
			}
			if diff := cmp.Diff(want.findings, got.findings); diff != "" {
				t.Errorf("the findings (- of the folder, + of the image):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]bool{e.way: true}, got.ways); diff != "" {
				t.Errorf("the ways to the inputs:\n%s", diff)
			}
			if diff := cmp.Diff(before, hashes(t, dir)); diff != "" {
				t.Errorf("files were changed:\n%s", diff)
			}
		})
	}
}

// TestDamagedEvidence tests the law of evidence: what is said of a damaged image or archive is what its files say, and where less is said, the exit
// status and a message tell that something could not be read.
func TestDamagedEvidence(t *testing.T) {
	files := machineFiles(t)
	folder := write(t, folderFiles(t, files))
	want := judge(t, folder, folder+"/")
	for _, e := range allEvidence(t, files) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			told := 0
			variants := damage(e)
			for what, damaged := range variants {
				input := filepath.Join(write(t, damaged), e.name)
				got := judge(t, input, input+"!/"+e.below)
				for f := range got.findings {
					if !want.findings[f] && !strings.Contains(f, `"status":"unknown"`) && (e.checked || sameInputs(got.sums, want.sums)) {
						t.Errorf("%s: says what the folder does not: %s", what, f)
					}
				}
				switch {
				case got.status == statusInput && got.messages != "":
					told++
				case e.checked && !maps.Equal(got.sums, want.sums):
					t.Errorf("%s: status %d, and the inputs are %v: %s", what, got.status, got.sums, got.messages)
				}
			}
			if told == 0 {
				t.Errorf("none of %d damaged ones says so", len(variants))
			}
		})
	}
}

// sameInputs reports whether all inputs have the content that they should have.
func sameInputs(got, want map[string]string) bool {
	for name, sum := range got {
		if want[name] != sum {
			return false
		}
	}
	return true
}

// damage returns damaged copies of the files of an image, by what was done.
func damage(e handedIn) map[string]map[string][]byte {
	all := map[string]map[string][]byte{}
	change := func(what, name string, data []byte) {
		files := maps.Clone(e.files)
		files[name] = data
		if data == nil {
			delete(files, name)
		}
		all[what+" "+name] = files
	}
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		data := e.files[name]
		if name != e.name {
			change("without", name, nil)
		}
		for _, percent := range []int{10, 40, 70, 95} {
			at := len(data) * percent / 100
			change(fmt.Sprintf("cut at %d%%", percent), name, data[:at:at])
			zeroed := bytes.Clone(data)
			clear(zeroed[at:min(at+1024, len(zeroed))])
			if e.checked && !bytes.Equal(zeroed, data) {
				change(fmt.Sprintf("zeros at %d%%", percent), name, zeroed)
			}
		}
	}
	return all
}

// TestExampleImage tests that the image of the README is the one that is written here; with -update it writes it.
func TestExampleImage(t *testing.T) {
	system, err := os.ReadFile("../../testdata/SYSTEM")
	if err != nil {
		t.Fatal(err)
	}
	volume := imagetest.NTFS(fstest.MapFS{"Windows/System32/config/SYSTEM": {Data: system}}, imagetest.NTFSOptions{Label: "Windows", Size: 1 << 20, Serial: 0xE2A51B7C0D934F68})
	disk := make([]byte, 2<<20)
	imagetest.WriteGPT(disk, 512, []imagetest.Partition{{Start: 40, Sectors: 16, GUID: "e3c9e316-0b5c-4db8-817d-f92df00215ae", Name: "Microsoft reserved partition"},
		{Start: 128, Sectors: uint64(len(volume) / 512), GUID: "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", Name: "Basic data partition", Content: volume}})
	example(t, "../../testdata/disk.E01", disk)
}

// example holds an E01 image of a disk against a file, or writes that with -update.
func example(t *testing.T, name string, disk []byte) {
	t.Helper()
	image := imagetest.EWF{Compressed: true, Case: [][2]string{{"c", "2026-11"}, {"n", "1"}, {"e", "regvet"}, {"a", "an example"}}}.Write(disk)
	if len(image) != 1 {
		t.Fatalf("%d segments", len(image))
	}
	if *update {
		if err := os.WriteFile(name, image[0], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(name); err != nil || !bytes.Equal(data, image[0]) {
		t.Errorf("%s is another image than the one that is written here (%v); run the test with -update", name, err)
	}
}

// TestPlaces tests what commands say of places in images and archives, and of images in place of files.
func TestPlaces(t *testing.T) {
	files := machineFiles(t)
	var members []imagetest.ArchiveFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		members = append(members, imagetest.ArchiveFile{Name: name, Data: files[name].Data})
	}
	inner := imagetest.Zip(members)
	one := imagetest.Zip(members[3:4]) // Windows/System32/config/SYSTEM, which is dirty
	t.Chdir(write(t, map[string][]byte{
		"a!.zip": inner, "one.zip": one, "none.zip": imagetest.Zip([]imagetest.ArchiveFile{{Name: "readme", Data: []byte("hello")}}),
		"deep.zip":     imagetest.Zip([]imagetest.ArchiveFile{{Name: "b.zip", Data: imagetest.Zip([]imagetest.ArchiveFile{{Name: "c.zip", Data: inner}})}}),
		"folder/x.zip": one, "folder/none.zip": imagetest.Zip(nil), "text": []byte("no image"), "SYSTEM": files["Windows/System32/config/SYSTEM"].Data,
	}))
	const dirty = `offset 0x4: the hive is dirty (sequence numbers 3 and 2): its latest changes are only in its logs, which were not applied`
	const places = "such as a!!.zip!/Users/alice/Desktop/Über!!.reg, a!!.zip!/Windows/System32/config/SOFTWARE, a!!.zip!/Windows/System32/config/SYSTEM"
	for _, test := range []struct {
		line     string
		status   int
		messages string
	}{
		{"export -o out a!!.zip!/Windows.old/Windows/System32/config/SYSTEM", statusDone, ""},
		{"export -o out a!!.zip!/Users/alice/Desktop/Über!!.reg", statusDone, ""},
		{"export -o out one.zip", statusDone, "one.zip!/Windows/System32/config/SYSTEM: " + dirty},
		{"export -o out one.zip!/Windows/System32/config/SYSTEM", statusDone, "one.zip!/Windows/System32/config/SYSTEM: " + dirty},
		{"export -o out a!.zip", statusInput, "a!.zip: holds 4 hives and .reg files; give the place of one, " + places},
		{"diff SYSTEM one.zip", statusDone, "SYSTEM: " + dirty + "\nregvet: one.zip!/Windows/System32/config/SYSTEM: " + dirty},
		{"check --quiet-not-there one.zip", statusUsage, `unknown flag: --quiet-not-there; see "regvet check --help"`},
		{"export -o out one.zip!/Windows", statusInput, "one.zip!/Windows: is a folder; give the files in it that are to be read"},
		{"info -o out one.zip!/nothing", statusInput, "one.zip!/nothing: cannot be opened: file does not exist"},
		{"info -o out text!/nothing", statusInput, "text!/nothing: leads into a file that is no image and no archive"},
		{"info -o out missing.zip!/nothing", statusInput, "missing.zip!/nothing: cannot be opened: no such file or directory"},
		{"info -o out none.zip", statusInput, "none.zip: is a zip archive without hives and .reg files"},
		{"info -o out folder", statusDone, "folder: passed over: folder/none.zip, which is a zip archive without hives and .reg files\nregvet: folder/x.zip!/Windows/System32/config/SYSTEM: " + dirty},
		{"info -o out deep.zip", statusInput, "deep.zip!/b.zip!/c.zip: deep.zip!/b.zip: images and archives are opened 2 deep; copy this one out, and name the copy"},
		{"check -f text -o one.zip one.zip", statusUsage, "one.zip is read by this command, and what was read is never changed; choose another name for the output"},
		{"check -f text -o folder/x.zip folder", statusUsage, "folder: passed over: folder/none.zip, which is a zip archive without hives and .reg files\nregvet: folder/x.zip is read by this command, and what was read is never changed; choose another name for the output"},
	} {
		var out, messages bytes.Buffer
		want := ""
		if test.messages != "" {
			want = "regvet: " + test.messages + "\n"
		}
		if status := run(strings.Fields(test.line), nil, &out, &messages); status != test.status || filepath.ToSlash(messages.String()) != want {
			t.Errorf("%s: status %d, want %d\n%swant\n%s", test.line, status, test.status, &messages, want)
		}
	}
}

// TestFixFromImage tests that a fix from a place in an image is the one from the hive.
func TestFixFromImage(t *testing.T) {
	files := machineFiles(t)
	system := files["Windows.old/Windows/System32/config/SYSTEM"].Data
	t.Chdir(write(t, map[string][]byte{"SYSTEM": system, "disk.raw": imagetest.NTFS(files, imagetest.NTFSOptions{})}))
	var texts []string
	for _, input := range []string{"SYSTEM", "disk.raw!/v0/windows.OLD/WINDOWS/system32/config/SYSTEM"} {
		var out, messages bytes.Buffer
		if status := run([]string{"fix", "--force", "-o", "fix.reg", "--undo", "undo.reg", input}, nil, &out, &messages); status != statusDone {
			t.Fatalf("%s: status %d: %s", input, status, &messages)
		}
		for _, name := range []string{"fix.reg", "undo.reg"} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, hive.DecodeUTF16(text))
		}
	}
	if diff := cmp.Diff(texts[:2], texts[2:]); diff != "" {
		t.Errorf("the fix and its undo (- from the hive, + from the image):\n%s", diff)
	}
}

// TestPartitionsNotRead tests what is said of partitions that hold no volume that is read: of each that may hold a Windows, once.
func TestPartitionsNotRead(t *testing.T) {
	const (
		basic = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"
		linux = "0fc63daf-8483-4772-8e79-3d69d8477de4"
	)
	at := func(offset int, magic string) []byte {
		return append(make([]byte, offset), magic...)
	}
	toGo := make([]byte, 512)
	copy(toGo, "\xeb\x58\x90MSWIN4.1\x00\x02\x08\x20\x00\x02\x00\x00\x00\x00\xf8\x00\x00\x3f\x00\xff\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x04")
	copy(toGo[424:], "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01\x55\xaa")
	copy(toGo[510:], "\x55\xaa")
	const nothing = "DISK: is a raw image without hives and .reg files"
	for name, c := range map[string]struct {
		guid    string
		content []byte
		kind    string // as info says it
		want    string
	}{
		"BitLocker":       {basic, imagetest.BitLocker(0x0100, 0x0800)[:256<<10], "is encrypted with BitLocker", "DISK!/p1: is encrypted with BitLocker, and is not read; unlock it (by a TPM or a recovery password), mount it read-only, and name the folder"},
		"BitLocker To Go": {basic, toGo, "is encrypted with BitLocker", "DISK!/p1: is encrypted with BitLocker, and is not read; unlock it (by what, its damaged metadata does not tell), mount it read-only, and name the folder"},
		"ReFS":            {basic, at(3, "ReFS\x00\x00\x00\x00"), "is a ReFS volume", "DISK!/p1: is a ReFS volume, which is not read; mount it read-only, or copy the hives out of it, and name the folder"},
		"LUKS":            {"ca7d7ccb-63ed-4c53-861c-1742536059cc", at(0, "LUKS\xba\xbe"), "is a volume encrypted with LUKS", "DISK!/p1: is a volume encrypted with LUKS, which is not read; unlock it, mount it read-only, and name the folder"},
		"LVM":             {"e6d6d379-f507-44c2-a23c-238f2a3df928", at(512, "LABELONE"), "a physical volume of Linux LVM", "DISK: offset 0x100000: partition 1 is Linux LVM, which is not read; what lies in it cannot be said"},
		"zeros":           {basic, nil, "(Microsoft basic data)", ""},
		"wiped":           {basic, at(8192, "something"), "no volume that is known", "DISK!/p1: cannot be opened: DISK: offset 0x100000: the table calls the partition EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 (Microsoft basic data), and no volume that is known starts in it: it is damaged, or encrypted without a sign; what it holds cannot be said"},
		"ext":             {linux, at(1080, "\x53\xef"), "an ext volume", ""},
		"reserved":        {"e3c9e316-0b5c-4db8-817d-f92df00215ae", nil, "(Microsoft reserved)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			disk := make([]byte, 2<<20)
			content := append(c.content, make([]byte, 4096-len(c.content)%4096)...)
			imagetest.WriteGPT(disk, 512, []imagetest.Partition{{Start: 2048, Sectors: 1024, GUID: c.guid, Content: content}})
			image := filepath.Join(write(t, map[string][]byte{"disk.raw": disk}), "disk.raw")
			var out, messages bytes.Buffer
			if got := run([]string{"info", image}, nil, &out, &messages); got != statusInput {
				t.Errorf("exit status %d", got)
			}
			want := nothing
			if c.want != "" {
				want = c.want
			}
			got := strings.ReplaceAll(messages.String(), image, "DISK")
			if !strings.HasPrefix(got, "regvet: "+want) || strings.Count(got, "\n") > 2 {
				t.Errorf("messages:\n%swant:\n%s", got, want)
			}
			var asJSON bytes.Buffer
			run([]string{"info", "--format", "json", image}, nil, &asJSON, io.Discard)
			if is := strings.Contains(asJSON.String(), `disk.raw!/p1",`); is != strings.Contains(c.want, "DISK!/p1") || !strings.Contains(asJSON.String(), `"refused": [`) {
				t.Errorf("what is refused in JSON:\n%s", &asJSON)
			}
			if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), c.kind) {
				t.Errorf("%q is not said of the volume:\n%s", c.kind, &out)
			}
		})
	}
}

// TestNoImage tests what is said of files that are named as images and begin as none that is known, and that they are not read into memory.
func TestNoImage(t *testing.T) {
	ntfs := imagetest.NTFS(machineFiles(t), imagetest.NTFSOptions{Size: 2 << 20})
	binary := bytes.Repeat([]byte("\x01\x00\x02\x03\x04"), 2000)
	dir := write(t, map[string][]byte{
		"damaged/disk.E01": binary, "damaged/notes.bin": binary, "damaged/x.reg": []byte("REGEDIT4\n"), "damaged/disk.dd": make([]byte, 8192), "damaged/text.dd": []byte(strings.Repeat("hello\n", 2000)),
		"whole/disk.dd.001": ntfs[:1<<20], "whole/disk.dd.002": append(binary, ntfs[1<<20+len(binary):]...),
		"rest/disk.dd.002": binary, "rest/disk.dd.003": binary,
	})
	large := filepath.Join(dir, "damaged/large.raw")
	if err := os.WriteFile(large, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 3<<30); err != nil {
		t.Fatal(err)
	}
	const unknown = ": is neither a hive nor .reg text, and no image or archive that is known; of an image in several files, name the first"
	for input, want := range map[string]string{
		"damaged/disk.E01":  "regvet: damaged/disk.E01" + unknown,
		"damaged/disk.dd":   "regvet: damaged/disk.dd: holds nothing but zeros; copy it again",
		"damaged/text.dd":   `regvet: damaged/text.dd:1:1: the first line is "hello"; Windows rejects the file, the line must be "Windows Registry Editor Version 5.00" or "REGEDIT4"`,
		"damaged/large.raw": "regvet: damaged/large.raw: begins with 4128 zeros, so that it is no hive, no .reg text, and no image or archive that can be read",
		"damaged":           "regvet: damaged: passed over: 4 files like damaged/disk.E01, which is named as an image or a piece of one, and begins as none that is known",
		"whole/disk.dd.002": "regvet: whole/disk.dd.002: is not the first segment of its image: name whole/disk.dd.001",
		"rest/disk.dd.003":  "regvet: rest/disk.dd.003" + unknown,
		"rest":              "regvet: rest: passed over: 2 files like rest/disk.dd.002, which is named as an image or a piece of one, and begins as none that is known\nregvet: rest: the folder holds no hive and no .reg file",
	} {
		var messages bytes.Buffer
		run([]string{"info", filepath.Join(dir, input)}, nil, io.Discard, &messages)
		if got := strings.TrimSpace(filepath.ToSlash(strings.ReplaceAll(messages.String(), dir+string(filepath.Separator), ""))); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", input, got, want)
		}
	}
}

// TestShadowCopies tests that a check with --vss judges what the shadow copies of an image hold, each as of an earlier time, that one of them can be
// named by its place, and that info lists them.
func TestShadowCopies(t *testing.T) {
	at := func(from string) []byte {
		data, err := os.ReadFile(filepath.Join("../../testdata", from))
		if err != nil {
			t.Fatal(err)
		}
		system := fstest.MapFS{"Windows/System32/config/SYSTEM": {Data: data}}
		return imagetest.NTFS(system, imagetest.NTFSOptions{Size: 1 << 20, Serial: 1})
	}
	first, second, now := at("SYSTEM"), at("SYSTEM-10"), at("SYSTEM-good")
	disk := imagetest.VSS(now, []imagetest.VSSCopy{
		{Created: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Descriptors: imagetest.VSSChanges(first, second)},
		{Created: time.Date(2021, 1, 2, 3, 4, 5, 0, time.UTC), Descriptors: imagetest.VSSChanges(second, now)},
	}, imagetest.VSSOptions{})
	t.Chdir(write(t, map[string][]byte{"disk.raw": disk}))

	check := func(args ...string) (status int, hosts map[string]string, messages string) {
		var out, err bytes.Buffer
		status = run(append([]string{"check", "--format", "json"}, args...), nil, &out, &err)
		var result struct {
			Inputs []struct{ Path, Host, State string }
		}
		if err := json.Unmarshal(out.Bytes(), &result); err != nil {
			t.Fatal(err)
		}
		hosts = map[string]string{}
		for _, in := range result.Inputs {
			hosts[in.Path] = strings.TrimSpace(in.Host + " " + in.State)
		}
		return status, hosts, err.String()
	}
	const system = "/Windows/System32/config/SYSTEM"
	for _, test := range []struct {
		args   []string
		status int
		hosts  map[string]string
	}{
		{[]string{"disk.raw"}, statusDone, map[string]string{"disk.raw!/v0" + system: "APP02"}},
		{[]string{"--vss", "disk.raw"}, statusFindings, map[string]string{"disk.raw!/v0" + system: "APP02", "disk.raw!/v0@vss1" + system: "WEB01 vss", "disk.raw!/v0@vss2" + system: "CLIENT10 vss"}},
		{[]string{"disk.raw!/v0@vss1"}, statusFindings, map[string]string{"disk.raw!/v0@vss1" + system: "WEB01"}},
		{[]string{"disk.raw!/v0@vss2" + system}, statusFindings, map[string]string{"disk.raw!/v0@vss2" + system: "CLIENT10"}},
		{[]string{"disk.raw!/v0@vss3"}, statusInput, map[string]string{}},
	} {
		status, hosts, messages := check(test.args...)
		if diff := cmp.Diff(test.hosts, hosts); diff != "" || status != test.status {
			t.Errorf("%q: status %d, %s%s", test.args, status, messages, diff)
		}
	}

	var out, messages bytes.Buffer
	if status := run([]string{"history", "--format", "json", "disk.raw", `HKLM\SYSTEM\ControlSet001\Services\Tcpip\Parameters`, "MaxUserPort"}, nil, &out, &messages); status != statusDone {
		t.Errorf("history: status %d: %s", status, &messages)
	}
	var past struct {
		States []struct {
			State, Place, Created, Status string
			Observed                      *struct{ Text string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &past); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range past.States {
		text := ""
		if s.Observed != nil {
			text = s.Observed.Text
		}
		got = append(got, strings.Join([]string{s.State, strings.TrimSuffix(s.Place, system), s.Created, s.Status, text}, " "))
	}
	wanted := []string{"vss disk.raw!/v0@vss1 2020-01-02T03:04:05.0000000Z missing ", "vss disk.raw!/v0@vss2 2021-01-02T03:04:05.0000000Z set 5000", "present disk.raw!/v0  set 65534"}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("the past of MaxUserPort:\n%s", diff)
	}
	out.Reset()
	if status := run([]string{"info", "disk.raw"}, nil, &out, &messages); status != statusDone {
		t.Errorf("info: status %d: %s", status, &messages)
	}
	const want = "  shadow    v0@vss1, created 2020-01-02T03:04:05.0000000Z\n  shadow    v0@vss2, created 2021-01-02T03:04:05.0000000Z\n"
	if !strings.Contains(out.String(), want) {
		t.Errorf("info lists no shadow copies:\n%s", &out)
	}
}

// TestSiblings tests which files beside an image are taken for parts of it, and what is said of those that are not.
func TestSiblings(t *testing.T) {
	ntfs := imagetest.NTFS(machineFiles(t), imagetest.NTFSOptions{Size: 2 << 20})
	segments := imagetest.EWF{PerSegment: 22}.Write(ntfs)
	if len(segments) < 3 {
		t.Fatalf("%d segments", len(segments))
	}
	flat := imagetest.VMDK{Name: "flat.vmdk", Type: "monolithicFlat"}.Write(ntfs)
	files := map[string][]byte{}
	put := func(folder string, name func(number int) string) {
		for i, segment := range segments {
			files[folder+"/"+name(i+1)] = segment
		}
	}
	put("mixed", func(n int) string {
		if n == 1 {
			return "disk.E01"
		}
		return strings.ToLower("disk." + imagetest.EWFSuffix(n))
	})
	for _, folder := range []string{"headless", "folder", "link"} {
		put(folder, func(n int) string { return "disk." + imagetest.EWFSuffix(n) })
	}
	delete(files, "headless/disk.E01")
	delete(files, "folder/disk.E02")
	delete(files, "link/disk.E02")
	files["folder/disk.E02/x"] = nil
	for name, data := range flat {
		files["upper/"+strings.ToUpper(name)] = data
	}
	dir := write(t, files)
	if err := os.Symlink(filepath.Join(dir, "mixed/disk.e02"), filepath.Join(dir, "link/disk.E02")); err != nil {
		t.Skipf("there are no symbolic links here: %v", err)
	}
	for input, want := range map[string]string{
		"mixed/disk.E01":    "",
		"mixed":             "",
		"mixed/disk.e03":    "regvet: mixed/disk.e03: is segment 3 of an image: name the first, mixed/disk.E01",
		"upper/FLAT.VMDK":   "",
		"headless/disk.E02": "regvet: headless/disk.E02: is segment 2 of an image, whose first, disk.E01, is not beside it: bring all segments into one folder, and name the first",
		"folder/disk.E01":   "regvet: folder/disk.E02: the segment cannot be opened: it is no regular file; ",
		"link/disk.E01":     "regvet: link/disk.E02: the segment cannot be opened: it is a link, which is not followed: put the file itself there; ",
	} {
		var messages bytes.Buffer
		status := run([]string{"check", filepath.Join(dir, input)}, nil, io.Discard, &messages)
		got := strings.ReplaceAll(messages.String(), dir+string(filepath.Separator), "")
		if want == "" && (status == statusInput || strings.Contains(got, "segment") || strings.Contains(got, "extent")) || !strings.Contains(got, want) {
			t.Errorf("%s: status %d:\n%swant:\n%s", input, status, got, want)
		}
	}
}

// TestGapTold tests that a gap is told where it is, and once, however much it takes: a segment with many files, the folder of no Windows.
func TestGapTold(t *testing.T) {
	files := machineFiles(t)
	for i := range 100 {
		files[fmt.Sprintf("Program Files/%03d/program.bin", i)] = &fstest.MapFile{Data: bytes.Repeat([]byte{byte(i), 1}, 4096)}
	}
	ntfs := imagetest.NTFS(files, imagetest.NTFSOptions{Size: 4 << 20})
	segments := imagetest.EWF{PerSegment: 8}.Write(ntfs)
	for missing := 2; missing <= len(segments); missing++ {
		folder := map[string][]byte{}
		for i, segment := range segments {
			if i+1 != missing {
				folder["disk."+imagetest.EWFSuffix(i+1)] = segment
			}
		}
		dir := write(t, folder)
		var messages bytes.Buffer
		if status := run([]string{"check", filepath.Join(dir, "disk.E01")}, nil, io.Discard, &messages); status != statusInput {
			t.Errorf("segment %d: exit status %d:\n%s", missing, status, &messages)
		}
		got := strings.ReplaceAll(messages.String(), dir+string(filepath.Separator), "")
		// Once with the size of the gap, once for the table or volume, and for each hive and its log.
		if n := strings.Count(got, "\n"); n > 12 {
			t.Errorf("segment %d: %d lines:\n%.3000s", missing, n, got)
		}
		if strings.Contains(got, "Program Files/System32") || strings.Contains(got, "Program Files/ServiceProfiles") {
			t.Errorf("segment %d: a folder that is not there cannot be read:\n%s", missing, got)
		}
	}
}

// TestDamagedFolder tests that a folder that cannot be read is told by its place, whether all of the image is given or the volume.
func TestDamagedFolder(t *testing.T) {
	ntfs := imagetest.NTFS(machineFiles(t), imagetest.NTFSOptions{Size: 2 << 20})
	at := 0
	for ; at < len(ntfs); at += 1024 {
		record := ntfs[at : at+1024]
		if folder := record[22]&2 != 0; string(record[:4]) == "FILE" && folder && bytes.Contains(record, hive.EncodeUTF16("System32")[:16]) {
			break
		}
	}
	clear(ntfs[at : at+1024])
	path := filepath.Join(write(t, map[string][]byte{"ntfs.raw": ntfs}), "ntfs.raw")
	for _, input := range []string{path, path + "!/v0"} {
		var messages bytes.Buffer
		status := run([]string{"check", input}, nil, io.Discard, &messages)
		want := "regvet: " + path + "!/v0/Windows: cannot be read: " + path + fmt.Sprintf(": offset %#x: MFT record ", at)
		if n := strings.Count(messages.String(), ": cannot be read"); status != statusInput || n != 1 || !strings.Contains(messages.String(), want) {
			t.Errorf("%s: status %d:\n%swant once:\n%s", input, status, &messages, want)
		}
	}
}

// TestReparsePoints tests that links are not followed, and that a hive whose content is elsewhere is told.
func TestReparsePoints(t *testing.T) {
	files := machineFiles(t)
	files["Windows/System32/config/SAM"] = &fstest.MapFile{}
	files["Documents and Settings"] = &fstest.MapFile{}
	point := func(tag uint32) imagetest.NTFSFile {
		return imagetest.NTFSFile{Reparse: append(binary.LittleEndian.AppendUint32(nil, tag), 0, 0, 0, 0)}
	}
	ntfs := imagetest.NTFS(files, imagetest.NTFSOptions{Size: 2 << 20, Files: map[string]imagetest.NTFSFile{"Windows/System32/config/SAM": point(0x80000013), "Documents and Settings": point(0xA0000003)}})
	path := filepath.Join(write(t, map[string][]byte{"ntfs.raw": ntfs}), "ntfs.raw")
	for input, want := range map[string]string{
		path:                                 "/v0/Windows/System32/config/SAM: cannot be read: its content is not here: Windows keeps it in a cloud or, without duplicates, elsewhere on the volume",
		path + "!/v0/Documents and Settings": "/v0/Documents and Settings: cannot be opened: is a link or another reparse point, which is not followed",
	} {
		var messages bytes.Buffer
		status := run([]string{"check", input}, nil, io.Discard, &messages)
		if want = "regvet: " + path + "!" + want + "\n"; status != statusInput || !strings.Contains(messages.String(), want) {
			t.Errorf("%s: status %d:\n%swant:\n%s", input, status, &messages, want)
		}
	}
}

// TestOwnNames tests that the places of hives have the names of their folders as the volume has them, and not as they are looked for.
func TestOwnNames(t *testing.T) {
	system := machineFiles(t)["Windows.old/Windows/System32/config/SYSTEM"]
	names := []string{"WINNT/system32/CONFIG/system", "documents and settings/joe/local settings/Application data/Microsoft/windows/usrclass.dat"}
	files := fstest.MapFS{}
	for _, name := range names {
		files[name] = system
	}
	for image, data := range map[string][]byte{"ntfs.raw": imagetest.NTFS(files, imagetest.NTFSOptions{Size: 2 << 20}), "fat.raw": imagetest.FAT(16, files, imagetest.FATOptions{})} {
		path := filepath.Join(write(t, map[string][]byte{image: data}), image)
		var out bytes.Buffer
		run([]string{"info", "--format", "json", path}, nil, &out, io.Discard)
		for _, name := range names {
			if !strings.Contains(filepath.ToSlash(out.String()), image+"!/v0/"+name+`"`) {
				t.Errorf("%s: %s is not there:\n%s", image, name, &out)
			}
		}
	}
}

// TestExamplePast tests that the image of the page on history is the one that is written here; with -update it writes it. It is the machine of
// portPast with two shadow copies, in which MaxUserPort is 3001 and 3002.
func TestExamplePast(t *testing.T) {
	now := fstest.MapFS{}
	for name, data := range portPast() {
		now[strings.TrimPrefix(name, "past/")] = &fstest.MapFile{Data: data}
	}
	options := imagetest.NTFSOptions{Label: "Windows", Size: 1 << 20, Serial: 0x51B7C0D9}
	at := func(port uint32) []byte {
		files := maps.Clone(now)
		const system = "Windows/System32/config/SYSTEM"
		root := parameters(hive.DWordValue("TcpTimedWaitDelay", 240), hive.DWordValue("MaxUserPort", port))
		stamp(root, 130_900_000_000_000_000)
		data := hivetest.Build(root, hivetest.Options{Modified: 130_900_000_000_000_000, Sequence1: 3})
		files[system] = &fstest.MapFile{Data: append(data, make([]byte, max(0, len(now[system].Data)-len(data)))...)}
		return imagetest.NTFS(files, options)
	}
	first, second, present := at(3001), at(3002), imagetest.NTFS(now, options)
	disk := imagetest.VSS(present, []imagetest.VSSCopy{
		{Created: time.Date(2016, 1, 2, 3, 4, 5, 0, time.UTC), Descriptors: imagetest.VSSChanges(first, second)},
		{Created: time.Date(2016, 2, 2, 3, 4, 5, 0, time.UTC), Descriptors: imagetest.VSSChanges(second, present)},
	}, imagetest.VSSOptions{})
	example(t, "../../testdata/past.E01", disk)
}

// TestClaimedSizes tests that a file in an image whose size is a claim takes no memory for it: one larger than its image, far
// larger than its hive, or text that is too much to hold.
func TestClaimedSizes(t *testing.T) {
	system := machineFiles(t)["Windows.old/Windows/System32/config/SYSTEM"].Data
	files := fstest.MapFS{"SYSTEM": {Data: append(bytes.Clone(system), make([]byte, 70<<20)...)}, "x.reg": {Data: append([]byte("REGEDIT4\r\n"), make([]byte, 70<<20)...)}}
	sparse := imagetest.NTFSOptions{Size: 1 << 20, Files: map[string]imagetest.NTFSFile{"SYSTEM": {Sparse: true}, "x.reg": {Sparse: true}}}
	volume := imagetest.NTFS(files, sparse)
	for _, test := range []struct {
		name string
		size int64
		want string
	}{
		{"SYSTEM", 2 << 20, "a file says that it has 73412608 bytes, more than the image"},
		{"x.reg", 2 << 20, "a file says that it has 73400330 bytes, more than the image"},
		{"SYSTEM", 80 << 20, "has 73412608 bytes, of which the hive in it has 12288 by its base block; copy as many out, and give the copy"},
		{"x.reg", 80 << 20, "has 73400330 bytes, and of .reg text in an image or archive at most 67108864 are held; copy it out, and give the copy"},
	} {
		path := filepath.Join(write(t, map[string][]byte{"disk.raw": volume}), "disk.raw")
		if err := os.Truncate(path, test.size); err != nil {
			t.Fatal(err)
		}
		var messages bytes.Buffer
		status := run([]string{"check", path + "!/v0/" + test.name}, nil, io.Discard, &messages)
		if status != statusInput || !strings.Contains(messages.String(), test.want) {
			t.Errorf("%s: status %d: %swant: %s", test.name, status, &messages, test.want)
		}
	}
}
