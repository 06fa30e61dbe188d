package fat

import (
	"regvet/hive/evidence/block"
)

const (
	entrySize  = 32      // bytes
	mostBytes  = 8 << 20 // of a directory that are read: 87,000 files of exFAT; one of FAT has 2 MB at most
	mostOfFAT  = 2 << 20
	mostClaims = 1 << 20 // clusters of directories in all
)

// directory is the content of a directory, in pieces between which bytes cannot be read.
type directory struct {
	node   node
	pieces []entries
	gap    error // the first
}

// entries are the bytes of some entries, and where they lie in the volume.
type entries struct {
	data []byte
	at   []int64 // of each cluster, or of the whole
	size int64   // bytes of a cluster
}

func (e entries) count() int         { return len(e.data) / entrySize }
func (e entries) entry(i int) []byte { return e.data[i*entrySize:][:entrySize] }

func (e entries) place(i int) int64 {
	at := int64(i) * entrySize
	return e.at[at/e.size] + at%e.size
}

// list returns what a directory holds.
func (v *Volume) list(n node) listing {
	d := v.directory(n)
	l := v.parse(v, d)
	if d.gap != nil {
		l.gap = d.gap // it comes first
	}
	first := map[uint32]int{}
	for i := range l.nodes {
		n := &l.nodes[i]
		if n.first == 0 {
			continue
		}
		if j, ok := first[n.first]; ok {
			n.wrong = v.gap(n.at, "the entries of %q and %q say that both begin at cluster %d; whose it is cannot be said", l.nodes[j].name, n.name, n.first)
			l.nodes[j].wrong = n.wrong
		}
		first[n.first] = i
	}
	return l
}

// claim notes the clusters of a directory. One that is in two would be walked without an end, if they are in each other.
func (v *Volume) claim(n node, c *content) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.claims == nil {
		v.claims = map[uint32]int64{}
	}
	for from := int64(0); from < c.held; from += v.clusterSize {
		at, _ := c.extent(from)
		cluster := v.cluster(at)
		of, ok := v.claims[cluster]
		switch {
		case ok && of != n.at:
			return v.gap(n.at, "the directory %q has clusters of another one", n.name)
		case !ok && len(v.claims) == mostClaims:
			return v.gap(n.at, "the directory %q is not read, because others have %d clusters already", n.name, mostClaims)
		}
		v.claims[cluster] = n.at
	}
	return nil
}

// directory reads a directory, cluster by cluster: of one that cannot be read, the others still say something.
func (v *Volume) directory(n node) *directory {
	d := &directory{node: n}
	lose := func(err error) {
		if d.gap == nil {
			d.gap = err
		}
	}
	c, step := &content{v: v}, v.clusterSize
	most := int64(mostBytes)
	if v.mask != end {
		most = mostOfFAT
	}
	switch {
	case n.wrong != nil:
		lose(n.wrong)
		return d
	case n.fixed.size > 0:
		c.extents, c.held, step = []extent{{0, n.fixed.at}}, n.fixed.size, v.fixedStep(n.fixed)
	case n.size < 0:
		err := c.follow(n, most/v.clusterSize)
		if err == nil {
			err = c.alone(n)
		}
		if err != nil {
			lose(err)
			return d
		}
	case n.size > most:
		lose(v.gap(n.at, "the directory %q has more than %d bytes, of which none are read", n.name, most))
		return d
	default:
		var err error
		if c, err = v.content(n); err != nil {
			lose(err)
			return d
		}
	}
	if c.lost != nil {
		lose(c.lost)
	}
	if n.fixed.size == 0 {
		if err := v.claim(n, c); err != nil {
			lose(err)
			return d
		}
	}
	d.read(c, step, lose)
	return d
}

// fixedStep is how many bytes of a root without clusters are read at a time: a sector, which all of them have.
func (v *Volume) fixedStep(root table) int64 { return min(512, root.size) }

// read reads the clusters of a directory.
func (d *directory) read(c *content, step int64, lose func(error)) {
	whole := false // the cluster before could be read
	for from := int64(0); from < c.held; from += step {
		at, _ := c.extent(from)
		b, err := block.Read(c.v.r, at, int(step))
		if err != nil {
			if !block.IsGap(err) {
				err = c.v.gap(at, "a piece of the directory %q cannot be read (%v)", d.node.name, err)
			}
			lose(err)
			whole = false
			continue
		}
		if !whole {
			d.pieces = append(d.pieces, entries{size: step})
		}
		last := &d.pieces[len(d.pieces)-1]
		last.data = append(last.data, b...)
		last.at = append(last.at, at)
		whole = true
	}
}
