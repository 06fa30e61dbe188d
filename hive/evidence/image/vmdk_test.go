package image_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"regvet/hive"
	"regvet/hive/evidence/block"
	"regvet/hive/evidence/image"
	"regvet/internal/imagetest"
)

// filesBeside are the files of a folder, by their names.
type filesBeside map[string][]byte

// fileInMemory is one of them. It counts how often it was closed.
type fileInMemory struct {
	block.Reader
	name   string
	closed *int
}

func (f *fileInMemory) Name() string { return f.name }
func (f *fileInMemory) Close() error { *f.closed++; return nil }

func (f filesBeside) beside(name string) (block.File, error) {
	if data, ok := f[name]; ok {
		return &fileInMemory{block.Bytes(data), name, new(int)}, nil
	}
	return nil, fs.ErrNotExist
}

func (f filesBeside) open(name string) (*image.Image, error) {
	file, err := f.beside(name)
	if err != nil {
		return nil, err
	}
	return image.Open(file, f.beside)
}

// with returns the files with another one of a name.
func (f filesBeside) with(name string, data []byte) filesBeside {
	other := maps.Clone(f)
	other[name] = data
	return other
}

// contentWithHoles has zeros here and there, and no two other sectors that are alike.
func contentWithHoles(size int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	content := make([]byte, size)
	for at := 0; at < size; at += 512 {
		if at/(192<<10)%2 == 1 && rng.IntN(200) > 0 { // most of it
			continue
		}
		sector := content[at:min(at+512, size)]
		for i := range sector {
			sector[i] = byte(i)
		}
		binary.LittleEndian.PutUint64(sector, rng.Uint64())
	}
	return content
}

// rightOrError reads all of an image, in reads of a size, and fails if any byte is not that of the content. It returns the number of reads that
// were an error, which must be gaps.
func rightOrError(t *testing.T, what string, i *image.Image, content []byte, step int) (gaps int) {
	t.Helper()
	p := make([]byte, step)
	for at := int64(0); at < i.Size(); at += int64(step) {
		n, err := i.ReadAt(p, at)
		if at+int64(n) > int64(len(content)) || !bytes.Equal(p[:n], content[at:at+int64(n)]) {
			t.Fatalf("%s: %d bytes at %#x are not those of the disk", what, n, at)
		}
		if n < step && err == nil {
			t.Fatalf("%s: %d bytes at %#x, and no error", what, n, at)
		}
		if err == nil || err == io.EOF && at+int64(n) == i.Size() {
			continue
		}
		if !block.IsGap(err) {
			t.Fatalf("%s: at %#x: %v, which is no gap", what, at, err)
		}
		gaps++
	}
	return gaps
}

// wholeAs requires an image to have a content, whatever is read, also at the same time.
func wholeAs(t *testing.T, what string, i *image.Image, content []byte) {
	t.Helper()
	if i.Size() != int64(len(content)) {
		t.Fatalf("%s: %d bytes, want %d", what, i.Size(), len(content))
	}
	for _, step := range []int{len(content), 4096, 100_001} {
		if gaps := rightOrError(t, what, i, content, step); gaps > 0 {
			t.Fatalf("%s: %d gaps in reads of %d bytes", what, gaps, step)
		}
	}
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(worker), 7))
			for range 200 {
				p := make([]byte, rng.IntN(70000))
				at := rng.Int64N(i.Size())
				n, err := i.ReadAt(p, at)
				if !bytes.Equal(p[:n], content[at:at+int64(n)]) || n < len(p) && err != io.EOF || n == len(p) && err != nil && err != io.EOF {
					t.Errorf("%s: %d bytes at %#x: %d, %v", what, len(p), at, n, err)
				}
			}
		})
	}
	wait.Wait()
}

const vmdkSize = 3<<20 + 40<<10 + 512 // not a multiple of a grain

var vmdkTypes = []string{"monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized", "vmfs", "vmfsSparse"}

