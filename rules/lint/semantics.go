package lint

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// The checks on what the lines of a file mean together.
var (
	setTwice = &Check{
		ID: "REG201", Name: "set-twice", Severity: Error,
		Title: "A value is set twice, to different data",
		Explanation: `Windows works through a file from top to bottom, so the last line that sets a value wins, and the one above has no
effect. Names are the same in any case, also below a key that the file names again. One of the two lines is a mistake: a value that should
have another name, or an old line that was left behind. The same goes for a line further down that deletes what one above has set.

Remove the wrong line.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
"enabled"=dword:00000000
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		visit: visitSetTwice, kinds: []regfile.Kind{regfile.ValueLine},
	}

	keyRepeated = &Check{
		ID: "REG202", Name: "key-repeated", Severity: Info,
		Title: "A key is named twice",
		Explanation: `Windows opens the key again and adds to it. That works, but someone who reads the file sees one of the two places
and takes it for the whole key.

Write all values of a key below one key line.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Limit"=dword:00000010
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
"Limit"=dword:00000010
`),
		visit: visitKeyRepeated, kinds: []regfile.Kind{regfile.KeyLine},
	}

	valuesOfDeleted = &Check{
		ID: "REG203", Name: "values-of-deleted-key", Severity: Error, Fix: Unsafe,
		Title: "Values stand below a line that deletes a key",
		Explanation: `[-KEY] deletes the key and opens none. Windows silently drops the values below it, up to the next key line. Mostly a -
was written in front of a key, and its values were left over.

Remove the values. To create a key anew, delete it first and then open it with a line [KEY] of its own, with the values below.`,
		Bad: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
"Enabled"=dword:00000001
`),
		Good: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]

[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.NoKeyOpen}, say: sayValuesOfDeleted,
		visit: visitLeftOver, kinds: []regfile.Kind{regfile.KeyLine, regfile.ValueLine}, needs: deletes, finish: finishLeftOver,
	}

	deletedWithKey = &Check{
		ID: "REG218", Name: "deleted-with-key", Severity: Info, Fix: Safe,
		Title: "A value is deleted below the line that deletes its key",
		Explanation: `[-KEY] deletes the key with all its values, so a line below it that deletes one of them does nothing, and nothing is
lost by it.

Remove the line.`,
		Bad: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
"Enabled"=-
`),
		Good: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
`),
		codes: []regfile.Code{regfile.DeletedWithKey}, say: sayValuesOfDeleted,
		visit: visitLeftOver, kinds: []regfile.Kind{regfile.KeyLine, regfile.ValueLine}, needs: deletes, finish: finishLeftOver,
	}

	setThenDeleted = &Check{
		ID: "REG204", Name: "set-then-deleted", Severity: Warning,
		Title: "A key is deleted below the lines that set it",
		Explanation: `Windows works through a file from top to bottom. A line [-KEY] undoes everything that the file has set further up in
that key and in the keys below it.

Move the deletion above the lines that set the key, or remove those lines.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
"Enabled"=dword:00000001

[-HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
`),
		Good: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]

[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
"Enabled"=dword:00000001
`),
		visit: visitSetThenDeleted, kinds: []regfile.Kind{regfile.KeyLine}, needs: deletes,
	}

	writtenDefault = &Check{
		ID: "REG211", Name: "written-default", Severity: Warning, Fix: Unsafe,
		Title: `A value is named "(Default)" or "@"`,
		Explanation: `regedit shows the default value of a key as (Default), or as the same word of another language. In a file it is
written @, without quotes; "(Default)" and "@" create another value with that name, which no program reads, and leave the default value as it
is.

Write @ alone.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"(Default)"="text"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
@="text"
`),
		visit: visitWrittenDefault, kinds: []regfile.Kind{regfile.ValueLine},
	}

	noChange = &Check{
		ID: "REG212", Name: "no-change", Severity: Warning,
		Title: "The file changes nothing",
		Explanation: `No line of the file has an effect: all lines are comments, or are dropped. The import still reports success.

Correct the lines that are reported, or remove the file.`,
		Bad: version5(`; to be written
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		finish: finishNoChange,
	}
)

