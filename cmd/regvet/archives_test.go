package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

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
			"it was cut off: the directory at its end is missing"},
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
