package lint

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/command"
	"regvet/hive/regfile"
)

// The checks on secrets, deleted keys, services and certificates.
var (
	storedSecret = &Check{
		ID: "REG406", Name: "stored-secret", Severity: Error,
		Title: "The file holds a password",
		Explanation: `A .reg file is text that is kept in repositories and on shares. Everyone who can read the file can read the password
in it, even if it is scrambled: the keys that VNC, WinSCP and others use for that are public. Windows keeps it in the registry in the same
form.

Remove the password from the file and from its history, change it, and set it on the computer by other means.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon]
"DefaultPassword"="example"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon]
"DefaultPassword"=-
`),
		References: []string{"https://attack.mitre.org/techniques/T1552/002/"},
		visit:      visitPatternValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}

	wideDeletion = &Check{
		ID: "REG407", Name: "wide-deletion", Severity: Error,
		Title: "A key that much else depends on is deleted",
		Explanation: `[-KEY] deletes the key with everything below it, and there is no way back. This key holds a whole hive, all
services, all file types or everything about a user; without it Windows, or the account, no longer works. A root itself cannot be deleted:
Windows ignores such a line.

Name the keys below it that are to be deleted.`,
		Bad: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft]
`),
		Good: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Example]
`),
		codes: []regfile.Code{regfile.KeyDeletesRoot}, say: sayWideDeletion,
		visit: visitWideDeletion, kinds: []regfile.Kind{regfile.KeyLine}, finish: finishWideDeletion,
	}

	servicePath = &Check{
		ID: "REG408", Name: "service-path", Severity: Warning,
		Title: "A service runs a program from outside of Windows, or its path has no quotes",
		Explanation: `ImagePath and ServiceDll name what a service runs, mostly with all rights on the computer. If the path has a blank
and no quotes, Windows tries the part before the blank first: whoever can write C:\Program.exe has the rights of the service. A program
outside of the Windows folder is worth a look: installers set up such services, and so do intruders.

Put the path in quotes, and make sure that only administrators can write to its folder.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example]
"ImagePath"="C:\\Program Files\\Example\\service.exe"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example]
"ImagePath"="System32\\drivers\\example.sys"
`),
		References: []string{"https://attack.mitre.org/techniques/T1574/009/", "https://attack.mitre.org/techniques/T1543/003/"},
		visit:      visitServicePath, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}

	trustedCertificate = &Check{
		ID: "REG411", Name: "trusted-certificate", Severity: Warning,
		Title: "A certificate is put into a store of those that Windows trusts",
		Explanation: `Whoever has the private key of a certificate in the root store can pose as any web site and sign any program. In a
.reg file a certificate is a row of bytes, and nobody sees whose it is.

Make sure whose it is, or install it with certutil or a policy, from a file that can be inspected.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates\0123456789ABCDEF0123456789ABCDEF01234567]
"Blob"=hex:03,00,00,00,01,00,00,00
`),
		Good: version5(`[-HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates\0123456789ABCDEF0123456789ABCDEF01234567]
`),
		References: []string{"https://attack.mitre.org/techniques/T1553/004/"},
		visit:      visitPatternValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}
)

const secret = "this is a password, and everyone who can read the file can read it; remove it from the file and change it"