func visitSetTwice(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 {
		return
	}
	e := &s.Edits[len(s.Edits)-1]
	was, sum := p.seen.value(p, e, s.Line)
	switch {
	case was.line == 0 || was.data == sum || was.data == deletedData || p.seen.deletedSince(p.section.folded, int(was.line), s.Line):
	case e.Op == hive.DeleteValue:
		p.report(c, s, s.Name,
			"line %d sets this value, and this line deletes it again; Windows does what the last line says; remove one of the two", was.line)
	default:
		p.report(c, s, s.Name, "line %d sets this value to other data; Windows does what the last line says; remove one of the two", was.line)
	}
}

func visitKeyRepeated(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 || s.Deletes {
		return
	}
	first := p.seen.list[p.seen.current].named
	if first > 0 && int(first) < s.Line && !p.seen.deletedSince(p.section.folded, int(first), s.Line) {
		p.report(c, s, s.Name, "line %d names this key too; Windows adds to it; write the values below one of the two", first)
	}
}

func visitSetThenDeleted(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 || !s.Deletes {
		return
	}
	if first := p.seen.key(p.section.folded).first; first > 0 && !p.seen.deletedSince(p.section.folded, int(first), s.Line) {
		p.report(c, s, s.Name,
			"this deletes what line %d makes; Windows works from top to bottom, so nothing of it is left; delete first, or remove one of the two", first)
	}
}

// leftOver are the values below a line that deletes their key, which one check reports.
type leftOver struct {
	first
	value   string // the name of the first
	below   int    // the line that deletes the key
	changes []Change
}

// leftDeletions reports whether a check is about deletions that are left over, and not about values.
func leftDeletions(c *Check) bool { return c.codes[0] == regfile.DeletedWithKey }

func (p *pass) leftOverOf(c *Check) *leftOver {
	if leftDeletions(c) {
		return &p.leftDeletions
	}
	return &p.leftValues
}

// sayValuesOfDeleted notes the first value that is left over. It is reported when all of them are known.
func sayValuesOfDeleted(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if !p.section.deletes {
		return
	}
	finishLeftOver(p, c)
	left := p.leftOverOf(c)
	*left = leftOver{value: s.ValueName(), below: p.section.line}
	_, span := faultSpan(s, f)
	left.note(s, span)
}

func visitLeftOver(p *pass, c *Check, s *regfile.Statement) {
	left := p.leftOverOf(c)
	switch {
	case s.Kind == regfile.KeyLine:
		finishLeftOver(p, c)
	case left.count == 0 || !p.section.deletes || s.Deletes != leftDeletions(c):
	default:
		end := s.Offset + int64(len(s.Raw))
		if n := len(left.changes); n > 0 && left.changes[n-1].To == s.Offset {
			left.changes[n-1].To = end
			return
		}
		left.changes = append(left.changes, Change{From: s.Offset, To: end})
	}
}

func finishLeftOver(p *pass, c *Check) {
	left := *p.leftOverOf(c)
	*p.leftOverOf(c) = leftOver{}
	if left.count == 0 {
		return
	}
	var found *Finding
	if leftDeletions(c) {
		found = p.reportFirst(c, &left.first, "line %d deletes the whole key, so that this deletion of a value has no effect; remove it", left.below)
	} else {
		found = p.reportFirst(c, &left.first,
			"line %d deletes the key and opens none; Windows drops this value and those that follow; remove them, or open the key again below the deletion", left.below)
	}
	if found != nil {
		found.About, found.Value = AValue, left.value
		found.fix("remove what has no effect", left.changes...)
	}
}

// shownDefaults are how regedit shows the default value in several languages, in small letters.
var shownDefaults = []string{
	"(default)", "(standard)", "(par défaut)", "(predeterminado)", "(predefinito)", "(padrão)", "(standaard)", "(по умолчанию)", "(既定)", "(默认)",
}

func visitWrittenDefault(p *pass, c *Check, s *regfile.Statement) {
	name := s.Name.In(s.Text)
	if len(name) < 3 || name[1] != '(' && name[1] != '@' {
		return
	}
	text := string(name[1 : len(name)-1])
	if text != "@" && !slices.Contains(shownDefaults, strings.ToLower(text)) {
		return
	}
	p.report(c, s, s.Name, `this makes a value that is named %s, not the default value; write @`, text).fix("write @", change(s, s.Name, "@"))
}

func finishNoChange(p *pass, c *Check) {
	if !p.changes {
		p.reportAt(c, nil, position(1, 1), position(1, 1), []byte(p.result.Version.String()),
			"the file changes nothing, but Windows reports success; remove it, or correct what is dropped")
	}
}
