package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"regvet/internal/cli"
	"regvet/report"
)

// pool is some processes of this program that read inputs. Each is started when it is first needed, and again after it was ended.
type pool struct {
	setup setup
	first []byte // that, as a line for a process
	idle  chan *child
	// checker returns a checker with the rules, for the process that has the pool.
	checker func() (*cli.Checker, error)
}

// pools has the pool of this process for each setup, of which there is one in a pipeline.
var pools struct {
	sync.Mutex
	of map[string]*pool
}

// poolOf returns the pool of this process for a setup.
func poolOf(s setup) *pool {
	first, err := json.Marshal(s)
	if err != nil {
		panic(err) // of strings and numbers
	}
	pools.Lock()
	defer pools.Unlock()
	p := pools.of[string(first)]
	if p == nil {
		p = &pool{setup: s, first: first, idle: make(chan *child, s.Children), checker: sync.OnceValues(s.checker)}
		for range s.Children {
			p.idle <- nil // which is yet to be started
		}
		if pools.of == nil {
			pools.of = map[string]*pool{}
		}
		pools.of[string(first)] = p
	}
	return p
}

// checker makes a checker of the command line.
func (s setup) checker() (made *cli.Checker, err error) {
	var said bytes.Buffer
	o := &options{args: s.Args}
	o.program().Run(s.Args, io.Discard, &said, func(c *cli.Checker) int {
		made = c
		return 0
	})
	if made == nil {
		return nil, fmt.Errorf("the rules cannot be loaded here: %s", bytes.TrimSpace(said.Bytes()))
	}
	return made, nil
}

// endPools ends the processes of all pools that are idle.
func endPools() {
	pools.Lock()
	defer pools.Unlock()
	for _, p := range pools.of {
		for range len(p.idle) {
			if c := <-p.idle; c != nil {
				c.stdin.Close()
				_ = c.command.Wait() // it has answered all
			}
		}
	}
	pools.of = nil
}

// child is a process of a pool.
type child struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	lines   *bufio.Scanner // of its answers
	stderr  *tail
	slow    atomic.Bool // it was ended because it took too long
	deaf    bool        // it ended before it read what it was asked
}

// death is why a process did not answer.
type death struct{ kind, reason string }

func (d *death) Error() string { return d.reason }

// start starts a process, and waits until it has loaded the rules.
func (p *pool) start() (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, &death{"start", "a process cannot be started: " + err.Error()}
	}
	c := &child{command: exec.Command(self, childWord), stderr: &tail{}}
	c.command.Env = append(os.Environ(), "GOTRACEBACK=none") // so that the reason is not among thousands of lines
	c.command.Stderr = c.stderr
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, &death{"start", "a process cannot be started: " + err.Error()}
	}
	out, err := c.command.StdoutPipe()
	if err == nil {
		err = c.command.Start()
	}
	if err != nil {
		return nil, &death{"start", "a process cannot be started: " + err.Error()}
	}
	c.lines = bufio.NewScanner(out)
	c.lines.Buffer(make([]byte, 1<<16), report.MostLine)
	if _, err := c.ask(p, p.first, 0, func([]byte) error { return errors.New("an answer before it was asked") }); err != nil {
		return nil, err
	}
	return c, nil
}

// ask asks a process of the pool, calls take with each line of the answer but the last, and returns that. The error is a [death], or one of take, after
// which what was taken is worthless, too.
func (p *pool) ask(r request, most time.Duration, take func([]byte) error) (a cli.Answer, err error) {
	line, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	c := <-p.idle
	defer func() { p.idle <- c }()
	if c != nil {
		if a, err = c.ask(p, line, most, take); err == nil {
			return a, nil
		}
		if !c.deaf {
			c = nil
			return a, err
		}
	}
	if c, err = p.start(); err == nil { // or again, because what ended a process that was idle is not the input's fault
		if a, err = c.ask(p, line, most, take); err == nil {
			return a, nil
		}
	}
	c = nil
	return a, err
}

// nonsense is the error that an answer is none that a process of a pool makes.
type nonsense string

