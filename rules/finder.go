package rules

// finder finds all of many texts in another one, in one pass over it that can stop and go on: after the path of a key, the paths of its subkeys
// and values cost only their own names (Aho and Corasick, 1975).
type finder struct {
	nodes []finderNode
	root  [256]int32 // where each byte leads from the start: most bytes are read there
}

type finderNode struct {
	edges []finderEdge
	fail  int32 // the node of the longest end of this text that begins another one
	found int32 // the nearest node on the way of fail where a text ends, or 0
	ends  []int // the texts that end here, by the numbers that add got
}

type finderEdge struct {
	char byte
	to   int32
}

func newFinder() *finder { return &finder{nodes: make([]finderNode, 1)} }

// add adds a text, which is not empty, with its number.
func (f *finder) add(text string, number int) {
	at := int32(0)
	for i := range len(text) {
		to := f.edge(at, text[i])
		if to == 0 {
			to = int32(len(f.nodes))
			f.nodes = append(f.nodes, finderNode{})
			f.nodes[at].edges = append(f.nodes[at].edges, finderEdge{text[i], to})
		}
		at = to
	}
	f.nodes[at].ends = append(f.nodes[at].ends, number)
}

func (f *finder) edge(at int32, char byte) int32 {
	for _, e := range f.nodes[at].edges {
		if e.char == char {
			return e.to
		}
	}
	return 0
}

// complete must be called once, when all texts have been added.
func (f *finder) complete() {
	var queue []int32
	for _, e := range f.nodes[0].edges {
		f.root[e.char] = e.to
		queue = append(queue, e.to)
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, e := range f.nodes[at].edges {
			n := &f.nodes[e.to]
			n.fail = f.next(f.nodes[at].fail, e.char)
			if n.found = n.fail; f.nodes[n.fail].ends == nil {
				n.found = f.nodes[n.fail].found
			}
			queue = append(queue, e.to)
		}
	}
}

func (f *finder) next(at int32, char byte) int32 {
	for at != 0 {
		if to := f.edge(at, char); to != 0 {
			return to
		}
		at = f.nodes[at].fail
	}
	return f.root[char]
}

// read goes on from a state, 0 at first, over a text, and calls found with the number of each text that ends in it.
func (f *finder) read(state int32, text string, found func(number int)) int32 {
	for i := range len(text) {
		state = f.next(state, text[i])
		for at := state; at != 0; at = f.nodes[at].found {
			for _, number := range f.nodes[at].ends {
				found(number)
			}
		}
	}
	return state
}
