package ports

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regvet/hive"
)

// Exclusion is a range of ports that the registry tells Windows not to hand out.
type Exclusion struct {
	Range
	Source string // [fromReservedPorts] or [fromNsi]
}

// The places where the registry excludes ports.
const (
	fromReservedPorts = "ReservedPorts" // of Windows 2000, XP and Server 2003
	fromNsi           = `Control\Nsi`   // where "netsh int ipv4 add excludedportrange" keeps them since Windows Vista
)

// nsiTCP is the module of TCP in the store of the network store interface, Control\Nsi, and nsiExclusions the table of port
// exclusions in it. Neither is documented; both were learned from Windows Server 2008 to 2016.
const (
	nsiTCP        = "{eb004a03-9b1a-11d4-9123-0050047759bc}"
	nsiExclusions = "29"
)

// nsiSettings are the tables of nsiTCP in which netsh may keep a range of ports: the global options of TCP, and the templates that each have a
// range of their own since Windows 8. Which of their bytes are the range is not documented. In hives of Windows 8.1 and 10 that nobody
// changed both are there, without values.
var nsiSettings = []string{"0", "26"}

// persistentExclusions returns the port exclusions that Windows keeps across restarts, and whether they are all.
func (t tcpip) persistentExclusions(note func(string)) ([]Exclusion, bool) {
	m := t.find("Control", "Nsi", nsiTCP, nsiExclusions)
	if m.Key == nil {
		switch m.Known {
		case hive.NotCovered:
			note(`the input does not hold Control\Nsi, where port exclusions are`)
		case hive.Damaged:
			note(`Control\Nsi, where port exclusions are, cannot be read`)
		}
		return nil, m.Known == hive.Whole
	}
	var ranges []Range
	strange := 0
	for _, v := range m.Key.Values() {
		if r, ok := nsiRange(v.Name); ok && v.Type == hive.Binary {
			ranges = append(ranges, r)
		} else {
			strange++
		}
	}
	known := m.Key.ValuesKnown() == hive.Whole
	if !known {
		note(`not all port exclusions in Control\Nsi can be read`)
	}
	if len(ranges) > 0 {
		note(`how Control\Nsi keeps port exclusions is not documented; it was learnt from Windows Server 2008 to 2016`)
	}
	if strange > 0 {
		note(fmt.Sprintf(`of the values with port exclusions in Control\Nsi, %d could not be understood`, strange))
	}
	return merged(ranges, fromNsi), known && strange == 0
}

// nsiRange reads the name of a value in the table of port exclusions, which is its row key in hex: the first port in two bytes, big
// endian as on the wire, and the number of ports in two, little endian. cc570100 is port 52311 alone.
func nsiRange(name string) (r Range, ok bool) {
	key, err := hex.DecodeString(name)
	if err != nil || len(key) != 4 {
		return r, false
	}
	r.From = int(binary.BigEndian.Uint16(key))
	r.To = r.From + int(binary.LittleEndian.Uint16(key[2:])) - 1
	return r, r.From <= r.To && r.To <= Max
}

// reservedPorts returns the ranges in the value ReservedPorts of the key Tcpip\Parameters, and whether they are all. The value is a REG_MULTI_SZ
// of ranges such as 1433-1434, with 4500-4500 for a single port. Source: Microsoft KB 812873.
func reservedPorts(k *hive.Key, note func(string)) ([]Exclusion, bool) {
	v, ok := k.Value(fromReservedPorts)
	if !ok {
		known := k.ValuesKnown() == hive.Whole
		if !known {
			note("whether ReservedPorts is set cannot be told")
		}
		return nil, known
	}
	list, err := v.Strings()
	if err != nil || v.Short {
		what := "is " + v.Type.String() + ", which is no list of ports"
		if v.Short {
			what = "cannot be read whole"
		}
		note("ReservedPorts " + what)
	}
	var ranges []Range
	strange := 0
	for _, text := range list {
		if r, ok := reservedRange(text); ok {
			ranges = append(ranges, r)
		} else {
			strange++
		}
	}
	if strange > 0 {
		note(fmt.Sprintf("of the lines of ReservedPorts, %d could not be understood; they must be FIRST-LAST", strange))
	}
	return merged(ranges, fromReservedPorts), err == nil && !v.Short && strange == 0
}

func reservedRange(text string) (r Range, ok bool) {
	from, to, ok := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	return Range{int(first), int(last)}, ok && err1 == nil && err2 == nil && first <= last
}

// merged sorts ranges and joins those that overlap.
func merged(ranges []Range, source string) (all []Exclusion) {
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.From, b.From) })
	for _, r := range ranges {
		if last := len(all) - 1; last >= 0 && r.From <= all[last].To {
			all[last].To = max(all[last].To, r.To)
			continue
		}
		all = append(all, Exclusion{r, source})
	}
	return all
}
