package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"regvet/hive"
)

// Finding is one place of a file that a check speaks of.
type Finding struct {
	Check    *Check
	Severity Severity

	At   hive.Location // line and column, in characters from 1; of the first character in question
	End  hive.Location // of the character behind the last one, in the same line or a later one
	Line string        // the line of At without its end, as text; at most 400 characters of it

	Key   hive.Path // that the place is about; nil when it is about none
	Value string    // the name of the value that it is about; with About "value" only
	About About

	Message string // one sentence: what is there, what Windows makes of it, what to write instead
	Rule    string // the ID of the rule of a pack that speaks, for REG210 and REG214

	Fix        *Fix         // nil when there is none
	Suppressed *Suppression // nil for a finding that counts

	folded string // Key as names are compared; "" where nobody has folded it
	repeat int    // how many findings before it in the file are like it in all but their place
}

// About tells what a finding is about.
type About string

// What a finding may be about.
const (
	AFile  About = "file"
	AKey   About = "key"
	AValue About = "value"
)

// Fix is how the text of a file is to be changed.
type Fix struct {
	Safety  Safety
	Message string // what it does, in the imperative: "write the root in full"
	Changes []Change

	// Encoding is the one in which the file is to be written, as package regfile names it; "" for that which it has.
	Encoding string
}

// Change replaces a part of the text of a file. Places are bytes of the text in UTF-8, without byte order mark.
type Change struct {
	From, To int64
	New      string
}

// Suppression is why a finding does not count.
type Suppression struct {
	By     string // "comment" or "baseline"
	Reason string // as the comment gives it
}

// Fingerprint tells the same finding in two versions of a file. It rests on the check, on key and value, and on how many findings
// like it come before it; never on a line number.
func (f Finding) Fingerprint() string {
	l := f.likeness()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%d", l.check.ID, l.rule, l.about, l.key, l.value, f.repeat))
	return hex.EncodeToString(sum[:16])
}

// likeness is what findings share that are alike in all but their place.
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
