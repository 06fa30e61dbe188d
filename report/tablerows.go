package report

import (
	"time"

	"regvet/hive"
	"regvet/hive/evidence"
	"regvet/rules"
	"regvet/rules/ports"
)

// The rows of tables have the names of JSON, and what is an object there is a prefix of names. A pointer is a column that may be null, and so is what
// is optional. Of the zero values of other types the library does not always make a null.

// findingRow is a finding.
type findingRow struct {
	Rule             string      `parquet:"rule,dict"`                               // the ID of the rule
	Pack             *string     `parquet:"pack,dict"`                               // the pack of the rule
	Title            *string     `parquet:"title,dict"`                              // of the rule
	Sources          []sourceRow `parquet:"sources,list"`                            // where a rule for another program comes from
	Severity         string      `parquet:"severity,dict"`                           // `info`, `low`, `medium`, `high` or `critical`
	Status           string      `parquet:"status,dict"`                             // `pass`, `fail` or `unknown`
	Reason           *string     `parquet:"reason,dict"`                             // why, as one word
	Input            *string     `parquet:"input,dict"`                              // `path` of the input; the name of the machine if none of its hives holds the place
	Machine          *string     `parquet:"machine,dict"`                            // as of the input
	Host             *string     `parquet:"host,dict"`                               // as of the input
	Former           bool        `parquet:"former"`                                  // of a Windows that another one replaced
	Key              *string     `parquet:"key"`                                     // as it is asked for
	RealKey          *string     `parquet:"real_key"`                                // where it is in the input
	Value            *string     `parquet:"value"`                                   // the name of the value; null where the finding is about the key, empty for its default value
	ObservedType     *string     `parquet:"observed_type,dict"`                      // `REG_DWORD` and the like; null where nothing was observed
	ObservedData     []byte      `parquet:"observed_data,optional"`                  // the bytes of the value
	ObservedText     *string     `parquet:"observed_text"`                           // the same for people
	Expected         *string     `parquet:"expected,dict"`                           // for people
	Message          *string     `parquet:"message"`                                 // for people
	Notes            []string    `parquet:"notes,list"`                              // for people, what else there is to say
	History          []pastRow   `parquet:"history,list"`                            // what was set here before it was deleted, with `--deleted`
	Modified         *time.Time  `parquet:"modified,timestamp(nanosecond)"`          // the last write of the key
	ModifiedFiletime *int64      `parquet:"modified_filetime"`                       // the same as Windows stores it: steps of 100 ns from 1601-01-01 on
	LocationOffset   *int64      `parquet:"location_offset"`                         // of the place in a hive, in bytes
	LocationLine     *int64      `parquet:"location_line"`                           // of the place in text, from 1 on
	LocationColumn   *int64      `parquet:"location_column"`                         // likewise
	Fixable          bool        `parquet:"fixable"`                                 // there is a fix
	FixText          *string     `parquet:"fix_text"`                                // what to do; null, as all of the fix, where there is none
	FixSafe          *bool       `parquet:"fix_safe"`                                // it needs no decision
	FixBecause       *string     `parquet:"fix_because,dict"`                        // why it is not safe
	FixRestart       *string     `parquet:"fix_restart,dict"`                        // what to restart; null for nothing
	FixNote          *string     `parquet:"fix_note,dict"`                           // what else to know of it
	Alternative      *string     `parquet:"alternative,dict"`                        // a remedy that is no change of the registry
	Fingerprint      string      `parquet:"fingerprint"`                             // the same for the same rule, key and value, in every run and on every machine
	Rationale        *string     `parquet:"rationale,dict"`                          // why the rule asks
	References       []string    `parquet:"references,list" parquet-element:",dict"` // where that is written
	Tags             []string    `parquet:"tags,list" parquet-element:",dict"`       // of the rule
	Counts           bool        `parquet:"counts"`                                  // as a failure of the run
	WaivedReason     *string     `parquet:"waived_reason,dict"`                      // why the failure is accepted; null where it is not
	WaivedUntil      *int32      `parquet:"waived_until,date"`                       // the last day
}

// sourceRow is a place in a file of rules for another program.
type sourceRow struct {
	File *string `parquet:"file,dict"` // its name
	Line *int64  `parquet:"line"`      // from 1 on
	ID   *string `parquet:"id"`        // of the rule in it
}

