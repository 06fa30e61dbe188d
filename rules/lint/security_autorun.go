package lint

import (
	"strings"

	"regvet/hive"
	"regvet/hive/command"
	"regvet/hive/regfile"
)

// The checks on programs that Windows starts by itself, or in place of others.
var (
	imageHijack = &Check{
		ID: "REG401", Name: "image-hijack", Severity: Error,
		Title: "A program is started in place of another, or when it ends",
		Explanation: `Below Image File Execution Options Windows looks up every program that it starts. A value Debugger there names a
program to start instead, and VerifierDlls a library to load into it; below SilentProcessExit, MonitorProcess names a program to start when
it exits. Intruders use that to stay on a computer, or to open a command prompt from the logon screen. Developers use it on their own
computers.

Remove the value unless the file is for such a computer.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe]
"Debugger"="C:\\Windows\\System32\\taskmgr.exe"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe]
"Debugger"=-
`),
		References: []string{"https://attack.mitre.org/techniques/T1546/012/"},
		visit:      visitPatternValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}

	autorun = &Check{
		ID: "REG402", Name: "autorun", Severity: Warning,
		Title: "A program or library is started with Windows or at logon",
		Explanation: `Windows starts by itself what certain keys name: programs at logon (Run, RunOnce, Winlogon), libraries that every
process loads (AppInit_DLLs), security packages in lsass, commands of every new command prompt. Installers use these keys, and so does
nearly all malware.

Make sure that the program is yours, that its full path is written, and that only administrators can write to the folder.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run]
"Example"="C:\\Example\\run.exe"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run]
"Example"=-
`),
		References: []string{"https://attack.mitre.org/techniques/T1547/001/", "https://attack.mitre.org/techniques/T1547/004/", "https://attack.mitre.org/techniques/T1547/005/"},
		visit:      visitPatternValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}

	userCOM = &Check{
		ID: "REG412", Name: "user-com-server", Severity: Warning,
		Title: "A COM server is registered for one user",
		Explanation: `Windows looks for the server of a COM class first in the part of the registry that belongs to the user, and only
then in that of the computer. A server that is registered there needs no administrator, and it takes the place of one of Windows itself if
the class is the same. Programs that are installed for one user do this, and so does malware that wants other programs to load it.

Register the server below HKEY_LOCAL_MACHINE\SOFTWARE\Classes unless the program is installed for one user.`,
		Bad: version5(`[HKEY_CURRENT_USER\Software\Classes\CLSID\{01234567-89ab-cdef-0123-456789abcdef}\InprocServer32]
@="C:\\Example\\server.dll"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\CLSID\{01234567-89ab-cdef-0123-456789abcdef}\InprocServer32]
@="C:\\Example\\server.dll"
`),
		References: []string{"https://attack.mitre.org/techniques/T1546/015/"},
		visit:      visitUserCOM, kinds: []regfile.Kind{regfile.ValueLine}, needs: inClasses,
	}

	commandVerb = &Check{
		ID: "REG409", Name: "command-verb", Severity: Warning,
		Title: "The command of a file type runs code from elsewhere, or hides it",
		Explanation: `The default value below shell\...\command is the command line that Explorer runs for a file or folder. This one
starts a program from another computer, passes a URL to a program that runs what it downloads, or holds code that nobody can read: mshta,
encoded PowerShell. Whoever controls that place controls the computer of every user who opens such a file.

Install the program on the computer and write its path.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Example.File\shell\open\command]
@="mshta.exe https://example.com/run.hta"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Example.File\shell\open\command]
@="\"C:\\Program Files\\Example\\run.exe\" \"%1\""
`),
		References: []string{"https://attack.mitre.org/techniques/T1546/001/", "https://attack.mitre.org/techniques/T1218/005/"},
		visit:      visitCommandVerb, kinds: []regfile.Kind{regfile.ValueLine}, needs: ofCommand,
	}
)

const (
	winlogon  = `ANY\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon`
	imageFile = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\*`
	lsa       = `HKLM\SYSTEM\CurrentControlSet\Control\Lsa`
	session   = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`
)

