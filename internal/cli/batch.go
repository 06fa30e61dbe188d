package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/semaphore"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/draft"
	"regvet/report"
)

// memoryForInputs is how many bytes of inputs all workers together hold at a time: the size of the largest possible hive. A larger input
// waits until no other is held.
const memoryForInputs = 2 << 30

// waiting is how many results may wait for an earlier one. They are small, because their inputs have been released.
const waiting = 64

// groups returns the inputs that the arguments name. A folder stands for the hives and .reg files in it. If machines is set, the hives of one
// machine form one group. All files, and the logs beside them, are protected.
func groups(s *session, args []string, machines bool) []collection.Group {
	onlyOnce(s, args)
	all := groupsBut(s, args, machines, func(collection.Group) bool { return false })
	s.sayIfNone(s.files.Share, len(all), "machines")
	return all
}

// sayIfNone says that a share has none of some things.
func (s *session) sayIfNone(share collection.Share, n int, things string) {
	if n == 0 && share.Of > 0 {
		s.say("share %d of %d is empty: there are fewer %s", share.Number, share.Of, things)
	}
}

// groupsBut is groups without those that are to be left out, which are not protected.
func groupsBut(s *session, args []string, machines bool, leaveOut func(collection.Group) bool) (all []collection.Group) {
	for _, arg := range args {
		all = append(all, s.listed(arg, collection.List(s.files, arg), machines, leaveOut)...)
	}
	return all
}

// listed returns the inputs in a list of what a name stands for, see [groupsBut]. It writes what was passed over, and notes the images and archives.
func (s *session) listed(name string, list iter.Seq[collection.Group], machines bool, leaveOut func(collection.Group) bool) (all []collection.Group) {
	for g := range list {
		if g.Passed != "" {
			passed := fmt.Sprintf("%s: passed over: %s", collection.DisplayName(name), g.Passed)
			s.say("%s", passed)
			s.passedOver = append(s.passedOver, passed)
			continue
		}
		if g.Container != nil {
			s.containers = append(s.containers, g.Container)
			continue
		}
		if leaveOut(g) {
			continue
		}
		for _, f := range g.Files {
			s.files.Protect(f.Path)
			s.files.Protect(f.Logs...)
		}
		if machines {
			all = append(all, g)
		} else {
			all = append(all, g.Apart()...)
		}
	}
	return all
}

// earlier returns the states of an earlier time for which the flags ask.
func earlier(regback, vss bool) (states []collection.State) {
	if regback {
		states = append(states, collection.RegBack)
	}
	if vss {
		states = append(states, collection.Shadow)
	}
	return states
}

// asked leaves out the files that are of an earlier time, unless of one of these states. It says in one line for each kind that they are there, and
// how the command, of which does is the verb, takes them.
func asked(s *session, states []collection.State, does string, all []collection.Group) []collection.Group {
	asked := s.leaveOut(states, all)
	for _, left := range s.leftOut {
		s.sayLeftOut(does, left)
	}
	return asked
}

// leaveOut leaves out the files that are of an earlier time, unless of one of these states, and notes them.
func (s *session) leaveOut(states []collection.State, all []collection.Group) (asked []collection.Group) {
	left, turns := map[collection.State][]collection.File{}, map[collection.State]int{}
	for _, g := range all {
		if state := g.State(); state == "" || slices.Contains(states, state) {
			asked = append(asked, g)
		} else {
			if left[state] == nil {
				turns[state] = g.Turn
			}
			left[state] = append(left[state], g.Files...)
		}
	}
	for _, state := range []collection.State{collection.RegBack, collection.Shadow} {
		if files := left[state]; len(files) > 0 {
			s.leftOut = append(s.leftOut, report.LeftOut{State: state, Files: len(files), First: files[0].Path, Turn: turns[state]})
		}
	}
	return asked
}

// sayLeftOut says in a line what was left out, and how the command, of which does is the verb, takes it.
func (s *session) sayLeftOut(does string, left report.LeftOut) {
	one, more, hint := "a backup of a hive", "backups of hives", "--regback "+does+"s"
	if left.State == collection.Shadow {
		one, more, hint = "in a shadow copy or restore point", "in shadow copies or restore points", "name the file or its folder to "+does
	}
	if left.Files == 1 {
		s.say("%s is %s of an earlier time, and is not %sed; %s it", left.First, one, does, hint)
	} else {
		s.say("%d files like %s are %s of an earlier time, and are not %sed; %s them", left.Files, left.First, more, does, hint)
	}
}

