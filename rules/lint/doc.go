// Package lint reports what Windows will silently ignore or misread in .reg files.
//
// A [Check] is mostly data: what it looks for, why, an example, and the same example corrected. The syntax checks report the faults
// that package regfile finds; the others look at each statement as it is read.
package lint
