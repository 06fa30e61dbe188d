package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// stampedUser returns the hive of a user.
func stampedUser() []byte {
	root := &hivetest.Key{Keys: []*hivetest.Key{{Name: "Environment"}, {Name: "Software"}}}
	stamp(root, hive.FiletimeOf(time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)))
	return hivetest.Build(root, hivetest.Options{Name: `\??\C:\Users\x\ntuser.dat`})
}

// stampedSoftware returns a SOFTWARE hive that tells only of one user, and of one class.
func stampedSoftware() []byte {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key { return &hivetest.Key{Name: name, Keys: keys} }
	alice := key("S-1-5-21-1-2-3-1001")
	alice.Values = []hive.Value{hive.StringValue("ProfileImagePath", hive.SZ, `C:\Users\alice`)}
	root := key("", key("Classes", key("txtfile")), key("Microsoft", key("Windows NT", key("CurrentVersion", key("ProfileList", alice)))))
	stamp(root, hive.FiletimeOf(time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)))
	return hivetest.Build(root, hivetest.Options{})
}

// entry is a line of a timeline.
type entry struct {
	Modified, Key   string
	Deleted, Orphan bool
	Offset          int64
	Input           string
}

// timelineOf returns the timeline of inputs as JSON lines have it, and the messages.
func timelineOf(t *testing.T, args ...string) (all []entry, messages string) {
	t.Helper()
	out, messages := timelineAs(t, "jsonl", args...)
	for line := range strings.Lines(out) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, e)
	}
	return all, messages
}

func timelineAs(t *testing.T, format string, args ...string) (text, messages string) {
	t.Helper()
	var out, errors bytes.Buffer
	if status := run(append([]string{"timeline", "--format", format}, args...), nil, &out, &errors); status != 0 {
		t.Fatalf("status %d: %s", status, errors.String())
	}
	return out.String(), errors.String()
}

