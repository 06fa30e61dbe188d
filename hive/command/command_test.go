package command_test

import (
	"fmt"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/command"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ line, program, arguments string }{
		{``, ``, ``},
		{`  `, ``, ``},
		{`a.exe`, `a.exe`, ``},
		{` a.exe -k  x `, `a.exe`, `-k  x`},
		{`"C:\Program Files\A\a.exe" --log "C:\x y"`, `C:\Program Files\A\a.exe`, `--log "C:\x y"`},
		{`"C:\a b.exe"/c x`, `C:\a b.exe`, `/c x`},
		{`"C:\a b`, `C:\a b`, ``},
		{`""`, ``, ``},
		{`C:\Program Files\A\a.exe --log C:\Users\Public\a.log`, `C:\Program Files\A\a.exe`, `--log C:\Users\Public\a.log`},
		{`C:\Program Files\A b\c d.EXE x.exe`, `C:\Program Files\A b\c d.EXE`, `x.exe`},
		{`%SystemRoot%\System32\svchost -k rpcss`, `%SystemRoot%\System32\svchost`, `-k rpcss`},
		{`C:\Program Files\A\agent -x`, `C:\Program Files\A\agent`, `-x`},
		{`C:\Program Files\A\agent run now`, `C:\Program Files\A\agent`, `run now`},
		{`C:\Windows\System32\rundll32.exe C:\x.dll,Start`, `C:\Windows\System32\rundll32.exe`, `C:\x.dll,Start`},
		{`C:\Windows\System32\rundll32 C:\x.dll`, `C:\Windows\System32\rundll32`, `C:\x.dll`},
		{`rundll32 x.dll,Start`, `rundll32`, `x.dll,Start`},
		{`cmd /c start a.exe`, `cmd`, `/c start a.exe`},
		{`C:\Windows\System32\cmd.exe/c x`, `C:\Windows\System32\cmd.exe`, `/c x`},
		{`C:/Windows/System32/cmd.exe /c x`, `C:/Windows/System32/cmd.exe`, `/c x`},
		{`C:/sites/example.com/bin/a.exe /c`, `C:/sites/example.com/bin/a.exe`, `/c`},
		{`C:\a.exe\b.exe`, `C:\a.exe\b.exe`, ``},
		{`\??\C:\Program Files\V M\a.sys`, `\??\C:\Program Files\V M\a.sys`, ``},
		{`%ProgramFiles%\RDP Wrapper\rdpwrap.dll`, `%ProgramFiles%\RDP Wrapper\rdpwrap.dll`, ``},
		{`%COMSPEC% /Q /c echo x > \\127.0.0.1\C$\o`, `%COMSPEC%`, `/Q /c echo x > \\127.0.0.1\C$\o`},
		{"C:\\a.exe\t-x", `C:\a.exe`, `-x`},
		{`C:\svc.dat install`, `C:\svc.dat`, `install`},
	} {
		if l := command.Split(c.line); l.Program != c.program || l.Arguments != c.arguments {
			t.Errorf("%s: got %q and %q, want %q and %q", c.line, l.Program, l.Arguments, c.program, c.arguments)
		}
	}
}

