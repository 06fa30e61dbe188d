// Package search finds text, numbers and bytes in the keys of a registry: in the names of keys and values, in class names, and in data.
//
// [Compile] makes a [Pattern], and a [Query] says where to look for it. [Query.Key] searches a key and its values, [Query.Deleted] what was
// deleted and is still found in a hive, and [Query.Unused] its unused space.
package search

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/internal/glob"
)

// Place is where in a key something was found.
type Place string

const (
	KeyName   Place = "key"   // the name of a key
	ClassName Place = "class" // its class name, which is rare
	ValueName Place = "value" // the name of a value
	Data      Place = "data"  // of a value
	Slack     Place = "slack" // unused space of a hive
)

// State says what became of something that was found.
type State string

const (
	Live      State = "live"
	Deleted   State = "deleted"
	Tombstone State = "tombstone" // a layer deletes it from the layers below
	Free      State = "unused"    // it is in space that nothing uses
)

// Encoding is how something in data was found.
type Encoding string

const (
	UTF16  Encoding = "utf-16le"
	UTF8   Encoding = "utf-8"
	Number Encoding = "number"
	Raw    Encoding = "bytes"
)

// Query says what to look for, and where.
type Query struct {
	*Pattern
	Places []Place     // where to look, but for unused space; nil for everywhere
	Types  []hive.Type // of the values to look at, which leaves out keys; nil for all
	Keys   []glob.Key  // the keys to look at; nil for all
}

// Hit is something that was found. It is valid until the next.
type Hit struct {
	Place  Place
	State  State
	Path   hive.Path   // of the key; of what was deleted as far as it is known
	Orphan bool        // as [hive.Deleted.Orphan]
	Key    *hive.Key   // nil in unused space
	Value  *hive.Value // nil for a key
	At     hive.Location

	Text     string   // the name, or the string in data, that matched; "" for bytes
	From, To int      // the match in Text
	Encoding Encoding // of what matched in data; "" in names
	Data     []byte   // that Offset refers to, if bytes were found
	Offset   int      // of the match in the data; in unused space it is part of At already
	Length   int      // of the match in the data, in bytes
}

// Search is a search in one goroutine.
type Search struct {
	*Query
	values hive.ValueReader
	value  hive.Value // to which a hit points
}

func (q *Query) looksAt(p Place) bool { return q.Places == nil || slices.Contains(q.Places, p) }

// covers reports whether the query looks at a key.
func (q *Query) covers(path hive.Path) bool {
	return q.Keys == nil || slices.ContainsFunc(q.Keys, func(k glob.Key) bool { return k.Covers(k.Follow(path)) })
}

// Key calls hit for what is found in a key, whose path is that on a running system. The name of the root of a hive is not part of any path, so
// that named is false for it.
func (s *Search) Key(path hive.Path, k *hive.Key, named bool, hit func(Hit)) {
	if !s.covers(path) {
		return
	}
	found := Hit{State: Live, Path: path, Key: k}
	s.keyNames(found, named, hit)
	if s.looksAt(ValueName) || s.looksAt(Data) {
		values := s.values.Values(k)
		for i := range values {
			s.inValue(&found, &values[i], hit)
		}
	}
	keys, values := k.Tombstones()
	found.State = Tombstone
	for _, gone := range keys {
		below := found
		below.Path, below.Key = path.Join(gone.Name()), gone
		s.keyNames(below, true, hit)
	}
	for i := range values {
		s.inValue(&found, &values[i], hit)
	}
}

// Deleted calls hit for what is found in something that was deleted, whose path is known from the mount on. With a glob, orphans are left out: they
// have no key of which it could be said.
func (s *Search) Deleted(d hive.Deleted, at hive.Path, hit func(Hit)) {
	path := d.Path
	if !d.Orphan {
		path = at.Join(path...)
	}
	if s.Keys != nil && (d.Orphan || !s.covers(path)) {
		return
	}
	found := Hit{State: Deleted, Path: path, Orphan: d.Orphan, Key: d.Key}
	if !d.Live && len(d.Path) > 0 {
		s.keyNames(found, true, hit)
	}
	values := d.Key.Values()
	for i := range values {
		s.inValue(&found, &values[i], hit)
	}
}

// Unused calls hit for what is found in a stretch of unused space.
func (s *Search) Unused(u hive.Unused, hit func(Hit)) {
	searchData(s.Pattern, hive.Value{Type: hive.Binary, Data: u.Data}, func(h Hit) {
		h.Place, h.State, h.At = Slack, Free, hive.Location{Offset: u.At.Offset + int64(h.Offset)}
		hit(h)
	})
}

// keyNames looks at the names of a key.
func (s *Search) keyNames(found Hit, named bool, hit func(Hit)) {
	if s.Types != nil || !s.looksAt(KeyName) {
		return
	}
	found.Place, found.At = KeyName, found.Key.At()
	if named {
		if name := found.Path[len(found.Path)-1]; s.isPath || s.run.mayBeInText(name) {
			s.inName(found, name, hit)
		}
	}
	if class := found.Key.Class(); class != "" {
		found.Place = ClassName
		s.inName(found, class, hit)
	}
}

// inValue looks at a value of the key in found. Most values have no match and are passed here, before anything is made for one.
func (s *Search) inValue(found *Hit, v *hive.Value, hit func(Hit)) {
	if s.Types != nil && !slices.Contains(s.Types, v.Type) {
		return
	}
	inName := s.looksAt(ValueName) && s.run.mayBeInText(v.Name)
	inData := s.looksAt(Data) && found.State != Tombstone && (s.isNumber && len(v.Data) <= 8 || s.run.mayBeIn(v.Data))
	if inName || inData {
		s.value = *v
		s.matchValue(*found, inName, inData, hit)
	}
}

// matchValue looks at the name and the data of the value that is set.
func (s *Search) matchValue(found Hit, inName, inData bool, hit func(Hit)) {
	found.Value, found.At = &s.value, s.value.At
	if inName {
		found.Place = ValueName
		s.inName(found, s.value.Name, hit)
	}
	if !inData {
		return
	}
	searchData(s.Pattern, s.value, func(h Hit) {
		h.Place, h.State, h.Path, h.Orphan, h.Key, h.Value, h.At = Data, found.State, found.Path, found.Orphan, found.Key, found.Value, found.At
		hit(h)
	})
}

// inName looks at a name. A literal with a backslash is also found at the end of the path of a key.
func (s *Search) inName(found Hit, name string, hit func(Hit)) {
	found.Text = name
	if found.From, found.To = s.find(name); found.From >= 0 {
		hit(found)
		return
	}
	if !s.isPath || found.Place != KeyName {
		return
	}
	found.Text = found.Path.String()
	own := len(found.Text) - len(name)
	for at := 0; at < len(found.Text); {
		from, to := s.find(found.Text[at:])
		if from < 0 {
			return
		}
		if at+to > own {
			found.From, found.To = at+from, at+to
			hit(found)
			return
		}
		at += from + strings.IndexByte(found.Text[at+from:], '\\') + 1
	}
}