func TestVMDK(t *testing.T) {
	content := contentWithHoles(vmdkSize, 1)
	for _, kind := range vmdkTypes {
		for _, zeroed := range []bool{false, true} {
			what := fmt.Sprintf("%s, zeroed %t", kind, zeroed)
			files := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: kind, Zeroed: zeroed, CID: 0x123abc}.Write(content))
			i, err := files.open("disk.vmdk")
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			wholeAs(t, what, i, content)
			if !strings.HasPrefix(i.Kind, "a VMDK image (") || i.Sector != 512 || len(i.Problems) > 0 || len(i.Files) != max(len(files), 1) {
				t.Errorf("%s: %q, sectors of %d, problems %v, files %v", what, i.Kind, i.Sector, i.Problems, i.Files)
			}
			if !slices.Contains(i.Facts, image.Fact{Name: "content ID", Value: "00123abc"}) {
				t.Errorf("%s: facts %v", what, i.Facts)
			}
			if err := i.Close(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// TestVMDKLocate holds that the bytes of the disk are where Locate says, if they are stored as they are.
func TestVMDKLocate(t *testing.T) {
	content := contentWithHoles(vmdkSize, 2)
	for _, kind := range vmdkTypes {
		files := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: kind}.Write(content))
		i, err := files.open("disk.vmdk")
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(512); at < i.Size(); at += 100_352 {
			name, offset := block.Locate(i, at)
			data, ok := files[name]
			if !ok || offset < 0 || offset >= int64(len(data)) {
				t.Fatalf("%s: byte %#x at %#x of %q", kind, at, offset, name)
			}
			sector := content[at : at+512]
			if len(bytes.Trim(sector, "\x00")) > 0 && kind != "streamOptimized" && !bytes.HasPrefix(data[offset:], sector) {
				t.Errorf("%s: byte %#x is not at %#x of %q", kind, at, offset, name)
			}
		}
	}
}

// TestVMDKDamage holds the law of gaps for images that were changed where the format can tell: anywhere in the metadata of extents with two
// directories, and anywhere in a stream.
func TestVMDKDamage(t *testing.T) {
	content := contentWithHoles(vmdkSize, 3)
	for _, kind := range []string{"monolithicSparse", "twoGbMaxExtentSparse", "streamOptimized"} {
		files := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: kind}.Write(content))
		name := "disk.vmdk"
		if kind == "twoGbMaxExtentSparse" {
			name = "disk-s002.vmdk"
		}
		rng := rand.New(rand.NewPCG(4, 4))
		told := 0
		for range 400 {
			data := bytes.Clone(files[name])
			most := len(data)
			if kind != "streamOptimized" {
				most = min(most, 64<<10)
			}
			at := rng.IntN(most)
			if rng.IntN(3) == 0 { // the header, which is small
				at = rng.IntN(80)
			}
			if kind != "streamOptimized" && at >= 20 && at < 28 {
				continue // the size of a grain is nowhere a second time
			}
			size := min(1+rng.IntN(8), most-at)
			switch rng.IntN(3) {
			case 0:
				data[at] ^= 1 << rng.IntN(8)
			case 1:
				clear(data[at : at+size])
			case 2:
				for i := range size {
					data[at+i] = byte(rng.Uint32())
				}
			}
			i, err := files.with(name, data).open("disk.vmdk")
			if err != nil {
				told++
				requireProblem(t, err)
				continue
			}
			if i == nil {
				continue // the signature
			}
			if gaps := rightOrError(t, fmt.Sprintf("%s, damaged at %#x", kind, at), i, content, 64<<10); gaps > 0 || len(i.Problems) > 0 {
				told++
			}
		}
		if told < 50 {
			t.Errorf("%s: %d of 400 damaged images were told", kind, told)
		}
	}
}

func requireProblem(t *testing.T, err error) {
	t.Helper()
	p, ok := errors.AsType[*hive.Problem](err)
	if !ok || p.Source == "" || p.Msg == "" || !p.Loss || strings.Contains(p.Msg, "\n") {
		t.Fatalf("%#v is no problem with a place", err)
	}
}

// TestCutOff holds that what an image has lost at its end is a gap, and that the rest is read.
func TestCutOff(t *testing.T) {
	content := contentWithHoles(vmdkSize, 5)
	images := map[string]filesBeside{}
	for _, kind := range vmdkTypes {
		images[kind] = imagetest.VMDK{Name: "disk.vmdk", Type: kind}.Write(content)
	}
	for _, q := range qcow2s {
		images[fmt.Sprintf("%+v", q)] = filesBeside{"disk.vmdk": q.Write(content)}
	}
	for kind, files := range images {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			data := files[name]
			if len(data) < 4096 && name == "disk.vmdk" { // a descriptor has no end
				continue
			}
			for tenth := 1; tenth < 10; tenth += 2 {
				i, err := files.with(name, data[:len(data)*tenth/10+tenth]).open("disk.vmdk")
				if err != nil {
					requireProblem(t, err)
					if tenth > 3 {
						t.Errorf("%s: %s cut off at %d tenths: %v", kind, name, tenth, err)
					}
					continue
				}
				what := fmt.Sprintf("%s: %s cut off at %d tenths", kind, name, tenth)
				gaps, all := rightOrError(t, what, i, content, 32<<10), len(content)/(32<<10)
				if gaps == 0 && !strings.HasPrefix(kind, "{") || gaps == all { // the end of a qcow2 image has its reference counts
					t.Errorf("%s: %d gaps in %d reads", what, gaps, all)
				}
			}
		}
	}
}

