package ports

import (
	"fmt"

	"regvet/hive"
)

// Use is a port that a setting gives to a service, which listens on it.
type Use struct {
	Port    int
	Value   string // the name of the value, in Key
	Key     string // below the control set
	Service string // in words
}

// String returns the use for people.
func (u Use) String() string { return fmt.Sprintf("%d by %s, %s", u.Port, u.Service, u.Value) }

// listeners are the settings that give one TCP port to a service. Sources: Microsoft KB 306759 (Remote Desktop), KB 224196 (NTDS, Netlogon), KB 319553
// (File Replication Service).
var listeners = []struct {
	key            []string
	value, service string
}{
	{[]string{"Control", "Terminal Server", "WinStations", "RDP-Tcp"}, "PortNumber", "Remote Desktop"},
	{[]string{"Services", "NTDS", "Parameters"}, "TCP/IP Port", "Active Directory"},
	{[]string{"Services", "Netlogon", "Parameters"}, "DCTcpipPort", "Netlogon"},
	{[]string{"Services", "NTFRS", "Parameters"}, "RPC TCP/IP Port Assignment", "File Replication"},
}

// uses returns the ports that settings give to services. A value that is no port has none.
func (t tcpip) uses() (all []Use) {
	for _, l := range listeners {
		k := t.find(l.key...).Key
		if k == nil {
			continue
		}
		v, ok := k.Value(l.value)
		if n, err := v.Uint64(); ok && err == nil && v.Type == hive.DWord && n > 0 && n <= Max {
			all = append(all, Use{int(n), l.value, hive.Path(l.key).String(), l.service})
		}
	}
	return all
}
