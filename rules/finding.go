package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
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
	Value    string        // name of the value, "" for the default value; a pattern if no value matches it
	AboutKey bool          // the finding is about the key itself and not about a value
	Observed *hive.Value   // nil if the value does not exist or could not be read
	Modified time.Time     // last write of the key, UTC; zero if there is no key or the input has no times
	At       hive.Location // of the value, else of the key; zero if the input holds neither

	Expected string
	Message  string   // one sentence, with the observed data in it
	Notes    []string // assumptions that the answer rests on
	History  []Past   // what was once set here and then deleted, see [AddHistory]
	Fix      *Fix     // of a failure: the fix for this place; nil if the rule has none

	Alternative string // of a failure: a remedy that is no change of the registry; "" for none

	Waived *Waiver // of a failure: why it is accepted; nil if it is not

	written  *string   // what the last write of the key was compared with, for people; nil if the finding is not about that
	possible []Finding // of one that is undecided: the answers that the input leaves open

	openFix  bool        // whether the fix depends on what the input does not tell
	guessed  bool        // whether it is a guess that Key leads to RealKey
	byPolicy bool        // whether it is about the value of a policy, which goes before the local one
	meant    *hive.Value // what Observed means in the data of the local setting, where a policy has other data; else nil
	decimal  uint32      // see Decimal
}

// Fixable reports whether an edit can remedy the finding.
func (f Finding) Fixable() bool { return f.Status == Fail && f.Fix != nil }

// NeedsDecision reports whether the edits that remedy the finding are left to a person.
func (f Finding) NeedsDecision() bool { return f.Fixable() && !f.Fix.Safe() }

// Applies reports whether the rule is for this Windows and this place. If not, nothing was evaluated: the finding has the status [Unknown]
// but is no answer.
func (f Finding) Applies() bool { return f.Reason != NotApplicable }

// Decimal returns the number that the rule would take in place of a REG_DWORD whose hex digits were written as if they were decimal, and
// reports whether that explains the failure: 65534 for dword:00065534, which is 415028.
func (f Finding) Decimal() (number uint32, ok bool) { return f.decimal, f.decimal != 0 }

// sayDecimal adds to the message what [Finding.Decimal] returns.
func (f *Finding) sayDecimal() {
	if d, ok := f.Decimal(); ok && f.Status == Fail && f.Observed != nil {
		n, _ := f.Observed.Uint64()
		f.Message += fmt.Sprintf("; dword data in a .reg file are hexadecimal: %08d is %d, and %d is %08x", d, n, d, d)
	}
}

// Edits returns the changes that remedy the finding on the running system, in their order.
func (f Finding) Edits() []hive.Edit { return f.Fix.Edits() }

// Fingerprint returns an identifier that the same finding has in every run: it depends on rule, key and value, never on places in the file.
func (f Finding) Fingerprint() string {
	sum := sha256.Sum256([]byte(f.Rule.ID + "\x00" + hive.Fold(f.Key.String()) + "\x00" + hive.Fold(f.Value)))
	return hex.EncodeToString(sum[:16])
}

// placeholders are the names in braces that a message may hold, beside those that the rule binds.
var placeholders = []string{"{value}", "{key}", "{actual}", "{type}", "{want}", "{valid}", "{default}", "{written}", "{limit}", "{renames}"}

// fill returns the template of a message with its placeholders filled in.
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

// actual returns the observed data for people, and what they mean where a policy has other data than the local setting.
func (f Finding) actual() string {
	text := hive.Visible(f.Observed.Display())
	if f.meant != nil {
		text += ", which means " + hive.Visible(f.meant.Display())
	}
	return text
}

// placeholder returns the text for a name in braces in a message.
func (f Finding) placeholder(name string, t Terms, bound bindings) (text string, ok bool) {
	switch name {
	case "{value}":
		return ValueName(f.Value), true
	case "{key}":
		return hive.Visible(f.Key.String()), true
	case "{actual}":
		if f.Observed != nil {
			text = f.actual()
		}
		return text, true
	case "{type}":
		if f.Observed != nil {
			text = f.Observed.Form()
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
	case "{renames}":
		if f.Observed != nil {
			text = hive.Visible(hive.Printable(renames(*f.Observed)))
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
	if m := aboutList().FindStringSubmatch(name); m != nil && t.lists[m[1]] != nil {
		return hive.Visible(t.lists[m[1]].about(f.texts(bound))), true
	}
	if len(name) > 2 {
		text, ok = bound[name[1:len(name)-1]]
	}
	return hive.Visible(text), ok
}

// renames returns what the data of a value have the Session Manager do, for people. They are pairs of a file and its new name, which is empty for a
// deletion, so that they go on behind empty strings.
func renames(v hive.Value) string {
	names := strings.Split(hive.DecodeUTF16(v.Data), "\x00")
	var all []string
	for pair := range slices.Chunk(names, 2) {
		from, to := strings.TrimPrefix(pair[0], `\??\`), strings.TrimPrefix(strings.TrimPrefix(strings.Join(pair[1:], ""), "!"), `\??\`)
		switch {
		case from == "" && to == "": // the end of the list
		case to == "":
			all = append(all, from+" is deleted")
		default:
			all = append(all, from+" becomes "+to)
		}
	}
	return strings.Join(all, "; ")
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
