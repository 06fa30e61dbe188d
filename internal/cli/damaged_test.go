package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"regvet/internal/shared"
)

// damagedCases are hives of which all can be read although something that leads to it is wrong: what is said of each, and what was set.
var damagedCases = map[string]struct {
	messages []string
	port     uint16 // MaxUserPort
	status   int
}{
	"c02-shifted-512": {[]string{"offset 0x3000: the bin that belongs here stands 512 bytes behind, at 0x3200 of the file; it and those that follow it are read as if they stood where they say, and offsets count so"},
		65534, statusDone},
	"c04-length-too-small-clean": {[]string{"offset 0x28: the length of the bins is 12288 bytes, and records lead to sound bins behind that; they are read"}, 65534, statusInput},
	"c04c-new-bin-behind-the-length-dirty": {[]string{
		"offset 0x4: the hive is dirty (sequence numbers 8 and 7): its latest changes are only in its logs, which were not applied",
		"offset 0x28: the length of the bins is 8192 bytes, and records lead to sound bins behind that; they are read"}, 5000, statusInput},
	"c80-root-offset-wrong-sealed": {[]string{
		"offset 0x24: the cell of the root key is not at the start of a cell in use; the root key was found by its flags, at offset 0x1020"}, 65534, statusInput},
	"c81-base-block-destroyed": {append(baseBlockLost, fmt.Sprintf(badSum, "0xa5a5a5a5", "0x66676572")), 65534, statusInput},
	"c81c-base-block-zero":     {append(baseBlockLost, fmt.Sprintf(badSum, "0x00000000", "0x00000001")), 65534, statusInput},
	"c81d-first-sector-zero":   {append(baseBlockLost, fmt.Sprintf(badSum, "0x00000000", "0x00000001")), 65534, statusInput},
	"c82-root-free": {[]string{"offset 0x24: the cell of the root key is not at the start of a cell in use; " +
		"the root key was found by its flags, at offset 0x1020, in a cell that is marked as free"}, 65534, statusInput},
	"c83c-length-zero-sealed": {[]string{"offset 0x28: the length of the bins is 0 bytes, and records lead to sound bins behind that; they are read"}, 65534, statusInput},
}

var baseBlockLost = []string{"the base block is lost; the hive is read by its bins, and the root key by its flags"}

const badSum = "offset 0x1fc: the hive is dirty (the checksum of its base block is %s, must be %s): its latest changes are only in its logs, which were not applied"

func TestDamagedCases(t *testing.T) {
	for name, test := range damagedCases {
		t.Run(name, func(t *testing.T) {
			file := shared.Path(t, "cases/hives/"+name+"/SYSTEM")
			var want strings.Builder
			for _, m := range test.messages {
				fmt.Fprintf(&want, "regvet: %s: %s\n", file, m)
			}
			for _, args := range [][]string{{"export", "--format", "jsonl"}, {"info", "--verify"}} {
				var out, messages bytes.Buffer
				status := run(append(args, file), nil, &out, &messages)
				port := fmt.Sprintf(`"MaxUserPort", "type": "REG_DWORD", "type_id": 4, "data": "%02x%02x0000"`, byte(test.port), test.port>>8)
				exit := test.status
				if args[0] == "info" {
					port, exit = fmt.Sprintf("TCP 1024 to %d", test.port), statusInput
				}
				if status != exit || messages.String() != want.String() {
					t.Errorf("%s: exit status %d, want %d, with\n%swant\n%s", args, status, exit, &messages, &want)
				}
				if !strings.Contains(out.String(), port) {
					t.Errorf("%s: %s is not in\n%s", args, port, &out)
				}
			}
		})
	}
}

