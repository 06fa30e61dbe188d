package cli

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

// fixFiles returns the files of a fix without those of its undo, and the edits that they make: read back from the files where regvet can read them.
func (p patch) fixFiles(blocks []regfile.Block) (files []patchFile, edits []hive.Edit, err error) {
	switch p.format {
	case "pol":
		return p.policies(blocks)
	case "intune":
		detect, err := script.Detection(p.remediationHead("Detects"), blocks)
		if err != nil {
			return nil, nil, err
		}
		fix, err := p.text(p.remediationHead("Fixes"), blocks)
		return []patchFile{{besideName(p.format, p.fix), false, detect}, {p.fix, false, fix.text}}, fix.edits, err
	}
	fix, err := p.text(p.fixHead(), blocks)
	return []patchFile{{p.fix, false, fix.text}}, fix.edits, err
}

// policies returns the Registry.pol of the computer and that of the user. One without settings is left out, unless it replaces a file of an
// earlier fix, which would be taken for a part of this one.
func (p patch) policies(blocks []regfile.Block) (files []patchFile, edits []hive.Edit, err error) {
	var all []hive.Edit
	for _, b := range blocks {
		all = append(all, b.Edits...)
	}
	for _, f := range []struct{ name, root string }{{p.fix, polfile.Machine}, {besideName(p.format, p.fix), polfile.User}} {
		entries := polfile.Entries(f.root, all)
		if len(entries) == 0 && !p.replaces(f.name) {
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
		files = append(files, patchFile{f.name, false, text})
		edits = append(edits, made...)
	}
	return files, edits, nil
}

// replaces reports whether there is a file of an earlier fix of one machine with this name.
func (p patch) replaces(name string) bool {
	if p.folder == "" {
		return false
	}
	_, err := os.Lstat(filepath.Join(p.folder, name))
	return err == nil
}

// remediationHead returns the head of a script of a remediation: what it does, where it comes from, and how Intune must run it.
func (p patch) remediationHead(does string) string {
	lines := p.origin(fmt.Sprintf("%s what rules found: one of the two scripts of a remediation of Microsoft Intune, %s and %s.", does, besideName(p.format, p.fix), p.fix))
	lines = append(lines,
		"Settings of the script package: run this script using the logged-on credentials: no (it runs as SYSTEM);",
		"enforce script signature check: no, unless you sign it; run script in 64-bit PowerShell: yes.",
		"The undo that was written with it reverts the fix on the machine that the input is of.")
	for _, r := range p.restarts {
		lines = append(lines, "Restart the "+hive.Visible(r)+" after the fix; the scripts must not do it.")
	}
	return strings.Join(lines, "\n")
}