// TestVMDKParents holds that what a snapshot does not have comes from the right parent, or from nowhere.
func TestVMDKParents(t *testing.T) {
	first := contentWithHoles(vmdkSize, 6)
	second := bytes.Clone(first)
	copy(second[100_000:], contentWithHoles(50_000, 7))
	clear(second[1<<20 : 1<<20+300<<10])
	third := bytes.Clone(second)
	copy(third[2<<20:], contentWithHoles(200_000, 8))
	base := imagetest.VMDK{Name: "base.vmdk", Type: "twoGbMaxExtentFlat", CID: 1}
	middle := imagetest.VMDK{Name: "base-000001.vmdk", Type: "monolithicSparse", CID: 2, Base: &base, Under: first, Zeroed: true}
	top := imagetest.VMDK{Name: "base-000002.vmdk", Type: "vmfsSparse", CID: 3, Base: &middle, Under: second}
	files := filesBeside{}
	maps.Copy(files, base.Write(first))
	maps.Copy(files, middle.Write(second))
	maps.Copy(files, top.Write(third))
	for name, content := range map[string][]byte{"base.vmdk": first, "base-000001.vmdk": second, "base-000002.vmdk": third} {
		i, err := files.open(name)
		if err != nil || len(i.Problems) > 0 {
			t.Fatalf("%s: %v, %v", name, err, i)
		}
		wholeAs(t, name, i, content)
	}

	wrong := base
	wrong.CID = 9
	loop := base
	loop.Type = "monolithicSparse"
	loop.Base, loop.Under = &top, third
	without := maps.Clone(files)
	delete(without, "base.vmdk")
	noExtent := maps.Clone(files)
	delete(noExtent, "base-f002.vmdk")
	looped := maps.Clone(files)
	maps.Copy(looped, loop.Write(first))
	for _, c := range []struct {
		files filesBeside
		want  string
	}{
		{without, `is in "base.vmdk", which the image builds on, which is not beside the image: put it there`},
		{files.with("base.vmdk", wrong.Write(first)["base.vmdk"]), `is in "base.vmdk", which was changed since: it has the CID "00000009", not 00000001`},
		{files.with("base.vmdk", []byte("no image")), `is in "base.vmdk", which the image builds on, which is one extent of a VMDK image`},
		{noExtent, `is in the extent "base-f002.vmdk", which is not beside the image: put it there`},
		{looped, `is in "base-000002.vmdk", which the image builds on, and which builds on the image itself`},
		{files.with("base-000001.vmdk", bytes.Replace(files["base-000001.vmdk"], []byte("parentCID="), []byte("parentCUD="), 1)), "may be in another image"},
	} {
		i, err := c.files.open("base-000002.vmdk")
		if err != nil {
			t.Fatal(err)
		}
		gaps := rightOrError(t, c.want, i, third, 512)
		if gaps == 0 || gaps == len(third)/512 {
			t.Errorf("%d gaps, want some: %s", gaps, c.want)
		}
		if !strings.Contains(messages(i), c.want) {
			t.Errorf("problems are %s, want %s", messages(i), c.want)
		}
	}
}

func messages(i *image.Image) string {
	var all []string
	for _, p := range i.Problems {
		all = append(all, p.Error())
	}
	return strings.Join(all, "\n")
}

