package script

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/safetext"
)

// restartHandler is the name of what restarts the computer after a play that changed something.
const restartHandler = "Restart the computer"

// ansible writes a play for the machine that the user names, and for none if no name is given, with a task of the module ansible.windows.win_regedit for each edit. Sources: the
// documentation of the module for its options, and its code for what they do.
func ansible(head string, restart bool, blocks []regfile.Block) ([]byte, error) {
	tasks := &yaml.Node{Kind: yaml.SequenceNode}
	for _, p := range blocks {
		for i, e := range p.Edits {
			task := ansibleTask(e)
			if restart {
				task.Content = append(task.Content, plain("notify", "!!str"), plain(restartHandler, "!!str"))
			}
			if i == 0 {
				b := &strings.Builder{}
				comment(b, "#", p.Comment, "\n")
				task.HeadComment = strings.TrimSuffix(b.String(), "\n")
			}
			tasks.Content = append(tasks.Content, task)
		}
	}
	machine := &yaml.Node{Kind: yaml.ScalarNode, Value: "{{ machine | default('nobody') }}", Style: yaml.DoubleQuotedStyle}
	play := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		plain("name", "!!str"), plain("Edit the registry", "!!str"), plain("hosts", "!!str"), machine,
		plain("gather_facts", "!!str"), plain("false", "!!bool"), plain("tasks", "!!str"), tasks,
	}}
	if restart {
		handler := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			plain("name", "!!str"), plain(restartHandler, "!!str"), plain("ansible.windows.win_reboot", "!!str"), {Kind: yaml.MappingNode, Style: yaml.FlowStyle},
		}}
		play.Content = append(play.Content, plain("handlers", "!!str"), &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{handler}})
	}
	var b bytes.Buffer
	top := &strings.Builder{}
	comment(top, "#", head, "\n")
	b.WriteString(top.String() + "---\n")
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := out.Encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{play}}); err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	return []byte(folded(escaped(b.String()))), nil
}

// widest is how many characters a line of a play has at most.
const widest = 140

// longText is a line with text in quotes behind a key or a dash.
var longText = regexp.MustCompile(`^( *(?:- )?(?:[a-z]+: )?(?:!unsafe )?)(['"].*)$`)