// TestTimelineFormats checks that all formats tell the same of names that could break them, and of times at the ends of what they can hold.
func TestTimelineFormats(t *testing.T) {
	names := []string{"a|b", "100%41%", "=1+1", "@x", "::error::", `"quoted", or not`, "'", "line\nbreak\r", "lone\xed\xa0\x80", "Ä", " ", "\u202e", "a/b"}
	times := []hive.Filetime{1, hive.FiletimeOf(time.Unix(-1, 0)), hive.FiletimeOf(time.Unix(1, 0)) - 1, hive.FiletimeOf(time.Unix(1, 0)),
		hive.FiletimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC)), -1, 0}
	root := &hivetest.Key{Modified: times[3]}
	for i, name := range names {
		k := &hivetest.Key{Name: name, Modified: times[3] + hive.Filetime(i)}
		for j, at := range times {
			k.Keys = append(k.Keys, &hivetest.Key{Name: name + strconv.Itoa(j), Modified: at})
		}
		root.Keys = append(root.Keys, k)
	}
	input := filepath.Join(t.TempDir(), "=hive|%41")
	if err := os.WriteFile(input, hivetest.Build(root, hivetest.Options{}), 0o666); err != nil {
		t.Fatal(err)
	}
	want, messages := timelineOf(t, input)
	dated := 1 + len(names)*(1+5)
	if leftOut := fmt.Sprintf("regvet: %s: left out: %d keys without the time of a last write\n", input, 2*len(names)); len(want) != dated || !strings.Contains(messages, leftOut) {
		t.Fatalf("%d keys, want %d, and the message %q; it is %q", len(want), dated, leftOut, messages)
	}

	text, _ := timelineAs(t, "csv", input)
	text, marked := strings.CutPrefix(text, "\uFEFF")
	if !marked || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Error("the CSV has no mark, or a line that does not end with CR LF")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var fromCSV, visible []entry
	for _, row := range rows[1:] {
		key := row[1]
		if key != "" && strings.ContainsRune("=+-@", rune(key[0])) || strings.HasPrefix(key, "::") {
			t.Errorf("the cell %q is no text", key)
		}
		offset, err := strconv.ParseInt(row[4], 10, 64)
		if err != nil {
			t.Error(err)
		}
		plain := func(cell string) string {
			if text, ok := strings.CutPrefix(cell, "'"); ok && text != "" && strings.ContainsRune("=+-@:", rune(text[0])) {
				return text
			}
			return cell
		}
		fromCSV = append(fromCSV, entry{Modified: row[0], Key: plain(key), Offset: offset, Input: plain(row[9])})
	}
	for _, e := range want {
		e.Key = hive.Visible(e.Key)
		visible = append(visible, e)
	}
	// Lines of the same time are in the order of their text, which differs between formats.
	order := func(all []entry) []entry {
		return slices.SortedStableFunc(slices.Values(all), func(a, b entry) int { return int(a.Offset - b.Offset) })
	}
	if diff := cmp.Diff(order(visible), order(fromCSV)); diff != "" {
		t.Errorf("CSV differs from JSON (- JSON, + CSV):\n%s", diff)
	}

	text, messages = timelineAs(t, "bodyfile", input)
	if early := fmt.Sprintf("left out: %d keys last written before 1970-01-01T00:00:01Z, which a bodyfile cannot tell; --format csv and jsonl can\n", 3*len(names)); !strings.Contains(messages, early) {
		t.Errorf("the messages lack %q: %q", early, messages)
	}
	var fromBody, seconds []entry
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if len(fields) != 11 {
			t.Fatalf("%d fields: %q", len(fields), line)
		}
		name, err := url.PathUnescape(fields[1]) // as mactime does
		offset, _ := strconv.ParseInt(fields[2], 10, 64)
		at, _ := strconv.ParseInt(fields[8], 10, 64)
		key, isWhole := strings.CutSuffix(name, " ["+input+"]")
		if err != nil || !isWhole || strings.Join(slices.Concat(fields[3:8], fields[9:]), "") != "0000000" {
			t.Errorf("%v: %q", err, line)
		}
		fromBody = append(fromBody, entry{Modified: time.Unix(at, 0).UTC().Format(time.RFC3339), Key: key, Offset: offset})
	}
	for _, e := range visible {
		if at, _ := time.Parse(time.RFC3339Nano, e.Modified); at.Unix() > 0 {
			seconds = append(seconds, entry{Modified: at.Truncate(time.Second).Format(time.RFC3339), Key: e.Key, Offset: e.Offset})
		}
	}
	if diff := cmp.Diff(order(seconds), order(fromBody)); diff != "" {
		t.Errorf("the bodyfile differs from JSON (- JSON, + bodyfile):\n%s", diff)
	}
}

// TestTimelineIsOfExport checks that a timeline has the keys that an export has, deleted ones too, in order of time; and that it is the same
// when its lines do not fit in memory.
func TestTimelineIsOfExport(t *testing.T) {
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	names := []string{"stamped", "deleted", "deleted-port", "deleted-slack", "dirty-system", "SYSTEM", "SYSTEM-10", "stampeduser"}
	want := map[entry]int{}
	for _, name := range names {
		var out bytes.Buffer
		if status := run([]string{"export", "--format", "jsonl", "--full", "--deleted", name}, nil, &out, &bytes.Buffer{}); status != 0 {
			t.Fatalf("%s: status %d", name, status)
		}
		for line := range strings.Lines(out.String()) {
			var e struct {
				entry
				Live bool
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e.Input = name; e.Modified != "" && !e.Live {
				want[e.entry]++
			}
		}
	}
	all, _ := timelineOf(t, names...)
	got := map[entry]int{}
	for _, e := range all {
		got[e]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the timeline differs from the exports (- exported, + listed):\n%s", diff)
	}
	if !slices.IsSortedFunc(all, func(a, b entry) int { return strings.Compare(a.Modified, b.Modified) }) {
		t.Error("the timeline is not in order of time")
	}
	once, _ := timelineAs(t, "csv", names...)
	defer func(n int) { memoryForLines = n }(memoryForLines)
	memoryForLines = 1000
	if again, _ := timelineAs(t, "csv", names...); again != once {
		t.Error("the timeline is another one if its lines do not fit in memory")
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "missing"))
	t.Setenv("TMP", filepath.Join(dir, "missing"))
	output := filepath.Join(t.TempDir(), "out")
	var messages bytes.Buffer
	status := run(append([]string{"timeline", "-o", output}, names...), nil, &messages, &messages)
	if _, err := os.Stat(output); status != statusUsage || err == nil || !strings.Contains(messages.String(), "regvet: the lines cannot be sorted in a temporary file: ") {
		t.Errorf("without a folder for temporary files: status %d, output %v, %s", status, err, &messages)
	}
}

