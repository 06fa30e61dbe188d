// Package regfile reads and writes .reg files, the text form in which Windows exports and imports parts of the registry.
//
// # The format, in one paragraph
//
// The first line has the version. After it, each line stands for itself: [HKEY_LOCAL_MACHINE\SOFTWARE\Key] opens a key, and makes it if it
// does not exist; [-...\Key] deletes one. Below an open key, "name"="text", "name"=dword:0000002a and "name"=hex(N):01,02 set values, and
// "name"=- deletes one; @ stands for the default value. Only hex data may continue in the next line, after a comma and a backslash. A
// comment starts with a semicolon. Windows never stops at a bad line: it skips it, imports the rest, and says nothing.
//
// # What is here
//
// [Parse] reads a file as Windows does, and says in [File.Problems] what Windows does not: which lines it drops, and why. The result is a
// list of edits. [Options.Scan] returns the same line by line, with the place of each part of a line, for tools that look at the text
// itself; the file may then be larger than memory. [File.Tree] reads the file as an export, as a statement of what a registry holds.
// [Write] turns edits into a file that makes exactly them; [Export] writes a tree as reg.exe does, to the byte. The two differ where the
// export of Windows loses data. [FormatOptions.Format] gives a file the form of an export and keeps its comments.
//
// # Where the rules come from
//
// Microsoft describes the format only in outline (KB 310516). What Windows really does comes from the conformance tests of the Wine
// project, which also run on Windows (programs/reg/tests and programs/regedit/tests), and from bug reports about other programs that read
// such files.
//
// A .reg file can be hostile. Reading takes time and memory in proportion to its size, whatever is in it.
//
// # What is stable
//
// [Parse], [File], [Write], [Export] with [Tree], and [FormatOptions]. The rest serves the other packages here, and may change with them.
package regfile

import (
	"slices"

	"regvet/hive"
)

// Version is the dialect of a file, which its first line names.
type Version int

const (
	Version5    Version = iota // "Windows Registry Editor Version 5.00": text in hex data is UTF-16LE
	Version4                   // "REGEDIT4": text in hex data is in the ANSI code page
	Windows31                  // "REGEDIT": one line for each key below HKEY_CLASSES_ROOT, with its default value
	Unsupported                // any other line that starts with REGEDIT: Windows accepts the file and imports nothing
)

// The first lines of the versions.
const (
	header5  = "Windows Registry Editor Version 5.00"
	header4  = "REGEDIT4"
	header31 = "REGEDIT"
)

// String returns the first line of a file of this version.
func (v Version) String() string {
	switch v {
	case Version5:
		return header5
	case Version4:
		return header4
	case Windows31:
		return header31
	}
	return "unsupported version"
}

// The limits of Windows, in UTF-16 units ("Registry element size limits", Microsoft). Depth is [hive.MaxDepth].
const (
	maxKeyName   = 255
	maxValueName = 16383
)

// File is the content of a .reg file.
type File struct {
	Version  Version
	Encoding string // of the file: "UTF-16LE", "UTF-8" or the code page it was read in, such as "windows-1252"

	// Edits are what Windows does when it imports the file, in the order of the file. A path starts with the full name of a root as Windows
	// spells it. At is the place of the opening bracket, the opening quote, or the @. The edits of a section share their path, which must
	// not be changed.
	Edits []hive.Edit

	// Problems are the lines that Windows drops, or that may not mean what they seem to, in the order of the file. Loss is set where a key
	// or value in the file was not read, and Key then is the key that lacks it. Beyond 1,000 problems, only the first with loss of each key
	// is listed, and a last one has the number of those left out.
	Problems []hive.Problem
}

// Tree returns the content of the file as an export, a statement of what the registry holds. Keys that the file only passes through are
// implied ([hive.Key.Implied]). A problem with loss belongs to its key, or to the nearest one above that exists.
func (f *File) Tree() *hive.Key {
	tree := hive.Apply(hive.NewImpliedKey(""), f.Edits...)
	var losses []hive.Problem
	for _, p := range f.Problems {
		if p.Loss {
			losses = append(losses, p)
		}
	}
	return hive.WithProblems(tree, losses...)
}

// Imported returns the value that Windows stores when it imports what [Write] wrote for v. That is v, except that text gets the NUL that it
// lacks: Windows adds one to nonempty data of a REG_SZ, REG_EXPAND_SZ or REG_MULTI_SZ whose last character is not a NUL.
func Imported(v hive.Value) hive.Value {
	if isText(v.Type) {
		v.Data = terminated(slices.Clip(v.Data))
	}
	return v
}

// isText reports whether Windows takes hex data of type t for text.
func isText(t hive.Type) bool { return t == hive.SZ || t == hive.ExpandSZ || t == hive.MultiSZ }

// terminated appends a NUL to UTF-16LE data that do not end with one. If the number of bytes is odd, the last whole unit counts; what
// Windows does then is unknown.
func terminated(data []byte) []byte {
	whole := len(data) &^ 1
	if len(data) == 0 || whole >= 2 && data[whole-1] == 0 && data[whole-2] == 0 {
		return data
	}
	return append(data, 0, 0)
}
