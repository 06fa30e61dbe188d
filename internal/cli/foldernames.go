package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"regvet/hive"
)

// folderNames makes names for folders and files out of text that evidence holds. The keys are the names that are taken, folded as a file system does
// that does not tell capital letters.
type folderNames map[string]bool

// mostName is how long a name may be, in bytes: names that are used for files follow it in a path, and Windows counts 260 characters in all.
const mostName = 100

// unique returns a name that is not taken yet, and takes it. The name is one on every system: of several names in a path it is one, and what Windows
// or a terminal gives a meaning is an underscore.
func (n folderNames) unique(text string) string {
	name := safeName(text)
	free := name
	for i := 2; n[hive.Fold(free)]; i++ {
		number := fmt.Sprintf("-%d", i)
		free = cut(name, mostName-len(number)) + number
	}
	n[hive.Fold(free)] = true
	return free
}

// devices are the names that Windows gives to devices, in every folder and with any ending. Source: Microsoft, "Naming Files, Paths, and Namespaces".
var devices = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true, "conin$": true, "conout$": true}

func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	stem = strings.TrimRight(stem, " ")
	if devices[stem] {
		return true
	}
	port, ok := strings.CutPrefix(stem, "com")
	if !ok {
		port, ok = strings.CutPrefix(stem, "lpt")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}

// safeName returns text as the name of a folder.
func safeName(text string) string {
	text = strings.NewReplacer("!/", "_", "/", "_").Replace(text)
	name := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || hive.Visible(string(r)) != string(r) || strings.ContainsRune(`<>:"|?*\`, r) {
			return '_'
		}
		return r
	}, text)
	name = cut(name, mostName)
	if end := strings.TrimRight(name, ". "); end != name { // which Windows leaves out
		name = end + strings.Repeat("_", len(name)-len(end))
	}
	if name == "" || isDevice(name) || strings.ContainsAny(name[:1], "-~ .") { // an option, a home, or hidden
		name = "_" + strings.TrimLeft(name, " .-~")
	}
	return name
}

// cut returns the start of text, in whole characters.
func cut(text string, most int) string {
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
