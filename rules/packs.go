package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed packs/*.yaml packs/*.tree
var packFiles embed.FS

// The packs are parsed ahead, which most of reading them is. A tree that is older than its pack does not count, so that reading takes longer
// until it is made anew.
//go:generate go test -run ^TestTrees$ -update .

// DefaultPack is the built-in pack that an audit uses by default. Ignoring its findings costs connections; the other packs check
// recommendations that not everybody shares.
const DefaultPack = "kb196271"

// builtInPack is one of the packs that regvet comes with. It is read on first use: most runs use few of them.
type builtInPack struct {
	name string
	read func() *Pack
}

var builtInPacks = sync.OnceValue(func() (all []builtInPack) {
	files, err := fs.Glob(packFiles, "packs/*.yaml")
	if err != nil {
		panic(err) // the pattern is sound
	}
	for _, name := range files {
		file := path.Base(name)
		all = append(all, builtInPack{strings.TrimSuffix(file, ".yaml"), sync.OnceValue(func() *Pack { return readBuiltIn(file) })})
	}
	return all
})

// builtIn begins the source of a pack that is no file.
const builtIn = "built-in "

func readBuiltIn(file string) *Pack {
	folder, err := fs.Sub(packFiles, "packs")
	if err != nil {
		panic(err) // the files are part of the program
	}
	data, err := fs.ReadFile(folder, file)
	if err != nil {
		panic(err) // likewise
	}
	tree, err := fs.ReadFile(folder, treeFile(file))
	if err != nil {
		panic(err) // likewise
	}
	p, err := load(builtIn+file, data, string(tree), folder)
	if err == nil {
		err = p.unproven()
	}
	if err != nil {
		panic(fmt.Sprintf("a built-in pack does not load: %v", err)) // a test loads them all
	}
	return p
}

// treeFile returns the name of the tree of a pack.
func treeFile(pack string) string { return strings.TrimSuffix(pack, ".yaml") + ".tree" }

// BuiltInNames lists the names of the built-in packs in their order. The file of a pack has its name.
func BuiltInNames() []string {
	return each(builtInPacks(), func(p builtInPack) string { return p.name })
}

// BuiltIn returns the built-in packs of these names, or all of them without names, in the order of [BuiltInNames].
func BuiltIn(names ...string) []*Pack {
	chosen := slices.DeleteFunc(slices.Clone(builtInPacks()), func(p builtInPack) bool { return len(names) > 0 && !slices.Contains(names, p.name) })
	packs := make([]*Pack, len(chosen))
	var reading sync.WaitGroup
	for i, p := range chosen {
		reading.Go(func() { packs[i] = p.read() })
	}
	reading.Wait()
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
