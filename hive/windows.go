package hive

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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

// Windows is what a registry says about the Windows that it belongs to. Where only lower or upper bounds are known, the version is a range.
type Windows struct {
	AtLeast   Version   // the zero Version if nothing is known
	Below     Version   // the version is lower; the zero Version for no upper bound
	Revision  int       // of the build, as updates count it up; 0 if unknown
	Product   string    // the name of one of [ProductTypes], or whatever the registry has; "" if unknown
	Edition   string    // as EditionID has it, such as Professional or ServerStandard; "" if unknown
	Installed time.Time // UTC; zero if unknown
	Evidence  []string  // each fact with the key it was read from
	Conflicts []string  // each contradiction in the evidence; what it is about is unknown
	grounds   []string  // the evidence about the version
	server    string    // the evidence that it is a server, where that does not tell which product; "" for none
	disputed  bool      // that evidence contradicts itself
}

// Contradictory is the kind of a problem that no one place shows: places of the registry that contradict each other.
const Contradictory Kind = "contradictory"

// workstation is the product of each Windows that is no server, and controller that of a domain controller. Source: Microsoft KB 152078.
const (
	workstation = "WinNT"
	controller  = "LanmanNT"
)

// ProductType is what a Windows is for: the word for people, and the name in Control\ProductOptions\ProductType.
type ProductType struct{ Word, Name string }

// ProductTypes returns all product types.
func ProductTypes() []ProductType {
	return []ProductType{{"workstation", workstation}, {"server", "ServerNT"}, {"domain-controller", controller}}
}

