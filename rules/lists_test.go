package rules

import (
	"strings"
	"testing"

	"regvet/hive"
)

// TestListsOfWindows tests each text of each built-in list: it is in the list while the Windows is not known, in any case and, if it is a file in
// a folder of Windows, however that folder is written; and it is in no list with something before or behind it.
func TestListsOfWindows(t *testing.T) {
	for _, p := range BuiltIn() {
		for _, l := range p.Lists {
			for _, e := range l.Entries {
				for _, text := range e.Is {
					for _, path := range spellings(l, text) {
						for _, s := range []string{path, strings.ToUpper(path), strings.ToLower(path)} {
							if l.find(s, hive.Windows{}) == nil {
								t.Errorf("%q is not in the list %s", s, l.Name)
							}
						}
					}
					for _, s := range []string{"x" + text, text + "x", text + `\..\` + text, `C:\Users\Public\` + text, `C:\Windows\Temp\` + text, text + " x"} {
						if found := l.find(s, hive.Windows{}); found != nil && text != "" {
							t.Errorf("%q is in the list %s, by the entry from %s", s, l.Name, found.From)
						}
					}
				}
			}
		}
	}
}

// spellings returns the ways in which a text of a list can be written.
func spellings(l *List, text string) (all []string) {
	if l.Folder == "" {
		return []string{text}
	}
	for _, windows := range []string{`%SystemRoot%`, `%%systemroot%%`, `%windir%`, `\SystemRoot`, `C:\Windows`, `D:\WINNT`, `\??\C:\Windows`} {
		path := windows + `\` + l.Folder + `\` + text
		all = append(all, path, strings.ReplaceAll(path, `\`, `/`))
	}
	return all
}
