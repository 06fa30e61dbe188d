package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regvet/internal/shared"
)

// crafted lists small hives that mislead other readers, with their content and the messages about them. Each was made to provoke one mistake.
var crafted = map[string]struct {
	log      bool
	want     string // the keys, each followed by its values
	messages []string
}{
	// Cells of segments that are larger than a segment.
	"db-16376-16352": {want: fmt.Sprintf(" key(v=%x)", repeating(32_700))},
	// Data that begins like the index of segments.
	"db-false": {want: " key(bin=646201002000000041424344 sz=6462610062000000 qw=6462000000000000)"},
	"inline-length": {want: " key(0= 1=11 2=1122 3=112233 sz1=4100 big=11223344! empty=)", messages: []string{
		`offset 0x10c0: the data of value "big" of key "key" are said to be 4096 bytes in the record itself, which has room for 4`}},
	"short-int": {want: " key(q-inline=44332211! d-past-eof=null! be-nil=null! q-past-eof=null!)", messages: []string{
		`offset 0x1020: the data of value "q-inline" of key "key" are said to be 8 bytes in the record itself, which has room for 4`,
		`offset 0x1040: the data of value "d-past-eof" of key "key" cannot be read: their cell at offset 0x80000ff0 lies beyond the end of the hive`,
		`offset 0x1068: the data of value "be-nil" of key "key" cannot be read: their cell is not named`,
		`offset 0x1088: the data of value "q-past-eof" of key "key" cannot be read: their cell at offset 0x80000ff0 lies beyond the end of the hive`}},
	"key-cycle":  {want: " k", messages: []string{`offset 0x1020: key "k" stands in the list of "k" but names another key as its parent; it is left out`}},
	"ri-cycle":   {messages: []string{`offset 0x1020: an index of subkeys of "root" stands in another index; it is left out`}},
	"slash-name": {want: " application/pdf"},
	"stale-list": {}, // a key without subkeys that still refers to the list of those that it had
	"rec-valid-entry-per-spec": {log: true, want: " EVL", messages: []string{
		"offset 0x4: the hive is dirty (sequence numbers 2 and 1); applied: rec-valid-entry-per-spec.LOG1"}},
	"rec-gap-in-sequence": {log: true, want: " key", messages: []string{"offset 0x4: the hive is dirty (sequence numbers 2 and 1): its latest changes are only in its logs, " +
		"of which none can be applied; not applied: rec-gap-in-sequence.LOG1 was not written to its end (sequence numbers 1 and 9)"}},
	"rec-wrong-hashes": {log: true, want: " key", messages: []string{"offset 0x4: the hive is dirty (sequence numbers 2 and 1): its latest changes are only in its logs, " +
		"of which none can be applied; not applied: rec-wrong-hashes.LOG1 was not written to its end (sequence numbers 1 and 9)"}},
}

func repeating(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

func TestCrafted(t *testing.T) {
	for _, file := range shared.Glob(t, "hives/crafted", "*.hive") {
		name := strings.TrimSuffix(filepath.Base(file), ".hive")
		t.Run(name, func(t *testing.T) {
			test, ok := crafted[name]
			if !ok {
				t.Fatal("it is not known what is in it: a new one?")
			}
			args := []string{"export", "--format", "jsonl", "--prefix", ""}
			if log := strings.TrimSuffix(file, ".hive") + ".LOG1"; test.log {
				args = append(args, "--log", log)
			} else if _, err := os.Stat(log); err == nil {
				t.Fatal("it has a log")
			}
			var out, messages bytes.Buffer
			status := run(append(args, file), nil, &out, &messages)
			want := statusDone
			if len(test.messages) > 0 && !test.log {
				want = statusInput
			}
			var said strings.Builder
			for _, m := range test.messages {
				fmt.Fprintf(&said, "regvet: %s: %s\n", file, m)
			}
			if status != want || messages.String() != said.String() {
				t.Errorf("exit status %d, want %d, with\n%swant\n%s", status, want, &messages, &said)
			}
			if got := listing(t, out.Bytes()); got != test.want {
				t.Errorf("got  %.300s\nwant %.300s", got, test.want)
			}
		})
	}
}

// listing returns an export to jsonl as one line without times: the names of the keys, each followed by its values with their data in hex, and
// "!" for data that is cut short.
func listing(t *testing.T, export []byte) string {
	var s strings.Builder
	for line := range bytes.Lines(export) {
		k := decodeKey(t, line)
		var values []string
		for _, v := range k.Values {
			data := "null"
			if v.Data != nil {
				data = *v.Data
			}
			if v.Short {
				data += "!"
			}
			values = append(values, v.Name+"="+data)
		}
		if k.Key != "" {
			s.WriteString(" " + k.Key)
		}
		if len(values) > 0 {
			s.WriteString("(" + strings.Join(values, " ") + ")")
		}
	}
	return s.String()
}
