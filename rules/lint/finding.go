package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"regvet/hive"
)

// Finding is what a check reports about one place of a file.
type Finding struct {
	Check    *Check
	Severity Severity

	At   hive.Location // of the first character; line and column are counted from 1, columns in characters
	End  hive.Location // of the character after the last one, on the same line or a later one
	Line string        // the line of At without its line end; at most 400 characters

	Key   hive.Path // that the finding is about, or nil. Must not be changed
	Value string    // the name of the value that it is about, if About is AValue
	About About

	Message string // one sentence: what is there, what Windows makes of it, what to write instead
	Rule    string // the ID of the rule of a pack, for REG210, REG214 and REG216

	Fix        *Fix         // or nil
	Suppressed *Suppression // nil if the finding counts

	folded string // Key as names are compared; "" if it was not folded yet
	repeat int    // how many findings before it in the file differ from it only in their place
}

// About is what a finding is about.
type About string

// What findings can be about.
const (
	AFile  About = "file"
	AKey   About = "key"
	AValue About = "value"
)

// Fix is a correction of the text of a file.
type Fix struct {
	Safety  Safety
	Message string // what it does, in the imperative: "write the root in full"
	Changes []Change

	// Encoding is the new encoding of the file, by its name in package regfile; "" to keep the one it has.
	Encoding string
}

// Change replaces a part of the text of a file. From and To count bytes of the text in UTF-8, without byte order mark.
type Change struct {
	From, To int64
	New      string
}

// Suppression is the reason why a finding does not count.
type Suppression struct {
	By     string // "comment" or "baseline"
	Reason string // from the comment
}

// Fingerprint returns a hash by which the same finding can be recognized in another version of the file. It depends on the check, key and
// value, and on how many findings like it come before it, but not on line numbers.
func (f Finding) Fingerprint() string {
	l := f.likeness()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%d", l.check.ID, l.rule, l.about, l.key, l.value, f.repeat))
	return hex.EncodeToString(sum[:16])
}

// likeness is what two findings have in common that differ only in their place.
type likeness struct {
	check      *Check
	rule       string
	about      About
	key, value string // as names are compared
}

func (f *Finding) likeness() likeness {
	folded := f.folded
	if folded == "" {
		folded = hive.Fold(f.Key.String())
	}
	return likeness{f.Check, f.Rule, f.About, folded, hive.Fold(f.Value)}
}
