package hive

import (
	"fmt"
	"os"
	"runtime/debug"
	"unsafe"
)

// Mapped is a hive that is not copied into memory: what is read of it is read from the file. To copy a file takes a third of the time of
// a walk through it. But a copy stays what it is, where a file can change while it is read, or its disk can fail; so all that is
// done with a mapped hive has a [Mapped.Guard]. What has to hold for the bytes of which a hash is told needs a copy, see [ReadFile].
//
// The zero Mapped is of no file yet.
type Mapped struct {
	name   string
	file   *os.File // nil for what was read into memory
	before os.FileInfo
	data   []byte
}

// Open gives the bytes of an input as [ReadFile] does. What is no hive, or so small that a copy takes no time, is read into memory, and so
// is any file where the system cannot map it. The bytes can be read until Close, and not be written.
func (m *Mapped) Open(name string) ([]byte, error) {
	file, info, err := openInput(name)
	if err != nil {
		return nil, err
	}
	const least = 1 << 20
	head := make([]byte, 4)
	if info.Mode().IsRegular() && info.Size() >= least {
		if _, err := file.ReadAt(head, 0); err == nil && IsHive(head) {
			if data, err := mapFile(file, info.Size()); err == nil {
				*m = Mapped{name, file, info, data}
				return data, nil
			}
		}
	}
	defer file.Close()
	return readInput(name, file, info)
}

// Close ends the use of the bytes.
func (m *Mapped) Close() {
	if m.file != nil {
		unmapFile(m.data)
		m.file.Close()
		*m = Mapped{}
	}
}

// Guard does something with the bytes. Where they cannot be read any more, it ends, and the error is a [*Problem]: then what came of it
// is worth nothing. In other goroutines that work starts, a panic must be caught and raised again in this one, as [Key.Encode] does.
func (m *Mapped) Guard(work func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if err = m.fault(r); err == nil {
				panic(r)
			}
		}
	}()
	return work()
}

// Unchanged tells whether the file is still what it was when it was opened, as far as its size and the time of its last change tell. The
// error is a [*Problem].
func (m *Mapped) Unchanged() error {
	if m.file == nil {
		return nil
	}
	if now, err := m.file.Stat(); err == nil && now.Size() == m.before.Size() && now.ModTime().Equal(m.before.ModTime()) {
		return nil
	}
	return &Problem{Source: m.name, Kind: Unreadable, Loss: true, Msg: "changed while it was read; copy it and give the copy"}
}

// fault tells why the file is to blame for a panic; nil where it is not. A file that changes can be to blame for any.
func (m *Mapped) fault(r any) error {
	if err := m.Unchanged(); err != nil {
		return err
	}
	f, ok := r.(interface{ Addr() uintptr }) // see [debug.SetPanicOnFault]
	if !ok || len(m.data) == 0 {
		return nil
	}
	at := f.Addr() - uintptr(unsafe.Pointer(&m.data[0]))
	if at >= uintptr(len(m.data)) {
		return nil
	}
	p := &Problem{Source: m.name, At: Location{Offset: int64(at)}, Kind: Unreadable, Loss: true, Msg: "cannot be read here"}
	if _, err := m.file.ReadAt(make([]byte, 1), int64(at)); err != nil {
		p.Msg += fmt.Sprintf(": %v", Cause(err))
	}
	return p
}
