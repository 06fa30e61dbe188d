package hive

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Windows returns what the SYSTEM and SOFTWARE hives say about the Windows that they belong to.
func (r *Registry) Windows() Windows { return r.systemWindows().With(r.softwareWindows()) }

// softwareVersion is the key in which Windows keeps its own version.
var softwareVersion = Path{"HKEY_LOCAL_MACHINE", "SOFTWARE", "Microsoft", "Windows NT", "CurrentVersion"}

// softwareWindows returns what the SOFTWARE hive says.
func (r *Registry) softwareWindows() (w Windows) {
	w = r.format(softwareVersion[:2])
	k := r.lookup(softwareVersion...)
	if k == nil {
		return w
	}
	const key = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	w = w.With(statedWindows(k, key))
	if edition := k.text("EditionID"); edition != "" {
		w.know(Windows{Edition: edition}, "edition from EditionID in %s", key)
	}
	w = w.With(statedProduct(k, key))
	if n, ok := k.number("InstallDate"); ok && n > 0 && n < 1<<32 { // seconds
		w.Installed = time.Unix(int64(n), 0).UTC()
	}
	return w
}

// statedProduct returns what the SOFTWARE hive says about the product. Servers of different roles are told apart by the SYSTEM hive alone.
// InstallationType came with Windows 7.
func statedProduct(k *Key, key string) (w Windows) {
	if k.text("EditionID") == "ServerRdsh" {
		return w // Enterprise multi-session is a client by its name, and has the product of a server
	}
	kind, name := k.text("InstallationType"), k.text("ProductName")
	words := strings.Fields(strings.TrimPrefix(name, "Microsoft "))
	switch {
	case kind == "Client":
		w.know(Windows{Product: workstation}, "product from InstallationType in %s", key)
	case kind == "Server" || kind == "Server Core":
		w.server = fmt.Sprintf("InstallationType in %s, %s", key, kind)
	case kind != "" || len(words) < 2 || words[0] != "Windows":
	case words[1] == "Server":
		w.server = fmt.Sprintf("ProductName in %s, %s", key, Printable(name))
	case slices.Contains([]string{"XP", "Vista", "7", "8", "8.1", "10", "11"}, words[1]):
		w.know(Windows{Product: workstation}, "product from ProductName in %s", key)
	}
	return w
}

// statedWindows returns the version that a key such as CurrentVersion of the SOFTWARE hive states. After 8.1 the value CurrentVersion still
// says 6.3; since Windows 10 two numbers state the version instead. CurrentBuild is not a number on Windows XP, CurrentBuildNumber is one
// everywhere.
func statedWindows(k *Key, key string) (w Windows) {
	major, hasMajor := k.number("CurrentMajorVersionNumber")
	minor, hasMinor := k.number("CurrentMinorVersionNumber")
	version := Windows{}
	switch text, err := ParseVersion(k.text("CurrentVersion")); {
	case hasMajor && hasMinor && major < 1<<16 && minor < 1<<16:
		version = Exactly(Version{int(major), int(minor), 0})
		w.know(version, "version %s from %s, CurrentMajorVersionNumber and CurrentMinorVersionNumber", version, key)
	case err != nil || text.Major == 0:
	case text == Version{6, 3, 0} && !(k.lacks("CurrentMajorVersionNumber") && k.lacks("CurrentMinorVersionNumber")):
		w.atLeast(text, "version %s or later from %s, CurrentVersion", text, key)
	default:
		version = Exactly(text.family())
		w.know(version, "version %s from %s, CurrentVersion", text.family(), key)
	}
	build, err := strconv.ParseUint(cmp.Or(k.text("CurrentBuildNumber"), k.text("CurrentBuild")), 10, 31)
	if err != nil || build == 0 {
		return w
	}
	at := Version{version.AtLeast.Major, version.AtLeast.Minor, int(build)}
	if !at.exists() {
		var ok bool
		if at, ok = ofBuild(int(build)); !ok {
			return w
		}
	}
	exact := Exactly(at)
	what := fmt.Sprintf("build %d from CurrentBuildNumber there", build)
	if revision, ok := k.number("UBR"); ok && revision > 0 && revision < 1<<31 {
		exact.Revision = int(revision)
		what = fmt.Sprintf("build %d, revision %d from CurrentBuildNumber and UBR there", build, revision)
	}
	if version.AtLeast == (Version{}) {
		what += fmt.Sprintf(", which is one of %s", at.family())
	}
	w.know(exact, "%s", what)
	return w
}

