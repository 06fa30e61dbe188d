// Package hive models the Windows registry as data read from files, and reads the hive files that hold it.
//
// # The registry, in one paragraph
//
// A registry is a tree of keys. A key has a name, the time of its last change, subkeys, and values; a value has a name, a type
// and bytes. Windows keeps the tree in several files, the hives, and mounts each at a fixed path: the file SYSTEM at
// HKEY_LOCAL_MACHINE\SYSTEM, and so on. A few paths exist only while Windows runs; the most important is CurrentControlSet.
//
// # What is here
//
// [Key] and [Value] are what a hive holds. [Open] reads a hive file into a tree whose keys are loaded on first use.
// [Edit] is one change; [Apply], [Diff] and [Undo] are the algebra of changes: a .reg file, a fix, an undo and the
// difference of two hives are all lists of edits. [Registry] is the namespace of one machine: hives mounted where Windows mounts
// them, and the aliases that no file holds. [Problem] is damage met while reading, with its place.
//
// A hive can be damaged or hostile. So every count, size and offset is checked against the bytes that are left before it is used;
// what fails is left out and reported as a [Problem].
//
// # What is stable
//
// [Open], [Read], [Key], [Value], [Path], [Registry], [Edit] with its algebra, and [Problem] with its kinds. The rest serves the other packages here,
// and may change with them.
package hive
