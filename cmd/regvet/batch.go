package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	"regvet/cmd/regvet/internal/draft"
	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
)

// source is a file to be read.
type source struct {
	path string
	logs []string // those of a hive, when they are known already
	user string   // whose profile it is, by the name of its folder
	err  error    // why it cannot be read, when that is known already
}

// unit is what is read as one: an input by itself, or the hives of one machine.
type unit struct {
	machine string // what it is called; "" for an input by itself
	files   []source
}

// waiting is how many results may wait for an earlier one: they are small, what was read for them is forgotten.
const waiting = 64

// each reads units, has use make of each what is to be reported, and gives that to done, one by one in the order of the units. A unit is
// forgotten once it was used, so that memory does not grow with their number.
func (c *cli) each(units []unit, use func(*cli, []*input) []report.Input, done func(report.Input)) {
	if len(units) > 1 {
		debug.SetGCPercent(100) // from the second input on there is garbage of the first
	}
	read := func(c *cli, u unit) (all []report.Input) {
		for _, together := range c.loadUnit(u) {
			all = append(all, use(c, together)...)
		}
		return all
	}
	inOrder(c, units, read, func(all []report.Input) {
		for _, in := range all {
			done(in)
		}
	})
}

// inOrder works on things, as many at a time as there are processors, and gives the results to done one by one, in the order of the things.
// What has to be said of one is said in its turn, too.
func inOrder[T, R any](c *cli, things []T, work func(*cli, T) R, done func(R)) {
	type result struct {
		value    R
		messages bytes.Buffer
		refused  []hive.Problem
		status   int
	}
	fresh := *c
	one := func(thing T) *result {
		defer draft.DiscardOnPanic()
		var r result
		w := fresh
		w.stderr, w.status, w.refused = &r.messages, statusDone, nil
		r.value = work(&w, thing)
		r.status, r.refused = w.status, w.refused
		return &r
	}
	queue := make(chan chan *result, waiting)
	workers := make(chan struct{}, runtime.GOMAXPROCS(0))
	go func() {
		for _, thing := range things {
			place := make(chan *result, 1)
			queue <- place
			workers <- struct{}{}
			go func() {
				place <- one(thing)
				<-workers
			}()
		}
		close(queue)
	}()
	bar := c.newBar(len(things))
	for place := range queue {
		r := <-place
		bar.write(c.stderr, r.messages.Bytes())
		c.raise(r.status)
		c.refused = append(c.refused, r.refused...)
		done(r.value)
	}
	bar.finish()
}

// expand gives the inputs of the command line, with the hives and .reg files of a folder in its place. The hives of one machine come
// together when machines is set, unless the flags say where each hive is mounted.
func (c *cli) expand(machines bool) []unit {
	var units []unit
	for i, arg := range c.args {
		if arg == "-" && slices.Contains(c.args[:i], arg) {
			c.fail(statusUsage, "standard input can be read only once")
			continue
		}
		if info, err := os.Stat(arg); arg == "-" || err != nil || !info.IsDir() {
			units = append(units, unit{files: []source{{path: arg}}}) // if there is something wrong with it, reading it will tell
			continue
		}
		found := false
		for in, err := range collection.Find(os.DirFS(arg)) {
			found = true
			if err != nil {
				err = fmt.Errorf("cannot be read: %v", hive.Cause(err))
			}
			var u unit
			for _, f := range in.Files {
				s := source{path: inFolder(arg, f.Path), logs: []string{}, user: f.User, err: err}
				for _, log := range f.Logs {
					s.logs = append(s.logs, inFolder(arg, log))
				}
				u.files = append(u.files, s)
			}
			if in.Machine != "" && machines && c.mount == "" {
				u.machine = inFolder(arg, in.Machine)
				units = append(units, u)
				continue
			}
			for _, s := range u.files {
				units = append(units, unit{files: []source{s}})
			}
		}
		if !found {
			units = append(units, unit{files: []source{{path: arg, err: errors.New("the folder holds no hive and no .reg file")}}})
		}
	}
	c.args = nil
	for _, u := range units {
		for _, s := range u.files {
			c.args = append(append(c.args, s.path), s.logs...) // none of them may be the output
		}
	}
	return units
}

