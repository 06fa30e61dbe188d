package lint

import (
	"encoding/binary"
	"strconv"
	"strings"
	"sync"

	"regvet/hive"
	"regvet/hive/regfile"
)

// pattern describes values, or keys, that a check looks for.
//
// A key starts with its root: HKLM, HKCU (also for a user below HKEY_USERS), HKCR (also for SOFTWARE\Classes below HKLM and HKCU), or ANY
// for both HKLM and HKCU. All control sets are CurrentControlSet, and Wow6432Node is left out. * stands for one name of a path, or for the
// end of one; ~* is the name *.
type pattern struct {
	check  *Check
	keys   []string
	values []string // "" is the default value, * any value; nil for the key itself
	when   func(*hive.Value) bool
	what   string // the message
}

// patternNode is one name in the tree of all patterns.
type patternNode struct {
	next     map[string]*patternNode // by folded name
	any      *patternNode            // for *
	begins   []patternStart          // names that end with *
	patterns []*pattern
}

type patternStart struct {
	prefix string
	node   *patternNode
}

// patterns returns the tree of the patterns of all checks.
var patterns = sync.OnceValue(func() *patternNode {
	root := &patternNode{}
	for _, list := range [][]pattern{autorunPatterns, defencePatterns, secretPatterns, servicePatterns, deletionPatterns, numberPatterns, targetPatterns} {
		for i := range list {
			for _, key := range list[i].keys {
				if rest, ok := strings.CutPrefix(key, `ANY\`); ok {
					root.add(`HKLM\`+rest, &list[i])
					root.add(`HKCU\`+rest, &list[i])
					continue
				}
				root.add(key, &list[i])
			}
		}
	}
	return root
})

func (n *patternNode) add(key string, w *pattern) {
	for name := range strings.SplitSeq(hive.Fold(key), `\`) {
		n = n.child(name)
	}
	n.patterns = append(n.patterns, w)
}

func (n *patternNode) child(name string) *patternNode {
	prefix, begins := strings.CutSuffix(name, "*")
	switch {
	case name == "~*":
		name = "*"
	case name == "*":
		if n.any == nil {
			n.any = &patternNode{}
		}
		return n.any
	case begins:
		for _, b := range n.begins {
			if b.prefix == prefix {
				return b.node
			}
		}
		n.begins = append(n.begins, patternStart{prefix, &patternNode{}})
		return n.begins[len(n.begins)-1].node
	}
	if n.next[name] == nil {
		if n.next == nil {
			n.next = map[string]*patternNode{}
		}
		n.next[name] = &patternNode{}
	}
	return n.next[name]
}

// find appends the patterns of a path to all.
func (n *patternNode) find(path []string, all []*pattern) []*pattern {
	if len(path) == 0 {
		return append(all, n.patterns...)
	}
	if next := n.next[path[0]]; next != nil {
		all = next.find(path[1:], all)
	}
	if n.any != nil {
		all = n.any.find(path[1:], all)
	}
	for _, b := range n.begins {
		if strings.HasPrefix(path[0], b.prefix) {
			all = b.node.find(path[1:], all)
		}
	}
	return all
}

// enterPatterns finds the patterns of the current key.
func (p *pass) enterPatterns() {
	p.pathNames = appendPathNames(p.pathNames[:0], p.section.folded)
	p.matched = p.patterns.find(p.pathNames, p.matched[:0])
	if len(p.pathNames) > 0 && p.pathNames[0] == "HKCR" {
		p.section.facts |= inClasses
	}
	if n := len(p.pathNames); n > 0 && p.pathNames[n-1] == "COMMAND" {
		p.section.facts |= ofCommand
	}
}

// appendPathNames appends the names of a folded path, as patterns have them.
func appendPathNames(names []string, folded string) []string {
	for name := range strings.SplitSeq(folded, `\`) {
		switch {
		case len(names) == 0:
			switch name {
			case "HKEY_LOCAL_MACHINE":
				name = "HKLM"
			case "HKEY_CURRENT_USER":
				name = "HKCU"
			case "HKEY_CLASSES_ROOT":
				name = "HKCR"
			}
		case len(names) == 1 && names[0] == "HKEY_USERS":
			user, classes := strings.CutSuffix(name, "_CLASSES")
			if name = "HKCU"; classes && strings.HasPrefix(user, "S-1-") {
				name = "HKCR"
			}
			names = names[:0]
		case name == "WOW6432NODE":
			continue
		case len(names) == 2 && name == "CLASSES" && names[1] == "SOFTWARE":
			names = names[:0]
			name = "HKCR"
		case len(names) == 2 && isControlSet(name) && names[1] == "SYSTEM":
			name = "CURRENTCONTROLSET"
		}
		names = append(names, name)
	}
	return names
}

// isControlSet reports whether a folded name is that of a numbered control set.
func isControlSet(name string) bool {
	digits, ok := strings.CutPrefix(name, "CONTROLSET")
	return ok && len(digits) == 3 && strings.Trim(digits, "0123456789") == ""
}

// match returns the pattern of a check that the current value matches, or nil.
func (p *pass) match(c *Check, v *hive.Value) *pattern {
	for _, w := range p.hits {
		if w.check == c && (w.when == nil || w.when(v)) {
			return w
		}
	}
	return nil
}

// hit finds the patterns of the current key for values with a name, and reports whether there are any.
func (p *pass) hit(name string) bool {
	p.hits = p.hits[:0]
	for _, w := range p.matched {
		if w.holds(name) {
			p.hits = append(p.hits, w)
		}
	}
	return len(p.hits) > 0
}

// holds reports whether the pattern is for values with a name.
func (w *pattern) holds(name string) bool {
	for _, one := range w.values {
		if one == "*" || len(one) == len(name) && strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}

// patternSet returns the pattern of a check for the value that a statement sets, or nil.
func (p *pass) patternSet(c *Check, s *regfile.Statement) *pattern {
	if s.Deletes || len(s.Edits) == 0 {
		return nil
	}
	return p.match(c, &s.Edits[len(s.Edits)-1].Value)
}

// visitPatternValue reports a value that is set and matches a pattern of the check.
func visitPatternValue(p *pass, c *Check, s *regfile.Statement) {
	if w := p.patternSet(c, s); w != nil {
		p.report(c, s, s.Name, "%s", w.what)
	}
}

// isAny reports whether there are data other than empty text.
func isAny(v *hive.Value) bool { return len(v.Data) > 2 }

// is returns a condition that holds for some numbers.
func is(numbers ...uint64) func(*hive.Value) bool {
	return func(v *hive.Value) bool {
		n, ok := numberOf(v)
		for _, want := range numbers {
			if ok && n == want {
				return true
			}
		}
		return false
	}
}

// isNot returns a condition that holds for all other numbers.
func isNot(numbers ...uint64) func(*hive.Value) bool {
	one := is(numbers...)
	return func(v *hive.Value) bool {
		_, ok := numberOf(v)
		return ok && !one(v)
	}
}

// below returns a condition that holds for numbers below a limit.
func below(limit uint64) func(*hive.Value) bool {
	return func(v *hive.Value) bool {
		n, ok := numberOf(v)
		return ok && n < limit
	}
}

// numberOf returns the number in a value, of any type that a program might read it from, and reports whether there is one.
func numberOf(v *hive.Value) (uint64, bool) {
	switch {
	case v.Type == hive.SZ || v.Type == hive.ExpandSZ:
		text, _ := v.Text()
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
		return n, err == nil
	case v.Type == hive.Binary && len(v.Data) == 4:
		return uint64(binary.LittleEndian.Uint32(v.Data)), true
	}
	n, err := v.Uint64()
	return n, err == nil
}

// otherThan returns a condition that holds for text, or a text of a list, that is not one of the known texts in any case. It does not hold
// for empty text.
func otherThan(known ...string) func(*hive.Value) bool {
	isKnown := func(text string) bool {
		text = strings.Trim(strings.TrimSpace(text), `"`)
		if text == "" {
			return true
		}
		for _, k := range known {
			if strings.EqualFold(k, text) {
				return true
			}
		}
		return false
	}
	return func(v *hive.Value) bool {
		if v.Type == hive.MultiSZ {
			all, _ := v.Strings()
			for _, text := range all {
				if !isKnown(text) {
					return true
				}
			}
			return false
		}
		text, err := v.Text()
		return err == nil && !isKnown(text)
	}
}
