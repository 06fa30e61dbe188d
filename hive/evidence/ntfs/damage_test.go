package ntfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/internal/imagetest"
)

// smallTree is of files that show damage: none holds zeros, and each is stored in another way.
func smallTree() (fstest.MapFS, map[string]imagetest.NTFSFile) {
	files := fstest.MapFS{
		"Windows/System32/config/SYSTEM":   {Data: random(1, 60<<10)},
		"Windows/System32/config/SOFTWARE": {Data: random(2, 30<<10)},
		"Windows/compressed":               {Data: mixed(3, 60<<10)},
		"Windows/packed":                   {Data: mixed(4, 20<<10)},
		"Windows/resident":                 {Data: []byte("small")},
	}
	for i := range 40 {
		files[fmt.Sprintf("Windows/many/name %d", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "the file %d", i)}
	}
	return files, map[string]imagetest.NTFSFile{
		"Windows/System32/config/SYSTEM": {Fragments: 8, PerRecord: 3},
		"Windows/compressed":             {Compressed: true},
		"Windows/packed":                 {XPRESS: true},
	}
}

// holdLaw holds that each file of a damaged volume is read as it was or fails with a gap, and that none is absent. Files whose content itself was
// damaged are left out: nothing in NTFS proves content. It returns how many files were read.
func holdLaw(t *testing.T, what string, image []byte, files fstest.MapFS, except func(path string, content []byte) bool) (read int) {
	v, err := ntfs.Open(block.Bytes(image))
	if err != nil {
		if !block.IsGap(err) {
			t.Errorf("%s: the volume: %v, want a gap", what, err)
		}
		return 0
	}
	for path, file := range files {
		content, err := fs.ReadFile(v, path)
		switch {
		case err == nil && bytes.Equal(content, file.Data):
			read++
		case err == nil && !except(path, content):
			t.Errorf("%s: %s is read as %d other bytes, of %d", what, path, len(content), len(file.Data))
		case err != nil && !block.IsGap(err):
			t.Errorf("%s: %s: %v, want its content or a gap", what, path, err)
		}
	}
	listed, failed := walk(v)
	for path := range files {
		inFolder := func(folder string) bool { return failed[folder] != nil }
		if listed[path] == "" && failed[path] == nil && !slices.ContainsFunc(parents(path), inFolder) {
			t.Errorf("%s: %s is not listed, and no error says why", what, path)
		}
	}
	return read
}

func parents(path string) (list []string) {
	for i, c := range path {
		if c == '/' {
			list = append(list, path[:i])
		}
	}
	return append(list, ".")
}

// contentSectors returns the sectors that hold plain content of files, by which damage cannot be told.
func contentSectors(image []byte, files fstest.MapFS) map[int]bool {
	of := map[string]bool{}
	for _, file := range files {
		for sector := range slices.Chunk(file.Data, 512) {
			if len(sector) == 512 {
				of[string(sector)] = true
			}
		}
	}
	list := map[int]bool{}
	for i := range len(image) / 512 {
		if of[string(image[i*512:i*512+512])] {
			list[i] = true
		}
	}
	return list
}

// isCompressed reports whether a file is one in whose compressed content damage may make other content, which nothing tells.
func isCompressed(path string, _ []byte) bool {
	return path == "Windows/compressed" || path == "Windows/packed"
}

// TestDamagedSectors holds the law for sectors that are not content: zeroed, and overwritten.
func TestDamagedSectors(t *testing.T) {
	step := 16
	if testing.Short() {
		step = 64
	}
	files, stored := smallTree()
	for name, o := range map[string]imagetest.NTFSOptions{
		"plain":             {},
		"clusters of 512":   {Cluster: 512, Index: 1024, NodeEntries: 5},
		"an MFT with lists": {Cluster: 1024, MFTFragments: 5, MFTListed: true},
	} {
		o.Files, o.Size = stored, 1<<20
		image := imagetest.NTFS(files, o)
		content := contentSectors(image, files)
		read, tried := 0, 0
		for sector := range len(image) / 512 {
			at := image[sector*512 : sector*512+512]
			if content[sector] || len(bytes.Trim(at, "\x00")) == 0 || len(bytes.Trim(at, "\xff")) == 0 {
				continue
			}
			before := slices.Clone(at)
			for i, damage := range [][]byte{make([]byte, 512), random(uint64(sector), 512)} {
				if (sector+3*i)%step != 0 {
					continue
				}
				copy(at, damage)
				read += holdLaw(t, fmt.Sprintf("%s, sector %d", name, sector), image, files, isCompressed)
				tried++
			}
			copy(at, before)
		}
		t.Logf("%s: %d volumes with a damaged sector, of whose files %d %% were read", name, tried, 100*read/(tried*len(files)))
		if read < tried*len(files)/2 {
			t.Errorf("%s: less than half was read", name)
		}
	}
}

// TestCutOff holds the law for volumes that end too early.
func TestCutOff(t *testing.T) {
	files, stored := smallTree()
	image := imagetest.NTFS(files, imagetest.NTFSOptions{Files: stored, Size: 1 << 20})
	for size := 0; size < len(image); size += 20000 {
		holdLaw(t, fmt.Sprintf("%d bytes", size), image[:size], files, func(string, []byte) bool { return false })
		v, err := ntfs.Open(block.Bytes(image[:size]))
		if err == nil && (len(v.Problems()) != 1 || !v.Problems()[0].Loss) {
			t.Errorf("%d bytes: the problems are %v, want a loss", size, v.Problems())
		}
	}
}

// TestFlippedBits holds the law for damage that an update sequence cannot tell: single bytes of MFT records and of indexes. They may make another
// valid volume, so that content may be other content; but a name is never absent without a reason.
func TestFlippedBits(t *testing.T) {
	files, stored := smallTree()
	for name, o := range map[string]imagetest.NTFSOptions{"plain": {}, "deep trees": {Cluster: 512, Index: 512, NodeEntries: 3, MFTFragments: 4, MFTListed: true}} {
		o.Files, o.Size = stored, 1<<20
		image := imagetest.NTFS(files, o)
		var places []int
		for at := 0; at < len(image); at += 512 {
			if s := string(image[at : at+4]); s == "FILE" || s == "INDX" {
				places = append(places, at)
			}
		}
		rng := rand.New(rand.NewPCG(7, 7))
		for range 300 {
			at := places[rng.IntN(len(places))] + rng.IntN(512)
			before := image[at]
			image[at] ^= 1 << rng.IntN(8)
			v, err := ntfs.Open(block.Bytes(image))
			for path := range files {
				if err != nil {
					break
				}
				if _, err := v.Stat(path); errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: byte %#x is %#x, not %#x: %s: %v", name, at, image[at], before, path, err)
				}
			}
			image[at] = before
		}
	}
}

func problems(v *ntfs.Volume) string {
	var list []string
	for _, p := range v.Problems() {
		list = append(list, p.Msg)
	}
	return strings.Join(list, "; ")
}
