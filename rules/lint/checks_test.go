package lint

import (
	"slices"
	"strings"
	"testing"
)

// TestTuned tests what the examples of the checks do not show: lines that are close to a finding but are none, and other forms of a
// finding. The lines are below the header of version 5.00.
func TestTuned(t *testing.T) {
	const (
		example  = `[HKEY_LOCAL_MACHINE\SOFTWARE\Example]` + "\n"
		policies = `[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System]` + "\n"
		logon    = `[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon]` + "\n"
		service  = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example]` + "\n"
		defend   = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\WinDefend]` + "\n"
		command  = `[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Example\shell\open\command]` + "\n"
	)
	for _, c := range []struct{ name, in, want string }{
		{"a comment behind a key", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example] ; why\n", ""},
		{"a bracket in a comment behind a key", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example] ; see [1]\n", "REG005"},
		{"a bracket in the name of a key", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example [1]]\n", ""},
		{"the address bar", "[Computer\\HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", "REG023 REG212"},
		{"slashes", "[HKEY_LOCAL_MACHINE/SOFTWARE/Example]\n", "REG023 REG212"},
		{"another root", "[HKEY_PERFORMANCE_DATA\\Example]\n", "REG212 REG307"},
		{"no root", "[\\SOFTWARE\\Example]\n", "REG023 REG212"},
		{"a split key", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\n Two]\n", "REG004 REG212"},
		{"a lost key", example + "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other\n\"A\"=\"x\"\n", "REG004 REG004"},
		{"a key without brackets", example + "HKLM\\SOFTWARE\\Other\n\"A\"=\"x\"\n", "REG004 REG004"},
		{"a key in other brackets", example + "  <HKEY_CURRENT_USER\\Software\\Other>\n", "REG004"},
		{"a key with brackets in its name", example + "HKEY_CURRENT_USER\\Software\\Other [1]]\n", "REG004"},
		{"a key behind something", example + "\\[HKEY_CURRENT_USER\\Software\\Other] ; why\n", "REG004"},
		{"a deletion without brackets", example + "-HKEY_CURRENT_USER\\Software\\Other\n", "REG004"},
		{"a line that names a key", example + "see HKEY_CURRENT_USER\\Software\\Other\n", "REG007"},
		{"a line that names a key in brackets", example + "see [HKEY_CURRENT_USER\\Software\\Other] for more\n", "REG007"},
		{"a value in the way of Windows 3.1", example + "HKEY_CLASSES_ROOT\\.a = b\n", "REG008"},
		{"a commented key", example + "\"A\"=\"x\"\n\n; [-HKLM\\SOFTWARE\\Other]\n; more\n\"B\"=\"x\"\n", ""},
		{"a commented key and a value", example + "\"A\"=\"x\"\n\n; [HKLM\\SOFTWARE\\Other]\n; more\n\"B\"=\"x\"\n", "REG030"},
		{"another name of the key, commented", example + "; [HKLM\\SOFTWARE\\Other]\n\"B\"=\"x\"\n", ""},
		{"a commented key, then an empty line", example + "\"A\"=\"x\"\n\n; [HKLM\\SOFTWARE\\Other]\n\n\"B\"=\"x\"\n", ""},
		{"a comment about a key", example + "\"A\"=\"x\"\n\n; as in [HKLM\\SOFTWARE\\Other]\n\"B\"=\"x\"\n", ""},
		{"a slash in a name", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\MIME\\Database\\Content Type\\text/html]\n", ""},
		{"a cipher", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Ciphers\\AES 128/128]\n\"Enabled\"=dword:ffffffff\n", ""},

		{"a path with a backslash at its end", example + `"A"="C:\\Temp\"` + "\n", "REG009"},
		{"0x", example + `"A"=dword:0x10` + "\n", "REG011"},
		{"no digits", example + `"A"=dword:` + "\n", "REG011"},
		{"a comment in place of the digits", example + `"A"=dword:# on` + "\n", "REG011"},
		{"a slash comment behind data", example + `"A"="x" // why` + "\n", "REG020"},
		{"a hash behind hex data", example + `"A"=hex:01 # why` + "\n", "REG020"},
		{"qword", example + `"A"=qword:1` + "\n", "REG018"},
		{"a hash in text", example + `"A"="x # y // z"` + "\n", ""},
		{"single quotes", example + `'A'="x"` + "\n", "REG008"},
		{"typographic quotes", example + "“A”=\"x\"\n", "REG008"},
		{"text that is no value", example + "a = b means that a is b\n", "REG008"},
		{"a sentence", example + "see a page = b\n", "REG007"},

		{"an empty line in hex data behind a quote", example + "\"A\\\"B\"=hex:01,\\\n\n  02\n", "REG017"},
		{"an empty line in hex data behind a lone CR", example + "\"A\"=hex:01,\\\r\n  02\n", "REG017 REG110"},
		{"an empty line in hex data behind a comment", example + "\"A\"=hex:01,\\\n; C:\\\n\n  02\n", "REG017"},

		{"lost backslashes before a comment and blanks", example + "\"A\"=hex:01,\n  02, 3, ; the rest\n  04\n", "REG016"},
		{"a word behind hex data", example + "\"A\"=hex:01\nadd a,b\n", "REG007"},

		{"characters that are not seen, in front", example + "\u200b\"A\"=\"x\"\n\ufeff\u00a0@=\"x\"\n \u200e; why\n\u00ad\n", "REG111 REG111 REG111 REG111"},
		{"in front of a key", example + "\u2066[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other]\n\u3000[-HKLM\\SOFTWARE\\Other]\n", "REG111 REG111"},
		{"around data", example + "\"A\"\u200b=\"x\"\n\"A\"=\u00a0\"x\"\n\"A\"=\"x\"\u200e\n\"A\"=dword:\u2003" + "1\n\"A\"=dword:0000\u00a0" + "0001\n\"A\"=-\u200b\n\"A\"=hex:01,\u00a0" + "02\n\"A\"=hex:01,\\\u00a0\n  02\n",
			"REG111 REG111 REG111 REG111 REG111 REG111 REG111 REG111"},
		{"programs of services", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\A]\n" +
			"\"ImagePath\"=\"C:/Windows/System32/a.exe\"\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\B]\n" +
			"\"ImagePath\"=\"\\\\??\\\\C:\\\\Windows\\\\System32\\\\drivers\\\\b c.sys\"\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\C]\n" +
			"\"ImagePath\"=\"C:\\\\Windows\\\\Tasks\\\\c.exe\"\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\D]\n" +
			"\"ImagePath\"=\"C:\\\\Program Files\\\\d.exe\"\n", "REG408 REG408"},
		{"in names", example + "\"A\u00adB\"=\"x\"\n\"A\tB\"=\"x\"\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\tmple]\n", "REG108 REG108 REG108"},
		{"in text for programs", example + "\"A\"=\"C:\\\\a\u200bb\"\n\"B\"=\"12\u00a0\"\n\"C\"=\"\u200eC:\\\\a\"\n\"D\"=\"{\u00ad0000}\"\n\"E\"=\"a\u202eb c\"\n\"F\"=\"a b\u00a0\"\n", "REG108 REG108 REG108 REG108 REG108 REG108"},
		{"in text for people", example + "\"A\"=\"10\u00a0% of all\"\n\"B\"=\"Caf\u00e9\u00a0du\u00a0Nord\"\n\"C\"=\"\u05d0\u05d1 \u200f(c)\"\n\"D\"=\"\u00a0\"\n\"E\"=\"a\tb\"\n; 1\u00a0000\t\u200f\n", "REG112 REG112 REG112 REG112 REG112"},

		{"keys that are almost those of Windows", "[HKEY_LOCAL_MACHINE\\Sofware\\A]\n[HKLM\\SYTSEM\\A]\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet001\\Services]\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentContrlSet\\A]\n" +
			"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Mircosoft\\A]\n[HKEY_USERS\\.DEFAULT\\Sofware\\A]\n[HKEY_USERS\\S-1-5-18\\Control Pannel]\n[-HKEY_LOCAL_MACHINE\\Sofware\\B]\n",
			"REG022 REG311 REG311 REG311 REG311 REG311 REG311 REG311 REG311"},
		{"paths that lack a part", "[HKEY_LOCAL_MACHINE\\ControlSet001\\Services]\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Services\\A]\n[HKEY_LOCAL_MACHINE\\classes\\A]\n[HKEY_CURRENT_USER\\Microsoft\\Windows]\n" +
			"[HKEY_USERS\\Control Panel\\A]\n[HKEY_LOCAL_MACHINE\\HKLM\\SOFTWARE]\n", "REG310 REG311 REG311 REG311 REG311 REG311 REG311"},
		{"loaded hives and other keys", "[HKEY_LOCAL_MACHINE\\zSOFTWARE\\Microsoft]\n[HKEY_LOCAL_MACHINE\\SYSTEM2\\ControlSet001]\n[HKEY_LOCAL_MACHINE\\OFFLINE\\Software]\n[HKEY_LOCAL_MACHINE\\SOFT\\Microsoft]\n" +
			"[HKEY_USERS\\DEFAULT\\Software]\n[HKEY_USERS\\Loaded\\Software]\n[HKEY_LOCAL_MACHINE\\BCD00000000\\A]\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Setup]\n" +
			"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft Example]\n[HKEY_LOCAL_MACHINE\\COMPONENTS]\n[HKEY_USERS\\S-1-5-18_Classes\\A]\n", ""},
		{"a mistake removed", "[-HKEY_LOCAL_MACHINE\\SYSTEM\\CurentControlSet]\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsft]\n", ""},
		{"handlers of the shell", "[HKEY_CURRENT_USER\\Software\\Classes\\*\\shellex\\ContextMenuHandlers\\ FileSyncEx]\n[HKEY_CURRENT_USER\\Software\\Classes\\A\\ShellEx\\PropertySheetHandlers\\   A\\B]\n" +
			"[HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\ShellIconOverlayIdentifiers\\ A]\n", ""},
		{"blanks at other edges of handlers", "[HKEY_CURRENT_USER\\Software\\Classes\\*\\shellex\\ContextMenuHandlers\\ A ]\n[HKEY_CURRENT_USER\\Software\\Handlers\\ A]\n" +
			"[HKEY_CURRENT_USER\\Software\\Classes\\A\\shellex\\ ContextMenuHandlers\\A]\n[HKEY_CURRENT_USER\\Software\\Classes\\A\\shellex\\DragDropHandlers\\ {0000}]\n", "REG025 REG025 REG025 REG025"},
		{"blanks in the names of values", example + "\"A \"=\"x\"\n\"\tB\"=-\n\" \"=\"x\"\n\"C D\"=\"x\"\n\"\"=\"x\"\n", "REG031 REG031 REG031 REG108"},
		{"default values by other names", example + "\"@\"=\"x\"\n\"(default)\"=-\n\"(Standard)\"=\"x\"\n\"(Par d\u00e9faut)\"=\"x\"\n", "REG211 REG211 REG211 REG211"},
		{"names like those of a default value", example + "\"Default\"=\"x\"\n\"@home\"=\"x\"\n\"(Defaults)\"=\"x\"\n\"()\"=\"x\"\n", ""},

		{"deletions below a deleted key", "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\"A\"=-\n@ = - ; why\n", "REG218 REG503"},
		{"deletions and values below a deleted key", "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\"A\"=-\n\"B\"=dword:1\n\"C\"=-\n\"D\"=\"x\"\n", "REG203 REG218"},
		{"a deletion above any key", "\"A\"=-\n", "REG006 REG212"},
		{"a deletion below a root", "[-HKEY_CURRENT_USER]\n\"A\"=-\n", "REG203 REG212 REG407"},

		{"comments of other languages", example + ":: a\nREM a\nrem\n@echo off\n@REM a\n-- a\n/* a */\n*/\n<# a #>\n<!-- a -->\n' a\n", strings.TrimSuffix(strings.Repeat("REG021 ", 11), " ")},
		{"lines that only look like comments", example + "remember\n@echoes\n", "REG007 REG018"},
		{"comments of other languages behind data", example + "\"A\"=dword:1 -- a\n\"B\"=\"x\" /* a */\n\"C\"=hex:01 :: a\n\"D\"=- rem a\n", "REG020 REG020 REG020 REG020"},
		{"hex digits that only look like a comment", example + "\"A\"=hex:01--02\n", "REG013"},

		{"the same data twice", example + "\"A\"=\"x\"\n\"a\"=\"x\"\n", ""},
		{"in two sections", example + "\"A\"=\"x\"\n[HKEY_LOCAL_MACHINE\\software\\EXAMPLE]\n\"a\"=\"y\"\n", "REG201 REG202 REG501"},
		{"in two keys", example + "\"A\"=\"x\"\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other]\n\"A\"=\"y\"\n", ""},
		{"set and deleted", example + "\"A\"=\"x\"\n\"A\"=-\n", "REG201"},
		{"deleted and set", example + "\"A\"=-\n\"A\"=\"x\"\n", ""},
		{"made anew", example + "\"A\"=\"x\"\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n" + example + "\"A\"=\"y\"\n", "REG204"},
		{"deleted from above", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\A\\B]\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", "REG204"},
		{"a neighbour deleted", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example2\\A]\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", ""},
		{"deleted twice", "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", ""},

		{"a placeholder", example + `"A"="\"C:\\a.exe\" \"%1\" %L %date% 100%"` + "\n", ""},
		{"a resource", example + `"A"="@%SystemRoot%\\system32\\a.dll,-1"` + "\n", ""},
		{"a command of cmd", example + `"A"="cmd.exe /c del %TEMP%\\a"` + "\n", ""},
		{"a variable in other letters", example + `"A"="%programfiles(X86)%\\a"` + "\n", "REG205"},
		{"text in UTF-16 beyond ASCII", example + "\"A\"=hex(2):2d,4e,87,65,2d,4e,87,65,2d,4e,87,65,00,00\n", ""},
		{"an empty list", example + "\"A\"=hex(7):00,00\n", ""},
		{"an odd number of bytes", example + "\"A\"=hex(2):61,00,00\n", "REG206"},
		{"files to rename", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager]\n" +
			"\"PendingFileRenameOperations\"=hex(7):61,00,00,00,00,00,62,00,00,00,00,00,00,00\n", ""},
		{"hex(4)", example + "\"A\"=hex(4):01,00,00,00\n", ""},
		{"bytes that are no number", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters]\n\"Other\"=hex:01,00,00,00\n", ""},

		{"types in quotes", example + `"A"="dword:1"` + "\n" + `"B"="DWORD:00000001"` + "\n" + `"C"="hex:ff"` + "\n" + `"D"="hex(7):41,00"` + "\n" + `"E"="qword:1"` + "\n" + `"F"=" dword: 0x10 "` + "\n" +
			`@="REG_EXPAND_SZ:%TMP%x"` + "\n", "REG205 REG217 REG217 REG217 REG217 REG217 REG217 REG217"},
		{"text that only starts like a type", example + `"A"="hex"` + "\n" + `"B"="dword: a number"` + "\n" + `"C"="hex:"` + "\n" + `"D"="hexagon:12"` + "\n" + `"E"="dword"` + "\n" + `"F"="hex(x):12"` + "\n" +
			`"G"="reg_sz"` + "\n" + `"H"="data:12"` + "\n" + `"I"="hex:12,zz"` + "\n", ""},

		{"a path of another kind", example + `"A"="D:\\Users"` + "\n", ""},
		{"a default user", example + `"A"="C:\\Users\\Default\\a"` + "\n", ""},
		{"a well-known SID", "[HKEY_USERS\\S-1-5-18\\Software\\Example]\n", ""},
		{"classes of a user", "[HKEY_USERS\\S-1-5-21-1-2-3-1001_Classes\\CLSID\\{A}\\InprocServer32]\n@=\"a.dll\"\n", "REG303 REG412"},
		{"HKEY_CURRENT_USER\\SOFTWARE", "[HKEY_CURRENT_USER\\SOFTWARE\\Example]\n", ""},

		{"two keys of one view", "[HKEY_CURRENT_CONFIG\\Software]\n[HKEY_CURRENT_CONFIG\\System]\n", "REG307"},
		{"two parts that are not kept", "[HKEY_LOCAL_MACHINE\\SAM\\A]\n[HKEY_LOCAL_MACHINE\\SAM\\B]\n[HKEY_LOCAL_MACHINE\\SECURITY\\A]\n", "REG307 REG307"},

		{"a debugger of none", `[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\a.exe]` + "\n\"Debugger\"=\"\"\n", ""},
		{"the shell of Windows", logon + `"Shell"="explorer.exe"` + "\n" + `"Userinit"="C:\\Windows\\system32\\userinit.exe,"` + "\n", ""},
		{"another shell", logon + `"Shell"="explorer.exe, a.exe"` + "\n", "REG402"},
		{"32-bit autorun", `[HKEY_CURRENT_USER\Software\Wow6432Node\Microsoft\Windows\CurrentVersion\Run]` + "\n\"A\"=\"a.exe\"\n", "REG302 REG402"},
		{"the packages of Windows", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Lsa]\n" +
			"\"Authentication Packages\"=hex(7):6d,00,73,00,76,00,31,00,5f,00,30,00,00,00,00,00\n\"Security Packages\"=hex(7):22,00,22,00,00,00,00,00\n", ""},
		{"Defender on", defend + "\"Start\"=dword:00000002\n", ""},
		{"Defender off by text", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows Defender]\n\"DisableAntiSpyware\"=\"1\"\n", "REG403"},
		{"Defender deleted", "[-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\WinDefend]\n", "REG301 REG403"},
		{"UAC on", policies + "\"EnableLUA\"=dword:00000001\n\"ConsentPromptBehaviorAdmin\"=dword:00000005\n", ""},
		{"UAC no longer set", policies + "\"EnableLUA\"=-\n", ""},
		{"no password", logon + `"DefaultPassword"=""` + "\n", ""},
		{"a type of files put back", "[-HKEY_CLASSES_ROOT\\exefile]\n[HKEY_CLASSES_ROOT\\exefile]\n", "REG306"},
		{"a type of files deleted", "[-HKEY_CLASSES_ROOT\\exefile]\n", "REG306 REG407"},
		{"all types of files deleted", "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes]\n", "REG407"},
		{"a root deleted", example + "[-HKEY_LOCAL_MACHINE]\n", "REG407"},
		{"a program's type deleted", "[-HKEY_CLASSES_ROOT\\Example.File]\n", "REG306"},
		{"a driver", service + `"ImagePath"="\\SystemRoot\\System32\\drivers\\a.sys"` + "\n", ""},
		{"a service of another program", service + `"ImagePath"="\"C:\\Program Files\\a.exe\" /run"` + "\n", "REG408"},
		{"a service where users can write", service + `"ImagePath"="\\SystemRoot\\System32\\Tasks\\a.exe"` + "\n", "REG408"},
		{"a service by way of System32", service + `"ImagePath"="System32\\..\\Temp\\a.exe"` + "\n", "REG408"},
		{"a driver where users can write", service + `"ImagePath"="\\SystemRoot\\System32\\spool\\drivers\\color\\a.sys"` + "\n", "REG408"},
		{"a program with its document", command + `@="\"C:\\Program Files\\a.exe\" \"%1\""` + "\n", ""},
		{"a web page in a browser", command + `@="\"C:\\Program Files\\a.exe\" https://example.com/"` + "\n", ""},
		{"encoded code", command + `@="powershell.exe -nop -enc QQBCAEMA"` + "\n", "REG409"},
		{"another flag of PowerShell", command + `@="powershell.exe -ExecutionPolicy Bypass -File C:\\a.ps1"` + "\n", ""},
		{"a program of another computer", command + `@="\\\\server\\share\\a.exe %1"` + "\n", "REG409"},
		{"one with slashes", command + `@="//server/share/a.exe %1"` + "\n", "REG409"},
		{"one by its path of the kernel", command + `@="\\\\?\\UNC\\server\\share\\a.exe %1"` + "\n", "REG409"},
		{"a local program by a long path", command + `@="\\\\?\\C:\\a.exe %1"` + "\n", ""},
		{"encoded code behind a path with blanks", command + `@="C:\\Program Files\\PowerShell\\7\\pwsh.exe -e QQBCAEMA"` + "\n", "REG409"},
		{"a program that is called like a flag", command + `@="C:\\Program Files\\a -e\\powershell.exe %1"` + "\n", ""},
	} {
		text := "Windows Registry Editor Version 5.00\n\n" + c.in
		var ids []string
		for _, f := range found(t, Linter{}, Example{Text: text}.Bytes()) {
			if f.Check == dataStyle || f.Check == pathCase && c.want == "" {
				continue
			}
			ids = append(ids, f.Check.ID)
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: found %s, want %s\n%s", c.name, got, c.want, c.in)
		}
	}
}

