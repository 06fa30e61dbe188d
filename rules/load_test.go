package rules_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// sound is a pack that loads. Tests replace one line of it, or add lines.
const sound = `pack: example
title: An example
references: ["A book"]
rules:
  - id: EX-1
    title: One
    severity: high
    rationale: Because.
    references: ["A page"]
    tags: [one, two]
    key: HKLM\SYSTEM\CurrentControlSet\Services\Example
    value: One
    expect:
      type: REG_DWORD
      valid: {between: [1, 10]}
      data: {at_least: 5}
    missing: {default: 1}
    messages: {mismatch: "{value} is {actual}, want {want}"}
    overrides:
      - when: {windows: ">=6.0 <10.0"}
        severity: low
    fix: {set: {type: REG_DWORD, data: 5}, restart: service Example, note: Careful.}
    tests:
      - {name: good, reg: '"One"=dword:00000005', want: pass}
`

func TestLoad(t *testing.T) {
	p, err := rules.Load("example.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Rules[0]
	if diff := cmp.Diff([]string{"A book", "A page"}, r.References); diff != "" {
		t.Error(diff)
	}
	if got := r.Key.String(); got != `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example` {
		t.Errorf("key is %s", got)
	}
	for version, want := range map[string]rules.Severity{"5.2": rules.High, "6.1": rules.Low, "10.0": rules.High} {
		v, err := hive.ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Terms(hive.Exactly(v)).Severity; got != want {
			t.Errorf("severity on Windows %s is %s, want %s", version, got, want)
		}
	}
	terms := r.Terms(hive.Windows{})
	if got := terms.Expected(); got != "REG_DWORD, 5 to 10" {
		t.Errorf("expected: %s", got)
	}
	if got := terms.Fix.String(); got != "set One to REG_DWORD 5, then restart the service Example" {
		t.Errorf("fix: %s", got)
	}
}

// mistakes are changes of one thing in a sound pack, with the mistakes that they cause. If whole is set, only the whole rule shows the mistake,
// which a JSON Schema cannot express.
var mistakes = []struct {
	name, old, new, want string
	whole                bool
}{
	{"unknown field of a pack", "title: An example", "titel: An example", "2:1: a pack has no field \"titel\"; did you mean title?", false},
	{"unknown field of a rule", "severity: high", "severty: high", "7:5: a rule has no field \"severty\"; did you mean severity?", false},
	{"field twice", "value: One", "value: One\n    value: Two", "13:5: value stands twice in a rule", false},
	{"required field", "    severity: high\n", "", "5:5: a rule needs the field severity", false},
	{"data of a key", "    value: One\n", "", "5:5: a rule without value is about the key itself: its expect must say exists or written, and nothing else\n5:5: a rule without value has no field missing: exists says what it means that the key does not exist\n21:10: the fix needs the field value: its rule has none", true},
	{"inventory with a verdict", "    value: One\n", "    value: One\n    inventory: {category: X}\n", "5:5: an inventory has no verdict, and no field expect: it lists what is there\n5:5: an inventory has no verdict, and no field missing: it lists what is there\n" +
		"5:5: an inventory has no verdict, and no field overrides: it lists what is there\n5:5: an inventory has no verdict, and no field messages: it lists what is there\n" +
		"5:5: an inventory has no verdict, and no field fix: it lists what is there\n5:5: an inventory has no verdict, and no field tests: it lists what is there\n5:5: an inventory has no verdict, so its severity is info", true},
	{"inventory without category", "    value: One\n", "    value: One\n    inventory: {as: epok}\n", "13:16: inventory needs the field category\n13:21: as cannot be \"epok\"; did you mean epoch?", false},
	{"unknown severity", "severity: high", "severity: hgih", `7:15: severity cannot be "hgih"; did you mean high?`, false},
	{"severity of no kind", "severity: high", "severity: 7", `7:15: severity cannot be "7"; it can be info, low, medium, high or critical`, false},
	{"unknown root", `HKLM\SYSTEM`, `HKLN\SYSTEM`, `11:10: key must start with a root of the registry, not with "HKLN"; did you mean HKLM?`, false},
	{"no root", `HKLM\SYSTEM`, `SYSTEM`, `11:10: key must start with a root of the registry, not with "SYSTEM"; it can be HKEY_LOCAL_MACHINE, HKEY_USERS, HKEY_CURRENT_USER, HKEY_CLASSES_ROOT, HKEY_CURRENT_CONFIG, HKLM, HKU, HKCU, HKCR or HKCC`, false},
	{"choice of names in a key", `Services\Example`, `Services\{A|B}`, `11:10: key has "{A|B}", which is one name and no choice of names; write a rule for each name, or {name} for any`, true},
	{"choice with commas in a key", `Services\Example`, `Services\{A,B}`, `11:10: key has "{A,B}", which is one name and no choice of names; write a rule for each name, or {name} for any`, true},
	{"the opposite of a word", "data: {at_least: 5}", "data: {not_matches: x}", `16:14: data has no field "not_matches"; it can be above, all_match, any_matches, apart_from, as_hex_text, as_number, as_text, at, at_least, at_most, below, between, bits_clear, bits_set, bytes, captures, contains, contains_all, contains_only, equals, equals_fold, fold, glob, in, length, matches, none_matches, not, not_in, only, program, ranges, width or words`, false},
	{"fix for a pattern in a key", `Services\Example`, `Services\*`, "22:10: a fix for a key with * or ? needs a name for what it changes: write {name} in their place", true},
	{"fix for a pattern in a value", "value: One", "value: O*", "5:5: missing cannot have a default for a value that is a pattern: nothing says which one does not exist\n22:10: a fix for a value with * or ? needs a name for what it changes: write {name} in their place", true},
	{"fix behind any depth", `Services\Example`, `**\{service}`, "22:10: a fix cannot be for a key behind **; give it a key of its own", true},
	{"name in a fix that nothing binds", `restart: service`, `key: 'HKLM\SYSTEM\{thing}', restart: service`, "22:10: the fix uses the name {thing}, which nothing binds", true},
	{"name bound twice", `Services\Example`, `{a}\{a}`, "11:10: the name {a} is bound twice", true},
	{"name that means something else", `Services\Example`, `Services\{key}`, "11:10: messages use the name {key} for something else; choose another", true},
	{"two changes in one", "fix: {set:", "fix: {delete: key, set:", "22:10: a fix needs either the field set or the field delete; for several changes write a list", false},
	{"regular expression", "data: {at_least: 5}", `data: {matches: "("}`, "16:23: matches is no regular expression (RE2): missing closing ): `(`", false},
	{"text and number at once", "at_least: 5", `at_least: 5, contains: "x"`, "16:13: data leaves no number\n16:37: data of rule EX-1 ask for text (with \"x\"), which a REG_DWORD is not; of a number write equals, in, at_least, at_most, between or bits_set, with numbers", true},
	{"operators at odds", "at_least: 5", `at_least: 5, in: [1, 4]`, "16:13: data leaves no number", true},
	{"value to compare with", "at_least: 5", `at_least: {value: Other}`, "16:32: the value to compare with is written with a dollar sign before its name, such as $MaxUserPort", false},
	{"no version in the range", ">=6.0 <10.0", ">=6.0 <5.0", "20:25: no version of Windows is in the range >=6.0 <5.0", true},
	{"unknown product", `windows: ">=6.0 <10.0"`, "product: sever", `20:25: product cannot be "sever"; did you mean server?`, false},
	{"unknown hive", `windows: ">=6.0 <10.0"`, "hive: SYSTM", `20:22: hive cannot be "SYSTM"; did you mean SYSTEM?`, false},
	{"condition that asks nothing", `{windows: ">=6.0 <10.0"}`, "{}", "20:15: when asks nothing; want windows, product, edition, hive, elsewhere, key, value, expect, all, any or none", false},
	{"value beside conditions", "    value: One\n", "    all: [{value: One}]\n", "5:5: a rule of all, any or none has no field expect: its conditions say what it expects\n5:5: a rule of all, any or none has no field missing: its conditions say what it expects\n22:10: the fix needs the field value: its rule has none", true},
	{"value and what is like it", "value: One", "value: One\n    misspelt: Fourteen", "5:5: a rule has either the field value or the field misspelt\n5:5: missing cannot have a default for a value that is a pattern: nothing says which one does not exist", true},
	{"value and what is not it", "value: One", "value: One\n    other_than: [Two]", "5:5: a rule has either the field value or the field other_than\n5:5: missing cannot have a default for a value that is a pattern: nothing says which one does not exist", true},
	{"values other than none", "value: One", "other_than: []", "12:17: other_than names no value; where there must be none, write value: '*'", false},
	{"misspelt name that is too short", "value: One", "misspelt: One", `12:15: misspelt "One" is too short: a name that is close to it is another name; want 5 letters at least`, false},
	{"exists and missing", "type: REG_DWORD\n", "exists: true\n", "5:5: exists already says what it means that the value does not exist; leave out missing", true},
	{"test of nothing", `reg: '"One"=dword:00000005', `, "", "24:9: a test needs either the field reg or the field hive", false},
	{"unknown type", "type: REG_DWORD\n", "type: REG_DWROD\n", `14:13: there is no type "REG_DWROD"; did you mean REG_DWORD?`, false},
	{"unknown operator", "at_least: 5", "atleast: 5", `16:14: data has no field "atleast"; did you mean at_least?`, false},
	{"negative number", "at_least: 5", "at_least: -5", "16:24: at_least must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388", false},
	{"number as text", "at_least: 5", `at_least: "5"`, "16:24: at_least must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388", false},
	{"one end of a range", "[1, 10]", "[1]", "15:24: between needs two numbers, the lowest and the highest", false},
	{"range upside down", "[1, 10]", "[10, 1]", "15:14: valid leaves no number", true},
	{"nothing in common", "at_least: 5", "at_least: 11", "5:5: data and valid of rule EX-1 have no number in common", true},
	{"fix that does not do", "data: 5}", "data: 4}", "5:5: the fix of rule EX-1 sets 4; the rule wants REG_DWORD, 5 to 10", true},
	{"fix of another type", "{type: REG_DWORD, data: 5}", "{type: REG_QWORD, data: 5}", "5:5: the fix of rule EX-1 sets a REG_QWORD; the rule wants REG_DWORD, 5 to 10", true},
	{"fix too large", "data: 5}", "data: 4294967296}", "22:40: data of a REG_DWORD must be at most 4294967295", true},
	{"unknown placeholder", "{actual}", "{actaul}", "18:26: there is no placeholder {actaul}; did you mean {actual}?", true},
	{"unsafe for no reason", "note: Careful.", "safe: false", `22:76: safe: false needs the field because: write {…, safe: false, because: "what it may break"}`, false},
	{"unsafe for an empty reason", "note: Careful.", "safe: false, because: ''", `22:92: because must not be empty`, false},
	{"a reason of a safe fix", "note: Careful.", "safe: true, because: Who knows.", `22:91: because is the reason of an unsafe fix, and this one is safe: write {…, safe: false, because: "…"}, or use note`, false},
	{"a reason alone", "note: Careful.", "because: Who knows.", `22:79: because is the reason of an unsafe fix, and this one is safe: write {…, safe: false, because: "…"}, or use note`, false},
	{"one unsafe step for no reason", "fix: {set: {type: REG_DWORD, data: 5}, restart: service Example, note: Careful.}",
		"fix: [{set: {type: REG_DWORD, data: 5}, safe: false, because: Who knows.}, {delete: value, value: Old, safe: false}]", `22:114: safe: false needs the field because: write {…, safe: false, because: "what it may break"}`, false},
	{"safety of no kind", "note: Careful.", "safe: maybe", "22:76: safe must be true or false", false},
	{"no levels", "tags: [one, two]", "levels: []", "10:13: levels is empty; want the names of baselines", false},
	{"a level that is no name", "tags: [one, two]", "levels: [CIS L1]", `10:14: an element of levels "CIS L1" is no name; want letters, digits, dots, hyphens and underscores`, false},
	{"an assumption that decides nothing", "    overrides:\n      - when: {windows: \">=6.0 <10.0\"}\n        severity: low\n", "    assume: \"<6.0\"\n", "19:13: assume decides nothing: no override and no condition of the rule names a version of Windows", true},
	{"unknown restart", "restart: service Example", "restart: server", `22:53: restart cannot be "server"; it can be computer, none, or service and its name`, false},
	{"missing says nothing", "missing: {default: 1}", "missing: {severity: low}", "5:5: missing must say what it means that the value does not exist: fail, pass, or {default: DATA}", true},
	{"a source of nothing", "missing: {default: 1}", "missing: {source: A book, severity: low}", "17:14: missing has a source or windows, and no default that they are about", true},
	{"missing of no kind", "missing: {default: 1}", "missing: fial", `17:14: missing cannot be "fial"; did you mean fail?`, false},
	{"no version", ">=6.0 <10.0", ">=longhorn", `20:25: "longhorn" is not a Windows version: want one such as 6.1 or 10.0.19045, or a name: nt4, 2000, xp, 2003, vista, 2008, 7, 2008r2, 8, 2012, 8.1, 2012r2, 10, 2016, 2019, 2022, 11, 2025`, false},
	{"version that no Windows has", ">=6.0 <10.0", ">=6.9", `20:25: "6.9" is not a Windows version: want one such as 6.1 or 10.0.19045, or a name: nt4, 2000, xp, 2003, vista, 2008, 7, 2008r2, 8, 2012, 8.1, 2012r2, 10, 2016, 2019, 2022, 11, 2025`, true},
	{"unknown comparison", ">=6.0 <10.0", "!6.0", `20:25: "!6.0" is not a Windows version: want one such as 6.1 or 10.0.19045, or a name: nt4, 2000, xp, 2003, vista, 2008, 7, 2008r2, 8, 2012, 8.1, 2012r2, 10, 2016, 2019, 2022, 11, 2025`, false},
	{"unknown reason", "want: pass", "want: pas", `24:57: want cannot be "pas"; did you mean pass?`, false},
	{"list in place of a mapping", "expect:\n", "expect: []\n    extra:\n", "13:13: expect must be a mapping with the fields data, exists, type, valid and written\n14:5: a rule has no field \"extra\"; it can be all, alternative, any, assume, caveat, covered_by, expect, fix, id, inventory, key, levels, messages, missing, misspelt, none, nowhere, other_than, overrides, policy, rationale, references, severity, source, tags, tests, title, value or when", false},
	{"no name", "id: EX-1", "id: EX 1", `5:9: id "EX 1" is no name; want letters, digits, dots, hyphens and underscores`, false},
	{"no rules", sound[strings.Index(sound, "  - id"):], "  []\n", "5:3: rules is empty; a pack without rules checks nothing", false},
	{"not YAML", "title: An example", "title: [", "3:21: not YAML: did not find expected ',' or ']'; close what is open before this, and put text that holds a comma, brace, bracket or colon in quotes", false},
	{"a wrong operator and a wrong fix", "at_least: 5}\n    missing: {default: 1}\n    messages: {mismatch: \"{value} is {actual}, want {want}\"}\n    overrides:\n      - when: {windows: \">=6.0 <10.0\"}\n        severity: low\n    fix: {",
		"atleast: 5}\n    missing: {default: 1}\n    fix: {key: 'HKLM\\SYSTEM\\{service}', ", "16:14: data has no field \"atleast\"; did you mean at_least?\n18:10: the fix uses the name {service}, which nothing binds", false},
	{"a wrong message and a wrong fix", "{value} is {actual}, want {want}\"}\n    overrides:\n      - when: {windows: \">=6.0 <10.0\"}\n        severity: low\n    fix: {set: {type: REG_DWORD, data: 5}",
		"{valeu}\"}\n    fix: {set: {type: REG_DWORD, data: 3}", "18:26: there is no placeholder {valeu}; did you mean {value}?\n5:5: the fix of rule EX-1 sets 3; the rule wants REG_DWORD, 5 to 10", true},
	{"data of another kind than the type", "data: {at_least: 5}", `data: {equals: "5"}`, `16:22: data of rule EX-1 ask for text ("5"), which a REG_DWORD is not; of a number write equals, in, at_least, at_most, between or bits_set, with numbers`, true},
	{"valid of another kind than the type", "type: REG_DWORD\n", "type: [REG_SZ, REG_MULTI_SZ]\n", `15:24: valid of rule EX-1 ask for a number (1 to 10), which a REG_SZ or REG_MULTI_SZ is not; of text write equals, in, contains or matches, with texts`, true},
	{"a condition of another kind than its type", `{windows: ">=6.0 <10.0"}`, `{value: Two, expect: {type: REG_SZ, data: {in: [1, 2]}}}`, "20:62: data of the condition ask for a number (1 or 2), which a REG_SZ is not; of text write equals, in, contains or matches, with texts", true},
	{"a number in bytes without a place", `{windows: ">=6.0 <10.0"}`, `{value: Two, expect: {type: REG_BINARY, data: {bits_set: 1}}}`,
		"20:72: data of the condition ask for a number (with the bits 0x1 set), which a REG_BINARY is not; write at, and width if it is more than one byte, beside bits_set", true},
	{"a place in a number", "data: {at_least: 5}", "data: {at: 0, at_least: 5}", "16:31: data of rule EX-1 ask for bytes (at least 5 in byte 0), which a REG_DWORD is not; leave out at and width, which are for bytes", true},
	{"a list asked of a text", `{windows: ">=6.0 <10.0"}`, `{value: Two, expect: {type: REG_SZ, data: {only: [a]}}}`,
		`20:64: data of the condition ask for a list of strings (with nothing but "a"), which a REG_SZ is not; of a text write in`, true},
	{"no string asked of a text", `{windows: ">=6.0 <10.0"}`, `{value: Two, expect: {type: REG_SZ, data: {none_matches: a}}}`,
		`20:72: data of the condition ask for a list of strings (with no string with "a"), which a REG_SZ is not; of a text write matches in a condition below none`, true},
	{"a range of a text", `{windows: ">=6.0 <10.0"}`, `{value: Two, expect: {type: REG_SZ, data: {ranges: [1, 2]}}}`,
		`20:66: data of the condition ask for a list of strings (ranges such as 4000-4010 within 1 to 2), which a REG_SZ is not; of text write equals, in, contains or matches, with texts`, true},
	{"fold of numbers", "data: {at_least: 5}", "data: {at_least: 5, fold: true}", "16:33: fold is for texts, and data compares none; leave it out", true},
	{"fold alone", "data: {at_least: 5}", "data: {fold: true}", "16:20: fold is for the texts beside it, and there are none; write equals, in, contains or matches as well", true},
	{"width alone", "data: {at_least: 5}", "data: {at_least: 5, width: 2}", "16:34: width is of the number at a byte of a REG_BINARY; write at beside it, such as at: 0", true},
	{"at alone", "data: {at_least: 5}", "data: {at: 1}", "16:18: at names a number in bytes; say what it must be, such as at: 8, width: 4, equals: 1", true},
	{"an operator for another type among other mistakes", "severity: high", "severity: hihg\n    when: {value: A, expect: {type: REG_SZ, data: {at_least: 1, matches: '('}}}", "7:15: severity cannot be \"hihg\"; did you mean high?\n8:62: data of the condition ask for a number (at least 1), which a REG_SZ is not; of text write equals, in, contains or matches, with texts\n8:74: matches is no regular expression (RE2): missing closing ): `(`", false},
	{"one of the rule itself among others", "data: {at_least: 5}\n    missing: {default: 1}", "data: {matches: x, atleast: 5}\n    missing: {defalt: 1}",
		"16:23: data of rule EX-1 ask for text (with \"x\"), which a REG_DWORD is not; of a number write equals, in, at_least, at_most, between or bits_set, with numbers\n16:26: data has no field \"atleast\"; did you mean at_least?\n17:15: missing has no field \"defalt\"; did you mean default?", false},
	{"words for no regular expression", "data: {at_least: 5}", "data: {at_least: 5, words: five}", "16:34: words say what a regular expression asks for, and there is none; write matches beside them, or leave them out", true},
	{"words for two", "data: {at_least: 5}", "data: {matches: a, none_matches: b, words: both}", "16:23: data of rule EX-1 ask for text (with \"a\"), which a REG_DWORD is not; of a number write equals, in, at_least, at_most, between or bits_set, with numbers\n" +
		"16:50: words say what one regular expression asks for, and there are several; write conditions of their own", true},
	{"at with a text", "data: {at_least: 5}", "data: {at: 1, matches: x}", "16:30: at names a number in bytes, and matches is for something else; write equals, in, at_least, at_most, between or bits_set with numbers\n16:30: data of rule EX-1 ask for bytes (with \"x\" in byte 1), which a REG_DWORD is not; leave out at and width, which are for bytes", true},
	{"at with another value", "data: {at_least: 5}", "data: {at: 1, at_least: {value: $B}}", "16:31: at names a number in bytes, and at_least is for something else; write equals, in, at_least, at_most, between or bits_set with numbers\n16:31: data of rule EX-1 ask for bytes (at least the data of B in byte 1), which a REG_DWORD is not; leave out at and width, which are for bytes", true},
	{"a number too great for its bytes", "data: {at_least: 5}", "data: {at: 1, at_least: 256}", "16:31: no number of one byte is at least 256; write a greater width, such as width: 4\n16:31: data of rule EX-1 ask for bytes (at least 256 in byte 1), which a REG_DWORD is not; leave out at and width, which are for bytes", true},
	{"three bytes", "data: {at_least: 5}", "data: {at: 1, width: 3, at_least: 5}", "16:28: a number in bytes has 1, 2, 4 or 8 of them\n16:41: data of rule EX-1 ask for bytes (at least 5 in byte 1), which a REG_DWORD is not; leave out at and width, which are for bytes", false},
	{"unknown folder", "data: {at_least: 5}", "data: {program: {in_folder: user_writeable}}", `16:35: "user_writeable" is no class of folders; did you mean user_writable?`, false},
	{"a folder that hangs on the computer", "data: {at_least: 5}", `data: {program: {in_folder: '%JAVA_HOME%\bin'}}`, `16:35: "%JAVA_HOME%\\bin" is no folder that can be told on each computer; write it with a drive or a variable of Windows, such as %ProgramFiles%\Example`, true},
	{"a program of which nothing is asked", "data: {at_least: 5}", "data: {program: {}}", "16:23: program asks nothing; want in_folder, not_in_folder, tries_in_folder, name or arguments", false},
	{"unknown field of a program", "data: {at_least: 5}", "data: {program: {folder: temp}}", `16:24: program has no field "folder"; did you mean in_folder?`, false},
	{"numbers in arguments", "data: {at_least: 5}", "data: {program: {arguments: {at_least: 5}}}", "16:46: arguments are a text, and at_least asks for a number; of text write equals, in, contains or matches, with texts", true},
	{"a program in a number", "data: {at_least: 5}", "data: {program: {name: cmd}}", "16:23: data of rule EX-1 ask for text (a program named cmd), which a REG_DWORD is not; of a number write equals, in, at_least, at_most, between or bits_set, with numbers", true},
	{"default of another type", "default: 1}", `default: "1"}`, `5:5: the default of rule EX-1 does not fit: data of a REG_DWORD must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388`, true},
	{"default of a kind that is not asked for", "type: REG_DWORD\n      valid: {between: [1, 10]}\n      data: {at_least: 5}\n    missing: {default: 1}", "data: {at_least: 5}\n    missing: {default: [a]}",
		"5:5: the default of rule EX-1 does not fit: REG_MULTI_SZ is not a number", true},
	{"letters the wrong way round", "    key: HKLM", "    kye: HKLM", "11:5: a rule has no field \"kye\"; did you mean key?", false},
	{"octal", "[1, 10]", "[010, 10]", `15:25: the number 010 has a zero before it, which readers of YAML do not understand alike; write it without, or in hex such as 0x1388`, true},
	{"binary", "at_least: 5", "at_least: 0b101", `16:24: at_least must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388`, true},
	{"underscore", "{at_least: 5}", "{equals: 1_000}", `16:22: equals must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388`, true},
	{"hexadecimal beyond 64 bits", "{at_least: 5}", "{equals: 0x10000000000000000}", `16:22: equals must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388`, true},
	{"merge key", "    title: One\n", "    <<: {title: One}\n", "5:5: a rule needs the field title\n6:5: a rule has no field \"<<\": merge keys are not for rule files; write out what it stands for", true},
	{"nothing", "missing: {default: 1}", "missing:", "17:13: missing must not be empty", false},
	{"second document", "      - {name: good", "---\n      - {name: good", "23:11: tests must be a list\n24:1: a second YAML document; a rule file is one document", false},
	{"time of a value", "type: REG_DWORD\n", "type: REG_DWORD\n      written: {after: hive}\n", "15:16: written is of a key, and values have no time: leave out value, or ask for it in a condition without one", true},
	{"unknown bound of a time", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {afer: hive}}}\n    value: One\n    expect:\n", `12:42: written has no field "afer"; did you mean after?`, false},
	{"unknown moment", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: shutdwon}}}\n    value: One\n    expect:\n", `12:49: after cannot be "shutdwon"; did you mean shutdown?`, false},
	{"no date", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: 31.12.2019}}}\n    value: One\n    expect:\n", `12:49: after cannot be "31.12.2019"; it can be a date such as 2019-12-31 or 2019-12-31T18:00:00Z, hive, shutdown, or {key: KEY}`, false},
	{"day that is not", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: 2019-02-31}}}\n    value: One\n    expect:\n", `12:49: after cannot be "2019-02-31"; it can be a date such as 2019-12-31 or 2019-12-31T18:00:00Z, hive, shutdown, or {key: KEY}`, true},
	{"no tolerance", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: hive, tolerance: 1 week}}}\n    value: One\n    expect:\n", `12:66: tolerance cannot be "1 week"; want a number and s, m, h or d, such as 90s or 2d`, false},
	{"time of nothing", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {}}}\n    value: One\n    expect:\n", "12:41: written asks nothing; want after, before, not_after, not_before or whole_second", false},
	{"tolerance alone", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {tolerance: 1d}}}\n    value: One\n    expect:\n", "12:41: written asks nothing; want after, before, not_after, not_before or whole_second", true},
	{"tolerance of a whole second", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {whole_second: true, tolerance: 1d}}}\n    value: One\n    expect:\n", "12:41: written has a tolerance but no time that it applies to", true},
	{"no time is left", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: 2020-01-02, before: 2020-01-02}}}\n    value: One\n    expect:\n", "12:41: written leaves no time", true},
	{"time of what must not be there", "value: One\n    expect:\n", "when: {key: HKLM, expect: {exists: false, written: {after: hive}}}\n    value: One\n    expect:\n", "12:56: expect wants the key not to exist, and asks when it was last written", true},
	{"pattern to compare a time with", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: {key: 'HKLM\\*'}}}}\n    value: One\n    expect:\n", "12:49: the key to compare with cannot hold *, ? or **: a time is compared with that of one key", true},
	{"name to compare a time with", "value: One\n    expect:\n", "when: {key: 'HKLM\\{one}', expect: {written: {after: {key: 'HKLM\\{on}'}}}}\n    value: One\n    expect:\n", "12:57: the key to compare with uses the name {on}, which nothing binds; did you mean one?", true},
	{"no root to compare a time with", "value: One\n    expect:\n", "when: {key: HKLM, expect: {written: {after: {key: SYSTEM}}}}\n    value: One\n    expect:\n", `12:55: key must start with a root of the registry, not with "SYSTEM"; it can be HKEY_LOCAL_MACHINE, HKEY_USERS, HKEY_CURRENT_USER, HKEY_CLASSES_ROOT, HKEY_CURRENT_CONFIG, HKLM, HKU, HKCU, HKCR or HKCC`, false},
	{"time of a test", "want: pass}", "written: today, want: pass}", `24:60: "today" is no time; want a date such as 2019-12-31, or 2019-12-31T18:00:00Z`, false},
	{"times of a test", "want: pass}", "written: {'HKLM\\*': 2019-12-31}, want: pass}", "24:61: the key of a time in a test cannot be a pattern: write its name", true},
	{"times of no key", "want: pass}", "written: {}, want: pass}", "24:60: written names no key", false},
	{"control characters", "severity: high", `severity: "hi\egh"`, `7:15: severity cannot be "hi\x1bgh"; did you mean high?`, false},
}

