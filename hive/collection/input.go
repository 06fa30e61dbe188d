package collection

import (
	"fmt"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/evidence"
)

// Input holds the facts about one input: what it is, what it says about the machine that it comes from, and what is wrong with it. It is
// filled in while the input is read, and holds none of the input's keys.
type Input struct {
	Path    string   // as the user named it; [StandardInput] for standard input
	Machine *Machine // of which it is one of several hives; nil for an input by itself
	// NotJoined is for people why a hive that lies in the folders of a machine is no part of its registry, and so is read by itself. It is ""
	// for any other input.
	NotJoined string
	Evidence  []evidence.Step // of an input in an image or archive: the way to it
	State     State           // of a hive that is of an earlier time than its machine
	User      string          // of a hive of a user of a machine: the name of the folder of the profile
	Former    bool            // it lies in Windows.old, into which Setup moves a Windows that it replaces
	SameAs    string          // the path of an input that has the same bytes, of which this is another copy; its facts and findings are those of that input
	Format    string          // "regf" for a hive, "reg" for .reg text, "pol" for a Registry.pol
	SHA256    string          // of the file, in hex
	MD5       string          // likewise, for those whose case files still ask for it; "" when it was not computed
	Size      int64           // bytes

	Mount       hive.Path         // where Windows mounts the hive; nil if unknown, and for .reg text and a Registry.pol
	MountBy     string            // how Mount is known
	ControlSets []hive.ControlSet // the sets that CurrentControlSet stands for
	OtherSets   []string          // the other control sets
	Selections  []hive.Selection  // the numbers in the key Select
	Host        string
	HostBy      string // the value that Host is from, below the control set; "" for the usual one, ComputerName
	Windows     hive.Windows
	Overruled   string // what the registry tells about Windows that contradicts what the user said; "" if nothing does
	TimeZone    string
	Shutdown    time.Time // the last orderly shutdown, UTC; zero if unknown

	Header   *hive.Header // of a hive
	Dirty    bool         // of a hive: it was being written when it was copied
	Logs     []Log        // of a hive: the logs beside it, or those that were named
	Text     string       // of .reg text: its version and encoding; of a Registry.pol: the root of its keys, and what tells it
	Edits    int          // of .reg text: the number of edits in it; of a Registry.pol: that of its entries
	Problems []hive.Problem
	Newest   hive.Filetime // of a hive that was inspected: the latest time at which a key of it was last written; 0 if it has none
	Keys     int           // the number of keys, if they were counted
	Values   int           // likewise
}

// Log is a transaction log of a hive, and what became of it.
type Log struct {
	hive.LogUse        // Name is the name of the file, without the folder
	SHA256      string // of the file, in hex; "" if the log was not read
}

// Machine is a computer whose hives are read as one registry. In a report, its inputs follow each other.
type Machine struct {
	Name   string // the folder in which the hives were found
	Hives  int    // the number of its inputs: hives, and equal copies of them
	Former bool   // see [Input.Former]
}

// Name returns what messages call the input.
func (in *Input) Name() string { return DisplayName(in.Path) }

// Outermost returns the file that a place is in: the image or archive that it leads into, or itself.
func Outermost(place string) string { return evidence.Split(place)[0] }

// DisplayName returns what messages call the input at a path.
func DisplayName(path string) string {
	if path == StandardInput {
		return "standard input"
	}
	return path
}

// Created returns when the shadow copy was created in which the input lies, UTC; zero for any other input, or if it is not known.
func (in *Input) Created() (created time.Time) {
	for _, step := range in.Evidence {
		if !step.Created.IsZero() {
			created = step.Created
		}
	}
	return created
}

// Caveats returns what is in doubt about a dirty hive and its logs, one sentence for each doubt.
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