func TestEarlier(t *testing.T) {
	m := new(command.Machine)
	for line, want := range map[string]string{
		`C:\Program Files\A b\c d.exe x`:     `C:\Program|C:\Program Files\A|C:\Program Files\A b\c`,
		`"C:\Program Files\a.exe"`:           ``,
		`C:\Windows\a.exe C:\Program Files`:  ``,
		`%ProgramFiles%\A\a.exe`:             `?:\Program`,
		`C:\Program  Files\a.exe`:            `C:\Program`,
		`%SystemRoot%\system32\svchost -k x`: ``,
	} {
		if got := strings.Join(m.Read(line).Earlier(), "|"); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// key returns the key of some values.
func key(values ...hive.Value) *hive.Key {
	path := hive.ParsePath(`HKEY_LOCAL_MACHINE\SYSTEM\K`)
	edits := []hive.Edit{{Op: hive.CreateKey, Path: path}}
	for _, v := range values {
		edits = append(edits, hive.Edit{Op: hive.SetValue, Path: path, Value: v})
	}
	return hive.NewRegistry().Apply(edits...).Find(path)[0].Key
}

func text(name, data string) hive.Value { return hive.StringValue(name, hive.SZ, data) }

// TestFolders tests in which classes of folders programs are. A question mark behind a class means that it is open.
func TestFolders(t *testing.T) {
	unknown := new(command.Machine)
	for _, c := range []struct {
		m             *command.Machine
		program, want string
	}{
		{unknown, ``, ``},
		{unknown, `\\?\`, ``},
		{unknown, `C:\Windows\System32\a.exe`, `windows system32`},
		{unknown, `c:/WINNT//system32/./a.exe`, `windows system32`},
		{unknown, `\SystemRoot\System32\drivers\a.sys`, `windows system32 drivers`},
		{unknown, `SystemRoot\System32\drivers\a.sys`, `windows system32 drivers`},
		{unknown, `system32\DRIVERS\a.sys`, `windows system32 drivers`},
		{unknown, `\??\C:\Windows\System32\drivers\a.sys`, `windows system32 drivers`},
		{unknown, `\SystemRoot\System32\DriverStore\FileRepository\a.inf_x\a.sys`, `windows system32 drivers`},
		{unknown, `system32\drivers\..\a.sys`, `windows system32`},
		{unknown, `a.sys`, `windows search_path`},
		{unknown, `a.exe`, `windows system32 search_path`},
		{unknown, `%windir%\SysWOW64\a.exe`, `windows system32`},
		{unknown, `C:\Windows\System32\..\Temp\a.exe`, `windows temp user_writable`},
		{unknown, `C:\Windows\Tasks\a.exe`, `windows user_writable`},
		{unknown, `C:\Windows\System32\spool\drivers\color\a.exe`, `windows system32 user_writable`},
		{unknown, `C:\Windows\debug\a.exe`, `windows no_programs`},
		{unknown, `C:\Windows\debug\WIA\a.exe`, `windows user_writable no_programs`},
		{unknown, `C:\Windows \System32\a.exe`, `drive_folder user_writable`},
		{unknown, `C:\Windows\Tasks.\a.exe`, `windows`},
		{unknown, `C:\Program Files\Temp\a.exe`, `program_files`},
		{unknown, `D:\Programme (x86)\A\a.exe`, `program_files removable?`},
		{unknown, `C:\PROGRA~1\A\a.exe`, `program_files`},
		{unknown, `C:\PROGRA~2\A\a.exe`, `program_files? program_data? drive_folder? user_writable?`},
		{unknown, `C:\DOCUME~1\x\LOCALS~1\Temp\a.exe`, `user_profile temp? user_writable`},
		{unknown, `C:\INTELA~1\a.exe`, `drive_folder user_writable`},
		{unknown, `C:\Users\Public\a.exe`, `user_profile user_writable`},
		{unknown, `C:/Users/x/AppData/Local/Temp/a.exe`, `user_profile temp user_writable`},
		{unknown, `%APPDATA%\a.exe`, `user_profile user_writable`},
		{unknown, `%TEMP%\a.exe`, `windows temp user_writable`},
		{unknown, `%ProgramData%\A\a.exe`, `program_data user_writable`},
		{unknown, `C:\Users\All Users\A\a.exe`, `program_data user_writable`},
		{unknown, `C:\Documents and Settings\All Users\a.exe`, `program_data user_writable`},
		{unknown, `C:\Documents and Settings\x\a.exe`, `user_profile user_writable`},
		{unknown, `C:\Intel\a.exe`, `drive_folder user_writable`},
		{unknown, `C:\a.exe`, `root_of_drive`},
		{unknown, `\a.exe`, `root_of_drive`},
		{unknown, `C:\Intel\..\a.exe\`, `root_of_drive`},
		{unknown, `C:\PerfLogs\a.exe`, `no_programs`},
		{unknown, `C:\$Recycle.Bin\x\a.exe`, `user_writable`},
		{unknown, `C:\inetpub\a.exe`, ``},
		{unknown, `A:\a.exe`, `root_of_drive removable`},
		{unknown, `\\server\share\a.exe`, `network`},
		{unknown, `//server/share/a.exe`, `network`},
		{unknown, `\\?\UNC\server\share\a.exe`, `network`},
		{unknown, `\??\UNC\server\share\a.exe`, `network`},
		{unknown, `\Device\Mup\server\share\a.exe`, `network`},
		{unknown, `\\?\C:\Windows\a.exe`, `windows`},
		{unknown, `\\.\GLOBALROOT\SystemRoot\Temp\a.exe`, `windows temp user_writable`},
		{unknown, `\\?\GLOBALROOT\Device\HarddiskVolume3\Windows\a.exe`, `windows`},
		{unknown, `\Device\Harddisk0\Partition1\Windows\a.exe`, `windows`},
		{unknown, `\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\Users\a.exe`, `user_profile user_writable`},
		{unknown, `\FileSystem\RAW`, ``},
		{unknown, `%JAVA_HOME%\bin\java.exe`, `all?`},
		{unknown, `C:a.exe`, `all?`},
		{unknown, `C:\x|y\a.exe`, `all?`},
		{unknown, `C:\Users\%WHO%\a.exe`, `program_data? user_profile? user_writable`},
		{unknown, `C:\%X%\a.exe`, `windows? program_files? program_data? user_profile? temp? drive_folder? user_writable? no_programs?`},
		{unknown, `%%systemroot%%\system32\a.dll`, `windows system32`},
		{command.NewMachine(key(text("JAVA_HOME", `C:\Users\Public\%SUB%`), text("sub", "jdk")), nil, nil), `%JAVA_HOME%\bin\java.exe`, `user_profile user_writable`},
		{command.NewMachine(key(text("A", `%B%`), text("B", "%A%%A%")), nil, nil), `%A%\a.exe`, `all?`},
		{command.NewMachine(key(text("SystemRoot", `C:\Users`)), nil, nil), `%SystemRoot%\a.exe`, `windows`},
		{command.NewMachine(key(text("PROCESSOR_ARCHITECTURE", `AMD64`)), nil, nil), `C:\PROGRA~2\A\a.exe`, `program_files`},
		{command.NewMachine(key(text("PROCESSOR_ARCHITECTURE", `AMD64`)), nil, nil), `C:\PROGRA~3\A\a.exe`, `program_data user_writable`},
		{command.NewMachine(key(text("PROCESSOR_ARCHITECTURE", `x86`)), nil, nil), `C:\PROGRA~2\A\a.exe`, `program_data user_writable`},
		{command.NewMachine(nil, nil, key(text("SystemRoot", `D:\NT`))), `D:\NT\System32\a.exe`, `windows system32 removable?`},
		{command.NewMachine(nil, nil, key(text("SystemRoot", `\\?\D:/NT\`))), `%SystemRoot%\Temp\a.exe`, `windows temp user_writable removable?`},
		{command.NewMachine(nil, nil, key(text("SystemRoot", `D:\NT`))), `%SystemRoot%\Temp\a.exe`, `windows temp user_writable removable?`},
		{command.NewMachine(nil, nil, key(text("SystemRoot", `D:\NT`))), `C:\Windows\a.exe`, `drive_folder user_writable`},
		{command.NewMachine(nil, key(hive.Value{Name: `\DosDevices\E:`, Type: hive.Binary, Data: hive.AppendUTF16(nil, `_??_USBSTOR#Disk&Ven_X`)}), nil), `e:\a.exe`, `root_of_drive removable`},
		{command.NewMachine(nil, key(hive.Value{Name: `\DosDevices\E:`, Type: hive.Binary, Data: []byte("DMIO:ID:0123456789abcdef")}), nil), `e:\a.exe`, `root_of_drive`},
	} {
		var got []string
		p, all := c.m.Resolve(c.program), true
		for _, class := range command.Classes() {
			f, err := command.ParseFolder(class.Name)
			if err != nil {
				t.Fatal(err)
			}
			switch c.m.In(p, f) {
			case command.Yes:
				got, all = append(got, class.Name), false
			case command.Perhaps:
				got = append(got, class.Name+"?")
			default:
				all = false
			}
		}
		if all {
			got = []string{"all?"}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", c.program, strings.Join(got, " "), c.want)
		}
	}
}

func TestParseFolder(t *testing.T) {
	m := new(command.Machine)
	for _, c := range []struct{ folder, program, want string }{
		{`%ProgramData%\Microsoft\Windows Defender`, `\??\c:\programdata\microsoft\Windows Defender\x\a.sys`, "yes"},
		{`%ProgramData%\Microsoft\Windows Defender`, `C:\ProgramData\Microsoft\Windows Defender\..\a.sys`, "no"},
		{`%ProgramData%\Microsoft\Windows Defender`, `C:\ProgramData\MICROS~1\WINDOW~1\a.sys`, "perhaps"},
		{`C:\Example`, `C:\Example.old\a.exe`, "no"},
		{`system`, ``, `"system" is no class of folders`},
		{`%JAVA_HOME%\bin`, ``, `"%JAVA_HOME%\\bin" is no folder that can be told on each computer; write it with a drive or a variable of Windows, such as %ProgramFiles%\Example`},
	} {
		f, err := command.ParseFolder(c.folder)
		got := fmt.Sprint(err)
		if err == nil {
			got = [...]string{"no", "perhaps", "yes"}[m.In(m.Resolve(c.program), f)]
		}
		if got != c.want {
			t.Errorf("%s in %s: got %s, want %s", c.program, c.folder, got, c.want)
		}
	}
}

func TestFile(t *testing.T) {
	m := command.NewMachine(key(text("ComSpec", `%SystemRoot%\system32\CMD.exe`)), nil, nil)
	for _, c := range []struct {
		program, name string
		want          command.Answer
	}{
		{`C:\Windows\System32\cmd.exe`, "CMD.EXE", command.Yes}, {`C:/Windows/System32/cmd`, "cmd.exe", command.Yes}, {`cmd`, "cmd", command.Yes},
		{`%ComSpec%`, "cmd.exe", command.Yes}, {`C:\cmdagent.exe`, "cmd.exe", command.No}, {`cmd.com`, "cmd.exe", command.No}, {``, "cmd.exe", command.No},
		{`C:\POWERS~1.EXE`, "powershell.exe", command.Perhaps}, {`C:\%X%.exe`, "cmd.exe", command.Perhaps}, {`%X%\cmd.exe`, "cmd.exe", command.Yes},
		{`C:\PO1A2B~1.EXE`, "powershell.exe", command.Perhaps}, {`C:\cmd.exe. `, "cmd.exe", command.Yes},
	} {
		file, _ := m.File(c.program)
		if got := command.IsFile(file, c.name); got != c.want {
			t.Errorf("%s is named %s: got %d, want %d", c.program, c.name, got, c.want)
		}
	}
}

// TestVariablesInVariables tests that variables that hold themselves many times cost little.
func TestVariablesInVariables(t *testing.T) {
	m := command.NewMachine(key(text("A", strings.Repeat("%A%", 5000))), nil, nil)
	if p := m.Resolve(`%A%\a.exe`); p.Unknown == "" {
		t.Error("the path is known")
	}
}

func FuzzSplit(f *testing.F) {
	for _, line := range []string{`"C:\a b.exe" -k x`, `C:\Program Files\a.exe /c "x"`, `%A%\%B% c`, `\??\C:\a.sys`, `cmd.exe/c x`, "a\tb", `C:\PROGRA~2\x`, `\\?\UNC\a\b`, `\\?\`} {
		f.Add(line)
	}
	m := command.NewMachine(key(text("A", `C:\x y\"%B%"`), text("B", "%A% b")), nil, nil)
	f.Fuzz(func(t *testing.T, line string) {
		l := command.Split(line)
		// Both parts are all of the line but for blanks and the quotes around the program.
		plain := strings.NewReplacer(" ", "", "\t", "", `"`, "")
		if plain.Replace(l.Program+l.Arguments) != plain.Replace(line) {
			t.Fatalf("%q: %q and %q are not all of it", line, l.Program, l.Arguments)
		}
		if again := command.Split(l.String()); !strings.Contains(l.Program, `"`) && (again.Program != l.Program || again.Arguments != l.Arguments) {
			t.Fatalf("%q: %q is taken apart as %q and %q", line, l.String(), again.Program, again.Arguments)
		}
		for _, first := range l.Earlier() {
			if !strings.HasPrefix(l.Program, first) || len(first) == len(l.Program) {
				t.Fatalf("%q: %q comes before %q", line, first, l.Program)
			}
		}
		read := m.Read(line)
		p, slashed := m.Resolve(read.Program), m.Resolve(strings.ReplaceAll(read.Program, `\`, "/"))
		for _, class := range command.Classes() {
			in, err := command.ParseFolder(class.Name)
			if err != nil {
				t.Fatal(err)
			}
			a := m.In(p, in)
			if b := m.In(slashed, in); a != b {
				t.Fatalf("%q: %d in %s, and %d with slashes", line, a, in, b)
			}
			if b := m.In(m.Resolve(strings.ToUpper(read.Program)), in); a != b && isASCII(line) {
				t.Fatalf("%q: %d in %s, and %d in capitals", line, a, in, b)
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}
