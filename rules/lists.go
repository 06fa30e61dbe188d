package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// List is a named list of a pack: texts that belong together, such as the print monitors of Windows, each with its source. The operators of
// rules compare with it by its name. Case does not count, as in all names that Windows compares.
type List struct {
	Name    string
	Title   string        // what the entries are, in words that follow "one of" or "none of"
	Folder  string        // the folder below that of Windows in which the entries are files; "" if they are plain texts
	Entries []ListEntry   // in the order of the file
	At      hive.Location // where it stands in the file

	texts map[string][]*ListEntry // by folded text
	forms []*ListEntry            // those that are a regular expression
}

// ListEntry is one or more texts of a list that have the same source.
type ListEntry struct {
	Is      []string
	Form    string // in place of Is: the regular expression that a whole text matches
	About   string // what it is, for people; "" if its list says it
	From    string // the source: a hive or a document
	windows *versionRange
	product []string

	form *regexp.Regexp
}

// Where returns the condition under which the entry belongs to its list, for people, or "" for always.
func (e ListEntry) Where() string {
	c := Condition{windows: e.windows, products: e.product}
	return c.String()
}

// belongs reports whether the entry belongs to its list on a Windows, as far as it is known: what its version leaves open counts as belonging, so
// that nothing is called foreign that may be of this Windows.
func (e *ListEntry) belongs(w hive.Windows) bool {
	c := Condition{windows: e.windows, products: e.product}
	return c.onWindows(w) != no
}

// find returns the entry of a Windows that a text is, or nil.
func (l *List) find(text string, w hive.Windows) *ListEntry {
	if l.Folder != "" {
		var below bool
		if text, below = belowWindows(text, l.Folder); !below {
			return nil
		}
	}
	for _, e := range l.texts[hive.Fold(text)] {
		if e.belongs(w) {
			return e
		}
	}
	for _, e := range l.forms {
		if e.form.MatchString(text) && e.belongs(w) {
			return e
		}
	}
	return nil
}

