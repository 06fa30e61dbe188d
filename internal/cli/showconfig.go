package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules/lint"
)

// writePlans writes, for each file, the config that applies to it and the settings that the config and the flags result in.
func writePlans(w io.Writer, jobs []job) error {
	var out bytes.Buffer
	for i, j := range jobs {
		if i > 0 {
			out.WriteByte('\n')
		}
		p := j.plan
		fmt.Fprintln(&out, hive.Visible(collection.DisplayName(j.name)))
		line := func(name, text string) { fmt.Fprintf(&out, "  %-10s %s\n", name, hive.Visible(text)) }
		line("config", cmp.Or(p.file, "none"))
		if j.excluded {
			line("excluded", "yes, and not linted")
			continue
		}
		var globs []string
		for _, n := range p.paths {
			globs = append(globs, p.config.Paths[n].Match...)
		}
		if len(globs) > 0 {
			line("paths", strings.Join(globs, ", "))
		}
		windows := "any"
		if p.linter.Target.AtLeast != (hive.Version{}) {
			windows = p.linter.Target.Full()
		}
		line("windows", windows)
		page := "not given"
		if given := p.linter.Read.CodePage; given != nil {
			page = given.String()
		}
		line("code page", page)
		var packs []string
		for _, pack := range p.packs {
			packs = append(packs, pack.Name)
		}
		line("packs", cmp.Or(strings.Join(packs, ", "), "none"))
		if p.known != nil {
			line("baseline", p.known.name)
		}
		failOn := p.failOn.String()
		if p.failOn == never {
			failOn = "never"
		}
		line("fail on", failOn)
		for _, check := range lint.Checks() {
			word := "off"
			if s := p.severity[check]; s != 0 {
				word = s.String()
			}
			fmt.Fprintf(&out, "  %-10s %-7s %s\n", check.ID, word, check.Name)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