// TestHiddenCases has keys of which a list of subkeys says that they have another name.
func TestHiddenCases(t *testing.T) {
	hidden := `offset %s: the hash %s of key %q in the list of %q is not that of its name, by which Windows does not find it`
	for name, want := range map[string][]string{
		"c24b-wrong-hash/SYSTEM": {fmt.Sprintf(hidden, "0x1510", "0xdeadbeef", "Parameters", "Tcpip")},
		"c24d-hash-of-ascii-capitals/DEFAULT": {
			fmt.Sprintf(hidden, "0x11c8", "0x8daeec65", "Zähler", "ROOT"), fmt.Sprintf(hidden, "0x1220", "0x5b35e103", "Диагностика", "ROOT")},
	} {
		file := shared.Path(t, "cases/hives/"+name)
		var out, messages bytes.Buffer
		status := run([]string{"info", "--verify", file}, nil, &out, &messages)
		lines := strings.ReplaceAll(messages.String(), "regvet: "+file+": ", "")
		if got := strings.Join(want, "\n") + "\n"; status != statusInput || lines != got {
			t.Errorf("exit status %d, want %d, with\n%swant\n%s", status, statusInput, lines, got)
		}
	}
	var out, messages bytes.Buffer
	run([]string{"check", "--all", "--format", "csv", shared.Path(t, "cases/hives/c24b-wrong-hash/SYSTEM")}, nil, &out, &messages)
	if why := `Windows may not find the key: what the list of subkeys holds of the name ""Parameters"" is wrong`; strings.Count(out.String(), why) < 2 || strings.Contains(out.String(), "MaxUserPort is 65534") {
		t.Errorf("%q is not in\n%s", why, &out)
	}
}

// TestFormCases has numbers of another length than their type, and times that are none.
func TestFormCases(t *testing.T) {
	for _, test := range []struct {
		args []string // a name of a file ends with SYSTEM
		want []string
		not  string
	}{
		{[]string{"check", "c14-dword-1-byte/SYSTEM"}, []string{"REG_DWORD, 1 byte (hex 88)", "MaxUserPort is REG_DWORD of 1 byte; TCP/IP"}, "REG_DWORD, 88"},
		{[]string{"check", "c14b-dword-2-bytes/SYSTEM"}, []string{"REG_DWORD, 2 bytes (hex 88 13)", "MaxUserPort is REG_DWORD of 2 bytes; TCP/IP"}, "8813"},
		{[]string{"check", "c14d-dword-3-bytes/SYSTEM"}, []string{"REG_DWORD, 3 bytes (hex fe ff 00)", "MaxUserPort is REG_DWORD of 3 bytes; TCP/IP"}, "feff"},
		{[]string{"check", "c15b-dword-8-bytes-low/SYSTEM"}, []string{"REG_DWORD, 8 bytes (hex 88 13 00 00 00 00 00 00)", "MaxUserPort is REG_DWORD of 8 bytes; TCP/IP"}, "8813"},
		{[]string{"check", "c15c-qword-4-bytes/SYSTEM"}, []string{"REG_QWORD, 4 bytes (hex fe ff 00 00)", "MaxUserPort is REG_QWORD of 4 bytes; TCP/IP"}, "feff"},
		{[]string{"fix", "--dry-run", "c14b-dword-2-bytes/SYSTEM"}, []string{"REG_DWORD 2 bytes (hex 88 13)"}, "8813"},
		{[]string{"diff", "c90-diff-from/SYSTEM", "c90-diff-to/SYSTEM"}, []string{"-   num  REG_DWORD 8733\n", "+   num  REG_DWORD 2 bytes (hex 88 13)\n", "3 values changed"}, "8813"},
		{[]string{"export", "--format", "jsonl", "c28-times/SYSTEM"}, []string{`Tneg", "modified": null`, `Tall", "modified": null`, `T10000", "modified": null`, `Tmax", "modified": null`, `T0", "modified": null`,
			`"9999-12-31T23:59:59.9999999Z"`}, `"10000-`},
		{[]string{"info", "c28b-base-times/SYSTEM"}, []string{"  newest    a key last written 9999-12-31T23:59:59.9999999Z\n", "offset 0xc: the last write of the hive, 0xffffffffffffffff, is not a time from 1601 to 9999"}, "  written"},
		{[]string{"info", "--format", "json", "c28b-base-times/SYSTEM"}, []string{`"newest_key": "9999-12-31T23:59:59.9999999Z"`}, `"modified"`},
		{[]string{"check", "--pack", "forensics", "c85-xp-base-time-zero/SYSTEM"}, []string{" 0 failed"}, "1601"},
	} {
		var args []string
		for _, arg := range test.args {
			if strings.HasSuffix(arg, "SYSTEM") {
				arg = shared.Path(t, "cases/hives/"+arg)
			}
			args = append(args, arg)
		}
		var out, messages bytes.Buffer
		run(args, nil, &out, &messages)
		for _, want := range test.want {
			if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), strings.Join(strings.Fields(want), " ")) {
				t.Errorf("%s: %q is not in\n%s", test.args, want, &out)
			}
		}
		if strings.Contains(out.String(), test.not) {
			t.Errorf("%s: %q is in\n%s", test.args, test.not, &out)
		}
	}
}
