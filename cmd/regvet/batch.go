package main

import (
	"bytes"
	"context"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/semaphore"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/draft"
)

// memoryForInputs is how many bytes of inputs all workers together hold at a time: the size of the largest possible hive. A larger input
// waits until no other is held.
const memoryForInputs = 2 << 30

// waiting is how many results may wait for an earlier one. They are small, because their inputs have been released.
const waiting = 64

// groups returns the inputs that the arguments name. A folder stands for the hives and .reg files in it. If machines is set, the hives of one
// machine form one group. All files, and the logs beside them, are protected.
func groups(s *session, args []string, machines bool) (all []collection.Group) {
	onlyOnce(s, args)
	for _, arg := range args {
		for g := range collection.List(s.files, arg) {
			if g.Passed != "" {
				s.say("%s: passed over: %s", collection.DisplayName(arg), g.Passed)
				continue
			}
			if g.Container != nil {
				s.containers = append(s.containers, g.Container)
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
	}
	return all
}

// each opens groups, calls use for each registry in them, and calls done with each result, one at a time and in the order of the groups. A group
// is released after use, so that memory does not grow with their number. With live, done shows each result at once. What is wrong with the images
// and archives of the groups is told first.
func each[T any](s *session, groups []collection.Group, flags *inputFlags, o collection.Options, live bool, use func(*session, collection.Joined) []T, done func(T)) {
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
	work := func(s *session, g collection.Group) []T {
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
		return all
	}
	inOrder(s, groups, live, work, func(all []T) {
		for _, result := range all {
			done(result)
		}
	})
}

// mostAlike is how many images and archives that have the same problem are told with a line each.
const mostAlike = 100

// problemsOfContainers writes what is wrong with images and archives, of which a folder can hold thousands.
func (s *session) problemsOfContainers() {
	alike := map[string]int{}
	for _, c := range s.containers {
		for _, p := range c.Problems {
			if alike[p.Msg]++; alike[p.Msg] <= mostAlike {
				s.problems([]hive.Problem{p})
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
func inOrder[T, R any](s *session, things []T, live bool, work func(*session, T) R, done func(R)) {
	type result struct {
		value    R
		messages bytes.Buffer
		session  session
	}
	one := func(thing T) *result {
		defer draft.DiscardOnPanic()
		r := &result{session: session{files: s.files, stdout: s.stdout}}
		r.session.stderr = &r.messages
		r.value = work(&r.session, thing)
		return r
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
	bar := newBar(s, len(things), live)
	for place := range queue {
		r := <-place
		bar.write(s.stderr, r.messages.Bytes())
		s.raise(r.session.status)
		s.refused = append(s.refused, r.session.refused...)
		done(r.value)
	}
	bar.finish()
}
