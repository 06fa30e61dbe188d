package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
)

const (
	blockSize = 64 << 10  // bytes that are kept together, and the least that are asked for
	mostAhead = 1 << 20   // bytes that are asked for where an object is read from one end to the other
	mostHeld  = 64 << 20  // bytes that are kept of all objects of a store
	direct    = 256 << 10 // bytes of a read that is not kept: the content of a large file, which is read once
	mostAsked = 16 << 20  // bytes that are asked for at once, so that an answer is not late because it is long
)

// errChanged is why nothing more can be read of an object that was opened.
var errChanged = errors.New("the object was replaced or deleted while it was read; read it again")

// blockID names a block of a version of an object.
type blockID struct {
	bucket, name, version string
	number                int64
}

// file is an open object.
type file struct {
	bucket *bucket
	info   *info

	mu sync.Mutex
	at int64 // of Read
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// Read implements [io.Reader].
func (f *file) Read(p []byte) (int, error) {
	f.mu.Lock()
	at := f.at
	f.mu.Unlock()
	n, err := f.ReadAt(p, at)
	if n > 0 && err == io.EOF {
		err = nil
	}
	f.mu.Lock()
	f.at = at + int64(n)
	f.mu.Unlock()
	return n, err
}

// Seek implements [io.Seeker].
func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.info.object.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, failed("seek", f.info.object.name, fs.ErrInvalid)
	}
	f.at = offset
	return offset, nil
}

// ReadAt implements [io.ReaderAt].
func (f *file) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, failed("read", f.info.object.name, fs.ErrInvalid)
	}
	if left := max(0, f.info.object.size-at); int64(len(p)) > left {
		p, err = p[:left], io.EOF
	}
	for n < len(p) {
		got, failure := f.part(p[n:], at+int64(n))
		if n += got; failure != nil {
			return n, failed("read", f.info.object.name, failure)
		}
	}
	return n, err
}

// part fills the beginning of p, all of which is there.
func (f *file) part(p []byte, at int64) (int, error) {
	number := at / blockSize
	if data, ok := f.bucket.held.Get(f.block(number)); ok {
		return copy(p, data[at%blockSize:]), nil
	}
	if len(p) >= direct {
		p = p[:min(len(p), mostAsked)]
		if err := f.ask(p, at); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	size := f.info.object.size
	least := (at%blockSize + int64(len(p)) + blockSize - 1) / blockSize
	blocks := min(max(least, f.run(number)), (size+blockSize-1)/blockSize-number)
	start := number * blockSize
	data := make([]byte, min(blocks*blockSize, size-start))
	if err := f.ask(data, start); err != nil {
		return 0, err
	}
	for i := range blocks {
		one := data[i*blockSize : min((i+1)*blockSize, int64(len(data)))]
		f.bucket.held.Add(f.block(number+i), bytes.Clone(one), len(one))
	}
	return copy(p, data[at-start:]), nil
}

// run returns how many blocks before one were read, one after the other, up to a limit: so many are then worth reading ahead. Several who read at several
// places do not disturb each other.
func (f *file) run(number int64) (n int64) {
	for n < mostAhead/blockSize {
		if _, ok := f.bucket.held.Get(f.block(number - n - 1)); !ok {
			break
		}
		n++
	}
	return n
}

func (f *file) block(number int64) blockID {
	return blockID{f.bucket.name, f.info.object.name, f.info.object.version, number}
}

// ask asks the store for bytes of the object, all of which are there.
func (f *file) ask(p []byte, at int64) error {
	err := f.bucket.within(func(ctx context.Context) error { return f.bucket.client.read(ctx, f.bucket.name, f.info.object, p, at) })
	if errors.Is(err, errChanged) {
		f.bucket.forget(f.info.object.name)
	}
	return err
}

// folder is an open folder.
type folder struct {
	bucket *bucket
	info   *info
	path   string

	entries []fs.DirEntry // not returned yet
	listed  bool
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }
func (f *folder) Read([]byte) (int, error) {
	return 0, failed("read", f.path, errors.New("is a folder"))
}

// ReadDir implements [fs.ReadDirFile].
func (f *folder) ReadDir(n int) (entries []fs.DirEntry, err error) {
	if !f.listed {
		f.entries, err = f.bucket.ReadDir(f.path)
		f.listed = true
	}
	if n <= 0 {
		entries, f.entries = f.entries, nil
		return entries, err
	}
	if len(f.entries) == 0 && err == nil {
		err = io.EOF
	}
	n = min(n, len(f.entries))
	entries, f.entries = f.entries[:n], f.entries[n:]
	return entries, err
}
