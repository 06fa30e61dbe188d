package lint

import (
	"regvet/hive"
	"regvet/hive/regfile"
)

// The checks on security features that are turned off.
var (
	defenderOff = &Check{
		ID: "REG403", Name: "defender-off", Severity: Error,
		Title: "Microsoft Defender, AMSI or SmartScreen is turned off",
		Explanation: `These values turn off the protection that comes with Windows: Defender or parts of it, the interface through which
it sees scripts (AMSI), or the check of downloads (SmartScreen); or they exclude folders and programs from it. It is the first thing that
malware does. Current versions of Windows ignore some of these values while tamper protection is on, and obey others.

Remove the line. If another product takes over, Defender steps back by itself.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender\Real-Time Protection]
"DisableRealtimeMonitoring"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender\Real-Time Protection]
"DisableRealtimeMonitoring"=dword:00000000
`),
		References: []string{"https://attack.mitre.org/techniques/T1562/001/"},
		visit:      visitPattern, kinds: []regfile.Kind{regfile.ValueLine, regfile.KeyLine}, needs: deletes, known: true,
	}

	uacOff = &Check{
		ID: "REG404", Name: "uac-off", Severity: Error,
		Title: "User Account Control, or the protection of credentials, is turned off",
		Explanation: `These values turn off User Account Control, so that every program of an administrator has all rights at once, or its
prompt; the protection of lsass (LSA protection, Credential Guard), so that passwords can be read from memory; or code integrity in the
kernel.

Remove the line, or write the value that the message names.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System]
"EnableLUA"=dword:00000000
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System]
"EnableLUA"=dword:00000001
`),
		References: []string{"https://attack.mitre.org/techniques/T1548/002/", "https://attack.mitre.org/techniques/T1003/001/"},
		visit:      visitPattern, kinds: []regfile.Kind{regfile.ValueLine, regfile.KeyLine}, needs: deletes, known: true,
	}

	firewallOff = &Check{
		ID: "REG405", Name: "firewall-off", Severity: Error,
		Title: "The firewall is turned off",
		Explanation: `The Windows firewall keeps others on the network from services that are not meant for them. These values turn it off
for a kind of network, let everything in, or keep its service from starting, which also stops other parts of Windows that need it.

Remove the line, and allow what is needed with a firewall rule.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile]
"EnableFirewall"=dword:00000000
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile]
"EnableFirewall"=dword:00000001
`),
		References: []string{"https://attack.mitre.org/techniques/T1562/004/"},
		visit:      visitPattern, kinds: []regfile.Kind{regfile.ValueLine, regfile.KeyLine}, needs: deletes, known: true,
	}

	weakCrypto = &Check{
		ID: "REG410", Name: "weak-crypto", Severity: Error,
		Title: "An old protocol or cipher that is broken is turned on",
		Explanation: `SSL 2.0 and 3.0, RC4, DES, NTLM version 1, SMB version 1, and passwords that WDigest keeps in memory are not secure:
someone who listens on the network, or gets onto the computer, can read what they protect. Windows has turned them off over the years; these
values turn them on again.

Remove the line, or write the value that the message names, and bring the other side up to date.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Server]
"Enabled"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Server]
"Enabled"=dword:00000000
`),
		References: []string{"https://learn.microsoft.com/windows-server/security/tls/tls-registry-settings"},
		visit:      visitPatternValue, kinds: []regfile.Kind{regfile.ValueLine}, known: true,
	}
)

