package collection

import "cmp"

// Share is one of several parts of what there is to do, so that as many runs do everything once between them. The zero Share is the whole.
type Share struct {
	Number int // from 1
	Of     int // how many there are
}

// Takes reports whether a thing is in the share, by its index among all things, from 0. They are dealt out in turn.
func (s Share) Takes(i int) bool { return s.Of == 0 || i%s.Of == s.Number-1 }

// takes reports whether the share of this run has what stands at a place: a file, or everything of a machine or in a container. Places count in the
// order in which they are first asked for. The next turn begins.
func (l *Local) takes(place string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	i, known := l.places[place]
	if !known {
		if l.places == nil {
			l.places = map[string]int{}
		}
		i = len(l.places)
		l.places[place] = i
	}
	return l.Share.Takes(i)
}

// takes is that of the filesystem, which shares out only what is not in a container: of that, everything is in the share of the container.
func (l *listing) takes(place string) bool {
	return l.local == nil || l.within || l.local.takes(place)
}

// places returns what the shares of groups go by: the machine or file, and for a hive of an earlier time that of which it is an earlier state.
func places(groups []Group) (all []string) {
	of := map[string]string{} // by the path of a file
	for _, g := range groups {
		for _, f := range g.Files {
			of[f.Path] = cmp.Or(g.Machine, g.Files[0].Path)
		}
	}
	for _, g := range groups {
		first := g.Files[0]
		all = append(all, cmp.Or(of[first.StateOf], of[first.Path]))
	}
	return all
}
