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

// products maps our words to the products of Windows as Control\ProductOptions\ProductType names them. Source: Microsoft KB 152078.
var products = []struct{ word, product string }{
	{"workstation", "WinNT"}, {"server", "ServerNT"}, {"domain-controller", "LanmanNT"},
}

func productWords() (words []string) {
	for _, p := range products {
		words = append(words, p.word)
	}
	return words
}

// productOfWord returns the product for one of our words.
func productOfWord(word string) string {
	return products[slices.Index(productWords(), word)].product
}

func productNames() (names []string) {
	for _, p := range products {
		names = append(names, p.product)
	}
	return names
}

// productWord returns our word for a product, or the product itself if we have none.
func productWord(product string) string {
	for _, p := range products {
		if hive.EqualFold(product, p.product) {
			return p.word
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
		if hive.EqualFold(w.Product, p.product) {
			for _, word := range words {
				if word == p.word {
					return yes
				}
			}
			return no
		}
	}
	return perhaps
}
