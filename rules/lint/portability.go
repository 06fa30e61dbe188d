package lint

import (
	"bytes"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// The checks on whether a file does the same on other computers and for other users.
var (
	numberedControlSet = &Check{
		ID: "REG301", Name: "numbered-control-set", Severity: Warning, Fix: Unsafe,
		Title: "A control set is named by its number",
		Explanation: `Windows keeps one or more control sets, ControlSet001 and so on, and uses the one that
HKEY_LOCAL_MACHINE\SYSTEM\Select names. CurrentControlSet is a link to it. The number differs from computer to computer, and changes over
time: a file with a number may change a set that is not in use.

Write CurrentControlSet.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example]
`),
		visit: visitControlSet, kinds: []regfile.Kind{regfile.KeyLine},
	}

	wow6432Node = &Check{
		ID: "REG302", Name: "wow6432node", Severity: Info,
		Title: "Wow6432Node is named",
		Explanation: `On 64-bit Windows, 32-bit programs see HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node as HKEY_LOCAL_MACHINE\SOFTWARE. A
file that names it does what it says on 64-bit Windows. On 32-bit Windows it creates a key that no program reads.

If the file is for both, leave the name out and import the file with "reg import FILE /reg:32".`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		References: []string{"https://learn.microsoft.com/windows/win32/winprog64/registry-redirector"},
		visit:      visitWow6432Node, kinds: []regfile.Kind{regfile.KeyLine}, needs: inWow6432, finish: finishWow6432Node,
	}

	foreignSID = &Check{
		ID: "REG303", Name: "foreign-sid", Severity: Warning,
		Title: "A key names an account of one computer or domain",
		Explanation: `A SID that starts with S-1-5-21 belongs to one account of one computer or domain. On another computer there is no
such account, and Windows creates a key that nobody uses. Below HKEY_USERS it cannot even do that while the user is not logged on.

For the user who imports the file, write HKEY_CURRENT_USER; for all users, use a policy or a logon script.`,
		Bad: version5(`[HKEY_USERS\S-1-5-21-1111111111-2222222222-3333333333-1001\Software\Example]
`),
		Good: version5(`[HKEY_CURRENT_USER\Software\Example]
`),
		visit: visitForeignSID, kinds: []regfile.Kind{regfile.KeyLine}, needs: inAccount,
	}

	localPath = &Check{
		ID: "REG304", Name: "local-path", Severity: Warning,
		Title: "A path leads into the folder of one user",
		Explanation: `The text names a folder of one user below C:\Users or Documents and Settings. Other computers and other users do not
have that folder, and the file reveals who wrote it.

Write %USERPROFILE%, %APPDATA% or %LOCALAPPDATA% in a REG_EXPAND_SZ, hex(2), or name a folder that all users have.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"="C:\\Users\\someone\\Example"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"="C:\\Users\\Public\\Example"
`),
		visit: visitLocalPath, kinds: []regfile.Kind{regfile.ValueLine}, data: `"`,
	}

	userKey = &Check{
		ID: "REG305", Name: "user-key", Severity: Warning, Off: true,
		Title: "HKEY_CURRENT_USER is named in a file for the computer",
		Explanation: `HKEY_CURRENT_USER is the part of the registry that belongs to the user who imports the file. A tool that deploys
software mostly runs as SYSTEM, whose part no person ever sees. Turn this check on for files that are imported that way.

Write user settings into files of their own that run at logon, or use a policy.`,
		Bad: version5(`[HKEY_CURRENT_USER\Software\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		visit: visitUserKey, kinds: []regfile.Kind{regfile.KeyLine}, finish: finishUserKey,
	}

	classesRoot = &Check{
		ID: "REG306", Name: "classes-root", Severity: Info,
		Title: "HKEY_CLASSES_ROOT is named",
		Explanation: `HKEY_CLASSES_ROOT is a merged view of two keys: Software\Classes of the user, and of the computer. Windows writes to
the key of the user if it exists there already, else to that of the computer. So what the file changes, and for whom, depends on who imports
it.

Write HKEY_LOCAL_MACHINE\SOFTWARE\Classes or HKEY_CURRENT_USER\Software\Classes.`,
		Bad: version5(`[HKEY_CLASSES_ROOT\Example.File]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Example.File]
`),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/hkey-classes-root-key"},
		visit:      visitClassesRoot, kinds: []regfile.Kind{regfile.KeyLine, regfile.ValueLine}, needs: inClasses, finish: finishClassesRoot,
	}

	volatileKey = &Check{
		ID: "REG307", Name: "volatile-key", Severity: Warning,
		Title: "A key is not kept, or cannot be written",
		Explanation: `Some parts of the registry are not stored in a file. Windows builds HKEY_LOCAL_MACHINE\HARDWARE anew at each start,
and "Volatile Environment" at each logon, so what a file writes there is lost. HKEY_CURRENT_CONFIG is a view of one hardware profile. Only
SYSTEM can write to SAM and SECURITY, so the import fails there. HKEY_PERFORMANCE_DATA and HKEY_DYN_DATA are not keys at all; Windows drops
them.

Write to the key that the data come from.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\HARDWARE\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\Example]
`),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/predefined-keys"},
		codes:      []regfile.Code{regfile.KeyRoot}, say: sayPerformanceRoot,
		visit: visitVolatileKey, kinds: []regfile.Kind{regfile.KeyLine},
	}

	protectedKey = &Check{
		ID: "REG308", Name: "protected-key", Severity: Info,
		Title: "Windows protects this key against changes",
		Explanation: `Windows stores which program a user chose for a file type together with a hash that only Windows can make. If the
