// Package rules holds a registry against rules, and plans the edits that would put it right.
//
// A rule asks three questions of one value and keeps them apart: is it there, is it of the right kind, and are its data good? What
// Windows does when the value is not there is part of the rule: absence is an answer only when the rule says what it means, and
// only where the input covers the place. So every answer is pass, fail or unknown, each of the last two with a reason.
//
// Rules are data, written in YAML and gathered in packs; [Load] reads a pack and reports every mistake in it with line and column.
// [Evaluate] gives the findings, [NewPlan] the edits that remedy them with the edits that undo those, and [Prove] shows in memory
// that both do what they say. A rule carries its own tests, which [Rule.RunTests] runs.
package rules
