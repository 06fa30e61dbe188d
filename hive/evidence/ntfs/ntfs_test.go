package ntfs_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/internal/imagetest"
	"regvet/internal/memory"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}

// mixed returns content that compresses, but not to nothing, with a hole of zeros in it.
func mixed(seed uint64, size int) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, "line %d of the file %d\n", rng.IntN(1000), seed)
	}
	content := b.Bytes()[:size]
	if size > 150<<10 {
		clear(content[70<<10 : 140<<10])
	}
	return content
}

func random(seed uint64, size int) []byte {
	rng := rand.New(rand.NewPCG(seed, 3))
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(rng.Uint32())
	}
	return content
}

// tree is what volumes of these tests hold.
func tree() fstest.MapFS {
	files := fstest.MapFS{
		"Windows/System32/config/SYSTEM":   {Data: mixed(1, 200<<10)},
		"Windows/System32/config/SOFTWARE": {Data: mixed(2, 100<<10+77)},
		"Windows/System32/config/SAM":      {Data: mixed(3, 100)},
		"Windows/compressed":               {Data: mixed(4, 300<<10+5)},
		"Windows/random":                   {Data: random(5, 70<<10)},
		"Windows/packed":                   {Data: append(mixed(6, 50<<10), random(6, 10<<10)...)},
		"Windows/sparse":                   {Data: mixed(7, 160<<10)},
		"Windows/written":                  {Data: append(mixed(8, 30<<10), make([]byte, 30<<10)...)},
		"Windows/empty":                    {},
		"Users/Ünï cödé €.dat":             {Data: []byte("umlauts")},
		"Users/A long name.dat":            {Data: []byte("with a short one")},
	}
	for i := range 150 {
		files[fmt.Sprintf("many/name %d of many", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "the file %d", i)}
	}
	return files
}

// stored is how the files of tree are stored.
func stored() map[string]imagetest.NTFSFile {
	return map[string]imagetest.NTFSFile{
		"Windows/System32/config/SYSTEM":   {Fragments: 20, PerRecord: 6},
		"Windows/System32/config/SOFTWARE": {Fragments: 9, PerRecord: 1, ListOutside: true},
		"Windows/compressed":               {Compressed: true, Fragments: 2, PerRecord: 7},
		"Windows/random":                   {Compressed: true},
		"Windows/packed":                   {XPRESS: true, Fragments: 3},
		"Windows/sparse":                   {Sparse: true},
		"Windows/written":                  {Valid: 30 << 10},
		"Users/A long name.dat":            {DOSName: "ALONGN~1.DAT", Links: []string{"Users/hard link"}},
	}
}

// layouts are volumes with all sizes that there are.
func layouts() map[string]imagetest.NTFSOptions {
	o := map[string]imagetest.NTFSOptions{
		"as Windows does it":     {},
		"clusters of 512":        {Cluster: 512},
		"clusters of 1024":       {Cluster: 1024, Index: 2048},
		"clusters of 64 KiB":     {Cluster: 64 << 10, Size: 8 << 20},
		"clusters of 128 KiB":    {Cluster: 128 << 10, Size: 8 << 20},
		"sectors of 4096":        {Sector: 4096, Record: 4096},
		"records of 4096":        {Record: 4096, Cluster: 2048},
		"a scattered MFT":        {MFTFragments: 9},
		"an MFT with a list":     {MFTFragments: 9, MFTListed: true},
		"deep trees":             {NodeEntries: 3, Cluster: 512, Size: 8 << 20},
		"deep trees, small node": {Index: 1024, NodeEntries: 4},
	}
	for name, l := range o {
		l.Files = stored()
		if l.Cluster > 4096 {
			l.Files["Windows/compressed"] = imagetest.NTFSFile{}
			l.Files["Windows/random"] = imagetest.NTFSFile{}
		}
		l.Label = "Läbel"
		o[name] = l
	}
	return o
}

func open(t testing.TB, image []byte) *ntfs.Volume {
	v, err := ntfs.Open(block.Bytes(image))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLayouts holds that all files are read from volumes of all layouts, and that the volume is an fs.FS.
func TestLayouts(t *testing.T) {
	files := tree()
	for name, o := range layouts() {
		t.Run(name, func(t *testing.T) {
			v := open(t, imagetest.NTFS(files, o))
			for _, p := range v.Problems() {
				t.Error(&p)
			}
			if v.Label() != "Läbel" || v.Serial() != "5566-7788" {
				t.Errorf("it has the label %q and the serial number %s", v.Label(), v.Serial())
			}
			var names []string
			for path, file := range files {
				names = append(names, path)
				content, err := fs.ReadFile(v, path)
				if err != nil || !bytes.Equal(content, file.Data) {
					t.Errorf("%s is read as %d bytes, want %d: %v", path, len(content), len(file.Data), err)
				}
			}
			if err := fstest.TestFS(v, names...); err != nil {
				t.Error(err)
			}
		})
	}
}
