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
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"regvet/hive"
	"regvet/hive/evidence/block"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
)

// Options say how to open inputs. The zero value applies the logs beside a dirty hive and computes no hashes.
type Options struct {
	Mount  hive.Path // where Windows mounts the hive; nil to find out from the hive
	Logs   []string  // the logs to apply, by their names in the file system, instead of those beside the hive
	NoLogs bool      // read a dirty hive without applying logs
	Text   regfile.Options
	SHA256 bool // compute the hashes of inputs and logs
	MD5    bool
	Steps  bool // keep what [Joined.Moments] needs of a dirty hive and its logs
	// Memory is how many bytes the hives of one machine may have in total; 0 for no limit.
	Memory int64
}

// Opened is an open input: the facts about it, and its keys.
type Opened struct {
	Input
	Registry *hive.Registry // of the input, or of the machine that it belongs to
	Root     *hive.Key      // of the hive, or a key above the roots that a .reg file or a policy names
	Hive     *hive.File     // nil for .reg text and a Registry.pol
	// Policy is, of a Registry.pol, what it does by itself, and Depending is how many of its entries do what depends on the registry that it is
	// applied to, see [polfile.File.Depending].
	Policy    []hive.Edit
	Depending int

	Ordered  *Ordered       // nil unless opened by OpenOrdered; then Registry and Root hold only the path to the keys that were asked for
	text     *regfile.File  // nil for anything but .reg text
	sums     []func()       // each waits for a hash and stores it in Input
	told     []hive.Problem // contradictions that no one place of the input shows, and the problems of a Registry.pol
	stored   []byte         // of a dirty hive to which logs were applied, with [Options.Steps]: as it lies
	steps    iter.Seq[hive.Step]
	original *Opened // of which this is an equal copy, or nil

	// spokesman is set for the one of several hives of a machine whose problems are those of the machine.
	spokesman bool
}

// Open opens a hive, .reg file or Registry.pol, with the logs beside it; see [File.Open].
func Open(fsys fs.FS, name string, o Options) (in *Opened, refused []hive.Problem) {
	return Locate(fsys, name).Open(fsys, o)
}

// Locate returns the file with this name, and the logs beside it. For an image or archive of this computer, it returns the hive in it, if there is
// just one. It reports no errors; opening the file does.
func Locate(fsys fs.FS, name string) File {
	if l, ok := fsys.(*Local); ok && name != StandardInput {
		switch tree, err := l.tree(l.placeOf(name)); {
		case err != nil:
			return File{Path: name, Err: err}
		case tree != nil:
			return l.only(name)
		}
	}
	return File{Path: name, Logs: beside(fsys, name)}
}

