package script

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// A remediation of Microsoft Intune is two scripts. The detection runs first, each day or so; if it ends with status 1, the remediation runs,
// and then the detection again. Both are shown with what they write, of which Intune takes 2,048 characters. A script must be UTF-8, and
// without byte order mark if its signature is checked, but Windows PowerShell reads that in the ANSI code page: so both scripts are ASCII.
// Source: Microsoft, "Remediations" (learn.microsoft.com/intune/intune-service/fundamentals/remediations).

// mostOutput is how many characters the detection writes, fewer than Intune takes by room for the end of the line.
const mostOutput = 2000

// alwaysLoaded are the keys of HKEY_USERS that a computer has whoever is signed in.
var alwaysLoaded = []string{".DEFAULT", "S-1-5-18", "S-1-5-19", "S-1-5-20"}

func noIntune(e hive.Edit) string {
	switch root := shortRoot(e.Path); {
	case root == "HKCU" || root == "HKCR":
		return "a remediation runs as SYSTEM, whose " + e.Path[0] + " is not that of the user"
	case root == "HKU" && !slices.ContainsFunc(alwaysLoaded, func(name string) bool { return hive.EqualFold(name, e.Path[1]) }):
		return "a remediation runs also while this user is not signed in, and then Windows has not loaded the hive"
	}
	return noPowerShell(e)
}

// Undetectable returns why no script can detect whether edits have been made, each of which can be written, or "". The edits are in the order in
// which they are made.
func Undetectable(edits []hive.Edit) string {
	for i, e := range edits {
		if e.Op != hive.DeleteKey {
			continue
		}
		if slices.ContainsFunc(edits[i+1:], func(later hive.Edit) bool {
			return (later.Op == hive.SetValue || later.Op == hive.CreateKey) && later.Path.HasPrefix(e.Path)
		}) {
			return "the detection could not tell the key " + hive.Visible(e.Path.String()) + ", which is deleted and made again, from the one before"
		}
	}
	return ""
}

// notASCII is for literals of ASCII without control characters.
var notASCII literals = func(r rune) bool { return r < ' ' || r > '~' }