hash does not match, Windows goes back to the default and tells the user so; and it denies others access to the key. The settings of
Defender are protected in a similar way while tamper protection is on. The import reports an error, or reports success without any effect.

Set default programs with a policy (an XML file of default associations), and Defender with its own tools.`,
		Bad: version5(`[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Explorer\FileExts\.example\UserChoice]
"ProgId"="Example.File"
`),
		Good: version5(`[HKEY_CURRENT_USER\Software\Classes\.example]
@="Example.File"
`),
		visit: visitPatternValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}

	unusedValue = &Check{
		ID: "REG309", Name: "unused-value", Severity: Warning,
		Title: "The Windows that the file is for does not read this value",
		Explanation: `Vista got a new network stack, and since then Windows no longer reads many older values: what they turned on is
built in, or is set with netsh or PowerShell. The line does no harm and no good. The check runs only if it is given the version of Windows
that the file is for.

Remove the line.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"SynAttackProtect"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"KeepAliveTime"=dword:000493e0
`),
		visit: visitUnusedValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}

	mixedRoots = &Check{
		ID: "REG310", Name: "mixed-roots", Severity: Info,
		Title: "The file changes the computer and the user",
		Explanation: `Only an administrator can change HKEY_LOCAL_MACHINE, and HKEY_CURRENT_USER belongs to whoever imports the file. If a
user who is no administrator imports it, only one half takes effect. If another account gives the rights, the other half goes to that
account and not to the user.

Write two files, one for the computer and one for the user.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

[HKEY_CURRENT_USER\Software\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		visit: visitMixedRoots, kinds: []regfile.Kind{regfile.KeyLine},
	}
)

