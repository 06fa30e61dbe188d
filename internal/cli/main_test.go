package cli

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
	"regvet/internal/hivetest"
	"regvet/internal/memory"
)

var update = flag.Bool("update", false, "write what the tests compare with anew")

func TestMain(m *testing.M) {
	testscript.Main(elsewhere{m}, map[string]func(){"regvet": Main})
}

// epoch is the date that the tests write into patches.
const epoch = "1131667200" // 2005-11-11

// elsewhere sets up the environment of the tests: not that of GitHub Actions, where the default format is another, nothing that chooses colours,
// and always the same date.
type elsewhere struct{ *testing.M }

func (m elsewhere) Run() int {
	for _, name := range []string{"GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR"} {
		os.Unsetenv(name)
	}
	os.Setenv("SOURCE_DATE_EPOCH", epoch)
	memory.ForTests()
	if err := install(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.M.Run()
}

// install puts the program itself in the place of what testscript has put in the path for it, a copy of this test binary, which takes half as long again
// to start. With the race detector that copy stays, so that the program has it too.
func install() error {
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) || slices.Contains(os.Args, "-test.fuzzworker") {
		return nil
	}
	program, err := exec.LookPath("regvet")
	if err != nil {
		return err
	}
	if err := os.Remove(program); err != nil { // it may be a link to this binary
		return err
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, "regvet/cmd/regvet").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	return nil
}

// TestScripts runs the command as a user does. The folder of each script has the hives of testdata and some damaged ones.
func TestScripts(t *testing.T) {
	params := testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			data, err := filepath.Abs("../../testdata")
			env.Setenv("TESTDATA", data)
			env.Setenv("SOURCE_DATE_EPOCH", epoch)
			return errors.Join(err, layOut(env.WorkDir))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "utf8": asText, "crlf": withoutCR, "bytes": asBytes, "dump": asDump},
	}
	if testing.Short() {
		params.Dir = ""
		for _, name := range atOnce {
			params.Files = append(params.Files, filepath.Join("testdata/script", name+".txtar"))
		}
	}
	testscript.Run(t, params)
}

// atOnce are the scripts whose commands do the most at once. With -short only these run, for the race detector: with it a command starts ten times as
// slowly, and nearly all others read one small file.
var atOnce = []string{"collections", "export", "fleet", "folder", "history", "lint", "machine", "parquet", "shards", "timeline"}

// status runs a command and requires an exit status: status 3 regvet check nothing.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// asText writes the text of a .reg file, in a form that a script can hold, to a file with .txt added to its name.
func asText(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		data := []byte(ts.ReadFile(name))
		if !bytes.HasPrefix(data, []byte{0xFF, 0xFE}) {
			ts.Fatalf("%s is not UTF-16LE with a byte order mark", name)
		}
		text := bytes.ReplaceAll([]byte(hive.DecodeUTF16(data[2:])), []byte("\r\n"), []byte("\n"))
		ts.Check(os.WriteFile(ts.MkAbs(name)+".txt", text, 0o666))
	}
}

// withoutCR writes a file without CRs, so that a script can hold it, to a file with .txt added to its name.
func withoutCR(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		text := ts.ReadFile(name)
		if strings.Count(text, "\n") != strings.Count(text, "\r\n") {
			ts.Fatalf("%s has a line that does not end with CR LF", name)
		}
		text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
		ts.Check(os.WriteFile(ts.MkAbs(name)+".txt", []byte(text), 0o666))
	}
}

// asBytes replaces each \xNN in files by the byte that it stands for, and ends their lines with CR LF.
func asBytes(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		text := regexp.MustCompile(`\\x[0-9a-f]{2}`).ReplaceAllStringFunc(ts.ReadFile(name), func(code string) string {
			b, err := hex.DecodeString(code[2:])
			ts.Check(err)
			return string(b)
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o666))
	}
}

// asDump writes the bytes of files in hex to files with .txt added to their names.
func asDump(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		ts.Check(os.WriteFile(ts.MkAbs(name)+".txt", []byte(hex.Dump([]byte(ts.ReadFile(name)))), 0o666))
	}
}