// TestVMDKTold holds what is said of images that are odd, and of those that cannot be read.
func TestVMDKTold(t *testing.T) {
	content := contentWithHoles(vmdkSize, 9)
	sparse := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: "monolithicSparse"}.Write(content))
	pieces := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: "twoGbMaxExtentSparse"}.Write(content))
	flat := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: "monolithicFlat"}.Write(content))
	stream := filesBeside(imagetest.VMDK{Name: "disk.vmdk", Type: "streamOptimized"}.Write(content))
	set := func(files filesBeside, name string, at int, value ...byte) filesBeside {
		data := bytes.Clone(files[name])
		copy(data[at:], value)
		return files.with(name, data)
	}
	replace := func(files filesBeside, old, new string) filesBeside {
		return files.with("disk.vmdk", bytes.Replace(files["disk.vmdk"], []byte(old), []byte(new), 1))
	}
	without := maps.Clone(pieces)
	delete(without, "disk-s002.vmdk")
	for _, c := range []struct {
		name  string // of the file that is opened
		files filesBeside
		want  string // in the error or the problems
		opens bool
		gaps  bool
	}{
		{"disk-s002.vmdk", pieces, "disk-s002.vmdk: is one extent of a VMDK image: open the descriptor beside it, disk.vmdk", false, false},
		{"x.vmdk", filesBeside{"x.vmdk": pieces["disk-s001.vmdk"]}, "is one extent of a VMDK image, without the descriptor", false, false},
		{"x-000001-sesparse.vmdk", filesBeside{"x-000001-sesparse.vmdk": append([]byte("\xbe\xba\xfe\xca\x00\x00\x00\x00"), content...)},
			"open the descriptor beside it, x-000001.vmdk", false, false},
		{"disk.vmdk", set(sparse, "disk.vmdk", 75, '\n'), "was changed by a transfer as text", false, false},
		{"disk.vmdk", set(sparse, "disk.vmdk", 4, 4), "has version 4 of the sparse extent", false, false},
		{"disk.vmdk", set(sparse, "disk.vmdk", 72, 1), "offset 0x48: was not closed cleanly", true, false},
		{"disk.vmdk", set(sparse, "disk.vmdk", 60, 1), "one of its two grain directories beyond the end of the file: the other one is used", true, false},
		{"disk.vmdk", set(sparse, "disk.vmdk", 52, 1), "one of its two grain directories beyond the end of the file: the other one is used", true, false},
		{"disk.vmdk", set(set(sparse, "disk.vmdk", 52, 1), "disk.vmdk", 60, 1), "has no grain directory", false, false},
		{"disk.vmdk", set(sparse, "disk.vmdk", 12, 0, 0, 0, 1), "one of them is damaged", false, false},
		{"disk.vmdk", filesBeside{"disk.vmdk": stream["disk.vmdk"][:len(stream["disk.vmdk"])-1024]}, "is cut off: the footer", true, true},
		{"disk.vmdk", set(stream, "disk.vmdk", len(stream["disk.vmdk"])-1024+14, 1), "has a footer that contradicts its header", true, true},
		{"disk.vmdk", without, `is in the extent "disk-s002.vmdk", which is not beside the image: put it there`, true, true},
		{"disk.vmdk", replace(pieces, "disk-s002.vmdk", "disk-s001.vmdk"), `is in the extent "disk-s001.vmdk", which is named twice`, true, true},
		{"disk.vmdk", pieces.with("disk-s002.vmdk", []byte("KDMV")), `is in the extent "disk-s002.vmdk", which ends before 0x200`, true, true},
		{"disk.vmdk", flat.with("disk-flat.vmdk", content[:1<<20]), "bytes before what the descriptor disk.vmdk says of it: the rest is missing", true, true},
		{"disk.vmdk", flat.with("disk-flat.vmdk", append(bytes.Clone(content), 1)), "goes on for 1 bytes after", true, false},
		{"disk.vmdk", flat.with("disk-flat.vmdk", sparse["disk.vmdk"]), "which is sparse but not by the descriptor", true, true},
		{"disk.vmdk", replace(flat, `"disk-flat.vmdk"`, `"../disk-flat.vmdk"`), "which is no plain name of a file beside the image", true, true},
		{"disk.vmdk", replace(flat, `"disk-flat.vmdk"`, `"\\.\PhysicalDrive0"`), "which is no plain name of a file beside the image", true, true},
		{"disk.vmdk", replace(flat, "FLAT", "VMFSRDM"), "is on a disk of its own (VMFSRDM)", true, true},
		{"disk.vmdk", replace(flat, "FLAT", "SESPARSE"), "a snapshot in the SEsparse format", true, true},
		{"disk.vmdk", replace(flat, "FLAT", "FLOT"), `unknown type "FLOT"`, true, true},
		{"disk.vmdk", replace(flat, "monolithicFlat", "monolithicFlut"), `the unknown type "monolithicFlut" and version "1"`, true, false},
		{"disk.vmdk", replace(flat, "version=1", "version=9"), `the unknown type "monolithicFlat" and version "9"`, true, false},
		{"disk.vmdk", replace(flat, "RW ", "RW x"), "lacks its size or its type", false, false},
		{"disk.vmdk", replace(flat, "RW ", "QW "), "has a damaged descriptor", false, false},
		{"disk.vmdk", flat.with("disk.vmdk", append(flat["disk.vmdk"], make([]byte, 1<<20)...)), "has a descriptor of", false, false},
		{"disk.vmdk", flat.with("disk.vmdk", []byte("# Disk DescriptorFile\n")), "names no extents", false, false},
	} {
		i, err := c.files.open(c.name)
		switch {
		case !c.opens && (err == nil || !strings.Contains(err.Error(), c.want)):
			if err == nil && strings.Contains(messages(i), c.want) { // a size that the descriptor contradicts
				rightOrError(t, c.want, i, content, 4096)
				continue
			}
			t.Errorf("%v, want %s", err, c.want)
		case !c.opens:
			requireProblem(t, err)
		case err != nil || !strings.Contains(messages(i), c.want):
			t.Errorf("%v, %v, want %s", err, i, c.want)
		default:
			if gaps := rightOrError(t, c.want, i, content, 4096); (gaps > 0) != c.gaps {
				t.Errorf("%s: %d gaps", c.want, gaps)
			}
		}
	}
}

