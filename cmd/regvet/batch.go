package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
)

// each reads the inputs of the command line, as many at a time as there are processors, has use make of each what is to be reported,
// and gives that to done, one by one in the order of the inputs. An input is forgotten once it was used, so that memory does not
// grow with their number. What has to be said of an input is said in its turn, too.
func (c *cli) each(use func(*cli, *input) report.Input, done func(report.Input)) {
	c.args = c.expand()
	if len(c.args) > 1 {
		debug.SetGCPercent(100) // from the second input on there is garbage of the first
	}
	type result struct {
		report   *report.Input // nil when it could not be read
		messages bytes.Buffer
		status   int
	}
	alone := *c // of which each input gets a copy, with messages and a status of its own
	read := func(path string) *result {
		var r result
		w := alone
		w.stderr, w.status = &r.messages, statusDone
		if in := w.load(path); in != nil {
			used := use(&w, in)
			r.report = &used
		}
		r.status = w.status
		return &r
	}
	queue := make(chan chan *result, max(runtime.GOMAXPROCS(0)-1, 1)) // as long as there are inputs being read
	go func() {
		for _, path := range c.args {
			one := make(chan *result, 1)
			queue <- one
			go func() { one <- read(path) }()
		}
		close(queue)
	}()
	for one := range queue {
		r := <-one
		c.stderr.Write(r.messages.Bytes())
		c.raise(r.status)
		if r.report != nil {
			done(*r.report)
		}
	}
}

// expand gives the arguments with the hives and .reg files of a folder in its place.
func (c *cli) expand() []string {
	var paths []string
	for _, arg := range c.args {
		if info, err := os.Stat(arg); arg == "-" || err != nil || !info.IsDir() {
			paths = append(paths, arg) // if there is something wrong with it, reading it will tell
			continue
		}
		found := 0
		for name, err := range collection.Find(os.DirFS(arg)) {
			path := filepath.Join(arg, filepath.FromSlash(name))
			if err != nil {
				c.fail(statusInput, "%s: cannot be read: %v", path, hive.Cause(err))
				continue
			}
			paths = append(paths, path)
			found++
		}
		if found == 0 {
			c.fail(statusInput, "%s: the folder holds no hive and no .reg file", arg)
		}
	}
	return paths
}
