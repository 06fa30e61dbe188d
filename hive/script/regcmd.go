package script

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/safetext"
)

// mostLine is the longest line that cmd.exe reads, in characters. Source: Microsoft, "Command prompt line string limitation".
const mostLine = 8191

// view asks reg.exe for the 64-bit registry, which a 32-bit cmd.exe would not reach by itself: it would write below Wow6432Node. In that view a path
// with Wow6432Node means what it says. The reg.exe of Windows XP, and of a Vista without updates, does not know the option; there it is left out, which
// is right unless cmd.exe is a 32-bit program on a 64-bit Windows.
const view = "set \"view=/reg:64\"\r\n" +
	"reg query HKLM %view% >nul 2>nul\r\n" +
	"if errorlevel 1 set \"view=\"\r\n" +
	"if not defined view if defined PROCESSOR_ARCHITEW6432 echo Run this with the 64-bit cmd.exe. & exit /b 1\r\n"

// regCmd writes a batch file for cmd.exe that calls reg.exe. It ends with status 1 if one of the edits fails. What is gone already is not deleted
// again, which would be an error of reg.exe. If the text is not ASCII, it is UTF-8, and the batch file changes the code page.
func regCmd(head string, _ bool, blocks []regfile.Block) ([]byte, error) {
	b := &strings.Builder{}
	b.WriteString("@echo off\r\n")
	comment(b, "rem", remark(head), "\r\n")
	b.WriteString("setlocal DisableDelayedExpansion\r\nset \"failed=0\"\r\n" + view)
	start := b.Len()
	for _, p := range blocks {
		if len(p.Edits) > 0 {
			b.WriteString("\r\n")
		}
		comment(b, "rem", remark(p.Comment), "\r\n")
		for _, e := range p.Edits {
			b.WriteString(strings.Join(editLines(e), "\r\n") + "\r\n")
		}
	}
	b.WriteString("\r\nexit /b %failed%\r\n")
	all := b.String()
	if strings.ContainsFunc(all, func(r rune) bool { return r > '~' }) {
		all = all[:start] + "chcp 65001 >nul\r\n" + all[start:]
	}
	return []byte(all), nil
}

// remark makes text safe after rem, where cmd.exe still expands variables and continues a line that ends with a caret. A line that is too
// long for cmd.exe is cut.
func remark(s string) string {
	const most = 2000 // characters
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if runes := []rune(line); len(runes) > most {
			line = string(runes[:most]) + " ..."
		}
		lines[i] = strings.NewReplacer("^", " ", "&", " ", "|", " ", "<", " ", ">", " ", "%", "%%").Replace(line)
	}
	return strings.Join(lines, "\n")
}

func noRegCmd(e hive.Edit) string {
	if e.Op == hive.SetValue {
		if reason := noRegData(e.Value); reason != "" {
			return reason
		}
	}
	for _, line := range editLines(e) {
		switch {
		case strings.ContainsFunc(line, func(r rune) bool { return safetext.Steers(r) && r != '\t' }):
			return "a batch file has no escapes for characters that steer a console"
		case len(utf16.Encode([]rune(line))) > mostLine:
			return fmt.Sprintf("its line would be longer than the %d characters that cmd.exe reads", mostLine)
		}
	}
	return ""
}

// noRegData returns why reg.exe cannot set data, or "".
func noRegData(v hive.Value) string {
	switch v.Type {
	case hive.SZ, hive.ExpandSZ:
		_, err := text(v)
		return reason(err)
	case hive.DWord, hive.QWord:
		return noNumber(v)
	case hive.Binary:
		if len(v.Data) == 0 {
			return "reg.exe is not known to write binary data of no length"
		}
		return ""
	case hive.MultiSZ:
		list, err := texts(v)
		switch {
		case err != nil:
			return reason(err)
		case len(list) == 0 || slices.Contains(list, ""):
			return "reg.exe takes no empty strings in a list, and no empty list"
		case separator(list) == "":
			return "every character that could separate the strings is in one of them"
		}
		return ""
	}
	return "reg.exe is not known to write data of the type " + v.Type.String() + " as they are"
}

