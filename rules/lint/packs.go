package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// watch collects the edits that concern the rules of packs. They are judged at the end of the file, because a later line can change what an
// earlier one set.
type watch struct {
	rules []*rules.Rule  // that can be about a value
	keys  map[string]int // the folded paths that they look at, with the number of levels below
	edits []hive.Edit
	lines map[int]watchedLine // the lines of the edits, by number

	unread map[int]bool // lines with a finding of unusedValue
}

// watchedLine is the line of an edit.
type watchedLine struct {
	text       string
	digitsFrom int64 // where its dword data, without "dword:", are in the text of the file; digitsTo is 0 if it has none
	digitsTo   int64
}

// maxWatched is how many edits are collected. A file with more of them is an export rather than a patch.
const maxWatched = 100_000

func newWatch(all []*rules.Rule) watch {
	w := watch{keys: map[string]int{}, lines: map[int]watchedLine{}, unread: map[int]bool{}}
	for _, r := range all {
		if !r.AsksValue() {
			continue
		}
		w.rules = append(w.rules, r)
		for _, place := range r.Places() {
			path := liveFold(hive.Fold(place.String()))
			w.keys[path] = max(w.keys[path], r.Depth())
		}
	}
	return w
}

const setPrefix = `HKEY_LOCAL_MACHINE\SYSTEM\`

// liveFold returns a folded path with CurrentControlSet in place of a numbered control set, which may be the current one.
func liveFold(path string) string {
	rest, ok := strings.CutPrefix(path, setPrefix)
	if !ok {
		return path
	}
	set, below, _ := strings.Cut(rest, `\`)
	if !strings.HasPrefix(set, "CONTROLSET") || len(set) != len("CONTROLSET001") {
		return path
	}
	return setPrefix + `CURRENTCONTROLSET\` + below
}

// watches reports whether a rule looks at a key, or at keys below it and above those that it looks at.
func (w *watch) watches(folded string) bool {
	if len(w.keys) == 0 {
		return false
	}
	for path, below := liveFold(folded), 0; ; below++ {
		if levels, ok := w.keys[path]; ok && below <= levels {
			return true
		}
		i := strings.LastIndexByte(path, '\\')
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

// see collects the edits of a statement.
func (w *watch) see(p *pass, s *regfile.Statement) {
	if len(s.Edits) == 0 || !p.section.watched {
		return
	}
	if len(w.edits) >= maxWatched {
		if len(w.edits) == maxWatched {
			p.problem(s.Edits[0].At, "the rules of packs are not held against what stands from here on: the file sets too much where they look")
			w.edits = append(w.edits, hive.Edit{Op: hive.CreateKey, Path: s.Path})
		}
		return
	}
	if p.unread == s.Line {
		w.unread[s.Line] = true
	}
	line := watchedLine{text: excerpt(s.Text)}
	if s.Kind == regfile.ValueLine {
		if digits := s.Data.In(s.Text); bytes.HasPrefix(digits, []byte("dword:")) {
			digits = bytes.TrimLeft(digits[len("dword:"):], " \t")
			line.digitsTo = s.Offset + int64(s.Data.To)
			line.digitsFrom = line.digitsTo - int64(len(digits))
		}
	}
	for _, e := range s.Edits {
		e.Path, e.Value.Data = slices.Clone(e.Path), slices.Clone(e.Value.Data)
		w.edits = append(w.edits, e)
		w.lines[e.At.Line] = line
	}
}

// judge checks the collected edits against the rules. What the file does not set is not judged.
func (w *watch) judge(p *pass) {
	if len(w.edits) == 0 {
		return
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, hive.Apply(hive.NewImpliedKey(""), w.edits...))
	for _, f := range rules.Unpassed(reg.WithControlSet(hive.AllControlSets), p.Target, w.rules) {
		if f.Status != rules.Fail || f.Observed == nil || f.At.Line == 0 || f.Reason == rules.Present && w.unread[f.At.Line] {
			continue
		}
		c := packMismatch
		if f.Reason == rules.WrongType || f.Reason == rules.OutOfRange {
			c = packInvalid
		}
		line := w.lines[f.At.Line]
		decimal, isDecimal := f.Decimal()
		if isDecimal = isDecimal && line.digitsTo > 0 && p.ruleSeverity(decimalAsHex, f.Rule) > 0; isDecimal {
			c = decimalAsHex
		}
		severity := p.ruleSeverity(c, f.Rule)
		if severity == 0 {
			continue
		}
		end := hive.Location{Line: f.At.Line, Column: regfile.Column([]byte(line.text), len(strings.TrimRight(line.text, " \t")))}
		found := p.reportAt(c, nil, f.At, end, []byte(line.text), "%s (%s)", f.Message, f.Rule.ID)
		if found != nil {
			if isDecimal {
				found.fix(fmt.Sprintf("write %d in hexadecimal", decimal), Change{From: line.digitsFrom, To: line.digitsTo, New: fmt.Sprintf("%08x", decimal)})
			}
			found.Severity = severity
			found.About, found.Key, found.Value, found.Rule = AValue, f.Key, f.Value, f.Rule.ID
		}
	}
}

// ruleSeverity returns the severity of the findings of a check by a rule, or 0 if they are not reported.
func (p *pass) ruleSeverity(c *Check, r *rules.Rule) Severity {
	if p.on[c] > 0 && p.RuleSeverity != nil {
		return p.RuleSeverity(c, r)
	}
	return p.on[c]
}

// OfRules returns the checks that report what rules of packs find.
func OfRules() []*Check { return []*Check{packInvalid, packMismatch, decimalAsHex} }

var (
	packInvalid = &Check{
		ID: "REG210", Name: "invalid-value", Title: "A value of a type or range that Windows does not take", Severity: Warning,
		Explanation: `A rule of the loaded packs knows this value: which type the program that reads it wants, and which range it accepts.
Windows imports the line all the same, and the program later ignores the value, or uses the nearest one that is allowed. The message names
the rule; "regvet rules show" says where the facts come from.`,
		Bad: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"="65534"
`},
		Good: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=dword:0000fffe
`},
	}
	packMismatch = &Check{
		ID: "REG214", Name: "against-rule", Title: "A value that is against a rule of the loaded packs", Severity: Warning,
		Explanation: `The value is valid, but it is not what a rule of the loaded packs wants: a machine that imports the file fails that
rule afterwards. What the file does not mention is not judged. The message names the rule; "regvet rules show" says why it wants something
else.`,
		Bad: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=dword:00001388
`},
		Good: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=dword:0000fffe
`},
	}
	decimalAsHex = &Check{
		ID: "REG216", Name: "decimal-as-hex", Title: "A decimal number is written where Windows reads a hexadecimal one", Severity: Warning, Fix: Unsafe,
		Explanation: `The digits after dword: are hexadecimal: dword:00065534 is 415028, and 65534 is written dword:0000fffe. A rule of the
loaded packs knows this value: it does not take what the digits are, and would take what they are if they are read as decimal. Windows imports
the line all the same, and the program later ignores the value, or works with another number than was meant. Without this check, the same is
reported by REG210 or REG214.

Write the number in hexadecimal.`,
		Bad: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=dword:00065534
`},
		Good: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=dword:0000fffe
`},
	}
)
