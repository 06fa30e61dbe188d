package lint

import "strings"

const (
	exampleKey  = `[HKEY_LOCAL_MACHINE\SOFTWARE\Example]` + "\n"
	header5     = "Windows Registry Editor Version 5.00\n\n"
	policyKey   = `[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System]` + "\n"
	lsaKey      = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa]` + "\n"
	defenderKey = `[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender]` + "\n"
	guardKey    = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\DeviceGuard`
	serviceKey  = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\`
	deleteKey   = `[-HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\`
	logonKey    = `[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon]` + "\n"
	commandKey  = `[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Example.File\shell\open\command]` + "\n"
	sessionKey  = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager`
)

// each returns an example for each text below the header of version 5.00.
func each(texts ...string) (all []Example) {
	for _, text := range texts {
		all = append(all, version5(text))
	}
	return all
}

// Variants are more examples like [Check.Bad], by the ID of their check, so that there is one for every message.
var Variants = map[string][]Example{
	"REG001": {
		{Encoding: Raw},
		{Text: "regf\x01\x00\x00\x00\x01\x00\x00\x00", Encoding: Raw},
		{Text: "MZ\x90\x00\x03\x00\x00\x00", Encoding: Raw},
		{Text: "\n" + header5 + exampleKey},
		{Text: "windows registry editor version 5.00\n\n" + exampleKey},
		{Text: "regedit4\n\n" + exampleKey, Encoding: UTF8},
		{Text: exampleKey},
		{Text: "REGEDIT5\n\n" + exampleKey},
		{Text: "REGEDIT settings of the example\n\n" + exampleKey},
		{Text: "REGEDIT\n\n" + exampleKey + "\"Enabled\"=dword:00000001\n", Encoding: UTF8},
		{Text: "\ufeff" + header5 + exampleKey},
	},
	"REG032": each(exampleKey + "\ufeffREGEDIT4\n" + exampleKey),
	"REG002": {
		{Text: "Windows Registry Editor Version 5.00  \n\n" + exampleKey},
		{Text: "REGEDIT4 \n\n" + exampleKey, Encoding: UTF8},
	},
	"REG004": each(
		exampleKey+"[ HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n",
		exampleKey+"[ -HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n",
		exampleKey+"[- HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n",
		exampleKey+"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache\n\"Enabled\"=dword:00000001\n",
		exampleKey+"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\\n  Cache]\n",
		exampleKey+"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache ; the cache\n",
		exampleKey+"HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache\n\"Limit\"=dword:00000010\n",
		exampleKey+"HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n",
		"-[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n",
	),
	"REG005": each(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example] ; see [1]` + "\n"),
	"REG007": each(exampleKey + "“Enabled”\n"),
	"REG008": each(
		exampleKey+`"Enabled`+"\n",
		exampleKey+`'Enabled'=dword:00000001`+"\n",
		exampleKey+`“Enabled”=dword:00000001`+"\n",
	),
	"REG009": each(
		exampleKey+`"Folder"="C:\\Temp\"`+"\n",
		exampleKey+`"Folder"="C:\\Temp`+"\n",
		exampleKey+`"Folder"="C:\\Temp" or so`+"\n",
		exampleKey+`"Folder"="C:\\Temp""`+"\n",
		exampleKey+`"Enabled"="dword"=00000001`+"\n",
	),
	"REG021": each(exampleKey + "REM Settings of the example\n"),
	"REG010": each(exampleKey + `"a\b"="C:\\Temp"` + "\n"),
	"REG011": each(
		exampleKey+`"Enabled"=dword:`+"\n",
		exampleKey+`"Enabled"=dword:0x1`+"\n",
		exampleKey+`"Enabled"=dword:1 2`+"\n",
		exampleKey+`"Enabled"=dword:-1`+"\n",
		exampleKey+`"Enabled"=dword:-10`+"\n",
		exampleKey+`"Enabled"=dword:-x`+"\n",
		exampleKey+`"Enabled"=dword:10 ms`+"\n",
		exampleKey+`"Enabled"=dword:4294967295`+"\n",
		exampleKey+`"Enabled"=dword:00000001"`+"\n",
		exampleKey+`"Enabled"=dword:1.5`+"\n",
	),
	"REG012": each(exampleKey + `"Enabled"=dword:10` + "\n"),
	"REG013": each(
		exampleKey+`"Data"=hex:01,002`+"\n",
		exampleKey+`"Data"=hex:01,,02`+"\n",
		exampleKey+`"Data"=hex:01-02`+"\n",
		exampleKey+`"Data"=hex:01,g2`+"\n",
	),
	"REG014": each(
		exampleKey+`"Data"=hex(2)25,00,00,00`+"\n",
		exampleKey+`"Data"=hex():25,00`+"\n",
		exampleKey+`"Data"=hex(123456789):25,00`+"\n",
		exampleKey+`"Data"=hex(g):25,00`+"\n",
	),
	"REG015": each(
		exampleKey+"\"Data\"=hex:01,\\ and\n  02\n",
		exampleKey+"\"Data\"=hex:01\\\n  ,02\n",
		exampleKey+"\"Data\"=hex:01,\\\n  ,02\n",
	),
	"REG016": each(exampleKey + "\"Data\"=hex:01,02\n  03,04\n"),
	"REG017": each(exampleKey + "\"Data\"=hex:01,02,\\\n"),
	"REG018": each(
		exampleKey+`"Enabled"`+"\n",
		exampleKey+`"Enabled"=`+"\n",
		exampleKey+`"Enabled"=1`+"\n",
		exampleKey+`"Enabled"=qword:10`+"\n",
		exampleKey+`"Enabled"=sz:on`+"\n",
		exampleKey+`"Enabled=dword:00000001"`+"\n",
	),
	"REG020": each(
		exampleKey+`"Enabled"=- // off`+"\n",
		exampleKey+`"Data"=hex:01 # on`+"\n",
	),
	"REG023": append(each(
		`[Computer\HKEY_LOCAL_MACHINE\SOFTWARE\Example]`+"\n",
		`[\SOFTWARE\Example]`+"\n",
		`[HKEY_LOCAL_MACHINE/SOFTWARE/Example]`+"\n",
		`[SOFTWARE\Example]`+"\n",
		`[-SOFTWARE\Example]`+"\n",
	), Example{Text: "REGEDIT\n  HKEY_CLASSES_ROOT\\.example = Example.File\nhkey_classes_root\\.example = Example.File\n", Encoding: UTF8}),
	"REG024": each(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example\]` + "\n"),
	"REG025": each(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example ]` + "\n"),
	"REG026": each(
		`[HKEY_LOCAL_MACHINE\SOFTWARE`+strings.Repeat(`\a`, 513)+"]\n",
		exampleKey+`"`+strings.Repeat("a", 16384)+`"="x"`+"\n",
	),
	"REG027": each(exampleKey + `"Data"=hex:01, 02` + "\n"),
	"REG028": each(
		exampleKey+"\"Data\"=hex:01,02,\\\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n",
		exampleKey+"\"Data\"=hex:01,02,\\\nor so\n",
	),
	"REG031": each(exampleKey + `" Enabled"=-` + "\n"),
	"REG101": {
		{Text: "REGEDIT4\n\n" + exampleKey + "\"Owner\"=hex(2):4d,fc,6c,6c,65,72,00\n", Encoding: UTF8},
		{Text: "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\M\x81ller]\n", Encoding: Raw},
	},
	"REG102": {
		{Text: "REGEDIT4\n\n" + exampleKey + "\"Owner\"=hex(2):4d,00\n", Encoding: UTF8BOM},
	},
	"REG103": {
		{Text: "REGEDIT4\n\n" + exampleKey + "\"Owner\"=hex(2):4d,00\n"},
	},
	"REG104": {
		{Text: header5 + exampleKey, Encoding: UTF16BE},
	},
	"REG105": {
		version5(exampleKey + "\"Owner\"=\"M\uFFFDller\"\n"),
		version5(exampleKey + "\"Owner\"=\"M\x00ller\"\n"),
		{Text: "\xEF\xBB\xBF" + header5 + exampleKey + "\"Owner\"=\"M\xFCller\"\n", Encoding: Raw},
		{Text: "\xFF\xFE" + wideASCII("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\A]\r\n") + ";", Encoding: Raw},
	},
	"REG106": {
		{Text: header5 + exampleKey, LineEnd: "\r"},
	},
	"REG108": each(
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u202emple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u00a0mple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa“mple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u200dmple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u061cmple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u180emple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u2003mple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\tmple]\n",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u0085mple]\n",
		exampleKey+"\"Folder\"=\"C:\\\\Program\u00a0Files\"\n",
		exampleKey+"\"Enabled\"=dword:00000001 ; \u202enwo\u202c\n",
	),
	"REG110": {
		{Text: header5 + exampleKey, LineEnd: "\r\r\n"},
	},
	"REG111": each(
		exampleKey+"\ufeff[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\Cache]\n\"Limit\"=dword:00000010\n",
		exampleKey+"\u00a0\n",
		exampleKey+"\"Enabled\"\u00a0=dword:00000001\n",
		exampleKey+"\"Enabled\"=\u00addword:00000001\n",
		exampleKey+"\"Enabled\"=dword:00000001\u200e\n",
		exampleKey+"\"Data\"=hex:01,\\\n\u00a0 02\n",
	),
	"REG201": each(exampleKey + "\"Enabled\"=dword:00000001\n\"Enabled\"=-\n"),
	"REG206": each(
		exampleKey+`"Name"=hex(2):61,00`+"\n",
		exampleKey+`"Name"=hex(2):61,00,00`+"\n",
		exampleKey+`"Names"=hex(7):61,00,62,00`+"\n",
	),
	"REG207": each(exampleKey + `"Limit"=hex(4):10,00` + "\n"),
	"REG209": {version4(exampleKey + `"Folder"=hex(2):25,00,54,00,45,00,4d,00,50,00,25,00,00,00` + "\n")},
	"REG217": each(
		exampleKey+`"Data"="hex(2):25,00,00,00"`+"\n",
		exampleKey+`"Enabled"="REG_DWORD:1"`+"\n",
		exampleKey+`"Folder"="REG_SZ:C:\\Example"`+"\n",
	),
	"REG211": each(exampleKey + `"@"="text"` + "\n"),
	"REG302": each(
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Example]` + "\n\n" + `[HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Other]` + "\n"),
	"REG307": each(
		`[HKEY_PERFORMANCE_DATA\Example]`+"\n",
		`[HKEY_LOCAL_MACHINE\SAM\Example]`+"\n",
		`[HKEY_CURRENT_USER\Volatile Environment]`+"\n",
		`[HKEY_CURRENT_CONFIG\Software]`+"\n",
	),
	"REG308": each(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows Defender\Features]` + "\n\"TamperProtection\"=dword:00000005\n"),
	"REG309": each(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\AFD\Parameters]` + "\n\"EnableDynamicBacklog\"=dword:00000001\n"),
	"REG311": each(
		"[HKEY_LOCAL_MACHINE\\Microsoft\\Windows]\n",
		"[HKEY_USERS\\Software\\Example]\n",
		"[HKEY_LOCAL_MACHINE\\HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n",
		"[HKEY_LOCAL_MACHINE\\SOFWARE\\Example]\n",
	),
	"REG401": each(
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe]`+"\n\"VerifierDlls\"=\"a.dll\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SilentProcessExit\sethc.exe]`+"\n\"MonitorProcess\"=\"a.exe\"\n",
	),
	"REG402": each(
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce]`+"\n\"Example\"=\"C:\\\\Example\\\\run.exe\"\n",
		logonKey+"\"Shell\"=\"a.exe\"\n\"Userinit\"=\"a.exe\"\n\"Taskman\"=\"a.exe\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\Example]`+"\n\"DLLName\"=\"a.dll\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows]`+"\n\"AppInit_DLLs\"=\"a.dll\"\n\"LoadAppInit_DLLs\"=dword:00000001\n",
		`[HKEY_CURRENT_USER\Software\Microsoft\Windows NT\CurrentVersion\Windows]`+"\n\"Load\"=\"a.exe\"\n",
		sessionKey+"]\n\"BootExecute\"=\"a.exe\"\n",
		sessionKey+"\\AppCertDlls]\n\"Example\"=\"a.dll\"\n",
		lsaKey+"\"Security Packages\"=\"a\"\n",
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa\OSConfig]`+"\n\"Security Packages\"=\"a\"\n",
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders]`+"\n\"SecurityProviders\"=\"a.dll\"\n",
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Print\Monitors\Example]`+"\n\"Driver\"=\"a.dll\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Active Setup\Installed Components\Example]`+"\n\"StubPath\"=\"a.exe\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Command Processor]`+"\n\"AutoRun\"=\"a.exe\"\n",
		`[HKEY_CURRENT_USER\Environment]`+"\n\"UserInitMprLogonScript\"=\"a.cmd\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\NetSh]`+"\n\"Example\"=\"a.dll\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\ShellServiceObjectDelayLoad]`+"\n\"Example\"=\"{01234567-89ab-cdef-0123-456789abcdef}\"\n",
	),
	"REG403": each(
		defenderKey+"\"DisableAntiSpyware\"=dword:00000001\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender\Spynet]`+"\n\"DisableBlockAtFirstSeen\"=dword:00000001\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows Defender\Features]`+"\n\"TamperProtection\"=dword:00000000\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender\Exclusions\Paths]`+"\n\"C:\\\\Example\"=dword:00000000\n",
		serviceKey+"WinDefend]\n\"Start\"=dword:00000004\n",
		deleteKey+"WinDefend]\n",
		`[HKEY_CURRENT_USER\Software\Microsoft\Windows Script\Settings]`+"\n\"AmsiEnable\"=dword:00000000\n",
		`[-HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\AMSI\Providers]`+"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\System]`+"\n\"EnableSmartScreen\"=dword:00000000\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer]`+"\n\"SmartScreenEnabled\"=\"Off\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Edge]`+"\n\"SmartScreenEnabled\"=dword:00000000\n",
		`[HKEY_CURRENT_USER\Software\Microsoft\Edge\SmartScreenEnabled]`+"\n@=dword:00000000\n",
		`[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\AppHost]`+"\n\"EnableWebContentEvaluation\"=dword:00000000\n",
	),
	"REG404": each(
		policyKey+"\"ConsentPromptBehaviorAdmin\"=dword:00000000\n\"PromptOnSecureDesktop\"=dword:00000000\n\"LocalAccountTokenFilterPolicy\"=dword:00000001\n",
		lsaKey+"\"RunAsPPL\"=dword:00000000\n\"LsaCfgFlags\"=dword:00000000\n",
		guardKey+"]\n\"EnableVirtualizationBasedSecurity\"=dword:00000000\n",
		guardKey+"\\Scenarios\\HypervisorEnforcedCodeIntegrity]\n\"Enabled\"=dword:00000000\n",
		guardKey+"\\Scenarios\\CredentialGuard]\n\"Enabled\"=dword:00000000\n",
	),
	"REG405": each(
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\WindowsFirewall\DomainProfile]`+"\n\"DefaultInboundAction\"=dword:00000000\n",
		serviceKey+"MpsSvc]\n\"Start\"=dword:00000004\n",
		deleteKey+"BFE]\n",
	),
	"REG406": each(
		`[HKEY_CURRENT_USER\Software\TightVNC\Server]`+"\n\"Password\"=hex:01,02,03,04,05,06,07,08\n",
		`[HKEY_CURRENT_USER\Software\SimonTatham\PuTTY\Sessions\Example]`+"\n\"ProxyPassword\"=\"example\"\n",
		`[HKEY_CURRENT_USER\Software\Martin Prikryl\WinSCP 2\Sessions\Example]`+"\n\"Password\"=\"example\"\n",
		`[HKEY_LOCAL_MACHINE\SOFTWARE\TeamViewer]`+"\n\"PermanentPassword\"=hex:01,02,03\n",
	),
	"REG407": each("[-HKEY_LOCAL_MACHINE]\n", "[-HKEY_CLASSES_ROOT\\exefile]\n"),
	"REG408": each(
		serviceKey+"Example]\n\"ImagePath\"=\"C:\\\\Example\\\\service.exe\"\n",
		serviceKey+"Example\\Parameters]\n\"ServiceDll\"=\"C:\\\\Example\\\\service.dll\"\n",
	),
	"REG409": each(
		commandKey+`@="\\\\server\\share\\run.exe \"%1\""`+"\n",
		commandKey+`@="powershell.exe -enc QQBCAEMA"`+"\n",
		commandKey+`@="mshta.exe vbscript:Close()"`+"\n",
	),
	"REG410": each(
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Client]`+"\n\"DisabledByDefault\"=dword:00000000\n",
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Ciphers\RC4 128/128]`+"\n\"Enabled\"=dword:ffffffff\n",
		serviceKey+"LanmanServer\\Parameters]\n\"SMB1\"=dword:00000001\n",
		serviceKey+"mrxsmb10]\n\"Start\"=dword:00000002\n",
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest]`+"\n\"UseLogonCredential\"=dword:00000001\n",
		lsaKey+"\"LmCompatibilityLevel\"=dword:00000002\n\"NoLMHash\"=dword:00000000\n",
		serviceKey+"LanmanWorkstation\\Parameters]\n\"AllowInsecureGuestAuth\"=dword:00000001\n",
	),
	"REG502": each(
		exampleKey+"\"Data\"=hex:01,02,\n",
		exampleKey+"\"Data\"=hex:"+strings.Repeat("00,", 22)+"\\\n 03,04\n",
		exampleKey+"\"Data\"=hex:01,02,\\\n  03,04\n",
		exampleKey+"\"Data\"=hex:"+strings.Repeat("00,", 30)+"00\n",
		exampleKey+"\"Enabled\"=dword:0000000A\n",
	),
	"REG503": each(exampleKey + "\"Enabled\"=dword:00000001 \n"),
	"REG504": each(
		exampleKey+"\"Enabled\"=dword:00000001 ; regvet:ignored REG012 -- why\n",
		exampleKey+"\"Enabled\"=dword:00000001 ; regvet: ignore REG012 -- why\n",
		exampleKey+"\"Enabled\"=dword:00000001 ; regvet:ignore -- why\n",
		exampleKey+"\"Enabled\"=dword:00000001 ; regvet:ignore REG999 -- why\n",
		exampleKey+"\"Enabled\"=dword:00000001 ; regvet:ignore all -- why\n",
	),
}

// wideASCII returns ASCII text as the bytes of UTF-16.
func wideASCII(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}
