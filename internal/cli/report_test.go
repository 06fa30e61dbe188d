package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"regvet/internal/shared"
	"regvet/report"
)

// TestReport holds the law of the command: what check writes in a format, report writes of its JSON lines, byte for byte, with the same exit status; also
// of three shares, in the order of the whole run.
func TestReport(t *testing.T) {
	mixed := shareable(t)
	t.Run("folder", func(t *testing.T) {
		sameReports(t, mixed, "--deleted", "--regback", "--windows", "10.0.19045", ".", "nothing", "SYSTEM")
	})
	inventories, err := txtar.ParseFile("testdata/script/inventory.txtar")
	if err != nil {
		t.Fatal(err)
	}
	list := slices.IndexFunc(inventories.Files, func(f txtar.File) bool { return f.Name == "list.yaml" })
	if err := os.WriteFile(filepath.Join(mixed, "list.yaml"), inventories.Files[list].Data, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Run("inventories", func(t *testing.T) {
		sameReports(t, mixed, "--rules", "list.yaml", "--pack", "list", "--pack", "kb196271", "--mount", `HKLM\SOFTWARE`, "deleted", "disk")
		sameReports(t, mixed, "--rules", "list.yaml", "--pack", "list", "--pack", "kb196271", "disk", "SYSTEM")
	})
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../../testdata")); err != nil {
		t.Fatal(err)
	}
	t.Run("hostile", func(t *testing.T) {
		hostile := t.TempDir()
		writeAll(t, map[string][]byte{filepath.Join(hostile, "hostile\n\x1b\xff"): hostileHive()})
		sameReports(t, hostile, "--pack", "all", ".")
	})
	t.Run("packs", func(t *testing.T) { sameReports(t, folder, "--pack", "all", "SYSTEM", "SYSTEM-10.reg", "past.E01") })
	t.Run("one", func(t *testing.T) { sameReports(t, folder, "SYSTEM") })
	t.Run("severity", func(t *testing.T) { sameReports(t, folder, "--severity", "medium", "--fail-on", "high", ".") })
	t.Run("accepted", func(t *testing.T) {
		t.Setenv("SOURCE_DATE_EPOCH", "1136246400") // 2006-01-03, when the waiver is over
		sameReports(t, folder, "--config", "accepted.yaml", "SYSTEM", "SYSTEM-10", "SYSTEM-good")
	})
	t.Run("real", func(t *testing.T) {
		hives, err := filepath.Abs(shared.Path(t, "hives/crafted"))
		if err != nil {
			t.Fatal(err)
		}
		sameReports(t, hives, ".")
	})
}

// sameReports compares the reports of a run over a folder.
func sameReports(t *testing.T, folder string, args ...string) {
	dir := t.TempDir()
	t.Chdir(folder)
	file := func(name string) string { return filepath.Join(dir, name) }
	formats := append(report.FormatNames(), report.Parquet)
	// written returns what a command writes in all formats at once, so that the command line in them is the same.
	written := func(name string, command ...string) (all map[string]string, status int) {
		for _, format := range formats {
			command = append(command, "-o", format+"="+file(name+"."+format))
		}
		_, status = ran(command...)
		all = map[string]string{}
		for _, format := range formats {
			if format == report.Parquet {
				all[format] = parquetText(t, file(name+"."+format))
			} else {
				all[format] = fileText(t, file(name+"."+format))
			}
		}
		return all, status
	}
	compare := func(what string, got, want map[string]string, status, wantStatus int) {
		t.Helper()
		for _, format := range formats {
			if got[format] != want[format] {
				t.Errorf("%s: %s: %s", what, format, firstDifference(got[format], want[format]))
			}
		}
		if status != wantStatus {
			t.Errorf("%s: exit status %d, want %d", what, status, wantStatus)
		}
	}
	whole, wholeStatus := written("whole", slices.Concat([]string{"check", "--all"}, args)...)
	got, status := written("whole again", "report", "--all", file("whole.jsonl"))
	compare("--all", got, whole, status, wholeStatus)

	plain, plainStatus := written("plain", slices.Concat([]string{"check"}, args)...)
	got, status = written("plain of all", "report", file("whole.jsonl"))
	command := func(text string) string { // of another run, which here differs in a flag and in the names of files
		return commandOf.ReplaceAllString(text, "COMMAND")
	}
	for format := range got {
		got[format], plain[format] = command(got[format]), command(plain[format])
	}
	compare("without --all, of lines with it", got, plain, status, plainStatus)

	// What check writes by itself counts passes, and does not make them.
	counted, _ := ran(slices.Concat([]string{"check", "-f", "jsonl"}, args)...)
	if err := os.WriteFile(file("counted"), []byte(counted), 0o666); err != nil {
		t.Fatal(err)
	}
	formats = slices.DeleteFunc(formats, report.ListsPasses)
	got, status = written("counted again", "report", file("counted"))
	for format := range got {
		got[format] = command(got[format])
	}
	compare("of lines that count", got, plain, status, plainStatus)

	var shares []string
	for _, n := range []int{3, 1, 2} {
		share, _ := ran(slices.Concat([]string{"check", "-f", "jsonl", "--shard", fmt.Sprintf("%d/3", n)}, args)...)
		name := file(fmt.Sprint("share", n))
		if err := os.WriteFile(name, []byte(share), 0o666); err != nil {
			t.Fatal(err)
		}
		shares = append(shares, name)
	}
	got, status = written("shares", append([]string{"report"}, shares...)...)
	for format := range got {
		got[format] = command(got[format])
	}
	compare("of shares", got, plain, status, plainStatus)

	for _, flag := range []string{"--quiet", "--statistics"} {
		for _, format := range []string{"text", "compact"} {
			want, _ := ran(slices.Concat([]string{"check", flag, "-f", format}, args)...)
			if got, _ := ran("report", flag, "-f", format, file("counted")); got != want {
				t.Errorf("%s %s: %s", flag, format, firstDifference(got, want))
			}
		}
	}
}

// commandOf is what a result says of the command, or of the commands, that made it, up to the end of its text.
var commandOf = regexp.MustCompile(`regvet check (<[^>]*>|[^"<\n])*`)

func fileText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// firstDifference returns the first line in which two texts differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is\n%.300s, want\n%.300s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// parquetText returns the rows of a report in tables as text.
func parquetText(t *testing.T, folder string) string {
	var all strings.Builder
	for _, name := range report.TableFiles {
		for _, row := range rowsIn(t, filepath.Join(folder, name)) {
			fmt.Fprintln(&all, row)
		}
	}
	return all.String()
}
