package cli

import (
	"regvet/hive"
	"regvet/internal/hivetest"
)

// otherHives returns hives that tell of their computer what those of [windows] do not: the product, and the SID. Some of them contradict each
// other.
func otherHives() map[string][]byte {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key { return &hivetest.Key{Name: name, Keys: keys} }
	with := func(k *hivetest.Key, values ...hive.Value) *hivetest.Key { k.Values = values; return k }
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	sid := func(last byte) []byte {
		return []byte{1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, last, 0, 0, 0}
	}
	system := func(product string) []byte {
		root := parameters(hive.DWordValue("MaxUserPort", 5000))
		root.Keys[0].Keys = append([]*hivetest.Key{key("Control",
			key("ComputerName", with(key("ComputerName"), text("ComputerName", "WS01"))), key("Nsi"),
			with(key("ProductOptions"), text("ProductType", product)))}, root.Keys[0].Keys...)
		root.Keys = append([]*hivetest.Key{root.Keys[0], key("DriverDatabase")}, root.Keys[1:]...)
		return hivetest.Build(root, hivetest.Options{})
	}
	software := func(values ...hive.Value) []byte {
		list := key("ProfileList", with(key("S-1-5-21-1-2-3-1001"), text("ProfileImagePath", `C:\Users\alice`)))
		return hivetest.Build(key("", key("Classes"), key("Microsoft", key("Windows NT", with(key("CurrentVersion", list), values...)))), hivetest.Options{})
	}
	security := func(last byte, name string) []byte {
		named := append([]byte{byte(2 * len(name)), 0, byte(2*len(name) + 2), 0, 8, 0, 0, 0}, hive.EncodeUTF16(name)...)
		return hivetest.Build(key("", key("Policy", with(key("PolAcDmN"), hive.Value{Data: named}), with(key("PolAcDmS"), hive.Value{Data: sid(last)}))), hivetest.Options{})
	}
	account := with(key("Account"), hive.Value{Name: "V", Type: hive.Binary, Data: append(make([]byte, 100), sid(3)...)})
	return map[string][]byte{
		"parts/SYSTEM-WinNT":         system("WinNT"),
		"parts/SYSTEM-ServerNT":      system("ServerNT"),
		"parts/SYSTEM-LanmanNT":      system("LanmanNT"),
		"parts/SOFTWARE-8.1":         software(text("CurrentVersion", "6.3"), text("CurrentBuildNumber", "9600"), text("ProductName", "Windows 8.1 Pro")),
		"parts/SOFTWARE-2012R2":      software(text("CurrentVersion", "6.3"), text("CurrentBuildNumber", "9600"), text("ProductName", "Windows Server 2012 R2 Standard")),
		"parts/SOFTWARE-multi":       software(text("CurrentBuildNumber", "19045"), text("EditionID", "ServerRdsh"), text("InstallationType", "Client"), text("ProductName", "Windows 10 Enterprise multi-session")),
		"parts/SOFTWARE-server-core": software(text("InstallationType", "Server Core")),
		"parts/SAM-3":                hivetest.Build(key("", key("SAM", key("Domains", account))), hivetest.Options{}),
		"parts/SECURITY-3":           security(3, "ws01"),
		"parts/SECURITY-4":           security(4, "WS01"),
		"parts/SECURITY-WS02":        security(3, "WS02"),
		"parts/BCD":                  hivetest.Build(key("", key("Description"), key("Objects")), hivetest.Options{}),
		"parts/BBI":                  hivetest.Build(key("", key("Root")), hivetest.Options{}),
	}
}
