package main

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
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
)

// input is one input as the commands use it: what it is, and the registry that it gives.
type input struct {
	report.Input
	reg     *hive.Registry
	root    *hive.Key // of the hive, or a key above the roots that a .reg file names
	file    *hive.File
	text    *regfile.File
	ordered *ordered      // a .reg file that is not held in memory; reg and root are only what the way to a key needs
	user    string        // whose profile the hive is, by the name of its folder; "" when that is not known
	sha256  func() string // its hash in hex, which is computed beside the reading
	md5     func() string // likewise
}

// inputFlags are those that tell how an input is to be understood.
func inputFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.controlSet, "control-set", "current", "the `SET` that CurrentControlSet is: current, all, or a number")
	mountFlag(f, o)
	f.StringArrayVar(&o.logs, "log", nil, "apply this log `FILE` to a dirty hive, in place of those that lie beside it (repeatable)")
	noLogsFlag(f, o)
	codePageFlag(f, o)
}

// mountFlag tells where a hive belongs.
func mountFlag(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.mount, "mount", "", "the `PATH` at which Windows mounts the hive, for one that cannot tell, such as HKLM\\SYSTEM")
}

func noLogsFlag(f *pflag.FlagSet, o *options) {
	f.BoolVar(&o.noLogs, "no-logs", false, "read a dirty hive as it lies, without its logs")
}

// codePageFlag tells the code page of .reg files that are not UTF-16.
func codePageFlag(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.codePage, "codepage", "1252", "the ANSI code page `NUMBER` in which Windows reads .reg files that are not UTF-16")
}

// versionFlag tells the Windows version.
func versionFlag(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.windows, "windows", "", "the Windows `VERSION`, such as 6.1 or 10.0, where the input does not tell it")
}

// understand reads the values of the input flags. It tells whether they make sense.
func (c *cli) understand() bool {
	switch n, err := strconv.ParseUint(c.controlSet, 10, 16); {
	case c.controlSet == "current" || c.controlSet == "":
	case c.controlSet == "all":
		c.parsedControlSet = hive.AllControlSets
	case err == nil && 1 <= n && n <= 999:
		c.parsedControlSet = fmt.Sprintf("ControlSet%03d", n)
	default:
		c.fail(statusUsage, "--control-set cannot be %q; it is current, all, or a number from 1 to 999", c.controlSet)
	}
	if c.mount != "" {
		if !hive.ParsePath(c.mount).HasRoot() {
			c.fail(statusUsage, "--mount must start with a root of the registry, such as HKLM\\SYSTEM; %q does not", c.mount)
		}
	}
	if c.windows != "" {
		v, err := hive.ParseVersion(c.windows)
		if err != nil {
			c.fail(statusUsage, "--windows: %v", err)
		}
		c.parsedWindows = &v
	}
	page, err := regfile.ParseCodePage(c.codePage)
	if err != nil {
		c.fail(statusUsage, "--codepage: %v", err)
	}
	c.read.CodePage = page
	return c.status < statusUsage
}

// load reads an input. Where nothing can be read, it says why, raises the exit status and gives nil.
func (c *cli) load(path string) *input {
	in := c.loadSource(source{path: path})
	if in == nil || !c.choose([]*input{in}) {
		return nil
	}
	return in
}

// loadSource reads a file, which may be one of several that are to be understood together.
func (c *cli) loadSource(s source) *input {
	path := s.path
	data, err := c.bytes(path)
	if err != nil {
		c.refuse(path, err)
		return nil
	}
	in := &input{Input: report.Input{Path: path, Size: int64(len(data))}, user: s.user}
	if !c.withoutHash {
		in.sha256 = beside(sha256.New(), data)
	}
	if c.withMD5 {
		in.md5 = beside(md5.New(), data)
	}
	if hive.IsHive(data) {
		err = c.loadHive(in, data, s.logs)
	} else {
		err = c.loadText(in, data)
	}
	if err != nil {
		c.refuse(path, err)
		return nil
	}
	return in
}

// beside computes a hash while other things are done, and gives it in hex when it is asked for. It lets go of the data as soon as it
// can.
func beside(h hash.Hash, data []byte) func() string {
	sum := make(chan string, 1)
	go func() {
		h.Write(data) // never fails
		sum <- hex.EncodeToString(h.Sum(nil))
	}()
	return sync.OnceValue(func() string { return <-sum })
}

// bytes reads an input whole; "-" is standard input.
func (c *cli) bytes(path string) ([]byte, error) {
	switch {
	case path != "-" && c.mapped != nil:
		return c.mapped.Open(path)
	case path != "-":
		return hive.ReadFile(path)
	}
	data, err := io.ReadAll(io.LimitReader(c.stdin, hive.MaxSize+1))
	switch {
	case err != nil:
		return nil, &hive.Problem{Kind: hive.Unreadable, Msg: "cannot be read: " + err.Error()}
	case len(data) > hive.MaxSize:
		return nil, &hive.Problem{Kind: hive.Unreadable, Msg: fmt.Sprintf("is longer than any hive or .reg file; the limit is %d bytes", int64(hive.MaxSize))}
	}
	return data, nil
}

