package collection

import (
	"cmp"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"regvet/hive"
)

// Moment is the registry of inputs that are read together, in one of the states that the evidence holds.
type Moment struct {
	State   State          // "" for the inputs as they are
	Log     string         // of a state after an entry of a log: the name of the log
	Entry   uint32         // likewise, the sequence number of the entry
	Joined                 // nil if nothing of the state could be read
	Refused []hive.Problem // what of the state could not be read
	Place   string         // the path of the folder or the hive that is in this state
}

// Earlier returns the states of a group that lie in files of their own, one group for each, the oldest first by when a shadow copy was created, or by
// what the base blocks say. all are the groups of the same list.
func (g Group) Earlier(fsys fs.FS, all []Group) []Group {
	if g.State() != "" {
		return nil
	}
	var earlier []Group
	byFolder := map[string]int{}
	for _, other := range all {
		for _, f := range other.Files {
			if f.StateOf == "" || !slices.ContainsFunc(g.Files, func(own File) bool { return own.Path == f.StateOf }) {
				continue
			}
			folder := f.Path[:max(strings.LastIndexAny(f.Path, `/\`), 0)]
			i, ok := byFolder[folder]
			if !ok {
				i = len(earlier)
				byFolder[folder] = i
				earlier = append(earlier, Group{Machine: folder})
			}
			f.NotJoined = "" // it is joined with those of its time
			earlier[i].Files = append(earlier[i].Files, f)
		}
	}
	slices.SortStableFunc(earlier, func(a, b Group) int { return cmp.Compare(a.written(fsys), b.written(fsys)) })
	return earlier
}

// written returns when the shadow copy was created whose files a group has, or else the latest time in a base block of theirs: of a backup, too, that
// lies in a shadow copy.
func (g Group) written(fsys fs.FS) (latest hive.Filetime) {
	for _, f := range g.Files {
		if l, ok := fsys.(*Local); ok && f.State == Shadow {
			if in := (Input{Evidence: l.way(f.Path)}); !in.Created().IsZero() {
				return hive.FiletimeOf(in.Created())
			}
		}
		if head, err := start(fsys, f.Path); err == nil {
			latest = max(latest, hive.Written(head))
		}
	}
	return latest
}

// mostReplayed is how many bytes of hives are read at most for the states between the entries of the logs of one, which takes some 20 seconds: a log
// can hold a hundred thousand entries, and the hive is read again after each. It is a variable for tests.
var mostReplayed int64 = 16 << 30

// Moments returns the states of inputs that are read together, the oldest first: those in files of their own, then those of each of its dirty
// hives that wanted accepts, as it lies and after each entry of its logs, and last the inputs as they are. The inputs must have been opened with
// [Options.Steps]. What else brings a state (a snapshot, say) gives its files a [File.State] and a [File.StateOf], and comes with the first.
func (j Joined) Moments(fsys fs.FS, earlier []Group, o Options, wanted func(*Opened) bool) iter.Seq[Moment] {
	return func(yield func(Moment) bool) {
		for _, g := range earlier {
			if !yield(j.earlier(fsys, g, o, wanted)) {
				return
			}
		}
		for _, in := range j {
			if in.steps == nil || !wanted(in) {
				continue
			}
			for m := range j.replay(in) {
				if !yield(m) {
					return
				}
			}
		}
		yield(Moment{Joined: j})
	}
}

// earlier opens a state that lies in files of its own. Of hives that contradict each other, it takes those that hold what is wanted.
func (j Joined) earlier(fsys fs.FS, g Group, o Options, wanted func(*Opened) bool) Moment {
	m := Moment{State: g.State(), Place: g.Machine}
	all, refused := g.Open(fsys, o)
	m.Refused = refused
	for _, one := range all {
		holds := slices.ContainsFunc(one, func(in *Opened) bool {
			return slices.ContainsFunc(j, func(now *Opened) bool { return wanted(now) && now.Mount.Equal(in.Mount) })
		})
		if m.Joined == nil || holds {
			m.Joined = one
		}
	}
	return m
}

// replay returns the states of a dirty hive among the inputs: as it lies, then after each entry of its logs but the last, after which it is as it
// is.
func (j Joined) replay(in *Opened) iter.Seq[Moment] {
	return func(yield func(Moment) bool) {
		m := Moment{State: Stored, Place: in.Path}
		m.Joined, m.Refused = j.inState(in, m.State, in.stored)
		if !yield(m) {
			return
		}
		last := hive.Step{}
		left := mostReplayed
		for s := range in.steps {
			if last.Data == nil {
				last = s
				continue
			}
			m := Moment{State: Logged, Log: last.Log, Entry: last.Entry, Place: in.Path}
			if left -= int64(len(last.Data)); left < 0 {
				m.Refused = []hive.Problem{Refusal(in.Path, fmt.Errorf(
					"has more entries in its logs than are read one by one; its states from entry %d of %s to the last but one are not known", last.Entry, last.Log))}
			} else {
				m.Joined, m.Refused = j.inState(in, m.State, last.Data)
			}
			if !yield(m) || left < 0 {
				return
			}
			last = s
		}
	}
}

// LastEntry returns the log and the sequence number of the entry of a dirty hive that was applied last, or "".
func (in *Input) LastEntry() (log string, entry uint32) {
	for _, l := range in.Logs {
		if l.Entries > 0 && (log == "" || int32(l.Last-entry) > 0) { // sequence numbers wrap around
			log, entry = l.Name, l.Last
		}
	}
	return log, entry
}

// inState returns the same inputs with the hive of one in another state.
func (j Joined) inState(in *Opened, state State, data []byte) (Joined, []hive.Problem) {
	f, err := hive.Read(in.Name(), data)
	if err != nil {
		return nil, []hive.Problem{Refusal(in.Path, err)}
	}
	all := make(Joined, len(j))
	for i, one := range j {
		c := *one
		if one == in {
			header := f.Header
			c.State, c.Hive, c.Root, c.Header, c.told = state, f, f.Root(), &header, nil
		}
		all[i] = &c
	}
	if in.Machine != nil {
		all.join(in.Machine.Name)
	} else {
		all[0].mountAlone()
	}
	return all, nil
}
