package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"regvet/internal/cli"
	"regvet/internal/imagetest"
)

// The test binary is each of these programs if the variable says so. Processes of a pool are started with the same variable.
const program = "REGVET_BEAM_TEST"

func TestMain(m *testing.M) {
	switch what := os.Getenv(program); what {
	case "":
		os.Exit(m.Run())
	case "regvet":
		cli.Main()
	case "regvet-beam":
		os.Exit(run(os.Args[1:]))
	default: // a process of a pool that answers the first request with this
		requests := bufio.NewReader(os.Stdin)
		requests.ReadString('\n')
		io.WriteString(os.Stdout, `{"end":{}}`+"\n")
		requests.ReadString('\n')
		io.WriteString(os.Stdout, what)
		fmt.Fprint(os.Stderr, "first\nlast\n")
		os.Exit(7)
	}
}

// command returns a command of a program, which is run in a folder.
func command(t *testing.T, what, dir string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), program+"="+what, "SOURCE_DATE_EPOCH=1131667200")
	return cmd
}

// ran runs a program in a folder and returns its results and exit status.
func ran(t *testing.T, what, dir string, args ...string) (stdout, stderr string, status int) {
	var out, messages bytes.Buffer
	cmd := command(t, what, dir, args...)
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), messages.String(), cmd.ProcessState.ExitCode()
}

// read returns what files of these names hold together.
func read(t *testing.T, pattern string) string {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no such files (%v)", pattern, err)
	}
	var all strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// turn is the place of something among all inputs, which only a run over all of them knows.
var turn = regexp.MustCompile(`,"turn":[0-9]+`)

// about returns the lines of results that are about inputs, sorted.
func about(results string) (all []string) {
	for line := range strings.Lines(results) {
		if !strings.HasPrefix(line, `{"schema_version"`) && !strings.HasPrefix(line, `{"summary"`) {
			all = append(all, turn.ReplaceAllString(line, ""))
		}
	}
	slices.Sort(all)
	return all
}