// windowsFolder matches the folder of Windows at the start of a path, in the ways in which Windows itself writes it into the registry: doubled percent
// signs are those of domain controllers below the service NTDS.
var windowsFolder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:\\\?\?\\)?(?:%{1,2}systemroot%{1,2}|%windir%|\\systemroot|[a-z]:\\(?:windows|winnt))\\`)
})

// belowWindows returns the end of a path behind a folder below that of Windows, and whether the path leads there.
func belowWindows(path, folder string) (rest string, ok bool) {
	path = strings.ReplaceAll(path, "/", `\`)
	root := windowsFolder().FindString(path)
	rest = path[len(root):]
	if folder += `\`; root == "" || len(rest) < len(folder) || !hive.EqualFold(rest[:len(folder)], folder) {
		return "", false
	}
	return rest[len(folder):], true
}

// items returns the texts of data that stand for themselves: the strings of a list, or what stands between the commas of a text.
func (d datum) items() []string {
	if d.kind == aList {
		return d.list
	}
	var all []string
	for part := range strings.SplitSeq(d.text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// texts returns what a finding is about, to look it up in a list: the data of its value and each of their items, or else what names were bound to.
func (f Finding) texts(bound bindings) (all []string) {
	if f.Observed == nil {
		for _, name := range slices.Sorted(maps.Keys(bound)) {
			all = append(all, bound[name])
		}
		return all
	}
	d, err := read(*f.Observed, kindOf(f.Observed.Type))
	if err != nil {
		return nil
	}
	return append([]string{d.text}, d.items()...)
}

// about returns what a list says of texts, for people.
func (l *List) about(texts []string) string {
	var all []string
	for _, text := range texts {
		if e := l.find(text, hive.Windows{}); e != nil && e.About != "" && !slices.Contains(all, e.About) {
			all = append(all, e.About)
		}
	}
	return strict.List(all, "and")
}

// listing is the use of lists by an operator, which finds them once the whole file is read.
type listing struct {
	names []strict.Located[string]
	words string // what the operator says before the titles of the lists
	lists []*List
	holds func(d datum, in func(text string) bool) bool
}

// has reports whether a text is in one of the lists. Before they are found it may be in any.
func (l *listing) has(text string, w hive.Windows) bool {
	return l.lists == nil || slices.ContainsFunc(l.lists, func(list *List) bool { return list.find(text, w) != nil })
}

// holdsOn returns the test of the operator for a Windows.
func (l *listing) holdsOn(w hive.Windows) func(d datum) bool {
	return func(d datum) bool { return l.holds(d, func(text string) bool { return l.has(text, w) }) }
}

// text returns what the operator asks for, in words.
func (l *listing) text() string {
	return l.words + strict.List(each(l.lists, func(list *List) string { return list.Title }), "and")
}

// listed returns an operator on lists. The function answers for a datum by whether texts are in the lists.
func listed(names []strict.Located[string], words string, kinds []kind, holds func(d datum, in func(text string) bool) bool) operator {
	l := &listing{names: names, words: words, holds: holds}
	return operator{kinds: kinds, listing: l, holds: l.holdsOn(hive.Windows{})}
}

// on returns the demand as it is for a Windows: its operators on lists hold what belongs to them there.
func (q demand) on(w hive.Windows) demand {
	if !slices.ContainsFunc(q, func(o operator) bool { return o.listing != nil }) {
		return q
	}
	q = slices.Clone(q)
	for i, o := range q {
		if o.listing != nil {
			q[i].holds = o.listing.holdsOn(w)
		}
	}
	return q
}

// findLists gives the operators and messages of a pack the lists that they name.
func findLists(d *strict.Decoder, p *Pack) {
	named := map[string]*List{}
	names := each(p.Lists, func(l *List) string { return l.Name })
	for _, l := range p.Lists {
		if l.Name != "" && named[l.Name] != nil {
			d.WrongAt(l.At, "the list %s stands twice; a name is of one list", l.Name)
		}
		named[l.Name] = l
	}
	find := func(name string, at hive.Location) *List {
		l := named[name]
		if l == nil {
			d.WrongAt(at, "there is no list %q%s", name, strict.OneOf(name, names))
		}
		return l
	}
	findIn := func(q demand) {
		for i := range q {
			l := q[i].listing
			if l == nil {
				continue
			}
			for _, name := range l.names {
				if list := find(name.V, name.At); list != nil {
					l.lists = append(l.lists, list)
				}
			}
			q[i].text = l.text()
		}
	}
	for _, r := range p.Rules {
		changes := []change{r.base}
		for _, o := range r.overrides {
			changes = append(changes, o.change)
		}
		for _, c := range changes {
			findIn(c.valid)
			findIn(c.data)
			for _, reason := range failReasons {
				text := c.messages[reason]
				for _, m := range aboutList().FindAllStringSubmatch(text.V, -1) {
					if list := find(m[1], text.At); list != nil {
						if r.lists == nil {
							r.lists = map[string]*List{}
						}
						r.lists[m[1]] = list
					}
				}
			}
		}
		r.eachCondition(func(c *Condition) {
			findIn(c.terms.Valid)
			findIn(c.terms.Data)
			for _, b := range c.bound {
				findIn(b.demand)
			}
		})
	}
}

// aboutList matches the placeholder of a message for what a list says of the data.
var aboutList = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{about ([^{}]*)\}`) })