// secretPatterns are values that hold passwords, or certificates that Windows trusts. Source: the documentation of the programs.
var secretPatterns = []pattern{
	{storedSecret, []string{winlogon}, []string{"DefaultPassword", "AltDefaultPassword"}, isAny, secret},
	{storedSecret, []string{`ANY\Software\RealVNC\*`, `ANY\Software\ORL\*`, `ANY\Software\ORL\WinVNC3\Default`, `ANY\Software\TightVNC\*`, `ANY\Software\TigerVNC\*`, `ANY\Software\UltraVNC\*`,
		`ANY\Software\UltraVNC`, `ANY\Software\TurboVNC\*`}, []string{"Password", "PasswordViewOnly", "ControlPassword", "AdminPassword", "UserPassword"}, isAny, secret},
	{storedSecret, []string{`HKCU\Software\SimonTatham\PuTTY\Sessions\*`}, []string{"ProxyPassword"}, isAny, secret},
	{storedSecret, []string{`HKCU\Software\Martin Prikryl\WinSCP 2\Sessions\*`},
		[]string{"Password", "PasswordPlain", "ProxyPassword", "ProxyPasswordEnc", "Passphrase"}, isAny,
		secret},
	{storedSecret, []string{`HKLM\SOFTWARE\TeamViewer`, `HKLM\SOFTWARE\TeamViewer\*`},
		[]string{"SecurityPasswordAES", "OptionsPasswordAES", "ProxyPasswordAES", "PermanentPassword", "SecurityPasswordExported"}, isAny,
		secret},
	{trustedCertificate, []string{`ANY\Software\Microsoft\SystemCertificates\ROOT\Certificates\*`, `ANY\Software\Microsoft\SystemCertificates\AuthRoot\Certificates\*`,
		`ANY\Software\Microsoft\SystemCertificates\CA\Certificates\*`, `ANY\Software\Microsoft\SystemCertificates\TrustedPublisher\Certificates\*`,
		`ANY\Software\Policies\Microsoft\SystemCertificates\ROOT\Certificates\*`, `ANY\Software\Policies\Microsoft\SystemCertificates\CA\Certificates\*`,
		`ANY\Software\Policies\Microsoft\SystemCertificates\TrustedPublisher\Certificates\*`, `HKLM\SOFTWARE\Microsoft\EnterpriseCertificates\ROOT\Certificates\*`},
		[]string{"Blob"}, isAny, "this makes Windows trust a certificate; make sure whose it is"},
}

const wide = "this deletes everything below the key, which Windows or the account needs; name the keys below it that are to be deleted"

