// Package foreign reads the rules of other programs and says them in the language of regvet.
//
// A file is a list of rows, each one rule of its program. A row becomes a rule that asks the same, or it is told why not: a rule of regvet asks
// what a registry at rest can answer, and nothing of a row is dropped without a word. [Read] reads a file, [Source.Pack] writes what its rows
// became as a rule pack that a person would go on editing, and [Load] takes such files, and packs of regvet, as they are.
//
// Each format has a file of its own here, which tells how the program of the format judges, and from where that is known. Where that differs
// from what the text of a rule says, the text counts, and the difference is told there.
//
// The files are hostile: nothing in them is run or fetched, sizes and depths have limits, and a pack that would not load is never written.
package foreign