// format returns what the format of the hive at a path says. Source: github.com/msuhanov/regf: minor version 6 came with Windows 10.
func (r *Registry) format(at Path) (w Windows) {
	k := r.lookup(at...)
	if k == nil || k.file == nil {
		return w
	}
	if base := k.file.base; base.Minor == 6 && base.Checksum == base.Computed {
		w.atLeast(Version{10, 0, 0}, "10.0 or later because %s has hive format 1.6", at[len(at)-1])
	}
	return w
}

// systemWindows returns what the SYSTEM hive says. Sources: Microsoft KB 152078 for ProductType; for the rest the hives of Windows XP to
// 10: DriverDatabase\Version exists since Windows 8 and holds the version, Control\Nsi came with Vista, most drivers of Microsoft are those
// that are part of Windows and have its build, and since Windows 10 the hive states the build of its code.
func (r *Registry) systemWindows() (w Windows) {
	system := r.lookup(systemPath...)
	if system == nil {
		return w
	}
	var control *Key
	sound := false // the hive is known to hold all of the current set
	for _, s := range r.ControlSets() {
		if set := system.Key(s.Name); set != nil && control == nil {
			control = set.Key("Control")
			services := set.Key("Services")
			sound = control != nil && services != nil && !s.Guessed && set.KeysKnown() == Whole &&
				control.KeysKnown() == Whole && services.KeysKnown() == Whole && system.KeysKnown() == Whole
		}
	}
	if product := r.fromControl("ProductOptions", "ProductType"); product != "" {
		w.know(Windows{Product: product}, `product from Control\ProductOptions\ProductType`)
	}
	if control != nil {
		if policy, ok := lookupValue(control, "ProductOptions", "ProductPolicy"); ok && !policy.Short {
			if edition, name := policyEdition(policy.Data); edition != "" {
				w.know(Windows{Edition: edition}, `edition from Control\ProductOptions\ProductPolicy, %s`, name)
			}
		}
	}
	w = w.With(r.format(systemPath)).With(databaseVersion(system)).With(baseBuild(system)).With(formerWindows(system))
	if control == nil {
		return w
	}
	vista := control.Key("Nsi") != nil
	if vista && w.AtLeast.Compare(Version{6, 0, 0}) < 0 {
		w.atLeast(Version{6, 0, 0}, `6.0 or later because there is a key Control\Nsi`)
	}
	// What is absent, and drivers of a former Windows that are still there, say least: they count only where nothing says more.
	drivers := inboxDrivers(control)
	if w.AtLeast.Compare(drivers.Below) >= 0 {
		drivers = Windows{}
	}
	w = w.With(drivers)
	switch eight := (Version{6, 2, 0}); {
	case !vista && sound && w.AtLeast.Compare(Version{6, 0, 0}) < 0:
		w.below(Version{6, 0, 0}, `before 6.0 because there is no key Control\Nsi`)
	case vista && system.KeysKnown() == Whole && system.Key("DriverDatabase") == nil && w.AtLeast.Compare(eight) < 0:
		w.below(eight, "before 6.2 because there is no key DriverDatabase")
	}
	return w
}

// databaseVersion returns what the driver database in the SYSTEM hive says.
func databaseVersion(system *Key) (w Windows) {
	database := system.Key("DriverDatabase")
	if database == nil {
		return w
	}
	if n, ok := database.number("Version"); ok && n>>24 >= 6 {
		at := Version{int(n >> 24), int(n >> 16 & 0xFF), 0}
		w.know(Exactly(at), `version %s from DriverDatabase\Version`, at)
		return w
	}
	w.atLeast(Version{6, 2, 0}, "6.2 or later because there is a key DriverDatabase")
	return w
}

// baseBuild returns what the SYSTEM hive of Windows 10 and later states. BuildLab is the build of the code, which releases that are mere
// updates of another one share with that: 19041 is the code of 19041 to 19045.
func baseBuild(system *Key) (w Windows) {
	if software := system.Key("Software"); software != nil {
		if k := software.Key("Microsoft"); k != nil {
			for _, name := range []string{"BuildLab", "BuildLabEx"} {
				text := k.text(name)
				number, _, _ := strings.Cut(text, ".")
				n, err := strconv.ParseUint(number, 10, 31)
				at := Version{10, 0, int(n)}
				if err != nil || !at.exists() || n == 0 {
					continue
				}
				w.know(Windows{AtLeast: at, Below: nextBase(at)}, `base build %d from SYSTEM\Software\Microsoft, %s`, n, name)
			}
		}
	}
	if setup := system.Key("Setup"); setup != nil {
		if v, ok := lookupValue(setup, "BuildUpdate", "SourceOSVersion"); ok && len(v.Data) == 8 {
			n := binary.LittleEndian.Uint64(v.Data)
			at := Version{int(n >> 48), int(n >> 32 & 0xFFFF), int(n >> 16 & 0xFFFF)}
			if at.Build > 0 && at.exists() {
				w.atLeast(at, `%s or later from Setup\BuildUpdate\SourceOSVersion`, at)
			}
		}
	}
	return w
}

