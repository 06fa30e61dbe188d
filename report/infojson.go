package report

import (
	"io"

	"regvet/hive"
)

// jsonInfo is what info writes.
type jsonInfo struct {
	SchemaVersion string          `json:"schema_version"`
	Tool          jsonTool        `json:"tool"`
	Run           jsonRun         `json:"run"`
	Containers    []jsonContainer `json:"containers,omitempty"` // images and archives
	Machines      []jsonMachine   `json:"machines"`             // those of several hives
	Inputs        []jsonInfoInput `json:"inputs"`
	Refused       []jsonRefused   `json:"refused,omitempty"`
}

type jsonMachine struct {
	Name     string      `json:"name"` // as in its inputs
	Former   bool        `json:"former"`
	Host     string      `json:"host"`
	Windows  jsonWindows `json:"windows"`
	Shutdown string      `json:"last_shutdown,omitempty"`
	Users    []jsonUser  `json:"users"`
	Inputs   []string    `json:"inputs"` // the paths of its hives, and of equal copies of them
}

type jsonUser struct {
	Name string `json:"name"`          // of the folder of the profile
	SID  string `json:"sid,omitempty"` // if the machine tells it
}

func machineJSON(all []Input) jsonMachine {
	best, _ := spokesman(all)
	out := jsonMachine{Name: hive.Printable(best.Machine.Name), Former: best.Former, Host: hive.Printable(best.Host), Windows: windowsJSON(best), Users: []jsonUser{}}
	if !best.Shutdown.IsZero() {
		out.Shutdown = timestamp(best.Shutdown)
	}
	for _, u := range usersOf(all) {
		out.Users = append(out.Users, jsonUser{hive.Printable(u.name), hive.Printable(u.sid)})
	}
	for _, in := range all {
		out.Inputs = append(out.Inputs, hive.Printable(in.Path))
	}
	return out
}

type jsonInfoInput struct {
	jsonInput
	MD5       string            `json:"md5"`
	MountBy   string            `json:"mount_by"`
	Select    map[string]uint64 `json:"select"`
	NewestKey string            `json:"newest_key,omitempty"` // the latest time at which a key of a hive was last written
	Keys      int               `json:"keys"`
	Values    int               `json:"values"`
	Header    *jsonHeader       `json:"header,omitempty"` // of a hive whose base block is not lost
	Edits     *int              `json:"edits,omitempty"`  // of a .reg file
}

type jsonControlSet struct {
	Name    string `json:"name"`
	Source  string `json:"source"`
	Guessed bool   `json:"guessed"`
}

type jsonLog struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256,omitempty"` // of a log that was read
	Applied bool   `json:"applied"`
	Entries int    `json:"entries"`
	First   uint32 `json:"first,omitempty"`
	Last    uint32 `json:"last,omitempty"`
	Why     string `json:"why,omitempty"`
	Later   bool   `json:"later,omitempty"`
	Foreign bool   `json:"foreign,omitempty"`
}

type jsonHeader struct {
	Version       string `json:"version"`
	Sequence1     uint32 `json:"sequence1"`
	Sequence2     uint32 `json:"sequence2"`
	Modified      string `json:"modified,omitempty"`
	Name          string `json:"name"`
	Length        uint32 `json:"length"`
	ChecksumValid bool   `json:"checksum_valid"`
}

// InfoJSON writes what the inputs are as one JSON object, without findings.
func InfoJSON(w io.Writer, r Report) error {
	out := jsonInfo{schemaVersion, jsonTool{"regvet", r.Version}, runJSON(r.Run), nil, []jsonMachine{}, []jsonInfoInput{}, refusedJSON(r.Refused)}
	for _, c := range r.Containers {
		out.Containers = append(out.Containers, containerJSON(c))
	}
	for i, in := range r.Inputs {
		if in.Machine != nil && (i == 0 || r.Inputs[i-1].Machine != in.Machine) {
			out.Machines = append(out.Machines, machineJSON(r.Inputs[i:i+in.Machine.Hives]))
		}
		one := jsonInfoInput{jsonInput: inputJSON(in), MD5: in.MD5, Keys: in.Keys, Values: in.Values, Select: map[string]uint64{}, MountBy: in.MountBy}
		if in.Newest.IsSet() {
			one.NewestKey = timestamp(in.Newest.Time())
		}
		for _, s := range in.Selections {
			one.Select[s.Name] = s.Number
		}
		switch h := in.Header; {
		case h == nil:
			one.Edits = &in.Edits
		case !h.Lost:
			one.Header = &jsonHeader{headerVersion(*h), h.Sequence1, h.Sequence2, "", hive.Printable(h.Name), h.Length, h.Checksum == h.Computed}
			if h.Modified.IsSet() {
				one.Header.Modified = timestamp(h.Modified.Time())
			}
		}
		out.Inputs = append(out.Inputs, one)
	}
	return writeJSON(w, out)
}