// TestVMDKDescriptor holds how names are written in a descriptor.
func TestVMDKDescriptor(t *testing.T) {
	content := contentWithHoles(4096, 10)
	for _, c := range []struct{ descriptor, name string }{
		{"# Disk DescriptorFile\nparentCID=ffffffff\nRW 8 FLAT \"a b.vmdk\" 0\n", "a b.vmdk"},
		{"\xef\xbb\xbf#comment\r\n\r\n  # Disk DescriptorFile\r\nparentCID = ffffffff\r\nRDONLY 8 flat \"pl\u00e4tte.vmdk\"\r\n", "pl\u00e4tte.vmdk"},
		{"# Disk DescriptorFile\nencoding=\"windows-1252\"\nparentCID=FFFFFFFF\nRW 8 VMFS \"pl\xe4tte.vmdk\"", "pl\u00e4tte.vmdk"},
		{"# Disk DescriptorFile\nencoding=\"windows-1252\"\nparentCID=FFFFFFFF\nRW 8 VMFS \"\xc3\xa4.vmdk\"", "\u00c3\u00a4.vmdk"},
		{"#DISK DESCRIPTORFILE\nencoding=\"GBK\"\nparentCID=ffffffff\nRW   8   FLAT   \"pl\xe4tte.vmdk\"   0   uuid", "pl\u00e4tte.vmdk"},
	} {
		c.descriptor += "\nversion=1\ncreateType=\"vmfs\"\n"
		i, err := filesBeside{"disk.vmdk": []byte(c.descriptor), c.name: content}.open("disk.vmdk")
		if err != nil || len(i.Problems) > 0 {
			t.Errorf("%q: %v, %v", c.descriptor, err, i)
			continue
		}
		wholeAs(t, c.name, i, content)
	}
	mixed := "# Disk DescriptorFile\nversion=1\ncreateType=\"custom\"\nparentCID=ffffffff\nRW 2 FLAT \"a\" 1\nRW 3 ZERO\nRW 0 ZERO\nRW 1 FLAT \"a\" 0\n"
	i, err := filesBeside{"disk.vmdk": []byte(mixed), "a": content}.open("disk.vmdk")
	if err != nil || len(i.Problems) > 0 {
		t.Fatal(err, i)
	}
	wholeAs(t, mixed, i, slices.Concat(content[512:1536], make([]byte, 1536), content[:512]))
	if len(i.Files) != 2 {
		t.Errorf("files %v: one that is named twice is opened twice", i.Files)
	}
}

// TestVMDKOpensLittle holds that a descriptor cannot open any number of files.
func TestVMDKOpensLittle(t *testing.T) {
	text := strings.Builder{}
	text.WriteString("# Disk DescriptorFile\nparentCID=ffffffff\n")
	for n := range 6000 {
		fmt.Fprintf(&text, "RW 1 FLAT \"%d\" 0\n", n)
	}
	opened, closed := 0, 0
	i, err := image.Open(&fileInMemory{block.Bytes([]byte(text.String())), "disk.vmdk", &closed}, func(name string) (block.File, error) {
		opened++
		return &fileInMemory{block.Bytes(make([]byte, 512)), name, &closed}, nil
	})
	if err != nil || opened > 4096 {
		t.Fatalf("%v, %d files are open", err, opened)
	}
	if i.Close(); closed != opened+1 {
		t.Errorf("%d files of %d were closed", closed, opened+1)
	}
}

