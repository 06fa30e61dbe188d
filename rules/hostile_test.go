package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/strict"
)

// peak runs f and returns by how many bytes the heap grew at most while it ran.
func peak(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // else half of it may be garbage, and on a busy machine more
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapInuse
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var high uint64
		for {
			select {
			case <-done:
				most <- high
				return
			case <-time.After(2 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				high = max(high, m.HeapInuse)
			}
		}
	}()
	f()
	close(done)
	return max(<-most, before) - before
}

// numbered writes a text n times, each with its number.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestHostile loads files that are made to exhaust their reader: large ones, or small ones that stand for much. Whether they load or not, they
// take less than ten seconds, and less memory than 20 times their size and 200 MB.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is measured, which the race detector needs more of")
	}
	const large = strict.MaxSize
	rep := strings.Repeat
	// one is a pack of one rule with one thing in it replaced, and more a pack of many rules with some data.
	one := func(old, new string) string {
		text := "pack: p\ntitle: P\nrules:\n- id: A\n  title: A\n  severity: low\n  key: HKLM\\X\n  value: V\n  missing: pass\n  expect: {data: {equals: 1}}\n"
		return strings.Replace(text, old, new, 1)
	}
	more := func(n int, data string) string {
		return "pack: p\ntitle: P\nrules:\n" + numbered("- {id: R%d, title: T, severity: low, key: HKLM\\A, value: V, missing: pass, expect: {data: {"+data+"}}}\n", n)
	}
	const tooMuch = " stands for too much: with it, a rule file takes more memory than it may; make it simpler, or write several files"
	for _, c := range []struct{ name, text, want string }{
		{"names", one("{equals: 1}", "{in: ["+rep("1,", large/2-100)+"]}"), "1:1: the file says too much: about 16777045 names and values, and it may have 1548571; write several files"},
		{"as many names as there may be", one("{data: {equals: 1}}", "{"+rep("a,", 760_000)+"}\n#"+rep("x", large-1_600_000)), "10:12: expect has no field \"a\""},
		{"lists that have nothing in common", one("equals: 1", "in: ["+numbered(`"x%d",`, 120_000)+"], not_in: ["+numbered(`"x%d",`, 120_000)+"]"), "10:18: data leaves no data"},
		{"numbers far apart", one("{data: {equals: 1}}", "{valid: {not_in: ["+numbered("1%d5,", 120_000)+"]}, data: {not_in: ["+numbered("1%d7,", 120_000)+"]}}"), ""},
		{"types and data", one("{data: {equals: 1}}", "{type: ["+rep("0x99,", 120_000)+"], data: {in: ["+numbered(`"x%d",`, 120_000)+"]}}"), "10:600033: data of rule A ask"},
		{"overrides", one("  missing", "  overrides:\n"+rep("  - {when: {windows: '6.0'}, severity: low}\n", 25_000)+"  missing"), "10:3: a rule has at most 100 overrides; write several rules"},
		{"conditions", one("  missing", "  when:\n    any:\n"+rep("    - {windows: '6.0'}\n", 50_000)+"  missing"), "4:3: a rule has at most 500 conditions, and this one has 50001; write several rules"},
		{"bound names", one(`\X`, `\`+numbered("{a%d}", 300_000)), "7:8: key" + tooMuch},
		{"some bound names", one(`\X`, `\`+numbered("{a%d}", 33)), "7:8: the rule binds 33 names; it can bind 32"},
		{"levels", one(`\X`, rep(`\a`, large/2-100)), "7:8: key has 8388508 levels; Windows keeps at most 512"},
		{"patterns", one(": V", ": '"+rep("*", large/4)+"'"), "8:10: value" + tooMuch},
		{"globs", more(2_000, "glob: 'a*"+rep("a", 1_000)+"'"), "1000:99: glob" + tooMuch},
		{"a long regular expression", one("equals: 1", "matches: '"+rep("a.", large/8)+"'"), "10:28: matches is a regular expression of 4194304 bytes; want at most 10000"},
		{"regular expressions that repeat", more(15_000, "matches: '(a{1000})'"), "503:102: matches" + tooMuch},
		{"classes of characters", more(1_000, "matches: '"+rep(`\pL`, 900)+"'"), "10:100: matches" + tooMuch},
		{"unknown fields", one("  missing", numbered("  fild%d: 1\n", 100_000)+"  missing"), "9:3: a rule has no field \"fild0\""},
		{"unknown placeholders", one("  missing", "  messages: {mismatch: '"+rep("{valu}", 200_000)+"'}\n  missing"), "9:24: there is no placeholder {valu}; did you mean {value}?"},
		{"a long word", one("low", rep("x", large/4)), "6:13: severity cannot be \"xxxxx"},
		{"an alias of a long text", "pack: p\ntitle: &a " + rep("x", large/8) + "\nrules:\n" + rep("- {id: A, title: *a, severity: *a}\n", 15_000), "4:18: the file says too much: about "},
		{"times of tests", one("  missing", "  tests:\n  - {name: a, reg: '', want: pass, written: {"+numbered(`HKLM\a%d: 2019-12-31,`, 120_000)+"}}\n  missing"), ""},
		{"references of all rules", strings.Replace(more(10_000, "equals: 1"), "title: P", "title: P\nreferences: ["+rep("a,", 80_000)+"]", 1), "66:3: references" + tooMuch},
		{"directives", numbered("%%TAG !a%d! tag:x\n", 100_000) + "---\n" + one("", ""), "1:1: the file says too much: "},
		{"lists in one another", one("equals: 1", "in: "+rep("[", 300)+rep("]", 300)), "10:72: lists and mappings are nested in more than 250 levels"},
		{"names of lists", one("equals: 1", "in: {list: ["+rep("a,", 120_000)+"]}"), "10:23: in names 120000 lists; it can name 16"},
		{"lists that are not there", strings.Replace(more(4_000, "in: {list: ab}"), "rules:", "lists:\n"+numbered("- {list: a%d, title: t, entries: [{is: x, from: y}]}\n", 4_000)+"rules:", 1), "4005:102: there is no list \"ab\"; did you mean a"},
		{"entries of lists", one("rules:", "lists: [{list: a, title: t, entries: [{from: y, is: ["+numbered("x%d,", 100_000)+"]}]}]\nrules:"), ""},
		{"a long title of a list", one("rules:", "lists: [{list: a, title: "+rep("t", 1_000_000)+", entries: [{from: y, is: x}]}]\nrules:"), "3:26: the title of a list has at most 200 bytes, and this one has 1000000"},
		{"a mistake far behind", one("{equals: 1}", "{in: ["+rep("aa ", 300_000)+"}"), "10:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			most := peak(func() { _, err = rules.Load("", []byte(c.text)) })
			if limit := uint64(20*len(c.text) + 200<<20); most > limit {
				t.Errorf("it takes %d bytes, more than %d", most, limit)
			}
			if (err != nil) != (c.want != "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %.300v\nwant %s", err, c.want)
			}
			if err != nil && strings.Count(err.Error(), "\n") > 200 {
				t.Errorf("%d mistakes", strings.Count(err.Error(), "\n"))
			}
		})
	}
}

// TestLimits requires the limits of a run: the size of files, and the number of rules, which is checked before they are read.
func TestLimits(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	pack := func(name string, n int) string {
		return "pack: " + name + "\ntitle: P\nrules:\n" + numbered("- {id: "+name+"%d, title: T, severity: low, key: HKLM\\A, expect: {exists: true}}\n", n)
	}
	load := func(path, want string) []*rules.Pack {
		t.Helper()
		packs, err := rules.LoadFiles(&collection.Local{}, path)
		if got := fmt.Sprint(err); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		return packs
	}
	large := write("large.yaml", strings.Repeat("#", strict.MaxSize+1))
	load(large, large+": has at least 16777217 bytes; at most 16777216 (16 MB) are read: write several files")
	full := write("large.yaml", strings.Repeat("#", strict.MaxSize))
	load(full, full+":1:1: the file holds no rules; a rule file starts with \"pack: NAME\"")
	_, err := rules.Load("pipe", make([]byte, strict.MaxSize+1))
	if want := "pipe: has at least 16777217 bytes; at most 16777216 (16 MB) are read: write several files"; fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	many := write("large.yaml", pack("a", 100_000))
	start := time.Now()
	load(many, many+": there are 100000 rules or more; a run takes at most 20000: check with some of them at a time")
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("that there are too many rules is said after %v", took)
	}
	write("large.yaml", pack("a", 10_001))
	a := load(dir, "<nil>")
	write("more.yaml", pack("b", 10_001))
	load(dir, dir+": there are 20002 rules or more; a run takes at most 20000: check with some of them at a time")
	b := load(filepath.Join(dir, "more.yaml"), "<nil>")
	_, err = rules.Rules(append(a, b...)...)
	if want := "there are 20002 rules or more; a run takes at most 20000: check with some of them at a time"; fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