// pastRow is what was once set in the place of a finding.
type pastRow struct {
	Type             *string    `parquet:"type,dict"`                      // `REG_DWORD` and the like
	Data             []byte     `parquet:"data,optional"`                  // null where it is lost
	Text             *string    `parquet:"text"`                           // the same for people
	Offset           int64      `parquet:"offset"`                         // of the deleted value in the hive, in bytes
	Modified         *time.Time `parquet:"modified,timestamp(nanosecond)"` // the last write of the key that held it
	ModifiedFiletime *int64     `parquet:"modified_filetime"`              // the same as Windows stores it
	KeyDeleted       bool       `parquet:"key_deleted"`                    // that key was deleted, too
}

// inputRow is an input, or what could not be read.
type inputRow struct {
	Path              string       `parquet:"path"`                                    // of the file, or its place in an image or archive
	Refused           bool         `parquet:"refused"`                                 // it could not be read at all, or is lost of an image or archive: only `path` and `problems` are known
	Evidence          []stepRow    `parquet:"evidence,optional,list"`                  // the way to an input in an image or archive
	Format            *string      `parquet:"format,dict"`                             // `regf` for a hive, `reg` for text, `config` for findings about the config
	SHA256            *string      `parquet:"sha256"`                                  // of the file, in hex
	Size              *int64       `parquet:"size"`                                    // of the file, in bytes
	Text              *string      `parquet:"text,dict"`                               // of a .reg file or Registry.pol: version and encoding
	Machine           *string      `parquet:"machine,dict"`                            // of one of several hives of one machine
	User              *string      `parquet:"user,dict"`                               // whose hive it is: the folder of the profile
	NotJoined         *string      `parquet:"not_joined,dict"`                         // why a hive in the folders of a machine is no part of its registry
	State             *string      `parquet:"state,dict"`                              // `regback` or `vss` for a hive of an earlier time
	Former            *bool        `parquet:"former"`                                  // of a Windows that another one replaced
	SameAs            *string      `parquet:"same_as"`                                 // the input of which this is another copy, with the same bytes; that one has the findings
	Mount             *string      `parquet:"mount,dict"`                              // where Windows mounts it
	ControlSet        *string      `parquet:"control_set,dict"`                        // that CurrentControlSet stands for
	ControlSetGuessed *bool        `parquet:"control_set_guessed"`                     // it is not known which that is
	Dirty             *bool        `parquet:"dirty"`                                   // its logs hold what it does not
	LogsApplied       []string     `parquet:"logs_applied,optional,list"`              // the names of the logs that were applied
	Logs              []logRow     `parquet:"logs,optional,list"`                      // all logs that were looked at
	Host              *string      `parquet:"host,dict"`                               // the name of the computer
	HostBy            *string      `parquet:"host_by,dict"`                            // the value that names it, if that is not the one that Windows asks first
	TimeZone          *string      `parquet:"time_zone,dict"`                          // for people
	LastShutdown      *time.Time   `parquet:"last_shutdown,timestamp(nanosecond)"`     // when Windows was shut down last
	ControlSets       []setRow     `parquet:"control_sets,optional,list"`              // those that CurrentControlSet stands for
	OtherControlSets  []string     `parquet:"other_control_sets,optional,list"`        // that are there, too
	WindowsVersion    *string      `parquet:"windows_version,dict"`                    // `6.1`; null if it is not known exactly
	WindowsKnown      *string      `parquet:"windows_known,dict"`                      // what is known of it, for people
	WindowsName       *string      `parquet:"windows_name,dict"`                       // `Windows 10 22H2`, as far as it is known
	WindowsBuild      *int64       `parquet:"windows_build"`                           // if it is known exactly
	WindowsRevision   *int64       `parquet:"windows_revision"`                        // of the build
	WindowsProduct    *string      `parquet:"windows_product,dict"`                    // `WinNT`, `ServerNT` or `LanmanNT`
	WindowsEdition    *string      `parquet:"windows_edition,dict"`                    // `Professional` and the like
	WindowsInstalled  *time.Time   `parquet:"windows_installed,timestamp(nanosecond)"` // when it was installed
	WindowsEvidence   []string     `parquet:"windows_evidence,optional,list"`          // how that is known, for people
	WindowsConflict   *string      `parquet:"windows_conflict"`                        // what the registry says against `--windows`
	Ports             []portsRow   `parquet:"ports,optional,list"`                     // which ports a program gets that connects without choosing one
	Problems          []problemRow `parquet:"problems,list"`                           // damage
	Unasked           *bool        `parquet:"unasked"`                                 // no rule is about it
}

