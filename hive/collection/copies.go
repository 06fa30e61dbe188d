package collection

import (
	"fmt"
	"slices"

	"regvet/hive"
)

// markCopies notes of files that a collector copied in several ways which of them are copies of one, see [originOf].
func markCopies(found []File) {
	type way struct{ path, by string }
	first := map[string]way{}
	for i, f := range found {
		origin, by := originOf(f.Path)
		switch one, ok := first[origin]; {
		case !ok:
			first[origin] = way{f.Path, by}
		case one.by != by:
			found[i].CopyOf = one.path
		}
	}
}

// addCopies adds each copy to the group of the file that it is a copy of, and notes that in at.
func addCopies(found []File, at map[string]*Group) {
	byPath := map[string]File{}
	for _, f := range found {
		g := at[f.CopyOf]
		switch {
		case f.CopyOf == "":
			byPath[f.Path] = f
			continue
		case g == nil:
			g = &Group{Files: []File{byPath[f.CopyOf]}}
			at[f.CopyOf] = g
		}
		i := slices.IndexFunc(g.Files, func(one File) bool { return one.Path == f.CopyOf })
		f.User = g.Files[i].User
		g.Files = append(g.Files, f)
		at[f.Path] = g
	}
}

// equals reports whether an input has the bytes of another one, and logs with the same bytes were read for both.
func (in *Opened) equals(other *Opened) bool {
	in.wait()
	other.wait()
	read := func(in *Opened) (sums []string) {
		for _, l := range in.Logs {
			if l.SHA256 != "" {
				sums = append(sums, l.SHA256)
			}
		}
		return sums
	}
	return in.SHA256 == other.SHA256 && slices.Equal(read(in), read(other))
}

// isCopy makes an input a mere copy of an equal one. It forgets its keys, which the other has.
func (in *Opened) isCopy(of *Opened) {
	in.original, in.SameAs = of, of.Path
	in.Hive, in.Root, in.Registry, in.text, in.sums = nil, nil, nil, nil, nil
}

// factsOfCopy returns the facts about a copy, which are those of its original. Problems are told of that alone.
func (in *Opened) factsOfCopy() Input {
	facts := in.original.Facts()
	facts.Path, facts.SameAs, facts.Logs, facts.Problems, facts.Overruled = in.Path, in.SameAs, in.Logs, nil, ""
	return facts
}

// differs puts an input aside that is another copy of the same file, with other bytes.
func (in *Opened) differs(from *Opened) {
	in.NotJoined = "another copy of " + from.Path + ", which differs from it"
	in.told = append(in.told, hive.Problem{Source: in.Name(), Kind: hive.Contradictory, Msg: fmt.Sprintf(
		"differs from %s, another copy of the same file, in its bytes or in those of its logs, so that each is judged", from.Name())})
}

// with returns the inputs followed by the copies of each.
func (j Joined) with(copies map[*Opened]Joined) Joined {
	for _, in := range slices.Clone(j) {
		for _, c := range copies[in] {
			c.Registry, c.Machine, c.Mount = in.Registry, in.Machine, in.Mount
			if in.Machine != nil {
				in.Machine.Hives++
			}
			j = append(j, c)
		}
	}
	return j
}
