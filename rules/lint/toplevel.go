package lint

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules/strict"
)

var topLevelKey = &Check{
	ID: "REG311", Name: "top-level-key", Severity: Warning, Fix: Unsafe,
	Title: "A key is near one that every Windows has, but is not it",
	Explanation: `Below a root, and at the top of SYSTEM and SOFTWARE, every Windows has the same few keys. A name that is almost one of
these, a root that is named twice, or a part of the path that is left out, leads elsewhere. Right below HKEY_LOCAL_MACHINE and HKEY_USERS
Windows makes no keys at all: there are only hives that it has loaded, and the import of any other key fails. Elsewhere it makes a new key
that no program reads. Other names below these two roots are taken for hives that someone loads there, and are not reported.

Write the path as Windows has it.`,
	Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurentControlSet\Services\Example]
`),
	Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example]
`),
	References: []string{"https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyexw"},
	visit:      visitTopLevelKey, kinds: []regfile.Kind{regfile.KeyLine},
}

// topLevel is what every Windows has below a key.
type topLevel struct {
	names   []string          // of keys there
	further map[string]string // keys that people look for there, and in which of the names they are; in capitals
}

var (
	ofUser    = []string{"Software", "Control Panel", "Environment", "Keyboard Layout"}
	topLevels = map[string]topLevel{
		"HKEY_LOCAL_MACHINE": {
			[]string{"SOFTWARE", "SYSTEM", "SECURITY", "HARDWARE"},
			map[string]string{"MICROSOFT": "SOFTWARE", "POLICIES": "SOFTWARE", "CLASSES": "SOFTWARE", "WOW6432NODE": "SOFTWARE", "CURRENTCONTROLSET": "SYSTEM"},
		},
		"HKEY_CURRENT_USER":           {ofUser, map[string]string{"MICROSOFT": "Software", "CLASSES": "Software", "WOW6432NODE": "Software"}},
		`HKEY_LOCAL_MACHINE\SYSTEM`:   {[]string{"CurrentControlSet", "MountedDevices"}, map[string]string{"SERVICES": "CurrentControlSet", "CONTROL": "CurrentControlSet"}},
		`HKEY_LOCAL_MACHINE\SOFTWARE`: {[]string{"Microsoft", "Wow6432Node"}, nil},
		`HKEY_CURRENT_USER\SOFTWARE`:  {[]string{"Microsoft"}, nil},
	}
)

func visitTopLevelKey(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 || len(s.Path) < 2 {
		return
	}
	path, at := s.Path, 1 // the path below the key of a user starts at that user
	if path[0] == "HKEY_USERS" && len(path) > 2 && (hasPrefixFold(path[1], "S-1-") || hive.EqualFold(path[1], ".DEFAULT")) && !strings.HasSuffix(hive.Fold(path[1]), "_CLASSES") {
		path, at = append(hive.Path{"HKEY_CURRENT_USER"}, path[2:]...), 2
	}
	if top := path[:min(len(path), 3)]; slices.Equal(top, p.topLevel) {
		return // as in a key line before, of which nothing was said
	}
	if root, ok := hive.LongRoot(path[1]); ok {
		found := p.report(c, s, nameSpan(s, at), "the root %s stands below another root, where it is an ordinary name; name one root", path[1])
		if span := nameSpan(s, at); root == s.Path[0] {
			found.fix("name the root once", change(s, regfile.Span{From: s.Name.From, To: span.To}, root))
		}
		return
	}
	above := path[0]
	for level := 1; level < min(len(path), 3); level++ {
		if p.sayTopLevel(c, s, above, path[level], at+level-1) {
			return
		}
		above += `\` + hive.Fold(path[level])
	}
	p.topLevel = slices.Clone(path[:min(len(path), 3)])
}

// sayTopLevel reports a name in the path of a key, below another key, if it is almost that of one that every Windows has. i is its index in
// the path.
func (p *pass) sayTopLevel(c *Check, s *regfile.Statement, above, name string, i int) bool {
	outcome := "to Windows it is another key"
	if hives := above == "HKEY_LOCAL_MACHINE" || above == "HKEY_USERS"; hives {
		outcome = "Windows makes no key there, so that the import of it fails unless a hive is loaded as " + hive.Printable(name)
	} else if s.Deletes {
		return false // it may have been made by mistake
	}
	span, folded := nameSpan(s, i), hive.Fold(name)
	if above == "HKEY_USERS" {
		if !slices.ContainsFunc(ofUser, func(known string) bool { return hive.EqualFold(name, known) || strict.Misspelt(name, known) }) {
			return false
		}
		p.report(c, s, span, "%s stands right below HKEY_USERS, where the name of a user must be; %s; write HKEY_CURRENT_USER, or the SID of a user in front of it",
			quote(name), outcome)
		return true
	}
	top := topLevels[above]
	further := top.further[folded]
	if above == "HKEY_LOCAL_MACHINE" && isControlSet(folded) {
		further = "SYSTEM"
	}
	if further != "" {
		p.report(c, s, span, "%s stands right below %s, and Windows has it in %s; %s; write %s in front of it", quote(name), above, further, outcome, further).
			fix("write "+further+" in front of it", insert(s, span.From, further+`\`))
		return true
	}
	near := ""
	for _, known := range top.names {
		if strict.Misspelt(name, known) {
			near = known
		}
	}
	if rest, ok := strings.CutPrefix(folded, "CURRENTCONTROLSET"); ok && rest != "" && slices.Contains(top.names, "CurrentControlSet") {
		near = "CurrentControlSet"
	}
	if near == "" {
		return false
	}
	p.report(c, s, span, "there is no %s below %s in Windows; %s; did you mean %s?", quote(name), above, outcome, near).
		fix("write "+near, change(s, span, near))
	return true
}

// nameSpan returns the span of one name of the path in a key line.
func nameSpan(s *regfile.Statement, i int) regfile.Span {
	text := s.Name.In(s.Text)
	from := 0
	for to := 0; ; to++ {
		if to < len(text) && text[to] != '\\' {
			continue
		}
		if to > from {
			if i == 0 || to == len(text) {
				return regfile.Span{From: s.Name.From + from, To: s.Name.From + to}
			}
			i--
		}
		if to >= len(text) {
			return regfile.Span{From: s.Name.To, To: s.Name.To}
		}
		from = to + 1
	}
}
