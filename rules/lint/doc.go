// Package lint tells what is wrong with a .reg file: what Windows will do something else with than it says.
//
// A [Check] is data first: what it looks for, why, an example of it and the same example put right. The checks on syntax speak
// where package regfile reports a fault; the others look at each statement as it is read.
package lint