// layOut writes the inputs of the scripts into a folder.
func layOut(dir string) error {
	names, err := filepath.Glob("../../testdata/SYSTEM*")
	if err != nil {
		return err
	}
	files := map[string][]byte{"empty": nil, "zeros": make([]byte, 8192)}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	policy := polfile.Bytes([]polfile.Entry{{Key: `Software\Example`, Value: "Value", Type: hive.DWord, Data: []byte{1, 0, 0, 0}}})
	files["cut.pol"], files["version.pol"] = policy[:20], bytes.Clone(policy)
	files["version.pol"][4] = 2
	example := polfile.Entry{Key: `SOFTWARE\Policies\Example`, Type: hive.DWord, Data: []byte{2, 0, 0, 0}}
	all, soft := example, example
	all.Value, soft.Value = "**delvals.", "**soft.Wrong"
	files["all.pol"] = polfile.Bytes([]polfile.Entry{all, soft})
	system := files["SYSTEM"]
	files["truncated"] = system[:5000]
	files["short"] = system[:1000]
	dirty := bytes.Clone(system)
	dirty[4]++
	hivetest.Seal(dirty)
	files["dirty"] = dirty
	log := bytes.Clone(system[:4096])
	log[28] = 6
	hivetest.Seal(log)
	files["SYSTEM.LOG1"] = log
	files["nameless"] = hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Example"}}}, hivetest.Options{})
	files["SAM"] = hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "SAM", Keys: []*hivetest.Key{{Name: "Domains"}}}}}, hivetest.Options{})
	files["slashed"] = hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: `a\b`, Keys: []*hivetest.Key{{Name: "c"}}}}}, hivetest.Options{})
	files["hostile"] = hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "\x1b[31mred"}}}, hivetest.Options{Name: "SYSTEM"})
	files["cyrillic.reg"] = []byte("REGEDIT4\r\n\r\n[HKEY_CURRENT_USER\\\xcf]\r\n\"\xf0\"=hex(2):f0,00\r\n")
	files["unterminated"] = hivetest.Build(parameters(hive.Value{Name: "MaxUserPort", Type: hive.SZ, Data: hive.EncodeUTF16("65534")}), hivetest.Options{})
	// Text that reports must escape: quotes, line breaks, a control character, a lone surrogate, and characters with a meaning in some format.
	text := append(hive.EncodeUTF16("=1\"'\r\n::error::x,|`<b>&amp;]]>\x1b%0A*_"), 0x00, 0xD8, 0xFF, 0xFF, 0, 0)
	files["hostile-data"] = hivetest.Build(parameters(hive.Value{Name: "MaxUserPort", Type: hive.SZ, Data: text}), hivetest.Options{})
	ports := parameters(hive.DWordValue("MaxUserPort", 5000), hive.DWordValue("TcpTimedWaitDelay", 240))
	maps.Copy(files, dirtySystem("dirty-system", ports, hivetest.Options{}, "MaxUserPort", 65534, "TcpTimedWaitDelay", 30))
	torn := bytes.Clone(files["dirty-system.LOG1"])
	torn[len(torn)-1]++
	files["torn.LOG1"] = torn
	torn = bytes.Clone(files["dirty-system.LOG2"])
	torn[len(torn)-1]++
	files["torn.LOG2"] = torn
	files["dirty-own"] = hivetest.Set32(files["dirty-system"], hivetest.BaseManager, 1)
	files["dirty-own.LOG1"] = hivetest.Set32(files["dirty-system.LOG1"], hivetest.BaseManager, 2)
	files["deleted"] = deletedData()
	files["links"] = linkedData()
	files["stamped"] = stampedData()
	files["stampeduser"] = stampedUser()
	files["stampedsoftware"] = stampedSoftware()
	files["cut"] = files["stamped"][:4096+1024]
	files["deleted-port"] = deletedPort()
	files["deleted-slack"] = deletedSlack()
	for name, data := range hivetest.Damages() {
		files[filepath.Join("damaged", name)] = data
	}
	for _, hives := range []map[string][]byte{windows(), otherHives()} {
		for name, data := range hives {
			files[filepath.FromSlash(name)] = data
		}
	}
	for name, data := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// linkedData returns a SYSTEM hive in which the key of TCP/IP is a symbolic link, and other links lead nowhere.
