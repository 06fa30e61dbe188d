package lint

import (
	"bytes"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules/strict"
)

// The checks on the form of key lines.
var (
	commentedKey = &Check{
		ID: "REG030", Name: "commented-key", Severity: Warning,
		Title: "A key line is a comment, and the values below it are not",
		Explanation: `A key line that was made a comment is none any more, so the values below it go to the key line above the comment. If
the values were to be left out too, each of them needs its own ;. Reported is a comment that holds nothing but a key line, after an empty
line and with a value right below it, if values of the key above it stand above the comment.

Remove the ; in front of the key, or write one in front of each value.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001

;[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
"Limit"=dword:00000010
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001

;[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
;"Limit"=dword:00000010
`),
		visit: visitCommentedKey,
	}

	keyBrackets = &Check{
		ID: "REG004", Name: "key-brackets", Severity: Error, Fix: Unsafe,
		Title: "The brackets of a key line are not where Windows expects them",
		Explanation: `A key line is [KEY] or, to delete the key, [-KEY]: on one line, with both brackets, with nothing but blanks in front of
it, and without a blank after the [ or around the -. Windows ignores any other form. The values below it then go to the key that was open
before, and are dropped if there is none. If the line starts with a [, it is not known whether every version of Windows does that; regvet
does.

Put the brackets right around the key.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
`),
		codes: []regfile.Code{regfile.KeyBracket, regfile.KeyBlank, regfile.KeyUnopened, regfile.Misplaced}, say: sayKeyBrackets,
		visit: visitBehindSplitKey, needs: belowSplit, finish: finishSplitKey,
	}

	behindKey = &Check{
		ID: "REG005", Name: "behind-key", Severity: Warning, Fix: Safe,
		Title: "There is text after the bracket of a key line",
		Explanation: `The last ] of a line closes the key, and Windows ignores what follows. A value that is written there is not set. A
comment there works unless it holds a ] itself: then that one closes the key, and the text before it becomes part of the name of the key.

Write values on lines of their own, and comments above the key.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example] "Enabled"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		visit: visitBehindKey, kinds: []regfile.Kind{regfile.KeyLine},
	}

	shortRoot = &Check{
		ID: "REG022", Name: "short-root", Severity: Error, Fix: Unsafe,
		Title: "The root is abbreviated",
		Explanation: `HKLM, HKCU, HKCR, HKU and HKCC are abbreviations that people and reg.exe use. Reports differ on whether Windows
reads them in a .reg file; if it does not, it silently drops the key with all its values. regvet reads them as the roots that they stand
for.

Write the root in full: HKEY_LOCAL_MACHINE.`,
		Bad: version5(`[HKLM\SOFTWARE\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		codes: []regfile.Code{regfile.KeyShortRoot}, say: sayShortRoot,
	}

	unknownRoot = &Check{
		ID: "REG023", Name: "unknown-root", Severity: Error, Fix: Unsafe,
		Title: "There is no such root",
		Explanation: `A key starts with HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER, HKEY_CLASSES_ROOT, HKEY_USERS or HKEY_CURRENT_CONFIG,
followed by a backslash. Windows silently drops a key with any other root, and all values below it. The address bar of regedit shows a key
with "Computer\" before it, in the language of Windows; that does not belong in a file. In a file with the header REGEDIT the root must be
in capitals.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

[HKEY_LOCAL_MASHINE\SOFTWARE\Example\Cache]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

[HKEY_LOCAL_MACHINE\SOFTWARE\Example\Cache]
`),
		codes: []regfile.Code{regfile.KeyRoot, regfile.KeyNoRoot, regfile.RootIn31}, say: sayUnknownRoot,
	}

	extraBackslash = &Check{
		ID: "REG024", Name: "extra-backslash", Severity: Warning, Fix: Safe,
		Title: "A key has a backslash too many",
		Explanation: `Windows drops backslashes at the end of a key. It is not known whether every version reads several backslashes in a
row as one, as regvet does: key lines have no escapes, so \\ names a key without a name. Doubled backslashes belong only in quoted text.

Write one backslash between two names and none at the end.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\\Example\]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		visit: visitBackslashes, kinds: []regfile.Kind{regfile.KeyLine},
	}

	keyBlanks = &Check{
		ID: "REG025", Name: "key-blanks", Severity: Warning, Fix: Unsafe,
		Title: "There is a blank at the edge of a key name",
		Explanation: `Blanks next to a backslash or before the ] are part of the name of the key. Windows makes a key that looks like the
intended one but is another, so programs never find the values in it. Handlers of the shell, below ShellIconOverlayIdentifiers and
shellex, begin with blanks on purpose, so that they come first in the order of names; these are not reported.