// TestLineEnds tests which of the two checks on line ends reports: never both, and each also if the other is off.
func TestLineEnds(t *testing.T) {
	const start = "Windows Registry Editor Version 5.00"
	for _, c := range []struct{ in, want string }{
		{"\r\n\r\n[HKEY_CURRENT_USER\\A]\r\n", ""},
		{"\n\n[HKEY_CURRENT_USER\\A]\n", "REG106"},
		{"\r\r[HKEY_CURRENT_USER\\A]\r", "REG106"},
		{"\r\n\r\n[HKEY_CURRENT_USER\\A]\n", "REG110"},
		{"\r\n\r\n[HKEY_CURRENT_USER\\A]\r\n\"A\"=hex:01,\\\n  02\r\n", "REG110"},
		{"\r\r\n\r\r\n[HKEY_CURRENT_USER\\A]\r\r\n", "REG110"},
	} {
		for _, left := range []*Check{nil, lineEnds, mixedLineEnds} {
			l := Linter{Severity: func(check *Check) Severity {
				if check == left || check != lineEnds && check != mixedLineEnds {
					return 0
				}
				return Warning
			}}
			want := c.want
			if left != nil && want == left.ID {
				want = ""
			}
			var ids []string
			for _, f := range found(t, l, []byte(start+c.in)) {
				ids = append(ids, f.Check.ID)
			}
			if got := strings.Join(ids, " "); got != want {
				t.Errorf("%q without %v: found %q, want %q", c.in, left, got, want)
			}
		}
	}
}

