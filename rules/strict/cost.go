package strict

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// MaxSize is the size in bytes of the largest file to read. No file that a person writes comes near it.
const MaxSize = 16 << 20

const (
	maxDepth     = 250 // levels of lists and mappings in one another
	maxText      = 100 // bytes of text that count as one part
	bytesPerPart = 16  // of a file, beyond the parts that it may have in any case: memory stays in proportion to the file
)

// parts returns at least the number of names, values, lists and mappings in a text. It counts the characters that can start one, without parsing:
// one byte of text can become a node of 200 bytes. Each part is counted at the character before it.
func parts(text string) int {
	const directive = 5000 // the parser compares each with all before it
	n, last := 0, byte('\n')
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '\n', c == '\r', c == ':':
			n++
		case c == '[', c == '{', c == ',', c == '?': // {a, b} has two names, and two values that are left out; [a: b] has a mapping, too
			n += 2
		case last == '-' && (c == ' ' || c == '\t'):
			n++
		case c == '%' && (last == '\n' || last == '\r'):
			n += directive
		}
		last = c
	}
	return n
}

// affordable reports whether a file has at most the parts that it may have: some for any file, and more for a large one.
func (d *Decoder) affordable(at hive.Location, n int, how string) bool {
	most := d.Most + len(d.text)/bytesPerPart
	if n > most {
		d.WrongAt(at, "the file says too much: about %d names and values%s, and it may have %d; write several files", n, how, most)
	}
	return n <= most
}

// Spend accounts for memory that a text needs beyond its own nodes, in parts of about a hundred bytes. It reports whether the file may still
// use so much. If not, it notes the mistake, and no more of the file is read.
func (d *Decoder) Spend(at hive.Location, what string, parts int) bool {
	d.left -= parts
	if d.left < 0 {
		d.WrongAt(at, "%s stands for too much: with it, %s takes more memory than it may; make it simpler, or write several files", what, d.Whole)
		d.full = true
	}
	return !d.full
}

// extent is the size of a node with everything below it.
type extent struct{ parts, depth int }

// follows reports whether the document can be read with its aliases followed: no alias leads back into itself, and the whole is neither too large
// nor too deep.
func (d *Decoder) follows(root *yaml.Node) bool {
	const huge = 1_000_000_000_000   // sums are not exact above it
	known := map[*yaml.Node]extent{} // of the nodes with an anchor that were read to their end
	var circle, largest, deep *yaml.Node
	var measure func(n *yaml.Node) extent
	measure = func(n *yaml.Node) extent {
		if n.Kind == yaml.AliasNode {
			e, whole := known[n.Alias]
			if !whole {
				circle = n
			}
			if largest == nil || e.parts > known[largest.Alias].parts {
				largest = n
			}
			return e
		}
		e := extent{1 + len(n.Value)/maxText, 1}
		for _, child := range n.Content {
			below := measure(child)
			e.parts, e.depth = min(e.parts+below.parts, huge), max(e.depth, below.depth+1)
		}
		if e.depth == maxDepth+1 && deep == nil {
			deep = n
		}
		if n.Anchor != "" {
			known[n] = e
		}
		return e
	}
	total := measure(root)
	switch {
	case circle != nil:
		d.Wrong(circle, "an alias stands for what it is itself a part of")
	case deep != nil:
		d.Wrong(deep, "lists and mappings are nested in more than %d levels", maxDepth)
	case largest != nil:
		return d.affordable(Locate(largest), total.parts, " when its aliases are followed")
	default:
		return d.affordable(Locate(root), total.parts, "")
	}
	return false
}

// CheckSize returns an error if a size in bytes is above [MaxSize]. For a pipe, it is enough to read one byte more than that.
func CheckSize(size int64) error {
	if size <= MaxSize {
		return nil
	}
	return fmt.Errorf("has at least %d bytes; at most %d (16 MB) are read: write several files", size, MaxSize)
}