// TestTimelineOrphan checks that a deleted key of which only the name is known is listed as that, and that a glob for which this is too little does
// not leave it out in silence.
func TestTimelineOrphan(t *testing.T) {
	const written = 131_000_000_000_000_000
	data, at := hivetest.BuildLayout(&hivetest.Key{Modified: written, Keys: []*hivetest.Key{
		{Name: "Gone", Modified: written}, {Name: "There", Modified: written},
	}}, hivetest.Options{Name: "SYSTEM"})
	gone, list := at.Key("Gone"), at.Key("").List
	data = hivetest.Free(hivetest.Refer(data, gone.Node+hivetest.NodeParent, gone.Node), gone.Node)
	data = hivetest.Set16(data, list+hivetest.ListCount, 1)
	copy(data[list+hivetest.ListElements:], data[list+hivetest.ListElements+8:][:8])
	data = hivetest.Set32(data, at.Key("").Node+hivetest.NodeKeys, 1)
	input := filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(input, data, 0o666); err != nil {
		t.Fatal(err)
	}
	offset := fmt.Sprint(gone.Node - 4)
	leftOut := "regvet: " + input + ": left out: 1 key deleted and of a path that is not known as far as --key asks for it\n"
	for _, c := range []struct {
		args           []string
		line, messages string
	}{
		{[]string{"jsonl"}, `{"modified": "2016-02-15T08:53:20.0000000Z", "key": "Gone", "deleted": true, "orphan": true, "offset": ` + offset + `, "input": "` + input + "\"}\n", ""},
		{[]string{"csv", "--key", `**\gone`}, `"2016-02-15T08:53:20.0000000Z","Gone",true,true,` + offset + `,"","","","","` + input + "\"\r\n", ""},
		{[]string{"csv", "--key", `HKLM\SYSTEM\Gone`}, "", leftOut},
		{[]string{"jsonl", "--key", `There`}, "", leftOut},
	} {
		out, messages := timelineAs(t, c.args[0], append(c.args[1:], input)...)
		if !strings.Contains(out, c.line) || c.line == "" && strings.Contains(out, "Gone") || messages != c.messages {
			t.Errorf("%q: %q\n%s", c.args, messages, out)
		}
	}
}

// TestTimelineLimit requires that the timeline of a small hive whose keys share a long path ends before it fills the disk, in one line.
func TestTimelineLimit(t *testing.T) {
	last := &hivetest.Key{Name: "last"}
	for i := range 700 {
		last.Keys = append(last.Keys, &hivetest.Key{Name: fmt.Sprint(i), Modified: 1})
	}
	root := last
	for range 300 {
		root = &hivetest.Key{Name: strings.Repeat("\n", 200), Modified: 1, Keys: []*hivetest.Key{root}}
	}
	input := filepath.Join(t.TempDir(), "deep")
	if err := os.WriteFile(input, hivetest.Build(&hivetest.Key{Modified: 1, Keys: []*hivetest.Key{root}}, hivetest.Options{}), 0o666); err != nil {
		t.Fatal(err)
	}
	timeline := func(flags ...string) (out tally, status int, messages string) {
		var errors bytes.Buffer
		status = run(append([]string{"timeline", input}, flags...), nil, &out, &errors)
		return out, status, errors.String()
	}
	want := "regvet: " + input + ": its lines are more than 100 times as long as the hive and end here, because many keys share what is written with each; --no-limit writes all of them\n"
	out, status, messages := timeline()
	if status != statusInput || !strings.Contains(messages, want) || out.bytes > leastLimit {
		t.Errorf("status %d, %d bytes, %s", status, out.bytes, messages)
	}
	if out, status, messages = timeline("--no-limit"); status != 0 || out.lines != 1001 {
		t.Errorf("with --no-limit: status %d, %d lines, %s", status, out.lines, messages)
	}
}
