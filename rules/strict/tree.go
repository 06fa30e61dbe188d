package strict

import (
	"encoding/binary"
	"hash/crc32"

	"gopkg.in/yaml.v3"
)

// A tree is a YAML file that was parsed ahead: the checksum of its text, and the nodes in their order, each before those that it holds. To read
// it takes about a twentieth of the time of parsing the text.

// treeOf is the checksum of the text that a tree is made of.
func treeOf(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// MakeTree returns the tree of a file that [Read] reads without mistakes, or nil if it holds an alias, for which a tree has no form.
func MakeTree(f File, data []byte) (tree []byte) {
	_ = Read(f, data, func(_ *Decoder, root *yaml.Node) {
		tree = binary.LittleEndian.AppendUint32(nil, treeOf(data))
		tree = binary.AppendUvarint(tree, uint64(countNodes(root)))
		if !appendNode(&tree, root) {
			tree = nil
		}
	})
	return tree
}

func countNodes(n *yaml.Node) int {
	count := 1
	for _, below := range n.Content {
		count += countNodes(below)
	}
	return count
}

// appendNode appends a node and all that it holds. It returns false for an alias.
func appendNode(tree *[]byte, n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		return false
	}
	for _, number := range []int{int(n.Kind), int(n.Style), n.Line, n.Column, len(n.Content)} {
		*tree = binary.AppendUvarint(*tree, uint64(number))
	}
	for _, text := range []string{n.Tag, n.Value} {
		*tree = append(binary.AppendUvarint(*tree, uint64(len(text))), text...)
	}
	for _, below := range n.Content {
		if !appendNode(tree, below) {
			return false
		}
	}
	return true
}

// ReadTree is [Read] for a file with its tree. A tree of another text does not count: the file is parsed.
func ReadTree(f File, data []byte, tree string, read func(d *Decoder, root *yaml.Node)) error {
	if len(tree) < 4 || binary.LittleEndian.Uint32([]byte(tree[:4])) != treeOf(data) {
		return Read(f, data, read)
	}
	r := treeReader{rest: tree[4:]}
	count := r.number()
	r.nodes, r.lists = make([]yaml.Node, 0, count), make([]*yaml.Node, 0, count)
	return (&Decoder{File: f, left: f.Most, text: string(data)}).finish(r.node(), read)
}

type treeReader struct {
	rest  string
	nodes []yaml.Node  // room for all of them
	lists []*yaml.Node // room for the content of all of them
}

func (r *treeReader) number() int {
	n, shift := 0, 0
	for i := 0; ; i++ {
		c := r.rest[i]
		n |= int(c&0x7f) << shift
		if shift += 7; c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
}

func (r *treeReader) text() string {
	n := r.number()
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

func (r *treeReader) node() *yaml.Node {
	r.nodes = append(r.nodes, yaml.Node{Kind: yaml.Kind(r.number()), Style: yaml.Style(r.number()), Line: r.number(), Column: r.number()})
	n := &r.nodes[len(r.nodes)-1]
	below := r.number()
	n.Tag, n.Value = r.text(), r.text()
	if below == 0 {
		return n
	}
	from := len(r.lists)
	r.lists = r.lists[:from+below]
	n.Content = r.lists[from : from+below : from+below]
	for i := range n.Content {
		n.Content[i] = r.node()
	}
	return n
}
