package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// mapped maps a hive of some megabytes. It gives its name and its bytes as well.
func mapped(t *testing.T) (m *hive.Mapped, name string, data []byte) {
	root := &hivetest.Key{Name: "ROOT"}
	for i := range 20000 {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("Key %05d", i), Values: []hive.Value{hive.StringValue("A value", hive.SZ, strings.Repeat("text", 10))}})
	}
	name = filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(name, hivetest.Build(root, hivetest.Options{}), 0o666); err != nil {
		t.Fatal(err)
	}
	m = new(hive.Mapped)
	data, err := m.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m, name, data
}

// TestMapped tells that a mapped file has the bytes of one that was read.
func TestMapped(t *testing.T) {
	m, name, data := mapped(t)
	if want, err := hive.ReadFile(name); err != nil || !bytes.Equal(data, want) {
		t.Errorf("%d bytes, want %d (%v)", len(data), len(want), err)
	}
	if err := m.Unchanged(); err != nil {
		t.Error(err)
	}
	if err := os.Chtimes(name, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := m.Unchanged(); err == nil {
		t.Error("a file that was written to is unchanged")
	}
}

// TestMappedShorter tells that a file which becomes shorter ends the work on it, in all goroutines of that, and nothing else.
func TestMappedShorter(t *testing.T) {
	m, name, data := mapped(t)
	f, err := hive.Read(name, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 8192); err != nil {
		t.Fatal(err)
	}
	for _, encoders := range []int{1, 4} {
		err := m.Guard(func() error {
			return f.Root().Encode(&limitedWriter{1 << 30}, encoders, (*hive.Key).Keys, func() hive.Encoder {
				var values hive.ValueReader
				return func(b []byte, part hive.Part, _ func([]byte) []byte) []byte {
					for _, k := range part.Walk() {
						for _, v := range values.Values(k) {
							b = append(b, v.Data...)
						}
					}
					return b
				}
			})
		})
		if p, ok := errors.AsType[*hive.Problem](err); !ok || p.Kind != hive.Unreadable || !strings.Contains(p.Msg, "changed while it was read") {
			t.Errorf("%d encoders: %v", encoders, err)
		}
	}
}

// TestGuardPanics tells that a panic for which the file is not to blame stays one.
func TestGuardPanics(t *testing.T) {
	m, _, _ := mapped(t)
	for _, guard := range []*hive.Mapped{m, new(hive.Mapped)} {
		func() {
			defer func() {
				if r := recover(); r != "a mistake" {
					t.Errorf("panic %v", r)
				}
			}()
			t.Error(guard.Guard(func() error { panic("a mistake") }))
		}()
	}
	want := errors.New("an error")
	if err := m.Guard(func() error { return want }); err != want {
		t.Error(err)
	}
}

// faultAt is what the runtime panics with where memory cannot be read.
type faultAt uintptr

func (a faultAt) Error() string { return "fault" }
func (a faultAt) Addr() uintptr { return uintptr(a) }

// TestGuardFaults tells that a place of the file that cannot be read is named, and that no other place is taken for it.
func TestGuardFaults(t *testing.T) {
	m, name, data := mapped(t)
	start := uintptr(unsafe.Pointer(&data[0]))
	for _, at := range []uintptr{0, 0x1234, uintptr(len(data) - 1)} {
		err := m.Guard(func() error { panic(faultAt(start + at)) })
		if want := fmt.Sprintf("%s: offset 0x%x: cannot be read here", name, at); at > 0 && (err == nil || err.Error() != want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, at := range []uintptr{0, start - 1, start + uintptr(len(data))} {
		func() {
			defer func() {
				if r := recover(); r != faultAt(at) {
					t.Errorf("panic %v", r)
				}
			}()
			t.Error(m.Guard(func() error { panic(faultAt(at)) }))
		}()
	}
}