// inFolder is the path of a file that was found in a folder.
func inFolder(folder, name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }

// loadUnit reads the files of a unit. It gives what is to be judged together: usually all of it, and nothing when nothing could be
// read. A hive whose content says that it is another one than its name says, of which the machine has one already, is by itself.
func (c *cli) loadUnit(u unit) [][]*input {
	var machine []*input
	var all [][]*input
	for _, s := range u.files {
		if s.err != nil {
			c.refuse(s.path, s.err)
			continue
		}
		in := c.loadSource(s)
		if in != nil && u.machine != "" && hive.KnownName(s.path) == "DEFAULT" && in.Mount.Equal(userPath) {
			// It has the keys of a user's hive, and only its name tells that it is that of no user.
			in.Mount, in.MountBy = hive.ParsePath(`HKU\.DEFAULT`), "keys and file name"
		}
		switch {
		case in == nil:
		case u.machine != "" && !slices.ContainsFunc(machine, func(other *input) bool { return other.Mount.Equal(in.Mount) && other.user == in.user }):
			machine = append(machine, in)
		default:
			all = append(all, []*input{in})
		}
	}
	if len(machine) > 0 {
		join(u.machine, machine)
		all = slices.Insert(all, 0, machine)
	}
	return slices.DeleteFunc(all, func(together []*input) bool { return !c.choose(together) })
}

// join gives hives of one machine one registry, with the users below HKEY_USERS: under their SIDs where the SOFTWARE hive tells
// them, else under the names of the folders of their profiles.
func join(machine string, hives []*input) {
	profiles := hive.NewRegistry()
	for _, in := range hives {
		if in.user == "" {
			profiles.Mount(in.Mount, in.root)
		}
	}
	sids := profiles.Profiles()
	reg := hive.NewRegistry()
	for _, in := range hives {
		if in.user != "" && in.Mount.HasPrefix(userPath) {
			in.Mount = hive.ParsePath("HKU").Join(cmp.Or(sids[hive.Fold(in.user)], in.user)).Join(in.Mount[len(userPath):]...)
			in.MountBy += " and the folder of the profile"
		}
	}
	// UsrClass.dat goes below NTUSER.DAT, where Windows has a link to it.
	for _, in := range slices.SortedStableFunc(slices.Values(hives), func(a, b *input) int { return cmp.Compare(len(a.Mount), len(b.Mount)) }) {
		reg.Mount(in.Mount, in.root)
		// Without UsrClass.dat nothing is known of what is behind that link, which no file holds.
		if software := in.root.Key("Software"); in.user != "" && len(in.Mount) == 2 && software != nil && software.Key("Classes") == nil {
			reg.Mount(in.Mount.Join("Software", "Classes"), hive.NewImpliedKey("Classes"))
		}
	}
	name := &report.Machine{Name: machine, Hives: len(hives)}
	for _, in := range hives {
		in.reg, in.Machine = reg, name
	}
}

// choose makes CurrentControlSet the set that the flags choose. It tells whether that is there.
func (c *cli) choose(together []*input) bool {
	set := c.parsedControlSet
	if set == "" {
		return true
	}
	reg := together[0].reg.WithControlSet(set)
	for _, in := range together {
		in.reg = reg
	}
	return set == hive.AllControlSets || c.hasControlSet(holder(together, systemPath), set)
}

// holder gives the input that holds a key, or would hold it; the first one when none does.
func holder(together []*input, key hive.Path) *input {
	best := together[0]
	for _, in := range together {
		if key.HasPrefix(in.Mount) && (!key.HasPrefix(best.Mount) || len(in.Mount) > len(best.Mount)) {
			best = in
		}
	}
	return best
}