// folded breaks long lines within text, which stays the same: in double quotes, YAML leaves out a line break behind a backslash, and the blanks that
// follow it.
func folded(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		parts := longText.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		var value string
		if utf8.RuneCountInString(line) <= widest || parts == nil || yaml.Unmarshal([]byte(parts[2]), &value) != nil {
			b.WriteString(line)
			continue
		}
		indent := strings.Repeat(" ", len(parts[1])-len(strings.TrimLeft(parts[1], " "))+2)
		b.WriteString(parts[1] + `"`)
		column := utf8.RuneCountInString(parts[1])
		for _, r := range value {
			if column > widest-len(`\U00000000\`) {
				b.WriteString("\\\n" + indent)
				if column = len(indent); r == ' ' {
					b.WriteByte('\\')
				}
			}
			one := quotedRune(r)
			b.WriteString(one)
			column += utf8.RuneCountInString(one)
		}
		b.WriteString("\"\n")
	}
	return b.String()
}

// quotedRune returns a character as it stands in double quotes.
func quotedRune(r rune) string {
	if r == '"' || r == '\\' {
		return `\` + string(r)
	}
	return escapedRune(r)
}

// quotes returns the style of text in YAML: single quotes, and double quotes for text with characters that steer what shows the file.
func quotes(s string) yaml.Style {
	if strings.ContainsFunc(s, safetext.Steers) {
		return yaml.DoubleQuotedStyle
	}
	return yaml.SingleQuotedStyle
}

// escaped escapes the characters that steer and that package yaml writes as they are. They occur only in double quotes.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' {
			b.WriteRune(r)
		} else {
			b.WriteString(escapedRune(r))
		}
	}
	return b.String()
}

func escapedRune(r rune) string {
	switch {
	case !safetext.Steers(r):
		return string(r)
	case r > 0xFFFF:
		return fmt.Sprintf(`\U%08X`, r)
	}
	return fmt.Sprintf(`\u%04X`, r)
}

// ansibleTypes are the names of the types in the module.
var ansibleTypes = map[hive.Type]string{
	hive.None: "none", hive.Binary: "binary", hive.DWord: "dword", hive.ExpandSZ: "expandstring", hive.MultiSZ: "multistring",
	hive.SZ: "string", hive.QWord: "qword",
}

func noAnsible(e hive.Edit) string {
	if e.Op != hive.SetValue {
		return ""
	}
	v := e.Value
	if ansibleTypes[v.Type] == "" {
		return "the module has no name for the type " + v.Type.String()
	}
	if v.Name == "" && v.Type != hive.SZ {
		return "the module makes a REG_SZ of every default value"
	}
	switch v.Type {
	case hive.SZ, hive.ExpandSZ:
		_, err := text(v)
		return reason(err)
	case hive.DWord, hive.QWord:
		return noNumber(v)
	case hive.MultiSZ:
		list, err := texts(v)
		if err == nil && len(list) == 0 {
			return "the module does not write an empty list"
		}
		return reason(err)
	}
	if len(v.Data) == 0 {
		return "the module does not write binary data of no length"
	}
	return ""
}

func ansibleTask(e hive.Edit) *yaml.Node {
	path := shortRoot(e.Path) + `:\` + e.Path[1:].String()
	options := &yaml.Node{Kind: yaml.MappingNode}
	option := func(name string, value *yaml.Node) {
		options.Content = append(options.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, value)
	}
	option("path", ansibleText(path))
	aboutValue := e.Op == hive.SetValue || e.Op == hive.DeleteValue
	if aboutValue && e.Value.Name != "" {
		option("name", ansibleText(e.Value.Name))
	}
	what := "Make the key"
	switch e.Op {
	case hive.SetValue:
		what = "Set a value of"
		option("type", plain(ansibleTypes[e.Value.Type], "!!str"))
		option("data", ansibleData(e.Value))
	case hive.DeleteValue:
		what = "Delete a value of"
		option("state", plain("absent", "!!str"))
		option("delete_key", plain("false", "!!bool"))
	case hive.DeleteKey:
		what = "Delete the key"
		option("state", plain("absent", "!!str"))
		option("delete_key", plain("true", "!!bool"))
	}
	if aboutValue && e.Value.Name != "" {
		what = strings.Replace(what, "a value", e.Value.Name, 1)
	}
	name := what + " " + path
	if isTemplate(name) {
		name = strings.ReplaceAll(name, "{", "(") // it is only for people, and Ansible would take it for a template, too
	}
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		plain("name", "!!str"), {Kind: yaml.ScalarNode, Value: name, Style: quotes(name)},
		plain("ansible.windows.win_regedit", "!!str"), options,
	}}
}

func plain(value, tag string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: value, Tag: tag}
}

// ansibleText writes text in quotes. Ansible takes text with double braces or the like for a template, unless the text is tagged !unsafe.
func ansibleText(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: s, Style: quotes(s)}
	if isTemplate(s) {
		n.Tag = "!unsafe"
		n.Style |= yaml.TaggedStyle
	}
	return n
}

// isTemplate reports whether Ansible would look for a template in text.
func isTemplate(s string) bool {
	return slices.ContainsFunc([]string{"{{", "{%", "{#"}, func(mark string) bool { return strings.Contains(s, mark) })
}

func ansibleData(v hive.Value) *yaml.Node {
	switch v.Type {
	case hive.SZ, hive.ExpandSZ:
		s, _ := text(v)
		return ansibleText(s)
	case hive.MultiSZ:
		all, _ := texts(v)
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, s := range all {
			list.Content = append(list.Content, ansibleText(s))
		}
		return list
	case hive.DWord, hive.QWord:
		n, _ := v.Uint64()
		if n > math.MaxInt64 { // a number would become a System.Decimal, which the module cannot write in hex
			return ansibleText(strconv.FormatUint(n, 10))
		}
		return plain(strconv.FormatUint(n, 10), "!!int")
	}
	digits := hex.EncodeToString(v.Data)
	var pairs []string
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, digits[i:i+2])
	}
	return ansibleText("hex:" + strings.Join(pairs, ","))
}
