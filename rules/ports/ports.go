// Package ports reads the ephemeral TCP ports of Windows from the registry: the range that Windows hands out to programs that connect
// without choosing a port of their own, and the ports that it leaves out.
package ports

import (
	"fmt"

	"regvet/hive"
)

// Answer is what the registry says of the ephemeral TCP ports of one control set. It holds for the Windows that it names: where the
// version is not known, a control set has two answers, one of which holds.
type Answer struct {
	ControlSet string
	Windows    string     // [BeforeVista] or [SinceVista]
	Assumed    bool       // the version is not known, and this is one of two answers
	Range      *Range     // nil if it is unknown
	Why        string     // why the range is unknown
	Source     string     // of the range: [fromMaxUserPort] or [FromDefault]
	Confidence confidence // in the range; "" if it is unknown
	Excluded   []Exclusion
	AllKnown   bool  // Excluded is all that the registry excludes
	Used       []Use // the ports that settings give to services, in or out of the range
	Notes      []string
}

// The two kinds of Windows, which differ in their ephemeral ports.
const (
	BeforeVista = "before 6.0"
	SinceVista  = "6.0 or later"
)

// The sources of a range of ports.
const (
	fromMaxUserPort = "MaxUserPort"
	FromDefault     = "default"
)

// confidence is how well a fact about Windows is known.
type confidence string

// High confidence rests on documents of Microsoft, and on nothing that shows otherwise in the places where it would; medium confidence on a measurement or on one of several documents that differ, low
// confidence on a guess.
const (
	highConfidence   confidence = "high"
	mediumConfidence confidence = "medium"
	lowConfidence    confidence = "low"
)

// Range is the ports from one to another, both included.
type Range struct{ From, To int }

// Size returns the number of ports.
func (r Range) Size() int { return r.To - r.From + 1 }

// Max is the highest port that there is.
const Max = 65535

// Usable returns how many ports of the range are not excluded, and whether that is known.
func (p Answer) Usable() (n int, ok bool) {
	if p.Range == nil || !p.AllKnown {
		return 0, false
	}
	n = p.Range.Size()
	for _, x := range p.Excluded {
		n -= max(0, min(x.To, p.Range.To)-max(x.From, p.Range.From)+1)
	}
	return n, true
}

// The limits of MaxUserPort are from KB 196271. The ranges before Vista are from KB 196271, KB 149532 (3,976 ports) and KB 929851, the default
// since Vista is from KB 929851. That MaxUserPort counts since Vista too was measured on Windows 11: with 65534, netsh shows a range of
// 64,511 ports from 1024.
const (
	lowestMaxUserPort  = 5000
	highestMaxUserPort = 65534
	firstBeforeVista   = 1025
	firstSinceVista    = 1024
)

var (
	defaultBeforeVista = Range{firstBeforeVista, 5000}
	defaultSinceVista  = Range{49152, Max}
)

// Pack is the name of the rule pack about the ephemeral ports.
const Pack = "kb196271"

// Ephemeral returns the ephemeral TCP ports of each control set that CurrentControlSet leads to. A control set has no answer if the
// input does not cover its key Services\Tcpip\Parameters.
func Ephemeral(reg *hive.Registry, w hive.Windows) (all []Answer) {
	sure := isSince(w, 6) || isBefore(w, 6)
	for _, set := range reg.ControlSets() {
		tcp := tcpip{reg, hive.ParsePath(`HKLM\SYSTEM`).Join(set.Name)}
		m := tcp.find("Services", "Tcpip", "Parameters")
		if m.Key == nil && (m.Known == hive.NotCovered || m.Known == hive.Partial) || m.Key != nil && m.Key.ValuesKnown() == hive.NotCovered {
			continue
		}
		answer := Answer{ControlSet: set.Name, Assumed: !sure, Used: tcp.uses()}
		if set.Guessed {
			answer.Notes = []string{"it is a guess that this is the current control set"}
		}
		if !isSince(w, 6) {
			all = append(all, tcp.beforeVista(m, w, answer))
		}
		if !isBefore(w, 6) {
			all = append(all, tcp.sinceVista(m, answer))
		}
	}
	return all
}

// isSince reports whether a Windows certainly has this major version or a later one, and isBefore whether it certainly has an earlier one.
func isSince(w hive.Windows, major int) bool {
	return w.AtLeast.Compare(hive.Version{Major: major}) >= 0
}

func isBefore(w hive.Windows, major int) bool {
	return w.Below != (hive.Version{}) && w.Below.Compare(hive.Version{Major: major}) <= 0
}

// tcpip reads the settings of TCP/IP in one control set.
type tcpip struct {
	reg *hive.Registry
	set hive.Path
}

func (t tcpip) find(names ...string) hive.Match { return t.reg.Find(t.set.Join(names...))[0] }

