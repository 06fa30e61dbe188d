package archive

import (
	"bytes"
	"cmp"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// headSize is how much of each member is kept of the pass that verifies it. It is what tells a hive or an image.
const headSize = 4096

// member is a file, a folder or a link in an archive. There can be a million, so it is small; what packed, data, offset and stream mean is up to
// the format.
type member struct {
	name     string
	size     int64  // bytes of content
	at       int64  // where it, or what is compressed with it, begins in the file
	packed   int64  // bytes that it takes
	data     int64  // where its packed content begins
	modified int64  // nanoseconds since 1970; 0 for unknown
	kept     int64  // where Archive.kept has its beginning, or all of it
	err      error  // why it cannot be read
	crc      uint32 // CRC-32 of its content
	stream   int32
	method   uint16
	kind     memberKind
	state    state
}

type memberKind uint8

const (
	regular memberKind = iota
	directory
	link
)

type state uint8

const (
	examined  state = 1 << iota // it was read and matches its checksum, or err says why not
	keptHead                    // the first headSize bytes are kept, or all if there are less
	keptWhole                   // all is kept
	refused                     // several members have its name
)

// Name, Mode, ModTime, IsDir, Sys, Type and Info are those of [fs.FileInfo] and [fs.DirEntry].
func (m *member) Name() string               { return path.Base(m.name) }
func (m *member) IsDir() bool                { return m.kind == directory }
func (m *member) Sys() any                   { return nil }
func (m *member) Type() fs.FileMode          { return m.Mode().Type() }
func (m *member) Info() (fs.FileInfo, error) { return m, nil }

// Size returns -1 for a name of several members: if the first is empty, the file need not be.
func (m *member) Size() int64 {
	if m.state&refused != 0 {
		return -1
	}
	return m.size
}

func (m *member) Mode() fs.FileMode {
	switch m.kind {
	case directory:
		return fs.ModeDir | 0o555
	case link:
		return fs.ModeSymlink | 0o444
	}
	return 0o444
}

func (m *member) ModTime() time.Time {
	if m.modified == 0 {
		return time.Time{}
	}
	return time.Unix(0, m.modified).UTC()
}

// setTime notes a time that nanoseconds since 1970 can express.
func (m *member) setTime(t time.Time) {
	if year := t.Year(); year > 1678 && year < 2262 {
		m.modified = t.UnixNano()
	}
}

var errTooMany = errors.New("it holds more than a million members, or more than 64 MB of names")

// add lists a member under the name that the archive gives it. One whose name cannot be had is told.
func (a *Archive) add(m *member, name string) error {
	if len(a.members) >= mostMembers || a.names+len(name) > mostNames {
		return errTooMany
	}
	safe, err := safeName(name)
	if err != nil {
		a.doubtName(m, "the member %q %v, and is left out; %s", shorten(name), err, unpackAdvice)
		return nil
	}
	if safe == "." {
		return nil
	}
	m.name = safe
	a.names += len(safe)
	a.members = append(a.members, m)
	return nil
}

// shorten returns the beginning of a long name.
func shorten(name string) string {
	if len(name) > 200 {
		return strings.ToValidUTF8(name[:200], "") + "…"
	}
	return name
}

// safeName returns a name as [fs.FS] has them: backslashes separate, a drive is a folder, what is absolute is not.
func safeName(name string) (string, error) {
	name = strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "//?/") // \\?\C:\Windows
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			return "", errors.New(`has ".." in its name, which leads out of its folder`)
		default:
			if rest := strings.TrimPrefix(part, part[:min(2, len(part))]); len(parts) == 0 && rest != "" && isDrive(part[:2]) {
				parts = append(parts, part[:2]) // C:Windows, which is relative to a folder that nobody knows
				part = rest
			}
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return ".", nil
	}
	safe := strings.Join(parts, "/")
	if !fs.ValidPath(safe) || strings.ContainsRune(safe, 0) {
		return "", errors.New("has a name that is no text")
	}
	return safe, nil
}

func isDrive(s string) bool {
	return len(s) == 2 && s[1] == ':' && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z'
}

