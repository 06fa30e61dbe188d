package regfile

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"regvet/hive"
)

// Parse reads a .reg file as Windows imports it. The source is the name of the file for messages. The error is a [*hive.Problem] of
// kind [hive.BadText], for a file that Windows rejects as a whole: one with another first line, in UTF-16 without byte order mark or
// in the wrong byte order, an empty one, or one that is something else. Whatever else is wrong with a file, Windows imports the
// rest, and so does Parse.
func Parse(source string, data []byte) (*File, error) {
	text, encoding, doubts, reject := decode(data)
	if reject != "" {
		return nil, &hive.Problem{Source: source, At: hive.Location{Line: 1, Column: 1}, Kind: hive.BadText, Msg: reject, Loss: true}
	}
	p := &parser{
		lines:    newLines(text),
		file:     &File{Encoding: encoding, Problems: doubts},
		hasNUL:   bytes.IndexByte(text, 0) >= 0,
		lossyKey: map[string]bool{},
	}
	p.seed = maphash.MakeSeed()
	p.nextLine()
	version, reject := readHeader(p.line)
	if reject != "" {
		if p.hasNUL && encoding == windows1252 {
			reject = "this is a binary file, not .reg text; Windows rejects it"
		}
		return nil, &hive.Problem{Source: source, At: hive.Location{Line: 1, Column: 1}, Kind: hive.BadText, Msg: reject, Loss: true}
	}
	p.file.Version = version
	switch version {
	case Unsupported:
		p.problem(hive.BadText, 0, nil, true, "Windows accepts the first line %s but imports nothing from the file; write %q",
			inQuotes(p.line), header5)
	case Windows31:
		p.windows31()
	default:
		p.sections()
	}
	return p.finish(source), nil
}

// readHeader tells the version from the first line, or why Windows rejects the file.
func readHeader(line []byte) (version Version, reject string) {
	line = line[blanks(line, 0):]
	want := fmt.Sprintf("must be %q or %q", header5, header4)
	switch trimmed := bytes.TrimSpace(line); {
	case string(line) == header5:
		return Version5, ""
	case string(line) == header4:
		return Version4, ""
	case string(line) == header31:
		return Windows31, ""
	case bytes.HasPrefix(line, []byte(header31)):
		return Unsupported, ""
	case len(line) == 0:
		return 0, "the first line is empty; Windows rejects the file, its first line " + want
	case string(trimmed) == header5:
		return 0, "there are blanks at the end of the first line; Windows rejects the file, remove them"
	case bytes.EqualFold(trimmed, []byte(header5)), bytes.EqualFold(trimmed, []byte(header4)), bytes.EqualFold(trimmed, []byte(header31)):
		return 0, fmt.Sprintf("the first line %s is not in the right case; Windows rejects the file, the line %s", inQuotes(line), want)
	}
	return 0, fmt.Sprintf("the first line is %s; Windows rejects the file, the line %s", inQuotes(line), want)
}

// shown makes text of a file fit for a message: at most 60 characters, none of them invisible.
func shown[T string | []byte](text T) string {
	const most = 60
	s := []rune(hive.Printable(string(text[:min(len(text), 4*most)])))
	if len(s) > most {
		s = append(s[:most], '…')
	}
	for i, c := range s {
		if !unicode.IsPrint(c) {
			s[i] = utf8.RuneError
		}
	}
	return string(s)
}

func inQuotes(text []byte) string { return `"` + shown(text) + `"` }

// parser reads one file.
type parser struct {
	lines
	file   *File
	hasNUL bool // somewhere in the text

	path hive.Path // of the key that values are set in; nil when there is none
	last hive.Path // of the last key line

	orphaned  bool // values without a key were reported, or need not be
	misplaced bool // a key line was dropped: the values below go to the key above it
	broken    bool // a value was dropped: lines of hex digits that follow belong to it
	ansiDoubt bool // text in hex data that depends on the code page was reported

	doubtful   string // what Windows versions may not agree on in the current value; "" for nothing
	doubtfulAt hive.Location

	lossyKey  map[string]bool // folded paths of the keys that have a problem with loss
	lossyLast hive.Path       // the last one that was added
	left      int             // problems that are not listed

	memory
}

// nextLine goes to the next line. What Windows does with a NUL in the text is not known; it probably ends the line there.
func (p *parser) nextLine() bool {
	if !p.next() {
		return false
	}
	if p.hasNUL {
		if i := bytes.IndexByte(p.line, 0); i >= 0 {
			lost := len(bytes.Trim(p.line[i:], "\x00 \t")) > 0
			p.problem(hive.Doubtful, i, p.path, lost, "there is a NUL character here; the rest of the line is ignored")
			p.line = p.line[:i]
		}
	}
	return true
}

