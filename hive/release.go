package hive

import (
	"fmt"
	"slices"
	"strings"
)

// release is a build of Windows that Microsoft released.
type release struct {
	at             Version
	client, server product
	// update means that the release is the code of the one before it with features turned on. It keeps that one's base build in the registry.
	update bool
}

// product is what Microsoft calls a release: "Windows 10", "22H2". It is zero if there was none for this kind of computer.
type product struct{ name, release string }

// releases are the builds that have a name, in order. Sources: Microsoft, "Operating System Version" (Win32); the release information of
// Windows 10, Windows 11 and Windows Server.
var releases = []release{
	{at: Version{3, 51, 1057}, client: product{"Windows NT 3.51", ""}, server: product{"Windows NT Server 3.51", ""}},
	{at: Version{4, 0, 1381}, client: product{"Windows NT 4.0", ""}, server: product{"Windows NT Server 4.0", ""}},
	{at: Version{5, 0, 2195}, client: product{"Windows 2000", ""}, server: product{"Windows 2000 Server", ""}},
	{at: Version{5, 1, 2600}, client: product{"Windows XP", ""}},
	{at: Version{5, 2, 3790}, client: product{"Windows XP x64", ""}, server: product{"Windows Server 2003", ""}},
	{at: Version{6, 0, 6000}, client: product{"Windows Vista", "RTM"}},
	{at: Version{6, 0, 6001}, client: product{"Windows Vista", "SP1"}, server: product{"Windows Server 2008", "RTM"}},
	{at: Version{6, 0, 6002}, client: product{"Windows Vista", "SP2"}, server: product{"Windows Server 2008", "SP2"}},
	{at: Version{6, 1, 7600}, client: product{"Windows 7", "RTM"}, server: product{"Windows Server 2008 R2", "RTM"}},
	{at: Version{6, 1, 7601}, client: product{"Windows 7", "SP1"}, server: product{"Windows Server 2008 R2", "SP1"}},
	{at: Version{6, 2, 9200}, client: product{"Windows 8", ""}, server: product{"Windows Server 2012", ""}},
	{at: Version{6, 3, 9600}, client: product{"Windows 8.1", ""}, server: product{"Windows Server 2012 R2", ""}},
	{at: Version{10, 0, 10240}, client: product{"Windows 10", "1507"}},
	{at: Version{10, 0, 10586}, client: product{"Windows 10", "1511"}},
	{at: Version{10, 0, 14393}, client: product{"Windows 10", "1607"}, server: product{"Windows Server 2016", ""}},
	{at: Version{10, 0, 15063}, client: product{"Windows 10", "1703"}},
	{at: Version{10, 0, 16299}, client: product{"Windows 10", "1709"}, server: product{"Windows Server 1709", ""}},
	{at: Version{10, 0, 17134}, client: product{"Windows 10", "1803"}, server: product{"Windows Server 1803", ""}},
	{at: Version{10, 0, 17763}, client: product{"Windows 10", "1809"}, server: product{"Windows Server 2019", ""}},
	{at: Version{10, 0, 18362}, client: product{"Windows 10", "1903"}, server: product{"Windows Server 1903", ""}},
	{at: Version{10, 0, 18363}, client: product{"Windows 10", "1909"}, server: product{"Windows Server 1909", ""}, update: true},
	{at: Version{10, 0, 19041}, client: product{"Windows 10", "2004"}, server: product{"Windows Server 2004", ""}},
	{at: Version{10, 0, 19042}, client: product{"Windows 10", "20H2"}, server: product{"Windows Server 20H2", ""}, update: true},
	{at: Version{10, 0, 19043}, client: product{"Windows 10", "21H1"}, update: true},
	{at: Version{10, 0, 19044}, client: product{"Windows 10", "21H2"}, update: true},
	{at: Version{10, 0, 19045}, client: product{"Windows 10", "22H2"}, update: true},
	{at: Version{10, 0, 20348}, server: product{"Windows Server 2022", ""}},
	{at: Version{10, 0, 22000}, client: product{"Windows 11", "21H2"}},
	{at: Version{10, 0, 22621}, client: product{"Windows 11", "22H2"}},
	{at: Version{10, 0, 22631}, client: product{"Windows 11", "23H2"}, update: true},
	{at: Version{10, 0, 25398}, server: product{"Windows Server 23H2", ""}},
	{at: Version{10, 0, 26100}, client: product{"Windows 11", "24H2"}, server: product{"Windows Server 2025", ""}},
	{at: Version{10, 0, 26200}, client: product{"Windows 11", "25H2"}, update: true},
}

// windowsWords are the names by which users can say which Windows they mean. A version without a build stands for all of its builds, as
// [Exactly] has it; below is set where the name does not mean that.
var windowsWords = []struct {
	word        string
	from, below Version
}{
	{word: "nt4", from: Version{4, 0, 0}},
	{word: "2000", from: Version{5, 0, 0}},
	{word: "xp", from: Version{5, 1, 0}},
	{word: "2003", from: Version{5, 2, 0}},
	{word: "vista", from: Version{6, 0, 0}},
	{word: "2008", from: Version{6, 0, 0}},
	{word: "7", from: Version{6, 1, 0}},
	{word: "2008r2", from: Version{6, 1, 0}},
	{word: "8", from: Version{6, 2, 0}},
	{word: "2012", from: Version{6, 2, 0}},
	{word: "8.1", from: Version{6, 3, 0}},
	{word: "2012r2", from: Version{6, 3, 0}},
	{word: "10", from: Version{10, 0, 0}, below: Version{10, 0, 22000}},
	{word: "2016", from: Version{10, 0, 14393}},
	{word: "2019", from: Version{10, 0, 17763}},
	{word: "2022", from: Version{10, 0, 20348}},
	{word: "11", from: Version{10, 0, 22000}, below: Version{10, 1, 0}},
	{word: "2025", from: Version{10, 0, 26100}},
}

