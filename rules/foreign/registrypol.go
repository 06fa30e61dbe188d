package foreign

import (
	"path/filepath"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/polfile"
)

// A Registry.pol has no lines: a row is an entry, and its line is the number of the entry, from 1. Windows makes the entries in their order, so the
// wanted state is that after the last one (Microsoft, [MS-GPREG] 3.2.5.1.2). Nothing in the file says whose registry it is for: its name or folder
// does, as for a file that is checked.

func init() {
	formats = append(formats, format{"pol", "Registry.pol files of group policies", func(_ string, data []byte) bool { return polfile.Is(data) }, readRegistryPol})
}

func readRegistryPol(f *file) error {
	read, err := polfile.Parse(f.Path, f.data)
	if err != nil {
		return err
	}
	if len(read.Problems) > 0 {
		return &read.Problems[0] // what follows it is not known
	}
	absolute, err := filepath.Abs(f.Path)
	if err != nil {
		absolute = f.Path
	}
	root, by := collection.PolicyRoot(absolute)
	f.Unit = "entry"
	f.References = []string{"Microsoft, [MS-GPREG]: Group Policy: Registry Extension Encoding"}
	f.Notes = []string{"its keys are those of " + root + ", by " + by}
	var all []wish
	for i, e := range read.Entries {
		row := Row{Line: i + 1}
		wishes, why := policyWishes(root, e)
		if why != "" {
			row.Title, row.Lacks = e.Value+" of "+e.Key, []string{why}
		}
		for _, w := range wishes {
			w.row = i
			all = append(all, w)
		}
		if err := f.add(row); err != nil {
			return err
		}
	}
	f.wish(all, "POL", "registry-pol", "a group policy sets it so")
	return nil
}

// policyWishes returns what an entry wants, and why that is not all.
func policyWishes(root string, e polfile.Entry) (all []wish, why string) {
	path := append(hive.Path{root}, hive.ParsePath(`x\` + e.Key)[1:]...)
	if len(path) == 1 {
		return nil, "it names no key"
	}
	does, names := e.Effect()
	v := hive.Value{Type: e.Type, Data: e.Data}
	each := func(want wants) {
		for _, v.Name = range names {
			all = append(all, wish{want: want, path: path, of: v})
		}
	}
	switch does {
	case polfile.Sets:
		each(wantValue)
	case polfile.SetsIfNone:
		each(wantAny)
	case polfile.DeletesValues:
		each(wantNone)
	case polfile.DeletesAllValues:
		return []wish{{want: wantNoOthers, path: path}}, ""
	case polfile.MakesKey:
		return []wish{{want: wantKey, path: path}}, ""
	case polfile.DeletesKeys:
		for _, name := range names {
			all = append(all, wish{want: wantNoKey, path: path.Join(name)})
		}
	case polfile.SecuresKey:
		return nil, "it changes who may write to the key, which no rule asks"
	default:
		return nil, "its instruction is not known"
	}
	if len(all) == 0 {
		why = "it names nothing to delete"
	}
	return all, why
}
