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

// DefaultPack is the one of the built-in packs that an audit uses unless it is told which to use. What it finds costs whoever ignores it
// connections; the others hold a computer against recommendations that not everybody shares.
const DefaultPack = "kb196271"

// builtInPack is one of the packs that regvet comes with. It is read when it is first asked for: most runs use few of them.
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

// BuiltInNames lists the names of the packs that regvet comes with, in their order. The file of a pack has its name.
func BuiltInNames() []string {
	return each(builtInPacks(), func(p builtInPack) string { return p.name })
}

// BuiltIn gives the packs of these names that regvet comes with, or without names all of them, in the order of [BuiltInNames].
func BuiltIn(names ...string) (packs []*Pack) {
	for _, p := range builtInPacks() {
		if len(names) == 0 || slices.Contains(names, p.name) {
			packs = append(packs, p.read())
		}
	}
	return packs
}

// unproven says which rule of a pack does not show by its tests both that it passes and that it fails; nil when each does.
func (p *Pack) unproven() error {
	for _, r := range p.Rules {
		if why := r.unproven(); why != "" {
			return fmt.Errorf("rule %s: %s", r.ID, why)
		}
	}
	return nil
}
