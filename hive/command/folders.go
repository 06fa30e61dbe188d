package command

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// Folder is a class of folders, or one folder with all that is below it.
type Folder struct {
	text string
	is   func(m *Machine, p Path) Answer
}

// String returns the folder as a rule writes it.
func (f Folder) String() string { return f.text }

// Class is a class of folders by its name.
type Class struct {
	Name, Doc string
	is        func(m *Machine, p Path) Answer
}

// Classes returns all classes of folders.
func Classes() []Class { return classes }

var classes = []Class{
	{"windows", "the Windows folder and all below it", below("windows")},
	{"system32", "System32, and where programs of 32 bits have theirs", below("system32")},
	{"drivers", "where drivers lie: System32\\drivers and the driver store", below("drivers")},
	{"program_files", "Program Files, also that of 32-bit programs, in the language of Windows", below("program_files")},
	{"program_data", "ProgramData, or the profile All Users before Windows Vista", below("program_data")},
	{"user_profile", "the profile of a user, Public and Default among them", isInProfile},
	{"temp", "a folder for temporary files", below("temp")},
	{"root_of_drive", "the root of a drive itself", isInRoot},
	{"drive_folder", "a folder in the root of a drive that Windows does not make, in which users may make files unless its maker forbids it", isInDriveFolder},
	{"user_writable", "where users can make files as Windows sets permissions up: profiles, temporary files, ProgramData, recycle bins, some folders below Windows, and drive_folder", isWritable},
	{"no_programs", "folders of Windows that hold data, logs, fonts or restore points, and no programs", below("no_programs")},
	{"network", "another computer, or this one by way of a share", func(_ *Machine, p Path) Answer { return answer(p.network) }},
	{"removable", "a drive that can be taken away: USB, CD, floppy disk", func(m *Machine, p Path) Answer { return p.onRemovable(m) }},
	{"search_path", "no folder is named: Windows searches System32, its own folder and those of Path", func(_ *Machine, p Path) Answer { return answer(p.searched) }},
}

// ParseFolder reads the name of a class or the path of a folder, such as %ProgramData%\Microsoft. The error says what a folder can be.
func ParseFolder(text string) (Folder, error) {
	if i := slices.IndexFunc(classes, func(c Class) bool { return c.Name == text }); i >= 0 {
		return Folder{text, classes[i].is}, nil
	}
	if !strings.ContainsAny(text, `\/%`) {
		return Folder{}, fmt.Errorf("%q is no class of folders", text)
	}
	p := (&Machine{}).Resolve(text)
	if p.Unknown != "" || p.drive == 0 || len(p.names) == 0 {
		return Folder{}, fmt.Errorf(`%q is no folder that can be told on each computer; write it with a drive or a variable of Windows, such as %%ProgramFiles%%\Example`, text)
	}
	return Folder{text, func(m *Machine, p Path) Answer {
		folder := m.Resolve(text)
		return p.isBelow(m, &folder)
	}}, nil
}