Remove the blank.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\ Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		visit: visitKeyBlanks, kinds: []regfile.Kind{regfile.KeyLine},
	}

	nameLimits = &Check{
		ID: "REG026", Name: "name-limits", Severity: Warning,
		Title: "A name or path is longer than Windows allows",
		Explanation: `The name of a key has at most 255 characters, the name of a value at most 16,383, and a key is at most 512 levels
deep. Windows drops what exceeds that: the key with its values, or the value.`,
		Bad:        version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\" + strings.Repeat("Example", 40) + "]\n"),
		Good:       version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\" + strings.Repeat("Example", 4) + "]\n"),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/registry-element-size-limits"},
		codes:      []regfile.Code{regfile.KeyTooLong, regfile.KeyTooDeep, regfile.NameTooLong}, say: sayNameLimits,
	}
)

func sayNameLimits(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	p.faultAs(c, s, f, "%s; write a shorter one", f.Msg)
}

func sayKeyBrackets(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	switch f.Code {
	case regfile.KeyBracket:
		finishSplitKey(p, c)
		end := s.Name.From + len(bytes.TrimRight(s.Name.In(s.Text), " \t"))
		whole := end > s.Name.From && !bytes.ContainsAny(s.Name.In(s.Text), ";[")
		p.split = &splitKey{line: s.Line, end: s.Offset + int64(end), whole: whole, below: p.valuesBelow(false)}
		p.split.note(s, regfile.Span{From: max(0, end-1), To: max(1, end)})
	case regfile.Misplaced:
		p.faultAs(c, s, f, "%s; correct that line", f.Msg)
	case regfile.KeyBlank:
		open := bytes.IndexByte(s.Text, '[')
		span := regfile.Span{From: open + 1, To: s.Name.From}
		sign := ""
		if s.Deletes {
			sign = "-"
		}
		p.report(c, s, span, "%s, and %s; remove the blank", f.Msg, p.valuesBelow(false)).fix("remove the blank", change(s, span, sign))
	case regfile.KeyUnopened:
		at := int(f.Offset - s.Offset)
		span := regfile.Span{From: at, To: len(bytes.TrimRight(s.Text, " \t"))}
		key := "[" + string(s.Name.In(s.Text)) + "]"
		if s.Deletes {
			key = "[-" + key[1:]
		}
		found := p.report(c, s, span, "%s, and %s; write %s", f.Msg, p.valuesBelow(true), hive.Printable(key))
		if bytes.IndexByte(s.Text[s.Name.To:], ';') < 0 {
			found.fix("write the key in brackets", change(s, span, key))
		}
	}
}

// valuesBelow returns where the values go that stand below a line that Windows does not take for a key line, and whether that is known.
func (p *pass) valuesBelow(known bool) string {
	if p.section.path == nil || p.section.deletes {
		return "drops the values below it"
	}
	text := "sets the values below it in " + hive.Printable(p.section.path.String())
	if !known {
		text = "as far as is known " + text
	}
	return text
}

// commentedNote follows the statements up to a key line that is a comment.
type commentedNote struct {
	values, blank bool // there are values of the current key; the last statement is an empty line
	first              // the comment, if only comments came after it
}

func visitCommentedKey(p *pass, c *Check, s *regfile.Statement) {
	n := &p.commented
	switch {
	case s.Kind == regfile.CommentLine || s.Kind == regfile.StrayLine && regfile.ForeignComment(bytes.TrimLeft(s.Text, " \t")) != "":
		text := bytes.TrimLeft(s.Text, "; \t#/:-")
		to := bytes.LastIndexByte(text, ']')
		root, _, below := bytes.Cut(bytes.TrimPrefix(text, []byte("[")), []byte{'\\'})
		if to < 0 || text[0] != '[' || len(bytes.TrimSpace(text[to+1:])) > 0 || !below {
			return
		}
		if _, ok := hive.LongRoot(string(root)); ok && n.values && n.blank {
			n.first = first{}
			n.note(s, regfile.Span{From: len(s.Text) - len(text), To: len(bytes.TrimRight(s.Text, " \t"))})
		}
		return
	case s.Kind == regfile.ValueLine && n.count > 0:
		p.reportFirst(c, &n.first, "this key line is a comment, but what stands below it is not; Windows %s; make all of them comments, or none",
			p.valuesBelow(true))
	}
	n.first, n.blank = first{}, s.Kind == regfile.BlankLine
	n.values = s.Kind == regfile.ValueLine && len(s.Edits) > 0 || n.values && s.Kind != regfile.KeyLine
}

