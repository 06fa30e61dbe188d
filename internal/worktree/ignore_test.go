package worktree

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pieces are what the patterns of TestGit are made of.
var pieces = []string{"a", "b", "ab", ".reg", "*", "*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[^b/]", "[a-", "]", "[]a]", "[[:alpha:]]", "[[:space:]]", "[[:nothing:]]",
	"[a[:]", "[--b]", `\`, `\*`, `\!`, "!", "#", " ", `\ `, "é", "\xC3", "-", "{a,b}", "\t"}

// git returns a function that runs git in a folder, without the settings of the user. The test is skipped where there is no git.
func git(t *testing.T) func(folder string, args ...string) []byte {
	program, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed; what regvet finds is not compared with what git lists")
	}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, name := range []string{"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"} { // set where the tests run in a hook
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	return func(folder string, args ...string) []byte {
		cmd := exec.Command(program, append([]string{"-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "protocol.file.allow=always"}, args...)...)
		cmd.Dir = folder
		var messages bytes.Buffer
		cmd.Stderr = &messages
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, &messages)
		}
		return out
	}
}

// write writes files, with the folders that they are in. A name that ends with / is a folder.
func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if strings.HasSuffix(name, "/") {
			name, path = path, filepath.Join(path, "x")
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if path == filepath.Join(folder, name) {
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// find searches a folder, and returns the paths in it and what is said, a line each.
func find(t *testing.T, folder string) (files, problems []string) {
	t.Helper()
	found := Find([]string{folder}, nil)
	for _, f := range found.Files {
		rel, err := filepath.Rel(folder, f)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.ToSlash(rel))
	}
	for _, p := range found.Problems {
		problems = append(problems, strings.ReplaceAll(p.Error(), folder, "TOP"))
	}
	return files, problems
}

// listed is what git lists of the .reg files that are there: those that it tracks, and those that it does not ignore.
func listed(run func(string, ...string) []byte, folder string) (files []string) {
	for name := range strings.SplitSeq(string(run(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")), "\x00") {
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil && strings.EqualFold(filepath.Ext(name), ".reg") {
			files = append(files, name)
		}
	}
	return files
}

// TestGit compares what is found with what git lists, in many folders with random patterns and random tracked files, for each form of the index.
func TestGit(t *testing.T) {
	for _, form := range []struct {
		name string
		init []string
		set  [][]string
	}{
		{"version 2", nil, [][]string{{"update-index", "--index-version", "2"}}},
		{"version 4", nil, [][]string{{"update-index", "--index-version", "4"}}},
		{"split", nil, [][]string{{"update-index", "--split-index"}}},
		{"split version 4", nil, [][]string{{"update-index", "--index-version", "4"}, {"update-index", "--split-index"}}},
		{"sha256", []string{"--object-format=sha256"}, nil},
		{"sha256 split", []string{"--object-format=sha256"}, [][]string{{"update-index", "--split-index"}}},
	} {
		t.Run(form.name, func(t *testing.T) {
			run := git(t)
			dir := layOut(t, run, form.init)
			check := func(when string) {
				t.Helper()
				want := listed(run, dir)
				got, problems := find(t, dir)
				for _, p := range problems {
					t.Errorf("%s: %s", when, p)
				}
				slices.Sort(want)
				slices.Sort(got)
				if len(want) < 200 || !slices.Contains(want, "excluded.reg") {
					t.Fatalf("%s: git lists %d files, excluded.reg: %v", when, len(want), slices.Contains(want, "excluded.reg"))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: - git, + regvet:\n%s", when, diff)
				}
			}
			check("nothing is tracked")
			// First a third of the files is tracked; then some of them are not any more, others are, and some have changed.
			all := strings.Split(strings.TrimSuffix(string(run(dir, "ls-files", "-z", "--others", "case")), "\x00"), "\x00")
			chance := rand.New(rand.NewPCG(3, 4))
			some := func(of []string, n int) []string {
				return slices.DeleteFunc(slices.Clone(of), func(name string) bool { return chance.IntN(n) > 0 })
			}
			tracked := some(all, 3)
			run(dir, append([]string{"add", "-f", "--"}, tracked...)...)
			for _, args := range form.set {
				run(dir, args...)
			}
			check("some are tracked")
			run(dir, append([]string{"rm", "--cached", "-q", "--"}, some(tracked, 5)...)...)
			run(dir, append([]string{"add", "-f", "--"}, some(all, 10)...)...)
			run(dir, append([]string{"add", "-f", "-N", "--"}, some(all, 10)...)...) // which takes version 3
			for _, name := range some(tracked, 5) {
				write(t, dir, map[string]string{name: "changed"})
			}
			run(dir, "add", "-u")
			check("others are tracked")
			shared, _ := filepath.Glob(filepath.Join(dir, ".git", "sharedindex.*"))
			if strings.Contains(form.name, "split") != (len(shared) > 0) {
				t.Errorf("shared indexes: %s", shared)
			}
		})
	}
}

// layOut makes a repository with many folders and random patterns.
func layOut(t *testing.T, run func(string, ...string) []byte, flags []string) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run(dir, append([]string{"-c", "init.defaultBranch=main", "init", "-q", "."}, flags...)...)
	run(dir, "config", "core.ignorecase", "false")
	run(dir, "config", "splitIndex.maxPercentChange", "100")
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
	files := map[string]string{".git/info/exclude": "excluded*\n", ".gitignore": "\xEF\xBB\xBFignored\n!/excluded.reg", "excluded.reg": ""}
	for i := range 40 {
		at := fmt.Sprintf("case/%c/%c/", 'a'+i/20, 'a'+i%20)
		files[at+".gitignore"] = patterns()
		if chance.IntN(2) == 0 {
			files[at+"a/.gitignore"] = patterns()
		}
		for _, name := range []string{"a.reg", "b.reg", "ab.reg", ".reg", "a/a.reg", "a/b/a.reg", "a/b/ab/b.reg", "b/ab/a/b.reg", "b/a.reg", "ab/b.reg", "#a.reg", "a .reg",
			"!b.reg", "é.reg", "é/a.reg", "-.reg", "ignored/a.reg", "excluded.reg", "a\v.reg"} {
			files[at+name] = ""
		}
	}
	write(t, dir, files)
	return dir
}

// TestManyPatterns reads a .gitignore of nearly 1 MiB. As regular expressions its patterns took a minute and 1.5 GB.
func TestManyPatterns(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".gitignore")
	if err := os.WriteFile(name, bytes.Repeat([]byte("[!a]\n"), maxIgnoreFile/5), 0o666); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	patterns, err := readPatterns(name)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil || len(patterns) != maxIgnoreFile/5 {
		t.Fatalf("%d patterns, %v", len(patterns), err)
	}
	if made := after.TotalAlloc - before.TotalAlloc; made > 200<<20 || took > 60*time.Second {
		t.Errorf("took %v and %d bytes", took, made)
	}
}

// FuzzPattern reads any line as one of a .gitignore. A name with a backslash before each byte is a pattern for that name alone.
func FuzzPattern(f *testing.F) {
	for _, piece := range pieces {
		f.Add(piece+"a"+piece, "a")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		top := func(line string) *folder {
			p, ok := parsePattern(line)
			if !ok {
				return &folder{}
			}
			return &folder{patterns: []pattern{p}}
		}
		top(line).ignores(name, true)
		if name == "" || strings.ContainsAny(name, "/\x00") {
			return
		}
		var escaped strings.Builder
		for i := range len(name) {
			escaped.WriteByte('\\')
			escaped.WriteByte(name[i])
		}
		g := top(escaped.String())
		if !g.ignores(name, false) || g.ignores(name+"x", false) {
			t.Errorf("the pattern %q is not for %q alone", escaped.String(), name)
		}
	})
}
