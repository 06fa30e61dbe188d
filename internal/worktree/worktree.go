// Package worktree finds the .reg files that belong to a project: those that git tracks, and those that no .gitignore names. It reads the files
// of git and never runs git itself, because the configuration of a repository can make git run other programs.
//
// A repository may come from anybody. So only regular files are opened, their size is bounded, and nothing can make a reader wait.
package worktree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Top returns the top of the repository that a folder is in, or false if it is in none. The top is the nearest folder with something called
// .git in it: the folder itself or one above. The path must be absolute; the folders above are those that it names, so links count as folders.
func Top(folder string) (string, bool) {
	for !IsTop(folder) {
		above := filepath.Dir(folder)
		if above == folder {
			return "", false
		}
		folder = above
	}
	return folder, true
}

// IsTop reports whether a folder is the top of a repository.
func IsTop(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, ".git"))
	return err == nil
}

// maxPointer is how many bytes a file may have that holds one path.
const maxPointer = 1 << 14

// gitFolder returns the folder in which git keeps the index of a repository. In a linked worktree and in a submodule, .git is a file with the
// path of that folder: https://git-scm.com/docs/gitrepository-layout.
func gitFolder(top string) (string, error) {
	name := filepath.Join(top, ".git")
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return name, nil
	}
	text, err := readRegular(name, maxPointer, os.Stat, os.OpenFile)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	to, ok := strings.CutPrefix(string(text), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("%s: is no file of git, which would begin with \"gitdir: \"; delete it if the folder is no repository", name)
	}
	git := follow(top, to)
	if info, err := os.Stat(git); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%s: leads to %s, which is no folder; make that there, or delete .git", name, git)
	}
	return git, nil
}

// readExcluded returns the patterns of info/exclude, which all worktrees of a repository share. For a linked worktree, whose own folder is git,
// the file commondir has the path of what is shared.
func readExcluded(git string) ([]pattern, error) {
	common := git
	name := filepath.Join(git, "commondir")
	switch text, err := readRegular(name, maxPointer, os.Stat, os.OpenFile); {
	case err == nil:
		common = follow(git, string(text))
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: %w; info/exclude is not used", name, err)
	}
	return readPatterns(filepath.Join(common, "info", "exclude"))
}

// follow returns the path that a file of git holds as its only line. A relative one starts at the folder from.
func follow(from, to string) string {
	to = filepath.FromSlash(strings.TrimRight(to, "\r\n"))
	if filepath.IsAbs(to) {
		return to
	}
	return filepath.Join(from, to)
}
