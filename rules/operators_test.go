package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestOperators applies each operator to data of each type that it is for, and to one that it is not for.
func TestOperators(t *testing.T) {
	const (
		number = `"V"=dword:00000005`
		text   = `"V"="abc"`
		multi  = `"V"=hex(7):61,00,62,00,63,00,00,00,64,00,65,00,66,00,00,00,00,00`
		expand = `"V"=hex(2):61,00,62,00,63,00,00,00`
		binary = `"V"=hex:01,00,ff`
		quad   = `"V"=hex(b):05,00,00,00,00,00,00,80`
		big    = `"V"=hex(5):00,00,00,05`
		ranges = `"V"=hex(7):35,00,2d,00,39,00,00,00,37,00,2d,00,37,00,00,00,00,00` // 5-9, 7-7
		turned = `"V"=hex(7):39,00,2d,00,35,00,00,00,00,00`                         // 9-5
		empty  = `"V"=hex(7):`
	)
	for _, c := range []struct{ data, reg, want string }{
		{"equals: 5", number, "pass"}, {"equals: 6", number, "mismatch"}, {"equals: 5", big, "pass"}, {"equals: 5", text, "wrong-type"},
		{"equals: 0x8000000000000005", quad, "pass"}, {`equals: "abc"`, text, "pass"}, {`equals: "ABC"`, text, "mismatch"},
		{`equals: "abc"`, expand, "pass"}, {`equals: "5"`, number, "wrong-type"}, {`equals: ["abc", "def"]`, multi, "pass"},
		{`equals: ["abc"]`, multi, "mismatch"}, {`equals: ["abc"]`, text, "wrong-type"},
		{"not: 5", number, "mismatch"}, {"not: 6", number, "pass"}, {`not: "x"`, text, "pass"}, {`not: ["abc", "def"]`, multi, "mismatch"},
		{"in: [1, 5]", number, "pass"}, {"in: [1, 6]", number, "mismatch"}, {`in: ["abc", "x"]`, text, "pass"}, {`in: ["abc", 5]`, number, "pass"},
		{"not_in: [1, 5]", number, "mismatch"}, {"not_in: [1, 6]", number, "pass"}, {`not_in: ["abc"]`, text, "mismatch"}, {`not_in: ["x"]`, text, "pass"},
		{"at_least: 5", number, "pass"}, {"at_least: 6", number, "mismatch"}, {"at_least: 5", quad, "pass"}, {"at_least: 5", text, "wrong-type"},
		{"at_most: 5", number, "pass"}, {"at_most: 4", number, "mismatch"}, {"above: 4", number, "pass"}, {"above: 5", number, "mismatch"},
		{"below: 6", number, "pass"}, {"below: 5", number, "mismatch"}, {"between: [5, 6]", number, "pass"}, {"between: [6, 7]", number, "mismatch"},
		{"bits_set: 5", number, "pass"}, {"bits_set: 7", number, "mismatch"}, {"bits_clear: 2", number, "pass"}, {"bits_clear: 6", number, "mismatch"},
		{"bits_set: 0x8000000000000000", quad, "pass"}, {"bits_set: 1", binary, "wrong-type"},
		{`matches: "^a.c$"`, text, "pass"}, {`matches: "^b"`, text, "mismatch"}, {`matches: "^d"`, multi, "pass"}, {`matches: "^A"`, text, "mismatch"},
		{`matches: "(?i)^A"`, text, "pass"}, {`matches: "5"`, number, "wrong-type"},
		{`glob: "a*"`, text, "pass"}, {`glob: "A*"`, text, "mismatch"}, {`glob: "a?c"`, expand, "pass"}, {`glob: "a?"`, text, "mismatch"}, {`glob: "*f"`, multi, "pass"},
		{`equals_fold: "ABC"`, text, "pass"}, {`equals_fold: "ABD"`, text, "mismatch"}, {`equals_fold: ["ABC", "DEF"]`, multi, "pass"},
		{`contains: "b"`, text, "pass"}, {`contains: "B"`, text, "mismatch"}, {`contains: "def"`, multi, "pass"}, {`contains: "de"`, multi, "mismatch"},
		{`contains_all: ["abc", "def"]`, multi, "pass"}, {`contains_all: ["abc", "x"]`, multi, "mismatch"}, {`contains_all: ["a", "c"]`, text, "pass"},
		{`contains_only: ["abc", "def", "x"]`, multi, "pass"}, {`contains_only: ["abc"]`, multi, "mismatch"}, {`contains_only: ["abc"]`, text, "wrong-type"},
		{`only: ["abc", "def", "x"]`, multi, "pass"}, {`only: ["abc"]`, multi, "mismatch"}, {`only: ["abc"]`, empty, "pass"}, {`only: ["abc"]`, text, "wrong-type"},
		{`any_matches: "^d"`, multi, "pass"}, {`any_matches: "^x"`, multi, "mismatch"}, {`any_matches: "^d"`, empty, "mismatch"}, {`any_matches: "a"`, text, "wrong-type"},
		{`all_match: "^..."`, multi, "pass"}, {`all_match: "^a"`, multi, "mismatch"}, {`all_match: "^a"`, empty, "pass"},
		{`none_matches: "^x"`, multi, "pass"}, {`none_matches: "^d"`, multi, "mismatch"}, {`none_matches: "a"`, empty, "pass"}, {`none_matches: "a"`, number, "wrong-type"},
		{`equals: "ABC", fold: true`, text, "pass"}, {`equals: ["ABC", "DEF"], fold: true`, multi, "pass"}, {`equals: "ABC", fold: false`, text, "mismatch"},
		{`not: "ABC", fold: true`, text, "mismatch"}, {`in: ["ABC", 5], fold: true`, text, "pass"}, {`in: ["ABC", 5], fold: true`, number, "pass"}, {`not_in: ["ABC"], fold: true`, text, "mismatch"},
		{`matches: "^A.C$", fold: true`, text, "pass"}, {`any_matches: "^DE", fold: true`, multi, "pass"}, {`all_match: "^[A-F]+$", fold: true`, multi, "pass"},
		{`none_matches: "^DE", fold: true`, multi, "mismatch"}, {`glob: "A?C", fold: true`, text, "pass"}, {`contains: "BC", fold: true`, text, "pass"}, {`contains: "DEF", fold: true`, multi, "pass"},
		{`contains_all: ["A", "C"], fold: true`, text, "pass"}, {`only: ["ABC", "DEF"], fold: true`, multi, "pass"}, {`contains_only: ["ABC"], fold: true`, multi, "mismatch"},
		{`equals: {value: $W}, fold: true`, text + "\n" + `"W"="ABC"`, "pass"}, {`equals: "ÄÖ", fold: true`, `"V"=hex(1):e4,00,f6,00,00,00`, "pass"}, {`equals: "STRASSE", fold: true`, `"V"=hex(1):73,00,74,00,72,00,61,00,df,00,65,00,00,00`, "mismatch"},
		{"at: 1, equals: 0", binary, "pass"}, {"at: 0, width: 2, equals: 1", binary, "pass"}, {"at: 1, width: 2, equals: 0xff00", binary, "pass"}, {"at: 2, bits_set: 0x80", binary, "pass"},
		{"at: 2, bits_clear: 1", binary, "mismatch"}, {"at: 0, at_least: 2", binary, "mismatch"}, {"at: 0, in: [1, 2]", binary, "pass"}, {"at: 2, above: 0xfe, not: 0", binary, "pass"},
		{"at: 2, between: [1, 0xff]", binary, "pass"}, {"at: 3, equals: 0", binary, "wrong-type"}, {"at: 2, width: 2, equals: 0xff", binary, "wrong-type"},
		{"at: 0xffffffffffffffff, width: 8, equals: 0", binary, "wrong-type"}, {"at: 0, equals: 5", number, "wrong-type"}, {"at: 0, width: 8, equals: 0x0807060504030201", `"V"=hex:01,02,03,04,05,06,07,08`, "pass"},
		{"ranges: [5, 9]", ranges, "pass"}, {"ranges: [6, 9]", ranges, "mismatch"}, {"ranges: [5, 8]", ranges, "mismatch"}, {"ranges: [1, 9]", turned, "mismatch"},
		{"ranges: [1, 9]", multi, "mismatch"}, {"ranges: [1, 9]", empty, "pass"}, {"ranges: [1, 9]", text, "wrong-type"},
		{"apart_from: [1, 4]", ranges, "pass"}, {"apart_from: [10, 20]", ranges, "pass"}, {"apart_from: [9, 20]", ranges, "mismatch"},
		{"apart_from: [1, 5]", ranges, "mismatch"}, {"apart_from: [6, 6]", ranges, "mismatch"}, {"apart_from: [1, 9]", turned, "pass"},
		{"apart_from: [1, 9]", multi, "pass"}, {"apart_from: [1, 9]", number, "wrong-type"},
		{"length: {equals: 3}", text, "pass"}, {"length: {equals: 2}", multi, "pass"}, {"length: {at_least: 4}", binary, "mismatch"}, {"length: {between: [1, 4]}", number, "pass"},
		{`bytes: "01 00 FF"`, binary, "pass"}, {`bytes: "01,00"`, binary, "mismatch"}, {`bytes: "05000000"`, number, "pass"},
		{"at_least: {value: $W}", number + "\n" + `"W"=dword:00000004`, "pass"}, {"at_least: {value: $W}", number + "\n" + `"W"=dword:00000006`, "mismatch"},
		{"equals: {value: $W}", text + "\n" + `"w"="abc"`, "pass"}, {"equals: {value: $(default)}", text + "\n" + `@="abc"`, "pass"},
		{"not: {value: $W}", text + "\n" + `"W"="abc"`, "mismatch"}, {"equals: {value: $W}", number, "mismatch"},
		{"equals: {value: $W}", number + "\n" + `"W"="5"`, "mismatch"}, {"contains: {value: $W}", text + "\n" + `"W"="bc"`, "pass"},
		{"equals: {value: $W}", number + "\n" + `"W"=dword:xyz`, "damaged"},
		{"at_least: 3, bits_set: 1, not: 7", number, "pass"}, {"at_least: 3, bits_set: 1, not: 5", number, "mismatch"},
	} {
		rule := load(t, "value: V\nexpect: {data: {"+c.data+"}}\nmissing: fail")
		f := rules.Evaluate(registry(t, c.reg), hive.Windows{}, rule)[0]
		got := string(f.Reason)
		if f.Status == rules.Pass {
			got = "pass"
		}
		if got != c.want {
			t.Errorf("%s of %s: got %s (%s), want %s", c.data, c.reg, got, f.Message, c.want)
		}
	}
}