// formerWindows returns the latest Windows that the present one replaced. Setup keeps the values of its key CurrentVersion.
func formerWindows(system *Key) (w Windows) {
	setup := system.Key("Setup")
	if setup == nil {
		return w
	}
	const prefix = "Source OS (Updated on "
	for _, k := range setup.Keys() {
		if len(k.name) < len(prefix) || !EqualFold(k.name[:len(prefix)], prefix) {
			continue
		}
		if former := statedWindows(k, k.name); former.AtLeast.Compare(w.AtLeast) > 0 {
			w = Windows{}
			w.atLeast(former.AtLeast, `%s or later because Setup\%s tells of an upgrade from %s`, former.AtLeast, Printable(k.name), former)
		}
	}
	return w
}

// inboxDrivers returns what the versions of Microsoft's drivers in Control\Class say. Most drivers are part of Windows and have its version
// and base build; some have a version of their own, some are left from a former Windows.
func inboxDrivers(control *Key) (w Windows) {
	classes := control.Key("Class")
	if classes == nil {
		return w
	}
	count := map[Version]int{} // by build, and by version without a build
	total := 0
	for _, class := range classes.Keys() {
		for _, driver := range class.Keys() {
			if driver.text("ProviderName") != "Microsoft" {
				continue
			}
			// DriverVersion has a fourth part, the revision.
			text := driver.text("DriverVersion")
			if i := strings.LastIndexByte(text, '.'); i > 0 && strings.Count(text, ".") == 3 {
				text = text[:i]
			}
			if v, err := ParseVersion(text); err == nil && v.Build > 0 && v.exists() {
				count[v]++
				count[v.family()]++
				total++
			}
		}
	}
	for family, n := range count {
		if family.Build > 0 || 2*n <= total {
			continue
		}
		// Of the builds of the version, the one that most drivers have is that of Windows, or lower.
		best := family
		for v, n := range count {
			if v.Build > 0 && v.family() == family && (best.Build == 0 || n > count[best] || n == count[best] && v.Build < best.Build) {
				best = v
			}
		}
		found := Windows{AtLeast: best, Below: Exactly(family).Below}
		w.know(found, `version %s by the drivers of Windows in Control\Class`, found)
	}
	return w
}

// Host returns the name of the computer in the current control set, and which value it is from: ComputerName or, where that lacks, the Hostname of
// TCP/IP. Both are "" if neither tells it. Source of the second: Microsoft KB 314053.
func (r *Registry) Host() (name, from string) {
	for _, from := range []string{`Control\ComputerName\ComputerName\ComputerName`, `Services\Tcpip\Parameters\Hostname`} {
		path := ParsePath(from)
		if name := r.fromCurrent(path[:len(path)-1], path[len(path)-1]); name != "" {
			return name, from
		}
	}
	return "", ""
}

// fromControl returns the text of a value below the key Control of the current control set, or "", as fromCurrent does.
func (r *Registry) fromControl(path ...string) string {
	n := len(path) - 1
	return r.fromCurrent(append(Path{"Control"}, path[:n]...), path[n])
}

// fromCurrent returns the text of a value of the current control set, or "". Where it is unknown which set is the current one, those that can be
// read must agree.
func (r *Registry) fromCurrent(key Path, value string) (text string) {
	for _, m := range r.Find(systemPath.Join(currentControlSet).Join(key...)) {
		if m.Key == nil {
			continue
		}
		found := m.Key.text(value)
		if text != "" && found != "" && text != found {
			return ""
		}
		text = cmp.Or(text, found)
	}
	return text
}

// text returns the text of a value, or "" if it has none or not all of it could be read.
func (k *Key) text(name string) string {
	v, ok := k.Value(name)
	text, err := v.Text()
	if !ok || v.Short || err != nil {
		return ""
	}
	return text
}

// number returns the number in a value, and whether it has one.
func (k *Key) number(name string) (uint64, bool) {
	v, ok := k.Value(name)
	n, err := v.Uint64()
	return n, ok && !v.Short && err == nil
}

// lacks reports whether the key is known to have no value of that name.
func (k *Key) lacks(name string) bool {
	_, ok := k.Value(name)
	return !ok && k.ValuesKnown() == Whole
}

// lookupValue returns a value of a subkey of k, and whether there is one.
func lookupValue(k *Key, key, value string) (Value, bool) {
	if k = k.Key(key); k == nil {
		return Value{}, false
	}
	return k.Value(value)
}