// deletionPatterns are keys whose subkeys Windows needs.
var deletionPatterns = []pattern{
	{wideDeletion, []string{
		`HKLM\SOFTWARE`, `HKLM\SYSTEM`, `HKLM\SAM`, `HKLM\SECURITY`, `HKLM\HARDWARE`, `HKLM\BCD00000000`, `HKLM\COMPONENTS`, `HKLM\DRIVERS`,
		`HKLM\SAM\SAM`, `HKLM\SECURITY\Policy`,
		`HKLM\SOFTWARE\Microsoft`, `HKLM\SOFTWARE\Policies`, `HKLM\SOFTWARE\Policies\Microsoft`,
		`HKLM\SOFTWARE\Microsoft\Windows`, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion`, `HKLM\SOFTWARE\Microsoft\Windows NT`, `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`,
		`HKLM\SOFTWARE\Microsoft\Cryptography`, `HKLM\SOFTWARE\Microsoft\COM3`, `HKLM\SOFTWARE\Microsoft\Ole`,
		`HKLM\SYSTEM\CurrentControlSet`, `HKLM\SYSTEM\CurrentControlSet\Control`, `HKLM\SYSTEM\CurrentControlSet\Enum`, `HKLM\SYSTEM\CurrentControlSet\Services`,
		`HKLM\SYSTEM\CurrentControlSet\Control\Class`, `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`, `HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot`,
		`HKLM\SYSTEM\CurrentControlSet\Control\Lsa`, `HKLM\SYSTEM\Select`, `HKLM\SYSTEM\Setup`, `HKLM\SYSTEM\MountedDevices`, `HKLM\SYSTEM\DriverDatabase`,
		`HKCU`, `HKCU\Software`, `HKCU\Control Panel`, `HKCU\Environment`, `HKCU\Software\Microsoft`, `HKCU\Software\Policies`,
		`HKCU\Software\Microsoft\Windows`, `HKCU\Software\Microsoft\Windows\CurrentVersion`, `HKCU\Software\Microsoft\Windows NT`, `HKCU\Software\Microsoft\Windows NT\CurrentVersion`,
		`HKCR`, `HKCR\CLSID`, `HKCR\Interface`, `HKCR\TypeLib`, `HKCR\AppID`, `HKCR\PROTOCOLS`, `HKCR\Component Categories`, `HKCR\Directory`, `HKCR\Folder`, `HKCR\Drive`,
		`HKCR\AllFilesystemObjects`, `HKCR\Unknown`, `HKCR\exefile`, `HKCR\dllfile`, `HKCR\lnkfile`, `HKCR\batfile`, `HKCR\cmdfile`, `HKCR\comfile`, `HKCR\regfile`,
		`HKCR\.exe`, `HKCR\.dll`, `HKCR\.lnk`, `HKCR\.bat`, `HKCR\.cmd`, `HKCR\.com`, `HKCR\.reg`, `HKCR\~*`,
	}, nil, nil, wide},
}

func sayWideDeletion(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	p.report(c, s, s.Name, "%s; name the keys below it that are to be deleted", f.Msg)
}

// wideNote is the deletion of a file type. It is reported only if the file does not make the type anew further down, as files do that
// reset one.
type wideNote struct {
	first
	folded string
}

func visitWideDeletion(p *pass, c *Check, s *regfile.Statement) {
	switch {
	case len(s.Edits) == 0:
	case !s.Deletes:
		p.wide = slices.DeleteFunc(p.wide, func(w *wideNote) bool { return w.folded == p.section.folded })
	case len(p.pathNames) == 2 && p.pathNames[0] == "HKCR":
		if slices.ContainsFunc(p.matched, func(w *pattern) bool { return w.check == c }) && len(p.wide) < 100 {
			note := &wideNote{folded: p.section.folded}
			note.note(s, s.Name)
			p.wide = append(p.wide, note)
		}
	default:
		visitDeletedPattern(p, c, s)
	}
}

func finishWideDeletion(p *pass, c *Check) {
	for _, note := range p.wide {
		p.reportFirst(c, &note.first, wide)
	}
}

// servicePatterns are the values that name what a service runs.
var servicePatterns = []pattern{
	{servicePath, []string{services + `\*`}, []string{"ImagePath"}, nil, "the program of a service"},
	{servicePath, []string{services + `\*`, services + `\*\Parameters`}, []string{"ServiceDll"}, nil, "the library of a service"},
}

func visitServicePath(p *pass, c *Check, s *regfile.Statement) {
	if s.Deletes || len(s.Edits) == 0 {
		return
	}
	value := &s.Edits[0].Value
	w := p.match(c, value)
	if w == nil {
		return
	}
	text, err := value.Text()
	if err != nil || text == "" {
		return
	}
	var computer command.Machine // of which the file tells nothing
	line := computer.Read(text)
	driver, named := strings.HasSuffix(hive.Fold(line.Program), ".SYS"), !strings.ContainsAny(line.Program, `\/`)
	if hive.EqualFold(value.Name, "ImagePath") && !driver && !named && len(line.Earlier()) > 0 { // of a driver, Windows tries nothing else
		p.report(c, s, s.Data,
			`the path of the service has a blank and no quotes; Windows tries the part before the blank first; write \" around the path`)
		return
	}
	if driver && named {
		return // Windows looks for it in its own folder
	}
	if path := computer.Resolve(line.Program); computer.In(path, windowsFolder) == command.Yes && computer.In(path, writableFolders) == command.No {
		return
	}
	p.report(c, s, s.Data,
		"this sets %s to one outside of the folder of Windows; Windows runs it with high rights; make sure that it is wanted, and that only administrators can write there", w.what)
}

// Where a program of Windows is, unless users can write there, and where one of another computer is.
var windowsFolder, writableFolders, otherComputers = folder("windows"), folder("user_writable"), folder("network")

// folder returns the class of folders of that name.
func folder(name string) command.Folder {
	f, err := command.ParseFolder(name)
	if err != nil {
		panic(err) // the name is part of the program
	}
	return f
}
