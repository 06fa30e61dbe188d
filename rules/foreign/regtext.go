package foreign

import (
	"errors"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// A .reg file is read as what its maker wants: the registry as it is after Windows imported the file. A line that sets or deletes is a row, as is a
// section without such lines, which makes its key. What Windows does with each line is known from the tests of Wine that run on Windows, see package
// regfile: a line that it drops is no rule, and told.

func init() {
	formats = append(formats, format{"reg", ".reg files as the wanted state", isRegText, readRegText})
}

func isRegText(_ string, data []byte) bool {
	first := strings.TrimSpace(text(data[:min(len(data), 200)]))
	return strings.HasPrefix(first, "Windows Registry Editor Version") || strings.HasPrefix(first, "REGEDIT")
}

func readRegText(f *file) error {
	read, err := regfile.Parse(f.Path, f.data)
	if err != nil {
		if p, ok := errors.AsType[*hive.Problem](err); ok {
			p.Kind = BadForeign
		}
		return err
	}
	f.References = []string{f.File}
	edited := map[int]bool{} // the lines
	for _, e := range read.Edits {
		edited[e.At.Line] = true
	}
	var dropped []Row
	doubts := map[int][]string{} // of lines
	for _, p := range read.Problems {
		switch line := p.At.Line; {
		case line <= 1:
			f.Notes = append(f.Notes, p.Msg)
		case edited[line]:
			doubts[line] = append(doubts[line], p.Msg)
		default:
			dropped = append(dropped, Row{Title: "a line that Windows does not import", Line: line, Lacks: []string{p.Msg}})
		}
	}
	var all []wish
	for i, e := range read.Edits {
		for len(dropped) > 0 && dropped[0].Line < e.At.Line {
			if err := f.add(dropped[0]); err != nil {
				return err
			}
			dropped = dropped[1:]
		}
		next := i + 1
		if e.Op == hive.CreateKey && next < len(read.Edits) && (read.Edits[next].Op == hive.SetValue || read.Edits[next].Op == hive.DeleteValue) {
			all = append(all, wish{want: wantSection, path: e.Path}) // whose lines say more
			continue
		}
		all = append(all, wish{row: len(f.Rows), want: textWants[e.Op], path: e.Path, of: e.Value})
		if err := f.add(Row{Line: e.At.Line, Lacks: doubts[e.At.Line]}); err != nil {
			return err
		}
	}
	for _, row := range dropped {
		if err := f.add(row); err != nil {
			return err
		}
	}
	f.wish(all, "REG", "reg-file", "a .reg file that is taken as what is wanted sets it so")
	return nil
}

var textWants = map[hive.Op]wants{hive.SetValue: wantValue, hive.DeleteValue: wantNone, hive.CreateKey: wantKey, hive.DeleteKey: wantNoKey}
