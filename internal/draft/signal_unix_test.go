//go:build unix

package draft_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"regvet/internal/draft"
)

// TestMain runs the tests, or in a child process what the test wants from it.
func TestMain(m *testing.M) {
	do, ok := children[os.Getenv("DRAFT_TEST_CHILD")]
	if !ok {
		os.Exit(m.Run())
	}
	defer draft.DiscardOnPanic()
	var all []*draft.File
	for _, name := range []string{"old", "fresh", "other"} {
		f, err := draft.Create(name)
		if err != nil {
			panic(err)
		}
		f.Write(bytes.Repeat([]byte("new"), 1<<15)) // more than is buffered
		all = append(all, f)
	}
	do(all)
}

// children are what child processes do with some files that are open. Each ends the process.
var children = map[string]func(all []*draft.File){
	"wait": func([]*draft.File) {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		draft.Exit(3)
	},
	"exit":  func([]*draft.File) { draft.Exit(3) },
	"panic": func([]*draft.File) { panic("of the first goroutine") },
	"panic elsewhere": func([]*draft.File) {
		go func() {
			defer draft.DiscardOnPanic()
			panic("of another goroutine")
		}()
		select {}
	},
	"reader gone": func([]*draft.File) {
		io.Copy(io.Discard, os.Stdin) // it ends when the reader of standard output is gone
		_, err := fmt.Println("said to nobody")
		fmt.Fprintln(os.Stderr, errors.Is(err, syscall.EPIPE))
		draft.Exit(3)
	},
}

// child begins a child process in a folder.
func child(t *testing.T, dir, what string, before ...string) (cmd *exec.Cmd, stdin io.WriteCloser, stdout io.ReadCloser, stderr *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := append(before, self)
	cmd = exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "DRAFT_TEST_CHILD="+what)
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, out, stderr
}

// TestSignals ends a process that has files open, with each signal: the files are gone, what was there is as it was, and the shell sees
// the signal.
func TestSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		dir := folder(t, map[string]string{"old": "old"})
		cmd, _, stdout, stderr := child(t, dir, "wait")
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatalf("%q, %v", line, err)
		}
		if drafts, _ := filepath.Glob(filepath.Join(dir, "regvet-*.tmp")); len(drafts) != 3 {
			t.Errorf("drafts %q, want 3", drafts)
		}
		cmd.Process.Signal(s)
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != s || stderr.Len() > 0 {
			t.Errorf("%v: the process ended with %v and said %q", s, cmd.ProcessState, stderr)
		}
		holds(t, dir, "old: old")
	}
}

// TestIgnoredSignal requires that a process that was started to ignore a signal still does.
func TestIgnoredSignal(t *testing.T) {
	dir := folder(t, map[string]string{"old": "old"})
	cmd, stdin, stdout, _ := child(t, dir, "wait", "/bin/sh", "-c", `trap "" HUP; exec "$0"`)
	bufio.NewReader(stdout).ReadString('\n')
	cmd.Process.Signal(syscall.SIGHUP)
	stdin.Close()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 3 {
		t.Errorf("the process ended with %v, want its own status 3", cmd.ProcessState)
	}
	holds(t, dir, "old: old")
}

// TestEnds ends a process that has files open in the other ways.
func TestEnds(t *testing.T) {
	for what, want := range map[string]struct {
		status int
		says   string
	}{
		"exit":            {3, ""},
		"panic":           {2, "panic: of the first goroutine"},
		"panic elsewhere": {2, "panic: of another goroutine"},
		"reader gone":     {3, "true\n"},
	} {
		dir := folder(t, map[string]string{"old": "old"})
		cmd, stdin, stdout, stderr := child(t, dir, what)
		stdout.Close()
		stdin.Close()
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != want.status || !strings.HasPrefix(stderr.String(), want.says) || want.says == "" && stderr.Len() > 0 {
			t.Errorf("%s: status %d, want %d; it says %q, want %q", what, got, want.status, stderr, want.says)
		}
		holds(t, dir, "old: old")
	}
}
