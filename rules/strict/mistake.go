package strict

import (
	"fmt"
	"strings"

	"regvet/hive"
)

// Mistakes are all that is wrong with files that people write, each with its file, line and column.
type Mistakes []Mistake

// Mistake is one thing that is wrong with a file.
type Mistake struct {
	hive.Problem
	Text string // the line of the file that it is in; "" if it is in none
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
	if strings.TrimSpace(m.Text) == "" {
		return ""
	}
	const most = 100 // characters before the place, and from it on
	number := fmt.Sprint(m.At.Line)
	chars := []rune(m.Text)
	at := min(m.At.Column-1, len(chars))
	start, end := max(0, at-most), min(len(chars), at+most)
	// A tab stays one, so that the caret stands right however wide it is.
	pad := func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}
	shown := func(text []rune) string {
		cells := strings.Split(string(text), "\t")
		for i, cell := range cells {
			cells[i] = hive.Visible(cell)
		}
		return strings.Join(cells, "\t")
	}
	before := shown(chars[start:at])
	return fmt.Sprintf("  %s | %s%s\n  %*s | %s^", number, before, shown(chars[at:end]), len(number), "", strings.Map(pad, before))
}
