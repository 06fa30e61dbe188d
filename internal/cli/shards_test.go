package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"regvet/hive/collection"
	"regvet/internal/draft"
	"regvet/internal/imagetest"
)

// shareable lays out a folder with inputs of every kind: hives and .reg files by themselves, machines with backups, an image, archives, one of which is cut
// off, and files that cannot be read.
func shareable(t *testing.T) string {
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	system, err := os.ReadFile("../../testdata/SYSTEM")
	if err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile("../../testdata/disk.E01")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"disk.E01": image, "pc/Windows/System32/config/SYSTEM": system, "pc/Windows/System32/config/RegBack/SYSTEM": system}
	for i := range 3 {
		files[fmt.Sprintf("collection%d.zip", i)] = imagetest.Zip([]imagetest.ArchiveFile{{Name: "Windows/System32/config/SYSTEM", Data: system}, {Name: "export.reg", Data: system}})
	}
	files["cut.zip"] = files["collection0.zip"][:3000]
	for name, data := range files {
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

// ran returns the result of a command and its exit status.
func ran(args ...string) (string, int) {
	var out bytes.Buffer
	status := run(args, nil, &out, io.Discard)
	return out.String(), status
}

// TestShards holds that the shares of a folder hold together what the folder holds: no line less and none twice, and the worst exit status is that of
// the whole.
func TestShards(t *testing.T) {
	t.Chdir(shareable(t))
	for _, command := range [][]string{
		{"check", "-f", "jsonl", "."},
		{"check", "--regback", "-f", "jsonl", ".", "disk/Windows", "nothing", "SYSTEM"},
		{"timeline", "-f", "csv", "--no-bom", "."},
		{"lint", "--no-config", "-f", "jsonl", "."},
		{"info", "-f", "json", "."},
	} {
		what := strings.Join(command, " ")
		lines := func(result string) (all []string) {
			for line := range strings.Lines(result) {
				about := strings.HasPrefix(line, `{"input"`) || strings.HasPrefix(line, `{"finding"`) || strings.HasPrefix(line, `{"refused"`) || strings.HasPrefix(line, `{"done"`)
				if about || command[0] == "timeline" && strings.HasPrefix(line, `"`) || command[0] == "info" && strings.HasPrefix(line, `      "sha256"`) {
					all = append(all, line)
				}
			}
			slices.Sort(all)
			return all
		}
		result, want := ran(command...)
		whole := lines(result)
		if len(whole) < 10 {
			t.Fatalf("%s: %d lines", what, len(whole))
		}
		for _, of := range []int{2, 7} {
			var together []string
			worst, most := 0, 0
			for i := range of {
				result, status := ran(append([]string{command[0], fmt.Sprintf("--shard=%d/%d", i+1, of)}, command[1:]...)...)
				part := lines(result)
				together, worst, most = append(together, part...), max(worst, status), max(most, len(part))
			}
			slices.Sort(together)
			if !slices.Equal(whole, together) {
				t.Errorf("%s in %d shares has %d lines, and the whole %d", what, of, len(together), len(whole))
			}
			if worst != want {
				t.Errorf("%s in %d shares: exit status %d, want %d", what, of, worst, want)
			}
			if of > 1 && most == len(whole) {
				t.Errorf("%s: one of %d shares has everything", what, of)
			}
		}
	}
}

// TestSharesAreInputs holds that no run writes over what another one reads, whichever share that is in.
func TestSharesAreInputs(t *testing.T) {
	t.Chdir(shareable(t))
	for _, name := range []string{"collection0.zip", "collection1.zip", "cut.zip", "disk.E01", "pc/Windows/System32/config/SYSTEM", "SYSTEM", "SYSTEM-good.reg"} {
		before, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, share := range []string{"1/3", "2/3", "3/3"} {
			_, status := ran("check", "--shard", share, "-f", "json", "-o", name, ".")
			if after, err := os.ReadFile(name); status != statusUsage || err != nil || !bytes.Equal(before, after) {
				t.Errorf("%s in share %s: exit status %d, and %d bytes (%v)", name, share, status, len(after), err)
			}
		}
	}
}

// TestResume holds that a run which goes on with any part of a result, cut off wherever the process or the computer may have ended, makes the whole of it,
// with its exit status.
func TestResume(t *testing.T) {
	t.Chdir(shareable(t))
	command := []string{"check", "--shard", "1/2", "-f", "jsonl", "-o", "result.jsonl", "."}
	_, want := ran(command...)
	whole, err := os.ReadFile("result.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("result.jsonl.partial"); err == nil {
		t.Error("the part is still there after the whole is")
	}
	cuts := []int{0, 1, len(whole) - 1, len(whole)}
	for at, n := 0, 0; at < len(whole); at++ {
		if whole[at] == '\n' {
			if n++; n%40 < 2 {
				cuts = append(cuts, at, at+1, at+30)
			}
		}
	}
	start := bytes.IndexByte(whole, '\n') + 1
	for _, at := range cuts {
		part := append(bytes.Clone(whole[:min(at, len(whole))]), 0, 0, 0, '\n') // an unwritten block, as a power cut leaves it
		if err := os.WriteFile("result.jsonl.partial", part, 0o666); err != nil {
			t.Fatal(err)
		}
		os.Remove("result.jsonl")
		_, status := ran(append([]string{"check", "--resume"}, command[1:]...)...)
		got, err := os.ReadFile("result.jsonl")
		if err != nil || status != want || !bytes.Equal(got[start:], whole[start:]) && at >= start || len(got) < len(whole) {
			t.Fatalf("cut at %d of %d: exit status %d, want %d, and %d bytes (%v)", at, len(whole), status, want, len(got), err)
		}
	}
	var out bytes.Buffer
	if status := run(append([]string{"check", "--resume"}, command[1:]...), nil, io.Discard, &out); status != want || !strings.HasSuffix(out.String(), "result.jsonl is complete, and nothing is left to do\n") {
		t.Errorf("exit status %d, and %s", status, out.String())
	}
}

// TestKilled holds the same of a process that is killed again and again.
func TestKilled(t *testing.T) {
	program, err := exec.LookPath("regvet") // the one of the scripts
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(shareable(t))
	args := []string{"check", "--pack", "all", "--resume", "-f", "jsonl", "-o", "result.jsonl", "."}
	_, want := ran("check", "--pack", "all", "-f", "jsonl", "-o", "plain.jsonl", ".")
	for wait := time.Millisecond; ; wait *= 2 {
		command := exec.Command(program, args...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(wait, func() { command.Process.Kill() })
		command.Wait()
		if kill.Stop() {
			if got := command.ProcessState.ExitCode(); got != want {
				t.Errorf("exit status %d, want %d", got, want)
			}
			break
		}
	}
	plain, err := os.ReadFile("plain.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	result, err := os.ReadFile("result.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	body := func(data []byte) []byte { return data[bytes.IndexByte(data, '\n'):] }
	if !bytes.Equal(body(plain), body(result)) {
		t.Errorf("the result has %d bytes, and that of a run in one go %d", len(result), len(plain))
	}
}

// TestOneRunAtATime requires that a run leaves FILE.partial alone while another one writes it.
func TestOneRunAtATime(t *testing.T) {
	t.Chdir(shareable(t))
	const name = "result.jsonl.partial"
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := draft.Lock(file); err != nil {
		t.Fatal(err)
	}
	args := []string{"check", "--resume", "-f", "jsonl", "-o", "result.jsonl", "."}
	var out bytes.Buffer
	want := "regvet: " + name + " cannot be written: another run writes it; wait for that, or end it\n"
	if status := run(args, nil, io.Discard, &out); status != statusUsage || !strings.HasSuffix("\n"+out.String(), "\n"+want) {
		t.Errorf("exit status %d, and %q", status, out.String())
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, status := ran(args...); status == statusUsage {
		t.Errorf("exit status %d although no run writes it", status)
	}
}

// TestChecker holds that the units of a folder, each checked by itself in whatever process, hold together what check says of the folder.
func TestChecker(t *testing.T) {
	t.Chdir(shareable(t))
	for _, flags := range [][]string{nil, {"--regback"}, {"--mount", `HKLM\SYSTEM`}} {
		inputs := []string{".", "disk/Windows", "nothing", "SYSTEM", "disk.E01"}
		result, want := ran(slices.Concat([]string{"check", "-f", "jsonl"}, flags, inputs)...)
		var out bytes.Buffer
		units := map[string]bool{}
		p := Program{Name: "other", Define: func(*pflag.FlagSet) {}}
		status := p.Run(slices.Concat([]string{"check"}, flags, inputs), io.Discard, io.Discard, func(c *Checker) (status int) {
			for _, input := range c.Inputs {
				err := c.Units(input, func(u collection.Unit) error {
					data, err := u.MarshalBinary()
					if err != nil {
						return err
					}
					var read collection.Unit
					if err := read.UnmarshalBinary(data); err != nil {
						return err
					}
					a, err := c.Check(&out, read)
					out.WriteString(a.Containers + a.Lost)
					units[read.Name], status = true, max(status, a.Status)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
			return status
		})
		whole := slices.Sorted(strings.Lines(regexp.MustCompile(`,"turn":[0-9]+`).ReplaceAllString(result, "")))
		whole = slices.DeleteFunc(whole, func(line string) bool {
			return strings.HasPrefix(line, `{"schema_version"`) || strings.HasPrefix(line, `{"summary"`)
		})
		if got := slices.Sorted(strings.Lines(out.String())); !slices.Equal(got, whole) {
			t.Errorf("%v: %d lines, want %d", flags, len(got), len(whole))
		}
		if status != want || len(units) < 20 || !units["disk.E01"] || !units["pc/Windows"] && !units["pc/Windows/System32/config/SYSTEM"] {
			t.Errorf("%v: exit status %d, want %d, and the units %v", flags, status, want, units)
		}
	}
}
