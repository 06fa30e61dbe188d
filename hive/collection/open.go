package collection

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"regvet/hive"
	"regvet/hive/regfile"
)

// MaxText is the number of bytes that a .reg file can have at most. Windows has no limit of its own; offsets fit in 32 bits.
const MaxText = 1 << 32

// Options say how inputs are opened. The zero value applies the logs that lie beside a dirty hive and computes no hashes.
type Options struct {
	Mount  hive.Path // where Windows mounts the hive, in place of what the hive tells
	Logs   []string  // the logs to apply, by their names in the file system, in place of those that lie beside a hive
	NoLogs bool      // a dirty hive is read as it lies
	Text   regfile.Options
	SHA256 bool // compute the hashes of inputs and logs
	MD5    bool
	// Memory is how many bytes the hives of one machine may have together; 0 for no limit.
	Memory int64
}

// Opened is an open input: what is known about it, and the keys that it holds.
type Opened struct {
	Input
	Registry *hive.Registry // of the input, or of the machine of which it is one hive
	Root     *hive.Key      // of the hive, or a key above the roots that a .reg file names
	Hive     *hive.File     // nil for .reg text
	Ordered  *Ordered       // a .reg file that is not held in memory; Registry and Root have only the way to the keys that were asked for
	text     *regfile.File  // nil for a hive
	user     string         // whose profile the hive is, by the name of its folder; "" when that is not known
	sums     []func()       // each waits for a hash and notes it in Input
}

// Open opens a hive or .reg file, with the logs that lie beside it; see [File.Open].
func Open(fsys fs.FS, name string, o Options) (in *Opened, refused []hive.Problem) {
	return Locate(fsys, name).Open(fsys, o)
}

// Locate returns the file of a name, with the logs that lie beside it. If there is something wrong with it, opening it tells.
func Locate(fsys fs.FS, name string) File { return File{Path: name, Logs: beside(fsys, name)} }

// Open opens the file. It returns nil when nothing can be read of it. What could not be read is listed, the file itself last: it may also
// be one of the logs, without which the hive is read all the same.
func (file File) Open(fsys fs.FS, o Options) (_ *Opened, refused []hive.Problem) {
	in := &Opened{Input: Input{Path: file.Path}, user: file.User}
	err := file.Err
	var data []byte
	if err == nil {
		data, err = ReadFile(fsys, file.Path)
	}
	if err == nil {
		in.Size = int64(len(data))
		in.sum(o.SHA256, sha256.New(), data, &in.SHA256)
		in.sum(o.MD5, md5.New(), data, &in.MD5)
		if hive.IsHive(data) {
			refused, err = in.loadHive(fsys, file, data, o)
		} else {
			err = in.loadText(data, o.Text)
		}
	}
	if err != nil {
		return nil, append(refused, Refusal(file.Path, err))
	}
	return in, refused
}

// Refusal returns the problem that says why an input could not be read. Its source is the path, as the user named it.
func Refusal(path string, err error) hive.Problem {
	p := hive.Problem{Kind: hive.Unreadable, Msg: err.Error()}
	if known, ok := errors.AsType[*hive.Problem](err); ok {
		p = *known
	}
	p.Source = path
	return p
}

// ReadFile reads a hive or .reg file whole. What is larger than one can be is refused by its size. Errors are of type [*hive.Problem].
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := openFile(fs.FS.Open, fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	most := int64(MaxText)
	head := make([]byte, hive.HeadSize)
	if at, ok := f.(io.ReaderAt); ok {
		if n, _ := at.ReadAt(head, 0); hive.IsHive(head[:n]) {
			most = hive.MaxSize
		}
	}
	data, err := hive.ReadFile(f, DisplayName(name), most)
	if err == nil && hive.IsHive(data) && int64(len(data)) > hive.MaxSize { // it came through a pipe
		err = &hive.Problem{Source: DisplayName(name), Kind: hive.Unreadable, Msg: fmt.Sprintf("has more bytes than a hive can have; the limit is %d", int64(hive.MaxSize)), Loss: true}
	}
	return data, err
}

