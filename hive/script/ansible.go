package script

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/safetext"
)

// ansible writes a file of tasks for the module ansible.windows.win_regedit, one for each edit. Sources: the documentation of the module
// for its options, and its code for what they do.
func ansible(head string, blocks []regfile.Block) ([]byte, error) {
	tasks := &yaml.Node{Kind: yaml.SequenceNode}
	for _, p := range blocks {
		for i, e := range p.Edits {
			task := ansibleTask(e)
			if i == 0 {
				b := &strings.Builder{}
				comment(b, "#", p.Comment, "\n")
				task.HeadComment = strings.TrimSuffix(b.String(), "\n")
			}
			tasks.Content = append(tasks.Content, task)
		}
	}
	var b bytes.Buffer
	top := &strings.Builder{}
	comment(top, "#", head, "\n")
	b.WriteString(top.String() + "---\n")
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := out.Encode(tasks); err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	return []byte(escaped(b.String())), nil
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
		switch {
		case !safetext.Steers(r) || r == '\n':
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	return b.String()
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
