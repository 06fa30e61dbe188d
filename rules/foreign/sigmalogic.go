package foreign

import (
	"slices"
	"strings"
)

// sigmaTest is what a rule asks of a key or value.
type sigmaTest struct {
	op    string // true, false, all, any, none, or "" for a leaf
	leaf  Fields
	below []sigmaTest
}

var (
	sigmaTrue  = sigmaTest{op: "true"}
	sigmaFalse = sigmaTest{op: "false"}
)

func sigmaLeaf(name string, v any, more ...Field) sigmaTest {
	return sigmaTest{leaf: append(Fields{{name, v}}, more...)}
}

// sigmaAll returns a test that holds if all of some do.
func sigmaAll(all ...sigmaTest) sigmaTest { return sigmaJoin("all", "true", "false", all) }

// sigmaAny returns a test that holds if one of some does.
func sigmaAny(all ...sigmaTest) sigmaTest { return sigmaJoin("any", "false", "true", all) }

func sigmaJoin(op, neutral, decides string, all []sigmaTest) sigmaTest {
	var below []sigmaTest
	for _, t := range all {
		switch t.op {
		case decides:
			return t
		case neutral:
		case op:
			below = append(below, t.below...)
		default:
			below = append(below, t)
		}
	}
	for _, is := range []string{"key", "value"} { // once is enough
		if first := slices.IndexFunc(below, isLeaf(is)); first >= 0 {
			below = append(below[:first+1], slices.DeleteFunc(below[first+1:], isLeaf(is))...)
		}
	}
	switch len(below) {
	case 0:
		return sigmaTest{op: neutral}
	case 1:
		return below[0]
	}
	return sigmaTest{op: op, below: below}
}

// sigmaNot returns a test that holds if another does not.
func sigmaNot(t sigmaTest) sigmaTest {
	switch t.op {
	case "true":
		return sigmaFalse
	case "false":
		return sigmaTrue
	case "none":
		return sigmaAny(t.below...)
	case "any":
		return sigmaTest{op: "none", below: t.below}
	}
	return sigmaTest{op: "none", below: []sigmaTest{t}}
}

// fields returns the test in the language.
func (t sigmaTest) fields() Fields {
	switch t.op {
	case "true":
		return Fields{{"path", "*"}}
	case "":
		return t.leaf
	case "all":
		return sigmaMapping(t.below)
	}
	var all []any
	for _, below := range t.below {
		all = append(all, below.fields())
	}
	return Fields{{t.op, all}}
}

// sigmaMapping returns one mapping for tests that must all hold, as far as their fields have different names.
func sigmaMapping(all []sigmaTest) (m Fields) {
	var rest, none []any
	for _, t := range all {
		fields := t.fields()
		switch {
		case t.op == "none":
			none = append(none, fields[0].Value.([]any)...)
		case slices.ContainsFunc(fields, func(f Field) bool { return f.Name == "cased" || m.has(f.Name) }):
			rest = append(rest, fields)
		default:
			m = append(m, fields...)
		}
	}
	if rest != nil {
		m = m.With("all", rest)
	}
	if none != nil {
		m = m.With("none", none)
	}
	return m
}

func (f Fields) has(name string) bool {
	return slices.ContainsFunc(f, func(one Field) bool { return one.Name == name })
}

// hives returns the hives in which alone there can be what the test asks for, as its paths tell; nil for any.
func (t sigmaTest) hives() (all []string) {
	switch t.op {
	case "":
		if t.leaf[0].Name == "path" {
			return hivesOf(t.leaf[0].Value)
		}
	case "all":
		for _, below := range t.below {
			some := below.hives()
			switch {
			case all == nil:
				all = some
			case some != nil:
				if both := slices.DeleteFunc(slices.Clone(all), func(h string) bool { return !slices.Contains(some, h) }); both != nil {
					all = both
				}
			}
		}
	case "any":
		return unionOf(t.below, sigmaTest.hives)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// unionOf returns the hives of all, or nil if one can be in any hive.
func unionOf[T any](of []T, hives func(T) []string) (all []string) {
	for _, one := range of {
		some := hives(one)
		if some == nil {
			return nil
		}
		for _, h := range some {
			if !slices.Contains(all, h) {
				all = append(all, h)
			}
		}
	}
	return all
}

// sigmaHives tells by what stands in a path, in lower case, in which hives it can be.
var sigmaHives = []struct {
	part  string
	hives []string
}{
	{`hklm\software\`, []string{"SOFTWARE"}},
	{`hklm\system\`, []string{"SYSTEM"}},
	{`currentcontrolset\`, []string{"SYSTEM"}},
	{`\system\controlset`, []string{"SYSTEM"}},
	{`\sam\sam\`, []string{"SAM"}},
	{`software\microsoft\`, []string{"SOFTWARE", "NTUSER.DAT"}},
	{`software\policies\`, []string{"SOFTWARE", "NTUSER.DAT"}},
	{`software\wow6432node\`, []string{"SOFTWARE", "NTUSER.DAT"}},
	{`software\classes\`, []string{"SOFTWARE", "NTUSER.DAT", "UsrClass.dat"}},
}

// hivesOf returns the hives in which alone paths like a pattern, or one of several, can be.
func hivesOf(v any) []string {
	switch v := v.(type) {
	case string:
		path := strings.ToLower(v)
		for _, h := range sigmaHives {
			if strings.Contains(path, h.part) {
				return h.hives
			}
		}
	case []any:
		return unionOf(v, hivesOf)
	}
	return nil
}

func oneOrAll(all []string) any {
	if len(all) == 1 {
		return all[0]
	}
	return texts(all)
}
