package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Build is what a program knows of how it was built. What Go did not record is "".
type Build struct {
	Version  string
	Commit   string
	Modified bool   // the files differed from those of the commit
	Date     string // of the commit, in the form of RFC 3339
	Go       string
	Platform string   // system and processor, with a slash between
	Modules  []Module // the modules in it, without that of regvet
}

// Module is a module of other authors.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"` // "" for a folder
	Sum     string `json:"sum"`     // the hash that go.sum has; "" for a folder
}

// BuildText writes a build for people.
func BuildText(w io.Writer, b Build) error {
	p := &page{}
	fmt.Fprintf(p, "regvet %s\n", b.Version)
	commit := cmp.Or(b.Commit, "not recorded, since it was not built in a repository")
	if b.Modified {
		commit += ", with changes"
	}
	p.row("commit", commit)
	p.row("date", cmp.Or(b.Date, "not recorded"))
	p.row("go", strings.TrimSpace(b.Go+" "+b.Platform))
	name := "modules"
	for _, m := range b.Modules {
		p.row(name, strings.TrimSpace(m.Path+" "+m.Version))
		name = ""
	}
	return p.send(w)
}

type jsonBuild struct {
	SchemaVersion string   `json:"schema_version"`
	Tool          jsonTool `json:"tool"`
	Commit        string   `json:"commit"`
	Modified      bool     `json:"modified"`
	Date          string   `json:"date"`
	Go            string   `json:"go"`
	Platform      string   `json:"platform"`
	Modules       []Module `json:"modules"`
}

// BuildJSON writes a build as one JSON object.
func BuildJSON(w io.Writer, b Build) error {
	return writeJSON(w, jsonBuild{schemaVersion, jsonTool{"regvet", b.Version}, b.Commit, b.Modified, b.Date, b.Go, b.Platform, b.Modules})
}
