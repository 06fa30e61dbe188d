package collection

import (
	"fmt"
	"strings"
	"time"

	"regvet/hive"
)

// Input is what is known about one input: what it is, what it tells about the machine it comes from, and what is wrong with it. It is
// filled while the input is read, and holds nothing of the input's content.
type Input struct {
	Path    string   // as the user named it; [StandardInput] for standard input
	Machine *Machine // of which it is one of several hives; nil for an input by itself
	Format  string   // "regf" for a hive, "reg" for .reg text
	SHA256  string   // of the file, in hex
	MD5     string   // likewise, for those whose case files still ask for it; "" when it was not computed
	Size    int64    // bytes

	Mount       hive.Path // where Windows mounts the hive; nil when that is not known, and for .reg text
	MountBy     string    // how that is known
	ControlSets []hive.ControlSet
	OtherSets   []string         // the control sets that are there besides, where they were asked for
	Selections  []hive.Selection // the numbers in the key Select
	Host        string
	Windows     hive.Windows
	Overruled   string // what the registry tells about Windows that contradicts what the user said; "" if nothing does
	TimeZone    string
	Shutdown    time.Time // the last orderly one, UTC; zero when it is not known

	Header   *hive.Header // of a hive
	Dirty    bool         // of a hive: it was being written when it was copied
	Logs     []Log        // of a hive: those that lie beside it, or were named
	Text     string       // of .reg text: its version and encoding
	Edits    int          // of .reg text: how many edits it holds
	Problems []hive.Problem
	Keys     int // how many it holds, where they were counted
	Values   int // likewise
}

// Log is a transaction log of a hive, and what became of it.
type Log struct {
	hive.LogUse        // its name is that of the file, without the folder
	SHA256      string // of the file, in hex; "" for a log that was not read
}

// Machine is one computer of which several hives are read as one registry. Its inputs stand one after the other.
type Machine struct {
	Name  string // the folder in which they were found
	Hives int    // how many they are
}

// Name returns what messages call the input.
func (in *Input) Name() string { return DisplayName(in.Path) }

// DisplayName returns what messages call the input of a path.
func DisplayName(path string) string {
	if path == StandardInput {
		return "standard input"
	}
	return path
}

// Caveats returns what is in doubt about a dirty hive and its logs, a sentence each.
func (in *Input) Caveats() (notes []string) {
	if !in.Dirty {
		return nil
	}
	var applied bool
	var later, foreign []string
	for _, l := range in.Logs {
		applied = applied || l.Entries > 0
		if l.Later {
			later = append(later, hive.Printable(l.Name))
		}
		if l.Foreign {
			foreign = append(foreign, hive.Printable(l.Name))
		}
	}
	switch {
	case !applied:
		notes = append(notes, "the hive is dirty and no log of it was applied, so that this may not be its latest state")
	case len(later) > 0:
		notes = append(notes, fmt.Sprintf("the hive is dirty and not all of its logs could be applied (%s), so that this may not be its latest state", strings.Join(later, ", ")))
	}
	if len(foreign) > 0 {
		notes = append(notes, fmt.Sprintf("the logs that were applied may be of another hive (%s): the identifiers in their base blocks differ; --no-logs reads the hive without them",
			strings.Join(foreign, ", ")))
	}
	return notes
}
