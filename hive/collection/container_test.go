package collection_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/fstest"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// signed returns a file of some size with bytes at an offset.
func signed(size, at int, magic string) []byte {
	b := make([]byte, size)
	copy(b[at:], magic)
	return b
}

// partitioned returns a disk with one partition in its MBR.
func partitioned() []byte {
	b := signed(4096, 510, "\x55\xAA")
	b[446+4] = 7
	binary.LittleEndian.PutUint32(b[446+8:], 2048)
	binary.LittleEndian.PutUint32(b[446+12:], 4096)
	return b
}

// TestContainers tests that images and archives are called what they are, and are not read.
func TestContainers(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"E01":                {signed(600, 0, "EVF\x09\x0d\x0a\xff\x00"), "an E01 image"},
		"Ex01":               {signed(600, 0, "EVF2\x0d\x0a\x81\x00"), "an Ex01 image"},
		"L01":                {signed(600, 0, "LVF\x09\x0d\x0a\xff\x00"), "an L01 image of single files"},
		"AD1":                {signed(600, 0, "ADSEGMENTEDFILE\x00"), "an AD1 image"},
		"VHDX":               {signed(600, 0, "vhdxfile"), "a VHDX image"},
		"VHD, dynamic":       {signed(2048, 0, "conectix"), "a VHD image"},
		"VHD, fixed":         {signed(2048, 1536, "conectix"), "a VHD image"},
		"VMDK":               {signed(600, 0, "KDMV"), "a VMDK image"},
		"VMDK, described":    {[]byte("# Disk DescriptorFile\nversion=1\n"), "the description of a VMDK image"},
		"qcow2":              {signed(600, 0, "QFI\xfb"), "a qcow2 image"},
		"VDI":                {signed(600, 64, "\x7f\x10\xda\xbe"), "a VDI image"},
		"DMG":                {signed(2048, 1536, "koly"), "a DMG image"},
		"zip":                {signed(600, 0, "PK\x03\x04\x14\x00\x00\x00"), "a zip archive"},
		"7z":                 {signed(600, 0, "7z\xbc\xaf\x27\x1c"), "a 7z archive"},
		"gzip":               {signed(600, 0, "\x1f\x8b\x08"), "compressed with gzip"},
		"xz":                 {signed(600, 0, "\xfd7zXZ\x00"), "compressed with xz"},
		"zstd":               {signed(600, 0, "\x28\xb5\x2f\xfd"), "compressed with zstd"},
		"tar":                {signed(1024, 257, "ustar\x0000"), "a tar archive"},
		"BitLocker":          {signed(600, 3, "-FVE-FS-"), "a volume encrypted with BitLocker"},
		"LUKS":               {signed(600, 0, "LUKS\xba\xbe"), "a volume encrypted with LUKS"},
		"NTFS":               {signed(600, 3, "NTFS    "), "an NTFS volume"},
		"exFAT":              {signed(600, 3, "EXFAT   "), "an exFAT volume"},
		"FAT32":              {signed(600, 82, "FAT32   "), "a FAT volume"},
		"GPT":                {signed(1024, 512, "EFI PART"), "an image of a disk with a GPT"},
		"GPT of 4096":        {signed(8192, 4096, "EFI PART"), "an image of a disk with a GPT"},
		"MBR":                {partitioned(), "an image of a disk with an MBR"},
		"a hive":             {hivetest.Build(&hivetest.Key{}, hivetest.Options{}), ""},
		"zeros":              {make([]byte, 4096), ""},
		"zeros and 55 AA":    {signed(4096, 510, "\x55\xAA"), ""},
		"text with FAT":      {[]byte(strings.Repeat("; ", 27) + "FAT\r\n"), ""},
		"text with ustar":    {[]byte(strings.Repeat(";", 257) + "ustar\r\n"), ""},
		"text, conectix":     {append(bytes.Repeat([]byte("; "), 768), []byte("conectix"+strings.Repeat(" ", 504))...), ""},
		"the same in UTF-16": {append([]byte{0xFF, 0xFE}, hive.EncodeUTF16(strings.Repeat("; ", 300)+"FAT")...), ""},
	} {
		fsys := fstest.MapFS{"x": {Data: test.data}}
		_, refused := collection.Open(fsys, "x", collection.Options{})
		told := ""
		for _, p := range refused {
			if what, _, is := strings.Cut(p.Msg, ", which is not read"); is {
				told = strings.TrimPrefix(what, "is ")
			}
		}
		if told != test.want {
			t.Errorf("%s: called %q, want %q: %v", name, told, test.want, refused)
		}
		text, _, err := collection.OpenText(fsys, "x")
		if is := err != nil && strings.Contains(err.Error(), "which is not read"); is != (test.want != "") {
			t.Errorf("%s as text: %v %v", name, text != nil, err)
		}
	}
}

// TestPassedOver tests that a folder tells in one line what it passes over, and that nothing else changes by it.
func TestPassedOver(t *testing.T) {
	fsys := folder("config/SYSTEM")
	for name, data := range map[string][]byte{
		"a.zip": signed(600, 0, "PK\x03\x04"), "b.docx": signed(600, 0, "PK\x03\x04"), "config/RegBack/SYSTEM": nil, "config/RegBack/SAM": nil,
		"config/SAM": nil, "disk.E01": signed(600, 0, "EVF\x09\x0d\x0a\xff\x00"), "empty": nil, "empty.7z": nil, "notes.txt": []byte("PK"),
	} {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	want := []string{"config/SYSTEM", "passed over: 2 files like a.zip, which is a zip archive; " +
		"2 files like config/RegBack/SAM, which is empty, as Windows leaves its backups in RegBack since Windows 10 1803; " +
		"config/SAM, which is an empty file with the name of a hive; disk.E01, which is an E01 image; empty.7z, which is an empty file with the name of an archive"}
	if got := find(fsys); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
