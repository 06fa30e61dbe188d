package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"regvet/hive"
)

// draft is a file that is being written beside the one it will become, so that none is ever half written.
type draft struct {
	*bufio.Writer
	file  *os.File
	final string // "" when the file is written in place
}

// newDraft begins a file that will be called name. What is no ordinary file, a device or a pipe, is written in place.
func newDraft(name string) (*draft, error) {
	if info, err := os.Stat(name); err == nil {
		if info.IsDir() {
			return nil, fmt.Errorf("it is a folder")
		}
		if !info.Mode().IsRegular() {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			return &draft{Writer: bufio.NewWriterSize(f, 1<<16), file: f}, err
		}
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, err
		}
	}
	beside := fmt.Sprintf("%s.%08x.tmp", name, rand.Uint32())
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	return &draft{bufio.NewWriterSize(f, 1<<16), f, name}, nil
}

// commit puts the file in its place.
func (d *draft) commit() error {
	err := d.Flush()
	if e := d.file.Close(); err == nil {
		err = e
	}
	if d.final == "" {
		return err
	}
	if err == nil {
		err = os.Rename(d.file.Name(), d.final)
	}
	if err != nil {
		os.Remove(d.file.Name())
	}
	return err
}

// discard gives the file up.
func (d *draft) discard() {
	d.file.Close()
	if d.final != "" {
		os.Remove(d.file.Name())
	}
}

// save writes a file whole or not at all. It says what went wrong, and tells whether all went well.
func (c *cli) save(name string, result func(io.Writer) error) bool {
	if c.isInput(name) {
		c.fail(statusUsage, "%s is an input, and inputs are never changed; choose another name for the output", name)
		return false
	}
	d, err := newDraft(name)
	if err == nil {
		if err = result(d); err != nil {
			d.discard()
		} else {
			err = d.commit()
		}
	}
	if err != nil {
		c.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
	}
	return err == nil
}

// isInput tells whether a name leads to one of the inputs.
func (c *cli) isInput(name string) bool {
	out, err := os.Stat(name)
	if err != nil {
		return false
	}
	for _, arg := range c.args {
		if in, err := os.Stat(arg); err == nil && os.SameFile(in, out) {
			return true
		}
	}
	return false
}

// write sends the result to the file of -o, or to standard output. It says what went wrong.
func (c *cli) write(result func(io.Writer) error) {
	if c.output != "" && c.output != "-" {
		c.save(c.output, result)
		return
	}
	out := bufio.NewWriterSize(c.stdout, 1<<16)
	err := result(out)
	if e := out.Flush(); err == nil {
		err = e
	}
	if err != nil {
		c.fail(statusUsage, "standard output cannot be written: %v", hive.Cause(err))
	}
}