var listObject = strict.Object[List]{
	Name: "list", What: "a list", Doc: "A named list: texts with their sources, which operators compare with. Case does not count.",
	Fields: []strict.Field[List]{
		strict.Must("list", "The name of the list.", nameForm, func(l *List, s string) { l.Name = s }),
		strict.Must("title", "What the entries are, in words that follow \"one of\": the print monitors of Windows.", listTitleForm, func(l *List, s string) { l.Title = s }),
		strict.May("folder", "The folder, below that of Windows, in which the entries are files, such as System32. The text is then a path, however it writes the folder of Windows.", strict.LineForm, func(l *List, s string) { l.Folder = strings.Trim(s, `\`) }),
		strict.Must("entries", "The entries.", strict.ListOf(listEntryForm, 1, "is empty; a list without entries holds nothing"), func(l *List, all []ListEntry) { l.Entries = all }),
	},
}

var listEntryObject = strict.Object[ListEntry]{
	Name: "list entry", What: "an entry of a list", Doc: "Texts of a list that have one source, or a regular expression for such texts.",
	Also: oneNeeded("oneOf", []string{"is"}, []string{"matches"}),
	Fields: []strict.Field[ListEntry]{
		strict.May("is", "The text, or several.", strict.OneOrMore(strict.TextForm, noStrings), func(e *ListEntry, all []string) { e.Is = all }),
		strict.May("matches", "In place of is: a regular expression (RE2) for whole texts. Case does not count.", regexpForm, func(e *ListEntry, re *regexp.Regexp) {
			e.Form = re.String()
			e.form = regexp.MustCompile(`(?is)^(?:` + e.Form + `)$`)
		}),
		strict.Must("from", "The source: the hive or the document in which it was found.", strict.LineForm, func(e *ListEntry, s string) { e.From = s }),
		strict.May("about", "What it is, for messages with {about LIST}.", strict.LineForm, func(e *ListEntry, s string) { e.About = s }),
		strict.May("windows", "The versions of Windows on which it belongs to the list.", windowsForm, func(e *ListEntry, r versionRange) { e.windows = &r }),
		strict.May("product", "The products on which it belongs to the list: one, or several.", strict.OneOrMore(strict.OneWord(productWords()...), "names no product"), func(e *ListEntry, all []string) { e.product = all }),
	},
}

const (
	maxListTitle = 200 // bytes, for each operator that names the list repeats it
	maxListNames = 16  // that one operator compares with
)

var listTitleForm = strict.NewForm(strict.LineForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) string {
	s := d.Line(n, what)
	if len(s) > maxListTitle {
		d.Wrong(n, "the title of a list has at most %d bytes, and this one has %d", maxListTitle, len(s))
		return ""
	}
	return s
})

var listEntryForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/list entry"}, func(d *strict.Decoder, n *yaml.Node, what string) (e ListEntry) {
	before := d.Mistakes()
	listEntryObject.Read(d, n, what, &e)
	if d.Mistakes() == before && (e.Is == nil) == (e.form == nil) {
		d.Wrong(n, "an entry of a list has either the field is or the field matches")
	}
	return e
})

var listForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/list"}, func(d *strict.Decoder, n *yaml.Node, what string) *List {
	l := &List{At: strict.Locate(n), texts: map[string][]*ListEntry{}}
	listObject.Read(d, n, what, l)
	for i := range l.Entries {
		e := &l.Entries[i]
		if !d.Spend(l.At, "the list "+l.Name, 2*len(e.Is)) {
			return l
		}
		for _, text := range e.Is {
			fold := hive.Fold(text)
			l.texts[fold] = append(l.texts[fold], e)
		}
		if e.form != nil {
			l.forms = append(l.forms, e)
		}
	}
	return l
})

// listNameObject is {list: NAME}.
var listNameObject = strict.Object[[]strict.Located[string]]{
	Name: "list name", Doc: "A named list of the pack in place of data, or several, of which the text may be in any. Case does not count.",
	Fields: []strict.Field[[]strict.Located[string]]{
		strict.Must("list", "The name of the list, or several.", strict.OneOrMore(strict.Placed(nameForm), "names no list"), func(to *[]strict.Located[string], all []strict.Located[string]) { *to = all }),
	},
}

// textsOrLists are texts or numbers that stand in the rule, or the names of lists that hold them.
type textsOrLists[V any] struct {
	here  V
	lists []strict.Located[string]
}

// orList is data of a form, or the name of a list that holds them.
func orList[V any](f strict.Form[V]) strict.Form[textsOrLists[V]] {
	named := strict.Of(&listNameObject, "list name")
	return strict.NewForm(strict.Schema{"anyOf": []any{f.Schema, named.Schema}}, func(d *strict.Decoder, n *yaml.Node, what string) (all textsOrLists[V]) {
		if n.Kind == yaml.MappingNode {
			if all.lists = named.Read(d, n, what); len(all.lists) > maxListNames {
				d.Wrong(n, "%s names %d lists; it can name %d", what, len(all.lists), maxListNames)
				all.lists = nil
			}
			return all
		}
		all.here = f.Read(d, n, what)
		return all
	})
}

// boundDemand is what a condition asks of a name that the key of its rule binds.
type boundDemand struct {
	name   string
	demand demand
	at     hive.Location
}

func (b boundDemand) String() string { return fmt.Sprintf("{%s} is %s", b.name, b.demand) }

// boundTo answers what a condition asks of a bound name.
func (e *evaluation) boundTo(b boundDemand, s scene) verdict {
	text := s.bound[b.name]
	answer, err := b.demand.on(e.windows).ask(hive.StringValue("", hive.SZ, text), nil)
	if err != nil {
		answer = no
	}
	return verdict{truth: answer, why: fmt.Sprintf("{%s} is %s", b.name, hive.Visible(text))}
}