// places are the folders of each class that is a list of folders, with all below them. Stars stand for any name, ?: for any drive.
var places = map[string][]string{
	"windows":       {`%SystemRoot%`},
	"system32":      {`%SystemRoot%\System32`, `%SystemRoot%\SysWOW64`, `%SystemRoot%\Sysnative`, `%SystemRoot%\SysArm32`},
	"drivers":       {`%SystemRoot%\System32\drivers`, `%SystemRoot%\System32\DriverStore\FileRepository`},
	"program_files": programFiles(),
	"program_data": {`?:\ProgramData`, `?:\Users\All Users`, `?:\Documents and Settings\All Users`, `?:\Dokumente und Einstellungen\All Users`,
		`%SystemRoot%\Profiles\All Users`},
	"profiles": {`?:\Users`, `?:\Documents and Settings`, `?:\Dokumente und Einstellungen`, `%SystemRoot%\Profiles`},
	"temp": {`?:\Temp`, `?:\Tmp`, `%SystemRoot%\Temp`, `%SystemRoot%\Tmp`, `%SystemRoot%\SystemTemp`, `?:\ProgramData\Temp`,
		`?:\Users\*\AppData\Local\Temp`, `?:\Documents and Settings\*\Local Settings\Temp`, `%SystemRoot%\ServiceProfiles\*\AppData\Local\Temp`,
		`%SystemRoot%\System32\config\systemprofile\AppData\Local\Temp`, `%SystemRoot%\SysWOW64\config\systemprofile\AppData\Local\Temp`,
		`%SystemRoot%\System32\config\systemprofile\Local Settings\Temp`},

	// The folders below Windows in which all users can make files as it is set up, and the recycle bins. Sources: lists that were made on
	// Windows 7, 8.1 and 10 by trying (api0cradle/UltimateAppLockerByPassList, Generic-AppLockerbypasses.md, build 17134, and others of 7
	// and 8.1, which have debug\WIA and System32\Tasks as well).
	"writable": {`%SystemRoot%\Tasks`, `%SystemRoot%\Temp`, `%SystemRoot%\tracing`, `%SystemRoot%\debug\WIA`, `%SystemRoot%\Registration\CRMLog`,
		`%SystemRoot%\System32\FxsTmp`, `%SystemRoot%\System32\Tasks`, `%SystemRoot%\System32\Tasks_Migrated`, `%SystemRoot%\System32\com\dmp`,
		`%SystemRoot%\System32\Microsoft\Crypto\RSA\MachineKeys`, `%SystemRoot%\System32\spool\PRINTERS`, `%SystemRoot%\System32\spool\SERVERS`,
		`%SystemRoot%\System32\spool\drivers\color`, `%SystemRoot%\SysWOW64\FxsTmp`, `%SystemRoot%\SysWOW64\Tasks`, `%SystemRoot%\SysWOW64\com\dmp`,
		`?:\$Recycle.Bin`, `?:\RECYCLER`, `?:\RECYCLED`, `?:\Temp`, `?:\Tmp`},

	// Folders of Windows whose files are no programs. Sources: SigmaHQ/sigma, proc_creation_win_susp_execution_path.yml; the folder of restore
	// points and that of the hives.
	"no_programs": {`?:\System Volume Information`, `?:\PerfLogs`, `%SystemRoot%\addins`, `%SystemRoot%\debug`, `%SystemRoot%\Fonts`, `%SystemRoot%\Help`,
		`%SystemRoot%\Media`, `%SystemRoot%\repair`, `%SystemRoot%\security`, `%SystemRoot%\System32\config`},

	// What else is in the root of a drive, made by Windows or its setup.
	"of windows": {`?:\Boot`, `?:\Recovery`, `?:\EFI`, `?:\MSOCache`, `?:\Config.Msi`, `?:\Windows.old`, `?:\$Windows.~BT`, `?:\$Windows.~WS`, `?:\$WinREAgent`, `?:\$SysReset`, `?:\inetpub`},
}

