package rules_test

import (
	"fmt"
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestProgram asks of the programs of command lines. What the input does not decide is unknown, and says what it hangs on.
func TestProgram(t *testing.T) {
	const environment = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment]\n"
	writable := "in_folder: user_writable"
	for _, c := range []struct{ program, line, more, want string }{
		{writable, `C:\\Users\\Public\\a.exe`, "", `pass : V is C:\Users\Public\a.exe`},
		{writable, `\"C:\\Program Files\\a.exe\" C:\\Users\\Public`, "", `fail mismatch: V is "C:\Program Files\a.exe" C:\Users\Public; want a program in user_writable`},
		{writable, `%TOOLS%\\a.exe`, "", `unknown undecided: where the program %TOOLS%\a.exe is cannot be told: the input does not tell what %TOOLS% stands for`},
		{writable, `%TOOLS%\\a.exe`, environment + `"Tools"="C:\\Intel"`, `pass : V is %TOOLS%\a.exe`},
		{writable, `%TOOLS%\\a.exe`, environment + `"Tools"="%ProgramFiles%"`, `fail mismatch: V is %TOOLS%\a.exe; want a program in user_writable`},
		{writable, `C:\\PROGRA~2\\a.exe`, "", `unknown undecided: where the program C:\PROGRA~2\a.exe is cannot be told: a short name, a variable or the letter of a drive in it may stand for more than one`},
		{writable, `C:\\PROGRA~2\\a.exe`, environment + `"PROCESSOR_ARCHITECTURE"="AMD64"`, `fail mismatch: V is C:\PROGRA~2\a.exe; want a program in user_writable`},
		{"in_folder: program_files, not_in_folder: [temp, '%ProgramFiles%\\Example']", `C:\\Program Files\\Example\\a.exe`, "",
			`fail mismatch: V is C:\Program Files\Example\a.exe; want a program in program_files, not in temp or %ProgramFiles%\Example`},
		{"in_folder: program_files, not_in_folder: [temp, '%ProgramFiles%\\Example']", `C:\\Program Files\\Other\\a.exe`, "", `pass : V is C:\Program Files\Other\a.exe`},
		{"in_folder: windows", `D:\\NT\\a.exe`, "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n" + `"SystemRoot"="D:\\NT"`, `pass : V is D:\NT\a.exe`},
		{"in_folder: removable", `E:\\a.exe`, "", `unknown undecided: where the program E:\a.exe is cannot be told: a short name, a variable or the letter of a drive in it may stand for more than one`},
		{"in_folder: removable", `E:\\a.exe`, "[HKEY_LOCAL_MACHINE\\SYSTEM\\MountedDevices]\n" + `"\\DosDevices\\E:"=hex:44,4d,49,4f,3a,49,44,3a,00`, `fail mismatch: V is E:\a.exe; want a program in removable`},
		{"name: [cmd, PowerShell.exe]", `%COMSPEC% /c x`, "", `pass : V is %COMSPEC% /c x`},
		{"name: [cmd, powershell.exe]", `%TOOLS%\\CMD.EXE /c x`, "", `pass : V is %TOOLS%\CMD.EXE /c x`},
		{"name: cmd, arguments: {matches: '^/C', fold: true}", `cmd.exe /c x`, "", `pass : V is cmd.exe /c x`},
		{"name: cmd, arguments: {matches: '^/C'}", `cmd.exe /c x`, "", `fail mismatch: V is cmd.exe /c x; want a program named cmd, with arguments beginning with "/C"`},
		{"arguments: {length: {equals: 0}}", `cmd.exe`, "", `pass : V is cmd.exe`},
		{"name: ['*.BAT', 'py*n.exe']", `C:\\tools\\run.bat x`, "", `pass : V is C:\tools\run.bat x`},
		{"name: ['*.BAT', 'py*n.exe']", `C:\\tools\\python`, "", `pass : V is C:\tools\python`},
		{"name: ['*.bat', 'py*n.exe']", `C:\\tools\\bat.exe run.bat`, "", `fail mismatch: V is C:\tools\bat.exe run.bat; want a program named *.bat or py*n.exe`},
		{"tries_in_folder: [root_of_drive, user_writable]", `C:\\Program Files\\a.exe -k`, "", `pass : V is C:\Program Files\a.exe -k`},
		{"tries_in_folder: [root_of_drive, user_writable]", `\"C:\\Program Files\\a.exe\" -k`, "", `fail mismatch: V is "C:\Program Files\a.exe" -k; want a program after another in root_of_drive or user_writable`},
		{"tries_in_folder: [root_of_drive, user_writable]", `C:\\Windows\\My App\\a.exe`, "", `fail mismatch: V is C:\Windows\My App\a.exe; want a program after another in root_of_drive or user_writable`},
		{writable, ``, "", `fail mismatch: V is ; want a program in user_writable`},
	} {
		rule := load(t, "value: V\nexpect: {data: {program: {"+c.program+"}}}\nmissing: fail")
		f := rules.Evaluate(registry(t, `"V"="`+c.line+"\"\n"+c.more), hive.Windows{}, rule)[0]
		if got := fmt.Sprintf("%s %s: %s", f.Status, f.Reason, f.Message); got != c.want {
			t.Errorf("%s of %s\n got %s\nwant %s", c.program, c.line, got, c.want)
		}
	}
}