// machine is a registry of two users, two services of one kind and one of another.
const machine = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services]
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Alpha]
"Start"=dword:00000002
"ImagePath"="C:\\Alpha\\alpha.exe"
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Alpha\Parameters]
"MaxUserPort"=dword:00001388
"MaxTcpPort"=dword:00000001
"Other"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Beta]
"Start"=dword:00000004
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Gamma\Parameters]
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\{4d36e972-e325-11ce-bfc1-08002be10318}\0000]
[HKEY_USERS\S-1-5-21-1\Software\Example]
"On"=dword:00000001
[HKEY_USERS\S-1-5-21-2\Software\Example]
"On"=dword:00000000
[HKEY_USERS\S-1-5-21-2\Software\Other]
[HKEY_LOCAL_MACHINE\SOFTWARE\Some\One]
"X"=dword:00000001
[HKEY_LOCAL_MACHINE\SOFTWARE\Some\Two\Below]
`

// TestWhere evaluates rules that match several places, or keys, or nothing, and requires all of their answers.
func TestWhere(t *testing.T) {
	const services = `key: HKLM\SYSTEM\CurrentControlSet\Services`
	for _, c := range []struct {
		name, rule string
		want       []string // status, reason, last two names of the key, value, message
	}{
		{"a default in hex", services + `\Beta
			value: Bytes
			expect: {type: REG_BINARY, data: {bytes: "01 ff", length: {equals: 2}}}
			missing: {default: "01,FF"}`, []string{`pass  Services\Beta Bytes: Bytes is not set; Windows uses 01,FF`}},
		{"a star", services + `\*
			value: Start
			expect: {type: REG_DWORD, data: {not: 4}}
			missing: pass`, []string{
			`pass  Services\Alpha Start: Start is 2`, `fail mismatch Services\Beta Start: Start is 4; want not 4`,
			`pass  Services\Gamma Start: Start is not set`, `pass  Services\{4d36e972-e325-11ce-bfc1-08002be10318} Start: Start is not set`}},
		{"part of a name", services + `\A*a
			value: Start
			expect: {exists: true}`, []string{`pass  Services\Alpha Start: Start is 2`}},
		{"a bound name", services + `\{service}\Parameters
			value: Other
			expect: {exists: false}
			messages: {present: "{service} has {value}"}`, []string{`fail present Alpha\Parameters Other: Alpha has Other`, `pass  Gamma\Parameters Other: Other is not set`}},
		{"a name in braces that is none", services + `\{4D36E972-e325-11ce-bfc1-08002be10318}\*
			expect: {exists: true}`, []string{`pass  {4d36e972-e325-11ce-bfc1-08002be10318}\0000 (key): the key is there`}},
		{"any depth", services + `\**\Parameters
			expect: {exists: true}`, []string{`pass  Alpha\Parameters (key): the key is there`, `pass  Gamma\Parameters (key): the key is there`}},
		{"values by pattern", services + `\Alpha\Parameters
			value: Max*Port
			expect: {data: {at_least: 5000}}
			missing: fail`, []string{`pass  Alpha\Parameters MaxUserPort: MaxUserPort is 5000`, `fail mismatch Alpha\Parameters MaxTcpPort: MaxTcpPort is 1; want at least 5000`}},
		{"no value that is like it", services + `\Alpha\Parameters
			value: Min*
			expect: {type: REG_DWORD}
			missing: fail`, []string{`fail missing Alpha\Parameters Min*: Min* is not set`}},
		{"no key that is like it", services + `\Alpha\P{rest}\*
			value: X
			expect: {type: REG_DWORD}
			missing: fail`, []string{`pass  P{rest}\* X: there is no such key`}},
		{"a key that must be there", services + `\Alpha\Enum
			expect: {exists: true}`, []string{`fail missing Alpha\Enum (key): the key is not there`}},
		{"a key that must not be there", services + `\Alpha
			expect: {exists: false}`, []string{`fail present Services\Alpha (key): the key is there; it must not be`}},
		{"each user", `key: HKCU\Software\Example
			value: On
			expect: {data: {equals: 1}}
			missing: fail`, []string{`pass  Software\Example On: On is 1`, `fail mismatch Software\Example On: On is 0; want 1`}},
		{"conditions for each user", `all:
			  - {key: 'HKCU\Software\Example', value: On, expect: {data: {equals: 0}}}
			  - {key: 'HKCU\Software\Other'}`, []string{`fail mismatch Software\Example On: On is 1; want 0`, `pass  Software\Example On: On is 0; the key is there`}},
		{"conditions at each key", services + `\{service}
			any:
			  - {value: Start, expect: {data: {equals: 4}}}
			  - {key: 'HKLM\SYSTEM\CurrentControlSet\Services\{service}\Parameters', value: MaxUserPort}
			messages: {mismatch: "{service} runs without a port"}`, []string{
			`pass  Services\Alpha (key): MaxUserPort is 5000`, `pass  Services\Beta Start: Start is 4`,
			`fail mismatch Services\Gamma Start: Gamma runs without a port`, `fail mismatch Services\{4d36e972-e325-11ce-bfc1-08002be10318} Start: {4d36e972-e325-11ce-bfc1-08002be10318} runs without a port`}},
		{"none", `none: [{key: 'HKLM\SYSTEM\CurrentControlSet\Services\*\Parameters', value: "Max*", expect: {data: {below: 10}}}]`,
			[]string{`fail mismatch Alpha\Parameters MaxTcpPort: MaxTcpPort is 1`}},
		{"where it applies", services + `\{service}
			value: ImagePath
			when: {value: Start, expect: {data: {not: 4}}}
			expect: {data: {contains: " "}}
			missing: pass`, []string{`fail mismatch Services\Alpha ImagePath: ImagePath is C:\Alpha\alpha.exe; want with " "`}},
		{"where it does not apply", services + `\Beta
			value: Start
			when: {hive: SAM}
			expect: {exists: true}`, []string{`unknown not-applicable Services\Beta Start: the rule is for hive SAM, and the input holds no hive SAM`}},
		{"some keys not covered", `key: HKLM\SOFTWARE\Some\{name}
			value: X
			expect: {exists: true}`, []string{`pass  Some\One X: X is 1`, `unknown not-covered Some\Two X: the input does not cover this key`,
			`unknown not-covered SOFTWARE\Some X: the input does not cover all keys below this one`}},
		{"any depth where not all is covered", `key: HKLM\SOFTWARE\**
			value: Y
			expect: {exists: false}`, []string{`pass  SOFTWARE\** Y: Y is set in none of 2 keys`,
			`unknown not-covered HKEY_LOCAL_MACHINE\SOFTWARE Y: the input does not cover this key; so it is at 5 more places`}},
		{"what is not covered", `key: HKLM\SECURITY\*\Example
			value: X
			expect: {exists: true}`, []string{`unknown not-covered HKEY_LOCAL_MACHINE\SECURITY X: the input does not cover all keys below this one`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "pack: test\ntitle: Test\nrules:\n  - id: R\n    title: T\n    severity: low\n"
			for line := range strings.SplitSeq(c.rule, "\n") {
				text += "    " + strings.TrimPrefix(line, "\t\t\t") + "\n"
			}
			p, err := rules.Load("test.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range rules.Evaluate(registry(t, machine), hive.Windows{}, p.Rules) {
				value := rules.ValueName(f.Value)
				if f.AboutKey {
					value = "(key)"
				}
				got = append(got, fmt.Sprintf("%s %s %s %s: %s", f.Status, f.Reason, f.RealKey[max(0, len(f.RealKey)-2):], value, f.Message))
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}
