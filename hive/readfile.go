package hive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Open reads a hive file of this computer. The file is opened for reading only. An error is a [*Problem] that says why nothing at
// all can be read of it; lesser damage is in [File.Problems] and [Key.Problems].
func Open(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(name, "cannot be opened: %v", Cause(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode()&fs.ModeDevice != 0 {
		return nil, unreadable(name, "is a device; copy the hive out of it and give the copy")
	}
	data, err := ReadFile(f, name, MaxSize)
	if err != nil {
		return nil, err
	}
	return Read(name, data)
}

// ReadFile returns all bytes of an open file that is to be read as an input, at most as many as most says: what is larger is refused,
// before it is read where its size tells. A pipe is read to its end. source names the file in errors, each of which is a [*Problem].
func ReadFile(f fs.File, source string, most int64) ([]byte, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadable(source, "cannot be read: %v", Cause(err))
	case info.IsDir():
		return nil, unreadable(source, "is a folder; give the files in it that are to be read")
	case info.Size() > most:
		return nil, tooLarge(source, most)
	}
	if at, ok := f.(io.ReaderAt); ok && info.Mode().IsRegular() && info.Size() > 0 && atStart(f) {
		data := make([]byte, info.Size())
		switch n, err := at.ReadAt(data, 0); {
		case n == len(data):
			return data, nil
		case err == io.EOF:
			return nil, cutShort(source, errors.New("it became shorter while it was read; copy it and give the copy"))
		default:
			return nil, cutShort(source, err)
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, cutShort(source, err)
	case int64(len(data)) > most:
		return nil, tooLarge(source, most)
	}
	return data, nil
}

// atStart reports whether nothing of a file was read yet: standard input can be a file that another program read a part of.
func atStart(f fs.File) bool {
	s, ok := f.(io.Seeker)
	if !ok {
		return true
	}
	at, err := s.Seek(0, io.SeekCurrent)
	return err == nil && at == 0
}

func unreadable(source, format string, args ...any) error {
	return &Problem{Source: source, Kind: Unreadable, Msg: fmt.Sprintf(format, args...), Loss: true}
}

// cutShort returns the error that the rest of a file cannot be read. A gap stays one.
func cutShort(source string, err error) error {
	p := &Problem{Source: source, Kind: Unreadable, Msg: fmt.Sprintf("cannot be read to its end: %v", Cause(err)), Loss: true}
	if gap, ok := errors.AsType[*Problem](err); ok {
		p.Kind = gap.Kind
	}
	return p
}

func tooLarge(source string, most int64) error {
	return unreadable(source, "has more than %d bytes, the limit for such an input", most)
}

// Cause returns the bare reason of an error about a file, for a message that names the file already.
func Cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
