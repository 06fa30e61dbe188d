package command

import (
	"strings"

	"regvet/hive"
)

// Path is where a program is, as far as its name tells that.
type Path struct {
	Unknown string // why it cannot be told, "" if it can

	drive    byte     // its letter, anyDrive, or 0 if it is not on a drive
	names    []string // the folders and the file, folded; a name may hold a variable that is not known, or be a star for any
	vague    bool     // a name may be another one, because of such a variable or because it is short
	network  bool
	searched bool // it has no folder, so that Windows searches for it
}

// prefixes of paths of the kernel and of the Win32 file namespaces, which are followed by a path of another kind.
//
// Source: Microsoft Learn, Naming Files, Paths, and Namespaces.
var prefixes = []string{`\??\`, `\\?\`, `\\.\`, `\DOSDEVICES\`, `\GLOBAL??\`, `GLOBAL??\`, `GLOBALROOT\`}

// rootFolders are the folders with which a path without a drive is meant to begin in the Windows folder: that of a driver is, and the Service
// Control Manager and installers write those of services so.
var rootFolders = []string{`SYSTEM32\`, `SYSWOW64\`, `SYSNATIVE\`}

// Resolve returns where a program is whose name stands in the registry.
func (m *Machine) Resolve(program string) Path {
	text := m.expand(strings.Trim(program, blanks))
	if text == "" {
		return Path{}
	}
	text = hive.Fold(strings.ReplaceAll(text, "/", `\`))
	bare := false // a prefix was taken away
	for again := true; again; {
		again = false
		for _, prefix := range prefixes {
			if rest, ok := strings.CutPrefix(text, prefix); ok && (bare || prefix[0] == '\\') {
				text, bare, again = rest, true, true
			}
		}
	}
	if text == "" {
		return Path{}
	}
	if strings.ContainsAny(text, `<>|"`) {
		return Path{Unknown: "it holds a character that no name of a file has"}
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(text, `\`), `\`)
	if bare || strings.HasPrefix(text, `\`) {
		switch {
		case name == "DEVICE":
			return m.onDevice(rest)
		case name == "ARCNAME", bare && strings.HasPrefix(name, "VOLUME{"):
			return m.onDrive(anyDrive, rest)
		case name == "UNC" && bare:
			return Path{network: true, names: namesOf(rest)}
		case name == "DRIVER" || name == "FILESYSTEM":
			return Path{} // a driver of the kernel, which has no file
		}
	}
	if name == "SYSTEMROOT" && !strings.HasPrefix(text, `\\`) {
		return m.inWindows(rest)
	}
	switch {
	case strings.HasPrefix(text, `\\`):
		return Path{network: true, names: namesOf(text)}
	case len(text) >= 2 && text[1] == ':' && (text[0] >= 'A' && text[0] <= 'Z' || text[0] == anyDrive):
		if len(text) > 2 && text[2] != '\\' {
			return Path{Unknown: "it is in the current folder of a drive, which the registry does not tell"}
		}
		return m.onDrive(text[0], text[2:])
	case strings.HasPrefix(text, "%"):
		name, _, _ := strings.Cut(text[1:], "%")
		return Path{Unknown: "the input does not tell what %" + name + "% stands for"}
	}
	switch {
	case text[0] == '\\':
		return m.onDrive(anyDrive, text)
	case !strings.Contains(text, `\`):
		p := m.inWindows(`SYSTEM32\` + text)
		if hasSuffixFold(text, ".SYS") {
			p = m.inWindows(text)
		}
		p.searched = true
		return p
	}
	for _, folder := range rootFolders {
		if strings.HasPrefix(text, folder) {
			return m.inWindows(text)
		}
	}
	if hasSuffixFold(text, ".SYS") {
		return m.inWindows(text)
	}
	return m.inWindows(`SYSTEM32\` + text)
}

// onDevice returns the path of something on a device of the kernel: a volume of this computer, or what leads to another.
func (m *Machine) onDevice(text string) Path {
	device, rest, _ := strings.Cut(text, `\`)
	switch {
	case strings.HasPrefix(device, "HARDDISKVOLUME"):
		return m.onDrive(anyDrive, rest)
	case strings.HasPrefix(device, "HARDDISK"):
		_, rest, _ = strings.Cut(rest, `\`) // the partition
		return m.onDrive(anyDrive, rest)
	case device == "MUP", strings.HasSuffix(device, "REDIRECTOR"):
		return Path{network: true, names: namesOf(rest)}
	}
	return Path{Unknown: "the registry does not tell what the device " + device + " is"}
}

// inWindows returns the path of something below the Windows folder.
func (m *Machine) inWindows(below string) Path {
	root, _ := m.variable("SystemRoot")
	root = hive.Fold(root)
	return m.onDrive(root[0], root[len("C:"):]+`\`+below)
}

// onDrive returns the path of something on a drive.
func (m *Machine) onDrive(drive byte, text string) Path {
	p := Path{drive: drive, names: namesOf(text), vague: strings.ContainsAny(text, "%~")}
	if p.vague && len(p.names) > 0 {
		p.names[0] = m.longName(p.names[0])
	}
	return p
}

// namesOf returns the names in a path, without those that lead nowhere or back, and without what Windows leaves out at its end.
func namesOf(text string) (names []string) {
	for name := range strings.SplitSeq(strings.TrimRight(text, ` .\`), `\`) {
		switch name {
		case "", ".":
		case "..":
			names = names[:max(0, len(names)-1)]
		default:
			names = append(names, name)
		}
	}
	return names
}

// longNames are short names in the root of a drive, by which long names Windows has them when it is set up.
var longNames = map[string]string{"PROGRA~1": "PROGRAM FILES", "DOCUME~1": "DOCUMENTS AND SETTINGS", "SYSTEM~1": "SYSTEM VOLUME INFORMATION"}

// longNames64 and longNames32 are more of them, by the architecture of Windows: a 64-bit one makes the folder of 32-bit programs before
// ProgramData.
var (
	longNames64 = map[string]string{"PROGRA~2": "PROGRAM FILES (X86)", "PROGRA~3": "PROGRAMDATA"}
	longNames32 = map[string]string{"PROGRA~2": "PROGRAMDATA"}
)

// longName returns the long name for a short one in the root of a drive, as far as it is known, or the name itself.
func (m *Machine) longName(short string) string {
	long, ok := longNames[short]
	if !ok {
		switch hive.Fold(m.variables["PROCESSOR_ARCHITECTURE"]) {
		case "AMD64", "ARM64", "IA64":
			long, ok = longNames64[short]
		case "X86":
			long, ok = longNames32[short]
		}
	}
	if ok {
		return long
	}
	return short
}

// hasName returns whether the path has a folded name at a place.
func (p *Path) hasName(i int, name string) Answer {
	if !p.vague {
		return answer(p.names[i] == name)
	}
	return isNamed(p.names[i], name)
}

// isNamed returns whether a name in a path is another one, both folded.
func isNamed(name, other string) Answer {
	switch {
	case name == other:
		return Yes
	case strings.IndexByte(name, '%') >= 0, mayShorten(other, name):
		return Perhaps
	}
	return No
}

// mayShorten reports whether a short name such as PROGRA~1 may be that of a long one. Windows takes up to six letters of it, and a number; from
// the fifth like it on two letters, four digits of a sum, and ~1.
//
// Source: Microsoft Open Specifications MS-FSCC, 2.1.5.2.1 8.3 Filename.
func mayShorten(long, short string) bool {
	stem, ending, _ := strings.Cut(short, ".")
	tilde := strings.LastIndexByte(stem, '~')
	if tilde < 1 || tilde > 6 {
		return false
	}
	longStem, longEnding := long, ""
	if i := strings.LastIndexByte(long, '.'); i > 0 {
		longStem, longEnding = long[:i], long[i+1:]
	}
	longStem = withoutMarks.Replace(longStem)
	if len(longStem) <= 8 && len(longEnding) <= 3 && !strings.Contains(long, " ") && strings.Count(long, ".") <= 1 {
		return false // it is short enough by itself
	}
	if ending != longEnding[:min(3, len(longEnding))] {
		return false
	}
	letters := stem[:tilde]
	return strings.HasPrefix(longStem, letters) || tilde == 6 && len(longStem) >= 2 && longStem[:2] == letters[:2] && stem[tilde:] == "~1"
}

// withoutMarks takes out of a name, or replaces, what its short name does not have.
var withoutMarks = strings.NewReplacer(" ", "", ".", "", "+", "_", ",", "_", ";", "_", "=", "_", "[", "_", "]", "_")
