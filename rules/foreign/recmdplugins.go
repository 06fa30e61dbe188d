package foreign

import (
	"strings"

	"regvet/hive"
)

// rebPlugin is what is known of a plugin of RECmd: the key at which it reads, and how its data are listed without it. Those that only arrange
// text and numbers otherwise, of the values that an entry lists anyway, are left out. The keys are those that batch files name for a plugin, and what
// it decodes is what its documentation and such files tell of it (https://github.com/EricZimmerman/RECmd); its code was not read.
type rebPlugin struct {
	hive, path string
	value      string // the one value that it reads; "" for all
	name       string
	below      bool   // it reads the keys below, too
	as         string // the form of an inventory that shows what it decodes; "" for none
	decodes    string // what it decodes that no form shows, for people; "" for nothing
}

const rebExplorer = `Software\Microsoft\Windows\CurrentVersion\Explorer`

var rebPlugins = []rebPlugin{
	{"NTUSER", rebExplorer + `\UserAssist\*\Count`, "", "UserAssist", false, "", "names in ROT13, counts and times"},
	{"NTUSER", rebExplorer + `\RecentDocs`, "", "RecentDocs", true, "text", ""},
	{"NTUSER", rebExplorer + `\ComDlg32\CIDSizeMRU`, "", "CIDSizeMRU", false, "text", ""},
	{"NTUSER", rebExplorer + `\ComDlg32\FirstFolder`, "", "FirstFolder", false, "text", ""},
	{"NTUSER", rebExplorer + `\ComDlg32\LastVisitedPidlMRU`, "", "LastVisitedPidlMRU", false, "text", "the folder behind the program"},
	{"NTUSER", rebExplorer + `\ComDlg32\LastVisitedPidlMRULegacy`, "", "LastVisitedPidlMRU", false, "text", "the folder behind the program"},
	{"NTUSER", rebExplorer + `\ComDlg32\LastVisitedMRU`, "", "LastVisitedMRU", false, "text", "the folder behind the program"},
	{"NTUSER", rebExplorer + `\ComDlg32\OpenSavePidlMRU`, "", "OpenSavePidlMRU", true, "", "the paths of files"},
	{"NTUSER", rebExplorer + `\ComDlg32\OpenSaveMRU`, "", "OpenSaveMRU", true, "", ""},
	{"NTUSER", rebExplorer + `\FileExts`, "", "FileExts", true, "", ""},
	{"NTUSER", rebExplorer + `\TaskBand`, "Favorites", "Taskband", false, "", "the pinned shortcuts"},
	{"NTUSER", `Software\Microsoft\Windows\CurrentVersion\Search\JumplistData`, "", "JumplistData", false, "filetime", ""},
	{"NTUSER", `Software\Microsoft\Windows\CurrentVersion\Search\RecentApps`, "", "RecentApps", true, "filetime", ""},
	{"NTUSER", `Software\Microsoft\Windows\CurrentVersion\Uninstall`, "", "Uninstall", true, "", ""},
	{"NTUSER", `Software\Microsoft\Windows NT\CurrentVersion\AppCompatFlags`, "", "AppCompatFlags2", true, "", ""},
	{"NTUSER", `Software\Microsoft\Terminal Server Client`, "", "TerminalServerClient", true, "", ""},
	{"NTUSER", `Software\Microsoft\Office\*\*\Security\Trusted Documents\TrustRecords`, "", "TrustedDocuments", false, "filetime", ""},
	{"NTUSER", `Software\Microsoft\Office\*\*\User MRU\*\File MRU`, "", "OfficeMRU", false, "", "the time in each text"},
	{"NTUSER", `Software\Microsoft\Office\*\*\User MRU\*\Place MRU`, "", "OfficeMRU", false, "", "the time in each text"},
	{"NTUSER", `Software\Adobe`, "", "Adobe", true, "", ""},
	{"NTUSER", `Software\WinRAR`, "", "WinRAR", true, "", ""},
	{"NTUSER", `Software\7-Zip\Compression`, "ArcHistory", "7-ZipHistory", false, "text", ""},
	{"USRCLASS", `Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository`, "", "WindowsApp", true, "", ""},
	{"SYSTEM", `ControlSet*\Control\DeviceClasses`, "", "DeviceClasses", true, "", ""},
	{"SYSTEM", `ControlSet*\Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}`, "", "NetworkAdapters", true, "", ""},
	{"SYSTEM", `ControlSet*\Control\NetworkSetup2`, "", "NetworkSetup2", true, "", ""},
	{"SYSTEM", `ControlSet*\Control\Session Manager\AppCompatCache`, "AppCompatCache", "AppCompatCache", false, "", "the programs in the cache"},
	{"SYSTEM", `ControlSet*\Enum\USBSTOR`, "", "USBSTOR", true, "filetime", ""},
	{"SYSTEM", `ControlSet*\Enum\USB`, "", "USB", true, "filetime", ""},
	{"SYSTEM", `ControlSet*\Enum\SCSI`, "", "SCSI", true, "filetime", ""},
	{"SYSTEM", `ControlSet*\Services`, "", "Services", true, "", ""},
	{"SYSTEM", `ControlSet*\Services\bam\UserSettings\*`, "", "Bam", false, "filetime", ""},
	{"SYSTEM", `ControlSet*\Services\bam\State\UserSettings\*`, "", "Bam", false, "filetime", ""},
	{"SYSTEM", `ControlSet*\Services\dam\UserSettings\*`, "", "Bam", false, "filetime", ""},
	{"SYSTEM", `ControlSet*\Services\dam\State\UserSettings\*`, "", "Bam", false, "filetime", ""},
	{"SYSTEM", `ControlSet*\Services\BTHPORT\Parameters\Devices`, "", "BluetoothServicesBthPort", true, "filetime", "the names of devices in bytes"},
	{"SYSTEM", `MountedDevices`, "", "MountedDevices", false, "text", ""},
	{"SOFTWARE", `Microsoft\Windows NT\CurrentVersion\NetworkList`, "", "KnownNetworks", true, "systemtime", ""},
	{"SOFTWARE", `Microsoft\Windows NT\CurrentVersion\ProfileList`, "", "ProfileList", true, "", ""},
	{"SOFTWARE", `Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tasks`, "", "TaskCache", true, "", "the times and actions of tasks"},
	{"SOFTWARE", `Microsoft\Windows Portable Devices`, "", "WindowsPortableDevices", true, "", ""},
	{"SOFTWARE", `Microsoft\Windows Search\VolumeInfoCache`, "", "VolumeInfoCache", true, "", ""},
	{"SOFTWARE", `Microsoft\RADAR\HeapLeakDetection`, "", "RADAR", true, "filetime", ""},
	{"SOFTWARE", `Microsoft\Windows\CurrentVersion\App Paths`, "", "AppPaths", true, "", ""},
	{"SOFTWARE", `Microsoft\Windows\CurrentVersion\Uninstall`, "", "Uninstall", true, "", ""},
	{"SOFTWARE", `WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall`, "", "Uninstall", true, "", ""},
	{"SOFTWARE", `Microsoft\Windows\CurrentVersion\Installer\UserData\*\Products`, "", "Products", true, "", ""},
	{"SAM", `SAM\Domains\Account\Users`, "", "SAM", true, "", "the accounts, with their times and counts"},
	{"SAM", `SAM\Domains\Builtin\Aliases`, "", "SAMBuiltin", true, "", "the groups and their members"},
	{"AMCACHE", `Root\InventoryApplication`, "", "Amcache-InventoryApplication", true, "", ""},
	{"AMCACHE", `Root\InventoryApplicationFile`, "", "Amcache-InventoryApplicationFile", true, "", ""},
	{"AMCACHE", `Root\InventoryApplicationShortcut`, "", "Amcache-InventoryApplicationShortcut", true, "", ""},
	{"AMCACHE", `Root\InventoryDeviceContainer`, "", "Amcache-InventoryDeviceContainer", true, "", ""},
	{"AMCACHE", `Root\InventoryDevicePnp`, "", "Amcache-InventoryDevicePnp", true, "", ""},
	{"AMCACHE", `Root\InventoryDriverBinary`, "", "Amcache-InventoryDriverBinary", true, "", ""},
}

