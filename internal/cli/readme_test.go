package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// root is the folder of the repository, where README.md is.
const root = "../.."

// generated are the pages that are written by commands. They begin with their contents, not with the command that does the task.
var generated = []string{"docs/checks.md", "docs/rules.md"}

// languages are those of the blocks in the pages. A block of commands that cannot run everywhere, as those of Windows, is in another language
// than console, which is run.
var languages = []string{"console", "sh", "cmd", "powershell", "groovy", "jq", "json", "reg", "sql", "text", "yaml"}

// pages returns the names of README.md and all other pages, below root.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md"}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			if name = filepath.ToSlash(strings.TrimPrefix(filepath.Clean(name), filepath.Clean(root)+string(filepath.Separator))); name != "README.md" {
				names = append(names, name)
			}
		}
	}
	return names
}

// page returns the text of a page.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadme runs each command that README.md and the pages in docs show, and compares what it prints with what is shown; with -update it
// writes that into the pages. A block whose language is followed by a name shows that file.
func TestReadme(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pages show the commands of a POSIX shell")
	}
	for _, name := range pages(t) {
		t.Run(name, func(t *testing.T) {
			shown := page(t, name)
			printed := rerun(t, shown)
			if *update && printed != shown {
				if err := os.WriteFile(filepath.Join(root, name), []byte(printed), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := gocmp.Diff(printed, shown); diff != "" {
				t.Errorf("the page shows something else than the commands print (- printed, + shown); run the test with -update:\n%s", diff)
			}
		})
	}
}

// rerun returns a page with what its commands print now.
func rerun(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS(filepath.Join(root, "testdata"))); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	language, file, status := "", "", 0
	for line := range strings.Lines(text) {
		switch {
		case language == "" && strings.HasPrefix(line, "```"):
			language, file, _ = strings.Cut(strings.TrimSpace(line[3:]), " ")
			if !slices.Contains(languages, language) {
				t.Errorf("a block is in the language %q, want one of %s", language, strings.Join(languages, ", "))
				language = cmp.Or(language, "none")
			}
			out.WriteString(line)
			if file != "" {
				out.WriteString(page(t, file))
			}
		case line == "```\n":
			language, file = "", ""
			out.WriteString(line)
		case language == "console" && strings.HasPrefix(line, "$ "):
			out.WriteString(line)
			var printed string
			printed, status = shell(t, dir, strings.TrimSpace(line[2:]), status)
			out.WriteString(printed)
		case language == "console" || file != "": // what is shown there now
		default:
			out.WriteString(line)
		}
	}
	return out.String()
}

// shell runs a command as a shell does whose last command ended with the given status, and returns all that it prints, and its own status.
func shell(t *testing.T, dir, command string, status int) (string, int) {
	t.Helper()
	sh := exec.Command("sh", "-c", fmt.Sprintf("(exit %d)\n%s", status, command))
	sh.Dir = dir
	out, err := sh.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	} else {
		status = 0
	}
	if status > statusInput {
		t.Errorf("%s: exit status %d:\n%s", command, status, out)
	}
	return string(out), status
}

// TestPagesBegin tests that each page begins with the command that does its task, that README.md leads to all of them, and that it is short.
func TestPagesBegin(t *testing.T) {
	readme := page(t, "README.md")
	if n := strings.Count(readme, "\n"); n > 170 {
		t.Errorf("README.md has %d lines, want 170 at most; a page in docs can take more", n)
	}
	for _, name := range pages(t) {
		if name == "README.md" {
			continue
		}
		if !strings.Contains(readme, "]("+name+")") {
			t.Errorf("README.md has no link to %s", name)
		}
		opening, _, _ := strings.Cut(page(t, name), "\n## ")
		if strings.HasPrefix(name, "docs/") && !slices.Contains(generated, name) && !strings.Contains(opening, "```console\n") && !strings.Contains(opening, "```sh\n") {
			t.Errorf("%s does not begin with a command", name)
		}
	}
}

// link is a link to another page, or to a place in one.
var link = regexp.MustCompile(`[^\\]\]\(([^)\s]+)\)`)

// TestLinks tests that each link of a page leads to a file that is there, and to a heading that is in it.
func TestLinks(t *testing.T) {
	headings := map[string][]string{}
	for _, name := range append(pages(t), "testdata/README.md") {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(prose(page(t, name)), ""), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := name
			if target != "" {
				to = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, found[1])
				continue
			}
			if anchor == "" {
				continue
			}
			if headings[to] == nil {
				headings[to] = anchors(page(t, to))
			}
			if !slices.Contains(headings[to], anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", name, found[1], to)
			}
		}
	}
}

