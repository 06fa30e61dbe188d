package main

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
)

var exportCommand = command{
	name: "export", args: "INPUT [KEY]", short: "a hive or .reg file, or one key of it, as .reg or JSON lines",
	min: 1, max: 2,
	example: `  regvet export SYSTEM > system.reg
  regvet export --format jsonl SYSTEM 'HKLM\SYSTEM\CurrentControlSet\Services\Tcpip'
`,
	flags: func(f *pflag.FlagSet, o *options) {
		f.StringVarP(&o.format, "format", "f", "reg", "the `FORMAT`: reg (as Windows exports) or jsonl (one key a line)")
		f.StringVarP(&o.output, "output", "o", "", "write the result to this `FILE`")
		f.StringVar(&o.prefix, "prefix", "", "the `PATH` of the hive's root in the result, in place of its mount; may be empty")
		f.BoolVar(&o.full, "full", false, "with jsonl: flags, class and security of each key too, and the place of each key and value")
		f.BoolVar(&o.deleted, "deleted", false, "with jsonl: after what is there, the keys and values that were deleted and are still in free cells or the slack of others")
		inputFlags(f, o)
	},
	run: (*cli).export,
}

func (c *cli) export() {
	c.oneOf("--format", c.format, "reg", "jsonl")
	if (c.full || c.deleted) && c.format == "reg" {
		c.fail(statusUsage, "--full and --deleted are for --format jsonl; .reg text has no place for more than names and values")
	}
	if !c.understand() {
		return
	}
	c.withoutHash, c.mapped = true, new(hive.Mapped)
	defer c.mapped.Close()
	// Nearly all that an export of a hive makes it needs to the end, so that there is little garbage to look for.
	debug.SetGCPercent(800)
	if err := c.mapped.Guard(func() error { c.exportInput(); return nil }); err != nil {
		c.refuse(c.args[0], err)
	}
}

// exportInput exports the input. It says what went wrong.
func (c *cli) exportInput() {
	var key hive.Path
	if len(c.args) > 1 {
		key = hive.ParsePath(c.args[1])
	}
	in, done := c.loadOrdered(c.args[0], key)
	if !done {
		in = c.load(c.args[0])
	}
	if in == nil {
		return
	}
	if in.ordered != nil {
		defer in.ordered.close()
	}
	if c.prefixSet && in.Format == "reg" {
		c.fail(statusUsage, "--prefix is for hives; the keys of %s have roots already", displayName(in.Path))
		return
	}
	trees := []subtree{{Tree: regfile.Tree{Root: in.root, At: in.Mount}}}
	if in.Mount == nil && in.Format == "regf" && !c.prefixSet {
		c.say("%s: neither keys nor name tell which hive this is; its keys are written without a root (--mount or --prefix gives one)", displayName(in.Path))
	}
	if len(c.args) > 1 {
		if trees = c.subtrees(in, c.args[1]); trees == nil {
			c.sayProblems(in)
			return
		}
	}
	if c.prefixSet {
		for i := range trees {
			if at := trees[i].At; at.HasPrefix(in.Mount) {
				trees[i].At = hive.ParsePath(c.prefix).Join(at[len(in.Mount):]...)
			}
		}
	}
	c.write(func(w io.Writer) error {
		err := c.mapped.Guard(func() error { return c.exportTrees(w, in, trees) })
		if left, ok := errors.AsType[regfile.LeftOut](err); ok {
			err = nil
			for _, what := range left {
				c.fail(statusInput, "%s: %s (--format jsonl has it)", displayName(in.Path), what)
			}
		}
		if err == nil {
			err = c.mapped.Unchanged()
		}
		if _, ok := errors.AsType[*hive.Problem](err); ok {
			c.refuse(in.Path, err)
			err = errUnread
		}
		return err
	})
	c.sayProblems(in)
}

// exportTrees writes keys of an input in the format that was asked for.
func (c *cli) exportTrees(w io.Writer, in *input, trees []subtree) error {
	if in.ordered != nil {
		return c.exportOrdered(w, in, trees)
	}
	if c.format == "reg" {
		var all []regfile.Tree
		for _, t := range trees {
			all = append(all, t.Tree)
		}
		return regfile.Export(w, all...)
	}
	for _, t := range trees {
		if err := report.Keys(w, t.Root, t.At, report.KeyFields{Times: in.Format == "regf", Full: c.full}); err != nil {
			return err
		}
	}
	if c.deleted && in.file != nil {
		deleted := in.file.Deleted()
		for _, t := range trees {
			if err := report.Deleted(w, hive.Below(t.Root, deleted), t.At); err != nil {
				return err
			}
		}
	}
	return nil
}

// subtree is a key of an input with all below it, and where the input has it.
type subtree struct {
	regfile.Tree
	real hive.Path
}

// subtrees finds a key of an input, named from a root of the registry or from the root of the hive. It is exported under the
// path that it was asked for, as Windows does. Where it is not there, that is said and nil is given.
func (c *cli) subtrees(in *input, name string) []subtree {
	path := hive.ParsePath(name)
	if len(path) == 0 {
		c.fail(statusUsage, "%q names no key; want a path such as HKLM\\SYSTEM\\Select", name)
		return nil
	}
	if !path.HasRoot() && in.Format == "regf" {
		k := in.root
		known := hive.Whole
		for _, part := range path {
			known = k.KeysKnown()
			if k = k.Key(part); k == nil {
				break
			}
		}
		if k == nil {
			c.noKey(in, name, known)
			return nil
		}
		return []subtree{{Tree: regfile.Tree{Root: k, At: in.Mount.Join(path...)}}}
	}
	var trees []subtree
	known := hive.Whole
	var link hive.Path
	for _, m := range in.reg.Find(path) {
		if m.Key != nil {
			trees = append(trees, subtree{regfile.Tree{Root: m.Key, At: m.Live}, m.Real})
			continue
		}
		known, link = m.Known, m.Link
	}
	if trees == nil && link != nil && known == hive.NotCovered {
		c.fail(statusUsage, "%s: the way to the key %s leads over the symbolic link %s, and the input does not hold what is behind it", displayName(in.Path), name, link)
		return nil
	}
	if trees == nil {
		c.noKey(in, name, known)
	}
	return trees
}

// noKey says that a key was not found, and what that means.
func (c *cli) noKey(in *input, name string, known hive.Known) {
	switch known {
	case hive.Whole:
		c.fail(statusUsage, "%s: there is no key %s", displayName(in.Path), name)
	case hive.NotCovered:
		c.fail(statusUsage, "%s: the input does not hold the key %s, nor one above it", displayName(in.Path), name)
	case hive.Damaged:
		c.fail(statusInput, "%s: the key %s was not found, but the input is damaged there, so that this proves nothing", displayName(in.Path), name)
	}
}
