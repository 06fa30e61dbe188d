package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/search"
	"regvet/internal/glob"
	"regvet/report"
)

var searchCommand = command{
	name: "search", args: "PATTERN INPUT|FOLDER...", short: "find text, numbers or bytes in the names and data of keys and values",
	min: 2, max: -1, files: true, colours: true,
	example: `  regvet search rundll32 NTUSER.DAT
  regvet search --regex --data '\\Temp\\.*\.exe$' case.zip
  regvet search 0x1388 --type REG_DWORD SYSTEM
  regvet search --bytes 'de ad be ef' --slack SOFTWARE
  regvet search --deleted --key 'HKCU\**\Run*' --format jsonl exe /mnt/image
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(searchOptions)
		f.BoolVarP(&o.regex, "regex", "E", false, "PATTERN is a regular expression (RE2); it is matched in each name and each string")
		f.BoolVarP(&o.bytes, "bytes", "x", false, "PATTERN is bytes in hex, such as 'de ad be ef', to be found in data")
		f.BoolVarP(&o.ignoreCase, "ignore-case", "i", true, "find text in any case, as Windows compares names; --ignore-case=false does not")
		f.BoolVar(&o.names, "names", false, "look in the names of keys, and not elsewhere unless another flag says so")
		f.BoolVar(&o.values, "values", false, "likewise, in the names of values")
		f.BoolVar(&o.data, "data", false, "likewise, in the data of values")
		parseFlag(f, &o.types, "type", "", "look only at values of these `TYPES`, such as REG_SZ,REG_BINARY", parseTypes)
		keyFlag(f, &o.keys, "look only at the keys that this `GLOB` matches, and below them, such as 'HKLM\\SYSTEM\\*\\Services' or '**\\Run'")
		f.BoolVar(&o.deleted, "deleted", false, "look also in deleted keys and values that are still in free cells or slack")
		f.BoolVar(&o.slack, "slack", false, "look also in all bytes of a hive that nothing uses: free cells and slack")
		f.BoolVar(&o.vss, "vss", false, "look also in the shadow copies in images, of an earlier time")
		formatFlag(f, &o.format, "text", "jsonl", "csv")
		outputFlag(f, &o.output)
		noMarkFlag(f, &o.noMark)
		f.BoolVar(&o.noLimit, "no-limit", false, "do not stop when the hits in an input are more than a hundred times as long as it is")
		o.input.define(f)
		return o.run
	},
}

type searchOptions struct {
	regex, bytes, ignoreCase bool
	names, values, data      bool
	types                    parsed[[]hive.Type]
	keys                     parsed[glob.Key]
	deleted, slack           bool
	vss                      bool // look in shadow copies, too
	format                   choice
	output                   string
	noMark                   bool
	noLimit                  bool
	input                    inputFlags
}

// parseTypes parses names of types, in any case, or their numbers in hex with 0x in front.
func parseTypes(text string) (types []hive.Type, err error) {
	for word := range strings.SplitSeq(text, ",") {
		name := strings.ToUpper(strings.TrimSpace(word))
		if strings.HasPrefix(name, "0X") {
			name = strings.ToLower(name)
		}
		t, ok := hive.ParseType(name)
		if !ok {
			return nil, fmt.Errorf("there is no type %q%s; it is such as REG_SZ, or a number such as 0x10", word, suggest(name, hive.TypeNames()))
		}
		types = append(types, t)
	}
	return types, nil
}

// query returns what the flags ask for. If something is wrong with them, query writes what and returns nil.
func (o *searchOptions) query(s *session, pattern string) *search.Query {
	var places []search.Place
	for _, p := range []struct {
		wanted bool
		place  search.Place
	}{{o.names, search.KeyName}, {o.values, search.ValueName}, {o.data, search.Data}} {
		if p.wanted {
			places = append(places, p.place)
		}
	}
	kind := search.Literal
	switch {
	case o.regex && o.bytes:
		s.fail(statusUsage, "--regex and --bytes say two things about PATTERN; give one")
		return nil
	case o.bytes && places != nil && !o.data:
		s.fail(statusUsage, "--bytes looks in data only; leave out --names and --values")
		return nil
	case o.slack && (o.keys.text != "" || o.types.value != nil):
		s.fail(statusUsage, "what lies in slack has no key and no type; leave out --slack, or --key and --type")
		return nil
	case o.regex:
		kind = search.Regex
	case o.bytes:
		kind = search.Bytes
	}
	p, err := search.Compile(pattern, kind, o.ignoreCase)
	if err != nil {
		s.fail(statusUsage, "%v", err)
		return nil
	}
	return &search.Query{Pattern: p, Places: places, Types: o.types.value}
}

// run searches the inputs one after the other, each with all processors, so that hits need not wait in memory for those of other inputs.
func (o *searchOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	query := o.query(s, args[0])
	if query == nil {
		return
	}
	s.files.Protect(o.input.logs...)
	s.files.Shadows = o.vss
	inputs := groups(s, args[1:], o.input.mount.value == nil)
	if s.failed() {
		return
	}
	file := o.output
	if file == "-" {
		file = ""
	}
	sink := s.begin(output{format: o.format.value, file: file, noMark: o.noMark})
	if sink == nil {
		return
	}
	hits := report.NewHits(o.format.value, sink.style)
	err := hits.Begin(sink)
	look := func(s *session, together collection.Joined) []struct{} {
		for _, in := range together {
			if in.SameAs != "" {
				s.say("%s has the same bytes as %s; the hits are those there", in.Name(), collection.DisplayName(in.SameAs))
				continue
			}
			if err == nil {
				err = o.search(s, sink, hits, query, in)
			}
			s.facts(in)
		}
		return nil
	}
	each(s, inputs, &o.input, o.input.options(false), batch{live: file == "", one: true}, look, func(groupResult[struct{}]) {})
	sink.end(err)
	if hits.Found() > 0 {
		s.raise(statusFindings)
	}
}

// search searches an input. The error is that of the output.
func (o *searchOptions) search(s *session, sink io.Writer, hits *report.Hits, query *search.Query, in *collection.Opened) error {
	q := *query
	if o.keys.text != "" {
		q.Keys = o.keys.value.In(in.Registry)
	}
	if !o.noLimit {
		sink = &limited{w: sink, left: max(mostGrowth*in.Size, leastLimit)}
	}
	err := hits.Input(sink, in, &q, o.deleted, o.slack)
	if errors.Is(err, errLimit) {
		s.refuse(in.Path, fmt.Errorf("the hits are more than %d times as long as the input and end here; --no-limit writes all of them, and a longer PATTERN or --key finds fewer", mostGrowth))
		return nil
	}
	return err
}
