package cli

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"regvet/hive/collection"
	"regvet/internal/hivetest"
	"regvet/internal/imagetest"
)

// TestUnreadMembers holds what is said of members that cannot be read: one line for each reason, with their number, and a line of its own for each that
// has the name of a hive, up to a hundred. A member that is one of two with its name is not called empty because the first is.
func TestUnreadMembers(t *testing.T) {
	t.Chdir(t.TempDir())
	system := imagetest.ArchiveFile{Name: "SYSTEM", Data: hivetest.Build(machineTree(t), hivetest.Options{Name: "SYSTEM"})}
	members := func(n int, name string) (all []imagetest.ArchiveFile) {
		for i := range n {
			all = append(all, imagetest.ArchiveFile{Name: fmt.Sprintf(name, i), Data: []byte("text")})
		}
		return append(all, system)
	}
	const damaged = ": cannot be unpacked: its content does not match its checksum"
	archives := []imagetest.ArchiveFile{system}
	for i := range 120 {
		archives = append(archives, imagetest.ArchiveFile{Name: fmt.Sprintf("%d.zip", i), Data: imagetest.Zip(members(1, "%d"))[:300]})
	}
	for _, c := range []struct {
		name  string
		data  []byte
		lines int
		want  string // the last
	}{
		{"notes", changed(members(10000, "d/%05d.txt"), "d/"), 1, "regvet: a.zip!/d/00000.txt: cannot be read: a.zip" + damaged + "; nor can 9999 others, for the same reason"},
		{"hives", changed(members(3, "u%d/NTUSER.DAT"), "u"), 3, "regvet: a.zip!/u2/NTUSER.DAT: cannot be read: a.zip: offset 0x5e" + damaged},
		{"many hives", changed(members(200, "u%03d/NTUSER.DAT"), "u"), 101, "regvet: a.zip!/u100/NTUSER.DAT: cannot be read: a.zip: offset 0x1324" + damaged + "; nor can 99 others, for the same reason"},
		{"archives", imagetest.Zip(archives), 102, "regvet: the same is true of 20 other images and archives: is damaged, so that what it held is unknown, and only members at its beginning can be read: " +
			"the directory at its end is missing: it was cut off, or something else follows it"},
		{"doubles", imagetest.Zip([]imagetest.ArchiveFile{{Name: "SAM"}, {Name: "SAM", Data: system.Data}, system}), 1,
			"regvet: a.zip!/SAM: cannot be read: a.zip: is the name of several members of the archive, and nobody knows which is meant; unpack it, and name the folder"},
		{"links", linked("NTUSER.DAT", "notes"), 2, "regvet: a.zip!/NTUSER.DAT: cannot be read: a.zip: offset 0x400: is a link, which is not followed; name what it leads to"},
	} {
		if err := os.WriteFile("a.zip", c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		var out, messages bytes.Buffer
		status := run([]string{"info", "a.zip"}, nil, &out, &messages)
		lines := strings.Split(strings.TrimSuffix(messages.String(), "\n"), "\n")
		if status != statusInput || len(lines) != c.lines || lines[c.lines-1] != c.want {
			t.Errorf("%s: status %d, %d lines, the last\n%s\nwant\n%s", c.name, status, len(lines), lines[len(lines)-1], c.want)
		}
		out.Reset()
		if run([]string{"check", "-f", "jsonl", "a.zip"}, nil, &out, io.Discard); !strings.Contains(out.String(), `"loss":true`) {
			t.Errorf("%s: no line says that something is lost:\n%s", c.name, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, `{"refused":`) && !strings.Contains(line, `"loss":true`) {
				t.Errorf("%s: what is refused is lost: %s", c.name, line)
			}
		}
	}
}

// changed returns a zip archive of which the members with a prefix do not match their checksums.
func changed(files []imagetest.ArchiveFile, prefix string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.Name, UncompressedSize64: uint64(len(f.Data)), CompressedSize64: uint64(len(f.Data))}
		if !strings.HasPrefix(f.Name, prefix) {
			h.Method, h.CRC32 = zip.Store, crc32.ChecksumIEEE(f.Data)
		}
		to, _ := w.CreateRaw(h) // of a buffer, which takes all
		to.Write(f.Data)
	}
	w.Close()
	return out.Bytes()
}

// linked returns a tar archive of a file and links to it.
func linked(names ...string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	w.WriteHeader(&tar.Header{Name: "file", Size: 4})
	w.Write([]byte("text"))
	for _, name := range names {
		w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: "file"})
	}
	w.Close()
	return out.Bytes()
}

