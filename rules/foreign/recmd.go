package foreign

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

// RECmd takes batch files (.reb) in YAML, an entry for each key that it lists (https://github.com/EricZimmerman/RECmd, whose source tells what
// follows). An entry is about the hives of one type, whose keys it names from the root. Without ValueName it lists all values of a key, and a
// key without values itself; with Recursive also those of all keys below. An entry becomes an inventory. One for NTUSER.DAT is about each user
// here, the one of the logon screen (.DEFAULT) included.
//
// Its program lists less than an entry says in some places, where the text counts here: bytes are "(Binary data)" unless IncludeBinary is set, and
// have no hex; behind a * it does not go below a key that lacks the value. It also takes FILETIME and EPOCH of text, which says nothing.
//
// Where RECmd has a plugin for a key, and DisablePlugin is not set, it lists what the plugin reads from that key and perhaps from those below.
// The same values are listed here, as they are stored, and times and text in bytes are shown as such. What else a plugin decodes is told.

func init() {
	formats = append(formats, format{"recmd", "batch files of RECmd (.reb)", isRECmd, readRECmd})
}

var rebLines = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{regexp.MustCompile(`(?m)^Keys:`), regexp.MustCompile(`(?m)^[ -]+HiveType:`), regexp.MustCompile(`(?m)^[ -]+KeyPath:`)}
})

func isRECmd(name string, data []byte) bool {
	if strings.HasSuffix(strings.ToLower(name), ".reb") {
		return true
	}
	content := text(data)
	return !slices.ContainsFunc(rebLines(), func(line *regexp.Regexp) bool { return !line.MatchString(content) })
}

// rebRoots are the roots of the hives of a type, by its name in capitals.
var rebRoots = map[string]string{
	"NTUSER": "HKCU", "USRCLASS": `HKCU\Software\Classes`, "DEFAULT": `HKU\.DEFAULT`, "BCD": `HKLM\BCD00000000`, "BCDTEMPLATE": `HKLM\BCD00000000`,
	"SYSTEM": `HKLM\SYSTEM`, "SOFTWARE": `HKLM\SOFTWARE`, "SAM": `HKLM\SAM`, "SECURITY": `HKLM\SECURITY`, "COMPONENTS": `HKLM\COMPONENTS`,
	"DRIVERS": `HKLM\DRIVERS`, "ELAM": `HKLM\ELAM`, "AMCACHE": `HKLM\AMCACHE`, "SYSCACHE": `HKLM\SYSCACHE`, "BBI": `HKLM\BBI`, "VSMIDK": `HKLM\VSMIDK`,
	"USERDIFF": `HKLM\USERDIFF`, "USER": `HKLM\USER`, "USERCLASSES": `HKLM\USERCLASSES`, "SETTINGS": `HKLM\SETTINGS`,
}

// rebForms are the forms of an inventory for what BinaryConvert names.
var rebForms = map[string]string{"FILETIME": "filetime", "EPOCH": "epoch", "IP": "ip", "SID": "sid", "SYSTEMTIME": "systemtime", "NONE": "", "": ""}

const maxRebParts = 500_000 // of a small file, see [strict.File]

func readRECmd(f *file) error {
	err := strict.Read(strict.File{Source: f.Path, Kind: BadForeign, Whole: "a batch file of RECmd", Most: maxRebParts, Empty: "the file is empty"}, f.data,
		func(d *strict.Decoder, root *yaml.Node) {
			for key, value := range d.Pairs(root, "the file") {
				switch key.Value {
				case "Description":
					f.Title = value.Value
				case "Keys":
					f.rebEntries(d, value)
				case "Author", "Version", "Id":
				default:
					d.Wrong(key, "a batch file has no field %q%s", key.Value, strict.OneOf(key.Value, []string{"Description", "Author", "Version", "Id", "Keys"}))
				}
			}
			if d.Mistakes() == 0 && f.Rows == nil {
				d.Wrong(root, "the file has no entry in Keys")
			}
		})
	if mistakes, ok := errors.AsType[strict.Mistakes](err); ok {
		return &mistakes[0].Problem
	}
	return err
}

