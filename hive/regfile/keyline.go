package regfile

import (
	"bytes"
	"fmt"
	"strings"

	"regvet/hive"
)

// keyLine reads a line whose opening bracket is at i.
func (p *parser) keyLine(i int) {
	span, deletes, code, bad := bracketed(p.line, i)
	name := span.In(p.line)
	p.st.Name, p.st.Deletes = span, deletes
	if bad != "" {
		// The key that the line would have made is in doubt; one that it would have deleted is still there.
		path, _, _ := p.split(name)
		p.st.Path = path
		p.fault(code, hive.BadLine, i, path, !deletes, "%s; Windows ignores this line", bad)
		p.misplaced, p.surely = p.path != nil, false
		return
	}
	p.path, p.misplaced = nil, false
	path, code, bad := p.split(name)
	p.st.Path = path
	if bad != "" {
		p.orphaned = true
		kind := hive.BadLine
		if path == nil {
			kind = hive.NoSuchRoot
		}
		if deletes {
			p.fault(code, kind, i, nil, false, "%s; Windows deletes nothing", bad)
		} else {
			p.fault(code, kind, i, path, true, "%s; Windows drops this key and its values", bad)
		}
		return
	}
	p.last, p.orphaned, p.redundant = path, false, false
	p.oddKey(i, name)
	at := hive.Location{Line: p.number, Column: i + 1}
	switch {
	case !deletes:
		p.path = path
		p.edit(hive.Edit{Op: hive.CreateKey, Path: path, At: at})
	case len(path) == 1:
		p.fault(KeyDeletesRoot, hive.BadLine, i, nil, false, "the root %s cannot be deleted; as far as is known Windows ignores this line", path[0])
	default:
		p.edit(hive.Edit{Op: hive.DeleteKey, Path: path, At: at})
	}
}

// bracketed returns the span between the bracket at i and the last one of the line; or, with the reason, the span that was probably meant.
func bracketed(line []byte, i int) (name Span, deletes bool, code Code, bad string) {
	to := bytes.LastIndexByte(line, ']')
	if to < 0 {
		to, code, bad = len(line), KeyBracket, "the closing ] is missing"
	}
	from := blanks(line, i+1)
	if from > i+1 {
		code, bad = KeyBlank, "there is a blank behind the ["
	}
	if from < to && line[from] == '-' {
		deletes = true
		start := from + 1
		if from = blanks(line, start); from > start {
			code, bad = KeyBlank, "there is a blank behind the -"
		}
	}
	return Span{min(from, to), to}, deletes, code, bad
}

// unopened reports a line that Windows skips, and that would be a key line but for its opening bracket: there is none, or there is something
// in front of it. It reports whether the line is one. Text at byte i is neither a blank nor the bracket itself.
func (p *parser) unopened(i int) bool {
	line := p.line[:len(bytes.TrimRight(p.line, " \t"))]
	from, to, bad := i, len(line), "the key is not in brackets"
	deletes := line[i] == '-'
	if deletes || strings.IndexByte("({<", line[i]) >= 0 {
		from = blanks(line, i+1)
	}
	open := bytes.IndexByte(line, '[')
	switch {
	case startsWithRoot(line[from:]):
		if end := bytes.LastIndexAny(line[from:], "])}>"); end > 0 && ends(line, from+end+1) {
			to = from + end
		} else if end := bytes.IndexByte(line[from:], ';'); end > 0 {
			to = from + end
		}
		if from < i+2 && to < len(line) && line[to] == ']' {
			bad = "the opening [ is missing"
		}
		if bytes.IndexByte(line[from:to], '=') >= 0 {
			return false
		}
	case open < 0 || ForeignComment(line[i:]) != "":
		return false
	default:
		from, bad = open+1, "there is something in front of the ["
		if deletes && len(bytes.TrimSpace(line[i+1:open])) == 0 {
			bad = "the - must stand behind the ["
		}
		if from < len(line) && line[from] == '-' {
			deletes, from = true, from+1
		}
		to = bytes.LastIndexByte(line, ']')
		if to < from || !ends(line, to+1) || !startsWithRoot(line[from:to]) {
			return false
		}
	}
	name := Span{from, from + len(bytes.TrimRight(line[from:to], " \t"))}
	path, _, _ := p.split(name.In(line))
	p.st.Name, p.st.Deletes, p.st.Path = name, deletes, path
	p.fault(KeyUnopened, hive.BadLine, i, path, !deletes, "%s; Windows skips this line", bad)
	p.misplaced, p.surely = p.path != nil, true
	return true
}

// startsWithRoot reports whether text starts with a root and a backslash.
func startsWithRoot(text []byte) bool {
	root, _, below := bytes.Cut(text, []byte{'\\'})
	_, ok := longRoot(root)
	return below && ok
}

// foreignComments start a comment in other languages. Words are followed by a blank or the end of the line.
var foreignComments = []string{"#", "//", "/*", "*/", "::", "--", "<#", "<!--", "'", "rem", "@rem", "@echo"}

