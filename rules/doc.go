// Package rules checks a registry against rules, and plans the edits that would fix what fails.
//
// A rule asks three separate questions about a value: does it exist, does it have the right type, and are its data good? What Windows does
// without the value is part of the rule: absence is an answer only if the rule says what it means, and only if the input covers the place.
// So every answer is pass, fail or unknown, and the last two have a reason.
//
// Rules are data, written in YAML and gathered in packs; [Load] reads a pack and reports every mistake in it with line and column.
// Tables of objects and fields define what a rule file may hold: [Load] reads by them, and [Schema] is made from them.
//
// A rule looks at one place, or at every place that matches a pattern, or combines conditions about several places. Answers use three-valued
// logic: a condition stays open if the input does not decide it. One walk of the registry serves the patterns of all rules.
//
// [Evaluate] returns the findings, [NewPlan] the edits that remedy them and the edits that undo those, and [Prove] shows in memory
// that both work. A rule carries its own tests, which [Rule.RunTests] runs; [Doubts] returns what they do not show.
//
// # What is stable
//
// [Load], [LoadFiles], [BuiltIn], [Rules], [Evaluate], [Finding], [NewPlan], [Prove], and what rule files hold. The rest serves the command, and may
// change with it.
package rules
