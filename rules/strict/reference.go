package strict

import (
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// Reference is the name of something outside of a file, and the place of the name in it.
type Reference struct {
	Name string
	At   hive.Location
}

// The forms of references, and of the version of Windows that inputs are of.
var (
	ReferenceForm = NewForm(WordForm.Schema, func(d *Decoder, n *yaml.Node, what string) Reference {
		return Reference{d.Word(n, what), Locate(n)}
	})
	ReferencesForm = Optional(ListOf(ReferenceForm, 0, ""))
	WindowsForm    = Parsed(Schema{"type": []string{"string", "number"}}, hive.ParseWindows)
)

// FailOn returns the field for the lowest severity that counts for the exit status, by the name that it has in files and by that of its flag.
func FailOn[T any](severities []string, set func(to *T, word string)) (fields []Field[T]) {
	form := OneWord(append(append([]string{}, severities...), "never")...)
	for _, name := range []string{"fail_on", "fail-on"} {
		fields = append(fields, May(name, "The lowest severity that makes the exit status 1. --fail-on takes its place.", form, set))
	}
	return fields
}

// OneLine returns text with each run of blanks and line breaks made one blank.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// MistakeAt returns a mistake that was found in a file after it was read.
func MistakeAt(f File, data []byte, at hive.Location, msg string) Mistakes {
	d := &Decoder{File: f}
	d.WrongAt(at, "%s", msg)
	d.mistakes.quote(toUTF8(data))
	return d.mistakes
}
