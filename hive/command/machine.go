package command

import (
	"strings"

	"regvet/hive"
)

// Answer is what is known of a question. The lowest of several counts if all must hold, the highest if one must.
type Answer int8

const (
	No Answer = iota
	Perhaps
	Yes
)

func answer(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// anyDrive stands for the drive of Windows, or of a volume, where it is not known which letter it has.
const anyDrive = '?'

// Machine is what is known of the folders, drives and variables of a computer. The zero Machine knows what holds on each.
type Machine struct {
	windows   Path              // the Windows folder, if known
	root      string            // the same as text, such as C:\WINDOWS
	variables map[string]string // of its environment, by their folded names
	drives    map[byte]Answer   // letters, and whether the drive is removable
}

// NewMachine returns what three keys tell of a computer, each of which may be nil: Control\Session Manager\Environment and MountedDevices of
// SYSTEM, and Microsoft\Windows NT\CurrentVersion of SOFTWARE.
func NewMachine(environment, mountedDevices, currentVersion *hive.Key) *Machine {
	m := &Machine{variables: map[string]string{}, drives: map[byte]Answer{}}
	if environment != nil {
		for _, v := range environment.Values() {
			if text, err := v.Text(); err == nil {
				m.variables[hive.Fold(v.Name)] = text
			}
		}
	}
	if mountedDevices != nil {
		for _, v := range mountedDevices.Values() {
			if letter, ok := driveLetter(v.Name); ok {
				m.drives[letter] = answer(isRemovable(v.Data))
			}
		}
	}
	if currentVersion != nil {
		if v, ok := currentVersion.Value("SystemRoot"); ok {
			if text, err := v.Text(); err == nil && !strings.Contains(text, "%") {
				if p := (&Machine{}).Resolve(text); p.drive != 0 && p.drive != anyDrive && len(p.names) > 0 {
					m.windows, m.root = p, string(rune(p.drive))+`:\`+strings.Join(p.names, `\`)
				}
			}
		}
	}
	return m
}

// driveLetter returns the letter of a value of MountedDevices, such as \DosDevices\E:.
func driveLetter(name string) (letter byte, ok bool) {
	rest, ok := strings.CutPrefix(hive.Fold(name), `\DOSDEVICES\`)
	if !ok || len(rest) != 2 || rest[1] != ':' {
		return 0, false
	}
	return rest[0], true
}

// isRemovable reports whether the data of a value of MountedDevices name a device whose medium or itself can be taken away. Those of fixed
// disks are a signature or an identifier of a partition.
func isRemovable(data []byte) bool {
	name := hive.Fold(hive.DecodeUTF16(data))
	for _, device := range []string{"USBSTOR", "REMOVABLEMEDIA", "CDROM", "FLOPPY", "#FDC#", `\FDC#`} {
		if strings.Contains(name, device) {
			return true
		}
	}
	return false
}

// isRemovable returns whether a drive is removable. A and B are letters of floppy drives, whatever the registry says.
func (m *Machine) isRemovable(drive byte) Answer {
	known, ok := m.drives[drive]
	switch {
	case drive == 'A' || drive == 'B':
		return Yes
	case drive == 'C' && !ok, drive == anyDrive:
		return No // the drive of Windows, which is not taken away
	case !ok:
		return Perhaps
	}
	return known
}

// Read takes a command line apart as [Split] does, with the variables of its program replaced. The drive of Windows is ?: where it is not known.
func (m *Machine) Read(text string) Line {
	l := Split(text)
	full := m.expand(l.Program)
	if l.Quoted || full == l.Program {
		l.Program = full
		return l
	}
	inside := Split(full) // a variable can hold quotes, blanks, arguments
	inside.Arguments = strings.Trim(inside.Arguments+" "+l.Arguments, blanks)
	return inside
}

// fixedVariables are variables that Windows itself sets for each process, and whose values the environment in the registry cannot change. A
// star stands for the name of a user.
//
// Source: Microsoft Learn, Recognized environment variables (User State Migration Tool).
var fixedVariables = map[string]string{
	"SYSTEMDRIVE":             `?:`,
	"PROGRAMFILES":            `?:\Program Files`,
	"PROGRAMW6432":            `?:\Program Files`,
	"PROGRAMFILES(X86)":       `?:\Program Files (x86)`,
	"PROGRAMFILES(ARM)":       `?:\Program Files (Arm)`,
	"COMMONPROGRAMFILES":      `?:\Program Files\Common Files`,
	"COMMONPROGRAMW6432":      `?:\Program Files\Common Files`,
	"COMMONPROGRAMFILES(X86)": `?:\Program Files (x86)\Common Files`,
	"PROGRAMDATA":             `?:\ProgramData`,
	"ALLUSERSPROFILE":         `?:\ProgramData`,
	"PUBLIC":                  `?:\Users\Public`,
	"USERPROFILE":             `?:\Users\*`,
	"APPDATA":                 `?:\Users\*\AppData\Roaming`,
	"LOCALAPPDATA":            `?:\Users\*\AppData\Local`,
	"HOMEDRIVE":               `?:`,
	"HOMEPATH":                `\Users\*`,
}

// usualVariables are variables of the environment in the registry, as Windows sets them up, where the input does not have it.
var usualVariables = map[string]string{
	"WINDIR":     `%SystemRoot%`,
	"COMSPEC":    `%SystemRoot%\System32\cmd.exe`,
	"TEMP":       `%SystemRoot%\Temp`,
	"TMP":        `%SystemRoot%\Temp`,
	"DRIVERDATA": `%SystemRoot%\System32\Drivers\DriverData`,
}

// variable returns what a variable stands for, and whether that is known.
func (m *Machine) variable(name string) (text string, ok bool) {
	name = hive.Fold(name)
	if name == "SYSTEMROOT" {
		if m.root != "" {
			return m.root, true
		}
		return `?:\Windows`, true
	}
	if text, ok = fixedVariables[name]; ok {
		if m.windows.drive != 0 {
			text = strings.Replace(text, "?:", string(rune(m.windows.drive))+":", 1)
		}
		return text, true
	}
	if text, ok = m.variables[name]; ok {
		return text, true
	}
	text, ok = usualVariables[name]
	return text, ok
}

// maxExpanded is how many characters variables may add to a text, as many as a path can have in Windows.
const maxExpanded = 32_767

// expand replaces variables by what they stand for. Those that are not known, and those behind too many others, stay as they are. Two signs
// of percent in a row are one, for texts from INF files, where they are written so.
func (m *Machine) expand(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	left := maxExpanded
	return m.expandWithin(strings.ReplaceAll(text, "%%", "%"), &left)
}

func (m *Machine) expandWithin(text string, left *int) string {
	const nesting = 1000 // characters that a variable in a variable costs beside its own, for one can stand in itself
	var b strings.Builder
	for {
		before, rest, _ := strings.Cut(text, "%")
		name, behind, closed := strings.Cut(rest, "%")
		if !closed {
			b.WriteString(text)
			return b.String()
		}
		value, ok := m.variable(name)
		if *left -= len(value) + nesting; !ok || *left < 0 {
			value = "%" + name + "%"
		} else if strings.IndexByte(value, '%') >= 0 {
			value = m.expandWithin(value, left)
		}
		b.WriteString(before)
		b.WriteString(value)
		text = behind
	}
}