// TestArchiveBeside holds what is said where an archive comes in an odd way: through standard input, behind a program, before another archive.
func TestArchiveBeside(t *testing.T) {
	t.Chdir(t.TempDir())
	hive := imagetest.Zip([]imagetest.ArchiveFile{{Name: "SYSTEM", Data: hivetest.Build(machineTree(t), hivetest.Options{Name: "SYSTEM"})}})
	notes := imagetest.Zip([]imagetest.ArchiveFile{{Name: "notes", Data: []byte("text")}})
	for name, data := range map[string][]byte{
		"program.exe": append(append([]byte("MZ"), make([]byte, 5000)...), hive...), "two.zip": append(bytes.Clone(hive), notes...), "zeros.zip": append(bytes.Clone(hive), make([]byte, 70000)...),
		"a/report.docx": notes, "a/SYSTEM.zip": hive, "program": []byte("#!/bin/sh\n"),
	} {
		if err := errors.Join(os.MkdirAll("a", 0o777), os.WriteFile(name, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		line   string
		status int
		want   string
	}{
		{"check -", statusInput, "regvet: standard input: is a zip archive, which is not read from there; save it as a file, and give the name of that\n"},
		{"lint --no-config -", statusInput, "regvet: standard input: is a zip archive, which is not read from there; save it as a file, and give the name of that\n"},
		{"fmt -", statusInput, "regvet: standard input: is a zip archive, which is not read from there; save it as a file, and give the name of that\n"},
		{"info program.exe", statusDone, ""},
		{"export program.exe!/SYSTEM HKLM\\SYSTEM\\Select", statusDone, ""},
		{"info program", statusInput, "regvet: program:1:1: the first line is \"#!/bin/sh\"; Windows rejects the file, the line must be \"Windows Registry Editor Version 5.00\" or \"REGEDIT4\"\n"},
		{"info two.zip", statusInput, fmt.Sprintf("regvet: two.zip: is several archives in one file, of which the last is read; what the first %d bytes hold is unknown; unpack it, and name the folder\n"+
			"regvet: two.zip: is a zip archive without hives and .reg files, in what could be read of it\n", len(hive))},
		{"info zeros.zip", statusInput, fmt.Sprintf("regvet: zeros.zip: offset %#x: is damaged, so that what it held is unknown, and only members at its beginning can be read: "+
			"the directory at its end is missing: it was cut off, or something else follows it\n", len(hive)+70000)},
		{"info -f text a -o a/report.docx", statusUsage, "regvet: a: passed over: a/report.docx, which is a zip archive\n" +
			"regvet: a/report.docx is read by this command, and what was read is never changed; choose another name for the output\n"},
	} {
		var out, messages bytes.Buffer
		if status := run(strings.Fields(c.line), bytes.NewReader(notes), &out, &messages); status != c.status || messages.String() != c.want {
			t.Errorf("%s: status %d\n%swant\n%s", c.line, status, &messages, c.want)
		}
	}
}

// TestArchivesInFolder holds that what is passed over in many archives is told in one line, and that the place of what lies in an archive in another
// can be given. A third one in these is not opened.
func TestArchivesInFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	system := hivetest.Build(machineTree(t), hivetest.Options{Name: "SYSTEM"})
	kape := imagetest.Zip([]imagetest.ArchiveFile{{Name: "C/config/SYSTEM", Data: system}, {Name: "C/config/RegBack/SYSTEM"}, {Name: "third.zip", Data: imagetest.Zip(nil)}, {Name: "notes", Data: []byte("text")}})
	for _, name := range []string{"a/1.zip", "a/2.zip", "outer.zip"} {
		data := kape
		if name == "outer.zip" {
			data = imagetest.Zip([]imagetest.ArchiveFile{{Name: "kape.zip", Data: kape}})
		}
		if err := errors.Join(os.MkdirAll("a", 0o777), os.WriteFile(name, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	slash := string(os.PathSeparator)
	for _, c := range []struct {
		line   string
		status int
		want   string
	}{
		{"info a", statusDone, "regvet: a: passed over: 2 files like a" + slash + "1.zip!/C/config/RegBack/SYSTEM, which is empty, as Windows leaves its backups in RegBack since Windows 10 1803; " +
			"2 files like a" + slash + "1.zip!/third.zip, which is a zip archive without hives and .reg files\n"},
		{"info outer.zip!/kape.zip!/C/config/SYSTEM", statusDone, ""},
		{"info outer.zip!/kape.zip!/C/config", statusDone, "regvet: outer.zip!/kape.zip!/C/config: passed over: outer.zip!/kape.zip!/C/config/RegBack/SYSTEM, which is empty, as Windows leaves its backups in RegBack since Windows 10 1803\n"},
		{"info outer.zip!/kape.zip!/nowhere", statusInput, "regvet: outer.zip!/kape.zip!/nowhere: cannot be opened: file does not exist\n"},
		{"info outer.zip!/kape.zip!/notes", statusInput, "regvet: outer.zip!/kape.zip!/notes:1:1: the first line is \"text\"; Windows rejects the file, the line must be \"Windows Registry Editor Version 5.00\" or \"REGEDIT4\"\n"},
		{"info outer.zip!/kape.zip!/third.zip", statusInput, "regvet: outer.zip!/kape.zip!/third.zip: outer.zip!/kape.zip: images and archives are opened 2 deep; copy this one out, and name the copy\n"},
	} {
		var out, messages bytes.Buffer
		if status := run(strings.Fields(c.line), nil, &out, &messages); status != c.status || messages.String() != c.want {
			t.Errorf("%s: status %d\n%swant\n%s", c.line, status, &messages, c.want)
		}
	}
}

// TestMemoryOfArchives holds that what was unpacked of an archive is not kept for as long as others are read: 60 archives with a hive of 4 MB.
func TestMemoryOfArchives(t *testing.T) {
	t.Chdir(t.TempDir())
	data := imagetest.Zip([]imagetest.ArchiveFile{{Name: "SYSTEM", Data: append(hivetest.Build(machineTree(t), hivetest.Options{Name: "SYSTEM"}), make([]byte, 4<<20)...)}})
	for i := range 60 {
		if err := os.WriteFile(fmt.Sprintf("%d.zip", i), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var messages bytes.Buffer
	s := &session{files: &collection.Local{}, stderr: &messages}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	found := groups(s, []string{"."}, true)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); len(found) != 60 || held > 60<<20 {
		t.Errorf("%d groups hold %d MB: %s", len(found), held>>20, &messages)
	}
	runtime.KeepAlive(s)
}