// ProductName returns a product for people, such as "domain controller (LanmanNT)", or the product itself if it is none that is known.
func ProductName(product string) string {
	for _, t := range ProductTypes() {
		if EqualFold(t.Name, product) {
			return fmt.Sprintf("%s (%s)", strings.ReplaceAll(t.Word, "-", " "), t.Name)
		}
	}
	return product
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

// Build returns the build, or 0 if the range holds more than one.
func (w Windows) Build() int {
	if w.Below == (Version{w.AtLeast.Major, w.AtLeast.Minor, w.AtLeast.Build + 1}) {
		return w.AtLeast.Build
	}
	return 0
}

// String returns the version as far as it is known: "6.1", "10.0.19045", "10.0, build 19041 or later, before 20348", "6.0 or later, before
// 6.2", "before 6.0", "unknown version".
func (w Windows) String() string {
	none := Version{}
	switch v := w.Version(); {
	case w.Build() != 0:
		return w.AtLeast.String()
	case v != "":
		if w.AtLeast.Build > 0 {
			v += fmt.Sprintf(", build %d or later", w.AtLeast.Build)
		}
		if w.Below.Build > 0 {
			v += fmt.Sprintf(", before %d", w.Below.Build)
		}
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

// Full returns all that is known about the version, by name: "Windows 10 22H2 (10.0.19045.3803), Professional".
func (w Windows) Full() string {
	s := w.String()
	if w.Revision > 0 {
		s += fmt.Sprintf(".%d", w.Revision)
	}
	if name := w.Name(); name != "" {
		s = name + " (" + s + ")"
	} else {
		s = "Windows of " + s
	}
	if w.Edition != "" {
		s += ", " + w.Edition
	}
	return s
}

// With returns what both w and more say. Where they contradict each other, it is unknown, and Conflicts says so.
func (w Windows) With(more Windows) Windows {
	both := w
	both.Evidence = slices.Concat(w.Evidence, more.Evidence)
	both.grounds = slices.Concat(w.grounds, more.grounds)
	both.Conflicts = slices.Concat(w.Conflicts, more.Conflicts)
	conflict := func(format string, args ...any) {
		both.Conflicts = append(both.Conflicts, fmt.Sprintf(format, args...))
	}
	switch both.disputed = w.disputed || more.disputed; {
	case both.disputed:
	case w.apart(more):
		both.disputed = true
		conflict("the version of Windows is unknown, because the registry contradicts itself: %s; %s", w.said(), more.said())
	default:
		if more.AtLeast.Compare(w.AtLeast) > 0 {
			both.AtLeast = more.AtLeast
		}
		if w.Below == (Version{}) || more.Below != (Version{}) && more.Below.Compare(w.Below) < 0 {
			both.Below = more.Below
		}
	}
	if both.disputed {
		both.AtLeast, both.Below = Version{}, Version{}
	}
	both.Revision = max(w.Revision, more.Revision)
	if both.Build() == 0 {
		both.Revision = 0
	}
	either := func(what, one, other string) string {
		if one == "" || other == "" || EqualFold(one, other) {
			return cmp.Or(one, other)
		}
		conflict("the %s of Windows is unknown, because the registry contradicts itself: it is %s, and it is %s", what, ProductName(one), ProductName(other)) // no edition is called like a product
		return ""
	}
	both.Product = either("product", w.Product, more.Product)
	both.Edition = either("edition", w.Edition, more.Edition)
	if both.Installed.IsZero() {
		both.Installed = more.Installed
	}
	both.server = cmp.Or(w.server, more.server)
	return both
}

// Overrule makes w what the user says it is, narrowed down by the registry where that agrees. It returns the contradiction if it does not,
// or "".
func (w *Windows) Overrule(said Windows) (contradiction string) {
	if w.apart(said) {
		contradiction = fmt.Sprintf("--windows says %s, and the registry says %s; %s is taken", said, w.said(), said)
		w.AtLeast, w.Below, w.Revision, w.Evidence = Version{}, Version{}, 0, nil
	}
	w.disputed = false
	w.Evidence = slices.Insert(w.Evidence, 0, fmt.Sprintf("version %s from the flag --windows", said))
	*w = w.With(Windows{AtLeast: said.AtLeast, Below: said.Below})
	return contradiction
}

// Contradiction returns in what w and other, of which each is sound by itself, cannot be of one Windows, or "".
func (w Windows) Contradiction(other Windows) string {
	switch {
	case w.apart(other):
		return w.said() + "; " + other.said()
	case w.Product != "" && other.Product != "" && !EqualFold(w.Product, other.Product):
		return fmt.Sprintf("the product is %s, and it is %s", ProductName(w.Product), ProductName(other.Product))
	case w.isClient() && other.server != "":
		return fmt.Sprintf("the product is %s, and it is a server by %s", ProductName(w.Product), other.server)
	case other.isClient() && w.server != "":
		return fmt.Sprintf("the product is a server by %s, and it is %s", w.server, ProductName(other.Product))
	}
	return ""
}

func (w Windows) isClient() bool { return EqualFold(w.Product, workstation) }

// IsNoController reports whether the product is known to be other than that of a domain controller.
func (w Windows) IsNoController() bool { return w.Product != "" && !EqualFold(w.Product, controller) }

// apart reports whether no version is in the ranges of both.
func (w Windows) apart(other Windows) bool {
	none := Version{}
	return w.Below != none && other.AtLeast.Compare(w.Below) >= 0 || other.Below != none && w.AtLeast.Compare(other.Below) >= 0
}

// said returns the version and the evidence for it.
func (w Windows) said() string {
	return fmt.Sprintf("%s (%s)", w, strings.Join(w.grounds, ", "))
}

// atLeast and below narrow the range by a fact.
func (w *Windows) atLeast(v Version, evidence string, args ...any) {
	w.know(Windows{AtLeast: v}, evidence, args...)
}

func (w *Windows) below(v Version, evidence string, args ...any) {
	w.know(Windows{Below: v}, evidence, args...)
}

// know adds what a fact says.
func (w *Windows) know(fact Windows, evidence string, args ...any) {
	fact.Evidence = []string{fmt.Sprintf(evidence, args...)}
	if fact.AtLeast != (Version{}) || fact.Below != (Version{}) {
		fact.grounds = fact.Evidence
	}
	*w = w.With(fact)
}
