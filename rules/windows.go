package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// truth is an answer that may be left open. The lowest of several counts if all must hold, the highest if one must.
type truth int

const (
	no truth = iota
	perhaps
	yes
)

func toTruth(b bool) truth {
	if b {
		return yes
	}
	return no
}

// versionRange is the versions of Windows at or above one and below another; a zero version leaves that end open.
type versionRange struct{ from, below hive.Version }

// parseVersionRange reads comparisons, separated by blanks, that must all hold: ">=6.0", ">=xp <vista". A plain version or product means all of
// its builds.
func parseVersionRange(s string) (versionRange, error) {
	var r versionRange
	parts := strings.Fields(s)
	if len(parts) == 0 {
		return r, fmt.Errorf("a version range is empty; want comparisons such as >=6.0 or >=5.1 <6.0")
	}
	for _, part := range parts {
		number := strings.TrimLeft(part, "<>=")
		w, err := hive.ParseWindows(number)
		if err != nil {
			return r, err
		}
		switch operator := part[:len(part)-len(number)]; operator {
		case ">=":
			r.from = later(r.from, w.AtLeast)
		case "<":
			r.below = earlier(r.below, w.AtLeast)
		case "", "=":
			r.from, r.below = later(r.from, w.AtLeast), earlier(r.below, w.Below)
		default:
			return r, fmt.Errorf("%q is no comparison of versions; want >=VERSION, <VERSION or VERSION", part)
		}
	}
	if r.below != (hive.Version{}) && r.from.Compare(r.below) >= 0 {
		return r, fmt.Errorf("no version of Windows is in the range %s", s)
	}
	return r, nil
}

func later(v, w hive.Version) hive.Version {
	if v.Compare(w) > 0 {
		return v
	}
	return w
}

// earlier takes the zero version as no version.
func earlier(v, w hive.Version) hive.Version {
	if v != (hive.Version{}) && v.Compare(w) < 0 {
		return v
	}
	return w
}

func (r versionRange) String() string {
	none := hive.Version{}
	switch {
	case r.below == none:
		return ">=" + r.from.String()
	case r.from == none:
		return "<" + r.below.String()
	}
	return ">=" + r.from.String() + " <" + r.below.String()
}

// named returns the range for people: "Windows 7 or Server 2008 R2 (>=6.1 <6.2)".
func (r versionRange) named() string {
	if name := (hive.Windows{AtLeast: r.from, Below: r.below}).Name(); name != "" {
		return name + " (" + r.String() + ")"
	}
	return "Windows " + r.String()
}

// holds returns yes if every version that w may be is in the range, no if none is, and else perhaps.
func (r versionRange) holds(w hive.Windows) truth {
	none := hive.Version{}
	inside := func(at hive.Version) bool {
		return at.Compare(r.from) >= 0 && (r.below == none || at.Compare(r.below) < 0)
	}
	ends := r.below == none || w.Below != none && w.Below.Compare(r.below) <= 0
	switch {
	case inside(w.AtLeast) && ends:
		return yes
	case w.Below != none && w.Below.Compare(r.from) <= 0, r.below != none && w.AtLeast.Compare(r.below) >= 0:
		return no
	}
	return perhaps
}

var products = hive.ProductTypes()

func productWords() (words []string) {
	for _, p := range products {
		words = append(words, p.Word)
	}
	return words
}

// productOfWord returns the product for one of our words.
func productOfWord(word string) string {
	return products[slices.Index(productWords(), word)].Name
}

func productNames() (names []string) {
	for _, p := range products {
		names = append(names, p.Name)
	}
	return names
}

// productWord returns our word for a product, or the product itself if we have none.
func productWord(product string) string {
	for _, p := range products {
		if hive.EqualFold(product, p.Name) {
			return p.Word
		}
	}
	return product
}

// isProduct returns whether a Windows is one of the products, given by our words.
func isProduct(w hive.Windows, words []string) truth {
	if w.Product == "" {
		return perhaps
	}
	for _, p := range products {
		if hive.EqualFold(w.Product, p.Name) {
			for _, word := range words {
				if word == p.Word {
					return yes
				}
			}
			return no
		}
	}
	return perhaps
}