func (f *file) rebEntries(d *strict.Decoder, n *yaml.Node) {
	for entry := range d.Elements(n, "Keys") {
		e := rebEntry{}
		for key, value := range d.Pairs(entry, "an entry of Keys") {
			if value.Kind != yaml.ScalarNode {
				d.Wrong(value, "%s must be a text", key.Value)
				continue
			}
			if e[key.Value] = value.Value; value.Tag == "!!null" {
				e[key.Value] = ""
			}
		}
		row := Row{Title: e["Description"], Line: entry.Line}
		rule, why := e.rule()
		if why == "" {
			row.Rules = []Rule{rule}
			row.Lacks = e.lacks()
		} else {
			row.Lacks = []string{why}
		}
		if err := f.add(row); err != nil {
			d.Wrong(entry, "the file holds more than %d entries; split it", maxRows)
			return
		}
	}
}

// rebEntry is an entry: its fields.
type rebEntry map[string]string

var rebFields = []string{"Description", "HiveType", "Category", "KeyPath", "ValueName", "Recursive", "DisablePlugin", "IncludeBinary", "BinaryConvert", "Comment"}

// is reports whether a field is set to true.
func (e rebEntry) is(field string) bool {
	return slices.Contains([]string{"true", "yes", "y", "on"}, strings.ToLower(e[field]))
}

// rule returns the rule of an entry, or why there is none.
func (e rebEntry) rule() (r Rule, why string) {
	root, known := rebRoots[strings.ToUpper(e["HiveType"])]
	form, converts := rebForms[strings.ToUpper(e["BinaryConvert"])]
	switch {
	case !known:
		return r, fmt.Sprintf("its HiveType %q is none that has a root here", e["HiveType"])
	case !converts:
		return r, fmt.Sprintf("its BinaryConvert %q is none of RECmd's", e["BinaryConvert"])
	case strings.Trim(e["KeyPath"], `\ `) == "":
		return r, "it has no KeyPath"
	}
	category := cmp.Or(line(e["Category"]), "Other")
	id := cmp.Or(word(e["Description"], ""), "entry")
	if name := word(e["ValueName"], ""); name != "" && !strings.EqualFold(name, id) {
		id += "-" + name
	}
	r = Rule{ID: "REB-" + id, Title: cmp.Or(line(e["Description"]), id), Severity: "info", Why: e["Comment"], Tags: []string{"recmd"}}
	if tag := strings.ToLower(word(category, "")); tag != "" && tag != "recmd" {
		r.Tags = append(r.Tags, tag)
	}
	key, below := e.key(root), e.is("Recursive")
	if p := e.plugin(); p != nil {
		below, form = below || p.below, cmp.Or(form, p.as)
		if p.below && !e.is("Recursive") {
			r.Why = strings.TrimSpace(r.Why + " (RECmd's plugin " + p.name + " reads the keys below, so they are listed too)")
		}
	}
	if below {
		key += `\**`
	}
	r.Asks = Fields{{"key", key}}
	switch name := e["ValueName"]; {
	case strings.EqualFold(name, "(default)"):
		r.Asks = r.Asks.With("value", "(default)")
	case name != "":
		r.Asks = r.Asks.With("value", literal(name))
	}
	inventory := Fields{{"category", category}}
	if form != "" {
		inventory = inventory.With("as", form)
	}
	r.Asks = r.Asks.With("inventory", inventory)
	return r, ""
}

// key returns the pattern for the path of an entry below a root. RECmd takes a * alone for the root itself, and elsewhere for any part of a name.
func (e rebEntry) key(root string) string {
	path := strings.Trim(e["KeyPath"], `\ `)
	if path == "*" {
		return root
	}
	for name := range strings.SplitSeq(path, `\`) {
		if name == "" {
			continue
		}
		var parts []string
		for part := range strings.SplitSeq(stars().ReplaceAllString(name, "*"), "*") {
			parts = append(parts, literal(part))
		}
		root += `\` + strings.Join(parts, "*")
	}
	return root
}

var stars = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\*{2,}`) })

// lacks returns what RECmd tells of an entry that its rule does not.
func (e rebEntry) lacks() (all []string) {
	var other []string
	for name := range e {
		if !slices.Contains(rebFields, name) {
			other = append(other, name)
		}
	}
	slices.Sort(other)
	for _, name := range other {
		all = append(all, fmt.Sprintf("its field %q is none of RECmd's", name))
	}
	if p := e.plugin(); p != nil && p.decodes != "" {
		all = append(all, fmt.Sprintf("RECmd's plugin %s decodes %s; the raw data are listed", p.name, p.decodes))
	}
	if strings.EqualFold(e["HiveType"], "BCDTEMPLATE") {
		all = append(all, "it is for the template of the boot configuration alone, and lists each boot configuration")
	}
	return all
}