// plugin returns the plugin that reads what an entry is about, or nil. Of an entry for one value, it is one that reads no other.
func (e rebEntry) plugin() *rebPlugin {
	if e.is("DisablePlugin") {
		return nil
	}
	path := hive.ParsePath(strings.TrimSpace(e["KeyPath"]))
	for i, p := range rebPlugins {
		value := e["ValueName"]
		if strings.EqualFold(p.hive, e["HiveType"]) && (value == "" || strings.EqualFold(value, p.value)) && p.reads(path, e.is("Recursive")) {
			return &rebPlugins[i]
		}
	}
	return nil
}

// reads reports whether the plugin reads at a key of an entry, or below it if the entry is recursive. A plugin for a part of what
// stands below some key far up is not one for that.
func (p rebPlugin) reads(path hive.Path, recursive bool) bool {
	own := hive.ParsePath(p.path)
	const fewLevels = 2
	if below := len(own) - len(path); below != 0 && !(recursive && below > 0 && below <= fewLevels) {
		return false
	}
	for i, name := range path {
		if !overlap(name, own[i]) {
			return false
		}
	}
	return true
}

// overlap reports whether there may be a name that two names with stars both match.
func overlap(a, b string) bool {
	a, restA, openA := strings.Cut(hive.Fold(a), "*")
	b, restB, openB := strings.Cut(hive.Fold(b), "*")
	switch {
	case openA && openB:
		return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
	case openA:
		return strings.HasPrefix(b, a) && strings.HasSuffix(b, restA[strings.LastIndex(restA, "*")+1:])
	case openB:
		return strings.HasPrefix(a, b) && strings.HasSuffix(a, restB[strings.LastIndex(restB, "*")+1:])
	}
	return a == b
}