// editions maps our words to the editions of Windows as EditionID of the SOFTWARE hive and Kernel-EditionName of Control\ProductOptions name
// them. Sources: Microsoft, GetProductInfo; the editions that DISM lists of the installation media; the hives of Windows 7 to 11.
var editions = []struct {
	word   string
	server bool
	ids    []string
}{
	{"home", false, []string{"Core", "CoreN", "CoreSingleLanguage", "CoreCountrySpecific", "CoreARM", "CoreConnected", "CoreConnectedN", "CoreConnectedSingleLanguage",
		"CoreConnectedCountrySpecific", "HomeBasic", "HomeBasicN", "HomePremium", "HomePremiumN", "Starter", "StarterN"}},
	{"professional", false, []string{"Professional", "ProfessionalN", "ProfessionalEducation", "ProfessionalEducationN", "ProfessionalWorkstation", "ProfessionalWorkstationN",
		"ProfessionalWMC", "ProfessionalCountrySpecific", "ProfessionalSingleLanguage", "Business", "BusinessN"}},
	{"ultimate", false, []string{"Ultimate", "UltimateN"}},
	{"enterprise", false, []string{"Enterprise", "EnterpriseN", "EnterpriseEval", "EnterpriseNEval", "EnterpriseS", "EnterpriseSN", "EnterpriseSEval", "EnterpriseSNEval",
		"EnterpriseG", "EnterpriseGN", "IoTEnterprise", "IoTEnterpriseK", "IoTEnterpriseS", "IoTEnterpriseSK"}},
	{"education", false, []string{"Education", "EducationN"}},
	{"server-standard", true, []string{"ServerStandard", "ServerStandardCor", "ServerStandardCore", "ServerStandardEval", "ServerStandardEvalCor", "ServerStandardACor"}},
	{"server-datacenter", true, []string{"ServerDatacenter", "ServerDatacenterCor", "ServerDatacenterCore", "ServerDatacenterEval", "ServerDatacenterEvalCor", "ServerDatacenterACor",
		"ServerTurbine", "ServerTurbineCor"}},
	{"server-enterprise", true, []string{"ServerEnterprise", "ServerEnterpriseCor", "ServerEnterpriseCore", "ServerEnterpriseIA64"}},
	{"server-web", true, []string{"ServerWeb", "ServerWebCor", "ServerWebCore"}},
	{"server-essentials", true, []string{"ServerSolution", "ServerFoundation"}},
}

func editionWords() (words []string) {
	for _, e := range editions {
		words = append(words, e.word)
	}
	return words
}

// otherEdition stands for each edition that no condition of a rule names. No hive holds the name.
const otherEdition = "\x00"

const anyOther = "any other" // the word for otherEdition

// editionOfWord returns an edition for one of our words.
func editionOfWord(word string) string {
	return editions[slices.Index(editionWords(), word)].ids[0]
}

// editionWord returns our word for an edition, or the edition itself if we have none.
func editionWord(edition string) string {
	for _, e := range editions {
		if slices.ContainsFunc(e.ids, func(id string) bool { return hive.EqualFold(id, edition) }) {
			return e.word
		}
	}
	if edition == otherEdition {
		return anyOther
	}
	return hive.Visible(edition)
}

// isEdition returns whether a Windows is of one of the editions, given by our words. Of an edition that we have no word for it is not known
// which it is like.
func isEdition(w hive.Windows, words []string) truth {
	switch word := editionWord(w.Edition); {
	case slices.Contains(words, word):
		return yes
	case w.Edition == otherEdition, slices.Contains(editionWords(), word):
		return no
	}
	return perhaps
}

// computer is a product and an edition of Windows.
type computer struct{ product, edition string }

// computersOf returns the computers that a Windows may be, of some products: one for each of the named editions that the product has, and one
// for all others. Without such names the edition is that of the Windows.
func computersOf(w hive.Windows, products, named []string) (all []computer) {
	for _, product := range products {
		if len(named) == 0 {
			all = append(all, computer{product, w.Edition})
			continue
		}
		for _, e := range editions {
			fits := product == "" || e.server == !hive.EqualFold(product, productOfWord("workstation"))
			if fits && slices.Contains(named, e.word) {
				all = append(all, computer{product, e.ids[0]})
			}
		}
		all = append(all, computer{product, otherEdition})
	}
	return all
}
