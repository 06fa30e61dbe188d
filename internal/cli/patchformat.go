package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
	"regvet/hive/script"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/strict"
)

// patchForms are the formats of a fix and its undo other than .reg text, Registry.pol and JSON.
var patchForms = script.Forms()

// patchFormats returns the names of all formats. The first is the default.
func patchFormats() []string {
	names := []string{"reg"}
	for _, f := range patchForms {
		names = append(names, f.Name)
	}
	return append(names, "pol", "json")
}

// undoFormat returns the format of the undo of a fix. A policy that goes puts nothing back, and no remediation is run to undo another.
func undoFormat(format string) string {
	switch format {
	case "pol":
		return "reg"
	case "intune":
		return "powershell"
	}
	return format
}

// fixName returns the default name of the file with the fix.
func fixName(format string) string {
	if format == "intune" {
		return "remediate.ps1"
	}
	return "fix" + extension(format)
}

// undoName returns the default name of the file with the undo.
func undoName(format string) string { return "undo" + extension(undoFormat(format)) }

// scriptForm returns the form of patchForms with this name, or nil.
func scriptForm(format string) *script.Form {
	i := slices.IndexFunc(patchForms, func(f script.Form) bool { return f.Name == format })
	if i < 0 {
		return nil
	}
	return &patchForms[i]
}

// extension returns the extension of files in a format.
func extension(format string) string {
	if f := scriptForm(format); f != nil {
		return f.Extension
	}
	return "." + format
}

// formatOf returns the format that the ending of a name stands for, or "".
func formatOf(name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	switch ext {
	case ".bat":
		ext = ".cmd"
	case ".yaml":
		ext = ".yml"
	}
	for _, format := range patchFormats() {
		if ext == extension(format) {
			return format
		}
	}
	return ""
}

// otherNames returns the default names of the file with the fix in all formats except reg.
func otherNames() (all []string) {
	for _, name := range patchFormats()[1:] {
		all = append(all, fixName(name))
	}
	return all
}

// refusal returns why a format cannot express an edit exactly, or "".
func refusal(format string, e hive.Edit) string {
	if f := scriptForm(format); f != nil {
		return f.Unwritable(e)
	}
	switch format {
	case "pol":
		return polfile.Unwritable(e)
	case "json":
		return report.Unwritable(e)
	}
	return regfile.Inexact(e)
}

// unwritable returns a function that returns why a format cannot hold a fix or its undo, and which formats can, or "".
func unwritable(format string, move func([]hive.Edit) []hive.Edit) rules.Unwritable {
	why := func(format string, edits []hive.Edit) string {
		for _, e := range edits {
			if reason := refusal(format, e); reason != "" {
				return report.Place(e) + ": " + reason
			}
		}
		if format == "intune" {
			return script.Undetectable(edits)
		}
		return ""
	}
	return func(fix, undo []hive.Edit) string {
		fix, undo = move(fix), move(undo)
		reason := ""
		if no := why(format, fix); no != "" {
			reason = "its fix cannot be written with --format " + format + ": " + no
		} else if no := why(undoFormat(format), undo); no != "" {
			reason = "its undo cannot be written with --format " + format + ": " + no
		} else {
			return ""
		}
		var others []string
		for _, other := range patchFormats() {
			if why(other, fix) == "" && why(undoFormat(other), undo) == "" {
				others = append(others, other)
			}
		}
		if others == nil {
			return reason + "; no format can"
		}
		return reason + "; --format " + strict.List(others, "or") + " can"
	}
}