// only returns the one hive in an image or archive.
func (l *Local) only(name string) File {
	var all []File
	for g := range List(l, name) {
		for _, f := range g.Files {
			if f.Err != nil {
				return f
			}
			all = append(all, f)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	var places []string
	for _, f := range all[:min(len(all), 3)] {
		places = append(places, f.Path)
	}
	return File{Path: name, Err: fmt.Errorf(`holds %d hives and .reg files; give the place of one, such as %s`, len(all), strings.Join(places, ", "))}
}

// Open opens the file. It returns the input, or nil if the file cannot be read, and lists what could not be read: the logs first, without
// which the hive is still read, and the file last.
func (file File) Open(fsys fs.FS, o Options) (_ *Opened, refused []hive.Problem) {
	in := &Opened{Input: Input{Path: file.Path, NotJoined: file.NotJoined, State: file.State, User: file.User, Former: file.Former}}
	if l, ok := fsys.(*Local); ok {
		in.Evidence = l.way(file.Path)
	}
	err := file.Err
	var data []byte
	if err == nil {
		data, err = ReadFile(fsys, file.Path)
	}
	if err == nil {
		in.Size = int64(len(data))
		in.sum(o.SHA256, sha256.New(), data, &in.SHA256)
		in.sum(o.MD5, md5.New(), data, &in.MD5)
		switch {
		case hive.IsHive(data):
			refused, err = in.loadHive(fsys, file, data, o)
		case polfile.Is(data):
			err = in.loadPolicy(data, o.Mount)
		default:
			err = in.loadText(data, o.Text)
		}
	}
	if err != nil {
		in.wait()
		return nil, append(refused, Refusal(file.Path, err))
	}
	return in, refused
}

// Refusal returns err as the problem that an input could not be read, which is a loss whatever the reason. Its source is the path, as the user
// named it.
func Refusal(path string, err error) hive.Problem {
	p := hive.Problem{Kind: hive.Unreadable, Msg: err.Error()}
	if known, ok := errors.AsType[*hive.Problem](err); ok {
		p = *known
	}
	p.Source, p.Loss = path, true
	return p
}

// sum starts to compute a hash in the background, if it is wanted.
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

// wait waits for the hashes, each of which holds the bytes of its file in memory.
func (in *Opened) wait() {
	for _, wait := range in.sums {
		wait()
	}
}

// Facts returns what is known about the input, with the hashes and all problems that were met until now.
func (in *Opened) Facts() Input {
	if in.original != nil {
		return in.factsOfCopy()
	}
	in.wait()
	switch {
	case in.Hive != nil:
		in.Problems = in.Hive.Problems()
	case in.text != nil:
		in.Problems = in.text.Problems
	default:
		in.Problems = nil // those of a Registry.pol are among those told
	}
	in.Problems = slices.Concat(in.Problems, in.told)
	return in.Input
}

// loadHive reads a hive, with its logs if it is dirty or if logs were named.
func (in *Opened) loadHive(fsys fs.FS, file File, data []byte, o Options) (refused []hive.Problem, err error) {
	names, named := file.Logs, len(o.Logs) > 0
	if named {
		names = o.Logs
	}
	in.Logs = make([]Log, 0, len(names)) // not moved later: the hashes are noted by the address of each
	var logs []hive.Log
	var used []int // for each of logs, its index in in.Logs
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
				if dirty && block.IsGap(err) { // it is there, and holds changes of the hive that nobody knows
					return refused, fmt.Errorf("cannot be judged, since it is dirty and its log cannot be read (%v); --no-logs reads it as it lies", &p)
				}
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
	in.NotJoined = cmp.Or(in.NotJoined, ofApplication(in.Mount))
	if o.Mount != nil {
		in.Mount, in.MountBy = o.Mount, "flag --mount"
	}
	if o.Steps && slices.ContainsFunc(f.Logs, func(u hive.LogUse) bool { return u.Entries > 0 }) {
		in.stored, in.steps = data, hive.Steps(data, logs...)
	}
	in.mountAlone()
	return refused, nil
}

// mountAlone gives a hive a registry that holds nothing else.
func (in *Opened) mountAlone() {
	in.Registry = hive.NewRegistry()
	if in.Mount != nil {
		in.Registry.Mount(in.Mount, in.Root)
	}
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

func baseName(name string) string { return filepath.Base(filepath.FromSlash(name)) }

// Describe fills in the facts about the machine: its Windows, host, time zone and last shutdown, and for what holds its SYSTEM hive the control sets.
// What the user says about Windows, if it is not nil, overrules the registry, and narrows it down where the two agree.
func (in *Opened) Describe(said *hive.Windows) {
	in.Windows = in.Registry.Windows()
	speaks := in.spokesman || in.Machine == nil
	if speaks {
		for _, c := range in.Windows.Conflicts {
			in.told = append(in.told, hive.Problem{Source: in.Name(), Kind: hive.Contradictory, Msg: c})
		}
	}
	if said != nil {
		if why := in.Windows.Overrule(*said); speaks {
			in.Overruled = why
		}
	}
	in.SetHost()
	if z, ok := in.Registry.TimeZone(); ok {
		in.TimeZone = z.String()
	}
	in.Shutdown = in.Registry.Shutdown()
	if in.Machine == nil || in.Mount.Equal(systemPath) {
		in.describeControlSets()
	}
}

// SetHost fills in the name of the computer.
func (in *Opened) SetHost() {
	if in.Host, in.HostBy = in.Registry.Host(); in.HostBy == hostBy {
		in.HostBy = ""
	}
}

// hostBy is the value that the name of a computer is usually from.
const hostBy = `Control\ComputerName\ComputerName\ComputerName`

// Inspect walks through the whole input, so that all of its problems are found, and counts what it holds. With records, it also reads what only the
// record of a key holds, such as its class and security descriptor.
func (in *Opened) Inspect(records bool) {
	for _, k := range in.Root.Walk() {
		if !k.Implied() {
			in.Keys++
			if t := k.Filetime(); t.IsSet() {
				in.Newest = max(in.Newest, t)
			}
			in.Values += len(k.Values())
			if records {
				k.Record() // records its problems
			}
		}
	}
}

// describeControlSets fills in which control sets there are, and what Select says of them.
func (in *Opened) describeControlSets() {
	for _, s := range in.Registry.ControlSets() {
		if s.Source != "" {
			in.ControlSets = append(in.ControlSets, s)
		}
	}
	in.Selections = in.Registry.Selections()
	for _, s := range in.Registry.WithControlSet(hive.AllControlSets).ControlSets() {
		isNamed := func(named hive.ControlSet) bool { return hive.EqualFold(named.Name, s.Name) }
		isThere := in.Registry.Find(systemPath.Join(s.Name))[0].Key != nil
		if isThere && !slices.ContainsFunc(in.ControlSets, isNamed) {
			in.OtherSets = append(in.OtherSets, s.Name)
		}
	}
}