// compareNames orders names so that what a folder holds comes behind it, before anything else.
func compareNames(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			switch {
			case a[i] == '/':
				return -1
			case b[i] == '/':
				return 1
			}
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// finish orders the members, and refuses names that more than one member has.
func (a *Archive) finish() {
	slices.SortStableFunc(a.members, func(x, y *member) int { return compareNames(x.name, y.name) })
	kept := a.members[:0]
	links := 0
	for _, m := range a.members {
		if m.kind == link {
			links++
		}
		if len(kept) == 0 || kept[len(kept)-1].name != m.name {
			if above := folderThatIsFile(kept, m.name); above != nil {
				a.refuse(above, "is the name of a file and of a folder in the archive, and nobody knows which is meant")
			}
			kept = append(kept, m)
			continue
		}
		before := kept[len(kept)-1]
		if before.kind != directory || m.kind != directory {
			before.kind = regular
			a.refuse(before, "is the name of several members of the archive, and nobody knows which is meant")
		}
	}
	clear(a.members[len(kept):])
	a.members = kept
	a.tellDoubts()
	switch {
	case links == 1:
		a.tell(0, false, "holds a link, which is not followed")
	case links > 1:
		a.tell(0, false, "holds %d links, which are not followed", links)
	}
}

// refuse makes a member unreadable.
func (a *Archive) refuse(m *member, why string) {
	m.err = block.NewGap(a.f, m.at, "%s; %s", why, unpackAdvice)
	m.state |= examined | refused
}

// folderThatIsFile returns the member that is a file although a name needs it as a folder, or nil. All members of the folders above come right
// before the name, in the order of their names.
func folderThatIsFile(sorted []*member, name string) *member {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if last := len(sorted) - 1; last >= 0 && strings.HasPrefix(sorted[last].name, dir) && strings.HasPrefix(sorted[last].name[len(dir):], "/") {
			return nil // as it was for the name before
		}
		if m := lookup(sorted, dir); m != nil && m.kind != directory {
			return m
		}
	}
	return nil
}

func lookup(sorted []*member, name string) *member {
	i, ok := slices.BinarySearchFunc(sorted, name, func(m *member, name string) int { return compareNames(m.name, name) })
	if !ok {
		return nil
	}
	return sorted[i]
}

// wanted reports whether content is what regvet reads whole: a hive or its log, .reg text, or what is small.
func wanted(head []byte, size int64) bool {
	return size >= 0 && size <= 64<<10 || hive.IsHive(head) || slices.ContainsFunc(registryText, func(text []byte) bool { return bytes.HasPrefix(head, text) })
}

var registryText = [][]byte{
	[]byte("Windows Registry Editor"), []byte("REGEDIT4"), []byte("\xef\xbb\xbfWindows Registry Editor"),
	[]byte("\xff\xfeW\x00i\x00n\x00d\x00o\x00w\x00s\x00 \x00R\x00e\x00g"), []byte("\xff\xfeR\x00E\x00G\x00E\x00D\x00I\x00T\x004\x00"),
}

// plausible is how many times larger than the archive one would not wonder at a hive in it to be.
const plausible = 20

// take reads all content of a member, which it sets the CRC-32 of, and keeps what will be asked for. A size below 0 is unknown, and is set. What
// cannot be kept for lack of room is not, and will be unpacked again.
func (a *Archive) take(m *member, r io.Reader) error {
	start := a.kept.size
	most := int64(headSize)
	if m.size >= 0 {
		most = min(most, m.size)
	}
	head := make([]byte, most)
	n, err := io.ReadFull(r, head)
	if m.size < 0 && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		err = nil
	}
	if err != nil {
		return err
	}
	head = head[:n]
	sum := crc32.NewIEEE()
	sum.Write(head)
	keep := &keeper{to: a.kept}
	keep.Write(head)
	to := io.Writer(sum)
	whole := wanted(head, m.size)
	if whole {
		to = io.MultiWriter(sum, keep)
		a.kept.grow(min(max(m.size-int64(n), 0), plausible*a.f.Size())) // what it claims may be a lie
	}
	rest, err := io.Copy(to, limit(r, m.size-int64(n)))
	if err == nil && m.size >= 0 && int64(n)+rest < m.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil || keep.err != nil {
		a.kept.cut(start)
	}
	if err != nil {
		return err
	}
	m.size, m.crc, m.kept = int64(n)+rest, sum.Sum32(), start
	if keep.err == nil {
		m.state |= keptHead
		if whole || rest == 0 {
			m.state |= keptWhole
		}
	}
	return nil
}

// limit returns r up to a number of bytes, or all of it if that is unknown, below 0.
func limit(r io.Reader, n int64) io.Reader {
	if n < 0 {
		return r
	}
	return io.LimitReader(r, n)
}

// keeper writes until that fails, and never tells.
type keeper struct {
	to  io.Writer
	err error
}

func (k *keeper) Write(p []byte) (int, error) {
	if k.err == nil {
		_, k.err = k.to.Write(p)
	}
	return len(p), nil
}

// atEnd requires that a reader is at its end, where decompressors verify what follows their content.
func atEnd(r io.Reader) error {
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n > 0:
		return errors.New("it holds more than its size says")
	case err != io.EOF:
		return err
	}
	return nil
}
