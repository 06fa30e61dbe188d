package hive

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of Windows NT: 5.2 is Windows Server 2003, 6.0 Vista, 6.1 Windows 7, 10.0 Windows 10 and 11.
type Version struct{ Major, Minor, Build int }

// ParseVersion parses "10", "6.1" or "10.0.19045".
func ParseVersion(s string) (Version, error) {
	var n [3]int
	parts := strings.Split(s, ".")
	if len(parts) > len(n) {
		return Version{}, fmt.Errorf("%q is not a Windows version: want MAJOR.MINOR or MAJOR.MINOR.BUILD, such as 6.1", s)
	}
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return Version{}, fmt.Errorf("%q is not a Windows version: want MAJOR.MINOR or MAJOR.MINOR.BUILD, such as 6.1", s)
		}
		n[i] = int(v)
	}
	return Version{n[0], n[1], n[2]}, nil
}

// String returns the version, with its build if that is known.
func (v Version) String() string {
	if v.Build == 0 {
		return fmt.Sprintf("%d.%d", v.Major, v.Minor)
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Build)
}

// Compare returns a negative number if v is lower than w, zero if they are equal, and a positive number if v is higher.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Build, w.Build))
}

// Windows is what a registry says about the Windows that it belongs to. Only the SOFTWARE hive states the version; the SYSTEM hive narrows it
// down to a range.
type Windows struct {
	AtLeast  Version  // the zero Version if nothing is known
	Below    Version  // the version is lower; the zero Version for no upper bound
	Product  string   // WinNT, ServerNT or LanmanNT (domain controller); "" if unknown
	Evidence []string // each fact with the key it was read from
}

// Exactly returns a Windows of a version that the user named. A version without a build stands for all of its builds.
func Exactly(v Version) Windows {
	w := Windows{AtLeast: v, Below: Version{v.Major, v.Minor, v.Build + 1}}
	if v.Build == 0 {
		w.Below = Version{v.Major, v.Minor + 1, 0}
	}
	return w
}

// Version returns the major and minor version, such as "6.1", or "" if the range holds more than one.
func (w Windows) Version() string {
	if w.Below == (Version{}) || w.AtLeast == (Version{}) {
		return ""
	}
	last := w.Below
	if last.Build == 0 {
		last.Minor--
	}
	if last.Major != w.AtLeast.Major || last.Minor != w.AtLeast.Minor {
		return ""
	}
	return fmt.Sprintf("%d.%d", w.AtLeast.Major, w.AtLeast.Minor)
}

// String returns the version as far as it is known: "6.1", "6.0 or later, before 6.2", "before 6.0", "unknown version".
func (w Windows) String() string {
	none := Version{}
	switch v := w.Version(); {
	case v != "":
		return v
	case w.AtLeast == none && w.Below == none:
		return "unknown version"
	case w.AtLeast == none:
		return "before " + w.Below.String()
	case w.Below == none:
		return w.AtLeast.String() + " or later"
	}
	return w.AtLeast.String() + " or later, before " + w.Below.String()
}

func (w *Windows) atLeast(v Version, evidence string) {
	if v.Compare(w.AtLeast) > 0 {
		w.AtLeast = v
	}
	w.Evidence = append(w.Evidence, evidence)
}

func (w *Windows) below(v Version, evidence string) {
	if w.Below == (Version{}) || v.Compare(w.Below) < 0 {
		w.Below = v
	}
	w.Evidence = append(w.Evidence, evidence)
}

// Windows returns the version that the SOFTWARE hive states or, if it states none, what the SYSTEM hive says about it. Only the SYSTEM hive
// states the product.
func (r *Registry) Windows() Windows {
	stated, ok := r.statedWindows()
	w := r.systemWindows()
	if !ok {
		return w
	}
	if w.Product != "" {
		stated.Product = w.Product
		stated.Evidence = append(w.Evidence[:1:1], stated.Evidence...)
	}
	return stated
}

// softwareVersion is the key in which Windows keeps its own version.
var softwareVersion = Path{"HKEY_LOCAL_MACHINE", "SOFTWARE", "Microsoft", "Windows NT", "CurrentVersion"}

// statedWindows returns the version in the SOFTWARE hive. After 8.1 CurrentVersion still says 6.3; since Windows 10 two numbers state the
// version instead. CurrentBuild is not a number on Windows XP, CurrentBuildNumber is one everywhere.
func (r *Registry) statedWindows() (w Windows, ok bool) {
	k := r.lookup(softwareVersion...)
	if k == nil {
		return w, false
	}
	number := func(name string) (int, bool) {
		v, ok := k.Value(name)
		n, err := v.Uint64()
		return int(n), ok && err == nil && n < 1<<16
	}
	text := func(name string) string {
		v, _ := k.Value(name)
		s, _ := v.Text()
		return s
	}
	build := 0
	if v, err := ParseVersion(text("CurrentBuildNumber")); err == nil {
		build = v.Major
	}
	const key = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	major, hasMajor := number("CurrentMajorVersionNumber")
	minor, hasMinor := number("CurrentMinorVersionNumber")
	at, source := Version{major, minor, build}, "CurrentMajorVersionNumber and CurrentMinorVersionNumber"
	if !hasMajor || !hasMinor {
		v, err := ParseVersion(text("CurrentVersion"))
		if err != nil || v.Major == 0 {
			return w, false
		}
		at, source = Version{v.Major, v.Minor, build}, "CurrentVersion"
		if frozen := (Version{6, 3, 0}); v == frozen && k.ValuesKnown() != Whole {
			w.atLeast(at, fmt.Sprintf("version %s or later from %s, %s", v, key, source))
			return w, true
		}
	}
	w = Exactly(at)
	w.Evidence = []string{fmt.Sprintf("version %d.%d from %s, %s", at.Major, at.Minor, key, source)}
	if build > 0 {
		w.Evidence = append(w.Evidence, fmt.Sprintf("build %d from CurrentBuildNumber there", build))
	}
	return w, true
}

