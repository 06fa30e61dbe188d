// Package script writes registry edits for tools other than regedit: for PowerShell, for cmd.exe with reg.exe, for Microsoft Intune, and for
// Ansible.
//
// Each tool has its own quoting, and none can express all that a registry can hold. What a form cannot express to the byte is refused
// before anything is written, so that no script does only half of what was asked for.
package script

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/regfile"
)

// Form is a language in which edits can be written.
type Form struct {
	Name      string // of --format
	Extension string // of its files
	Run       string // how one runs such a file, with %s for its name
	Restarts  bool   // whether its files restart the computer by themselves, if that is asked for
	program   string // that reads it, for messages
	refuses   func(hive.Edit) string
	text      func(head string, restart bool, blocks []regfile.Block) ([]byte, error)
}

// Forms returns all forms.
func Forms() []Form {
	return []Form{
		{"powershell", ".ps1", "powershell -ExecutionPolicy Bypass -File %s", false, "PowerShell", noPowerShell, powerShell},
		{"reg-cmd", ".cmd", "%s", false, "reg.exe", noRegCmd, regCmd},
		{"intune", ".ps1", "%s", false, "Intune", noIntune, remediation},
		{"ansible", ".yml", "ansible-playbook -e machine=NAME %s", true, "ansible.windows.win_regedit", noAnsible, ansible},
	}
}

// Text returns a file that makes the edits, with the lines of head and of the comment of each block. With restart, a form that can restarts the
// computer afterwards if something was changed. Text fails for an edit that the form
// cannot express, see [Form.Unwritable].
func (f Form) Text(head string, restart bool, blocks []regfile.Block) ([]byte, error) {
	for _, p := range blocks {
		for _, e := range p.Edits {
			if reason := f.Unwritable(e); reason != "" {
				what := "the key " + hive.Visible(e.Path.String())
				if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
					what = fmt.Sprintf("value %q of %s", hive.Visible(e.Value.Name), what)
				}
				return nil, fmt.Errorf("%s cannot be written for %s: %s", what, f.program, reason)
			}
		}
	}
	return f.text(head, restart, blocks)
}

// Unwritable returns why the form cannot express an edit to the byte, or "".
func (f Form) Unwritable(e hive.Edit) string {
	if reason := regfile.Unwritable(e); reason != "" {
		return reason
	}
	switch {
	case len(e.Path) == 1:
		return "it is a root of the registry"
	case !utf8.ValidString(e.Path.String()) || !utf8.ValidString(e.Value.Name):
		return "a name is not text"
	}
	return f.refuses(e)
}

// runs splits edits into runs of one key. An edit of the key as a whole starts a new run.
func runs(edits []hive.Edit) (all [][]hive.Edit) {
	for i, e := range edits {
		if i > 0 && e.Op >= hive.SetValue && edits[i-1].Op != hive.DeleteKey && e.Path.Equal(edits[i-1].Path) {
			all[len(all)-1] = append(all[len(all)-1], e)
		} else {
			all = append(all, []hive.Edit{e})
		}
	}
	return all
}

var (
	errNoText = errors.New("the data are not text with one NUL at its end")
	errNoList = errors.New("the data are not strings with a NUL behind each and behind the last")
)

// text returns the text of a REG_SZ or REG_EXPAND_SZ whose data are nothing but the text and one NUL.
func text(v hive.Value) (string, error) {
	n := len(v.Data) - 2
	if n < 0 || n%2 != 0 || v.Data[n] != 0 || v.Data[n+1] != 0 {
		return "", errNoText
	}
	s := hive.DecodeUTF16(v.Data[:n])
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return "", errNoText
	}
	return s, nil
}

// texts returns the strings of a REG_MULTI_SZ whose data are nothing but the strings, each with its NUL, and a closing NUL. A string may be
// empty.
func texts(v hive.Value) ([]string, error) {
	n := len(v.Data) - 2
	if n < 0 || n%2 != 0 || v.Data[n] != 0 || v.Data[n+1] != 0 {
		return nil, errNoList
	}
	s := hive.DecodeUTF16(v.Data[:n])
	if s == "" {
		return nil, nil
	}
	s, ok := strings.CutSuffix(s, "\x00")
	if !ok || !utf8.ValidString(s) {
		return nil, errNoList
	}
	return strings.Split(s, "\x00"), nil
}

// reason returns the text of an error, or "".
func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// noNumber returns why a value is not a number of its type, or "".
func noNumber(v hive.Value) string {
	_, err := v.Uint64()
	return reason(err)
}

// comment writes the lines of a comment, each after a mark. Invisible characters are escaped, because no form allows all characters in a
// comment.
func comment(b *strings.Builder, mark, text, end string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", " ").Replace(text), "\n") {
		b.WriteString(strings.TrimRight(mark+" "+hive.Visible(line), " ") + end)
	}
}

// shortRoots are the short names of the roots, by their full names.
var shortRoots = func() map[string]string {
	m := map[string]string{}
	for i, long := range hive.RootNames() {
		m[long] = hive.ShortRootNames()[i]
	}
	return m
}()

// shortRoot returns the short name of the root of a path.
func shortRoot(p hive.Path) string {
	long, _ := hive.LongRoot(p[0])
	return shortRoots[long]
}
