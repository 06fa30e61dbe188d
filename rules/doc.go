// Package rules holds a registry against rules, and plans the edits that would put it right.
//
// A rule asks three questions of one value and keeps them apart: is it there, is it of the right kind, and are its data good? What
// Windows does when the value is not there is part of the rule: absence is an answer only when the rule says what it means, and
// only where the input covers the place. So every answer is pass, fail or unknown, each of the last two with a reason.
//
// Rules are data, written in YAML and gathered in packs; [Load] reads a pack and reports every mistake in it with line and column.
// What a rule file may hold stands in tables of objects and fields: [Load] reads by them, and [Schema] is made of them.
//
// A rule looks at one place, or at each that a pattern leads to, or asks conditions of several. All answers are in three-valued logic:
// what the input does not tell leaves a condition open. All patterns are looked for in one walk of the registry.
//
// [Evaluate] gives the findings, [NewPlan] the edits that remedy them with the edits that undo those, and [Prove] shows in memory
// that both do what they say. A rule carries its own tests, which [Rule.RunTests] runs; [Doubts] says what they do not show.
package rules
