package worktree

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// real returns a new folder by its path without links.
func real(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// same compares what is found in a folder with what git lists there.
func same(t *testing.T, run func(string, ...string) []byte, folder string, want ...string) {
	t.Helper()
	got, problems := find(t, folder)
	for _, p := range problems {
		t.Error(p)
	}
	fromGit := listed(run, folder)
	slices.Sort(got)
	slices.Sort(fromGit)
	slices.Sort(want)
	if diff := cmp.Diff(want, fromGit); diff != "" {
		t.Errorf("- wanted, + git:\n%s", diff)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- wanted, + regvet:\n%s", diff)
	}
}

// TestWorktree reads the index of a further worktree, and the exclude file that it shares with the others.
func TestWorktree(t *testing.T) {
	run, dir := git(t), real(t)
	write(t, dir, map[string]string{"main/a.reg": "", "main/b.reg": "", "main/.gitignore": "a.reg\n"})
	main, two := filepath.Join(dir, "main"), filepath.Join(dir, "two")
	run(main, "init", "-q")
	run(main, "add", "-f", ".")
	run(main, "commit", "-q", "-m", "x")
	run(main, "worktree", "add", "-q", two)
	write(t, dir, map[string]string{"main/.git/info/exclude": "c.reg\nd.reg\n", "two/c.reg": "", "two/d.reg": "", "two/e.reg": "", "main/c.reg": ""})
	run(two, "add", "-f", "d.reg")
	same(t, run, two, "a.reg", "b.reg", "d.reg", "e.reg")
	same(t, run, main, "a.reg", "b.reg")
}

// TestSubmodule reads the index of a submodule, whose .git is a file. The repository around it tracks the submodule as a whole, so it is searched
// although .gitignore names it.
func TestSubmodule(t *testing.T) {
	run, dir := git(t), real(t)
	write(t, dir, map[string]string{"lib/a.reg": "", "lib/b.reg": "", "lib/.gitignore": "a.reg\n", "all/x.reg": ""})
	lib, all := filepath.Join(dir, "lib"), filepath.Join(dir, "all")
	for _, folder := range []string{lib, all} {
		run(folder, "init", "-q")
		run(folder, "add", "-f", ".")
		run(folder, "commit", "-q", "-m", "x")
	}
	run(all, "submodule", "--quiet", "add", "-f", lib, "ext/lib")
	write(t, all, map[string]string{".gitignore": "lib\next\n", "ext/lib/c.reg": "", "ext/y.reg": "", "ext/lib/a/a.reg": "", "other/lib/z.reg": ""})
	if info, err := os.Lstat(filepath.Join(all, "ext/lib/.git")); err != nil || !info.Mode().IsRegular() {
		t.Fatalf("git makes .git of a submodule no file: %v", err)
	}
	same(t, run, filepath.Join(all, "ext/lib"), "a.reg", "b.reg", "c.reg")
	got, problems := find(t, all)
	if want := []string{"ext/lib/a.reg", "ext/lib/b.reg", "ext/lib/c.reg", "x.reg"}; !slices.Equal(got, want) || problems != nil {
		t.Errorf("%s: %s", cmp.Diff(want, got), problems)
	}
}

// TestSparse reads a sparse index, which has folders in place of files that are not checked out.
func TestSparse(t *testing.T) {
	run, dir := git(t), real(t)
	run(dir, "init", "-q")
	write(t, dir, map[string]string{"in/a.reg": "", "out/b.reg": "", "out/deep/c.reg": "", "top.reg": "", ".gitignore": "*.reg\n"})
	run(dir, "add", "-f", ".")
	run(dir, "commit", "-q", "-m", "x")
	run(dir, "sparse-checkout", "init", "--cone", "--sparse-index")
	run(dir, "sparse-checkout", "set", "in")
	if x, err := readIndex(filepath.Join(dir, ".git")); err != nil || !slices.Contains(x, "out/") {
		t.Fatalf("git has written no sparse index: %s, %v", x, err)
	}
	same(t, run, dir, "in/a.reg", "top.reg")
	// Whether git tracks a file in such a folder is not in the index: then it counts.
	write(t, dir, map[string]string{"out/d.reg": "", "in/d.reg": ""})
	if got, problems := find(t, dir); !slices.Equal(got, []string{"in/a.reg", "out/d.reg", "top.reg"}) || problems != nil {
		t.Errorf("%s, %s", got, problems)
	}
}

// TestFolders searches an ignored folder: of its files, those that git tracks are found, and all if the folder is an argument.
func TestFolders(t *testing.T) {
	run, dir := git(t), real(t)
	run(dir, "init", "-q")
	write(t, dir, map[string]string{".gitignore": "build\n", "build/.gitignore": "!b.reg\n", "build/a.reg": "", "build/b.reg": "", "build/sub/a.reg": "", "build/sub/b.reg": "",
		"build/none/a.reg": "", "build.reg": ""})
	run(dir, "add", "-f", "build/a.reg", "build/sub/a.reg")
	same(t, run, dir, "build.reg", "build/a.reg", "build/sub/a.reg")
	if got, problems := find(t, filepath.Join(dir, "build")); !slices.Equal(got, []string{"a.reg", "b.reg", "none/a.reg", "sub/a.reg", "sub/b.reg"}) || problems != nil {
		t.Errorf("%s, %s", got, problems)
	}
	found := Find([]string{dir, filepath.Join(dir, "build", "sub"), filepath.Join(dir, "build", "none", "a.reg")}, nil)
	if len(found.Files) != 5 || !found.Ignored || found.Excluded {
		t.Errorf("%+v", found)
	}
}

// TestProblems requires one message about each repository that cannot be read, in which nothing is left out.
func TestProblems(t *testing.T) {
	const end = "; until then nothing that git ignores is left out"
	damaged := errDamaged.Error() + end
	for name, c := range map[string]struct {
		files    map[string]string
		problems []string
		found    []string // "" for all
	}{
		"no git":             {map[string]string{}, nil, nil},
		"an empty .git":      {map[string]string{".git/": ""}, nil, []string{"b.reg"}},
		"no index yet":       {map[string]string{".git/HEAD": "ref: refs/heads/main"}, nil, []string{"b.reg"}},
		"a damaged index":    {map[string]string{".git/index": "DIRC"}, []string{"TOP/.git/index: " + damaged}, nil},
		"an empty index":     {map[string]string{".git/index": ""}, []string{"TOP/.git/index: " + damaged}, nil},
		"a folder":           {map[string]string{".git/index/": ""}, []string{"TOP/.git/index: is no regular file (a folder)" + end}, nil},
		"no pointer":         {map[string]string{".git": "x"}, []string{`TOP/.git: is no file of git, which would begin with "gitdir: "; delete it if the folder is no repository` + end}, nil},
		"a pointer nowhere":  {map[string]string{".git": "gitdir: no\n"}, []string{"TOP/.git: leads to TOP/no, which is no folder; make that there, or delete .git" + end}, nil},
		"a pointer to files": {map[string]string{".git": "gitdir: a.reg\n"}, []string{"TOP/.git: leads to TOP/a.reg, which is no folder; make that there, or delete .git" + end}, nil},
		"a long pointer": {map[string]string{".git": "gitdir: " + strings.Repeat("a", maxPointer)},
			[]string{fmt.Sprintf("TOP/.git: has %d bytes; the limit is %d", maxPointer+8, maxPointer) + end}, nil},
		"a pointer to itself":     {map[string]string{".git": "gitdir: .\n"}, nil, []string{"b.reg"}},
		"a common folder of .git": {map[string]string{".git/commondir": ".\n", ".git/info/exclude": "b.reg\n"}, nil, []string{}},
		"a common folder afar":    {map[string]string{".git/commondir": "../x\r\n", "x/commondir": "../.git", "x/info/exclude": "b.reg\n"}, nil, []string{}},
		"a long ignore file": {map[string]string{".git/": "", "x/.gitignore": strings.Repeat("*.reg\n", maxIgnoreFile/6+1), "x/x.reg": ""},
			[]string{fmt.Sprintf("TOP/x/.gitignore: has %d bytes; the limit is %d; its rules are not used", maxIgnoreFile/6*6+6, maxIgnoreFile)}, []string{"b.reg", "x/x.reg"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := real(t)
			write(t, dir, map[string]string{".gitignore": "a.reg\nc\n", "a.reg": "", "b.reg": "", "c/a.reg": ""})
			write(t, dir, c.files)
			if c.found == nil {
				c.found = []string{"a.reg", "b.reg", "c/a.reg"}
			}
			got, problems := find(t, dir)
			if !slices.Equal(got, c.found) || !slices.Equal(problems, c.problems) {
				t.Errorf("found %s, want %s\n%s", got, c.found, cmp.Diff(c.problems, problems))
			}
			twice := Find([]string{dir, filepath.Join(dir, "c")}, nil)
			if len(c.problems) > 0 && strings.Contains(c.problems[0], "git ignores") && len(twice.Problems) != 1 {
				t.Errorf("it is not said once: %s", twice.Problems)
			}
		})
	}
}

// TestTop finds the top of the repository that a folder is in.
func TestTop(t *testing.T) {
	dir := real(t)
	write(t, dir, map[string]string{"a/.git/": "", "a/b/c/": "", "a/b/d/.git": "gitdir: x"})
	for folder, want := range map[string]string{"a": "a", "a/b/c": "a", "a/b/d": "a/b/d"} {
		if top, ok := Top(filepath.Join(dir, folder)); !ok || top != filepath.Join(dir, want) {
			t.Errorf("%s: %s, %v", folder, top, ok)
		}
	}
	if top, ok := Top(dir); ok && strings.HasPrefix(top, dir) {
		t.Errorf("%s is in no repository, and not in %s", dir, top)
	}
}
