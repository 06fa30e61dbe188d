package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// Rules that look for traces often know only a part of a path, and name key and value in one text. So does the field nowhere: it says what no
// key and no value of the input may be like. The texts are those of Sysmon, in which such rules are most often written.

// traits is what a key or value is like. All that it holds must hold.
type traits struct {
	is             string // key or value; "" for both
	path, data     []like // of which one must do
	pathRE, dataRE []*regexp.Regexp
	cased          bool
	all, any, none []*traits
	at             hive.Location
}

// like is a pattern for a whole text, see [glob].
type like struct {
	text   string
	pieces []string // between the *, as texts are compared; nil if there is a ? in it
	glob   glob
}

var traitsObject strict.Object[traits]

func init() {
	traitsObject = strict.Object[traits]{
		Name: "traits", Doc: "What a key or value is like. All that it holds must hold.", Empty: "asks nothing; want path, data, path_matches, data_matches, is, all, any or none",
		Fields: []strict.Field[traits]{
			strict.May("is", "Whether it is a key or a value; without it, either.", strict.OneWord("key", "value"), func(t *traits, s string) { t.is = s }),
			strict.May("path", `The path of the key, or that of a value with its name behind it, (Default) for none, is like this, or like one of these: * is any run of characters and ? is one. Case does not count. Roots are short: HKLM\SYSTEM\CurrentControlSet, HKU\SID, HKCR.`, likesForm,
				func(t *traits, all []like) { t.path = all }),
			strict.May("data", "The data of the value are like this, or like one of these, as Sysmon shows them: texts as they are, DWORD (0x00000001), QWORD (0x00000000-0x00000001), Binary Data, or (Empty).", likesForm,
				func(t *traits, all []like) { t.data = all }),
			strict.May("path_matches", "The path matches this regular expression (RE2), or one of these. Case counts.", regexpsForm, func(t *traits, all []*regexp.Regexp) { t.pathRE = all }),
			strict.May("data_matches", "The data match this regular expression (RE2), or one of these. Case counts.", regexpsForm, func(t *traits, all []*regexp.Regexp) { t.dataRE = all }),
			strict.May("cased", "Whether case counts in path and data beside it.", strict.BoolForm, func(t *traits, b bool) { t.cased = b }),
			strict.May("all", "Traits that it must all have.", manyTraits, func(t *traits, all []*traits) { t.all = all }),
			strict.May("any", "Traits of which it must have one.", manyTraits, func(t *traits, all []*traits) { t.any = all }),
			strict.May("none", "Traits of which it may have none.", manyTraits, func(t *traits, all []*traits) { t.none = all }),
		},
	}
}

var traitsForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/traits"}, func(d *strict.Decoder, n *yaml.Node, what string) *traits {
	t := &traits{at: strict.Locate(n)}
	traitsObject.Read(d, n, what, t)
	switch {
	case t.is == "key" && (t.data != nil || t.dataRE != nil):
		d.Wrong(n, "a key has no data: leave out is: key, or data")
	case t.cased && t.path == nil && t.data == nil:
		d.Wrong(n, "cased is for path and data beside it, and there are none")
	}
	for i, l := range t.path {
		root, below, _ := strings.Cut(l.text, `\`)
		for long, short := range shortRoots {
			if hive.EqualFold(root, long) {
				t.path[i].text = short[0] + `\` + below
			}
		}
	}
	for _, all := range [][]like{t.path, t.data} {
		for i := range all {
			all[i].complete(t.cased)
		}
	}
	return t
})

var (
	manyTraits  = strict.ListOf(traitsForm, 1, "is empty; want a list of traits")
	likesForm   = strict.OneOrMore(strict.NewForm(globForm.Schema, readLike), "names no text")
	regexpsForm = strict.OneOrMore(regexpForm, "names no regular expression")
)

func readLike(d *strict.Decoder, n *yaml.Node, what string) like {
	return like{text: globForm.Read(d, n, what)}
}

// complete prepares the pattern for its comparisons.
func (l *like) complete(cased bool) {
	var piece strings.Builder
	g := parseGlob(l.text)
	for _, t := range g {
		switch t.kind {
		case anyOne:
			l.pieces, l.glob = nil, g
			return
		case anyRun:
			l.pieces = append(l.pieces, compared(piece.String(), cased))
			piece.Reset()
		default:
			piece.WriteString(t.char)
		}
	}
	l.pieces = append(l.pieces, compared(piece.String(), cased))
}

// compared returns a text as it is compared.
func compared(text string, cased bool) string {
	if cased {
		return text
	}
	return hive.Fold(text)
}

// match reports whether a text is like this. It is the text as it is compared.
func (l *like) match(text string, cased bool) bool {
	if l.glob != nil {
		return l.glob.match(text, !cased)
	}
	first, last := l.pieces[0], l.pieces[len(l.pieces)-1]
	if len(l.pieces) == 1 {
		return text == first
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, piece := range l.pieces[1 : len(l.pieces)-1] {
		i := strings.Index(text, piece)
		if i < 0 {
			return false
		}
		text = text[i+len(piece):]
	}
	return true
}

// longest returns the longest text that each text holds which is like this, in the case in which names are compared; "" for none.
func (l *like) longest() (longest string) {
	var piece strings.Builder
	for _, t := range append(parseGlob(l.text), token{kind: anyRun}) {
		if t.kind == exactly {
			piece.WriteString(t.char)
			continue
		}
		if piece.Len() > len(longest) {
			longest = piece.String()
		}
		piece.Reset()
	}
	return hive.Fold(longest)
}

// gates returns texts of which the path of everything with these traits holds one. It is not ok if there are no such texts.
func (t *traits) gates() (best []string, ok bool) {
	better := func(all []string) {
		if !ok || shortest(all) > shortest(best) {
			best, ok = all, true
		}
	}
	if t.path != nil {
		if all := each(t.path, func(l like) string { return l.longest() }); shortest(all) > 0 {
			better(all)
		}
	}
	for _, below := range t.all {
		if all, has := below.gates(); has {
			better(all)
		}
	}
	var any []string
	for _, below := range t.any {
		all, has := below.gates()
		if !has {
			return best, ok
		}
		any = append(any, all...)
	}
	if t.any != nil {
		better(any)
	}
	return best, ok
}

// shortest returns the length of the shortest text.
func shortest(all []string) int {
	return len(slices.MinFunc(all, func(a, b string) int { return len(a) - len(b) }))
}

// count returns how many traits there are, with those below.
func (t *traits) count() (n int) {
	for _, below := range slices.Concat(t.all, t.any, t.none) {
		n += below.count()
	}
	return n + 1
}

// maxNamed is how many patterns a text for people names.
const maxNamed = 4

// String returns the traits for people.
func (t *traits) String() string {
	var parts []string
	if t.is != "" {
		parts = append(parts, "a "+t.is)
	}
	say := func(what string, all []string) {
		if len(all) > maxNamed {
			all = append(slices.Clone(all[:maxNamed]), fmt.Sprintf("one of %d more", len(all)-maxNamed))
		}
		if len(all) > 0 {
			parts = append(parts, what+" "+strict.List(all, "or"))
		}
	}
	how := "like"
	if t.cased {
		how = "like, with case,"
	}
	text := func(l like) string { return quoted(l.text) }
	source := func(re *regexp.Regexp) string { return quoted(re.String()) }
	say("path "+how, each(t.path, text))
	say("path matching", each(t.pathRE, source))
	say("data "+how, each(t.data, text))
	say("data matching", each(t.dataRE, source))
	for _, g := range []struct {
		word string
		of   []*traits
	}{{"all of", t.all}, {"any of", t.any}, {"none of", t.none}} {
		if g.of != nil {
			parts = append(parts, g.word+" ("+strings.Join(each(g.of, (*traits).String), "; ")+")")
		}
	}
	return strings.Join(parts, ", ")
}

// subject is a key or value that may have traits.
type subject struct {
	paths, folds []string    // what it is called, and the same as names are compared
	value        *hive.Value // nil for a key
	shown        *shownData  // nil until it is asked for
}

// shownData is the data of a value as Sysmon shows them.
type shownData struct {
	texts, folds []string // it is any of these
	sure         bool     // false if the input or the type leaves open what is shown
}

// holds returns whether a subject has the traits.
func (t *traits) holds(s *subject) truth {
	if t.is != "" && (t.is == "value") != (s.value != nil) {
		return no
	}
	paths := s.folds
	if t.cased {
		paths = s.paths
	}
	if t.path != nil && !slices.ContainsFunc(paths, func(path string) bool { return oneLike(t.path, path, t.cased) }) {
		return no
	}
	if t.pathRE != nil && !slices.ContainsFunc(s.paths, func(path string) bool { return oneMatches(t.pathRE, path) }) {
		return no
	}
	answer := yes
	if t.data != nil {
		answer = min(answer, s.shows(func(text, fold string) bool {
			if t.cased {
				fold = text
			}
			return oneLike(t.data, fold, t.cased)
		}))
	}
	if t.dataRE != nil {
		answer = min(answer, s.shows(func(text, _ string) bool { return oneMatches(t.dataRE, text) }))
	}
	for _, below := range t.all {
		if answer == no {
			return no
		}
		answer = min(answer, below.holds(s))
	}
	if t.any != nil {
		answer = min(answer, anyOf(t.any, func(below *traits) truth { return below.holds(s) }))
	}
	if t.none != nil && answer != no {
		answer = min(answer, yes-anyOf(t.none, func(below *traits) truth { return below.holds(s) }))
	}
	return answer
}

// oneLike reports whether a text, as it is compared, is like one of the patterns.
func oneLike(all []like, text string, cased bool) bool {
	return slices.ContainsFunc(all, func(l like) bool { return l.match(text, cased) })
}

func oneMatches(all []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(all, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

// shows returns whether the data of the subject, as they are shown, are as asked.
func (s *subject) shows(asked func(text, fold string) bool) truth {
	if s.value == nil {
		return no
	}
	if s.shown == nil {
		s.shown = show(*s.value)
	}
	for i, text := range s.shown.texts {
		if asked(text, s.shown.folds[i]) {
			return yes
		}
	}
	if !s.shown.sure {
		return perhaps
	}
	return no
}

// noData is how Sysmon shows an empty text.
const noData = "(Empty)"

// show returns the data of a value as Sysmon shows them. What is not written about it, such as a REG_DWORD of three bytes, is left open. A list of
// strings is both: the binary data that Sysmon calls it, and its strings with blanks between them, which is how other sources of events show it.
func show(v hive.Value) *shownData {
	s := &shownData{sure: !v.Short}
	add := func(text string) {
		if text == "" {
			text = noData
		}
		s.texts, s.folds = append(s.texts, text), append(s.folds, hive.Fold(text))
	}
	if v.Short {
		return s
	}
	d, err := read(v, kindOf(v.Type))
	switch {
	case len(v.Data) == 0:
		add("")
	case err != nil, v.Type == hive.DWordBigEndian:
		s.sure = false
	case d.kind == aText:
		add(d.text)
	case v.Type == hive.DWord:
		add(fmt.Sprintf("DWORD (0x%08x)", d.number))
	case v.Type == hive.QWord:
		add(fmt.Sprintf("QWORD (0x%08x-0x%08x)", d.number>>32, d.number&0xffffffff))
	case d.kind == aList:
		add("Binary Data")
		add(strings.Join(d.list, " "))
	default:
		add("Binary Data")
	}
	return s
}
