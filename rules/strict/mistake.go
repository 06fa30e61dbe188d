package strict

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"regvet/hive"
)

// Mistakes are everything that is wrong with some files, each with its file, line and column.
type Mistakes []Mistake

// Mistake is one thing that is wrong with a file.
type Mistake struct {
	hive.Problem
	before, from string // what is around the place in its line
}

// Error returns one line for each mistake.
func (m Mistakes) Error() string {
	var lines []string
	for _, one := range m {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// Excerpt returns the line that the mistake is in, with its number, and below it a caret at the place; "" if it is in none. Characters that
// a terminal would act on are escaped.
func (m Mistake) Excerpt() string {
	if strings.TrimSpace(m.before+m.from) == "" {
		return ""
	}
	number := fmt.Sprint(m.At.Line)
	// A tab stays one, so that the caret stands right however wide it is.
	pad := func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}
	shown := func(text string) string {
		cells := strings.Split(text, "\t")
		for i, cell := range cells {
			cells[i] = hive.Visible(cell)
		}
		return strings.Join(cells, "\t")
	}
	before := shown(m.before)
	return fmt.Sprintf("  %s | %s%s\n  %*s | %s^", number, before, shown(m.from), len(number), "", strings.Map(pad, before))
}

// quote returns each mistake what is around its place in the text. The mistakes are in the order of their places, and each line is gone
func (m Mistakes) quote(text string) {
	const most = 100 // characters before the place, and from it on
	line, rest := cutLine(text)
	number, column, at := 1, 1, 0
	for i := range m {
		for ; number < m[i].At.Line; number++ {
			line, rest = cutLine(rest)
			column, at = 1, 0
		}
		for ; column < m[i].At.Column && at < len(line); column++ {
			_, size := utf8.DecodeRuneInString(line[at:])
			at += size
		}
		start, end := at, at
		for range most {
			_, size := utf8.DecodeLastRuneInString(line[:start])
			start -= size
			_, size = utf8.DecodeRuneInString(line[end:])
			end += size
		}
		m[i].before, m[i].from = line[start:at], line[at:end]
	}
}
