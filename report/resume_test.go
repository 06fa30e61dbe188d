package report

import (
	"maps"
	"strings"
	"testing"
)

// TestReadPart reads parts as interrupted runs leave them, and files that no run wrote.
func TestReadPart(t *testing.T) {
	const (
		start   = `{"schema_version":"1","tool":{"name":"regvet","version":"1"},"run":{"date":"","command":"regvet check a b","packs":[]}}` + "\n"
		input   = `{"input":{"path":"a"}}` + "\n"
		doneA   = `{"done":{"name":"a","status":1,"pass":2,"fail":1,"unknown":0,"not_applicable":0,"unasked_inputs":0}}` + "\n"
		doneB   = `{"done":{"name":"b","status":3,"pass":0,"fail":4,"unknown":0,"not_applicable":0,"unasked_inputs":1}}` + "\n"
		summary = `{"summary":{"rules":1}}` + "\n"
	)
	for _, c := range []struct {
		name, text, whole string // the part that is gone on with
		done              map[string]int
		complete          bool
	}{
		{"nothing", "", "", nil, false},
		{"no first line", start[:20], "", nil, false},
		{"a first line without its end", strings.TrimSuffix(start, "\n"), "", nil, false},
		{"a first line", start, start, nil, false},
		{"an input that is not done", start + input, start, nil, false},
		{"an input that is done", start + input + doneA, start + input + doneA, map[string]int{"a": 1}, false},
		{"half of the next", start + input + doneA + input + doneB[:30], start + input + doneA, map[string]int{"a": 1}, false},
		{"both", start + doneA + doneB, start + doneA + doneB, map[string]int{"a": 1, "b": 3}, false},
		{"all of it", start + doneA + doneB + summary, start + doneA + doneB, map[string]int{"a": 1, "b": 3}, true},
		{"what a power cut left", start + doneA + "\x00\x00\x00\n", start + doneA, map[string]int{"a": 1}, false},
		{"an end of nothing", start + `{"done":null}` + "\n" + doneA, start, nil, false},
		{"another type", start + `{"done":[1]}` + "\n" + doneA, start, nil, false},
		{"text", "a\nb\nc\n" + doneA, "", nil, false},
		{"another program's lines", `{"done":{"name":"a"}}` + "\n" + doneA, "", nil, false},
		{"a line that no run writes", strings.Repeat("x", 1<<20), "", nil, false},
	} {
		p, err := ReadPart(strings.NewReader(c.text))
		if err != nil || p.Size != int64(len(c.whole)) || !maps.Equal(p.Done, c.done) || p.Complete != c.complete {
			t.Errorf("%s: %+v, %v; want %d bytes, %v, %v", c.name, p, err, len(c.whole), c.done, c.complete)
		}
	}
	p, _ := ReadPart(strings.NewReader(start + doneA + doneB))
	if p.counts.Fail != 5 || p.counts.Pass != 2 || p.counts.UnaskedInputs != 1 {
		t.Errorf("the counts are %+v", p.counts)
	}
	if !p.Holds("a") || p.Holds("c") {
		t.Error("it does not know what is done")
	}
	r := Report{Version: "1", Run: Run{Command: "regvet check --resume a b"}}
	for _, c := range []struct {
		change func(*Report)
		want   string
	}{
		{func(*Report) {}, ""},
		{func(r *Report) { r.Version = "2" }, "is of regvet 1"},
		{func(r *Report) { r.Run.Command = "regvet check a c" }, "is of another command, regvet check a b"},
		{func(r *Report) { r.Run.Packs = []RunPack{{"mine", "00", 1}} }, "is of other rules"},
	} {
		other := r
		c.change(&other)
		if got := p.Differs(other); got != c.want {
			t.Errorf("it differs: %q, want %q", got, c.want)
		}
	}
}
