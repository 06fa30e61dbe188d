package main

import (
	"bytes"
	"io"
	"os"
	"runtime/debug"

	"regvet/hive"
)

// sparing makes garbage be collected as soon as there is much of it, for those who read a file piece by piece: what was read is garbage
// soon. It gives what ends that.
func sparing() (end func()) {
	percent, limit := debug.SetGCPercent(400), debug.SetMemoryLimit(40<<20)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// open opens a .reg file to be read piece by piece. One that is no file is read whole.
func (c *cli) open(path string) (text *io.SectionReader, close func() error, err error) {
	if text, close = c.openText(path); text != nil {
		return text, close, nil
	}
	data, err := c.bytes(path)
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), func() error { return nil }, err
}

// openText opens an input that can be read piece by piece, from any place: a file, also where standard input is one. It gives nil for all
// else; reading it whole tells what is wrong with it.
func (c *cli) openText(path string) (text *io.SectionReader, close func() error) {
	f, ok := c.stdin.(*os.File)
	close = func() error { return nil }
	if path != "-" {
		var err error
		f, err = os.Open(path)
		if ok = err == nil; ok {
			close = f.Close
		}
	}
	if !ok {
		return nil, nil
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() <= hive.MaxSize {
		if start, err := f.Seek(0, io.SeekCurrent); err == nil && start <= info.Size() {
			return io.NewSectionReader(f, start, info.Size()-start), close
		}
	}
	close()
	return nil, nil
}