// ascii returns text for a comment or a message in ASCII. Other characters become Go escapes.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range hive.Visible(s) {
		if notASCII(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lines is [ascii] for each line of a comment.
func lines(text string) string {
	all := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range all {
		all[i] = ascii(all[i])
	}
	return strings.Join(all, "\n")
}

// begin writes what both scripts begin with: what they do after an error, and the roots of the registry.
func begin(b *strings.Builder, head, failure string, status int, blocks []regfile.Block) {
	comment(b, "#", lines(head), "\r\n")
	b.WriteString("#requires -Version 3\r\n$ErrorActionPreference = 'Stop'\r\n")
	fmt.Fprintf(b, "trap {\r\n    %s\r\n    exit %d\r\n}\r\n", oneLine("'"+failure+": ' + $_.Exception.Message"), status)
	roots(b, blocks)
}

// remediation writes the script that makes the edits. It writes one line, and ends with status 0, or 1 after an error.
func remediation(head string, _ bool, blocks []regfile.Block) ([]byte, error) {
	b := &strings.Builder{}
	begin(b, head, "not fixed", 1, blocks)
	edits := 0
	for _, p := range blocks {
		if len(p.Edits) > 0 {
			b.WriteString("\r\n")
		}
		comment(b, "#", lines(p.Comment), "\r\n")
		for _, run := range runs(p.Edits) {
			notASCII.run(b, shortRoot(run[0].Path), run)
		}
		edits += len(p.Edits)
	}
	fmt.Fprintf(b, "\r\nWrite-Output 'fixed, with %d edits'\r\nexit 0\r\n", edits)
	return []byte(b.String()), nil
}

// oneLine returns a statement that writes the text of an expression on one line, as much of it as Intune takes.
func oneLine(expression string) string {
	return fmt.Sprintf("$line = (%s) -replace '[\\r\\n]+', ' '; Write-Output $line.Substring(0, [Math]::Min($line.Length, %d))", expression, mostOutput)
}

// detection is what a detection consists of besides the head, the roots and the tests. The comparisons are those of .NET, which are by ordinal: the
// operators of PowerShell ignore characters that no one sees.
const detection = `$missing = New-Object 'System.Collections.Generic.List[string]'
function Test-Key($Root, $Path) {
    $key = $Root.OpenSubKey($Path)
    if ($key) { $key.Close() }
    return [bool]$key
}
function Test-Value($Root, $Path, $Name, $Kind, $Data) {
    $key = $Root.OpenSubKey($Path)
    if (-not $key) { return $false }
    try {
        try { $stored = $key.GetValueKind($Name).ToString() } catch [IO.IOException] { return $false }
        if (-not $Kind) { return $true }
        if ($stored -ne $Kind) { return $false }
        $value = $key.GetValue($Name, $null, 'DoNotExpandEnvironmentNames')
        switch ($Kind) {
            'MultiString' { return [Linq.Enumerable]::SequenceEqual([string[]]$value, [string[]]$Data) }
            'Binary' { return [Linq.Enumerable]::SequenceEqual([byte[]]$value, [byte[]]$Data) }
            'None' { return [Linq.Enumerable]::SequenceEqual([byte[]]$value, [byte[]]$Data) }
        }
        return $value.Equals($Data)
    } finally {
        $key.Close()
    }
}
`

// Detection returns the script that detects whether edits have been made, with the lines of head and of the comment of each block. It writes one
// line and ends with status 0 if all have, with 1 if one has not, and with 2, for which no remediation runs, if it cannot tell. It fails for an
// edit that cannot be written for Intune, and for what [Undetectable] says.
func Detection(head string, blocks []regfile.Block) ([]byte, error) {
	var all []hive.Edit
	for _, p := range blocks {
		all = append(all, p.Edits...)
	}
	for _, e := range all {
		if reason := (Form{refuses: noIntune}).Unwritable(e); reason != "" {
			return nil, fmt.Errorf("%s cannot be detected: %s", label(e), reason)
		}
	}
	if reason := Undetectable(all); reason != "" {
		return nil, errors.New(reason)
	}
	b := &strings.Builder{}
	begin(b, head, "cannot tell", 2, blocks)
	b.WriteString(strings.ReplaceAll(detection, "\n", "\r\n"))
	for _, p := range blocks {
		if len(p.Edits) > 0 {
			b.WriteString("\r\n")
		}
		comment(b, "#", lines(p.Comment), "\r\n")
		for _, e := range p.Edits {
			fmt.Fprintf(b, "if (%s) { $missing.Add(%s) }\r\n", differs(e), notASCII.quoted(label(e)))
		}
	}
	found := fmt.Sprintf("'to be fixed: ' + $missing.Count + ' of %d: ' + ($missing -join '; ')", len(all))
	fmt.Fprintf(b, "\r\nif ($missing.Count -gt 0) {\r\n    %s\r\n    exit 1\r\n}\r\nWrite-Output 'nothing to be fixed'\r\nexit 0\r\n", oneLine(found))
	return []byte(b.String()), nil
}

// label returns what the detection calls an edit.
func label(e hive.Edit) string {
	s := ascii(shortRoot(e.Path) + `\` + e.Path[1:].String())
	if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
		s += " " + strconv.QuoteToASCII(hive.Printable(e.Value.Name))
	}
	return s
}

// differs returns the condition that an edit has not been made.
func differs(e hive.Edit) string {
	at := "$" + shortRoot(e.Path) + " " + notASCII.quoted(e.Path[1:].String())
	switch e.Op {
	case hive.CreateKey:
		return "-not (Test-Key " + at + ")"
	case hive.DeleteKey:
		return "Test-Key " + at
	case hive.DeleteValue:
		return "Test-Value " + at + " " + notASCII.quoted(e.Value.Name)
	}
	return fmt.Sprintf("-not (Test-Value %s %s '%s' (%s))", at, notASCII.quoted(e.Value.Name), netKinds[e.Value.Type], notASCII.data(e.Value))
}