// autorunPatterns are values that make Windows start something. Sources: the documentation of Windows, and MITRE ATT&CK T1546 and T1547 for
// what it does not mention.
var autorunPatterns = []pattern{
	{imageHijack, []string{imageFile, imageFile + `\*`}, []string{"Debugger"}, isAny,
		"Windows starts this program in place of the one that the key names; remove the value"},
	{imageHijack, []string{imageFile}, []string{"VerifierDlls"}, isAny,
		"Windows loads this library into each process of the program that the key names; remove the value"},
	{imageHijack, []string{`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SilentProcessExit\*`}, []string{"MonitorProcess"}, isAny,
		"Windows starts this program when the one that the key names ends; remove the value"},

	{autorun, []string{`ANY\Software\Microsoft\Windows\CurrentVersion\Run`, `ANY\Software\Microsoft\Windows\CurrentVersion\Policies\Explorer\Run`,
		`ANY\Software\Microsoft\Windows NT\CurrentVersion\Terminal Server\Install\Software\Microsoft\Windows\CurrentVersion\Run`},
		[]string{"*"}, isAny, "Windows starts this at each logon; make sure that it is wanted"},
	{autorun, []string{`ANY\Software\Microsoft\Windows\CurrentVersion\RunOnce`, `ANY\Software\Microsoft\Windows\CurrentVersion\RunOnceEx\*`,
		`ANY\Software\Microsoft\Windows\CurrentVersion\RunServices`, `ANY\Software\Microsoft\Windows\CurrentVersion\RunServicesOnce`},
		[]string{"*"}, isAny, "Windows starts this at the next start or logon; make sure that it is wanted"},
	{autorun, []string{winlogon}, []string{"Shell"}, otherThan("explorer.exe", `%SystemRoot%\explorer.exe`, `C:\Windows\explorer.exe`),
		"Windows starts this as the shell of each user in place of explorer.exe; make sure that it is wanted"},
	{autorun, []string{winlogon}, []string{"Userinit"}, otherThan("userinit.exe", "userinit.exe,", `C:\Windows\system32\userinit.exe`, `C:\Windows\system32\userinit.exe,`,
		`%SystemRoot%\system32\userinit.exe`, `%SystemRoot%\system32\userinit.exe,`), "Windows starts this at each logon beside or in place of userinit.exe; make sure that it is wanted"},
	{autorun, []string{winlogon}, []string{"Taskman", "GinaDLL", "VMApplet", "AppSetup", "System"}, otherThan("SystemPropertiesPerformance.exe /pagefile",
		`rundll32 shell32,Control_RunDLL "sysdm.cpl"`), "Windows starts this when a user logs on; make sure that it is wanted"},
	{autorun, []string{winlogon + `\Notify\*`}, []string{"DLLName"}, isAny, "Windows loads this library at logon; make sure that it is wanted"},
	{autorun, []string{`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows`}, []string{"AppInit_DLLs"}, isAny,
		"Windows loads this library into each process with a window; make sure that it is wanted"},
	{autorun, []string{`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows`}, []string{"LoadAppInit_DLLs"}, is(1),
		"with this, Windows loads the libraries of AppInit_DLLs into each process with a window; write dword:00000000"},
	{autorun, []string{`HKCU\Software\Microsoft\Windows NT\CurrentVersion\Windows`}, []string{"Load", "Run"}, isAny,
		"Windows starts this at each logon; make sure that it is wanted"},
	{autorun, []string{session}, []string{"BootExecute", "SetupExecute", "Execute", "S0InitialCommand"}, otherThan("autocheck autochk *", "autocheck autochk /q /v *", "autocheck autochk /k:C *"),
		"Windows runs this at each start, before any service; make sure that it is wanted"},
	{autorun, []string{session + `\AppCertDlls`}, []string{"*"}, isAny,
		"Windows loads this library into each process that starts another; make sure that it is wanted"},
	{autorun, []string{lsa}, []string{"Authentication Packages", "Security Packages", "Notification Packages"}, otherThan("msv1_0", "kerberos", "schannel", "wdigest", "tspkg", "pku2u", "cloudap",
		"livessp", "scecli", "rassfm", "kdcsvc", "negoexts"), "Windows loads this package into lsass, which sees each password; make sure that it is wanted"},
	{autorun, []string{lsa + `\OSConfig`}, []string{"Security Packages"}, otherThan("msv1_0", "kerberos", "schannel", "wdigest", "tspkg", "pku2u", "cloudap", "livessp", "negoexts"),
		"Windows loads this package into lsass, which sees each password; make sure that it is wanted"},
	{autorun, []string{`HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders`}, []string{"SecurityProviders"}, otherThan("credssp.dll", "msapsspc.dll, schannel.dll, digest.dll, msnsspc.dll"),
		"Windows loads this library into lsass; make sure that it is wanted"},
	{autorun, []string{`HKLM\SYSTEM\CurrentControlSet\Control\Print\Monitors\*`}, []string{"Driver"}, otherThan("localspl.dll", "usbmon.dll", "tcpmon.dll", "WSDMon.dll", "APMon.dll", "FXSMON.DLL", "msonpmon.dll", "AppMon.dll", "inetpp.dll"),
		"the print spooler loads this library at each start; make sure that it is wanted"},
	{autorun, []string{`ANY\Software\Microsoft\Active Setup\Installed Components\*`}, []string{"StubPath"}, isAny,
		"Windows runs this once for each user at logon; make sure that it is wanted"},
	{autorun, []string{`ANY\Software\Microsoft\Command Processor`}, []string{"AutoRun"}, isAny,
		"each command prompt runs this first; make sure that it is wanted"},
	{autorun, []string{`HKCU\Environment`}, []string{"UserInitMprLogonScript"}, isAny,
		"Windows runs this script at each logon; make sure that it is wanted"},
	{autorun, []string{`HKLM\SOFTWARE\Microsoft\NetSh`}, []string{"*"}, otherThan("ifmon.dll", "rasmontr.dll", "authfwcfg.dll", "dhcpcmonitor.dll", "dot3cfg.dll", "fwcfg.dll", "hnetmon.dll", "netiohlp.dll",
		"nettrace.dll", "nshhttp.dll", "nshipsec.dll", "nshwfp.dll", "p2pnetsh.dll", "peerdistsh.dll", "rpcnsh.dll", "wcnnetsh.dll", "whhelper.dll", "wlancfg.dll", "wshelper.dll", "wwancfg.dll", "mdmnsh.dll"),
		"netsh loads this library at each start; make sure that it is wanted"},
	{autorun, []string{`ANY\Software\Microsoft\Windows\CurrentVersion\ShellServiceObjectDelayLoad`, `ANY\Software\Microsoft\Windows\CurrentVersion\Explorer\SharedTaskScheduler`},
		[]string{"*"}, isAny, "Explorer loads this at each start; make sure that it is wanted"},
}

