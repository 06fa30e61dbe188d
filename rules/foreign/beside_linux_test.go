package foreign_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"regvet/hive/collection"
	"regvet/rules/foreign"
)

// TestPipeBeside requires that what lies beside a file under a name that is read is opened only if it is a regular file: opening a pipe would block.
func TestPipeBeside(t *testing.T) {
	dir := t.TempDir()
	stig := filepath.Join(dir, "A.xml")
	if err := os.WriteFile(stig, []byte(stigXML(`<Key>HKLM:\SOFTWARE\A</Key><ValueName>B</ValueName><ValueType>Dword</ValueType><ValueData>1</ValueData>`)), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "A.org.default.xml"), 0o600); err != nil {
		t.Skip(err)
	}
	_, err := foreign.Read(&collection.Local{}, stig, "")
	if want := stig + ": A.org.default.xml beside it is no regular file, so it was not opened; put the file there"; fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