// openFile opens a file that is to be read. An error is a [*hive.Problem].
func openFile(open func(fs.FS, string) (fs.File, error), fsys fs.FS, name string) (fs.File, error) {
	f, err := open(fsys, name)
	if err == nil {
		return f, nil
	}
	if _, ok := errors.AsType[*hive.Problem](err); !ok {
		err = &hive.Problem{Source: DisplayName(name), Kind: hive.Unreadable, Msg: fmt.Sprintf("cannot be opened: %v", hive.Cause(err)), Loss: true}
	}
	return nil, err
}

// OpenFound opens a file that nobody named, such as one that lies beside an input. It must be a regular file: a pipe would be waited for.
func OpenFound(fsys fs.FS, name string) (fs.File, error) {
	if info, err := fs.Stat(fsys, name); err == nil && !info.Mode().IsRegular() {
		return nil, refused(name, "it is not a regular file")
	}
	return fsys.Open(name)
}

// sum computes a hash while other things are done, if it is wanted.
func (in *Opened) sum(wanted bool, h hash.Hash, data []byte, to *string) {
	if !wanted {
		return
	}
	sum := make(chan string, 1)
	go func() {
		h.Write(data) // never fails
		sum <- hex.EncodeToString(h.Sum(nil))
	}()
	in.sums = append(in.sums, sync.OnceFunc(func() { *to = <-sum }))
}

// Facts returns what is known about the input, with the hashes and all problems that were met until now.
func (in *Opened) Facts() Input {
	for _, wait := range in.sums {
		wait()
	}
	if in.Hive != nil {
		in.Problems = in.Hive.Problems()
	} else {
		in.Problems = in.text.Problems
	}
	return in.Input
}

// loadHive reads a hive, with its logs if it is dirty or logs were named.
func (in *Opened) loadHive(fsys fs.FS, file File, data []byte, o Options) (refused []hive.Problem, err error) {
	names, named := file.Logs, len(o.Logs) > 0
	if named {
		names = o.Logs
	}
	in.Logs = make([]Log, 0, len(names)) // not moved later: the hashes are noted by the address of each
	var logs []hive.Log
	var used []int // the number of each log in in.Logs
	for i, name := range names {
		in.Logs = append(in.Logs, Log{LogUse: hive.LogUse{Name: baseName(name)}})
		l := &in.Logs[i]
		switch dirty := hive.IsDirty(data); {
		case o.NoLogs:
			l.Why = "was left out by --no-logs"
		case !dirty && !named:
			l.Why = "is not needed: the hive is clean"
		default:
			data, err := readLog(fsys, name, named)
			if err != nil {
				p := Refusal(name, err)
				refused = append(refused, p)
				l.Why = p.Msg
				continue
			}
			in.sum(o.SHA256, sha256.New(), data, &l.SHA256)
			if !dirty {
				l.Why = "is not needed: the hive is clean"
			}
			logs, used = append(logs, hive.Log{Name: l.Name, Data: data}), append(used, i)
		}
	}
	f, err := hive.Read(in.Name(), data, logs...)
	if err != nil {
		return refused, err
	}
	for i, use := range f.Logs {
		in.Logs[used[i]].LogUse = use
	}
	in.Format, in.Hive, in.Root = "regf", f, f.Root()
	header := f.Header // a copy, which does not hold the whole hive in memory
	in.Header, in.Dirty = &header, header.Dirty()
	in.Mount, in.MountBy = f.Mount()
	if o.Mount != nil {
		in.Mount, in.MountBy = o.Mount, "flag --mount"
	}
	in.Registry = hive.NewRegistry()
	if in.Mount != nil {
		in.Registry.Mount(in.Mount, f.Root())
	}
	return refused, nil
}