// sections reads the lines of a file of version 4 or 5.
func (p *parser) sections() {
	for p.nextLine() {
		i := blanks(p.line, 0)
		if i == len(p.line) {
			continue
		}
		switch c := p.line[i]; {
		case c == ';':
		case c == '[':
			p.broken = false
			p.keyLine(i)
		case c == '"' || c == '@':
			p.broken = false
			p.valueLine(i)
		case p.broken && (c == ',' || nibble[c] < 16):
		default:
			p.broken = false
			p.stray(i)
		}
	}
}

func (p *parser) stray(i int) {
	if p.line[i] == '#' {
		p.problem(hive.StrayLine, i, nil, false, "a comment starts with ;, not #; Windows skips this line as it skips any that it does not know")
		return
	}
	p.problem(hive.StrayLine, i, nil, false, "this is neither a key nor a value nor a comment; Windows skips this line")
}

// keyLine reads a line that has its opening bracket at i.
func (p *parser) keyLine(i int) {
	name, deletes, bad := bracketed(p.line, i)
	if bad != "" {
		// What the line would have made is in doubt; what it would have deleted is still there.
		path, _ := p.split(name)
		p.problem(hive.BadLine, i, path, !deletes, "%s; Windows ignores this line", bad)
		p.misplaced = p.path != nil
		return
	}
	p.path, p.misplaced = nil, false
	path, fault := p.split(name)
	if fault != "" {
		p.orphaned = true
		kind := hive.BadLine
		if path == nil {
			kind = hive.NoSuchRoot
		}
		if deletes {
			p.problem(kind, i, nil, false, "%s; Windows deletes nothing", fault)
		} else {
			p.problem(kind, i, path, true, "%s; Windows drops this key and its values", fault)
		}
		return
	}
	p.last, p.orphaned = path, false
	p.oddKey(i, name)
	at := hive.Location{Line: p.number, Column: i + 1}
	switch {
	case !deletes:
		p.path = path
		p.edit(hive.Edit{Op: hive.CreateKey, Path: path, At: at})
	case len(path) == 1:
		p.problem(hive.BadLine, i, nil, false, "the root %s cannot be deleted; Windows ignores this line", path[0])
	default:
		p.edit(hive.Edit{Op: hive.DeleteKey, Path: path, At: at})
	}
}

// bracketed gives what stands between the bracket at i and the last one of the line, or, with the reason, what probably
// should.
func bracketed(line []byte, i int) (name []byte, deletes bool, bad string) {
	to := bytes.LastIndexByte(line, ']')
	if to < 0 {
		to, bad = len(line), "the closing ] is missing"
	}
	from := blanks(line, i+1)
	if from > i+1 {
		bad = "there is a blank behind the ["
	}
	if from < to && line[from] == '-' {
		deletes = true
		start := from + 1
		if from = blanks(line, start); from > start {
			bad = "there is a blank behind the -"
		}
	}
	return line[min(from, to):to], deletes, bad
}