// TestAdvice tests that a message of the parser is completed with what to write.
func TestAdvice(t *testing.T) {
	const key = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\r\n"
	for _, c := range []struct{ in, want string }{
		{`"A`, "the closing quote of the name is missing; Windows drops this value; write it behind the name"},
		{`"A"="C:\Example"`, `the text has a backslash that is not written \\; it is not known that every Windows drops this value, as regvet does; write \\`},
		{`"A"="C:\0"`, `the text has a backslash that is not written \\; Windows drops this value; write \\`},
		{`"A"=hex():01`, "the type must be 1 to 8 hex digits, followed by ):; it is not known that every Windows drops this value, as regvet does"},
		{`"A"=hex(0x2):01`, "the type must be 1 to 8 hex digits, followed by ):; Windows drops this value"},
		{`"A"=HEX(2):01`, "HEX(2) is not written in lower case; it is not known that every Windows reads it, and one that does not drops this value; write hex(2)"},
		{`"A"=hex:100`, "an element of hex data has 3 digits, at most 2 are allowed; Windows drops this value; write two hex digits for each byte, and one comma between two bytes"},
		{`"A"=hex:01,\x`, "only a comment may stand behind the backslash of hex data; Windows drops this value; remove what stands there"},
		{`"A"`, "there is no = behind the name; Windows drops this value; write = and the data, or - to delete the value"},
		{"[HKEY_USERS\\" + strings.Repeat("a", 256) + "]", "a key name has 256 characters, at most 255 are allowed; Windows drops this key and its values; write a shorter one"},
		{"\"A\"=\"x\" \x00", "there is a NUL character here; what Windows makes of it is not known, regvet ignores the rest of the line; remove it"},
	} {
		said := found(t, Linter{}, []byte(key+c.in+"\r\n"))
		if !slices.ContainsFunc(said, func(f Finding) bool { return f.Message == c.want }) {
			t.Errorf("%s: found %v, want %s", c.in, said, c.want)
		}
	}
}
