package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"regvet/internal/shared"
)

// TestPacksOnRealSystems requires how often each rule fails on two real SYSTEM hives, Windows 7 in a domain and Windows 8.1 at home. A person
// read each of these findings and found it right. A new one is a false alarm or the work of a better rule, and must be read too.
func TestPacksOnRealSystems(t *testing.T) {
	for _, test := range []struct {
		pack, input string
		failed      map[string]int
	}{
		{"forensics", "SYSTEM", map[string]int{
			"FORENSICS-ServiceWithoutFolder": 1, // F-Response
			"FORENSICS-PsExec":               1,
			"FORENSICS-DriverPath":           3, // the memory driver of F-Response, two drivers of VMware Tools
			"FORENSICS-PrintMonitor":         1, // ThinPrint
			"FORENSICS-PrintProcessor":       2, // HP, ThinPrint
			"FORENSICS-PersistentRoute":      2,
			"FORENSICS-RemoteDesktopOn":      1,
			"FORENSICS-UsbStorage":           1,
			"FORENSICS-SafeModeEntry":        9, // McAfee
		}},
		{"forensics", "SYSTEM_2", map[string]int{
			"FORENSICS-PendingFileRename":    1, // what an installer left in the folder for temporary files
			"FORENSICS-NetworkProviderOrder": 1, // VirtualBox
			"FORENSICS-NetworkProviderDll":   1, // the same
		}},
		{"windows-hardening", "SYSTEM", map[string]int{
			"HARDENING-SmbServerSigning": 1, "HARDENING-SmbClientSigning": 1, "HARDENING-Smb1Server": 1, "HARDENING-Smb1Client": 1,
			"HARDENING-SmbServerNameHardening": 1, "HARDENING-WDigest": 1, "HARDENING-LmCompatibilityLevel": 1, "HARDENING-NtlmMinClientSec": 1,
			"HARDENING-NtlmMinServerSec": 1, "HARDENING-RestrictAnonymous": 1, "HARDENING-RestrictRemoteSam": 1, "HARDENING-DisableDomainCreds": 1,
			"HARDENING-RemoteDesktop": 1, "HARDENING-RdpNetworkLevelAuth": 1, "HARDENING-RdpSecurityLayer": 1, "HARDENING-RdpEncryptionLevel": 1,
			"HARDENING-RemoteAssistance": 1, "HARDENING-Ssl2Server": 1, "HARDENING-Ssl3Server": 1, "HARDENING-Ssl3Client": 1, "HARDENING-Tls10Server": 1,
			"HARDENING-Tls10Client": 1, "HARDENING-Tls12Server": 1, "HARDENING-CipherRc4": 1, "HARDENING-DiffieHellmanKeys": 1,
			"HARDENING-SourceRouting": 1, "HARDENING-SourceRouting6": 1, "HARDENING-IcmpRedirect": 1, "HARDENING-NetbiosNameRelease": 1,
			"HARDENING-NetbiosNodeType": 1, "HARDENING-NetbiosOverTcpip": 2, "HARDENING-RemoteRegistry": 1, "HARDENING-UsbStorage": 1,
			"HARDENING-EventLogSizeSecurity": 1, "HARDENING-EventLogSizeSystem": 1, "HARDENING-EventLogSizeApplication": 1,
			"HARDENING-PageFileClearing": 1, "HARDENING-CwdDllSearch": 1, "HARDENING-ExceptionChainValidation": 1,
		}},
		{"windows-hardening", "SYSTEM_2", map[string]int{
			"HARDENING-SmbServerSigning": 1, "HARDENING-SmbClientSigning": 1, "HARDENING-Smb1Server": 1, "HARDENING-Smb1Client": 1,
			"HARDENING-SmbServerNameHardening": 1, "HARDENING-LsaProtection": 1, "HARDENING-LmCompatibilityLevel": 1, "HARDENING-NtlmMinClientSec": 1,
			"HARDENING-NtlmMinServerSec": 1, "HARDENING-RestrictAnonymous": 1, "HARDENING-RestrictRemoteSam": 1, "HARDENING-DisableDomainCreds": 1,
			"HARDENING-RemoteAssistance": 1, "HARDENING-Ssl3Server": 1, "HARDENING-Ssl3Client": 1, "HARDENING-Tls10Server": 1, "HARDENING-Tls10Client": 1,
			"HARDENING-Tls11Server": 1, "HARDENING-Tls11Client": 1, "HARDENING-CipherRc4": 1, "HARDENING-DiffieHellmanKeys": 1, "HARDENING-SourceRouting": 1,
			"HARDENING-SourceRouting6": 1, "HARDENING-IcmpRedirect": 1, "HARDENING-NetbiosNameRelease": 1, "HARDENING-NetbiosNodeType": 1,
			"HARDENING-NetbiosOverTcpip": 2, "HARDENING-UsbStorage": 1, "HARDENING-EventLogSizeSecurity": 1, "HARDENING-EventLogSizeSystem": 1,
			"HARDENING-EventLogSizeApplication": 1, "HARDENING-PageFileClearing": 1, "HARDENING-CwdDllSearch": 1, "HARDENING-ExceptionChainValidation": 1,
		}},
	} {
		t.Run(test.pack+"/"+test.input, func(t *testing.T) {
			input := shared.Path(t, "hives/regipy/"+test.input)
			var r struct {
				Findings []struct{ Rule, Status string }
			}
			var out bytes.Buffer
			run([]string{"check", "--pack", test.pack, "--format", "json", input}, nil, &out, io.Discard)
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			failed := map[string]int{}
			for _, f := range r.Findings {
				if f.Status == "fail" {
					failed[f.Rule]++
				}
			}
			if diff := gocmp.Diff(test.failed, failed); diff != "" {
				t.Errorf("- want, + found:\n%s", diff)
			}
		})
	}
}