// TestBombs loads documents that are made to exhaust their reader. Each is refused with a place, and at once: none is unfolded.
func TestBombs(t *testing.T) {
	layers := "pack: x\ntitle: x\nrules:\n  - id: A\n    title: A\n    severity: low\n    all:\n      - all: &a0 [{key: HKLM}, {key: HKLM}]\n"
	for i := range 40 {
		layers += fmt.Sprintf("      - all: &a%d [{all: *a%d}, {all: *a%d}]\n", i+1, i, i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"aliases of aliases":    {layers, "46:26: the file says too much: about 1000000000000 names and values when its aliases are followed, and it may have 500118; write several files"},
		"an alias of itself":    {"pack: &a [*a]", "1:11: an alias stands for what it is itself a part of"},
		"a circle of two":       {"pack: &a {title: &b [*a]}\ntitle: *b", "an alias stands for what it is itself a part of"},
		"very deep":             {"pack: " + strings.Repeat("[", 20000), "not YAML: "},
		"a pattern that is one": {strings.Replace(sound, "data: {at_least: 5}", `data: {matches: "((a{1000}){1000}){1000}"}`, 1), "matches is no regular expression (RE2)"},
	} {
		_, err := rules.Load("", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

// TestExcerpt shows the line of a mistake with a caret below it.
func TestExcerpt(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"severity: high", "severity: hgih", "  7 |     severity: hgih\n    |               ^"},
		{"title: An example", "titel: An example", "  2 | titel: An example\n    | ^"},
		{"severity: high", "severity:\thgih\r", "  7 |     severity:\thgih\n    |              \t^"},
		{"title: One", `title: "` + strings.Repeat("x", 300) + `", severity: high`, ""},
	} {
		_, err := rules.Load("", []byte(strings.Replace(sound, c.old, c.new, 1)))
		mistakes, ok := errors.AsType[rules.Mistakes](err)
		if !ok {
			t.Errorf("%q loads", c.new)
			continue
		}
		got := mistakes[0].Excerpt()
		if c.want != "" && got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
		for line := range strings.Lines(got) {
			if len(line) > 220 {
				t.Errorf("a line of %d characters", len(line))
			}
		}
	}
}

// TestSyntax breaks the YAML of a sound pack as people do. The mistake is where the reader stops, and says what to do.
func TestSyntax(t *testing.T) {
	for _, c := range []struct{ name, old, new, want, caret string }{
		{"backslash in double quotes", `key: HKLM\SYSTEM`, `key: "HKLM\SYSTEM`, `11:15: not YAML: found unknown escape character; in double quotes a \ begins an escape, in single quotes and without any it does not`,
			`\`},
		{"colon in text", "title: One", "title: One: two", "6:15: not YAML: mapping values are not allowed in this context; check the indentation, and put text that holds a colon and a blank in quotes", `:`},
		{"text that begins with a brace", "rationale: Because.", "rationale: {value} is low", "8:24: not YAML: did not find expected key; check the indentation, close all quotes, and put text that begins with a brace, bracket or quote in quotes", "i"},
		{"quote in quotes", "rationale: Because.", "rationale: 'It's so'", "8:20: not YAML: did not find expected key; check the indentation, close all quotes, and put text that begins with a brace, bracket or quote in quotes", "s"},
		{"less indentation", "    value: One", "   value: One", "12:4: not YAML: did not find expected '-' indicator; check the indentation", "v"},
		{"star", "value: One", "value: *", "12:12: not YAML: did not find expected alphabetic or numeric character; put text that begins with * or & in quotes", "*"},
		{"star with a name", "value: One", "value: *Port", "12:13: not YAML: unknown anchor 'Port' referenced; put text that begins with * in quotes", "P"},
		{"percent", "value: One", "value: %x%", "12:12: not YAML: found character that cannot start any token; put text that begins with this character in quotes", "%"},
		{"tab", "    value: One", "    \tvalue: One", "12:5: not YAML: found a tab character that violates indentation; indent with blanks", "\t"},
		{"no UTF-8", "title: One", "title: On\xe9", "6:14: not YAML: it is neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8", "\ufffd"},
		{"NUL", "title: One", "title: On\x00", "6:14: not YAML: control characters are not allowed", `\x00`},
		{"open brace", "data: {at_least: 5}", "data: {at_least: 5", "16:24: not YAML: did not find expected ',' or '}'; close what is open before this", ""},
		{"open quote", "severity: high", `severity: "high`, "9:19: not YAML: did not find expected key; check the indentation, close all quotes", "A"},
		{"line ends of an old Macintosh", "severity: high\n", "severity: hgih\r", `7:15: severity cannot be "hgih"; did you mean high?`, "h"},
	} {
		_, err := rules.Load("", []byte(strings.Replace(sound, c.old, c.new, 1)))
		mistakes, ok := errors.AsType[rules.Mistakes](err)
		if !ok {
			t.Errorf("%s: it loads", c.name)
			continue
		}
		if got := mistakes[0].Error(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		line, caret, _ := strings.Cut(mistakes[0].Excerpt(), "\n")
		if at := len(caret) - 1; at < 0 || at > len(line) || !strings.HasPrefix(line[at:], c.caret) {
			t.Errorf("%s: the caret does not stand at %q:\n%s", c.name, c.caret, mistakes[0].Excerpt())
		}
	}
}

// TestEncodings loads a pack with a mistake in the encodings in which editors save. Place and line are those that the editor shows.
func TestEncodings(t *testing.T) {
	text := strings.Replace(sound, "pack: example", "pck: example", 1)
	utf16 := func(order binary.AppendByteOrder) string {
		var b []byte
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	for name, data := range map[string]string{"UTF-8": text, "BOM": "\ufeff" + text, "UTF-16LE": utf16(binary.LittleEndian), "UTF-16BE": utf16(binary.BigEndian)} {
		_, err := rules.Load("", []byte(data))
		mistakes, ok := errors.AsType[rules.Mistakes](err)
		if !ok {
			t.Errorf("%s: it loads", name)
			continue
		}
		if got, want := mistakes[0].Error()+"\n"+mistakes[0].Excerpt(), "1:1: a pack has no field \"pck\"; did you mean pack?\n  1 | pck: example\n    | ^"; got != want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// TestMistakes changes one thing in a sound pack and requires exactly the mistakes that this causes, each with its place.
func TestMistakes(t *testing.T) {
	for _, c := range mistakes {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(sound, c.old) == 0 {
				t.Fatalf("%q is not in the pack", c.old)
			}
			_, err := rules.Load("", []byte(strings.Replace(sound, c.old, c.new, 1)))
			if err == nil {
				t.Fatal("it loads")
			}
			want := map[string]bool{}
			for line := range strings.SplitSeq(c.want, "\n") {
				want[line] = true
			}
			got := map[string]bool{}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				got[line] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := rules.LoadFiles(&collection.Local{}, dir); err == nil || !strings.Contains(err.Error(), "holds no rule file") {
		t.Errorf("an empty folder gives %v", err)
	}
	write("b.yaml", strings.Replace(sound, "EX-1", "EX-2", 1))
	write("a.yml", sound)
	write("c.txt", "no rules")
	packs, err := rules.LoadFiles(&collection.Local{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := rules.Rules(packs...)
	if err != nil || len(all) != 2 || all[0].ID != "EX-1" || all[1].ID != "EX-2" {
		t.Errorf("%v, %v", all, err)
	}
	write("b.yaml", sound)
	packs, err = rules.LoadFiles(&collection.Local{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Rules(packs...); err == nil || !strings.Contains(err.Error(), "EX-1 stands in "+filepath.Join(dir, "a.yml")+" already") {
		t.Errorf("an id twice gives %v", err)
	}
	// One file with mistakes is enough: no pack is given.
	write("b.yaml", "pack: [")
	if packs, err := rules.LoadFiles(&collection.Local{}, dir); err == nil || packs != nil {
		t.Errorf("%v, %v", packs, err)
	}
}

// TestBuiltIn runs the tests of the built-in packs, and requires that those of each rule show a pass and a failure.
func TestBuiltIn(t *testing.T) {
	names := rules.BuiltInNames()
	if len(names) < 2 || len(rules.BuiltIn(rules.DefaultPack)) != 1 || len(rules.BuiltIn("no such pack")) != 0 {
		t.Errorf("the built-in packs are %v", names)
	}
	for i, p := range rules.BuiltIn() {
		if p.Name != names[i] {
			t.Errorf("the pack %s is in the file of %s", p.Name, names[i])
		}
		for _, r := range p.Rules {
			wants := map[rules.Reason]int{}
			for _, result := range r.RunTests() {
				wants[result.Test.Want]++
				if result.Err != nil {
					t.Errorf("%s, test %q: %v", r.ID, result.Test.Name, result.Err)
				}
			}
			if wants["pass"] == 0 || len(wants) < 2 {
				t.Errorf("%s needs a passing and a failing test, has %v", r.ID, wants)
			}
			if r.Rationale == "" || len(r.References) == 0 {
				t.Errorf("%s does not say why, or where that is written", r.ID)
			}
		}
	}
}

// FuzzLoad requires of the loader: a mistake has a place in the file and fits on a line, and loading keeps no state. Rules that load answer
// "not covered" if nothing is known, each gives an answer on a registry, and its undo restores that registry.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte(strings.Replace(sound, "severity: high", "severity: [", 1)))
	f.Add([]byte(everything))
	f.Add(rules.Template())
	f.Add([]byte("pack: &a [*a]"))
	f.Add([]byte("a: &a {b: *a}\n---\n"))
	f.Add([]byte("rules: [{overrides: [{when: {windows: \">=6.0\"}}]}]"))
	if builtin, err := os.ReadFile("packs/kb196271.yaml"); err == nil {
		f.Add(builtin)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pack, err := rules.Load("fuzz.yaml", data)
		again, err2 := rules.Load("fuzz.yaml", data)
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("loading twice gives %v and %v", err, err2)
		}
		if err != nil {
			mistakes, ok := errors.AsType[rules.Mistakes](err)
			if !ok || len(mistakes) == 0 || pack != nil {
				t.Fatalf("%#v with pack %v", err, pack)
			}
			lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u0085") +
				strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029") + 2
			if bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")) {
				lines = len(data) // UTF-16, in which a line end has other bytes
			}
			for _, m := range mistakes {
				if m.At.Line < 1 || m.At.Line > lines || m.At.Column < 1 || m.Msg == "" || strings.ContainsAny(m.Msg, "\r\n") {
					t.Fatalf("a mistake without a place in the file, or over several lines: %#v", m)
				}
			}
			return
		}
		if len(again.Rules) != len(pack.Rules) {
			t.Fatal("loading twice gives other rules")
		}
		for _, finding := range rules.Evaluate(hive.NewRegistry(), hive.Windows{}, pack.Rules) {
			if finding.Status != rules.Unknown || finding.Reason != rules.NotCovered && finding.Reason != rules.NotApplicable {
				t.Fatalf("nothing is known, and %s answers %s (%s)", finding.Rule.ID, finding.Status, finding.Reason)
			}
		}
		reg := registry(t, machine)
		answered := map[*rules.Rule]bool{}
		findings := rules.Evaluate(reg, hive.Windows{}, pack.Rules)
		for _, finding := range findings {
			answered[finding.Rule] = true
			if finding.Message == "" || (finding.Status == rules.Pass) != (finding.Reason == "") {
				t.Fatalf("an answer without sense: %+v", finding)
			}
		}
		plan := rules.NewPlan(reg, findings)
		if proof := rules.Prove(reg, hive.Windows{}, pack.Rules, plan, plan.Edits, plan.Undo); !proof.Restored {
			t.Fatalf("the undo of %+v does not restore the registry", plan.Edits)
		}
		rules.Doubts(pack.Rules)
		for _, r := range pack.Rules {
			if !answered[r] {
				t.Fatalf("%s gives no answer", r.ID)
			}
			for _, v := range r.Variants() {
				if fix := v.Terms.Fix; fix != nil && len(fix.Edits()) == 0 {
					t.Fatalf("the fix of %s for %q does nothing", r.ID, v.When)
				}
			}
		}
	})
}
