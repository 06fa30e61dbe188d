package script

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/safetext"
)

// powerShell writes a script for Windows PowerShell 4 and later, the first that asks for an administrator by itself: UTF-8 with byte order mark, without which Windows PowerShell would read
// the text in the ANSI code page.
//
// The script calls the registry of .NET rather than the cmdlets for items: these take a slash in the name of a key for a backslash, stars
// and brackets in the name of a value to be removed for a pattern, and (default) for no name. It writes to the 64-bit registry, even when a
// 32-bit PowerShell runs it.
func powerShell(head string, _ bool, blocks []regfile.Block) ([]byte, error) {
	b := &strings.Builder{}
	b.WriteString("\ufeff")
	comment(b, "#", head, "\r\n")
	b.WriteString("#Requires -Version 4\r\n" + administrator(blocks) + "$ErrorActionPreference = 'Stop'\r\n")
	roots(b, blocks)
	for _, p := range blocks {
		if len(p.Edits) > 0 {
			b.WriteString("\r\n")
		}
		comment(b, "#", p.Comment, "\r\n")
		for _, run := range runs(p.Edits) {
			literals(safetext.Steers).run(b, shortRoot(run[0].Path), run)
		}
	}
	return []byte(b.String()), nil
}

// roots opens the roots of the keys of edits.
func roots(b *strings.Builder, blocks []regfile.Block) {
	opened := map[string]bool{}
	for _, p := range blocks {
		for _, e := range p.Edits {
			if root := shortRoot(e.Path); !opened[root] {
				fmt.Fprintf(b, "$%s = [Microsoft.Win32.RegistryKey]::OpenBaseKey('%s', 'Registry64')\r\n", root, netRoots[root])
				opened[root] = true
			}
		}
	}
}

// administrator returns the line that asks for an administrator, unless all edits are of the user who runs the script.
func administrator(blocks []regfile.Block) string {
	for _, p := range blocks {
		for _, e := range p.Edits {
			if shortRoot(e.Path) != "HKCU" {
				return "#Requires -RunAsAdministrator\r\n"
			}
		}
	}
	return ""
}

// netRoots are the names of the roots in the enumeration Microsoft.Win32.RegistryHive of .NET.
var netRoots = map[string]string{"HKLM": "LocalMachine", "HKU": "Users", "HKCU": "CurrentUser", "HKCR": "ClassesRoot", "HKCC": "CurrentConfig"}

// literals writes values as PowerShell reads them. It reports which characters are written by their numbers.
type literals func(rune) bool

// run writes the edits of one key.
func (as literals) run(b *strings.Builder, root string, run []hive.Edit) {
	path := as.quoted(run[0].Path[1:].String())
	if run[0].Op == hive.DeleteKey {
		fmt.Fprintf(b, "$%s.DeleteSubKeyTree(%s, $false)\r\n", root, path)
		return
	}
	makes, indent := false, ""
	for _, e := range run {
		makes = makes || e.Op != hive.DeleteValue
	}
	if makes {
		fmt.Fprintf(b, "$key = $%s.CreateSubKey(%s)\r\n", root, path)
	} else {
		fmt.Fprintf(b, "$key = $%s.OpenSubKey(%s, $true)\r\nif ($key) {\r\n", root, path)
		indent = "    "
	}
	for _, e := range run {
		switch name := as.quoted(e.Value.Name); e.Op {
		case hive.SetValue:
			fmt.Fprintf(b, "%s$key.SetValue(%s, %s, '%s')\r\n", indent, name, as.data(e.Value), netKinds[e.Value.Type])
		case hive.DeleteValue:
			fmt.Fprintf(b, "%s$key.DeleteValue(%s, $false)\r\n", indent, name)
		}
	}
	fmt.Fprintf(b, "%s$key.Close()\r\n", indent)
	if !makes {
		b.WriteString("}\r\n")
	}
}

// netKinds are the names of the types in the enumeration Microsoft.Win32.RegistryValueKind of .NET. It has no others.
var netKinds = map[hive.Type]string{
	hive.None: "None", hive.SZ: "String", hive.ExpandSZ: "ExpandString", hive.Binary: "Binary", hive.DWord: "DWord",
	hive.MultiSZ: "MultiString", hive.QWord: "QWord",
}

func noPowerShell(e hive.Edit) string {
	if e.Op != hive.SetValue {
		return ""
	}
	switch v := e.Value; v.Type {
	case hive.SZ, hive.ExpandSZ:
		_, err := text(v)
		return reason(err)
	case hive.MultiSZ:
		_, err := texts(v)
		return reason(err)
	case hive.DWord, hive.QWord:
		return noNumber(v)
	}
	if netKinds[e.Value.Type] == "" {
		return ".NET has no name for the type " + e.Value.Type.String()
	}
	return ""
}

// data returns data as .NET expects them. Numbers are signed there.
func (as literals) data(v hive.Value) string {
	switch v.Type {
	case hive.SZ, hive.ExpandSZ:
		s, _ := text(v)
		return as.quoted(s)
	case hive.MultiSZ:
		list, _ := texts(v)
		var all []string
		for _, s := range list {
			all = append(all, as.quoted(s))
		}
		return "[string[]]@(" + strings.Join(all, ", ") + ")"
	case hive.DWord:
		n, _ := v.Uint64()
		return "[int]" + strconv.Itoa(int(int32(n)))
	case hive.QWord:
		n, _ := v.Uint64()
		return "[long]" + strconv.FormatInt(int64(n), 10)
	}
	var all []string
	for _, c := range v.Data {
		all = append(all, fmt.Sprintf("0x%02x", c))
	}
	return "[byte[]]@(" + strings.Join(all, ", ") + ")"
}

// powerShellQuotes are the characters that PowerShell accepts as a single quote.
const powerShellQuotes = "'\u2018\u2019\u201a\u201b"

// quoted returns text in single quotes, in which only these have a meaning. Some characters are inserted by the numbers of their UTF-16
// units, see [literals].
func (as literals) quoted(s string) string {
	var b strings.Builder
	pieces := false
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case as(r):
			pieces = true
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "' + [char]%d + '", unit)
			}
		case strings.ContainsRune(powerShellQuotes, r):
			b.WriteRune(r)
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	if pieces {
		return "(" + b.String() + ")"
	}
	return b.String()
}