// files writes files below a new folder.
func files(t *testing.T, content map[string][]byte) string {
	dir := t.TempDir()
	for name, data := range content {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func testdata(t *testing.T, name string) []byte {
	data, err := os.ReadFile(filepath.Join("../../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// cases lays out inputs of every kind: hives and .reg files by themselves, a machine with a user and a backup, archives and images, and some that cannot
// be read, or not to their end.
func cases(t *testing.T) string {
	system, good, image := testdata(t, "SYSTEM"), testdata(t, "SYSTEM-good"), testdata(t, "disk.E01")
	archive := imagetest.Zip([]imagetest.ArchiveFile{{Name: "Windows/System32/config/SYSTEM", Data: system}, {Name: "export.reg", Data: testdata(t, "SYSTEM.reg")}})
	bomb := imagetest.Zip([]imagetest.ArchiveFile{{Name: "SYSTEM", Data: append(bytes.Clone(system[:4096]), make([]byte, 64<<20)...)}})
	content := map[string][]byte{
		"cases/pc/Windows/System32/config/SYSTEM": system, "cases/pc/Windows/System32/config/RegBack/SYSTEM": good,
		"cases/pc/Windows/System32/config/SOFTWARE": good, "cases/pc/Users/alice/NTUSER.DAT": good,
		"cases/a.zip": archive, "cases/bomb.zip": bomb, "cases/cut.zip": archive[:len(archive)/2], "cases/empty.zip": imagetest.Zip(nil),
		"cases/disk.E01": image, "cases/cut.E01": image[:len(image)/2], "cases/SYSTEM": system, "cases/good": good, "cases/cut": system[:5000],
		"cases/export.reg": testdata(t, "SYSTEM.reg"), "cases/wrong.reg": []byte("nothing"), "alone": good,
	}
	if runtime.GOOS == "linux" {
		content["cases/\xff\xfe/SYSTEM"] = system // no UTF-8
	}
	return files(t, content)
}

// beside returns what the first lines of results tell of what was met beside the inputs. One run tells together what was passed over in a folder.
func beside(t *testing.T, results string) (all cli.Aside) {
	for line := range strings.Lines(results) {
		var first struct{ Asked cli.Aside }
		if err := json.Unmarshal([]byte(line), &first); err != nil {
			t.Fatal(err)
		}
		all.Add(first.Asked)
	}
	for i := range all.LeftOut {
		all.LeftOut[i].Turn = 0
	}
	var apart []string
	for _, text := range all.PassedOver {
		apart = append(apart, strings.Split(strings.TrimPrefix(text, "cases: passed over: "), "; ")...)
	}
	all.PassedOver = apart
	all.Sort()
	return all
}

// TestSame holds that the lines about inputs are those of regvet check, byte for byte and in its order, whatever deals them out.
func TestSame(t *testing.T) {
	for _, flags := range [][]string{nil, {"--pack", "all", "--regback", "--fail-on", "high"}} {
		dir := cases(t)
		inputs := []string{"cases", "alone", "missing", "cases/disk.E01", "cases/pc/Windows", "alone"}
		result, messages, want := ran(t, "regvet", dir, slices.Concat([]string{"check", "-f", "jsonl"}, flags, inputs)...)
		whole := about(result)
		if len(whole) < 50 || want != statusInput {
			t.Fatalf("%d lines, exit status %d: %s", len(whole), want, messages)
		}
		for _, how := range []string{"1 1", "2 3", "5 1"} {
			children, shards, _ := strings.Cut(how, " ")
			out := "out of " + how
			_, messages, status := ran(t, "regvet-beam", dir, slices.Concat([]string{"check", "--children", children, "--shards", shards, "-o", out}, flags, inputs)...)
			if status != want {
				t.Errorf("%s %v: exit status %d, want %d: %s", how, flags, status, want, messages)
			}
			got := read(t, filepath.Join(dir, out, "findings-*.jsonl"))
			if !slices.Equal(about(got), whole) {
				t.Errorf("%s %v: %d lines about inputs, want %d", how, flags, len(about(got)), len(whole))
			}
			if a, b := beside(t, got), beside(t, result); !reflect.DeepEqual(a, b) {
				t.Errorf("%s %v: beside the inputs there was %+v, want %+v", how, flags, a, b)
			}
			if _, lines, _ := strings.Cut(got, "\n"); shards == "1" && !strings.HasSuffix(turn.ReplaceAllString(result, ""), lines) {
				t.Errorf("%s %v: the lines are not in the order of the inputs, or the summary is another one", how, flags)
			}
			dead := read(t, filepath.Join(dir, out, "dead-*.jsonl"))
			for _, name := range []string{"missing", "cases/cut.zip", "cases/bomb.zip", "cases/wrong.reg", "cases/cut.E01"} {
				if !strings.Contains(dead, `{"unit":"`+name+`","input":"`+name) {
					t.Errorf("%s %v: the dead letters do not name %s: %s", how, flags, name, dead)
				}
			}
		}
	}
}

// stuck returns a folder with inputs, of which stuck.reg is a pipe that nobody writes to.
func stuck(t *testing.T) string {
	if runtime.GOOS != "linux" {
		t.Skip("pipes as files, and the processes that read them, are looked up as on Linux")
	}
	dir := files(t, map[string][]byte{"cases/SYSTEM": testdata(t, "SYSTEM"), "cases/pc/Windows/System32/config/SYSTEM": testdata(t, "SYSTEM-good")})
	if out, err := exec.Command("mkfifo", filepath.Join(dir, "stuck.reg")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// dies holds that a run is what it is without an input, of which the dead letters tell that it was not checked, and why.
func dies(t *testing.T, dir, input, kind, reason string, messages string, status int) {
	t.Helper()
	if status != statusInput {
		t.Errorf("exit status %d, want %d: %s", status, statusInput, messages)
	}
	want := fmt.Sprintf(`{"unit":%q,"input":%q,"kind":%q,"reason":%q}`+"\n", input, input, kind, reason)
	if got := read(t, filepath.Join(dir, "out/dead-*.jsonl")); got != want {
		t.Errorf("the dead letters are %s, want %s", got, want)
	}
	if want := fmt.Sprintf("regvet: %s: was not checked: %s\n", input, reason); !strings.Contains(messages, want) {
		t.Errorf("the messages are %s, want %s among them", messages, want)
	}
	rest, _, _ := ran(t, "regvet", dir, "check", "-f", "jsonl", "cases")
	missed := []string{
		fmt.Sprintf(`{"refused":{"path":%q,"kind":"unreadable","message":%q,"loss":true,"location":null}}`+"\n", input, "was not checked: "+reason),
		fmt.Sprintf(`{"done":{"name":%q,"status":3,"pass":0,"fail":0,"unknown":0,"not_applicable":0,"unasked_inputs":0}}`+"\n", input),
	}
	all := slices.Sorted(slices.Values(append(about(rest), missed...)))
	if got := about(read(t, filepath.Join(dir, "out/findings-*.jsonl"))); !slices.Equal(got, all) {
		t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(got, ""), strings.Join(all, ""))
	}
	var summary tally
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "out/summary.json"))), &summary); err != nil || summary.Units != 3 || summary.Dead != 1 || summary.Counts["fail"] == 0 {
		t.Errorf("the summary is %+v (%v)", summary, err)
	}
}

// TestKilled holds that a process which is killed while it reads an input costs that alone.
func TestKilled(t *testing.T) {
	dir := stuck(t)
	cmd := command(t, "regvet-beam", dir, "check", "--children", "1", "-o", "out", "stuck.reg", "cases")
	var messages bytes.Buffer
	cmd.Stderr = &messages
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pipe := writer(t, filepath.Join(dir, "stuck.reg")) // the process reads
	for _, pid := range children(t, cmd.Process.Pid) {
		if out, err := exec.Command("kill", "-KILL", pid).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	status := 0
	if err := cmd.Wait(); err != nil {
		status = cmd.ProcessState.ExitCode()
	}
	pipe.Close()
	dies(t, dir, "stuck.reg", "signal", "its process was ended from outside: killed", messages.String(), status)
}

// TestKilledIdle holds that a process which is killed while it has nothing to do costs no input.
func TestKilledIdle(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the processes are looked up as on Linux")
	}
	dir := files(t, map[string][]byte{"SYSTEM": testdata(t, "SYSTEM"), "good": testdata(t, "SYSTEM-good")})
	t.Setenv(program, "regvet-beam")
	defer endPools()
	s := setup{Args: []string{"check", "-o", "out", dir}, Children: 1, Memory: 1 << 30, Time: time.Minute}
	f := &listFn{Setup: s, Shards: 1}
	var units []unit
	f.ProcessElement(input{0, []byte(dir)}, func(u unit) { units = append(units, u) }, func(int, record) { t.Error("it was not listed to its end") })
	for _, pid := range children(t, os.Getpid()) {
		if out, err := exec.Command("kill", "-KILL", pid).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, u := range units {
		if r := check(poolOf(s), u); r.dead.Len() > 0 || r.lines.size == 0 {
			t.Errorf("%s: %s", u.Name, r.dead.String())
		}
	}
	if len(units) != 2 {
		t.Errorf("%d units, want 2", len(units))
	}
}

// children returns the processes that a process, by any of its threads, has started.
func children(t *testing.T, pid int) (all []string) {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if children, err := os.ReadFile(name); err == nil { // the thread may have ended
			all = append(all, strings.Fields(string(children))...)
		}
	}
	if len(all) == 0 {
		t.Fatal("the process has no children")
	}
	return all
}

// TestTime holds the same of an input that takes too long.
func TestTime(t *testing.T) {
	dir := stuck(t)
	_, messages, status := ran(t, "regvet-beam", dir, "check", "--time", "1s", "-o", "out", "stuck.reg", "cases")
	dies(t, dir, "stuck.reg", "time", "ran longer than 1s; --time allows more", messages, status)
}

// TestMemory holds the same of an input that takes too much memory.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is limited on Linux only")
	}
	dir := files(t, map[string][]byte{"cases/SYSTEM": testdata(t, "SYSTEM"), "cases/good": testdata(t, "SYSTEM-good"), "large": testdata(t, "SYSTEM")})
	if err := os.Truncate(filepath.Join(dir, "large"), 400<<20); err != nil {
		t.Fatal(err)
	}
	_, messages, status := ran(t, "regvet-beam", dir, "check", "--memory", "256MiB", "-o", "out", "large", "cases")
	dies(t, dir, "large", "memory", "needed more memory than 256MiB; --memory allows more", messages, status)
}