func readLog(fsys fs.FS, name string, named bool) ([]byte, error) {
	open := OpenFound
	if named {
		open = fs.FS.Open
	}
	f, err := openFile(open, fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return hive.ReadFile(f, name, hive.MaxSize)
}

func (in *Opened) loadText(data []byte, o regfile.Options) error {
	switch {
	case len(data) == 0:
		return &hive.Problem{Kind: hive.Truncated, Msg: "is empty"}
	case bytes.IndexFunc(data, func(r rune) bool { return r != 0 }) < 0:
		return &hive.Problem{Kind: hive.Truncated, Msg: "holds nothing but zeros; copy it again"}
	}
	f, err := o.Parse(in.Name(), data)
	if err != nil {
		return err
	}
	in.Text, in.Edits = fmt.Sprintf("%s, %s", f.Version, f.Encoding), len(f.Edits)
	in.setText(f)
	f.Edits = nil // the tree has all of it
	return nil
}

func (in *Opened) setText(f *regfile.File) {
	in.Format, in.text, in.Root = "reg", f, f.Tree()
	in.Registry = hive.NewRegistry()
	in.Registry.Mount(nil, in.Root)
}

// beside lists the transaction logs of a hive that lie in the same folder, whatever the case of their letters.
func beside(fsys fs.FS, name string) []string {
	if name == StandardInput {
		return nil
	}
	folder, base := path.Split(name)
	if _, ok := fsys.(*Local); ok {
		folder, base = filepath.Split(name)
	}
	entries, err := fs.ReadDir(fsys, cmp.Or(folder, "."))
	if err != nil {
		return nil // the hive itself can be read all the same, without a listing of its folder
	}
	var logs []string
	for _, ext := range logExtensions {
		for _, e := range entries {
			if strings.EqualFold(e.Name(), base+ext) && !e.IsDir() {
				logs = append(logs, folder+e.Name())
			}
		}
	}
	return logs
}

var logExtensions = []string{".LOG", ".LOG1", ".LOG2"}

func baseName(name string) string { return filepath.Base(filepath.FromSlash(name)) }

// Describe fills in what the registry tells about the machine. A version that is not nil is taken in place of what the registry tells.
func (in *Opened) Describe(version *hive.Version) {
	in.Windows = in.Registry.Windows()
	if version != nil {
		product := in.Windows.Product
		in.Windows = hive.Exactly(*version)
		in.Windows.Product = product
		in.Windows.Evidence = []string{"version " + version.String() + " from the flag --windows"}
	}
	in.Host = in.Registry.Host()
	for _, s := range in.Registry.ControlSets() {
		if s.Source != "" && (in.Machine == nil || in.Mount.Equal(systemPath)) {
			in.ControlSets = append(in.ControlSets, s)
		}
	}
}

// Inspect fills in what takes a walk through the whole input: counts, and what the registry tells beyond [Opened.Describe]. All problems of
// the input are met then; with records, also those of what only the record of a key has, such as its class and security descriptor.
func (in *Opened) Inspect(records bool) {
	for _, k := range in.Root.Walk() {
		if !k.Implied() {
			in.Keys++
			if t := k.Filetime(); t.IsSet() {
				in.Newest = max(in.Newest, t)
			}
			in.Values += len(k.Values())
			if records {
				k.Record() // for what is wrong with it
			}
		}
	}
	if z, ok := in.Registry.TimeZone(); ok {
		in.TimeZone = z.String()
	}
	in.Shutdown = in.Registry.Shutdown()
	in.Selections = in.Registry.Selections()
	for _, s := range in.Registry.WithControlSet(hive.AllControlSets).ControlSets() {
		isNamed := func(named hive.ControlSet) bool { return hive.EqualFold(named.Name, s.Name) }
		isThere := in.Registry.Find(systemPath.Join(s.Name))[0].Key != nil
		if isThere && !slices.ContainsFunc(in.ControlSets, isNamed) {
			in.OtherSets = append(in.OtherSets, s.Name)
		}
	}
}
