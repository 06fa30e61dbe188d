package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pieces is what the patterns of TestGitIgnores are made of.
var pieces = []string{"a", "b", "ab", ".reg", "*", "*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[^b/]", "[a-", "]", "[]a]", "[[:alpha:]]", "[[:nothing:]]",
	"[a[:]", "[--b]", `\`, `\*`, `\!`, "!", "#", " ", `\ `, "é", "\xC3", "-", "{a,b}", "\t"}

// TestGitIgnores has git itself say which files it does not ignore, in many folders with patterns made by chance.
func TestGitIgnores(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("needs git")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME"} { // the user has patterns of his own
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	run := func(args ...string) []byte {
		out, err := exec.Command(git, args...).Output()
		if err != nil {
			t.Fatalf("git %s: %v", args, err)
		}
		return out
	}
	run("-c", "init.defaultBranch=main", "init", "-q", ".")
	run("config", "core.ignorecase", "false")
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	chance := rand.New(rand.NewPCG(1, 2))
	patterns := func() string {
		var b strings.Builder
		for range 1 + chance.IntN(4) {
			for range 1 + chance.IntN(5) {
				b.WriteString(pieces[chance.IntN(len(pieces))])
			}
			b.WriteString([]string{"\n", "\r\n"}[chance.IntN(2)])
		}
		return b.String()
	}
	write(".git/info/exclude", "excluded*\n")
	write(".gitignore", "\xEF\xBB\xBFignored\n!/excluded.reg")
	for i := range 100 {
		at := filepath.Join("case", string(rune('a'+i/20)), string(rune('a'+i%20)))
		write(filepath.Join(at, ".gitignore"), patterns())
		if chance.IntN(2) == 0 {
			write(filepath.Join(at, "a", ".gitignore"), patterns())
		}
		for _, name := range []string{"a.reg", "b.reg", "ab.reg", ".reg", "a/a.reg", "a/b/a.reg", "a/b/ab/b.reg", "b/ab/a/b.reg", "b/a.reg", "ab/b.reg", "#a.reg", "a .reg",
			"!b.reg", "é.reg", "é/a.reg", "-.reg", "ignored/a.reg", "excluded.reg"} {
			write(filepath.Join(at, name), "")
		}
	}
	write("excluded.reg", "")
	var want []string
	for _, name := range strings.Split(string(run("ls-files", "-z", "--others", "--exclude-standard")), "\x00") {
		if strings.EqualFold(filepath.Ext(name), ".reg") {
			want = append(want, filepath.FromSlash(name))
		}
	}
	var messages bytes.Buffer
	s := &session{stderr: &messages}
	got := new(regFileFlags).find(s, []string{"."})
	if messages.Len() > 0 {
		t.Error(messages.String())
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < 500 || !slices.Contains(want, "excluded.reg") {
		t.Fatalf("git lists %d files, excluded.reg: %v", len(want), slices.Contains(want, "excluded.reg"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- git, + regvet:\n%s", diff)
	}
}

// TestGitIgnoresInWorktree reads the exclude file of a repository from a further worktree of it, where .git is a file. A .gitignore that is
// too long to be one is told, and left out.
func TestGitIgnoresInWorktree(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main/.git/info/exclude":            "left.reg\n",
		"main/.git/worktrees/two/commondir": "../..\n",
		"two/.git":                          "gitdir: " + filepath.Join(dir, "main/.git/worktrees/two") + "\n",
		"two/left.reg":                      "",
		"two/found.reg":                     "",
		"two/long/.gitignore":               strings.Repeat("*.reg\n", maxIgnoreFile/5),
		"two/long/found.reg":                "",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var messages bytes.Buffer
	s := &session{stderr: &messages}
	if got, want := new(regFileFlags).find(s, []string{"two"}), []string{filepath.Join("two", "found.reg"), filepath.Join("two", "long", "found.reg")}; !slices.Equal(got, want) {
		t.Errorf("found %s, want %s", got, want)
	}
	if s.status != statusInput || strings.Count(messages.String(), "is longer than") != 1 {
		t.Errorf("status %d: %s", s.status, &messages)
	}
}

// FuzzGitPattern takes any line for one of a .gitignore, and holds that a name with every character escaped is a pattern for just that name.
func FuzzGitPattern(f *testing.F) {
	for _, piece := range pieces {
		f.Add(piece+"a"+piece, "a")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		folder := func(line string) *gitFolder {
			p, ok := parseGitPattern(line)
			if !ok {
				return nil
			}
			return &gitFolder{patterns: []gitPattern{p}}
		}
		folder(line).ignores(name, true)
		if name == "" || strings.ContainsAny(name, "/\x00") {
			return
		}
		var escaped strings.Builder
		for i := range len(name) {
			escaped.WriteByte('\\')
			escaped.WriteByte(name[i])
		}
		g := folder(escaped.String())
		if !g.ignores(name, false) || g.ignores(name+"x", false) {
			t.Errorf("the pattern %q is not for %q alone", escaped.String(), name)
		}
	})
}
