package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/report"
)

var exportCommand = command{
	name: "export", args: "INPUT [KEY]", short: "export a hive or .reg file, or one key of it, as .reg text or JSON lines",
	min: 1, max: 2,
	example: `  regvet export SYSTEM > system.reg
  regvet export --format jsonl SYSTEM 'HKLM\SYSTEM\CurrentControlSet\Services\Tcpip'
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := &exportOptions{flags: f}
		choose(f, &o.format, "format", "f", "reg", "output `FORMAT`: reg (as Windows exports) or jsonl (one key per line)", "reg", "jsonl")
		outputFlag(f, &o.output)
		f.StringVar(&o.prefix, "prefix", "", "write this `PATH` for the root of the hive instead of its mount; may be empty")
		f.BoolVar(&o.full, "full", false, "with jsonl, include the flags, class and security of each key, and the place of each key and value")
		f.BoolVar(&o.deleted, "deleted", false, "with jsonl, include deleted keys and values that are still in free cells or slack, after the others")
		f.BoolVar(&o.noLimit, "no-limit", false, "do not stop when the output is more than a hundred times as long as the input")
		o.input.define(f)
		return o.run
	},
}

type exportOptions struct {
	flags         *pflag.FlagSet
	format        choice
	output        string
	prefix        string
	full, deleted bool
	noLimit       bool
	input         inputFlags
}

// smallText is [collection.SmallText], except in tests.
var smallText int64 = collection.SmallText

func (o *exportOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	if (o.full || o.deleted) && o.format.value == "reg" {
		s.fail(statusUsage, "--full and --deleted are for --format jsonl; .reg text has no place for more than names and values")
		return
	}
	var key string
	if len(args) > 1 {
		key = args[1]
	}
	in := o.open(s, args[0], hive.ParsePath(key))
	if in == nil {
		return
	}
	if in.Ordered != nil {
		defer in.Ordered.Close()
	}
	prefixed := o.flags.Changed("prefix")
	if prefixed && in.Format != "regf" {
		s.fail(statusUsage, "--prefix is for hives; the keys of %s already have roots", in.Name())
		return
	}
	trees := []subtree{{Tree: regfile.Tree{Root: in.Root, At: in.Mount}}}
	if in.Mount == nil && in.Format == "regf" && !prefixed {
		s.say("%s: neither keys nor name show which hive this is; its keys are written without a root (--mount or --prefix adds one)", in.Name())
	}
	if len(args) > 1 {
		if trees = subtrees(s, in, key); trees == nil {
			s.facts(in)
			return
		}
	}
	if prefixed {
		for i := range trees {
			if at := trees[i].At; at.HasPrefix(in.Mount) {
				trees[i].At = hive.ParsePath(o.prefix).Join(at[len(in.Mount):]...)
			}
		}
	}
	if in.Format == "pol" {
		o.sayPolicy(s, in, len(args) == 1)
	}
	s.write(o.output, func(w io.Writer, _ report.Style) error {
		if o.asEdits(in, len(args) == 1) {
			return regfile.Write(w, "", in.Policy)
		}
		if !o.noLimit {
			w = &limited{w: w, left: max(mostGrowth*in.Size, leastLimit)}
		}
		return o.export(s, w, in, trees)
	})
	s.facts(in)
}

// asEdits reports whether the export is the edits that an input makes: .reg text can hold all those of a policy.
func (o *exportOptions) asEdits(in *collection.Opened, whole bool) bool {
	return in.Format == "pol" && whole && o.format.value == "reg" && !slices.ContainsFunc(in.Policy, func(e hive.Edit) bool { return regfile.Unwritable(e) != "" })
}

// deletions returns how many of the edits delete a key or value.
func deletions(edits []hive.Edit) (n int) {
	for _, e := range edits {
		if e.Op == hive.DeleteKey || e.Op == hive.DeleteValue {
			n++
		}
	}
	return n
}

// sayPolicy writes what of a policy the export does not hold.
func (o *exportOptions) sayPolicy(s *session, in *collection.Opened, whole bool) {
	if deletes := deletions(in.Policy); deletes > 0 && !o.asEdits(in, whole) {
		s.say("%s: %s not in the export; the whole file as .reg text has what it deletes", in.Name(), report.Count(deletes, "deletion is", "deletions are"))
	}
	if in.Depending > 0 {
		s.say("%s: what %s depends on the registry that the policy is applied to; regvet apply shows it for one", in.Name(), report.Count(in.Depending, "entry does", "entries do"))
	}
}

// open opens the input. A large .reg file is read key by key if its order allows that. If the input cannot be read, open writes why and returns
// nil.
func (o *exportOptions) open(s *session, path string, key hive.Path) *collection.Opened {
	in, refused := collection.OpenOrdered(s.files, path, key, o.input.controlSet.value, o.format.value == "jsonl", smallText, o.input.options(false))
	s.refuseAll(refused)
	switch {
	case in == nil && refused == nil:
		return o.input.open(s, path, false)
	case in != nil && !o.input.chooseControlSet(s, collection.Joined{in}):
		in.Ordered.Close()
		return nil
	}
	return in
}

// The output of an export is limited, because in a small crafted hive millions of keys can share one text. The exports of sound hives are far
// smaller.
const (
	mostGrowth = 100      // times the input
	leastLimit = 64 << 20 // bytes
)

var errLimit = errors.New("the limit is reached")

// limited is a writer that returns errLimit after a number of bytes.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= int64(len(b)); l.left < 0 {
		return 0, errLimit
	}
	return l.w.Write(b)
}

// export writes trees of an input, and a message for each value that the format cannot express. The error is that of the output, or errUnread.
func (o *exportOptions) export(s *session, w io.Writer, in *collection.Opened, trees []subtree) error {
	err := o.exportTrees(w, in, trees)
	if left, ok := errors.AsType[regfile.LeftOut](err); ok {
		err = nil
		for _, what := range left {
			s.fail(statusInput, "%s: %s (--format jsonl has it)", in.Name(), what)
		}
	}
	switch {
	case errors.Is(err, errLimit):
		s.refuse(in.Path, fmt.Errorf("the export is more than %d times as long as the input and ends here, because many keys share what is written with each; --no-limit writes all of it", mostGrowth))
		return errUnread
	case in.Ordered != nil && in.Ordered.Err() != nil:
		s.refuse(in.Path, in.Ordered.Err())
		return errUnread
	}
	return err
}

// exportTrees writes trees of an input in the chosen format.
func (o *exportOptions) exportTrees(w io.Writer, in *collection.Opened, trees []subtree) error {
	if in.Ordered != nil {
		return o.exportOrdered(w, in.Ordered, trees)
	}
	if o.format.value == "reg" {
		var all []regfile.Tree
		for _, t := range trees {
			all = append(all, t.Tree)
		}
		return regfile.Export(w, all...)
	}
	for _, t := range trees {
		if err := report.Keys(w, t.Root, t.At, report.KeyFields{Times: in.Format == "regf", Full: o.full}); err != nil {
			return err
		}
	}
	if o.deleted && in.Hive != nil {
		deleted := in.Hive.Deleted()
		for _, t := range trees {
			if err := report.Deleted(w, hive.Below(t.Root, deleted), t.At); err != nil {
				return err
			}
		}
	}
	return nil
}

// exportOrdered writes trees of a file that is read again for each.
func (o *exportOptions) exportOrdered(w io.Writer, file *collection.Ordered, trees []subtree) error {
	walk := file.Walk
	if o.format.value == "jsonl" {
		walk = file.WalkStored
	}
	var streams []regfile.Stream
	for _, t := range trees {
		streams = append(streams, regfile.Stream{Keys: regfile.StretchesBelow(t.real, file.Keys(walk())), At: t.At})
	}
	if o.format.value == "reg" {
		return regfile.ExportOrdered(w, streams...)
	}
	for _, stream := range streams {
		if err := report.OrderedKeys(w, stream.Keys, stream.At, o.full); err != nil {
			return err
		}
	}
	return nil
}

// subtree is a key of an input with everything below it. real is its path in the input.
type subtree struct {
	regfile.Tree
	real hive.Path
}

// subtrees returns the key with a given path, which begins with a root of the registry or, for a hive, below its root. Like Windows, regvet
// exports the key under the given path. If the key cannot be found, subtrees writes why and returns nil.
func subtrees(s *session, in *collection.Opened, name string) []subtree {
	path := hive.ParsePath(name)
	if len(path) == 0 {
		s.fail(statusUsage, "%q names no key; want a path such as HKLM\\SYSTEM\\Select", name)
		return nil
	}
	if !path.HasRoot() && in.Format == "regf" {
		k := in.Root
		known := hive.Whole
		for _, part := range path {
			known = k.KeysKnown()
			if k = k.Key(part); k == nil {
				noKey(s, in, name, known)
				return nil
			}
		}
		return []subtree{{Tree: regfile.Tree{Root: k, At: in.Mount.Join(path...)}}}
	}
	var trees []subtree
	known := hive.Whole
	var link hive.Path
	for _, m := range in.Registry.Find(path) {
		if m.Key != nil {
			trees = append(trees, subtree{regfile.Tree{Root: m.Key, At: m.Live}, m.Real})
			continue
		}
		known, link = m.Known, m.Link
	}
	if trees == nil && link != nil && known == hive.NotCovered {
		s.fail(statusUsage, "%s: the path of the key %s goes through the symbolic link %s, and the input does not hold its target", in.Name(), name, link)
		return nil
	}
	if trees == nil {
		noKey(s, in, name, known)
	}
	return trees
}

// noKey writes that a key was not found, and what that means.
func noKey(s *session, in *collection.Opened, name string, known hive.Known) {
	switch known {
	case hive.Whole:
		hint := ""
		if strings.Contains(name, "/") && !strings.Contains(name, `\`) {
			hint = "; " + useBackslashes(name)
		}
		if path := hive.ParsePath(name); len(in.Mount) > 0 && hive.EqualFold(path[0], in.Mount[len(in.Mount)-1]) {
			hint = "; with its root it is " + in.Mount.Join(path[1:]...).String()
		}
		s.fail(statusUsage, "%s: there is no key %s%s", in.Name(), name, hint)
	case hive.NotCovered:
		holds := ""
		if len(in.Mount) > 0 {
			holds = "; it is a hive of " + in.Mount.String()
		}
		s.fail(statusUsage, "%s: the input holds neither the key %s nor any key above it%s", in.Name(), name, holds)
	case hive.Partial:
		s.fail(statusUsage, "%s: this layer of a hive does not hold the key %s; the layers below may", in.Name(), name)
	case hive.Damaged:
		s.fail(statusInput, "%s: the key %s was not found, but the input is damaged there, so it may exist", in.Name(), name)
	}
}