func (n nonsense) Error() string { return string(n) }

// ask is that of the pool. If it returns an error, the process has ended. The longest time of zero is no limit.
func (c *child) ask(p *pool, request []byte, most time.Duration, take func([]byte) error) (a cli.Answer, err error) {
	inTime := func() bool { return true }
	if most > 0 {
		inTime = time.AfterFunc(most, func() {
			c.slow.Store(true)
			_ = c.command.Process.Kill() // fails if it has ended
		}).Stop
	}
	defer func() { inTime() }()
	_, err = c.stdin.Write(append(request, '\n')) // if it fails, the process has ended, and so has its answer
	heard := false
	for err == nil && c.lines.Scan() {
		line := c.lines.Bytes()
		if !heard {
			if heard = true; bytes.HasPrefix(line, []byte(`{"begun":`)) {
				continue
			}
		}
		if !bytes.HasPrefix(line, []byte(`{"end":`)) {
			if err = take(line); err == nil {
				continue
			}
			break
		}
		var m mark
		if json.Unmarshal(line, &m) != nil || m.End == nil {
			err = nonsense("an end that is none")
			break
		}
		if !inTime() {
			break // it is ended, although it has answered
		}
		return *m.End, nil
	}
	if err == nil {
		err = c.lines.Err()
	}
	_ = c.command.Process.Kill() // fails if it has ended
	c.stdin.Close()
	waited := c.command.Wait()
	c.deaf = !heard && !c.slow.Load()
	return a, c.why(p, err, waited, most)
}

// why says why a process that has ended did not answer. err is what was wrong before that, and waited what the system says.
func (c *child) why(p *pool, err, waited error, most time.Duration) error {
	wrong, isNonsense := errors.AsType[nonsense](err)
	exit, _ := errors.AsType[*exec.ExitError](waited)
	switch {
	case c.slow.Load():
		return &death{"time", fmt.Sprintf("ran longer than %s; --time allows more", most)}
	case isNonsense || errors.Is(err, bufio.ErrTooLong):
		if !isNonsense {
			wrong = "a line without end"
		}
		return &death{"nonsense", fmt.Sprintf("its process answered with %s, and was ended", string(wrong))}
	case c.stderr.has("out of memory", "cannot allocate memory", "failed to create new OS thread", "pthread_create failed"):
		return &death{"memory", fmt.Sprintf("needed more memory than %s; --memory allows more", new(size(p.setup.Memory)))}
	case err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed):
		return err
	case exit == nil:
		return &death{"exit", "its process ended without an answer"}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &death{"signal", fmt.Sprintf("its process was ended from outside: %s", status.Signal())}
	}
	return &death{"exit", strings.TrimSuffix(fmt.Sprintf("its process ended with %s: %s", exit, c.stderr.line()), ": ")}
}

// mostSaid is how many bytes are kept of what a process writes to standard error.
const mostSaid = 16 << 10

// tail keeps the start and the end of what is written to it.
type tail struct{ start, end []byte }

func (t *tail) Write(data []byte) (int, error) {
	n := min(len(data), mostSaid-len(t.start))
	t.start = append(t.start, data[:n]...)
	t.end = append(t.end, data[n:]...)
	if more := len(t.end) - mostSaid; more > 0 {
		t.end = append(t.end[:0], t.end[more:]...)
	}
	return len(data), nil
}

// has reports whether one of these texts was written.
func (t *tail) has(texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return bytes.Contains(t.start, []byte(text)) || bytes.Contains(t.end, []byte(text))
	})
}

// line returns the line in which Go says why it ends a process, or else the last one.
func (t *tail) line() (last string) {
	for line := range strings.Lines(string(t.start) + string(t.end)) {
		line = strings.TrimSpace(line)
		for _, begin := range []string{"fatal error: ", "panic: ", "runtime: ", "runtime/cgo: "} {
			if strings.HasPrefix(line, begin) {
				return line
			}
		}
		if line != "" {
			last = line
		}
	}
	return last
}
