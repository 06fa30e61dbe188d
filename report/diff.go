package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"

	"regvet/hive"
)

// Side is a text file as it is, or as it would become.
type Side struct {
	Text     string // in UTF-8
	Encoding string // of the file
}

// Diff writes the unified diff that leads from one state of a file to another, under names that "git apply" takes. Before it stands a
// line that says in words what a diff of text cannot show: that the encoding changes, or the line ends. Where the line ends change, or
// a file is in UTF-16, which git does not compare, and on a terminal, the lines of the diff end with LF.
func Diff(w io.Writer, name string, from, to Side, style Style) error {
	p := &page{Style: style}
	name = filepath.ToSlash(filepath.Clean(name))
	var words []string
	if from.Encoding != to.Encoding {
		words = append(words, fmt.Sprintf("the encoding changes from %s to %s", from.Encoding, to.Encoding))
	}
	ends, after := lineEnds(from.Text), lineEnds(to.Text)
	if ends != after && ends != "" && after != "" {
		words = append(words, fmt.Sprintf("the line ends change from %s to %s", ends, after))
	}
	if len(words) > 0 {
		fmt.Fprintf(p, "%s: %s\n", p.paint(hive.Visible(name), color.Bold), strings.Join(words, ", "))
	}
	const wide = "UTF-16LE"
	if ends != after || from.Encoding == wide || to.Encoding == wide || p.Terminal {
		from.Text, to.Text = anyEnd.Replace(from.Text), anyEnd.Replace(to.Text)
	}
	if from.Text != to.Text {
		p.hunks(strings.TrimPrefix(name, "/"), from.Text, to.Text)
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (p *page) hunks(name, from, to string) {
	if strings.ContainsAny(name, " \t") {
		name += "\t" // as git marks the end of a name with blanks
	}
	unified := udiff.Unified("a/"+hive.Printable(name), "b/"+hive.Printable(name), hive.Printable(from), hive.Printable(to))
	colors := map[byte]color.Attribute{'-': color.FgRed, '+': color.FgGreen, '@': color.FgCyan}
	heads := 2 // lines with the names
	for line := range strings.Lines(unified) {
		text := strings.TrimSuffix(line, "\n")
		if p.Terminal {
			text = visible(text)
		}
		attribute, ok := colors[line[0]]
		if heads > 0 {
			attribute, ok = color.Bold, true
			heads--
		}
		if ok {
			text = p.paint(text, attribute)
		}
		p.WriteString(text + "\n")
	}
}

// Plain writes the text of a file for a terminal: lines that end with LF, and in them nothing that would move the cursor but tabs.
func Plain(w io.Writer, text string) error {
	var p page
	for line := range strings.Lines(anyEnd.Replace(text)) {
		p.WriteString(visible(strings.TrimSuffix(line, "\n")) + "\n")
	}
	_, err := w.Write(p.Bytes())
	return err
}

// visible is [hive.Visible] for a line of a file, in which a tab is one.
func visible(line string) string {
	parts := strings.Split(line, "\t")
	for i, part := range parts {
		parts[i] = hive.Visible(part)
	}
	return strings.Join(parts, "\t")
}

// anyEnd makes all line ends LF.
var anyEnd = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// lineEnds names what ends the lines of a text, "" for a text without any.
func lineEnds(text string) string {
	var names []string
	crlf := strings.Count(text, "\r\n")
	if crlf > 0 {
		names = append(names, "CRLF")
	}
	if strings.Count(text, "\n") > crlf {
		names = append(names, "LF")
	}
	if strings.Count(text, "\r") > crlf {
		names = append(names, "CR")
	}
	return strings.Join(names, " and ")
}