// shadows returns how many shadow copies there are in the images that were opened.
func (s *session) shadows() (n int) {
	for _, c := range s.containers {
		if c.Image == nil {
			continue
		}
		for _, v := range c.Volumes {
			stores, _ := v.Shadows() // that they cannot be read is a problem of those who ask for them
			n += len(stores)
		}
	}
	return n
}

// groupResult is what a run has of a group.
type groupResult[T any] struct {
	group   collection.Group
	results []T
	status  int            // what the group makes of the exit status, without what done makes of the results
	refused []hive.Problem // what of it could not be read at all
}

// each opens groups, calls use for each registry in them, and calls done with the results of each group, one at a time and in the order of the groups. A
// group is released after use, so that memory does not grow with their number. What is wrong with the images and archives of the groups is told first.
func each[T any](s *session, groups []collection.Group, flags *inputFlags, o collection.Options, how batch, use func(*session, collection.Joined) []T, done func(groupResult[T])) {
	s.problemsOfContainers()
	room := semaphore.NewWeighted(memoryForInputs)
	o.Memory = memoryForInputs
	read := func(s *session, g collection.Group) (all []T) {
		opened, refused := g.Open(s.files, o)
		s.refuseAll(refused)
		for _, together := range opened {
			if flags.chooseControlSet(s, together) {
				all = append(all, use(s, together)...)
			}
		}
		return all
	}
	work := func(s *session, g collection.Group) groupResult[T] {
		size := g.Size(s.files, o)
		if size < 0 || size > memoryForInputs {
			size = memoryForInputs
		}
		_ = room.Acquire(context.Background(), size) // fails only when the context ends
		defer room.Release(size)
		all := read(s, g)
		if size > memoryForInputs/8 {
			debug.FreeOSMemory() // else what was read would still be there when the next is read
		}
		return groupResult[T]{g, all, s.status, s.refused}
	}
	inOrder(s, groups, how, work, done)
}

// batch says how things are worked on. The zero batch is for results that are shown at the end.
type batch struct {
	live bool // each result is shown at once
	one  bool // one thing at a time, for work that writes its result itself
}

// mostAlike is how many images and archives that have the same problem are told with a line each.
const mostAlike = 100

// problemsOfContainers writes what is wrong with images and archives, of which a folder can hold thousands.
func (s *session) problemsOfContainers() {
	alike := map[string]int{}
	for _, c := range s.containers {
		for _, p := range c.Problems {
			if alike[p.Msg]++; alike[p.Msg] > mostAlike {
				continue
			}
			s.problems([]hive.Problem{p})
			if p.Loss {
				p.Source = cmp.Or(p.Source, c.Place)
				s.lost = append(s.lost, p)
			}
		}
	}
	for _, msg := range slices.Sorted(maps.Keys(alike)) {
		if more := alike[msg] - mostAlike; more > 0 {
			s.say("the same is true of %d other images and archives: %s", more, msg)
		}
	}
}

// inOrder calls work for things, as many at a time as there are processors, and calls done with the results, one at a time and in the order of
// the things. Messages about a thing are written in its turn.
func inOrder[T, R any](s *session, things []T, how batch, work func(*session, T) R, done func(R)) {
	type result struct {
		value    R
		messages bytes.Buffer
		session  session
	}
	one := func(thing T) *result {
		defer draft.DiscardOnPanic()
		r := &result{session: session{command: s.command, files: s.files, stdout: s.stdout}}
		r.session.stderr = &r.messages
		r.value = work(&r.session, thing)
		return r
	}
	queue := make(chan chan *result, waiting)
	most := runtime.GOMAXPROCS(0)
	if how.one {
		most = 1
	}
	workers := make(chan struct{}, most)
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
	bar := newBar(s, len(things), how.live)
	for place := range queue {
		r := <-place
		bar.write(s.stderr, r.messages.Bytes())
		s.raise(r.session.status)
		s.refused = append(s.refused, r.session.refused...)
		done(r.value)
	}
	bar.finish()
}