func linkedData() []byte {
	link := func(name, target string) *hivetest.Key {
		return &hivetest.Key{Name: name, Flags: 0x10, Values: []hive.Value{{Name: "SymbolicLinkValue", Type: hive.Link, Data: hive.EncodeUTF16(target)}}}
	}
	root := parameters(hive.DWordValue("MaxUserPort", 5000))
	services := root.Keys[0].Keys[0]
	stack := services.Keys[0]
	stack.Name, stack.Class = "Stack", "network"
	services.Keys[0] = link("Tcpip", `\Registry\Machine\SYSTEM\Stack`)
	root.Keys = append(root.Keys, stack, link("Away", `\Registry\Machine\SOFTWARE\Example`), link("Loop", `\REGISTRY\MACHINE\SYSTEM\LOOP`))
	return hivetest.Build(root, hivetest.Options{})
}

// deletedData returns a hive from which a key with a value, and a value of another key, were deleted.
func deletedData() []byte {
	const written = 131_000_000_000_000_000
	data, at := hivetest.BuildLayout(&hivetest.Key{Modified: written, Keys: []*hivetest.Key{
		{Name: "Gone", Modified: written, Values: []hive.Value{hive.StringValue("text", hive.SZ, "still here")}},
		{Name: "There", Modified: written, Values: []hive.Value{hive.DWordValue("kept", 1), hive.DWordValue("lost", 2)}},
	}}, hivetest.Options{})
	gone, there := at.Key("Gone"), at.Key("There")
	data = hivetest.Set32(data, there.Node+hivetest.NodeValues, 1)
	for _, record := range []int{gone.Node, gone.ValueList, gone.Value("text").Record, gone.Value("text").Data, there.Value("lost").Record} {
		data = hivetest.Free(data, record)
	}
	// The list of the root loses its first key.
	list := at.Key("").List
	data = hivetest.Set16(data, list+hivetest.ListCount, 1)
	copy(data[list+hivetest.ListElements:], data[list+hivetest.ListElements+8:][:8])
	return hivetest.Set32(data, at.Key("").Node+hivetest.NodeKeys, 1)
}

// windows returns the hives of a system with two users, of whom only alice is in the list of profiles.
func windows() map[string][]byte {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key { return &hivetest.Key{Name: name, Keys: keys} }
	with := func(k *hivetest.Key, values ...hive.Value) *hivetest.Key { k.Values = values; return k }
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	user := func(n uint32) []byte {
		return hivetest.Build(key("", key("Environment"), key("Software", with(key("Example"), hive.DWordValue("N", n)))), hivetest.Options{Name: `\??\C:\Users\x\ntuser.dat`})
	}
	software := key("", key("Classes"), key("Microsoft", key("Windows NT", with(
		key("CurrentVersion", key("ProfileList", with(key("S-1-5-21-1-2-3-1001"), text("ProfileImagePath", `C:\Users\Alice`)))),
		text("CurrentVersion", "6.1"), text("CurrentBuildNumber", "7601")))))
	classes := key("", key("Local Settings"), with(key("Example"), hive.DWordValue("N", 7)))
	return map[string][]byte{
		"disk/Windows/System32/config/SYSTEM":                           hivetest.Build(parameters(hive.DWordValue("MaxUserPort", 5000)), hivetest.Options{}),
		"disk/Windows/System32/config/SOFTWARE":                         hivetest.Build(software, hivetest.Options{}),
		"disk/Windows/System32/config/DEFAULT":                          user(0),
		"disk/Users/alice/NTUSER.DAT":                                   user(1),
		"disk/Users/alice/AppData/Local/Microsoft/Windows/UsrClass.dat": hivetest.Build(classes, hivetest.Options{}),
		"disk/Users/bob/NTUSER.DAT":                                     user(2),
	}
}

// deletedPort returns a SYSTEM hive in which MaxUserPort was set and then deleted.
func deletedPort() []byte {
	root := parameters(hive.DWordValue("TcpTimedWaitDelay", 30), hive.DWordValue("MaxUserPort", 65534))
	stamp(root, 131_000_000_000_000_000)
	data, at := hivetest.BuildLayout(root, hivetest.Options{})
	k := at.Key(`ControlSet001\Services\Tcpip\Parameters`)
	return hivetest.Set32(hivetest.Free(data, k.Value("MaxUserPort").Record), k.Node+hivetest.NodeValues, 1)
}