// refuse says why an input cannot be read.
func (c *cli) refuse(path string, err error) {
	named := hive.Problem{Kind: hive.Unreadable, Msg: err.Error()}
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		named = *p
	}
	named.Source = path
	c.refused = append(c.refused, named)
	named.Source = displayName(path)
	c.fail(statusInput, "%v", &named)
}

func displayName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// loadHive reads a hive. Its logs are looked for beside it when nobody did that before: beside is nil.
func (c *cli) loadHive(in *input, data []byte, beside []string) error {
	names := beside
	switch {
	case len(c.logs) > 0:
		names = c.logs
	case beside == nil:
		names = logsBeside(in.Path)
	}
	var logs []hive.Log
	if !c.noLogs && (hive.IsDirty(data) || len(c.logs) > 0) {
		for _, name := range names {
			log, err := hive.ReadFile(name)
			if err != nil {
				c.refuse(name, err)
				continue
			}
			logs = append(logs, hive.Log{Name: filepath.Base(name), Data: log})
		}
	}
	f, err := hive.Read(displayName(in.Path), data, logs...)
	if err != nil {
		return err
	}
	in.Format, in.file, in.root = "regf", f, f.Root()
	header := f.Header // a copy, which does not hold the whole hive in memory
	in.Header, in.Dirty, in.LogUse = &header, header.Dirty(), f.Logs
	for _, name := range names {
		in.Logs = append(in.Logs, filepath.Base(name))
	}
	in.Mount, in.MountBy = f.Mount()
	if c.mount != "" {
		in.Mount, in.MountBy = hive.ParsePath(c.mount), "flag --mount"
	}
	in.reg = hive.NewRegistry()
	if in.Mount != nil {
		in.reg.Mount(in.Mount, f.Root())
	}
	return nil
}

func (c *cli) loadText(in *input, data []byte) error {
	switch {
	case len(data) == 0:
		return &hive.Problem{Kind: hive.Truncated, Msg: "is empty"}
	case bytes.IndexFunc(data, func(r rune) bool { return r != 0 }) < 0:
		return &hive.Problem{Kind: hive.Truncated, Msg: "holds nothing but zeros; copy it again"}
	}
	// Text takes several times its size on its way to a tree, much of it only in passing: here garbage is worth its collection.
	debug.SetGCPercent(100)
	f, err := c.read.Parse(displayName(in.Path), data)
	if err != nil {
		return err
	}
	in.Format, in.text, in.root = "reg", f, f.Tree()
	in.Text, in.Edits = fmt.Sprintf("%s, %s", f.Version, f.Encoding), len(f.Edits)
	f.Edits = nil // the tree has all of it
	in.reg = hive.NewRegistry()
	in.reg.Mount(nil, in.root)
	return nil
}

var (
	systemPath = hive.ParsePath(`HKLM\SYSTEM`)
	userPath   = hive.ParsePath("HKCU")
)

// hasControlSet tells whether a control set that was asked for by number is there, and says which are when it is not.
func (c *cli) hasControlSet(in *input, set string) bool {
	m := in.reg.Find(systemPath.Join(set))[0]
	if m.Key != nil || m.Known != hive.Whole {
		return true
	}
	var names []string
	for _, s := range in.reg.WithControlSet(hive.AllControlSets).ControlSets() {
		names = append(names, s.Name)
	}
	c.fail(statusUsage, "%s: there is no %s; there is %s", displayName(in.Path), set, strings.Join(names, ", "))
	return false
}

// describe fills in what the registry tells about the machine.
func (c *cli) describe(in *input) {
	if c.parsedWindows != nil {
		product := in.reg.Windows().Product
		in.Windows = hive.Exactly(*c.parsedWindows)
		in.Windows.Product = product
		in.Windows.Evidence = []string{"version " + c.parsedWindows.String() + " from the flag --windows"}
	} else {
		in.Windows = in.reg.Windows()
	}
	in.Host = in.reg.Host()
	for _, s := range in.reg.ControlSets() {
		if s.Source != "" && (in.Machine == nil || in.Mount.Equal(systemPath)) {
			in.ControlSets = append(in.ControlSets, s)
		}
	}
}

// finish ends the use of an input that was described.
func (c *cli) finish(in *input) report.Input {
	in.SHA256 = in.sha256()
	c.sayProblems(in)
	return in.Input
}

// problems lists what was met so far.
func (in *input) problems() []hive.Problem {
	if in.file != nil {
		return in.file.Problems()
	}
	return in.text.Problems
}

// sayProblems writes all problems that were met in an input, each on a line of standard error.
func (c *cli) sayProblems(in *input) {
	in.Problems = in.problems()
	for _, p := range in.Problems {
		c.say("%v", &p)
		if p.Loss {
			c.raise(statusInput)
		}
	}
}

// logsBeside lists the transaction logs of a hive that lie in the same folder, whatever the case of their letters.
func logsBeside(path string) []string {
	if path == "-" {
		return nil
	}
	folder, base := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(folder, "."))
	if err != nil {
		return nil // the hive itself can be read all the same, without a listing of its folder
	}
	var logs []string
	for _, ext := range []string{".LOG", ".LOG1", ".LOG2"} {
		for _, e := range entries {
			if strings.EqualFold(e.Name(), base+ext) && !e.IsDir() {
				logs = append(logs, folder+e.Name())
			}
		}
	}
	return logs
}
