package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"runtime/debug"
	"time"

	"regvet/hive/collection"
	"regvet/internal/cli"
	"regvet/internal/memory"
)

// childWord is the first and only argument of a process of a [pool].
const childWord = "child-of-a-worker"

// setup is what the processes of a pool are to do.
type setup struct {
	Args     []string // the command line of this program
	Children int      // how many processes there are
	Memory   int64    // the most that each may take, in bytes
	Time     time.Duration
}

// request asks a process to list an input, or to check a unit. Names need not be UTF-8, so both are bytes.
type request struct {
	List  []byte `json:",omitempty"`
	Check []byte `json:",omitempty"` // the binary form
}

// Marks are the lines of an answer that are no lines of a result: one when the request was read, one for each unit in a list, and one at the end.
type mark struct {
	Begun bool        `json:"begun,omitempty"`
	Unit  *listed     `json:"unit,omitempty"`
	End   *cli.Answer `json:"end,omitempty"`
}

// listed is a unit in a list.
type listed struct {
	Name string // for people
	Data []byte // the binary form
}

// serve is a process of a pool: it answers requests until there are no more, and returns the exit status. Its first line is a [setup].
func serve(in io.Reader, out io.Writer) int {
	from := json.NewDecoder(in)
	var s setup
	if err := from.Decode(&s); err != nil {
		return statusUsage
	}
	limit(s.Memory)
	debug.SetMemoryLimit(s.Memory - s.Memory/8) // collect sooner near the limit
	memory.Prepare()
	o := &options{args: s.Args}
	return o.program().Run(s.Args, io.Discard, os.Stderr, func(c *cli.Checker) int {
		to := bufio.NewWriterSize(out, 1<<16)
		lines := json.NewEncoder(to)
		lines.SetEscapeHTML(false)
		end := func(a cli.Answer) bool { return lines.Encode(mark{End: &a}) == nil && to.Flush() == nil }
		for ready := end(cli.Answer{}); ready; {
			var r request
			if from.Decode(&r) != nil {
				return 0 // the worker is gone, or needs nothing more
			}
			if lines.Encode(mark{Begun: true}) != nil || to.Flush() != nil {
				return statusUsage
			}
			a, err := answer(c, r, to, lines)
			ready = err == nil && end(a)
		}
		return statusUsage
	})
}

// answer writes the answer to a request, without its end. The error is one of writing.
func answer(c *cli.Checker, r request, to io.Writer, lines *json.Encoder) (a cli.Answer, err error) {
	if r.Check == nil {
		return a, c.Units(string(r.List), func(u collection.Unit) error {
			data, err := u.MarshalBinary()
			if err == nil {
				err = lines.Encode(mark{Unit: &listed{u.Name, data}})
			}
			return err
		})
	}
	var u collection.Unit
	if err := u.UnmarshalBinary(r.Check); err != nil {
		return a, err
	}
	return c.Check(to, u)
}