// TestVanished holds that a file which is gone when it is to be checked is an input that cannot be read.
func TestVanished(t *testing.T) {
	dir := files(t, map[string][]byte{"SYSTEM": testdata(t, "SYSTEM"), "good": testdata(t, "SYSTEM-good")})
	t.Setenv(program, "regvet-beam")
	defer endPools()
	s := setup{Args: []string{"check", "-o", "out", dir}, Children: 1, Memory: 1 << 30, Time: time.Minute}
	var units []unit
	f := &listFn{Setup: s, Shards: 1}
	f.ProcessElement(input{0, []byte(dir)}, func(u unit) { units = append(units, u) }, func(int, record) { t.Error("it was not listed to its end") })
	if len(units) != 2 {
		t.Fatalf("%d units, want 2", len(units))
	}
	if err := os.Remove(filepath.Join(dir, "SYSTEM")); err != nil {
		t.Fatal(err)
	}
	gone, there := check(poolOf(s), units[0]), check(poolOf(s), units[1])
	want := fmt.Sprintf(`{"unit":%q,"input":%[1]q,"kind":"unreadable","reason":"cannot be opened: no such file or directory"}`+"\n", filepath.Join(dir, "SYSTEM"))
	if got := gone.dead.String(); got != want || gone.tally.Status != statusInput {
		t.Errorf("exit status %d and %s, want %s", gone.tally.Status, got, want)
	}
	if there.dead.Len() > 0 || there.tally.Status != 0 || there.lines.size == 0 {
		t.Errorf("the other one has the exit status %d and %s", there.tally.Status, there.dead.String())
	}
}

