package ntfs_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/internal/imagetest"
)

// fuzzed returns volumes of half a megabyte that differ in their layout.
func fuzzed() (images [][]byte) {
	files := fstest.MapFS{
		"a/SYSTEM":     {Data: random(1, 9<<10)},
		"a/compressed": {Data: mixed(2, 20<<10)},
		"a/packed":     {Data: mixed(3, 10<<10)},
		"a/link":       {},
	}
	for _, name := range []string{"one", "two", "three", "four", "five", "six", "seven"} {
		files["b/"+name] = &fstest.MapFile{Data: []byte(name)}
	}
	stored := map[string]imagetest.NTFSFile{
		"a/SYSTEM":     {Fragments: 4, PerRecord: 2, DOSName: "SYSTEM~1"},
		"a/compressed": {Compressed: true},
		"a/packed":     {XPRESS: true},
		"a/link":       {Reparse: reparse(0xA000000C, 0)},
	}
	for _, o := range []imagetest.NTFSOptions{{Cluster: 1024}, {Cluster: 512, Index: 512, NodeEntries: 2}, {Cluster: 1024, MFTFragments: 3, MFTListed: true}} {
		o.Size, o.Files = 512<<10, stored
		images = append(images, imagetest.NTFS(files, o))
	}
	return images
}

// FuzzVolume changes bytes of volumes: each four bytes of patches are the place of one, counted in what is not zeros, and what is put there.
// Whatever the volume then says, reading it ends, equal reads are equal, and the content is as long as the file.
func FuzzVolume(f *testing.F) {
	images := fuzzed()
	var places [][]int // of metadata
	for _, image := range images {
		var list []int
		for sector := range slices.Chunk(slices.Collect(fromTo(len(image))), 512) {
			part := image[sector[0] : sector[0]+512]
			if zeros := bytes.Count(part, []byte{0}); zeros > 100 && zeros < 512 {
				list = append(list, sector...)
			}
		}
		places = append(places, list)
	}
	for i := range images {
		f.Add(byte(i), []byte{})
		for at := 0; at < len(places[i]); at += 997 {
			f.Add(byte(i), binary.LittleEndian.AppendUint32(nil, uint32(at)|0xA5<<24))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, patches []byte) {
		i := int(which) % len(images)
		image := slices.Clone(images[i])
		for patch := range slices.Chunk(patches[:min(len(patches), 64)&^3], 4) {
			n := binary.LittleEndian.Uint32(patch)
			image[places[i][int(n&0xFFFFFF)%len(places[i])]] = byte(n >> 24)
		}
		v, err := ntfs.Open(block.Bytes(image))
		if err != nil {
			if !block.IsGap(err) {
				t.Fatalf("%v is no gap", err)
			}
			return
		}
		first, failed := walkBounded(t, v)
		second, again := walkBounded(t, v)
		if !maps.EqualFunc(first, second, bytes.Equal) || len(failed) != len(again) {
			t.Fatal("two walks differ")
		}
	})
}

func fromTo(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// walkBounded returns the beginning of each file, and the errors of those that could not be read.
func walkBounded(t *testing.T, v *ntfs.Volume) (map[string][]byte, map[string]error) {
	const most = 64 << 10
	read, failed := map[string][]byte{}, map[string]error{}
	steps := 0
	fs.WalkDir(v, ".", func(path string, d fs.DirEntry, err error) error {
		if steps++; steps > 1000 {
			t.Fatal("the walk does not end")
		}
		if err != nil {
			failed[path] = err
			return nil
		}
		if d.IsDir() {
			return nil
		}
		opened, err := v.Open(path)
		if err != nil {
			failed[path] = err
			return nil
		}
		info, err := opened.Stat()
		if err != nil || info.IsDir() { // the index may say otherwise than the record
			return nil
		}
		content, err := io.ReadAll(io.LimitReader(opened, most))
		if err != nil {
			failed[path] = err
			return nil
		}
		if want := min(info.Size(), most); int64(len(content)) != want {
			t.Fatalf("%s is of %d bytes, but %d are read", path, info.Size(), len(content))
		}
		read[path] = content
		return nil
	})
	return read, failed
}

// FuzzContent stores content in every way that there is, and must read it as it was.
func FuzzContent(f *testing.F) {
	f.Add([]byte("abcabcabcabcabcabc"), uint16(3000))
	f.Add(bytes.Repeat([]byte{0}, 100), uint16(900))
	f.Add(random(1, 300), uint16(50))
	f.Add([]byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, seed []byte, times uint16) {
		seed = seed[:min(len(seed), 8<<10)]
		content := bytes.Repeat(seed, min(int(times), 100<<10/max(1, len(seed))))
		files, stored := fstest.MapFS{}, map[string]imagetest.NTFSFile{
			"plain": {Fragments: 3}, "compressed": {Compressed: true}, "packed": {XPRESS: true}, "sparse": {Sparse: true}, "listed": {Fragments: 5, PerRecord: 2, ListOutside: true},
		}
		for name := range stored {
			files[name] = &fstest.MapFile{Data: content}
		}
		v := open(t, imagetest.NTFS(files, imagetest.NTFSOptions{Cluster: 1024, Size: 1200 << 10, Files: stored}))
		for name := range stored {
			if got, err := fs.ReadFile(v, name); err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%s: %d bytes, want %d: %v", name, len(got), len(content), err)
			}
		}
	})
}
