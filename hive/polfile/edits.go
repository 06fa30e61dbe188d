package polfile

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// The instructions, in lower case: Windows ignores the case of them. Source: [MS-GPREG] 3.2.5.1.2.
const (
	stars        = "**"
	deleteValue  = "**del."         // and a name: delete the value
	deleteAll    = "**delvals."     // delete all values of the key
	deleteValues = "**deletevalues" // delete the values that the data name, with semicolons between them
	deleteKeys   = "**deletekeys"   // delete the subkeys that the data name
	secureKey    = "**securekey"    // change who may write to the key
	softValue    = "**soft."        // and a name: set the value if it does not exist
)

// Effect is what an entry asks for.
type Effect int

const (
	Sets             Effect = iota // a value
	SetsIfNone                     // a value, unless there is one of that name
	MakesKey                       // without a value
	DeletesValues                  // some
	DeletesAllValues               // of the key
	DeletesKeys                    // below the key
	SecuresKey                     // who may write to it, which is no matter of values
	IsUnknown                      // an instruction of which nothing is known
)

// Effect returns what the entry asks for, and the names of the values or subkeys that it is about, as the entry has them.
func (e Entry) Effect() (Effect, []string) {
	switch {
	case isDeleteAll(e.Value):
		return DeletesAllValues, nil
	case hasFold(e.Value, deleteValue):
		return DeletesValues, []string{e.Value[len(deleteValue):]}
	case hive.EqualFold(e.Value, deleteValues):
		return DeletesValues, e.list()
	case hive.EqualFold(e.Value, deleteKeys):
		return DeletesKeys, e.list()
	case hive.EqualFold(e.Value, secureKey):
		return SecuresKey, nil
	case hasFold(e.Value, softValue):
		return SetsIfNone, []string{e.Value[len(softValue):]}
	case strings.HasPrefix(e.Value, stars):
		return IsUnknown, nil
	case e.Type == hive.None && len(e.Data) == 0:
		return MakesKey, nil
	}
	return Sets, []string{e.Value}
}

// Edits returns what the file does to a registry below root, the [Machine] or the [User], in the order of the file, and the problems with it:
// what is no edit, doubtful, or left out. Names returns the names of the values that a key of that registry has; it is nil for a registry
// without keys, so that the edits are what the file sets by itself.
//
// A policy can also change who may write to a key (**SecureKey). That is no edit, and listed as a problem.
func (f *File) Edits(root string, names func(hive.Path) []string) (edits []hive.Edit, problems []hive.Problem) {
	x := effect{root: root, names: names, known: map[string]*values{}, gone: map[string]int{}}
	for i, e := range f.Entries {
		x.now = i
		x.add(e)
	}
	problems = append(slices.Clone(f.Problems), x.problems...)
	if x.left > 0 {
		problems = append(problems, hive.Problem{Kind: badInstruction, Msg: fmt.Sprintf("%d more problems are not listed", x.left), Loss: x.leftLoss})
	}
	for i := range problems {
		problems[i].Source = f.source
	}
	return x.edits, problems
}

// Depending returns how many entries do what depends on the registry: delete all values of a key, or set a value if there is none.
func (f *File) Depending() (n int) {
	for _, e := range f.Entries {
		if does, _ := e.Effect(); does == DeletesAllValues || does == SetsIfNone {
			n++
		}
	}
	return n
}

// maxProblems is how many problems with entries are listed.
const maxProblems = 1000

// effect is what the entries until now do.
type effect struct {
	root     string
	names    func(hive.Path) []string
	known    map[string]*values // by folded path
	gone     map[string]int     // by folded path: the entry that deletes the key
	now      int                // the entry
	edits    []hive.Edit
	problems []hive.Problem
	left     int // problems that are not listed
	leftLoss bool
}

// values are the values that a key has.
type values struct {
	names map[string]string // by the folded name
	since int               // the entry at which they were looked at
}

