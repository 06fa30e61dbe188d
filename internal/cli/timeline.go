package cli

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/glob"
	"regvet/internal/runs"
	"regvet/report"
)

var timelineCommand = command{
	name: "timeline", args: "INPUT|FOLDER...", short: "list the last writes of keys, deleted ones too, in order of time",
	min: 1, max: -1, files: true,
	example: `  regvet timeline --since 2018-04-07 disk.E01
  regvet timeline --format csv --regback -o timeline.csv /mnt/image
  regvet timeline -o timeline.parquet /mnt/image
  regvet timeline --key 'HKLM\SYSTEM\CurrentControlSet\Services\*' SYSTEM
  regvet timeline --format bodyfile disk.E01 | mactime -d -y 1970-01-02
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(timelineOptions)
		formatFlag(f, &o.format, report.TimelineFormats()...)
		outputFlag(f, &o.output)
		noMarkFlag(f, &o.noMark)
		momentFlag(f, &o.since, "since", "leave out what was last written before this `TIME`: a date in UTC, such as 2018-04-07, or one with a time, such as 2018-04-07T10:00:00Z", startOf)
		momentFlag(f, &o.until, "until", "leave out what was last written after this `TIME`; a date is its whole day", endOf)
		keyFlag(f, &o.key, "only the keys that this `GLOB` matches, and all below them, such as HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcp*: * is any part of a name, ** any number of names")
		f.BoolVar(&o.regback, "regback", false, "also read the backups of hives that Windows made in RegBack or repair, of an earlier time")
		f.BoolVar(&o.vss, "vss", false, "also read the shadow copies in images, of an earlier time")
		f.BoolVar(&o.noLimit, "no-limit", false, "do not stop when the lines of a hive are more than a hundred times as long as the hive")
		shardFlag(f, &o.shard, "read", "machines")
		o.input.define(f)
		return o.run
	},
}

type timelineOptions struct {
	format       choice
	output       string
	noMark       bool
	since, until parsed[hive.Filetime] // both are included
	key          parsed[glob.Key]
	regback, vss bool
	noLimit      bool
	shard        parsed[collection.Share]
	input        inputFlags
}

// memoryForLines is how many bytes of lines are held before they are sorted in temporary files. Tests make it small.
var memoryForLines = 32 << 20

// run writes the timeline of the inputs. Their lines are sorted together; what is known of an input is released once its lines were added.
func (o *timelineOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	if o.until.text != "" && o.since.value > o.until.value {
		s.fail(statusUsage, "--until %s is before --since %s", o.until.text, o.since.text)
		return
	}
	s.files.Protect(o.input.logs...)
	s.files.Shadows, s.files.Share = o.vss, o.shard.value
	inputs := asked(s, earlier(o.regback, o.vss), "list", groups(s, args, o.input.mount.value == nil))
	if s.failed() {
		return
	}
	if o.output == "-" {
		o.output = ""
	}
	k := s.begin(output{file: o.output, noMark: o.noMark})
	if k == nil {
		return
	}
	if o.format.value == report.Parquet && k.style.Terminal {
		s.fail(statusUsage, "a table in Parquet is no text for a terminal; give -o the name of a file")
		return
	}
	t := timeline{o, report.NewTimeline(o.format.value, k.style), runs.NewSorter(memoryForLines)}
	defer t.sorter.Close()
	var texts []string // the inputs that are .reg text
	each(s, inputs, &o.input, o.input.options(false), batch{}, t.add, func(a groupResult[string]) { texts = append(texts, a.results...) })
	switch len(texts) {
	case 0:
	case 1:
		s.say("%s is .reg text, which holds no times", texts[0])
	default:
		s.say("%d inputs like %s are .reg text, which holds no times", len(texts), texts[0])
	}
	w, err := t.format.Begin(k, version(), s.runOf(nil, nil))
	if err == nil {
		err = t.sorter.Write(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err := t.sorter.Err(); err != nil {
		s.fail(statusUsage, "the lines cannot be sorted in a temporary file: %v; TMPDIR can name another folder for it", err)
		k.end(errUnread)
		return
	}
	k.end(err)
}

// timeline collects the lines of inputs.
type timeline struct {
	*timelineOptions
	format report.Timeline
	sorter *runs.Sorter
}

// add adds the lines of the inputs of one registry. It returns the names of those that have no times.
func (t *timeline) add(s *session, together collection.Joined) (texts []string) {
	for _, in := range together {
		switch {
		case in.SameAs != "":
			s.say("%s has the same bytes as %s, and its keys are listed once", in.Name(), collection.DisplayName(in.SameAs))
		case in.Hive == nil:
			texts = append(texts, in.Name())
		default:
			t.addHive(s, in)
		}
		s.facts(in)
	}
	return texts
}

func (t *timeline) addHive(s *session, in *collection.Opened) {
	in.SetHost()
	if in.Mount == nil && in.NotJoined == "" {
		s.say("%s: neither keys nor name show which hive this is; its keys are listed without a root (--mount adds one)", in.Name())
	}
	l := &hiveLines{timeline: t, lines: t.format.Of(in.Input), ways: t.waysTo(in), left: max(mostGrowth*in.Size, leastLimit)}
	if t.noLimit {
		l.left = math.MaxInt64
	}
	err := l.addAll(in)
	if errors.Is(err, errLimit) {
		s.refuse(in.Path, fmt.Errorf("its lines are more than %d times as long as the hive and end here, because many keys share what is written with each; --no-limit writes all of them", mostGrowth))
	}
	l.tell(s, in)
}

// tell says which keys are not in the timeline.
func (l *hiveLines) tell(s *session, in *collection.Opened) {
	for _, left := range []struct {
		n   int
		why string
	}{
		{l.undated, "without the time of a last write"},
		{l.early, "last written before 1970-01-01T00:00:01Z, which a bodyfile cannot tell; --format csv and jsonl can"},
		{l.unplaced, "deleted and of a path that is not known as far as --key asks for it"},
	} {
		if left.n > 0 {
			s.say("%s: left out: %s %s", in.Name(), report.Count(left.n, "key", "keys"), left.why)
		}
	}
}

// hiveLines adds the lines of one hive.
type hiveLines struct {
	*timeline
	lines    *report.TimelineLines
	ways     ways
	left     int64 // bytes that the lines may still have
	undated  int   // keys that have no time
	early    int   // keys with a time that the format cannot hold
	unplaced int   // orphans that may be what the glob matches
}

// addAll adds the keys of a hive, and those that were deleted from it. The error is errLimit or that of the sorter. Searching for what was deleted
// takes as long as all else, so it goes on meanwhile.
func (l *hiveLines) addAll(in *collection.Opened) error {
	deleted := make(chan []hive.Deleted, 1)
	go func() { deleted <- in.Hive.Deleted() }()
	reach := []glob.Reach{l.ways.root} // of the path above, by its depth
	for path, k := range in.Root.Walk() {
		l.lines.Enter(path)
		if n := len(path); n > 0 {
			reach = append(reach[:n], l.ways.enter(reach[n-1], n, path[n-1]))
		}
		if l.takes(k.Filetime(), reach[len(path)]) {
			if err := l.add(k.Filetime(), l.lines.Key(k)); err != nil {
				return err
			}
		}
	}
	for _, d := range <-deleted {
		if d.Live || d.Key.Implied() {
			continue // only values were deleted
		}
		reach := l.ways.follow(d)
		if d.Orphan && !l.key.value.Covers(reach) {
			l.unplaced++
			continue
		}
		if l.takes(d.Key.Filetime(), reach) {
			if err := l.add(d.Key.Filetime(), l.lines.Deleted(d)); err != nil {
				return err
			}
		}
	}
	return nil
}

// takes reports whether the timeline has a key. It counts what cannot be in it.
func (l *hiveLines) takes(at hive.Filetime, reach glob.Reach) bool {
	switch {
	case !l.key.value.Covers(reach):
		return false
	case !at.IsSet():
		l.undated++
		return false
	case at < l.since.value || l.until.text != "" && at > l.until.value:
		return false
	case at < l.format.First:
		l.early++
		return false
	}
	return true
}

func (l *hiveLines) add(at hive.Filetime, line []byte) error {
	if l.left -= int64(len(line)); l.left < 0 {
		return errLimit
	}
	return l.sorter.Add(int64(at), line)
}

// ways are the paths that lead to the keys of a hive, by how far they lead into the glob. Some keys have more than one.
type ways struct {
	glob  glob.Key
	root  glob.Reach            // of the root of the hive
	below map[string]glob.Reach // what another path to a key right below the root adds, by its folded name
}

// waysTo returns the paths that Windows has to the keys of a hive.
func (t *timeline) waysTo(in *collection.Opened) ways {
	w := ways{glob: t.key.value, root: t.key.value.Follow(in.Mount), below: map[string]glob.Reach{}}
	switch mount := in.Mount; {
	case mount.Equal(hive.ParsePath(`HKLM\SYSTEM`)):
		for _, set := range in.Registry.ControlSets() {
			w.below[hive.Fold(set.Name)] = w.glob.Follow(mount.Join("CurrentControlSet"))
		}
	case mount.Equal(hive.ParsePath(`HKLM\SOFTWARE`)):
		w.below[hive.Fold("Classes")] = w.glob.Follow(hive.ParsePath("HKCR"))
	case len(mount) > 1 && mount.HasPrefix(hive.ParsePath("HKU")):
		w.root |= w.glob.Follow(hive.ParsePath("HKCU").Join(mount[2:]...))
	}
	return w
}

// enter returns how far the paths to a key lead, whose depth in its hive is given, by how far those to the key above lead.
func (w *ways) enter(above glob.Reach, depth int, name string) glob.Reach {
	r := w.glob.Enter(above, name)
	if depth == 1 && len(w.below) > 0 {
		r |= w.below[hive.Fold(name)]
	}
	return r
}

// follow returns how far the path to a key leads that was deleted. That of an orphan begins anywhere.
func (w *ways) follow(d hive.Deleted) glob.Reach {
	r := w.root
	if d.Orphan {
		return w.glob.Follow(d.Path)
	}
	for i, name := range d.Path {
		r = w.enter(r, i+1, name)
	}
	return r
}

// momentFlag defines a flag whose value is a time in UTC. of returns what a date stands for.
func momentFlag(f *pflag.FlagSet, to *parsed[hive.Filetime], name, usage string, of func(date time.Time) hive.Filetime) {
	parseFlag(f, to, name, "", usage, func(text string) (hive.Filetime, error) {
		if date, err := time.Parse(time.DateOnly, text); err == nil {
			return of(date), nil
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return 0, fmt.Errorf("%q is no time; want one such as 2018-04-07 or 2018-04-07T10:00:00Z", text)
		}
		return hive.FiletimeOf(at), nil
	})
}

func startOf(date time.Time) hive.Filetime { return hive.FiletimeOf(date) }

func endOf(date time.Time) hive.Filetime { return hive.FiletimeOf(date.AddDate(0, 0, 1)) - 1 }