// TestVanishedObject holds the same of an object of a store, in a whole run, that goes once it was listed.
func TestVanishedObject(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "the secret", "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		t.Setenv(name, value)
	}
	objects := s3mem.New()
	fake := gofakes3.New(objects, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The listing asks for the start of it, and what checks it for the rest.
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/gone") && asked.Add(1) == 2 {
			if _, err := objects.DeleteObject("evidence", "pcs/gone"); err != nil {
				t.Error(err)
			}
		}
		fake.ServeHTTP(w, r)
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	if err := objects.CreateBucket("evidence"); err != nil {
		t.Fatal(err)
	}
	system := testdata(t, "SYSTEM")
	for name, data := range map[string][]byte{"pcs/gone": append(bytes.Clone(system), make([]byte, 16<<20)...), "pcs/stays": system} {
		if _, err := objects.PutObject("evidence", name, nil, bytes.NewReader(data), int64(len(data)), nil); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	_, messages, status := ran(t, "regvet-beam", dir, "check", "-o", "out", "s3://evidence/pcs")
	if status != statusInput {
		t.Errorf("exit status %d, want %d: %s", status, statusInput, messages)
	}
	dead := read(t, filepath.Join(dir, "out/dead-*.jsonl"))
	if !strings.HasPrefix(dead, `{"unit":"s3://evidence/pcs/gone","input":"s3://evidence/pcs/gone","kind":"unreadable",`) || strings.Count(dead, "\n") != 1 {
		t.Errorf("the dead letters are %s", dead)
	}
	found := read(t, filepath.Join(dir, "out/findings-*.jsonl"))
	if strings.Contains(found, `"input":"s3://evidence/pcs/gone","`) || !strings.Contains(found, `"input":"s3://evidence/pcs/stays"`) {
		t.Errorf("the findings are %s", found)
	}
}

