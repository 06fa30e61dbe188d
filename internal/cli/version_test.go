package cli

import (
	"bytes"
	"runtime/debug"
	"testing"

	"regvet/report"
)

// TestVersion holds what is said of builds that this test binary is none of.
func TestVersion(t *testing.T) {
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{}, "regvet (devel)\n  commit    not recorded, since it was not built in a repository\n  date      not recorded\n"},
		{debug.BuildInfo{
			GoVersion: "go1.26.8", Main: debug.Module{Path: "regvet", Version: "v1.2.3"},
			Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "arm64"}, {Key: "GOOS", Value: "windows"}, {Key: "vcs.revision", Value: "8a178c6"},
				{Key: "vcs.time", Value: "2026-11-30T05:12:16Z"}, {Key: "vcs.modified", Value: "true"}},
			Deps: []*debug.Module{{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:a="},
				{Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "../b"}}},
		}, "regvet v1.2.3\n  commit    8a178c6, with changes\n  date      2026-11-30T05:12:16Z\n  go        go1.26.8 windows/arm64\n" +
			"  modules   example.org/a v1.0.0\n            ../b\n"},
	} {
		var out bytes.Buffer
		if err := report.BuildText(&out, buildOf(&c.info)); err != nil || out.String() != c.want {
			t.Errorf("%v, got %q, want %q", err, out.String(), c.want)
		}
	}
}
