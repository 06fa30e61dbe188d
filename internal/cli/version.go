package cli

import (
	"cmp"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"

	"regvet/report"
)

type versionOptions struct{ format choice }

var versionCommand = command{
	name: "version", short: "print the version, with commit, date, Go and modules", max: 0,
	example: "  regvet version\n  regvet version --format json\n",
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := &versionOptions{}
		formatFlag(f, &o.format, "text", "json")
		return o.run
	},
}

func (o *versionOptions) run(s *session, _ []string) {
	s.write("", func(w io.Writer, _ report.Style) error {
		if o.format.value == "json" {
			return report.BuildJSON(w, thisBuild())
		}
		return report.BuildText(w, thisBuild())
	})
}

// version returns the version of the module as Go recorded it: a tag, or a pseudo-version with the commit.
func version() string { return thisBuild().Version }

// thisBuild returns how this program was built. Go records that itself, so it is known however the program was installed.
func thisBuild() report.Build {
	info, _ := debug.ReadBuildInfo()
	return buildOf(cmp.Or(info, &debug.BuildInfo{}))
}

// buildOf returns the build that Go recorded.
func buildOf(info *debug.BuildInfo) report.Build {
	recorded := map[string]string{}
	for _, s := range info.Settings {
		recorded[s.Key] = s.Value
	}
	b := report.Build{
		Version: cmp.Or(info.Main.Version, "(devel)"), Go: info.GoVersion, Platform: strings.Trim(recorded["GOOS"]+"/"+recorded["GOARCH"], "/"),
		Commit: recorded["vcs.revision"], Date: recorded["vcs.time"], Modified: recorded["vcs.modified"] == "true", Modules: []report.Module{},
	}
	for _, m := range info.Deps {
		m = cmp.Or(m.Replace, m)
		b.Modules = append(b.Modules, report.Module{Path: m.Path, Version: m.Version, Sum: m.Sum})
	}
	return b
}
