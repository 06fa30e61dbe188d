package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
	"regvet/hive/script"
)

// fixFile is one of the files of a fix.
type fixFile struct {
	name string
	text []byte
}

// namesOf returns the names of files for people.
func namesOf(files []fixFile) string {
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// besideName returns the name of the second file of a fix, or "" in a format with one file: that with the settings of the user beside a
// Registry.pol, and the detection beside a remediation.
func besideName(format, output string) string {
	switch format {
	case "pol":
		ext := filepath.Ext(output)
		return strings.TrimSuffix(output, ext) + "-user" + ext
	case "intune":
		return filepath.Join(filepath.Dir(output), "detect.ps1")
	}
	return ""
}

// fixNote returns what must be known of a fix in a format, or "".
func fixNote(format string) string {
	if format != "pol" {
		return ""
	}
	return "when the policy goes, Windows deletes the values below Policies that it set, all others stay (tattooing), and no old value comes back: take the policy away first, then import the undo"
}

// fixFiles returns the files of a fix, and the edits that they make: read back from the files where regvet can read them.
func (p patch) fixFiles(output string, blocks []regfile.Block) (files []fixFile, edits []hive.Edit, err error) {
	switch p.format {
	case "pol":
		return p.policies(output, blocks)
	case "intune":
		detect, err := script.Detection(p.remediationHead("Detects"), blocks)
		if err != nil {
			return nil, nil, err
		}
		fix, err := p.text(p.remediationHead("Fixes"), blocks)
		return []fixFile{{besideName(p.format, output), detect}, {output, fix.text}}, fix.edits, err
	}
	fix, err := p.text(p.fixHead(), blocks)
	return []fixFile{{output, fix.text}}, fix.edits, err
}

// policies returns the Registry.pol of the computer and that of the user. One without settings is left out, unless it replaces a file of an
// earlier fix, which would be taken for a part of this one.
func (p patch) policies(output string, blocks []regfile.Block) (files []fixFile, edits []hive.Edit, err error) {
	var all []hive.Edit
	for _, b := range blocks {
		all = append(all, b.Edits...)
	}
	for _, f := range []struct{ name, root string }{{output, polfile.Machine}, {besideName(p.format, output), polfile.User}} {
		entries := polfile.Entries(f.root, all)
		if _, err := os.Lstat(f.name); len(entries) == 0 && err != nil {
			continue
		}
		text := polfile.Bytes(entries)
		read, err := polfile.Parse(f.name, text)
		if err != nil {
			return nil, nil, err
		}
		made, problems := read.Edits(f.root, nil)
		if len(problems) > 0 {
			return nil, nil, &problems[0] // what cannot be read back proves nothing
		}
		files = append(files, fixFile{f.name, text})
		edits = append(edits, made...)
	}
	return files, edits, nil
}

// remediationHead returns the head of a script of a remediation: what it does, where it comes from, and how Intune must run it.
func (p patch) remediationHead(does string) string {
	lines := p.origin(fmt.Sprintf("%s what rules found: one of the two scripts of a remediation of Microsoft Intune, detect.ps1 and the one that fixes.", does))
	lines = append(lines,
		"Settings of the script package: run this script using the logged-on credentials: no (it runs as SYSTEM);",
		"enforce script signature check: no, unless you sign it; run script in 64-bit PowerShell: yes.",
		"The undo that was written with it reverts the fix on the machine that the input is of.")
	for _, line := range p.afterImport() {
		lines = append(lines, strings.Replace(line, "the import", "the fix; the scripts must not do it", 1))
	}
	return strings.Join(lines, "\n")
}
