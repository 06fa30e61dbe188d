package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

//go:embed packs/*.yaml
var packFiles embed.FS

// BuiltIn gives the packs that regvet comes with, in the order of their names.
var BuiltIn = sync.OnceValue(func() []*Pack {
	entries, err := packFiles.ReadDir("packs")
	if err != nil {
		panic(err) // the files are part of the program
	}
	folder, err := fs.Sub(packFiles, "packs")
	if err != nil {
		panic(err) // likewise
	}
	var packs []*Pack
	for _, e := range entries {
		name := path.Join("packs", e.Name())
		data, err := packFiles.ReadFile(name)
		if err != nil {
			panic(err) // likewise
		}
		p, err := load("built-in "+e.Name(), data, folder)
		if err == nil {
			err = p.unproven()
		}
		if err != nil {
			panic(fmt.Sprintf("a built-in pack does not load: %v", err)) // a test loads them all
		}
		packs = append(packs, p)
	}
	return packs
})

// unproven says which rule of a pack does not show by its tests both that it passes and that it fails; nil when each does.
func (p *Pack) unproven() error {
	for _, r := range p.Rules {
		if why := r.unproven(); why != "" {
			return fmt.Errorf("rule %s: %s", r.ID, why)
		}
	}
	return nil
}
