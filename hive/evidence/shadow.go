package evidence

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"regvet/hive"
	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/hive/evidence/vss"
)

// shadowSign stands between the name of a volume and the number of a shadow copy of it: p2@vss3.
const shadowSign = "@vss"

// shadows are the shadow copies of a volume, which are looked for when they are first asked for.
type shadows struct {
	once  sync.Once
	found *vss.Shadows
	err   error

	mu     sync.Mutex
	opened map[int]files
}

// Shadows returns the shadow copies of an NTFS volume, oldest first; nil if it has none, and for any other volume. The error is a gap.
func (v *Volume) Shadows() ([]vss.Store, error) {
	s := v.shadows
	s.once.Do(func() {
		if v.Format == "ntfs" {
			s.found, s.err = vss.Open(v.Part)
		}
	})
	if s.found == nil {
		return nil, s.err
	}
	return s.found.Stores, s.err
}

// ShadowProblems returns what is wrong with the shadow copies of the volume, those of all together and of each.
func (v *Volume) ShadowProblems() (all []hive.Problem) {
	stores, err := v.Shadows()
	if err != nil {
		return []hive.Problem{*problem("", err)}
	}
	if v.shadows.found != nil {
		all = append(all, v.shadows.found.Problems...)
	}
	for _, s := range stores {
		all = append(all, s.Problems...)
	}
	return all
}

// ShadowName returns the name of the folder of a shadow copy below the root of the image.
func (v *Volume) ShadowName(s vss.Store) string {
	return fmt.Sprintf("%s%s%d", v.Name, shadowSign, s.Number)
}

// IsShadowName reports whether a name is that of the folder of a shadow copy.
func IsShadowName(name string) bool {
	volume, number, ok := strings.Cut(name, shadowSign)
	_, err := strconv.Atoi(number)
	return ok && err == nil && len(volume) > 1 && (volume[0] == 'p' || volume[0] == 'v')
}

// WithoutShadow returns the path that a file of a shadow copy has in its volume as it is now, and any other path as it is.
func WithoutShadow(path string) string {
	first, rest, _ := strings.Cut(path, "/")
	if !IsShadowName(first) {
		return path
	}
	volume, _, _ := strings.Cut(first, shadowSign)
	return volume + "/" + rest
}

// shadowOf returns the shadow copy in which a path of the image lies, or nil.
func (v *Volume) shadowOf(name string) *vss.Store {
	first, _, _ := strings.Cut(name, "/")
	if !strings.Contains(first, shadowSign) {
		return nil
	}
	stores, _ := v.Shadows()
	for i := range stores {
		if v.ShadowName(stores[i]) == first {
			return &stores[i]
		}
	}
	return nil
}

// shadow returns the files of the shadow copy with a number.
func (v *Volume) shadow(number string) (files, error) {
	n, err := strconv.Atoi(number)
	stores, lost := v.Shadows()
	switch {
	case lost != nil:
		return nil, lost
	case err != nil || n < 1 || n > len(stores):
		return nil, fs.ErrNotExist
	}
	s := v.shadows
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened[n] == nil {
		f, err := ntfs.Open(block.Cached(stores[n-1]))
		if err != nil {
			return nil, err
		}
		if s.opened == nil {
			s.opened = map[int]files{}
		}
		s.opened[n] = f
	}
	return s.opened[n], nil
}