// deletedSlack returns a SYSTEM hive in which the list of the values of TCP/IP was moved over a deleted key, and MaxUserPort was then deleted. A
// deleted value is still in the slack of the list.
func deletedSlack() []byte {
	parameters := parameters(hive.DWordValue("MaxUserPort", 65534), hive.DWordValue("TcpTimedWaitDelay", 30), hive.DWordValue("DefaultTTL", 64))
	parameters.Keys = append(parameters.Keys, &hivetest.Key{Name: "Gone", Values: []hive.Value{hive.DWordValue("lost", 2)}})
	stamp(parameters, 131_000_000_000_000_000)
	data, at := hivetest.BuildLayout(parameters, hivetest.Options{})
	root, gone, k := at.Key(""), at.Key("Gone"), at.Key(`ControlSet001\Services\Tcpip\Parameters`)
	for _, record := range []int{gone.Node, gone.Value("lost").Record, gone.ValueList} {
		data = hivetest.Free(data, record)
	}
	data = hivetest.Refer(data, root.List+hivetest.ListElements+8, at.Key("Select").Node)
	data = hivetest.Set32(hivetest.Set16(data, root.List+hivetest.ListCount, 2), root.Node+hivetest.NodeKeys, 2)
	data = hivetest.Move(hivetest.Join(data, gone.Node, 3), k.Node+hivetest.NodeValueList, gone.Node)
	k.ValueList = gone.Node
	return hivetest.DeleteValue(data, k, "MaxUserPort")
}

// parameters returns the tree of a SYSTEM hive that holds only values of TCP/IP.
func parameters(values ...hive.Value) *hivetest.Key {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key { return &hivetest.Key{Name: name, Keys: keys} }
	tcpip := key("Parameters")
	tcpip.Values = values
	return key("", key("ControlSet001", key("Services", key("Tcpip", tcpip))),
		&hivetest.Key{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}})
}

// dirtySystem returns a SYSTEM hive that was being written, and its logs. Each log has one change: a number among the values of TCP/IP, by its
// name, and what it becomes.
func dirtySystem(name string, root *hivetest.Key, o hivetest.Options, sets ...any) map[string][]byte {
	state, at := hivetest.BuildLayout(root, o)
	number := uint32(2)
	files := map[string][]byte{name: hivetest.Dirty(state, number+1, number)}
	k := at.Key(`ControlSet001\Services\Tcpip\Parameters`)
	for i := 0; i < len(sets); i += 2 {
		after := hivetest.Set32(state, k.Value(sets[i].(string)).Record+hivetest.ValueData, uint32(sets[i+1].(int)))
		files[name+".LOG"+strconv.Itoa(i/2+1)] = hivetest.Log(state, number, hivetest.Entries(number, 1, state, after)...)
		state = after
		number++
	}
	return files
}

// TestTestdata compares each hive in testdata with the .reg file that it was made from; with -update it makes the hives.
func TestTestdata(t *testing.T) {
	sources, err := filepath.Glob("../../testdata/SYSTEM*.reg")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		f, err := regfile.Parse(source, text)
		if err != nil || len(f.Problems) > 0 {
			t.Fatalf("%s: %v %v", source, err, f.Problems)
		}
		root := hivetest.FromTree(f.Tree().Key("HKEY_LOCAL_MACHINE").Key("SYSTEM"))
		written := hive.Filetime(127761408001234567) // 2005-11-10 for all keys, because .reg text has no times
		stamp(root, written)
		o := hivetest.Options{Name: `\SystemRoot\System32\Config\SYSTEM`, Modified: written}
		name := source[:len(source)-len(".reg")]
		made := map[string][]byte{name: hivetest.Build(root, o)}
		if filepath.Base(name) == "SYSTEM-10" {
			maps.Copy(made, dirtySystem(filepath.Join(filepath.Dir(name), "SYSTEM-dirty"), root, o, "MaxUserPort", 65534))
		}
		for name, data := range made {
			if *update {
				if err := os.WriteFile(name, data, 0o666); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if have, err := os.ReadFile(name); err != nil || !bytes.Equal(have, data) {
				t.Errorf("%s is not what its source makes (%v); run the test with -update", name, err)
			}
		}
	}
}

func stamp(k *hivetest.Key, at hive.Filetime) {
	k.Modified = at
	for _, child := range k.Keys {
		stamp(child, at)
	}
}