func visitControlSet(p *pass, c *Check, s *regfile.Statement) {
	rest, ok := strings.CutPrefix(p.section.folded, `HKEY_LOCAL_MACHINE\SYSTEM\`)
	if !ok || len(s.Edits) == 0 || len(rest) < len("CONTROLSET001") || !isControlSet(rest[:len("CONTROLSET001")]) || len(s.Path[2]) != len("ControlSet001") {
		return
	}
	name := s.Name.In(s.Text)
	from := bytes.Index(bytes.ToUpper(name), []byte(`\CONTROLSET`)) + 1
	span := regfile.Span{From: s.Name.From + from, To: s.Name.From + from + len("ControlSet001")}
	p.report(c, s, span, "%s need not be the control set that Windows uses; write CurrentControlSet", s.Path[2]).
		fix("write CurrentControlSet", change(s, span, "CurrentControlSet"))
}

// first is the first place of something in a file, and how often it occurs.
type first struct {
	at, end hive.Location
	line    []byte
	path    hive.Path
	count   int
}

// note adds a statement.
func (f *first) note(s *regfile.Statement, span regfile.Span) {
	if f.count++; f.count == 1 {
		f.at, f.end = position(s.Line, regfile.Column(s.Text, span.From)), position(s.Line, regfile.Column(s.Text, span.To))
		f.line, f.path = bytes.Clone(s.Text), slices.Clone(s.Path)
	}
}

// reportFirst reports the first place, and how many more there are.
func (p *pass) reportFirst(c *Check, f *first, format string, args ...any) *Finding {
	if f.count == 0 {
		return nil
	}
	if f.count > 1 {
		format += " (and %d more below)"
		args = append(args, f.count-1)
	}
	found := p.reportAt(c, nil, f.at, f.end, f.line, format, args...)
	if found != nil && f.path != nil {
		found.About, found.Key = AKey, f.path
	}
	return found
}

// Parts of folded paths that two checks look for.
const (
	wowPart     = `\WOW6432NODE`
	accountPart = `\S-1-5-21-`
)

func visitWow6432Node(p *pass, _ *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 {
		return
	}
	name := s.Name.In(s.Text)
	from := s.Name.From + max(0, bytes.Index(bytes.ToUpper(name), []byte("WOW6432NODE")))
	p.wow.note(s, regfile.Span{From: from, To: min(from+len("Wow6432Node"), s.Name.To)})
}

func finishWow6432Node(p *pass, c *Check) {
	p.reportFirst(c, &p.wow, "Wow6432Node is named; on 32-bit Windows no program reads the key; make sure that the file is for 64-bit Windows alone")
}

func visitForeignSID(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 {
		return
	}
	for _, name := range s.Path {
		if !hasPrefixFold(name, accountPart[1:]) {
			continue
		}
		name = strings.TrimSuffix(hive.Fold(name), "_CLASSES")
		if name == p.sid {
			return // already reported for the line above
		}
		p.sid = name
		from := s.Name.From + bytes.Index(bytes.ToUpper(s.Name.In(s.Text)), []byte(accountPart)) + 1
		p.report(c, s, regfile.Span{From: from, To: min(from+len(name), s.Name.To)},
			"%s is an account of one computer or domain; elsewhere Windows makes a key that nobody uses; write HKEY_CURRENT_USER if it is the user who imports the file", name)
		return
	}
}

// everyUser are the folders below C:\Users, or Documents and Settings, that every Windows has.
var everyUser = []string{"public", "default", "default user", "all users", "defaultappuser"}

func visitLocalPath(p *pass, c *Check, s *regfile.Statement) {
	if s.Data.To-s.Data.From < 12 || s.Text[s.Data.From] != '"' || len(s.Edits) == 0 {
		return
	}
	data := s.Data.In(s.Text)
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte(`:\\`))
		if i < 1 {
			return
		}
		from += i + 3
		for _, folder := range []string{`Users\\`, `Documents and Settings\\`} {
			rest := data[from:]
			if !hasPrefixFold(string(rest[:min(len(folder), len(rest))]), folder) {
				continue
			}
			rest = rest[len(folder):]
			end := bytes.IndexAny(rest, `\";,`)
			if end <= 0 || bytes.ContainsAny(rest[:end], "%<>*[]{}$") || slices.Contains(everyUser, strings.ToLower(string(rest[:end]))) {
				continue
			}
			span := regfile.Span{From: s.Data.From + from - 4, To: s.Data.From + from + len(folder) + end}
			p.report(c, s, span,
				"the text names the folder of one user, which other computers do not have; write it with %%USERPROFILE%% in hex(2), or name a folder that every computer has")
			return
		}
	}
}

