package cli

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"regvet/internal/safetext"
	"regvet/report"
	"regvet/rules"
)

// runOf returns what is known of this run: its date, its command line, and the packs whose rules are active.
func (s *session) runOf(packs []*rules.Pack, active []*rules.Rule) report.Run {
	return report.Run{Date: now(), Command: s.command, Packs: report.PacksOf(packs, active)}
}

var plainWord = regexp.MustCompile(`^[a-zA-Z0-9_./:,=@%+-]+$`)

// shellLine returns words as one line that a POSIX shell takes for the same words.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		switch {
		case plainWord.MatchString(word):
			quoted[i] = word
		case utf8.ValidString(word) && !strings.ContainsFunc(word, safetext.Steers):
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		default:
			quoted[i] = dollarQuoted(word)
		}
	}
	return strings.Join(quoted, " ")
}

// dollarQuoted returns a word in the form $'...', which has escapes for what would steer a terminal and for what is no text:
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_04.
func dollarQuoted(word string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i, r := range word {
		switch n := utf8.RuneLen(r); {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == utf8.RuneError && !strings.HasPrefix(word[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\%03o`, word[i])
		case safetext.Steers(r):
			for _, c := range []byte(word[i : i+n]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "'"
}
