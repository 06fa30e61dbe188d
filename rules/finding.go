package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"regvet/hive"
)

// Finding is the answer of one rule at one key.
type Finding struct {
	Rule     *Rule
	Status   Status
	Reason   Reason // "" for a pass
	Severity Severity

	Key      hive.Path     // how the running system is asked for the key; a fix is written for it
	RealKey  hive.Path     // where the key is, or would be, in the input
	Value    string        // name of the value, "" for the default value; a pattern where no value that it stands for is there
	AboutKey bool          // the finding is about the key itself and not about a value
	Observed *hive.Value   // nil when the value is not there, or could not be read
	Modified time.Time     // last write of the key, UTC; zero when there is none or the input has none
	At       hive.Location // of the value, else of the key; no place when the input holds neither

	Expected string
	Message  string   // one sentence, with the observed data in it
	Notes    []string // what the answer rests on where that is not certain
	History  []Past   // what was set here once and was deleted, see [AddHistory]
	Fix      *Fix     // of a failure: as it is to be done here; nil when the rule has none

	written *string // of one about when the key was last written: what that was compared with, for people
	guessed bool    // it is not known that RealKey is what Key leads to
}

// Fixable tells that the finding can be remedied by an edit.
func (f Finding) Fixable() bool { return f.Status == Fail && f.Fix != nil }

// Applies tells that the rule is for this Windows and this place. Where it is not, nothing was asked, so that the finding is no answer;
// it is an [Unknown] by its status alone.
func (f Finding) Applies() bool { return f.Reason != NotApplicable }

// Edits are the changes that remedy the finding on the running system, in their order.
func (f Finding) Edits() []hive.Edit { return f.Fix.Edits() }

// Fingerprint tells the same finding in two runs. It rests on rule, key and value, never on places in the file.
func (f Finding) Fingerprint() string {
	sum := sha256.Sum256([]byte(f.Rule.ID + "\x00" + hive.Fold(f.Key.String()) + "\x00" + hive.Fold(f.Value)))
	return hex.EncodeToString(sum[:16])
}

// placeholders are what a message may hold in place of what was found, beside the names that the rule binds.
var placeholders = []string{"{value}", "{key}", "{actual}", "{type}", "{want}", "{valid}", "{default}", "{written}", "{limit}"}

// fill puts what was found into the template of a message.
func (f Finding) fill(template string, t Terms, bound bindings) string {
	var b strings.Builder
	for {
		from := strings.IndexByte(template, '{')
		if from < 0 {
			return b.String() + template
		}
		b.WriteString(template[:from])
		template = template[from:]
		end := strings.IndexByte(template, '}') + 1
		text, ok := f.placeholder(template[:end], t, bound)
		if !ok {
			text, end = "{", 1 // another brace may stand behind it
		}
		b.WriteString(text)
		template = template[end:]
	}
}

// placeholder gives what stands for a name in braces in a message.
func (f Finding) placeholder(name string, t Terms, bound bindings) (text string, ok bool) {
	switch name {
	case "{value}":
		return ValueName(f.Value), true
	case "{key}":
		return hive.Visible(f.Key.String()), true
	case "{actual}":
		if f.Observed != nil {
			text = hive.Visible(f.Observed.Display())
		}
		return text, true
	case "{type}":
		if f.Observed != nil {
			text = f.Observed.Type.String()
		}
		return text, true
	case "{want}":
		return t.want(), true
	case "{valid}":
		return t.Valid.String(), true
	case "{default}":
		if d := t.Missing.Default; d != nil {
			text = hive.Visible(d.plain())
		}
		return text, true
	case "{written}":
		return f.lastWrite(), true
	case "{limit}":
		if f.written != nil {
			text = *f.written
		}
		return text, true
	}
	if len(name) > 2 {
		text, ok = bound[name[1:len(name)-1]]
	}
	return hive.Visible(text), ok
}

// defaultMessages are used where a rule has none of its own.
var defaultMessages = map[Reason]string{
	NoValue:    "{value} is not set",
	WrongType:  "{value} is {type}, which is ignored",
	OutOfRange: "{value} is {actual}, outside the valid range {valid}",
	Mismatch:   "{value} is {actual}; want {want}",
	Present:    "{value} is set; it must not be",
}

// keyMessages are the same for rules about keys.
var keyMessages = map[Reason]string{
	NoValue: "the key is not there",
	Present: "the key is there; it must not be",
}
