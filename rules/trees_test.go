package rules

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

var update = flag.Bool("update", false, "write what the tests compare with anew")

// TestTrees requires that the trees of the built-in packs are those of their text now, and that both are read alike; with -update it writes them.
func TestTrees(t *testing.T) {
	for _, p := range builtInPacks() {
		name := filepath.Join("packs", p.name+".yaml")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		made, file := strict.MakeTree(ruleFile(name), text), filepath.Join("packs", treeFile(p.name+".yaml"))
		if made == nil {
			t.Fatalf("%s has mistakes or aliases", name)
		}
		if *update {
			if err := os.WriteFile(file, made, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		tree, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(tree, made) {
			t.Errorf("%s is older than its pack (%v), which is slower to read; run go generate ./rules", file, err)
		}
		if parsed, read := rootOf(t, name, text, ""), rootOf(t, name, text, string(made)); !reflect.DeepEqual(parsed, read) {
			t.Errorf("%s is read differently from its tree", name)
		}
	}
}

// rootOf returns the root of a pack without comments.
func rootOf(t *testing.T, name string, text []byte, tree string) (root *yaml.Node) {
	err := strict.ReadTree(ruleFile(name), text, tree, func(_ *strict.Decoder, n *yaml.Node) { root = n })
	if err != nil {
		t.Fatal(err)
	}
	var bare func(n *yaml.Node)
	bare = func(n *yaml.Node) {
		n.HeadComment, n.LineComment, n.FootComment = "", "", ""
		for _, below := range n.Content {
			bare(below)
		}
	}
	bare(root)
	return root
}

// TestOldTree requires that a tree of another text does not count.
func TestOldTree(t *testing.T) {
	old := string(strict.MakeTree(ruleFile("old"), []byte("pack: old\n")))
	if root := rootOf(t, "new", []byte("pack: new\n"), old); root.Content[1].Value != "new" {
		t.Errorf("it reads %q", root.Content[1].Value)
	}
}