func visitUserCOM(p *pass, c *Check, s *regfile.Statement) {
	if n := len(p.pathNames); n != 4 || p.pathNames[0] != "HKCR" || len(s.Edits) == 0 || s.Deletes {
		return
	}
	if p.pathNames[1] != "CLSID" || !strings.HasPrefix(p.section.folded, "HKEY_CURRENT_USER") && !strings.HasPrefix(p.section.folded, "HKEY_USERS") {
		return
	}
	value := &s.Edits[len(s.Edits)-1].Value
	switch p.pathNames[3] {
	case "INPROCSERVER32", "INPROCSERVER", "LOCALSERVER32", "LOCALSERVER", "SCRIPTLETURL", "TREATAS":
		if value.Name == "" && isAny(value) {
			p.report(c, s, s.Name,
				"this registers a COM server for one user, in front of those of the computer; register it below HKEY_LOCAL_MACHINE, or make sure that it is wanted")
		}
	}
}

// runsCode are programs that run code from a URL.
var runsCode = []string{"mshta", "powershell", "pwsh", "regsvr32", "rundll32", "wscript", "cscript", "certutil", "bitsadmin", "msiexec", "curl"}

func visitCommandVerb(p *pass, c *Check, s *regfile.Statement) {
	if n := len(p.pathNames); n < 4 || p.pathNames[n-1] != "COMMAND" || p.pathNames[n-3] != "SHELL" || len(s.Edits) == 0 || s.Deletes {
		return
	}
	value := &s.Edits[len(s.Edits)-1].Value
	if value.Name != "" || value.Type != hive.SZ && value.Type != hive.ExpandSZ {
		return
	}
	text, _ := value.Text()
	if what := remoteCode(text); what != "" {
		p.report(c, s, s.Data, "the command %s; every user who opens such a file runs it; install the program and write its path", what)
	}
}

// remoteCode returns why a command line is suspicious, or "".
func remoteCode(text string) string {
	var computer command.Machine // of which the file tells nothing
	line := computer.Read(text)
	if computer.In(computer.Resolve(line.Program), otherComputers) == command.Yes {
		return "starts a program from another computer"
	}
	lower := strings.ToLower(text)
	if strings.Contains(lower, "powershell") || strings.Contains(lower, "pwsh") {
		for word := range strings.FieldsSeq(strings.ToLower(line.Arguments)) {
			// PowerShell takes each beginning of -EncodedCommand.
			if flag, ok := strings.CutPrefix(word, "-e"); ok && strings.HasPrefix("ncodedcommand", flag) || word == "-ec" {
				return "passes encoded code to PowerShell, which nobody can read"
			}
		}
	}
	if strings.Contains(lower, "mshta") && (strings.Contains(lower, "vbscript:") || strings.Contains(lower, "javascript:")) {
		return "passes a script to mshta"
	}
	if strings.Contains(lower, "http://") || strings.Contains(lower, "https://") {
		for _, name := range runsCode {
			if strings.Contains(lower, name) {
				return "passes a URL to " + name
			}
		}
	}
	return ""
}
