package lint

const (
	tcpip     = `HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`
	afd       = `HKLM\SYSTEM\CurrentControlSet\Services\AFD\Parameters`
	netBT     = `HKLM\SYSTEM\CurrentControlSet\Services\NetBT\Parameters`
	userChose = "Windows protects this value with a hash that only it can make, and denies the key to others; the import has no effect; use a policy"
)

// numberPatterns are values that programs read as a REG_DWORD. Sources: for the network, the registry reference of the Windows 2000 and 2003
// resource kits and Microsoft KB 196271, KB 314053 and KB 142641; for the rest, the documentation of the policies.
var numberPatterns = []pattern{
	{binaryNumber, []string{tcpip}, []string{"MaxUserPort", "TcpTimedWaitDelay", "StrictTimeWaitSeqCheck", "TcpNumConnections", "MaxFreeTcbs", "MaxHashTableSize", "NumTcbTablePartitions",
		"TcpMaxDataRetransmissions", "TcpMaxConnectRetransmissions", "TcpMaxConnectResponseRetransmissions", "SynAttackProtect", "TcpMaxHalfOpen", "TcpMaxHalfOpenRetried",
		"TcpMaxPortsExhausted", "EnableConnectionRateLimiting", "EnableDeadGWDetect", "EnableICMPRedirect", "EnablePMTUDiscovery", "EnablePMTUBHDetect", "DisableIPSourceRouting",
		"IPEnableRouter", "KeepAliveTime", "KeepAliveInterval", "DefaultTTL", "TcpWindowSize", "GlobalMaxTcpWindowSize", "Tcp1323Opts", "SackOpts", "DisableTaskOffload",
		"EnableTCPChimney", "EnableRSS", "EnableTCPA"}, nil, ""},
	{binaryNumber, []string{tcpip + `\Interfaces\*`}, []string{"TcpAckFrequency", "MTU", "PerformRouterDiscovery"}, nil, ""},
	{binaryNumber, []string{afd}, []string{"EnableDynamicBacklog", "MinimumDynamicBacklog", "MaximumDynamicBacklog", "DynamicBacklogGrowthDelta"}, nil,
		""},
	{binaryNumber, []string{netBT}, []string{"NodeType", "NoNameReleaseOnDemand", "EnableLMHOSTS", "BacklogIncrement", "MaxConnBackLog"}, nil, ""},
	{binaryNumber, []string{services + `\*`}, []string{"Start", "Type", "ErrorControl"}, nil, ""},
	{binaryNumber, []string{system}, []string{"EnableLUA", "ConsentPromptBehaviorAdmin", "ConsentPromptBehaviorUser", "PromptOnSecureDesktop", "LocalAccountTokenFilterPolicy", "FilterAdministratorToken",
		"EnableInstallerDetection", "DontDisplayLastUserName"}, nil, ""},
	{binaryNumber, []string{lsa},
		[]string{"RunAsPPL", "LsaCfgFlags", "LmCompatibilityLevel", "NoLMHash", "RestrictAnonymous", "RestrictAnonymousSAM", "EveryoneIncludesAnonymous"}, nil,
		""},
	{binaryNumber, []string{`HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest`}, []string{"UseLogonCredential"}, nil, ""},
	{binaryNumber, []string{services + `\LanmanServer\Parameters`},
		[]string{"SMB1", "RequireSecuritySignature", "EnableSecuritySignature", "RestrictNullSessAccess", "AutoShareServer", "AutoShareWks"}, nil,
		""},
	{binaryNumber, []string{schannel + `\Protocols\*\*`}, []string{"Enabled", "DisabledByDefault"}, nil, ""},
	{binaryNumber, []string{schannel + `\Ciphers\*`, schannel + `\Hashes\*`, schannel + `\KeyExchangeAlgorithms\*`}, []string{"Enabled"}, nil, ""},
	{binaryNumber, []string{`HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server`}, []string{"fDenyTSConnections", "fSingleSessionPerUser"}, nil, ""},
	{binaryNumber, []string{`HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU`}, []string{"NoAutoUpdate", "AUOptions", "UseWUServer", "ScheduledInstallDay", "ScheduledInstallTime",
		"NoAutoRebootWithLoggedOnUsers"}, nil, ""},
	{binaryNumber, []string{`HKLM\SYSTEM\CurrentControlSet\Control\CrashControl`}, []string{"CrashDumpEnabled", "AutoReboot", "LogEvent", "Overwrite"}, nil,
		""},
	{binaryNumber, []string{`HKLM\SYSTEM\CurrentControlSet\Control\FileSystem`},
		[]string{"LongPathsEnabled", "NtfsDisable8dot3NameCreation", "NtfsDisableLastAccessUpdate"}, nil,
		""},
}

const unused = "Windows Vista and later do not read this value; remove the line"

// targetPatterns are values that Windows has not read since Vista, according to Microsoft or to several others, and values that it protects.
var targetPatterns = []pattern{
	{unusedValue, []string{tcpip}, []string{"ReservedPorts", "MaxHashTableSize", "NumTcbTablePartitions", "TcpMaxConnectResponseRetransmissions", "SynAttackProtect", "TcpMaxHalfOpen",
		"TcpMaxHalfOpenRetried", "TcpMaxPortsExhausted", "TcpWindowSize", "GlobalMaxTcpWindowSize"}, nil, unused},
	{unusedValue, []string{afd}, []string{"EnableDynamicBacklog", "MinimumDynamicBacklog", "MaximumDynamicBacklog", "DynamicBacklogGrowthDelta"}, nil,
		unused},

	{protectedKey, []string{`HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\FileExts\*\UserChoice`,
		`HKCU\Software\Microsoft\Windows\Shell\Associations\UrlAssociations\*\UserChoice`},
		[]string{"ProgId", "Hash"}, nil, userChose},
	{protectedKey, []string{defender + `\Features`}, []string{"TamperProtection"}, nil,
		"Windows protects this value against all but Defender itself; the import has no effect; turn it on or off in Windows Security"},
}