// setRow is a control set.
type setRow struct {
	Name    string  `parquet:"name,dict"`   // `ControlSet001` and the like
	Source  *string `parquet:"source,dict"` // what says that it is current
	Guessed bool    `parquet:"guessed"`     // it is not known which is
}

// stepRow is a step of the way to an input.
type stepRow struct {
	Kind     string     `parquet:"kind,dict"`                     // of the container or file system, such as `e01`, `zip`, `ntfs` or `partition`
	Path     *string    `parquet:"path"`                          // of a file in the one before
	Number   *int64     `parquet:"number"`                        // of a partition or shadow copy
	Offset   *int64     `parquet:"offset"`                        // of a partition, in bytes
	Created  *time.Time `parquet:"created,timestamp(nanosecond)"` // of a shadow copy
	Size     *int64     `parquet:"size"`                          // of the content of an image, in bytes
	Segments *int64     `parquet:"segments"`                      // how many files an image has
	MD5      *string    `parquet:"stored_md5"`                    // that an image has of its content
	SHA1     *string    `parquet:"stored_sha1"`                   // likewise
	Verified *bool      `parquet:"verified"`                      // that the content has these hashes
	Label    *string    `parquet:"label"`                         // of a file system; empty if it has none
	Serial   *string    `parquet:"serial"`                        // likewise
}

// logRow is a transaction log of a hive.
type logRow struct {
	Name    string  `parquet:"name,dict"` // of the file
	SHA256  *string `parquet:"sha256"`    // of a log that was read
	Applied bool    `parquet:"applied"`   // to the hive, in memory
	Entries int64   `parquet:"entries"`   // how many were applied
	First   *int64  `parquet:"first"`     // the sequence number of the first of them
	Last    *int64  `parquet:"last"`      // of the last
	Why     *string `parquet:"why,dict"`  // it was not applied, for people
	Later   bool    `parquet:"later"`     // it is of a later time than the hive
	Foreign bool    `parquet:"foreign"`   // it is of another hive
}

// portsRow is the range of ephemeral TCP ports.
type portsRow struct {
	ControlSet *string        `parquet:"control_set,dict"` // of the settings
	Windows    *string        `parquet:"windows,dict"`     // for which the answer holds
	Assumed    bool           `parquet:"assumed"`          // the version is not known: this is one of two answers
	Start      *int64         `parquet:"start"`            // the lowest port; null, as the next three, where the range cannot be told
	End        *int64         `parquet:"end"`              // the highest port
	Size       *int64         `parquet:"size"`             // how many there are
	Usable     *int64         `parquet:"usable"`           // how many are left of them
	Source     *string        `parquet:"source,dict"`      // of the range
	Confidence *string        `parquet:"confidence,dict"`  // `high`, `medium` or `low`
	Excluded   []exclusionRow `parquet:"excluded,list"`    // ports that no program gets like that
	Used       []useRow       `parquet:"used,list"`        // ports of services, as settings tell them
	Unknown    *string        `parquet:"unknown,dict"`     // why the range cannot be told
	Notes      []string       `parquet:"notes,list"`       // for people
}

// exclusionRow is a range of ports that are reserved.
type exclusionRow struct {
	From   int64   `parquet:"from"`        // the lowest port
	To     int64   `parquet:"to"`          // the highest port
	Source *string `parquet:"source,dict"` // of the range
}

// useRow is a port of a service.
type useRow struct {
	Port    int64   `parquet:"port"`         // its number
	Service *string `parquet:"service,dict"` // its name
	Key     *string `parquet:"key,dict"`     // of the setting, below the control set
	Value   *string `parquet:"value,dict"`   // of the setting
}

// problemRow is damage in an input, or why it could not be read.
type problemRow struct {
	Kind           string  `parquet:"kind,dict"`       // as one word
	Message        *string `parquet:"message"`         // for people
	Key            *string `parquet:"key"`             // where it is
	Loss           bool    `parquet:"loss"`            // something could not be read
	LocationOffset *int64  `parquet:"location_offset"` // of the place in a hive, in bytes
	LocationLine   *int64  `parquet:"location_line"`   // of the place in text, from 1 on
	LocationColumn *int64  `parquet:"location_column"` // likewise
}