// splitKey is a key line without its closing bracket. The next line may be the rest of it.
type splitKey struct {
	first
	line  int
	end   int64 // offset after the name in the text of the file
	whole bool  // the line looks like a whole key
	below string
}

// isRestOf reports whether a line is the rest of the key line above it.
func (k *splitKey) isRestOf(s *regfile.Statement) bool {
	return k != nil && s.Kind == regfile.StrayLine && s.Line == k.line+1 && bytes.IndexByte(s.Text, ']') > 0
}

func visitBehindSplitKey(p *pass, c *Check, s *regfile.Statement) {
	if p.split == nil || p.split.line == s.Line {
		return
	}
	if !p.split.isRestOf(s) {
		finishSplitKey(p, c)
		return
	}
	k := p.split
	p.split = nil
	from := s.Offset + int64(len(s.Text)-len(bytes.TrimLeft(s.Text, " \t")))
	p.reportFirst(c, &k.first, "the closing ] is missing, and the next line seems to be the rest of the key; Windows ignores both; write them into one line").
		fix("join the lines", Change{From: k.end, To: from, New: " "})
}

func finishSplitKey(p *pass, c *Check) {
	k := p.split
	if k == nil {
		return
	}
	p.split = nil
	found := p.reportFirst(c, &k.first, "the closing ] is missing; Windows ignores this line, and %s; write it behind the key", k.below)
	if k.whole {
		found.fix("close the bracket", Change{From: k.end, To: k.end, New: "]"})
	}
}

// visitBehindKey looks for text after the last bracket, and for a comment that became part of the name because it holds the last bracket of
// the line.
func visitBehindKey(p *pass, c *Check, s *regfile.Statement) {
	if rest := s.Text[min(s.Name.To+1, len(s.Text)):]; len(rest) > 0 {
		span := regfile.Span{From: len(s.Text) - len(bytes.TrimLeft(rest, " \t")), To: len(s.Text)}
		if !span.Empty() && s.Text[span.From] != ';' {
			p.report(c, s, span, "there is text behind the ]; Windows ignores it; write values into lines of their own, and comments with ; in front").
				fix("make it a comment", insert(s, span.From, "; "))
		}
	}
	name := s.Name.In(s.Text)
	i := bytes.IndexByte(name, ']')
	if i < 0 {
		return
	}
	if rest := bytes.TrimLeft(name[i+1:], " \t"); len(rest) > 0 && rest[0] == ';' {
		span := regfile.Span{From: s.Name.To - len(rest), To: s.Name.To}
		p.report(c, s, span,
			"the comment holds a ], and the last one of the line closes the key; to Windows the comment is part of the name; write it on a line of its own")
	}
}

// rootSpan returns the span of the root in a key line.
func rootSpan(s *regfile.Statement) regfile.Span {
	root, _, _ := bytes.Cut(s.Name.In(s.Text), []byte{'\\'})
	return regfile.Span{From: s.Name.From, To: s.Name.From + len(root)}
}

func sayShortRoot(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	span := rootSpan(s)
	p.report(c, s, span,
		"the root %s is abbreviated; it is not known that every Windows reads it, and one that does not drops this key and its values; write %s", span.In(s.Text), s.Path[0]).
		fix("write the root in full", change(s, span, s.Path[0]))
}