// beforeVista returns the answer for Windows NT to Server 2003.
func (t tcpip) beforeVista(m hive.Match, w hive.Windows, p Answer) Answer {
	p.Windows = BeforeVista
	if !p.start(m, firstBeforeVista, defaultBeforeVista) {
		return p
	}
	if p.Source == fromMaxUserPort {
		p.Confidence = highConfidence
	} else if !isBefore(w, 5) {
		p.Confidence = mediumConfidence
		p.note("with the update MS08-037 of 2008 it may be 49152 to 65535 instead; a hive does not show whether that is installed")
	}
	p.note("some pages of Microsoft have 1024 as the lowest port")
	if isBefore(w, 5) {
		p.AllKnown = true // Windows NT has no ReservedPorts
		return p
	}
	p.Excluded, p.AllKnown = reservedPorts(m.Key, p.note)
	if !isSince(w, 5) && len(p.Excluded) > 0 {
		p.note("ReservedPorts counts on Windows 2000, XP and Server 2003, not on NT 4.0")
	}
	return p
}

// sinceVista returns the answer for Windows Vista, Server 2008 and later.
func (t tcpip) sinceVista(m hive.Match, p Answer) Answer {
	p.Windows = SinceVista
	if !p.start(m, firstSinceVista, defaultSinceVista) {
		return p
	}
	p.Confidence = mediumConfidence
	if p.Source == fromMaxUserPort {
		p.note("that MaxUserPort counts since Windows Vista is not documented; it was measured on Windows 11")
	}
	if _, ok := m.Key.Value(fromReservedPorts); ok {
		p.note("ReservedPorts is set; Windows Vista and later do not read it (KB 812873)")
	}
	p.Excluded, p.AllKnown = t.persistentExclusions(p.note)
	_, set := m.Key.Value("MaxUserPort")
	switch table, empty := t.settings(); {
	case table != "":
		p.Confidence = lowConfidence
		p.note(`the range may have been changed: there are settings in Control\Nsi\` + nsiTCP + `\` + table + `; "netsh int ipv4 show dynamicport tcp" tells it on the running system`)
	case empty && !set:
		p.Confidence = highConfidence
		p.note(`the tables of Control\Nsi in which netsh may keep a range are empty, as in a Windows whose range nobody changed`)
	default:
		p.note("a range that was set with netsh is not seen: where Windows keeps it is not documented")
	}
	return p
}

// settings returns the first table with settings of TCP that may hold a range of ports, or "", and whether all of these tables are there and
// empty.
func (t tcpip) settings() (table string, empty bool) {
	empty = true
	for _, name := range nsiSettings {
		k := t.find("Control", "Nsi", nsiTCP, name).Key
		if k != nil && len(k.Values()) > 0 {
			return name, false
		}
		empty = empty && k != nil && k.ValuesKnown() == hive.Whole
	}
	return "", empty
}

// start sets the range from MaxUserPort, and reports whether it is known.
func (p *Answer) start(m hive.Match, first int, fallback Range) bool {
	const key = `Services\Tcpip\Parameters`
	switch {
	case m.Key == nil && m.Known == hive.Whole:
		p.Why = "there is no key " + key
		return false
	case m.Key == nil:
		p.Why = "the key " + key + " cannot be read"
		return false
	case m.Key.Hidden() != nil:
		p.Why = "Windows may not find the key " + key + ", whose place in its list has the hash of another name"
		return false
	}
	v, ok := m.Key.Value("MaxUserPort")
	switch n, err := v.Uint64(); {
	case !ok && m.Key.ValueKnown("MaxUserPort") == hive.Partial:
		p.Why = "the input is a layer of a hive, and the layers below may hold MaxUserPort"
		return false
	case !ok && m.Key.ValueKnown("MaxUserPort") != hive.Whole:
		p.Why = "not all values of the key " + key + " can be read"
		return false
	case ok && v.Short:
		p.Why = "the data of MaxUserPort cannot be read"
		return false
	case !ok:
		p.Range, p.Source, p.Confidence = &fallback, FromDefault, highConfidence
	case v.Type != hive.DWord || err != nil:
		p.Range, p.Source, p.Confidence = &fallback, FromDefault, mediumConfidence
		p.note(fmt.Sprintf("MaxUserPort is %s; TCP/IP reads a REG_DWORD of 4 bytes only and ignores it", v.Form()))
	case n < lowestMaxUserPort || n > highestMaxUserPort:
		p.Why = fmt.Sprintf("MaxUserPort is %d, and what Windows makes of one outside %d to %d is not documented", n, lowestMaxUserPort, highestMaxUserPort)
		return false
	default:
		p.Range, p.Source = &Range{first, int(n)}, fromMaxUserPort
	}
	return true
}

func (p *Answer) note(text string) { p.Notes = append(p.Notes, text) }