// systemWindows returns what the SYSTEM hive says about the version and product. Sources: Microsoft KB 152078 for ProductType; for the
// rest the hives of Windows 7, 8.1 and 10: DriverDatabase\Version exists since Windows 8 and holds the version, Control\Nsi came with
// Vista, and the drivers that are part of Windows have its version.
func (r *Registry) systemWindows() Windows {
	var w Windows
	system := r.lookup(systemPath...)
	if system == nil {
		return w
	}
	set := system.Key(r.ControlSets()[0].Name)
	if set == nil {
		return w
	}
	control := set.Key("Control")
	if control == nil {
		return w
	}
	if v, ok := lookupValue(control, "ProductOptions", "ProductType"); ok {
		w.Product, _ = v.Text()
		w.Evidence = append(w.Evidence, `product from Control\ProductOptions\ProductType`)
	}
	database := system.Key("DriverDatabase")
	if database != nil {
		if v, ok := database.Value("Version"); ok {
			if n, err := v.Uint64(); err == nil && n>>24 >= 6 {
				at := Version{int(n >> 24), int(n >> 16 & 0xFF), 0}
				w.atLeast(at, fmt.Sprintf(`version %s from DriverDatabase\Version`, at))
				w.below(Version{at.Major, at.Minor + 1, 0}, `DriverDatabase\Version is the version itself`)
				w.Evidence = w.Evidence[:len(w.Evidence)-1]
			}
		}
		if w.AtLeast == (Version{}) {
			w.atLeast(Version{6, 2, 0}, "6.2 or later because there is a key DriverDatabase")
		}
		return w
	}
	switch {
	case control.Key("Nsi") != nil:
		w.atLeast(Version{6, 0, 0}, `6.0 or later because there is a key Control\Nsi`)
		if system.KeysKnown() == Whole {
			w.below(Version{6, 2, 0}, "before 6.2 because there is no key DriverDatabase")
		}
		if v, ok := inboxDrivers(control); ok && v.Compare(w.AtLeast) >= 0 && v.Compare(Version{6, 2, 0}) < 0 {
			w.atLeast(v, fmt.Sprintf(`version %s from the drivers of Windows in Control\Class`, v))
			w.Below = Version{v.Major, v.Minor + 1, 0}
		}
	case system.KeysKnown() == Whole && control.KeysKnown() == Whole:
		w.below(Version{6, 0, 0}, `before 6.0 because there is no key Control\Nsi`)
	}
	return w
}

// inboxDrivers returns the version that most Microsoft drivers in Control\Class have.
func inboxDrivers(control *Key) (Version, bool) {
	classes := control.Key("Class")
	if classes == nil {
		return Version{}, false
	}
	count := map[Version]int{}
	highest := map[Version]Version{} // keyed by major and minor version
	for _, class := range classes.Keys() {
		for _, driver := range class.Keys() {
			provider, ok := driver.Value("ProviderName")
			if text, err := provider.Text(); !ok || err != nil || text != "Microsoft" {
				continue
			}
			number, ok := driver.Value("DriverVersion")
			text, err := number.Text()
			if !ok || err != nil {
				continue
			}
			// DriverVersion has a fourth part, the revision.
			if i := strings.LastIndexByte(text, '.'); i > 0 && strings.Count(text, ".") == 3 {
				text = text[:i]
			}
			v, err := ParseVersion(text)
			if err != nil {
				continue
			}
			family := Version{v.Major, v.Minor, 0}
			count[family]++
			if v.Compare(highest[family]) > 0 {
				highest[family] = v
			}
		}
	}
	var best Version
	for family, n := range count {
		if best == (Version{}) || n > count[best] || n == count[best] && family.Compare(best) > 0 {
			best = family
		}
	}
	return highest[best], len(count) > 0
}

// Host returns the name of the computer, from Control\ComputerName\ComputerName of the current control set, or "".
func (r *Registry) Host() string {
	for _, m := range r.Find(systemPath.Join(currentControlSet, "Control", "ComputerName")) {
		if m.Key == nil {
			continue
		}
		if v, ok := lookupValue(m.Key, "ComputerName", "ComputerName"); ok {
			if text, err := v.Text(); err == nil {
				return text
			}
		}
	}
	return ""
}

// lookupValue returns a value of a subkey of k, and whether there is one.
func lookupValue(k *Key, key, value string) (Value, bool) {
	if k = k.Key(key); k == nil {
		return Value{}, false
	}
	return k.Value(value)
}
