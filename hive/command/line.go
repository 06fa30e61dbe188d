// Package command reads the command lines that the registry holds, in values such as the ImagePath of a service: which program Windows starts,
// from which folder, and with which arguments.
//
// A value may name a program in many ways: in quotes or without, by a variable such as %SystemRoot%, as a path of the kernel such as
// \??\C:\a.sys, relative to the Windows folder, with slashes, or with short names such as PROGRA~1. [Split] takes a line apart as text. A
// [Machine] knows the folders and variables of one computer, and leads to the same [Path] by whichever way. A [Folder] is a class of folders
// that have a meaning, such as those that users can write to.
//
// No disk is asked, and the registry does not tell everything. Answers are therefore [No], [Perhaps] or [Yes].
package command

import (
	"slices"
	"strings"
)

// Line is a command line, taken apart. Both parts are as they stand in the line, without the quotes around the program.
type Line struct {
	Program   string // "" for an empty line
	Arguments string // without the blanks before them
	Quoted    bool   // whether quotes tell where the program ends
}

// blanks are what separates the parts of a command line.
const blanks = " \t"

// programEndings are the endings of files that Windows runs or loads as programs, folded. It takes .exe for granted.
var programEndings = []string{".EXE", ".COM", ".BAT", ".CMD", ".SCR", ".PIF", ".SYS", ".DLL"}

// Split takes a command line apart as the Service Control Manager has it done by CreateProcess. In a path with blanks and without quotes,
// Windows takes the first part up to a blank that is a file. What is one cannot be seen here, so that it is the first that looks like one:
// that ends like a program, or else all that can be a path.
//
// Source: Microsoft Learn, CreateProcessW function, lpCommandLine.
func Split(text string) Line {
	text = strings.TrimLeft(text, blanks)
	if inside, ok := strings.CutPrefix(text, `"`); ok {
		program, rest, _ := strings.Cut(inside, `"`)
		return Line{program, strings.Trim(rest, blanks), true}
	}
	end := programEnd(text)
	return Line{Program: text[:end], Arguments: strings.Trim(text[end:], blanks)}
}

// programEnd returns where the program ends in a line without quotes around it.
func programEnd(text string) int {
	end := 0 // of the longest path so far
	for from := 0; from < len(text); {
		to := len(text)
		if i := strings.IndexAny(text[from:], blanks); i >= 0 {
			to = from + i
		}
		word := text[from:to]
		if from > 0 && !goesOn(word) {
			break
		}
		if hasProgramEnding(word) {
			return to
		}
		if i := switchAt(word); i >= 0 {
			return from + i
		}
		if from == 0 && !strings.ContainsAny(word, `\/:%`) {
			return to // a name, which Windows looks for at once
		}
		if from == 0 || strings.ContainsAny(word, `\/`) {
			end = to
		}
		from = to + len(text[to:]) - len(strings.TrimLeft(text[to:], blanks))
	}
	return end
}

// goesOn reports whether a path can go on with a word behind a blank. It cannot with the beginning of another path or with a switch.
func goesOn(word string) bool {
	if strings.ContainsAny(word, `":|<>`) || strings.HasPrefix(word, `\\`) || strings.HasPrefix(word, "%") {
		return false
	}
	isSwitch := len(word) > 1 && (word[0] == '-' || word[0] == '/')
	return !isSwitch || strings.Contains(word, `\`)
}

// switchAt returns where a switch begins that is written behind the name of a program without a blank, as in cmd.exe/c, or -1.
func switchAt(word string) int {
	i := strings.LastIndexByte(word, '/')
	if i < 0 || strings.Contains(word[i:], `\`) || !hasProgramEnding(word[:i]) {
		return -1
	}
	return i
}

func hasProgramEnding(name string) bool {
	return slices.ContainsFunc(programEndings, func(ending string) bool { return hasSuffixFold(name, ending) })
}

// hasSuffixFold reports whether a text ends in letters of ASCII, which are given in capitals.
func hasSuffixFold(text, capitals string) bool {
	if len(text) < len(capitals) {
		return false
	}
	return strings.EqualFold(text[len(text)-len(capitals):], capitals)
}

// String returns a line that [Split] takes apart in the same way, with the program in quotes.
func (l Line) String() string {
	return strings.TrimRight(`"`+l.Program+`" `+l.Arguments, blanks)
}

// Earlier returns the programs that Windows tries before the one of a line, each up to a blank in its path: for C:\Program Files\a.exe it is
// C:\Program, to which Windows adds .exe.
func (l Line) Earlier() (all []string) {
	if l.Quoted {
		return nil
	}
	for i := range len(l.Program) {
		if strings.IndexByte(blanks, l.Program[i]) >= 0 && i > 0 && strings.IndexByte(blanks, l.Program[i-1]) < 0 {
			all = append(all, l.Program[:i])
		}
	}
	return all
}