// code is a piece of code within a line or two.
var code = regexp.MustCompile("`([^`]+)`")

// prose returns a page without its blocks.
func prose(text string) string {
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
}

// anchors returns the names by which GitHub and others link to the headings of a page.
func anchors(text string) []string {
	var names []string
	times := map[string]int{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(text), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, heading[1])
		if n := times[name]; n > 0 {
			names = append(names, fmt.Sprintf("%s-%d", name, n))
		} else {
			names = append(names, name)
		}
		times[name]++
	}
	return names
}

// TestMentions tests that each command that a page names is there, and each flag behind a command is one of it. A flag that stands alone is
// one of some command.
func TestMentions(t *testing.T) {
	known := map[string]*pflag.FlagSet{}
	for _, cmd := range commands() {
		known[cmd.name], _ = cmd.parser()
	}
	for _, name := range pages(t) {
		if slices.Contains(generated, name) {
			continue
		}
		for _, line := range codes(page(t, name)) {
			words := strings.Fields(line)
			at := slices.Index(words, "regvet")
			if at >= 0 && at+1 < len(words) && !strings.HasPrefix(words[at+1], "-") && words[at+1] != "help" {
				flags := known[words[at+1]]
				if flags == nil {
					t.Errorf("%s names %q, and there is no such command", name, line)
					continue
				}
				for _, word := range words[at+2:] {
					if word == "|" || word == "&&" || word == ">" {
						break
					}
					if flag, ok := flagOf(word); ok && !has(flags, flag) {
						t.Errorf("%s names %q, and regvet %s has no flag %s", name, line, words[at+1], flag)
					}
				}
			} else if at < 0 && strings.HasPrefix(line, "--") {
				flag, ok := flagOf(words[0])
				if ok && !slices.ContainsFunc(commands(), func(cmd command) bool { return has(known[cmd.name], flag) }) && !slices.Contains([]string{"--help", "--version"}, flag) {
					t.Errorf("%s names %q, and no command has this flag", name, line)
				}
			}
		}
	}
}

// codes returns the code within the text of a page, and the commands in its blocks.
func codes(text string) []string {
	var all []string
	for _, block := range regexp.MustCompile("(?ms)^```(?:console|sh)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
			if command, ok := strings.CutPrefix(line, "$ "); ok || strings.HasPrefix(line, "regvet ") {
				all = append(all, command)
			}
		}
	}
	for _, found := range code.FindAllStringSubmatch(prose(text), -1) {
		all = append(all, found[1])
	}
	return all
}

// flagOf returns the flag of a word of a command line, without its value.
func flagOf(word string) (string, bool) {
	flag := regexp.MustCompile(`^(--[a-z][a-z0-9-]*|-[a-zA-Z])([=[].*)?$`).FindStringSubmatch(strings.Trim(word, "'\""))
	if flag == nil {
		return "", false
	}
	return flag[1], true
}

func has(flags *pflag.FlagSet, flag string) bool {
	if name, long := strings.CutPrefix(flag, "--"); long {
		return flags.Lookup(name) != nil || name == "help"
	}
	return flags.ShorthandLookup(flag[1:]) != nil || flag == "-h"
}

// TestJQ runs each command of the page about formats that has jq behind it. It must find something in what regvet writes, or nothing where all was read.
func TestJQ(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed")
	}
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	_, block, _ := strings.Cut(string(page), "```jq\n")
	block, _, _ = strings.Cut(block, "```")
	n := 0
	for line := range strings.Lines(block) {
		command, filter, ok := strings.Cut(strings.TrimSpace(line), " | jq ")
		if !ok {
			continue
		}
		n++
		var result bytes.Buffer
		run(strings.Fields(command)[1:], nil, &result, io.Discard)
		jq := exec.Command("sh", "-c", "jq "+filter)
		jq.Stdin = &result
		out, err := jq.CombinedOutput()
		if err != nil || len(bytes.TrimSpace(out)) == 0 || bytes.Contains(out, []byte("null")) {
			t.Errorf("%s: %v: %s", line, err, out)
		}
	}
	if n < 5 {
		t.Errorf("%d commands", n)
	}
}
