package cli

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// tally counts what is written to it.
type tally struct{ bytes, lines int }

func (t *tally) Write(b []byte) (int, error) {
	t.bytes += len(b)
	t.lines += bytes.Count(b, []byte("\n"))
	return len(b), nil
}

// sharing is a hive of many keys that all have one security descriptor, which is as long as a cell can be.
func sharing(keys int) []byte {
	le := binary.LittleEndian
	const entries = 450
	entry := []byte{0, 0, 36, 0, 1, 2, 3, 4, 1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0} // allows something to a user of a domain
	for range 4 {
		entry = le.AppendUint32(entry, 4_000_000_000)
	}
	list := []byte{2, 0, 0, 0, 0, 0, 0, 0}
	le.PutUint16(list[2:], uint16(len(list)+entries*len(entry)))
	le.PutUint16(list[4:], entries)
	list = append(list, bytes.Repeat(entry, entries)...)
	descriptor := append([]byte{1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0}, list...)
	record := append([]byte("sk"), make([]byte, hivetest.SecurityDescriptor-2)...)
	le.PutUint32(record[hivetest.SecurityLength:], uint32(len(descriptor)))

	// The record is written as the data of a value, and takes the place of the one that all keys share.
	root := &hivetest.Key{Keys: []*hivetest.Key{{Name: "0", Values: []hive.Value{{Type: hive.Binary, Data: append(record, descriptor...)}}}}}
	for i := 1; i < keys; i++ {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprint(i)})
	}
	data, at := hivetest.BuildLayout(root, hivetest.Options{})
	shared := at.Key("0").Value("").Data
	for _, field := range []int{hivetest.SecurityNext, hivetest.SecurityPrevious} {
		le.PutUint32(data[shared+field:], hivetest.Ref(shared))
	}
	for i := 1; i < keys; i++ {
		le.PutUint32(data[at.Key(fmt.Sprint(i)).Node+hivetest.NodeSecurity:], hivetest.Ref(shared))
	}
	return data
}

// TestExportLimit requires that the export of a small hive ends before it fills the disk, in one line, and leaves nothing then, unless
// all is asked for.
func TestExportLimit(t *testing.T) {
	const keys = 2_500
	dir := t.TempDir()
	input, output := filepath.Join(dir, "sharing"), filepath.Join(dir, "out")
	data := sharing(keys)
	if err := os.WriteFile(input, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if 100*len(data) > 64<<20 {
		t.Fatalf("the hive has %d bytes, so that the limit is another", len(data))
	}
	export := func(out io.Writer, flags ...string) (int, string) {
		var messages bytes.Buffer
		status := run(append([]string{"export", "--format", "jsonl", "--full", "--prefix", "", input}, flags...), nil, out, &messages)
		return status, messages.String()
	}
	want := "regvet: " + input + ": the export is more than 100 times as long as the input and ends here, because many keys share what is written with each; --no-limit writes all of it\n"

	var out tally
	status, messages := export(&out)
	if diff := cmp.Diff(want, messages); diff != "" || status != statusInput {
		t.Errorf("exit status %d: %s", status, diff)
	}
	if out.bytes < 60<<20 || out.bytes > 64<<20 {
		t.Errorf("%d bytes are written, and the limit is %d", out.bytes, 64<<20)
	}
	status, messages = export(io.Discard, "-o", output)
	if diff := cmp.Diff(want, messages); diff != "" || status != statusInput {
		t.Errorf("with -o: exit status %d: %s", status, diff)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("with -o, what is left is %v (%v)", left, err)
	}
	out = tally{}
	status, messages = export(&out, "--no-limit")
	if status != statusDone || messages != "" {
		t.Errorf("with --no-limit: exit status %d: %s", status, messages)
	}
	if out.lines != keys+1 || out.bytes < 70<<20 {
		t.Errorf("with --no-limit, %d lines with %d bytes are written", out.lines, out.bytes)
	}
}
