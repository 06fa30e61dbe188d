// Command licences writes the licence texts of everything that a release of regvet contains and that others wrote: the modules in the program
// on any of the systems that there are releases for, and Go itself. Most of these licences demand that their text goes with the program.
//
//	go run ./internal/licences THIRD_PARTY_LICENSES
//
// The module cache has the texts, so nothing is asked of a network that "go build" does not need as well.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

//go:generate go run . ../../THIRD_PARTY_LICENSES

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: licences FILE")
		os.Exit(2)
	}
	text, err := licences(".", "regvet/cmd/regvet")
	if err == nil {
		err = os.WriteFile(os.Args[1], text, 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// systems and processors are what there are releases for, each system with each processor.
var (
	systems    = []string{"linux", "windows", "darwin"}
	processors = []string{"amd64", "arm64"}
)

// part is something in the program that has licences of its own.
type part struct {
	name    string // of a module with its version
	root    string // its folder
	folders map[string]bool
}

// licences returns the text for a program, given as the path of its package, in the module to which a folder belongs.
func licences(dir, program string) ([]byte, error) {
	root, err := run(dir, nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	root = strings.TrimSpace(root)
	golang := &part{"Go, its standard library and runtime", root, map[string]bool{root: true}}
	modules, err := modulesIn(dir, program)
	if err != nil {
		return nil, err
	}
	parts := []*part{golang}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		parts = append(parts, modules[name])
	}

	var b bytes.Buffer
	fmt.Fprintf(&b, "A release of %s contains, beside its own code, parts that others wrote. This is their list, and the text of their licences.\n"+
		"It says nothing of the licence of %[1]s itself. \"go generate ./internal/licences\" writes this file.\n\n", path.Base(program))
	for _, p := range parts {
		fmt.Fprintf(&b, "  %s\n", p.name)
	}
	for _, p := range parts {
		if err := p.write(&b); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// modulesIn returns the modules in a program, by name and version.
func modulesIn(dir, program string) (map[string]*part, error) {
	modules := map[string]*part{}
	for _, system := range systems {
		for _, processor := range processors {
			// A program for another system is built without cgo, and so is that for this one.
			list, err := run(dir, []string{"GOOS=" + system, "GOARCH=" + processor, "CGO_ENABLED=0"}, "list", "-deps",
				"-f", "{{$dir := .Dir}}{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}\t{{$dir}}{{end}}{{end}}", program)
			if err != nil {
				return nil, err
			}
			for line := range strings.Lines(list) {
				f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
				if len(f) != 3 {
					continue // a package of the standard library or of the program
				}
				if modules[f[0]] == nil {
					modules[f[0]] = &part{f[0], f[1], map[string]bool{f[1]: true}}
				}
				for folder := f[2]; len(folder) > len(f[1]); folder = filepath.Dir(folder) {
					modules[f[0]].folders[folder] = true
				}
			}
		}
	}
	return modules, nil
}

// licenceName matches the names of files with a licence, or with what a licence demands to be passed on.
var licenceName = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)`)

// write writes the licences of a part: those in its root, and those that folders of packages in the program have for themselves.
func (p *part) write(b *bytes.Buffer) error {
	found := false
	for _, folder := range slices.Sorted(maps.Keys(p.folders)) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !licenceName.MatchString(e.Name()) || path.Ext(e.Name()) == ".go" {
				continue
			}
			file := filepath.Join(folder, e.Name())
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(p.root, file)
			if err != nil {
				return err
			}
			found = found || folder == p.root
			text = bytes.Trim(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), "\n")
			fmt.Fprintf(b, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("=", 80), p.name, filepath.ToSlash(name), text)
		}
	}
	if !found {
		return fmt.Errorf("%s: there is no licence in %s; ask its authors before a release contains it", p.name, p.root)
	}
	return nil
}

// run runs the go command in a folder and returns what it prints.
func run(dir string, env []string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("go %s: %w: %s", args[0], err, bytes.TrimSpace(exit.Stderr))
	}
	return string(out), err
}