// hasRoot reports whether the current key is below a root.
func (p *pass) hasRoot(root string) bool { return len(p.section.path) > 0 && p.section.path[0] == root }

func visitUserKey(p *pass, _ *Check, s *regfile.Statement) {
	if len(s.Edits) > 0 && p.hasRoot("HKEY_CURRENT_USER") {
		p.user.note(s, s.Name)
	}
}

func finishUserKey(p *pass, c *Check) {
	p.reportFirst(c, &p.user, "this key belongs to the user who imports the file, in a deployment to SYSTEM; write it into a file that runs at logon")
}

func visitClassesRoot(p *pass, _ *Check, s *regfile.Statement) {
	if (s.Kind == regfile.KeyLine || s.Version == regfile.Windows31) && len(s.Edits) > 0 && p.hasRoot("HKEY_CLASSES_ROOT") {
		p.classes.note(s, s.Name)
	}
}

func finishClassesRoot(p *pass, c *Check) {
	p.reportFirst(c, &p.classes,
		`HKEY_CLASSES_ROOT is a view of two keys; Windows writes to the one of the user or of the computer; write Software\Classes below the root that you mean`)
}

// performanceRoots are roots that .reg files cannot name. Source: winreg.h.
var performanceRoots = []string{"HKEY_PERFORMANCE_DATA", "HKPD", "HKEY_PERFORMANCE_TEXT", "HKEY_PERFORMANCE_NLSTEXT", "HKEY_DYN_DATA", "HKDD",
	"HKEY_CURRENT_USER_LOCAL_SETTINGS"}

// isPerformanceRoot reports whether a name is a root that programs can open but .reg files cannot name.
func isPerformanceRoot(name string) bool {
	return slices.ContainsFunc(performanceRoots, func(root string) bool { return hive.EqualFold(name, root) })
}

func sayPerformanceRoot(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	span := rootSpan(s)
	if root := string(span.In(s.Text)); isPerformanceRoot(root) {
		p.report(c, s, span, "%s is no part of the registry that a file can change; Windows drops this key and its values; remove them", root)
	}
}

func visitVolatileKey(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 || len(p.pathNames) < 2 {
		p.volatile = ""
		return
	}
	area, name, outcome := p.pathNames[0], p.pathNames[1], ""
	switch {
	case area == "HKLM" && name == "HARDWARE":
		outcome = "Windows builds this part anew at each start, so the change is lost"
	case area == "HKLM" && (name == "SAM" || name == "SECURITY"):
		outcome = "only SYSTEM can write this part, so the import fails for all others"
	case area == "HKCU" && name == "VOLATILE ENVIRONMENT":
		outcome = "Windows builds this key anew at each logon, so the change is lost"
	case area == "HKEY_CURRENT_CONFIG":
		name, outcome = "", `this is a view of one hardware profile below HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Hardware Profiles`
	}
	if area += `\` + name; outcome == "" {
		area = ""
	} else if area != p.volatile {
		p.report(c, s, s.Name, "%s; write the key that the data come from", outcome)
	}
	p.volatile = area
}

func visitUnusedValue(p *pass, c *Check, s *regfile.Statement) {
	if vista := (hive.Version{Major: 6}); p.Target.AtLeast.Compare(vista) >= 0 && p.patternSet(c, s) != nil {
		p.unread = s.Line
		visitPatternValue(p, c, s)
	}
}

func visitMixedRoots(p *pass, c *Check, s *regfile.Statement) {
	const machine, user = 1, 2
	if len(s.Edits) == 0 || p.roots == machine|user {
		return
	}
	switch {
	case p.hasRoot("HKEY_LOCAL_MACHINE"):
		p.roots |= machine
	case p.hasRoot("HKEY_CURRENT_USER"):
		p.roots |= user
	}
	if p.roots == machine|user {
		p.report(c, s, s.Name,
			"the file changes the computer, which takes an administrator, and the user, who is whoever imports the file; write two files")
	}
}