// WindowsWords returns the product names that [ParseWindows] knows.
func WindowsWords() (words []string) {
	for _, w := range windowsWords {
		words = append(words, w.word)
	}
	return words
}

// ParseWindows returns the Windows that a user means: by a version such as "6.1" or "10.0.19045", or by the name of a product such as
// "2008r2" or "11". What no Windows has is an error.
func ParseWindows(s string) (Windows, error) {
	for _, w := range windowsWords {
		if s == w.word {
			meant := Exactly(w.from)
			if w.below != (Version{}) {
				meant.Below = w.below
			}
			return meant, nil
		}
	}
	if v, err := ParseVersion(s); err == nil && v.exists() {
		return Exactly(v), nil
	}
	return Windows{}, fmt.Errorf("%q is not a Windows version: want one such as 6.1 or 10.0.19045, or a name: %s", s, strings.Join(WindowsWords(), ", "))
}

// exists reports whether a Windows has this version: builds, those of previews too, lie between the first release of the version before and
// that of the next one.
func (v Version) exists() bool {
	i := slices.IndexFunc(releases, func(r release) bool { return r.at.family() == v.family() })
	if i < 0 {
		return false
	}
	next := i
	for next < len(releases) && releases[next].at.family() == v.family() {
		next++
	}
	return v.Build == 0 || (i == 0 || v.Build > firstBuild(i-1)) && (next == len(releases) || v.Build < releases[next].at.Build)
}

// firstBuild returns the first build of the version that a release is of.
func firstBuild(i int) int {
	for i > 0 && releases[i-1].at.family() == releases[i].at.family() {
		i--
	}
	return releases[i].at.Build
}

// family returns the version without its build.
func (v Version) family() Version { return Version{v.Major, v.Minor, 0} }

// ofBuild returns the version that a build is of, and whether any is.
func ofBuild(build int) (v Version, ok bool) {
	for _, r := range releases {
		if v = (Version{r.at.Major, r.at.Minor, build}); build >= r.at.Build && v.exists() {
			return v, true
		}
	}
	return Version{}, false
}

// nextBase returns the lowest base build above a version, or the zero Version. Releases that are updates have the base build of the release
// that they update.
func nextBase(v Version) Version {
	for _, r := range releases {
		if !r.update && r.at.Compare(v) > 0 {
			return r.at
		}
	}
	return Version{}
}

// Name returns what Microsoft calls this Windows, as far as that is known: "Windows 10 22H2", "Windows 10 2004 to 22H2", "Windows 8 or
// later", "Windows before Vista", "Windows 7 or Server 2008 R2". It is "" if nothing is known.
func (w Windows) Name() string {
	if w.AtLeast == (Version{}) && w.Below == (Version{}) {
		return ""
	}
	client := w.names(func(r release) product { return r.client })
	server := w.names(func(r release) product { return r.server })
	switch {
	case w.Product == workstation, server == "":
		return client
	case w.Product != "", client == "", client == server:
		return server
	}
	or := " or "
	if strings.Contains(client+server, or) {
		or = ", or "
	}
	return client + or + strings.TrimPrefix(server, "Windows ")
}

// names returns the name of the releases, of clients or of servers, that w may be.
func (w Windows) names(of func(release) product) string {
	var all []product // all releases for this kind of computer
	low, high := 0, 0 // w may be all[low:high]
	named := false    // whether it may be any release
	former := product{}
	for _, r := range releases {
		above, within := r.at.Compare(w.AtLeast) >= 0, w.Below == (Version{}) || r.at.Compare(w.Below) < 0
		named = named || above && within
		p := of(r)
		if p.name == "" {
			continue
		}
		if !above {
			low++
			if r.at.family() == w.AtLeast.family() {
				former = p
			}
		}
		if within {
			high++
		}
		all = append(all, p)
	}
	open := high == len(all) && w.Below.Build == 0 // what comes after the last release that is known
	switch {
	case w.AtLeast == (Version{}) && high < len(all):
		return "Windows before " + strings.TrimPrefix(all[high].name, "Windows ")
	case low < high:
	case !named && w.Version() != "": // a build that has no name of its own
		return former.name
	default:
		return ""
	}
	from, to := all[low], all[high-1]
	starts := low == 0 || all[low-1].name != from.name // with the first release of its name
	ends := high == len(all) || all[high].name != to.name
	name := from.name
	if !starts && (open || from.name != to.name) {
		name += " " + from.release
	}
	names := slices.CompactFunc(slices.Clone(all[low:high]), func(a, b product) bool { return a.name == b.name })
	switch last := strings.TrimPrefix(to.name, "Windows "); {
	case open:
		return name + " or later"
	case len(names) == 2:
		return name + " or " + last
	case len(names) > 2:
		return name + " to " + last
	case high-low == 1:
		return strings.TrimSuffix(name+" "+from.release, " ")
	case starts && ends:
		return name
	}
	return name + " " + from.release + " to " + to.release
}