func (x *effect) add(e Entry) {
	path := hive.Path{x.root}
	for name := range strings.SplitSeq(e.Key, `\`) {
		if name != "" {
			path = append(path, name)
		}
	}
	do := func(op hive.Op, path hive.Path, v hive.Value) {
		v.At = e.At
		x.edits = append(x.edits, hive.Edit{Op: op, Path: path, Value: v, At: e.At})
	}
	doubt := func(loss bool, format string, args ...any) {
		if len(x.problems) == maxProblems {
			x.left++
			x.leftLoss = x.leftLoss || loss
			return
		}
		x.problems = append(x.problems, hive.Problem{At: e.At, Kind: badInstruction, Msg: fmt.Sprintf(format, args...), Key: path, Loss: loss})
	}
	value := hive.Value{Name: e.Value, Type: e.Type, Data: e.Data}
	does, named := e.Effect()
	switch has := x.values(path); {
	case len(path) == 1 || len(path)-1 > hive.MaxDepth:
		doubt(true, "the entry is of no key that can be: %s; it is left out", clipped(e.Key))
	case does == DeletesAllValues:
		for _, name := range has.sorted() {
			do(hive.DeleteValue, path, hive.Value{Name: name})
			has.remove(name)
		}
	case does == DeletesValues:
		for _, name := range named {
			do(hive.DeleteValue, path, hive.Value{Name: name})
			has.remove(name)
		}
	case does == DeletesKeys:
		for _, name := range named {
			if strings.Contains(name, `\`) {
				doubt(true, "**DeleteKeys names %s, which is no subkey; it is left out", clipped(name))
				continue
			}
			do(hive.DeleteKey, path.Join(name), hive.Value{})
			x.gone[hive.Fold(path.Join(name).String())] = x.now
		}
	case does == SecuresKey:
		doubt(false, "**SecureKey changes who may write to the key %s, which is no edit of the registry", clipped(path.String()))
	case does == SetsIfNone:
		if value.Name = named[0]; !has.has(value.Name) {
			do(hive.SetValue, path, value)
			has.add(value.Name)
		}
	case does == IsUnknown:
		doubt(true, "the instruction %s is not known; it is left out", clipped(e.Value))
	case does == MakesKey:
		do(hive.CreateKey, path, hive.Value{})
	default:
		if e.Value == "" || len(e.Data) == 0 {
			doubt(false, "an entry without a name or data: by one page of Microsoft it sets the value, by another it only makes the key; it is read as a value of the key %s", clipped(path.String()))
		}
		do(hive.SetValue, path, value)
		has.add(e.Value)
	}
}

// values returns the values that a key has after the entries until now.
func (x *effect) values(path hive.Path) *values {
	id := hive.Fold(path.String())
	v := x.known[id]
	if v == nil {
		v = &values{names: map[string]string{}}
		x.known[id] = v
		if x.names != nil {
			for _, name := range x.names(path) {
				v.add(name)
			}
		}
	}
	if len(x.gone) > 0 {
		for i := range len(id) + 1 {
			if i < len(id) && id[i] != '\\' {
				continue
			}
			if at, ok := x.gone[id[:i]]; ok && at >= v.since {
				clear(v.names)
			}
		}
		v.since = x.now
	}
	return v
}

func (v *values) add(name string)      { v.names[hive.Fold(name)] = name }
func (v *values) remove(name string)   { delete(v.names, hive.Fold(name)) }
func (v *values) has(name string) bool { _, ok := v.names[hive.Fold(name)]; return ok }

func (v *values) sorted() (names []string) {
	for _, name := range v.names {
		names = append(names, name)
	}
	slices.SortFunc(names, hive.CompareFold)
	return names
}

// hasFold reports whether a name begins with an instruction, which is ASCII, in any case.
func hasFold(name, instruction string) bool {
	return len(name) >= len(instruction) && hive.EqualFold(name[:len(instruction)], instruction)
}

// isDeleteAll reports whether a value name is the instruction to delete all values, which one page of Microsoft writes without the dot.
func isDeleteAll(name string) bool {
	return hasFold(name, deleteAll) || hive.EqualFold(name, strings.TrimSuffix(deleteAll, "."))
}

// list returns the names in the data of an instruction.
func (e Entry) list() []string {
	text, _ := hive.Value{Type: hive.SZ, Data: e.Data}.Text()
	return slices.DeleteFunc(strings.Split(text, ";"), func(name string) bool { return name == "" })
}

// clipped shortens a name, which may be very long, for a message.
func clipped(name string) string {
	const most = 200 // bytes
	if len(name) > most {
		name = name[:most] + "…"
	}
	return hive.Visible(name)
}