// ForeignComment returns what a line starts with if that starts a comment in another language, or "".
func ForeignComment(line []byte) string {
	for _, mark := range foreignComments {
		n := len(mark)
		if len(line) < n || !strings.EqualFold(string(line[:n]), mark) || isLetter(mark[n-1]) && n < len(line) && !isBlank(line[n]) {
			continue
		}
		return string(line[:n])
	}
	return ""
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// split returns the path in a key line, or nil if its root is unknown. With a fault for which Windows drops the key, the path ends at the
// name at fault.
func (p *parser) split(name []byte) (path hive.Path, code Code, bad string) {
	name = bytes.TrimRight(name, `\`)
	first, rest, _ := bytes.Cut(name, []byte{'\\'})
	var root string
	if len(p.last) > 0 && p.last[0] == string(first) {
		root = p.last[0]
	} else if long, ok := longRoot(first); ok {
		root = long
	} else if len(first) == 0 {
		return nil, KeyNoRoot, "no root is named"
	} else {
		return nil, KeyRoot, fmt.Sprintf("there is no root %s", inQuotes(first))
	}
	p.names, p.doubled = append(p.names[:0], root), false
	for len(rest) > 0 {
		var part []byte
		part, rest, _ = bytes.Cut(rest, []byte{'\\'})
		depth := len(p.names)
		switch {
		case len(part) == 0:
			p.doubled = true
			continue
		case len(part) > maxKeyName && units(part) > maxKeyName:
			code, bad = KeyTooLong, fmt.Sprintf("a key name has %d characters, at most %d are allowed", units(part), maxKeyName)
		case depth > hive.MaxDepth:
			code, bad = KeyTooDeep, fmt.Sprintf("the key is more than %d levels deep, which is what Windows allows", hive.MaxDepth)
		default:
			// Consecutive keys often have the same parent.
			if depth < len(p.last) && p.last[depth] == string(part) {
				p.names = append(p.names, p.last[depth])
			} else {
				p.names = append(p.names, p.name(part))
			}
			continue
		}
		break
	}
	return p.keepPath(), code, bad
}

// longRoot is [hive.LongRoot] for text short enough to be a root.
func longRoot(name []byte) (string, bool) {
	if len(name) > len("HKEY_CURRENT_CONFIG") {
		return "", false
	}
	return hive.LongRoot(string(name))
}

// oddKey reports what versions of Windows may read differently in a key line that was accepted.
func (p *parser) oddKey(i int, name []byte) {
	root, _, _ := bytes.Cut(name, []byte{'\\'})
	if len(root) != len(p.last[0]) {
		p.fault(KeyShortRoot, hive.Doubtful, i, nil, false, "the short root %s is read as %s, which is not known of every Windows; write it in full", root, p.last[0])
	}
	if p.doubled {
		p.fault(KeyBackslashes, hive.Doubtful, i, nil, false, "several backslashes in a row are read as one, which is not known of every Windows")
	}
}

// line31 reads a line of a file with the header REGEDIT: KEY = TEXT. The key ends at the first blank, and the text starts after one = and
// one space. A line that does not start with the root in capitals means nothing.
func (p *parser) line31() {
	const root = "HKEY_CLASSES_ROOT"
	line := p.line
	if i := blanks(line, 0); i > 0 || !bytes.HasPrefix(line, []byte(root)) {
		switch {
		case i == len(line):
		case line[i] == ';':
			p.st.Kind, p.st.Comment = CommentLine, Span{i, len(line)}
		case strings.EqualFold(string(line[i:min(i+len(root), len(line))]), root):
			p.st.Kind = StrayLine
			p.fault(RootIn31, hive.BadLine, i, nil, true, "a line of a %s file must start with %s in capitals; Windows drops this key", header31, root)
		default:
			p.stray(i)
		}
		return
	}
	end := bytes.IndexAny(line, " \t")
	if end < 0 {
		end = len(line)
	}
	p.st.Kind, p.st.Name = ValueLine, Span{0, end}
	path, code, bad := p.split(line[:end])
	p.st.Path = path
	if bad != "" {
		kind := hive.BadLine
		if path == nil {
			kind = hive.NoSuchRoot
		}
		p.fault(code, kind, 0, path, true, "%s; Windows drops this key", bad)
		return
	}
	p.last = path
	p.oddKey(0, line[:end])
	text := bytes.TrimPrefix(line[blanks(line, end):], []byte("="))
	text = bytes.TrimPrefix(text, []byte(" "))
	p.st.Data = Span{len(line) - len(text), len(line)}
	at := hive.Location{Line: p.number, Column: 1}
	p.edit(hive.Edit{Op: hive.CreateKey, Path: path, At: at})
	p.edit(hive.Edit{Op: hive.SetValue, Path: path, Value: hive.Value{Type: hive.SZ, Data: p.textData(text), At: at}, At: at})
}