// TestNonsense holds that a process which answers what no answer is, or ends, is ended, and that nothing of its answer is kept.
func TestNonsense(t *testing.T) {
	line := `{"refused":{"path":"x","kind":"unreadable","message":"m","loss":true,"location":null}}` + "\n"
	for answer, want := range map[string]string{
		line:                        "exit: its process ended with exit status 7: last",
		line + "nonsense\n":         "nonsense: its process answered with a line that is none of a result, and was ended",
		line + `{"finding":` + "\n": "nonsense: its process answered with a line that is none of a result, and was ended",
		line + `{"end":3}` + "\n":   "nonsense: its process answered with an end that is none, and was ended",
		line + `{"end":`:            "nonsense: its process answered with an end that is none, and was ended",
	} {
		t.Setenv(program, answer)
		r := check(poolOf(setup{Args: []string{answer}, Children: 1, Memory: 1 << 30, Time: time.Minute}), unit{Name: "x"})
		var l letter
		if err := json.Unmarshal(r.dead.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		lines, err := io.ReadAll(r.lines.section(0, r.lines.size))
		if got := string(l.Kind) + ": " + l.Reason; got != want || err != nil || !strings.Contains(string(lines), "was not checked: ") || strings.Contains(string(lines), `"m"`) {
			t.Errorf("%q: %s, want %s; %s (%v)", answer, got, want, lines, err)
		}
	}
}

// TestSaid holds what is said of wrong usage.
func TestSaid(t *testing.T) {
	dir := files(t, map[string][]byte{"SYSTEM": testdata(t, "SYSTEM"), "full/file": nil, "wrong.yaml": []byte("rules: 3\n"),
		"list.yaml": []byte("pack: list\ntitle: What there is\nrules:\n  - {id: LIST-All, title: All, severity: info, key: 'HKLM\\SYSTEM\\Select', inventory: {category: All}}\n")})
	for _, c := range []struct {
		args string
		want string // the start of the first line
	}{
		{"", "regvet-beam check: audit many machines against rules, on Apache Beam"},
		{"check", `regvet: check needs INPUT|FOLDER...; see "regvet-beam check --help"`},
		{"chekc SYSTEM", `regvet: there is no command "chekc", did you mean check?; "regvet-beam --help" lists the commands`},
		{"check SYSTEM", "regvet: there is no folder for the result; name one with -o"},
		{"check -o out --format json SYSTEM", `regvet: unknown flag: --format; see "regvet-beam check --help"`},
		{"check -o out --memory 3 SYSTEM", `regvet: invalid argument "3" for "--memory" flag: 3 is too little to read anything with; give 128MiB or more; see "regvet-beam check --help"`},
		{"check -o out --memory 3GB SYSTEM", `regvet: invalid argument "3GB" for "--memory" flag: "3GB" is no amount of memory; it is a number with KiB, MiB or GiB, such as 2GiB; see "regvet-beam check --help"`},
		{"check -o out --children 0 SYSTEM", "regvet: --children is 1 or more, and --shards from 1 to 99999"},
		{"check -o out --time 0s SYSTEM", "regvet: --time is a duration such as 10m, and not 0s"},
		{"check -o out --runner flunk SYSTEM", `regvet: --runner cannot be "flunk"; it is prism, dataflow, flink, spark or universal`},
		{"check -o out --runner flink SYSTEM", "regvet: the pipeline did not end well, and what is in out is not complete: no job service endpoint specified. Use --endpoint=<endpoint>"},
		{"check -o full SYSTEM", "regvet: full cannot be written: there is something in it already; remove that, or name another folder"},
		{"check -o SYSTEM SYSTEM", "regvet: SYSTEM cannot be written: "},
		{"check -o nowhere://x SYSTEM", "regvet: nowhere://x cannot be written: no filesystem of Beam has this name; give a folder here, or gs://BUCKET/FOLDER"},
		{"check -o out -", "regvet: standard input cannot be dealt out to processes; copy it to a file and give that"},
		{"check -o out --all --rules list.yaml --pack list SYSTEM", "regvet: what inventories list is sorted at the end of a run, which here is of many processes; leave out --all, or the rules that only list"},
		{"check -o out --rules wrong.yaml SYSTEM", "regvet: wrong.yaml:"},
	} {
		_, messages, status := ran(t, "regvet-beam", dir, strings.Fields(c.args)...)
		first, _, _ := strings.Cut(messages, "\n")
		if status != statusUsage || first != c.want && !(strings.HasSuffix(c.want, ":") || strings.HasSuffix(c.want, ": ")) || !strings.HasPrefix(first, c.want) {
			t.Errorf("%s: exit status %d, and %s", c.args, status, messages)
		}
	}
	if help, _, status := ran(t, "regvet-beam", dir, "--help"); status != 0 || !strings.Contains(help, "--children N") || strings.Contains(help, "--shard I/N") {
		t.Errorf("exit status %d, and the help is %s", status, help)
	}
}

// TestStatus holds the exit statuses, and what is said at the end.
func TestStatus(t *testing.T) {
	dir := files(t, map[string][]byte{
		"SYSTEM": testdata(t, "SYSTEM"), "good": testdata(t, "SYSTEM-good"), "only/empty.zip": imagetest.Zip(nil),
		"pc/Windows/System32/config/SYSTEM": testdata(t, "SYSTEM-good"), "pc/Windows/System32/config/RegBack/SYSTEM": testdata(t, "SYSTEM"),
	})
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	defer func() {
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("temporary files are left: %v (%v)", left, err)
		}
	}()
	for i, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"good", 0, ""},
		{"good SYSTEM", 1, ""},
		{"--fail-on never good SYSTEM", 0, ""},
		{"pc", 0, "regvet: pc/Windows/System32/config/RegBack/SYSTEM is a backup of a hive of an earlier time, and is not checked; --regback checks it\n"},
		{"--regback pc", 1, ""},
		{"only", 3, "regvet: only: passed over: only/empty.zip, which is a zip archive without hives and .reg files\nregvet: no input holds a hive or a .reg file\n"},
		{"good missing", 3, "regvet: missing: cannot be opened: no such file or directory\nregvet: 1 input could not be read; out5/dead-*.jsonl says why\n"},
	} {
		args := slices.Concat([]string{"check", "-o", fmt.Sprintf("out%d", i)}, strings.Fields(c.args))
		_, messages, status := ran(t, "regvet-beam", dir, args...)
		want := strings.Replace(c.want, "out5", fmt.Sprintf("out%d", i), 1)
		if status != c.status || messages != want {
			t.Errorf("%s: exit status %d, want %d: %s", c.args, status, c.status, messages)
		}
	}
}

// TestConfig holds that what is to say about the config is said once, and counts.
func TestConfig(t *testing.T) {
	dir := files(t, map[string][]byte{"good": testdata(t, "SYSTEM-good"), "also": testdata(t, "SYSTEM-good"), "config.yaml": testdata(t, "config.yaml")})
	args := []string{"check", "--pack", "all", "--config", "config.yaml", "good", "also"}
	result, _, want := ran(t, "regvet", dir, append(args, "-f", "jsonl")...)
	_, messages, status := ran(t, "regvet-beam", dir, append(args, "-o", "out", "--shards", "4")...)
	if got := about(read(t, filepath.Join(dir, "out/findings-*.jsonl"))); status != want || !slices.Equal(slices.Compact(got), slices.Compact(about(result))) {
		t.Errorf("exit status %d, want %d, and %d lines, want %d: %s", status, want, len(got), len(about(result)), messages)
	}
}

// writer opens a pipe for writing, once another process reads it.
func writer(t *testing.T, name string) *os.File {
	for range 600 {
		if f, err := openWriter(name); err == nil {
			return f
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("nobody reads the pipe")
	return nil
}
