// Command fleet writes a folder of inputs for tests and measurements: hives by themselves, folders and archives of machines, an image, and some that
// are cut off. Equal hives are links to one file, so that a fleet is large to read and small to keep.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/imagetest"
)

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// variants is how many different hives there are of each kind.
const variants = 7

// write writes a fleet. The arguments are its folder, the number of inputs, the number of keys of devices in a SYSTEM hive, each about 550 bytes, and an
// image.
func write(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: fleet FOLDER INPUTS KEYS IMAGE")
	}
	inputs, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	keys, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	folder := args[0]
	image, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	var systems, softwares, users [variants][]byte
	for i := range variants {
		systems[i], softwares[i], users[i] = system(i, keys), software(i), user(i)
	}
	first := map[string]string{} // the name of the file that has a content
	put := func(name, content string, data []byte) error {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if one := first[content]; one != "" && os.Link(one, name) == nil {
			return nil
		}
		first[content] = name
		return os.WriteFile(name, data, 0o666)
	}
	for i := range inputs {
		v := i % variants
		of := func(what string) string { return fmt.Sprintf("%s %d", what, v) }
		machine := fmt.Sprintf("pc%05d", i)
		var errs []error
		switch {
		case i == 0:
			errs = append(errs, put("disk.E01", "image", image))
		case i == 1:
			errs = append(errs, put("cut.E01", "cut image", image[:len(image)/2]))
		case i%100 == 50:
			errs = append(errs, put(machine+".hive", of("cut"), systems[v][:len(systems[v])/2]))
		case i%10 < 6:
			errs = append(errs, put(machine+".hive", of("system"), systems[v]))
		case i%10 < 9:
			config := machine + "/Windows/System32/config/"
			errs = append(errs, put(config+"SYSTEM", of("system"), systems[v]), put(config+"SOFTWARE", of("software"), softwares[v]),
				put(machine+"/Users/alice/NTUSER.DAT", of("user"), users[v]))
			if v == 0 {
				errs = append(errs, put(config+"RegBack/SYSTEM", of("system"), systems[v]))
			}
		default:
			data := imagetest.Zip([]imagetest.ArchiveFile{{Name: "C/Windows/System32/config/SYSTEM", Data: systems[v]}, {Name: "C/Windows/System32/config/SOFTWARE", Data: softwares[v]}})
			if i%100 == 99 {
				errs = append(errs, put(machine+".zip", of("cut zip"), data[:len(data)/2]))
			} else {
				errs = append(errs, put(machine+".zip", of("zip"), data))
			}
		}
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func key(name string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
	return &hivetest.Key{Name: name, Modified: 129000000000000000, Values: values, Keys: keys}
}

func text(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }

// system returns a SYSTEM hive that is shaped like a real one: a few services, and many small keys of devices.
func system(variant, devices int) []byte {
	services := key("Services", nil)
	for i := range 100 {
		services.Keys = append(services.Keys, key(fmt.Sprintf("Service%03d", i), []hive.Value{
			text("DisplayName", "A service of the system"), text("ImagePath", `system32\drivers\example.sys`), hive.DWordValue("Start", 3), hive.DWordValue("Type", 1),
		}, key("Parameters", []hive.Value{text("ServiceDll", `%SystemRoot%\System32\example.dll`)})))
	}
	services.Keys = append(services.Keys,
		key("LanmanServer", nil, key("Parameters", []hive.Value{hive.DWordValue("SMB1", uint32(variant%2))})),
		key("Tcpip", nil, key("Parameters", []hive.Value{hive.DWordValue("MaxUserPort", uint32(5000+variant))})))
	all := key("Enum", nil)
	for i := range (devices + 99) / 100 {
		bus := key(fmt.Sprintf("ROOT%04d", i), nil)
		for j := range min(100, devices-100*i) {
			bus.Keys = append(bus.Keys, key(fmt.Sprintf("{%08x-0000-0000-0000-%012x}", j, variant), []hive.Value{
				text("DeviceDesc", "@machine.inf,%devicedesc%;A device of some kind"), hive.DWordValue("Capabilities", 0),
				{Name: "HardwareID", Type: hive.MultiSZ, Data: append(hive.EncodeUTF16("ROOT\\LEGACY\x00ROOT\\OTHER\x00"), 0, 0)},
			}))
		}
		all.Keys = append(all.Keys, bus)
	}
	name := text("ComputerName", fmt.Sprintf("PC-%d", variant))
	control := key("Control", nil, key("ComputerName", nil, key("ComputerName", []hive.Value{name})), key("Lsa", []hive.Value{hive.DWordValue("LimitBlankPasswordUse", uint32(variant%2))}))
	return hivetest.Build(key("", nil, key("ControlSet001", nil, services, control, all), key("Select", []hive.Value{hive.DWordValue("Current", 1)})), hivetest.Options{})
}

// software returns a SOFTWARE hive of Windows 10.
func software(variant int) []byte {
	current := key("CurrentVersion", []hive.Value{
		text("CurrentVersion", "6.3"), text("CurrentBuildNumber", "19045"), hive.DWordValue("CurrentMajorVersionNumber", 10), hive.DWordValue("CurrentMinorVersionNumber", 0),
		text("InstallationType", "Client"), text("ProductName", "Windows 10 Pro"), text("EditionID", "Professional"),
	})
	policies := key("Policies", nil, key("Microsoft", nil, key("Example", []hive.Value{hive.DWordValue("Number", uint32(variant))})))
	return hivetest.Build(key("", nil, key("Microsoft", nil, key("Windows NT", nil, current), key("Windows", nil, key("CurrentVersion", nil))), policies), hivetest.Options{})
}

// user returns the hive of a user.
func user(variant int) []byte {
	desktop := key("Desktop", []hive.Value{text("ScreenSaveActive", strconv.Itoa(variant%2))})
	return hivetest.Build(key("", nil, key("Control Panel", nil, desktop), key("Environment", nil), key("Software", nil, key("Microsoft", nil))), hivetest.Options{})
}
