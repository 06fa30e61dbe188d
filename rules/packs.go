package rules

import (
	"embed"
	"fmt"
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
	var packs []*Pack
	for _, e := range entries {
		name := path.Join("packs", e.Name())
		data, err := packFiles.ReadFile(name)
		if err == nil {
			var p *Pack
			p, err = Load("built-in "+e.Name(), data)
			packs = append(packs, p)
		}
		if err != nil {
			panic(fmt.Sprintf("a built-in pack does not load: %v", err)) // a test loads them all
		}
	}
	return packs
})
