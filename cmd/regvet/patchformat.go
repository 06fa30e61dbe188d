package main

import (
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/hive/script"
	"regvet/report"
	"regvet/rules"
)

// patchForms are the formats of a fix and its undo other than .reg text and JSON.
var patchForms = script.Forms()

// patchFormats returns the names of all formats. The first is the default.
func patchFormats() []string {
	names := []string{"reg"}
	for _, f := range patchForms {
		names = append(names, f.Name)
	}
	return append(names, "json")
}

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

// otherExtensions returns the extensions of all formats except reg.
func otherExtensions() (all []string) {
	for _, name := range patchFormats()[1:] {
		all = append(all, extension(name))
	}
	return all
}

// refusal returns why a format cannot express an edit exactly, or "".
func refusal(format string, e hive.Edit) string {
	if f := scriptForm(format); f != nil {
		return f.Unwritable(e)
	}
	if format == "json" {
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
		return ""
	}
	return func(fix, undo []hive.Edit) string {
		fix, undo = move(fix), move(undo)
		reason := ""
		if no := why(format, fix); no != "" {
			reason = "its fix cannot be written with --format " + format + ": " + no
		} else if no := why(format, undo); no != "" {
			reason = "its undo cannot be written with --format " + format + ": " + no
		} else {
			return ""
		}
		var others []string
		for _, other := range patchFormats() {
			if why(other, fix) == "" && why(other, undo) == "" {
				others = append(others, "--format "+other)
			}
		}
		if others == nil {
			return reason + "; no format can"
		}
		return reason + "; " + strings.Join(others, " and ") + " can"
	}
}
