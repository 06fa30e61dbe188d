package rules

import (
	"bytes"
	"path"
)

// CountBuiltIn returns how many rules of the built-in packs run together, see [Distinct]. It counts the starts of rules in their texts: to read all packs takes
// about ten times as long as to read [DefaultPack], and most runs need no more of the others than this number.
func CountBuiltIn() (n int) {
	for _, p := range builtInPacks() {
		text, err := packFiles.ReadFile(path.Join("packs", p.name+".yaml"))
		if err != nil {
			panic(err) // the files are part of the program
		}
		n += bytes.Count(text, []byte("\n  - id: ")) - bytes.Count(text, []byte("\n    covered_by: "))
	}
	return n
}