// separator returns what to put between strings for reg.exe: its own \0, otherwise a character that is in none of them, or "".
func separator(list []string) string {
	all := strings.Join(list, "")
	if !strings.Contains(all, `\0`) && !slices.ContainsFunc(list, func(s string) bool { return strings.HasSuffix(s, `\`) }) {
		return `\0`
	}
	for _, c := range ",;|#~@+*" {
		if !strings.ContainsRune(all, c) {
			return string(c)
		}
	}
	return ""
}

// editLines returns the lines that make an edit. Each ends with its command, since not every cmd.exe takes && and || alike.
func editLines(e hive.Edit) []string {
	line := regLine(e)
	if e.Op == hive.SetValue || e.Op == hive.CreateKey {
		return []string{line, `if errorlevel 1 set "failed=1"`}
	}
	query := []string{"reg", "query", regKey(e)}
	if e.Op == hive.DeleteValue && e.Value.Name != "" {
		query = append(query, "/v", cmdQuoted(e.Value.Name))
	}
	lines := []string{`set "there=1"`, strings.Join(append(query, "%view%"), " ") + " >nul 2>nul", `if errorlevel 1 set "there="`}
	if e.Op == hive.DeleteValue && e.Value.Name == "" {
		// reg.exe finds a default value even where none is set, so that there must be one to delete.
		lines = append(lines, "if defined there reg add "+regKey(e)+" /ve /f %view% >nul")
	}
	return append(lines, "if defined there "+line, `if defined there if errorlevel 1 set "failed=1"`)
}

// regKey returns the key of an edit as an argument.
func regKey(e hive.Edit) string {
	long, _ := hive.LongRoot(e.Path[0])
	return cmdQuoted(hive.Path{long}.Join(e.Path[1:]...).String())
}

// regLine returns the command for an edit.
func regLine(e hive.Edit) string {
	verb := "add"
	if e.Op == hive.DeleteKey || e.Op == hive.DeleteValue {
		verb = "delete"
	}
	args := []string{"reg", verb, regKey(e)}
	if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
		if e.Value.Name == "" {
			args = append(args, "/ve")
		} else {
			args = append(args, "/v", cmdQuoted(e.Value.Name))
		}
	}
	if e.Op == hive.SetValue {
		args = append(args, "/t", e.Value.Type.String())
		data, _ := text(e.Value)
		switch e.Value.Type {
		case hive.DWord, hive.QWord:
			data = e.Value.Display()
		case hive.Binary:
			data = hex.EncodeToString(e.Value.Data)
		case hive.MultiSZ:
			list, _ := texts(e.Value)
			between := separator(list)
			if between != `\0` {
				args = append(args, "/s", cmdQuoted(between))
			}
			data = strings.Join(list, between)
		}
		args = append(args, "/d", cmdQuoted(data))
	}
	return strings.Join(append(args, "/f", "%view%"), " ")
}

// cmdQuoted returns an argument for a program that a batch file calls. Three readers take it apart: the batch file reads percent signs;
// cmd.exe reads what has a meaning outside of quotes, and knows no escaped quotes; and the program reads quotes, and the backslashes before
// them. Source of the last: Microsoft, "Parsing C command-line arguments".
func cmdQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, r := range s {
		switch r {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	quoted := b.String()
	if strings.Contains(s, `"`) {
		// A quote in s would put the rest outside of quotes for cmd.exe. So all of it is outside, and each special character is escaped.
		b.Reset()
		for _, r := range quoted {
			if strings.ContainsRune(`()^"<>&|`, r) {
				b.WriteByte('^')
			}
			b.WriteRune(r)
		}
		quoted = b.String()
	}
	return strings.ReplaceAll(quoted, "%", "%%")
}