// timelineRow is the last write of a key.
type timelineRow struct {
	Modified         *time.Time `parquet:"modified,timestamp(nanosecond)"` // the last write
	ModifiedFiletime int64      `parquet:"modified_filetime"`              // the same as Windows stores it: steps of 100 ns from 1601-01-01 on
	Key              *string    `parquet:"key"`                            // where Windows mounts it; of an orphan, the end of its path
	Deleted          bool       `parquet:"deleted"`                        // it was deleted
	Orphan           bool       `parquet:"orphan"`                         // only the names of its path that are known are there
	Offset           *int64     `parquet:"offset"`                         // of the key in the hive, in bytes
	State            *string    `parquet:"state,dict"`                     // `regback` or `vss` for a hive of an earlier time
	User             *string    `parquet:"user,dict"`                      // the folder of the profile of a user
	Host             *string    `parquet:"host,dict"`                      // the name of the computer
	Machine          *string    `parquet:"machine,dict"`                   // of one of several hives of one machine
	Input            string     `parquet:"input,dict"`                     // the file, or its place in an image or archive
}

// findingRowOf returns the row of a finding, whose words are those of its JSON.
func findingRowOf(f rules.Finding, j jsonFinding) findingRow {
	row := findingRow{
		Rule: hive.Printable(j.Rule), Pack: textOrNull(j.Pack), Title: textOrNull(j.Title), Sources: rowsOf(j.Sources, sourceRowOf), Severity: j.Severity, Status: string(j.Status),
		Reason: textOrNull(j.Reason), Input: textOrNull(j.Input), Machine: textOrNull(j.Machine), Host: textOrNull(j.Host), Former: j.Former, Key: textOrNull(j.Key), RealKey: textOrNull(j.RealKey),
		Value: j.Value, Expected: textOrNull(j.Expected), Message: textOrNull(j.Message), Notes: listOf(j.Notes), History: rowsOf(f.History, pastRowOf),
		Modified: timeOrNull(f.Modified), ModifiedFiletime: filetimeOrNull(f.Modified), Fixable: j.Fixable, Alternative: textOrNull(j.Alternative), Fingerprint: j.Fingerprint,
		Rationale: textOrNull(j.Rationale), References: listOf(j.References), Tags: listOf(j.Tags), Counts: *j.Counts,
	}
	row.LocationOffset, row.LocationLine, row.LocationColumn = placeOf(j.Location)
	if v := f.Observed; v != nil {
		row.ObservedType, row.ObservedData, row.ObservedText = textOrNull(j.Observed.Type), bytesOf(v.Data), new(hive.Printable(j.Observed.Text))
	}
	if fix := j.Fix; fix != nil {
		row.FixText, row.FixSafe, row.FixBecause, row.FixRestart, row.FixNote = textOrNull(fix.Text), &fix.Safe, textOrNull(fix.Because), textOrNull(fix.Restart), textOrNull(fix.Note)
	}
	if w := f.Waived; w != nil {
		row.WaivedReason, row.WaivedUntil = &j.Waived.Reason, dayOrNull(w.Until)
	}
	return row
}

func sourceRowOf(s jsonSource) sourceRow {
	return sourceRow{textOrNull(s.File), orNull(int64(s.Line)), textOrNull(s.ID)}
}

func pastRowOf(past rules.Past) pastRow {
	v := past.Value
	row := pastRow{Type: textOrNull(v.Type.String()), Offset: v.At.Offset, Modified: timeOrNull(past.Modified), ModifiedFiletime: filetimeOrNull(past.Modified), KeyDeleted: past.KeyGone}
	if !v.Short {
		row.Data, row.Text = bytesOf(v.Data), new(hive.Printable(v.Display()))
	}
	return row
}

// bytesOf returns no nil, which would be null.
func bytesOf(data []byte) []byte { return append([]byte{}, data...) }

// filetimeOrNull returns nil for no time.
func filetimeOrNull(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(int64(hive.FiletimeOf(t)))
}

