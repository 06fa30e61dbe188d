package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed packs/*.yaml
var packFiles embed.FS

// DefaultPack is the built-in pack that an audit uses by default. Ignoring its findings costs connections; the other packs check
// recommendations that not everybody shares.
const DefaultPack = "kb196271"

// builtInPack is one of the packs that regvet comes with. It is read on first use: most runs use few of them.
type builtInPack struct {
	name string
	read func() *Pack
}

var builtInPacks = sync.OnceValue(func() (all []builtInPack) {
	entries, err := packFiles.ReadDir("packs")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, e := range entries {
		file := e.Name()
		all = append(all, builtInPack{strings.TrimSuffix(file, ".yaml"), sync.OnceValue(func() *Pack { return readBuiltIn(file) })})
	}
	return all
})

func readBuiltIn(file string) *Pack {
	folder, err := fs.Sub(packFiles, "packs")
	if err != nil {
		panic(err) // the files are part of the program
	}
	data, err := fs.ReadFile(folder, file)
	if err != nil {
		panic(err) // likewise
	}
	p, err := load("built-in "+file, data, folder)
	if err == nil {
		err = p.unproven()
	}
	if err != nil {
		panic(fmt.Sprintf("a built-in pack does not load: %v", err)) // a test loads them all
	}
	return p
}

// BuiltInNames lists the names of the built-in packs in their order. The file of a pack has its name.
func BuiltInNames() []string {
	return each(builtInPacks(), func(p builtInPack) string { return p.name })
}

// BuiltIn returns the built-in packs of these names, or all of them without names, in the order of [BuiltInNames].
func BuiltIn(names ...string) (packs []*Pack) {
	for _, p := range builtInPacks() {
		if len(names) == 0 || slices.Contains(names, p.name) {
			packs = append(packs, p.read())
		}
	}
	return packs
}

// unproven returns an error about a rule whose tests do not show both a pass and a failure, or nil.
func (p *Pack) unproven() error {
	for _, r := range p.Rules {
		if why := r.unproven(); why != "" {
			return fmt.Errorf("rule %s: %s", r.ID, why)
		}
	}
	return nil
}