// split gives the path that a key line names. There is none where the root is not known. The path may have a fault for which Windows
// drops it, and then is cut at the name in question.
func (p *parser) split(name []byte) (path hive.Path, fault string) {
	name = bytes.TrimRight(name, `\`)
	first, rest, _ := bytes.Cut(name, []byte{'\\'})
	var root string
	if len(p.last) > 0 && p.last[0] == string(first) {
		root = p.last[0]
	} else if long, ok := longRoot(first); ok {
		root = long
	} else if len(first) == 0 {
		return nil, "no root is named"
	} else {
		return nil, fmt.Sprintf("there is no root %s", inQuotes(first))
	}
	p.names = append(p.names[:0], root)
	for len(rest) > 0 {
		var part []byte
		part, rest, _ = bytes.Cut(rest, []byte{'\\'})
		depth := len(p.names)
		switch {
		case len(part) == 0:
			continue
		case len(part) > maxKeyName && units(part) > maxKeyName:
			fault = fmt.Sprintf("a key name has %d characters, at most %d are allowed", units(part), maxKeyName)
		case depth > hive.MaxDepth:
			fault = fmt.Sprintf("the key is more than %d levels deep, which is what Windows allows", hive.MaxDepth)
		default:
			// Neighbours in a file mostly share the way to them.
			if depth < len(p.last) && p.last[depth] == string(part) {
				p.names = append(p.names, p.last[depth])
			} else {
				p.names = append(p.names, p.name(part))
			}
			continue
		}
		break
	}
	return p.keepPath(), fault
}

// longRoot is [hive.LongRoot] for what is short enough to be a root.
func longRoot(name []byte) (string, bool) {
	if len(name) > len("HKEY_CURRENT_CONFIG") {
		return "", false
	}
	return hive.LongRoot(string(name))
}

// oddKey reports what Windows versions may not agree on in a key line that was accepted.
func (p *parser) oddKey(i int, name []byte) {
	root, _, _ := bytes.Cut(name, []byte{'\\'})
	if len(root) != len(p.last[0]) {
		p.problem(hive.Doubtful, i, nil, false, "the short root %s is read as %s, which not every Windows does; write it in full", root, p.last[0])
	}
	if bytes.Contains(bytes.TrimRight(name, `\`), []byte(`\\`)) {
		p.problem(hive.Doubtful, i, nil, false, "several backslashes in a row are read as one, which not every Windows does")
	}
}

// windows31 reads the lines of a file with the header REGEDIT: KEY = TEXT, where everything up to the first blank is the key, and the
// text starts behind one = and one space. Lines that do not start with the root in capitals mean nothing.
func (p *parser) windows31() {
	const root = "HKEY_CLASSES_ROOT"
	for p.nextLine() {
		line := p.line
		i := blanks(line, 0)
		if i > 0 || !bytes.HasPrefix(line, []byte(root)) {
			switch {
			case i == len(line) || line[i] == ';':
			case strings.EqualFold(string(line[i:min(i+len(root), len(line))]), root):
				p.problem(hive.BadLine, i, nil, true, "a line of a %s file must start with %s in capitals; Windows drops this key", header31, root)
			default:
				p.stray(i)
			}
			continue
		}
		end := bytes.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		path, fault := p.split(line[:end])
		if fault != "" {
			kind := hive.BadLine
			if path == nil {
				kind = hive.NoSuchRoot
			}
			p.problem(kind, 0, path, true, "%s; Windows drops this key", fault)
			continue
		}
		p.last = path
		p.oddKey(0, line[:end])
		text := bytes.TrimPrefix(line[blanks(line, end):], []byte("="))
		text = bytes.TrimPrefix(text, []byte(" "))
		at := hive.Location{Line: p.number, Column: 1}
		p.edit(hive.Edit{Op: hive.CreateKey, Path: path, At: at})
		p.edit(hive.Edit{Op: hive.SetValue, Path: path, Value: hive.Value{Type: hive.SZ, Data: p.text(text), At: at}, At: at})
	}
}

// edit adds an edit. The list is grown to what the rest of the file will need if it is like what was read.
func (p *parser) edit(e hive.Edit) {
	edits := p.file.Edits
	if n := len(edits); n == cap(edits) && n >= 1024 {
		all := float64(n) * float64(len(p.lines.text)) / float64(min(p.pos, len(p.lines.text)))
		edits = slices.Grow(edits, max(n/4, int(1.05*all)-n))
	}
	p.file.Edits = append(edits, e)
}

// maxProblems is how many problems are listed in any case.
const maxProblems = 1000

// problem reports what is wrong at byte i of the current line; key is nil where no key is in doubt.
func (p *parser) problem(kind hive.Kind, i int, key hive.Path, loss bool, format string, args ...any) {
	if p.lists(key, loss) {
		p.add(p.at(i), kind, key, loss, fmt.Sprintf(format, args...))
	}
}

// lists tells whether a problem is to be listed, and counts those that are not.
func (p *parser) lists(key hive.Path, loss bool) bool {
	first := loss && p.firstLoss(key)
	if len(p.file.Problems) < maxProblems || first {
		return true
	}
	p.left++
	return false
}

func (p *parser) add(at hive.Location, kind hive.Kind, key hive.Path, loss bool, msg string) {
	p.file.Problems = append(p.file.Problems, hive.Problem{At: at, Kind: kind, Msg: msg, Key: key, Loss: loss})
}

// firstLoss tells whether key had no problem with loss yet, and notes that it has one now.
func (p *parser) firstLoss(key hive.Path) bool {
	if len(key) == 0 || len(key) == len(p.lossyLast) && &key[0] == &p.lossyLast[0] {
		return false
	}
	p.lossyLast = key
	fold := hive.Fold(key.String())
	if p.lossyKey[fold] {
		return false
	}
	p.lossyKey[fold] = true
	return true
}

func (p *parser) finish(source string) *File {
	f := p.file
	slices.SortStableFunc(f.Problems, func(a, b hive.Problem) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	if p.left > 0 {
		f.Problems = append(f.Problems, hive.Problem{Kind: hive.BadLine, Msg: fmt.Sprintf("%d more problems are not listed", p.left)})
	}
	for i := range f.Problems {
		f.Problems[i].Source = source
	}
	return f
}
