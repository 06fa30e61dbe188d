package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
)

// TestReadme runs each command that the README and the pages beside it show, and compares its output with the one shown; with -update it writes the
// outputs into them.
func TestReadme(t *testing.T) {
	for _, name := range []string{"README.md", "docs/evidence.md", "docs/history.md", "docs/importing.md", "docs/search.md", "docs/timeline.md"} {
		t.Run(name, func(t *testing.T) { testPage(t, filepath.Join("../..", name)) })
	}
}

func testPage(t *testing.T, name string) {
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{} // the blocks that show a file, by its name
	for block, name := range map[string]string{"yaml": "example.yaml", "yaml config": "config.yaml"} {
		if files[block], err = os.ReadFile(filepath.Join("../../testdata", name)); err != nil {
			t.Fatal(err)
		}
	}
	inputs, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS(inputs)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)

	var out strings.Builder
	block, commands := "", 0
	for line := range strings.Lines(string(readme)) {
		switch {
		case block == "" && strings.HasPrefix(line, "```"):
			block = strings.TrimSpace(line[3:])
			out.WriteString(line)
			out.Write(files[block])
		case block != "" && line == "```\n":
			block = ""
			out.WriteString(line)
		case block == "console" && strings.HasPrefix(line, "$ "):
			out.WriteString(line)
			out.WriteString(shown(t, strings.TrimSpace(line[2:])))
			commands++
		case block == "console" || files[block] != nil: // what is shown there now
		default:
			out.WriteString(line)
		}
	}
	if commands == 0 {
		t.Fatal("the page shows no command")
	}
	t.Chdir(home)
	if *update {
		if err := os.WriteFile(name, []byte(out.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(out.String(), string(readme)); diff != "" {
		t.Errorf("the page shows something else than the commands print (- printed, + shown); run the test with -update:\n%s", diff)
	}
}

// shown runs a command of the README and returns all that it prints. If only the last lines of the result are shown, the messages come first.
func shown(t *testing.T, command string) string {
	command, last := strings.CutSuffix(command, " | tail -n 2")
	args := strings.Fields(strings.ReplaceAll(command, "'", "")) // no argument has blanks
	var out, messages bytes.Buffer
	switch args[0] {
	case "regvet":
		if last {
			run(args[1:], strings.NewReader(""), &out, &messages)
			lines := strings.SplitAfter(out.String(), "\n")
			return messages.String() + strings.Join(lines[len(lines)-3:], "")
		}
		run(args[1:], strings.NewReader(""), &out, &out)
	case "iconv":
		data, err := os.ReadFile(args[len(args)-1])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(&out, strings.ReplaceAll(hive.DecodeUTF16(data[2:]), "\r\n", "\n"))
	default:
		t.Fatalf("the README shows %q, which this test cannot run", command)
	}
	return out.String()
}
