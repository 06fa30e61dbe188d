package vss_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/hive/evidence/vss"
	"regvet/internal/evidencetest"
	"regvet/internal/imagetest"
)

// folder returns where .ci/evidence-vss put volumes: files NAME.img in the folder REGVET_IMAGES, each with lists NAME.N.sha256 that sha256sum wrote
// of all files of shadow copy N.
func folder(t *testing.T) string {
	name := os.Getenv("REGVET_IMAGES")
	if name == "" {
		t.Skip("REGVET_IMAGES names no folder of volumes")
	}
	return name
}

// file is a volume that a test opened.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

func openFile(t *testing.T, name string) block.Reader {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return block.Cached(file{f, info.Size()})
}

// libvshadow prints of each shadow copy of a volume its names, time, size, and the hash of its content.
const libvshadow = `
import hashlib, pyvshadow, sys
volume = pyvshadow.volume()
volume.open(sys.argv[1])
for i in range(volume.number_of_stores):
    store = volume.get_store(i)
    content = hashlib.sha256()
    left = store.volume_size
    while left > 0:
        part = store.read(min(left, 1 << 20))
        content.update(part)
        left -= len(part)
    print(i + 1, store.identifier, store.copy_identifier, store.get_creation_time_as_integer(), store.volume_size, content.hexdigest())
`

// sameAsLibvshadow holds that libvshadow reads the same bytes of all shadow copies of a volume.
func sameAsLibvshadow(t *testing.T, name string) {
	theirs, err := exec.Command("python3", "-c", libvshadow, name).CombinedOutput()
	if err != nil {
		t.Fatalf("libvshadow: %v: %s", err, theirs)
	}
	s, err := vss.Open(openFile(t, name))
	if err != nil || s == nil || len(s.Problems) > 0 {
		t.Fatal(s, err)
	}
	var ours strings.Builder
	for _, store := range s.Stores {
		content := sha256.New()
		if _, err := io.Copy(content, io.NewSectionReader(store, 0, store.Size())); err != nil || len(store.Problems) > 0 {
			t.Fatal(err, store.Problems)
		}
		fmt.Fprintf(&ours, "%d %s %s %d %d %x\n", store.Number, store.ID, store.CopyID, hive.FiletimeOf(store.Created), store.Size(), content.Sum(nil))
	}
	if ours.String() != string(theirs) {
		t.Errorf("%s is read as\n%sbut libvshadow reads\n%s", filepath.Base(name), ours.String(), theirs)
	}
	t.Logf("%s: libvshadow reads %d shadow copies alike", strings.TrimSuffix(filepath.Base(name), ".img"), len(s.Stores))
}

// TestRealVolumes holds that libvshadow reads the same bytes of volumes of Windows.
func TestRealVolumes(t *testing.T) {
	images, _ := filepath.Glob(filepath.Join(folder(t), "*.img"))
	for _, name := range images {
		sameAsLibvshadow(t, name)
	}
	if len(images) == 0 {
		t.Error("there are no volumes")
	}
}

// TestOtherReaders holds that libvshadow reads the volumes of our tests as we do.
func TestOtherReaders(t *testing.T) {
	folder(t)
	volumes, _ := states()
	images := map[string][]byte{"all kinds": withAll(), "three times of NTFS": withShadows(volumes, imagetest.VSSOptions{Fragments: 7})}
	for name, c := range cases() {
		images[name] = imagetest.VSS(volume, c.copies, c.options)
	}
	for seed := range 30 {
		images[fmt.Sprintf("by chance %d", seed)] = byChance(uint64(seed))
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		path := filepath.Join(t.TempDir(), name+".img")
		if err := os.WriteFile(path, images[name], 0o600); err != nil {
			t.Fatal(err)
		}
		sameAsLibvshadow(t, path)
	}
}

// byChance returns a volume with descriptors of all kinds for the same few blocks. None moves a block back, see TestMovedBack.
func byChance(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 9))
	all := copies(make([][]imagetest.VSSDescriptor, 1+rng.IntN(4))...)
	for i := range all {
		overlaid := map[int]bool{}
		for range rng.IntN(15) {
			d := imagetest.VSSDescriptor{Block: 1 + rng.IntN(8)}
			switch rng.IntN(3) {
			case 0:
				d.Data = random(rng.Uint64(), 1)
			case 1:
				d.Forward, d.To = true, d.Block+1+rng.IntN(4)
			case 2:
				d.Data, d.Sectors, d.More = random(rng.Uint64(), 1), rng.Uint32()|1, overlaid[d.Block]
				overlaid[d.Block] = true
			}
			all[i].Descriptors = append(all[i].Descriptors, d)
		}
		for number := range 14 {
			if rng.IntN(2) == 0 {
				all[i].Unused = append(all[i].Unused, number)
			}
			if seed%2 == 0 && rng.IntN(2) == 0 {
				all[i].Previous = append(all[i].Previous, number)
			}
		}
	}
	return imagetest.VSS(volume[:16*blockSize], all, imagetest.VSSOptions{Fragments: rng.IntN(4)})
}

// TestRealFiles holds that the files in shadow copies of Windows are those that sleuthkit finds in what vshadowmount shows.
func TestRealFiles(t *testing.T) {
	lists, _ := filepath.Glob(filepath.Join(folder(t), "*.sha256"))
	for _, name := range lists {
		image, number, _ := strings.Cut(strings.TrimSuffix(name, ".sha256"), ".img.")
		s, err := vss.Open(openFile(t, image+".img"))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(s.Stores, func(store vss.Store) bool { return fmt.Sprint(store.Number) == number })
		v, err := ntfs.Open(s.Stores[i])
		if err != nil {
			t.Fatal(err)
		}
		want := evidencetest.Sums(t, name)
		if got := hashes(t, v); !maps.Equal(got, want) {
			t.Errorf("%s: the files are %q, want %q", filepath.Base(name), got, want)
		}
		t.Logf("%s: sleuthkit finds %d files alike", strings.TrimSuffix(filepath.Base(name), ".sha256"), len(want))
	}
	if len(lists) == 0 {
		t.Error("there are no lists of files")
	}
}

// hashes returns the hash of each file that is not of the filesystem itself. tsk_recover leaves out empty files.
func hashes(t *testing.T, v *ntfs.Volume) map[string]string {
	list := map[string]string{}
	err := fs.WalkDir(v, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path[0] == '$' && d.IsDir():
			return fs.SkipDir
		case path[0] == '$' || d.IsDir():
			return nil
		}
		f, err := v.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		content := sha256.New()
		if n, err := io.Copy(content, f); err != nil || n == 0 {
			return err
		}
		list[path] = fmt.Sprintf("%x", content.Sum(nil))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