// programFiles returns the folders of programs. Before Windows Vista they were named in the language of Windows. Source: Wikipedia, Program
// Files, Localization.
func programFiles() (all []string) {
	for _, name := range []string{"Program Files", "Programme", "Programmi", "Programmes", "Programmer", "Programfiler", "Program", "Programas", "Arquivos de Programas",
		"Archivos de programa", "Programfájlok", "Αρχεία Εφαρμογών"} {
		all = append(all, `?:\`+name, `?:\`+name+" (x86)")
	}
	return append(all, `?:\Program Files (Arm)`)
}

// listed are the places as paths, for the Windows folder of which the names alone are known.
var listed = func() map[string][]Path {
	all := map[string][]Path{}
	for class, folders := range places {
		for _, folder := range folders {
			all[class] = append(all[class], (&Machine{}).Resolve(folder))
		}
	}
	return all
}()

// below returns the question whether a path is below one of some places.
func below(class string) func(m *Machine, p Path) Answer {
	return func(m *Machine, p Path) Answer {
		best := No
		for i := range listed[class] {
			if best = max(best, p.isBelow(m, &listed[class][i])); best == Yes {
				break
			}
		}
		return best
	}
}

// In returns whether a path is in a folder or below it.
func (m *Machine) In(p Path, f Folder) Answer {
	if p.Unknown != "" {
		return Perhaps
	}
	return f.is(m, p)
}

// windowsNames are the names that the Windows folder has had.
var windowsNames = [2]string{"WINDOWS", "WINNT"}

// isBelow returns whether a path lies below a folder, or is that folder.
func (p *Path) isBelow(m *Machine, folder *Path) Answer {
	if p.drive == 0 || folder.drive == 0 || p.drive != folder.drive && p.drive != anyDrive && folder.drive != anyDrive {
		return No
	}
	want, from, least := folder.names, 0, Yes                   // the name of the path from which on they must agree
	if folder.drive == anyDrive && want[0] == windowsNames[0] { // the Windows folder of whichever computer
		root := m.windows.names
		switch {
		case len(p.names) == 0:
			return No
		case root == nil:
			from, least = 1, max(p.hasName(0, windowsNames[0]), p.hasName(0, windowsNames[1]))
		case p.drive != anyDrive && p.drive != m.windows.drive, len(p.names) < len(root) || !slices.Equal(p.names[:len(root)], root):
			return No
		default:
			from = len(root)
		}
		want = want[1:]
	}
	if len(p.names)-from < len(want) {
		return No
	}
	for i, name := range want {
		if name != "*" {
			least = min(least, p.hasName(from+i, name))
		}
		if least == No {
			break
		}
	}
	return least
}

func isInRoot(_ *Machine, p Path) Answer { return answer(p.drive != 0 && len(p.names) <= 1) }

func isInProfile(m *Machine, p Path) Answer {
	return min(below("profiles")(m, p), Yes-below("program_data")(m, p))
}

// isInDriveFolder returns whether the first folder of a path is none that Windows makes in the root of a drive.
func isInDriveFolder(m *Machine, p Path) Answer {
	if p.drive == 0 || len(p.names) < 2 {
		return No
	}
	least := Yes
	for _, class := range []string{"windows", "program_files", "program_data", "profiles", "writable", "temp", "no_programs", "of windows"} {
		if least = min(least, Yes-below(class)(m, p)); least == No {
			break
		}
	}
	return least
}

func isWritable(m *Machine, p Path) Answer {
	best := isInDriveFolder(m, p)
	for _, class := range []string{"profiles", "writable", "program_data"} {
		best = max(best, below(class)(m, p))
	}
	return best
}

func (p Path) onRemovable(m *Machine) Answer {
	if p.drive == 0 {
		return No
	}
	return m.isRemovable(p.drive)
}

// File returns the name of the file of a program, folded, with the ending that Windows adds where it has none. It is not sure if it may be
// another name: it holds a variable that is not known, or is short. The name is "" if there is no program.
func (m *Machine) File(program string) (name string, sure bool) {
	name = hive.Fold(m.expand(strings.TrimRight(program, ` .\/`)))
	if i := strings.LastIndexAny(name, `\/`); i >= 0 {
		name = name[i+1:]
	}
	if name == "" {
		return "", true
	}
	return withEnding(name), !strings.ContainsAny(name, "%~")
}

// IsFile returns whether a file that [Machine.File] returned has a name. Case does not count, and an ending .exe goes without saying.
func IsFile(file, name string) Answer {
	switch {
	case file == "":
		return No
	case hive.EqualFold(file, name):
		return Yes
	case !strings.ContainsAny(file, "%~"):
		stem, isProgram := strings.CutSuffix(file, ".EXE")
		return answer(isProgram && strings.IndexByte(name, '.') < 0 && hive.EqualFold(stem, name))
	}
	return isNamed(file, withEnding(hive.Fold(name)))
}

// withEnding adds the ending that Windows adds to a name without one.
func withEnding(name string) string {
	if strings.IndexByte(name, '.') < 0 {
		return name + ".EXE"
	}
	return name
}
