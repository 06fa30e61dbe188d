package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportOfFileThatShrinks tells what an export says of a hive that somebody writes to in the meantime, and that no file is left that
// looks like a result.
func TestExportOfFileThatShrinks(t *testing.T) {
	for _, format := range []string{"reg", "jsonl"} {
		name := largeSystem(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan int64)
		go func() { // the export cannot end before that reads
			head := make([]byte, 1<<12)
			io.ReadFull(r, head)
			os.Truncate(name, 1<<16)
			n, _ := io.Copy(io.Discard, r)
			read <- n
		}()
		var messages bytes.Buffer
		status := run([]string{"export", "--format", format, name}, nil, w, &messages)
		w.Close()
		if n := <-read; n == 0 || status != 3 || messages.String() != "regvet: "+name+": changed while it was read; copy it and give the copy\n" {
			t.Errorf("%s: status %d, %d bytes, %q", format, status, n, messages.String())
		}
		r.Close()
	}
}

// TestExportOfFileThatShrinksIntoFile tells the same of a result in a file: there is none.
func TestExportOfFileThatShrinksIntoFile(t *testing.T) {
	name := largeSystem(t)
	out := filepath.Join(filepath.Dir(name), "out.reg")
	// The draft of the result lies in a folder that is watched until it is there.
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if names, _ := filepath.Glob(out + ".*.tmp"); len(names) > 0 {
				os.Truncate(name, 1<<16)
				return
			}
		}
	}()
	var messages bytes.Buffer
	status := run([]string{"export", "-o", out, name}, nil, io.Discard, &messages)
	<-done
	left, _ := filepath.Glob(out + "*")
	if status != 3 || len(left) > 0 || !strings.Contains(messages.String(), "changed while it was read") {
		t.Errorf("status %d, %q, and there are %q", status, messages.String(), left)
	}
}