const (
	system         = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`
	defender       = `HKLM\SOFTWARE\Microsoft\Windows Defender`
	defenderPolicy = `HKLM\SOFTWARE\Policies\Microsoft\Windows Defender`
	services       = `HKLM\SYSTEM\CurrentControlSet\Services`
	schannel       = `HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL`
	deviceGuard    = `HKLM\SYSTEM\CurrentControlSet\Control\DeviceGuard`
)

// defencePatterns are values that turn off protection. Source: the documentation of Windows and its policies.
var defencePatterns = []pattern{
	{defenderOff, []string{defender, defenderPolicy}, []string{"DisableAntiSpyware", "DisableAntiVirus"}, isNot(0),
		"this turns off Microsoft Defender; remove the line"},
	{defenderOff, []string{defender + `\Real-Time Protection`, defenderPolicy + `\Real-Time Protection`}, []string{"DisableRealtimeMonitoring", "DisableBehaviorMonitoring",
		"DisableOnAccessProtection", "DisableScanOnRealtimeEnable", "DisableIOAVProtection", "DisableScriptScanning", "DisableRawWriteNotification"}, isNot(0),
		"this turns off a part of the real-time protection of Microsoft Defender; remove the line"},
	{defenderOff, []string{defender + `\Spynet`, defenderPolicy + `\Spynet`}, []string{"DisableBlockAtFirstSeen"}, isNot(0),
		"this keeps Microsoft Defender from blocking files that are new to it; remove the line"},
	{defenderOff, []string{defender + `\Features`}, []string{"TamperProtection"}, is(0, 4),
		"this turns off the tamper protection of Microsoft Defender; remove the line"},
	{defenderOff, []string{defender + `\Exclusions\*`, defenderPolicy + `\Exclusions\*`}, []string{"*"}, nil,
		"this takes a place out of the sight of Microsoft Defender; remove the line"},
	{defenderOff, []string{services + `\WinDefend`, services + `\WdNisSvc`, services + `\WdFilter`, services + `\WdBoot`, services + `\WdNisDrv`, services + `\Sense`, services + `\SecurityHealthService`},
		[]string{"Start"}, is(4), "this keeps a service of Microsoft Defender from starting; remove the line"},
	{defenderOff, []string{services + `\WinDefend`, services + `\WdNisSvc`, services + `\WdFilter`, services + `\WdBoot`, services + `\Sense`}, nil, nil,
		"this deletes a service of Microsoft Defender; remove the line"},
	{defenderOff, []string{`ANY\Software\Microsoft\Windows Script\Settings`}, []string{"AmsiEnable"}, is(0),
		"this keeps scripts out of the sight of Microsoft Defender; remove the line"},
	{defenderOff, []string{`HKLM\SOFTWARE\Microsoft\AMSI\Providers`, `HKLM\SOFTWARE\Microsoft\AMSI\Providers\{2781761E-28E0-4109-99FE-B9D127C57AFE}`}, nil, nil,
		"this takes Microsoft Defender out of the list of those who see scripts; remove the line"},
	{defenderOff, []string{`HKLM\SOFTWARE\Policies\Microsoft\Windows\System`}, []string{"EnableSmartScreen"}, is(0),
		"this turns off SmartScreen; remove the line"},
	{defenderOff, []string{`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer`}, []string{"SmartScreenEnabled"}, isOff,
		"this turns off SmartScreen; remove the line"},
	{defenderOff, []string{`ANY\Software\Policies\Microsoft\Edge`}, []string{"SmartScreenEnabled"}, is(0),
		"this turns off SmartScreen in Microsoft Edge; remove the line"},
	{defenderOff, []string{`ANY\Software\Policies\Microsoft\MicrosoftEdge\PhishingFilter`, `HKCU\Software\Microsoft\Edge\SmartScreenEnabled`}, []string{"EnabledV9", ""}, is(0),
		"this turns off SmartScreen in Microsoft Edge; remove the line"},
	{defenderOff, []string{`ANY\Software\Microsoft\Windows\CurrentVersion\AppHost`}, []string{"EnableWebContentEvaluation"}, is(0),
		"this turns off SmartScreen for apps; remove the line"},

	{uacOff, []string{system}, []string{"EnableLUA"}, is(0),
		"this turns off User Account Control, so each program of an administrator has all rights; write dword:00000001"},
	{uacOff, []string{system}, []string{"ConsentPromptBehaviorAdmin"}, is(0),
		"with this, programs get all rights without a question; write dword:00000005"},
	{uacOff, []string{system}, []string{"PromptOnSecureDesktop"}, is(0),
		"with this, other programs can answer the question for rights; write dword:00000001"},
	{uacOff, []string{system}, []string{"LocalAccountTokenFilterPolicy"}, is(1),
		"with this, local accounts have all rights over the network; write dword:00000000"},
	{uacOff, []string{lsa}, []string{"RunAsPPL"}, is(0),
		"this turns off the protection of lsass, so passwords can be read from memory; write dword:00000001"},
	{uacOff, []string{lsa, `HKLM\SOFTWARE\Policies\Microsoft\Windows\DeviceGuard`}, []string{"LsaCfgFlags"}, is(0),
		"this turns off Credential Guard, so passwords can be read from memory; write dword:00000001"},
	{uacOff, []string{deviceGuard, `HKLM\SOFTWARE\Policies\Microsoft\Windows\DeviceGuard`}, []string{"EnableVirtualizationBasedSecurity"}, is(0),
		"this turns off what Credential Guard and memory integrity rest on; write dword:00000001"},
	{uacOff, []string{deviceGuard + `\Scenarios\HypervisorEnforcedCodeIntegrity`}, []string{"Enabled"}, is(0),
		"this turns off memory integrity, so drivers that are not signed can run; write dword:00000001"},
	{uacOff, []string{deviceGuard + `\Scenarios\CredentialGuard`}, []string{"Enabled"}, is(0),
		"this turns off Credential Guard, so passwords can be read from memory; write dword:00000001"},

	{firewallOff, []string{services + `\SharedAccess\Parameters\FirewallPolicy\*`, `HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\*`}, []string{"EnableFirewall"}, is(0),
		"this turns off the firewall for a kind of network; write dword:00000001"},
	{firewallOff, []string{services + `\SharedAccess\Parameters\FirewallPolicy\*`, `HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\*`}, []string{"DefaultInboundAction"}, is(0),
		"with this, the firewall lets everything in that no rule forbids; write dword:00000001"},
	{firewallOff, []string{services + `\MpsSvc`, services + `\mpsdrv`, services + `\BFE`}, []string{"Start"}, is(4),
		"this keeps the service of the firewall from starting; remove the line"},
	{firewallOff, []string{services + `\MpsSvc`, services + `\mpsdrv`, services + `\BFE`}, nil, nil,
		"this deletes the service of the firewall; remove the line"},

	{weakCrypto, []string{schannel + `\Protocols\SSL 2.0\*`, schannel + `\Protocols\SSL 3.0\*`, schannel + `\Protocols\PCT 1.0\*`}, []string{"Enabled"}, isNot(0),
		"this turns on a version of SSL that is broken; write dword:00000000"},
	{weakCrypto, []string{schannel + `\Protocols\SSL 2.0\*`, schannel + `\Protocols\SSL 3.0\*`}, []string{"DisabledByDefault"}, is(0),
		"this makes a version of SSL that is broken the default; write dword:00000001"},
	{weakCrypto, []string{schannel + `\Ciphers\RC4*`, schannel + `\Ciphers\RC2*`, schannel + `\Ciphers\DES*`, schannel + `\Ciphers\NULL`}, []string{"Enabled"}, isNot(0),
		"this turns on a cipher that is broken; write dword:00000000"},
	{weakCrypto, []string{services + `\LanmanServer\Parameters`}, []string{"SMB1"}, isNot(0),
		"this turns on SMB version 1, which worms spread by; write dword:00000000"},
	{weakCrypto, []string{services + `\mrxsmb10`}, []string{"Start"}, isNot(4),
		"this starts the driver of SMB version 1, which worms spread by; write dword:00000004"},
	{weakCrypto, []string{`HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest`}, []string{"UseLogonCredential"}, isNot(0),
		"with this, Windows keeps passwords in memory as they are; write dword:00000000"},
	{weakCrypto, []string{lsa}, []string{"LmCompatibilityLevel"}, below(3),
		"with this, Windows answers with LM and NTLM version 1, which are broken; write dword:00000005"},
	{weakCrypto, []string{lsa}, []string{"NoLMHash"}, is(0), "with this, Windows stores passwords as LM hashes, which are broken; write dword:00000001"},
	{weakCrypto, []string{services + `\LanmanWorkstation\Parameters`, `HKLM\SOFTWARE\Policies\Microsoft\Windows\LanmanWorkstation`}, []string{"AllowInsecureGuestAuth"}, isNot(0),
		"with this, Windows uses shares of servers that do not prove who they are; write dword:00000000"},
}

// isOff reports whether a value is the text Off.
func isOff(v *hive.Value) bool {
	text, err := v.Text()
	return err == nil && hive.EqualFold(text, "Off")
}

// visitPattern is [visitPatternValue], but also reports deleted keys.
func visitPattern(p *pass, c *Check, s *regfile.Statement) {
	if s.Kind == regfile.ValueLine {
		visitPatternValue(p, c, s)
	} else if s.Deletes && len(p.matched) > 0 {
		visitDeletedPattern(p, c, s)
	}
}

// visitDeletedPattern reports a key that is deleted and matches a pattern of the check.
func visitDeletedPattern(p *pass, c *Check, s *regfile.Statement) {
	if !s.Deletes {
		return
	}
	for _, w := range p.matched {
		if w.check == c && w.values == nil {
			p.report(c, s, s.Name, "%s", w.what)
			return
		}
	}
}