// badSectors is a file on a disk that has some.
type badSectors struct {
	*fileInMemory
	from, to int64
}

func (b badSectors) ReadAt(p []byte, at int64) (int, error) {
	if at < b.to && at+int64(len(p)) > b.from {
		return 0, errors.New("input/output error")
	}
	return b.fileInMemory.ReadAt(p, at)
}

// TestBadSectors holds that what the operating system cannot read is a gap, or why the image cannot be opened.
func TestBadSectors(t *testing.T) {
	content := contentWithHoles(vmdkSize, 12)
	for name, data := range map[string][]byte{
		"sparse": imagetest.VMDK{Name: "disk.vmdk", Type: "monolithicSparse"}.Write(content)["disk.vmdk"],
		"stream": imagetest.VMDK{Name: "disk.vmdk", Type: "streamOptimized"}.Write(content)["disk.vmdk"],
		"qcow2":  imagetest.QCOW2{Compress: "zlib"}.Write(content),
	} {
		opened := 0
		for from := int64(4096); from < int64(len(data)); from += int64(len(data)) / 20 {
			file := badSectors{&fileInMemory{block.Bytes(data), name, new(int)}, from, from + 512}
			i, err := image.Open(file, nil)
			if err != nil {
				requireProblem(t, err)
				continue
			}
			opened++
			if gaps := rightOrError(t, fmt.Sprintf("%s with a bad sector at %#x", name, from), i, content, 64<<10); gaps > 45 {
				t.Errorf("%s with a bad sector at %#x: %d gaps", name, from, gaps)
			}
		}
		if opened < 15 {
			t.Errorf("%s: %d of 20 are opened", name, opened)
		}
	}
}

// lawOfReads opens an image and holds that equal reads are equal.
func lawOfReads(t *testing.T, i *image.Image, err error) {
	if err != nil {
		requireProblem(t, err)
	}
	if i == nil {
		return
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, at := range []int64{0, 512, 70_000, i.Size() / 2, i.Size() - 70_000, i.Size() - 1, rng.Int64N(max(1, i.Size()))} {
		if at < 0 || at >= i.Size() {
			continue
		}
		a, b := make([]byte, 100_000), make([]byte, 100_000)
		n, err := i.ReadAt(a, at)
		m, again := i.ReadAt(b, at)
		if n != m || !bytes.Equal(a[:n], b[:m]) || (err == nil) != (again == nil) {
			t.Fatalf("%d bytes at %d, then %d", n, at, m)
		}
		if n < len(a) && at+int64(n) < i.Size() && !block.IsGap(err) {
			t.Fatalf("%d bytes at %d of %d: %v", n, at, i.Size(), err)
		}
		block.Locate(i, at)
		if n > 0 { // what is read at once is what is read in parts
			k, err := i.ReadAt(b[:n/2], at)
			if err != nil && err != io.EOF || !bytes.Equal(b[:k], a[:k]) || k != n/2 {
				t.Fatalf("%d bytes at %d: %d, %v", n/2, at, k, err)
			}
		}
	}
}

func FuzzVMDK(f *testing.F) {
	content := contentWithHoles(200<<10, 11)
	beside := filesBeside{}
	for _, kind := range vmdkTypes {
		v := imagetest.VMDK{Name: "disk.vmdk", Type: kind, Piece: 128 << 10, CID: 1}
		files := v.Write(content)
		f.Add(files["disk.vmdk"])
		delete(files, "disk.vmdk")
		maps.Copy(beside, files)
	}
	for name, data := range (imagetest.VMDK{Name: "base.vmdk", Type: "monolithicSparse", CID: 1}).Write(content) {
		beside[name] = data
	}
	base := imagetest.VMDK{Name: "base.vmdk", CID: 1}
	f.Add(imagetest.VMDK{Name: "disk.vmdk", Type: "monolithicSparse", Base: &base, Under: content}.Write(content[:100<<10])["disk.vmdk"])
	f.Add(beside["disk-s001.vmdk"])
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := beside.with("disk.vmdk", data).open("disk.vmdk")
		lawOfReads(t, i, err)
	})
}