// inputRowOf returns the row of an input, whose words are those of its JSON.
func inputRowOf(in Input) inputRow {
	j := inputJSON(in)
	w := j.Windows
	return inputRow{
		Path: j.Path, Evidence: rowsOf(in.Evidence, stepRowOf), Format: textOrNull(j.Format), SHA256: textOrNull(j.SHA256), Size: &j.Size, Text: textOrNull(j.Text), Machine: textOrNull(j.Machine), User: textOrNull(j.User),
		NotJoined: textOrNull(j.NotJoined), State: textOrNull(j.State), Former: &j.Former, SameAs: textOrNull(j.SameAs), Mount: textOrNull(j.Mount), ControlSet: textOrNull(j.ControlSet),
		ControlSetGuessed: &j.ControlSetGuessed, Dirty: &j.Dirty, LogsApplied: listOf(j.LogsApplied), Logs: rowsOf(j.Logs, logRowOf), Host: textOrNull(j.Host),
		HostBy: textOrNull(j.HostBy), TimeZone: textOrNull(j.TimeZone), LastShutdown: timeOrNull(in.Shutdown), ControlSets: rowsOf(j.ControlSets, setRowOf), OtherControlSets: listOf(j.OtherSets),
		WindowsVersion: textOrNull(w.Version), WindowsKnown: textOrNull(w.Known), WindowsName: textOrNull(w.Name), WindowsBuild: orNull(int64(w.Build)), WindowsRevision: orNull(int64(w.Revision)),
		WindowsProduct: textOrNull(w.Product), WindowsEdition: textOrNull(w.Edition), WindowsInstalled: timeOrNull(in.Windows.Installed), WindowsEvidence: listOf(w.Evidence),
		WindowsConflict: textOrNull(w.Conflict), Ports: rowsOf(in.Ports, portsRowOf), Problems: rowsOf(j.Problems, problemRowOf), Unasked: &j.Unasked,
	}
}

// refusedRowOf returns the row of what could not be read, of which nothing else is known.
func refusedRowOf(p hive.Problem) inputRow {
	j := refusedJSON([]hive.Problem{p})[0]
	return inputRow{Path: j.Path, Refused: true, Problems: []problemRow{problemRowOf(j.jsonProblem)}}
}

func setRowOf(s jsonControlSet) setRow { return setRow{s.Name, textOrNull(s.Source), s.Guessed} }

func stepRowOf(s evidence.Step) stepRow {
	j := wayJSON([]evidence.Step{s})[0]
	row := stepRow{Kind: j.Kind, Path: textOrNull(j.Path), Offset: j.Offset, Size: orNull(j.Size), Segments: orNull(int64(j.Segments)), MD5: textOrNull(j.MD5), SHA1: textOrNull(j.SHA1),
		Verified: j.Verified, Label: j.Label, Serial: textOrNull(j.Serial), Number: wide(j.Number)}
	if j.Created != "" {
		row.Created = timeOrNull(s.Created)
	}
	return row
}

// wide returns a number as columns have it.
func wide(n *int) *int64 {
	if n == nil {
		return nil
	}
	return new(int64(*n))
}

func logRowOf(l jsonLog) logRow {
	return logRow{l.Name, textOrNull(l.SHA256), l.Applied, int64(l.Entries), orNull(int64(l.First)), orNull(int64(l.Last)), textOrNull(l.Why), l.Later, l.Foreign}
}

func portsRowOf(p ports.Answer) portsRow {
	j := portsJSON([]ports.Answer{p})[0]
	return portsRow{
		ControlSet: textOrNull(j.ControlSet), Windows: textOrNull(j.Windows), Assumed: j.Assumed, Start: wide(j.Start), End: wide(j.End), Size: wide(j.Size), Usable: wide(j.Usable),
		Source: textOrNull(j.Source), Confidence: textOrNull(j.Confidence), Unknown: textOrNull(j.Unknown), Notes: listOf(j.Notes),
		Excluded: rowsOf(j.Excluded, func(x jsonExclusion) exclusionRow {
			return exclusionRow{int64(x.From), int64(x.To), textOrNull(x.Source)}
		}),
		Used: rowsOf(j.Used, func(u jsonUse) useRow {
			return useRow{int64(u.Port), textOrNull(u.Service), textOrNull(u.Key), textOrNull(u.Value)}
		}),
	}
}

func problemRowOf(p jsonProblem) problemRow {
	row := problemRow{Kind: string(p.Kind), Message: textOrNull(p.Message), Key: textOrNull(p.Key), Loss: p.Loss}
	row.LocationOffset, row.LocationLine, row.LocationColumn = placeOf(p.Location)
	return row
}