func sayUnknownRoot(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if f.Code == regfile.RootIn31 {
		i := len(s.Text) - len(bytes.TrimLeft(s.Text, " \t"))
		span := regfile.Span{To: i + len("HKEY_CLASSES_ROOT")}
		p.report(c, s, span, "%s; write %s at the start of the line", f.Msg, "HKEY_CLASSES_ROOT").
			fix("write the root in capitals", change(s, span, "HKEY_CLASSES_ROOT"))
		return
	}
	outcome := "Windows drops this key and its values"
	if s.Deletes {
		outcome = "Windows deletes nothing"
	}
	span := rootSpan(s)
	root := string(span.In(s.Text))
	if isPerformanceRoot(root) {
		return // REG307 reports it
	}
	// Text before a root can be removed, such as "Computer\" from the address bar of regedit.
	name := s.Name.In(s.Text)
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' {
			continue
		}
		next, _, _ := bytes.Cut(name[i+1:], []byte{'\\'})
		if long, ok := hive.LongRoot(string(next)); ok {
			ahead := regfile.Span{From: s.Name.From, To: s.Name.From + i + 1}
			p.report(c, s, ahead, "%s stands in front of the root; %s; remove it", quote(string(ahead.In(s.Text))), outcome).
				fix("start with the root", Change{From: s.Offset + int64(ahead.From), To: s.Offset + int64(ahead.To+len(next)), New: long})
			return
		}
	}
	if root == "" {
		p.report(c, s, regfile.Span{From: span.From, To: span.From + 1}, "no root is named; %s; start with one, such as HKEY_LOCAL_MACHINE", outcome)
		return
	}
	// The root may be followed by a slash or a blank instead of a backslash.
	for _, known := range hive.RootNames() {
		if rest := root[min(len(known), len(root)):]; rest != "" && hasPrefixFold(root, known) && (rest[0] == '/' || rest[0] == ' ') {
			p.report(c, s, span, `there is no root %s; %s; write \ between the names of a path`, quote(root), outcome).
				fix(`write \ in the path`, change(s, span, known+`\`+strings.ReplaceAll(strings.TrimLeft(rest, "/ "), "/", `\`)))
			return
		}
	}
	near := strict.Nearest(root, hive.RootNames())
	if near == "" {
		near, _ = hive.LongRoot(strict.Nearest(root, hive.ShortRootNames()))
	}
	if near == "" || len(root) > 2*len(near) {
		p.report(c, s, span, "there is no root %s; %s; a key starts with %s", quote(root), outcome, anyOf(hive.RootNames()))
		return
	}
	p.report(c, s, span, "there is no root %s; %s; did you mean %s?", quote(root), outcome, near).
		fix("write "+near, change(s, span, near))
}

// visitBackslashes looks for backslashes in a row and at the end.
func visitBackslashes(p *pass, c *Check, s *regfile.Statement) {
	name := s.Name.In(s.Text)
	if n := len(name); len(s.Edits) > 0 && len(s.Faults) == 0 && name[n-1] != '\\' {
		return // the parser reports several in a row
	}
	trimmed := bytes.TrimRight(name, `\`)
	first := len(trimmed)
	if i := bytes.Index(trimmed, []byte(`\\`)); i >= 0 {
		first = i + 1
	} else if len(trimmed) == len(name) || len(trimmed) == 0 {
		return
	}
	r := rewrite{text: name}
	for i := first; i < len(name); {
		n := len(name[i:]) - len(bytes.TrimLeft(name[i:], `\`))
		if n > 0 && (i >= len(trimmed) || name[i-1] == '\\') {
			r.replace(i, i+n, "")
		}
		i += n + 1
	}
	changes := r.changes(s.Offset + int64(s.Name.From))
	span := regfile.Span{From: s.Name.From + first, To: s.Name.From + first + 1}
	if first < len(trimmed) {
		p.report(c, s, span,
			"there are several backslashes in a row; it is not known that every Windows reads them as one; write one").fix("write one backslash", changes...)
		return
	}
	p.report(c, s, span, "there is a backslash at the end of the key; Windows leaves it out; remove it").fix("remove the backslash", changes...)
}

// sortsFirst reports whether keys below a path begin with blanks on purpose: the shell reads its handlers in the order of their names.
func sortsFirst(path []byte) bool {
	i := bytes.LastIndexByte(path, '\\') + 1
	if last := hive.Fold(string(path[i:])); !strings.HasSuffix(last, "HANDLERS") || i == 0 {
		return last == "SHELLICONOVERLAYIDENTIFIERS"
	}
	return strings.HasSuffix(hive.Fold(string(path[:i-1])), `\SHELLEX`)
}

// visitKeyBlanks looks for blanks at the edges of the names of a path.
func visitKeyBlanks(p *pass, c *Check, s *regfile.Statement) {
	name := s.Name.In(s.Text)
	if bytes.IndexByte(name, ' ') < 0 && bytes.IndexByte(name, '\t') < 0 || hasFault(s, regfile.KeyBracket) {
		return
	}
	r, first := rewrite{text: name}, regfile.Span{}
	for i := 0; i < len(name); i++ {
		if !isBlank(name[i]) {
			continue
		}
		to := i
		for to < len(name) && isBlank(name[to]) {
			to++
		}
		leads := i > 0 && name[i-1] == '\\'
		ends := to == len(name) || name[to] == '\\'
		if ends || leads && (name[to] == '{' || !sortsFirst(name[:i-1])) { // a handler that is named by its CLSID must be named exactly
			if first.Empty() {
				first = regfile.Span{From: s.Name.From + i, To: s.Name.From + to}
			}
			r.replace(i, to, "")
		}
		i = to
	}
	if !first.Empty() {
		p.report(c, s, first,
			"there is a blank at the edge of a key name; to Windows it is part of the name; remove it").fix("remove the blank", r.changes(s.Offset+int64(s.Name.From))...)
	}
}
