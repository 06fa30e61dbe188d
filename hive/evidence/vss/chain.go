package vss

import (
	"errors"
	"fmt"

	"regvet/hive/evidence/block"
)

// chain is blocks of one kind, each of which tells where it lies and where the next one does.
type chain struct {
	r     block.Reader
	kind  uint32
	what  string            // it is, for messages
	place func(int64) int64 // returns where in the volume a place of the store lies, or -1; nil for the catalog
	next  int64             // where the next block lies; 0 at the end

	at   int64 // where the last one that was read lies
	seen map[int64]bool
}

// longest is how many blocks of a chain are read: the bitmap of a volume of 64 TB has half as many.
const longest = 1 << 16

// damaged returns the error that something in the last block is wrong.
func (c *chain) damaged(i int, why string) error {
	return block.NewGap(c.r, c.at+int64(i), "%s is damaged: %s", c.what, why)
}

// read returns the next block.
func (c *chain) read() ([]byte, error) {
	c.at = c.next
	switch {
	case !holds(c.r, c.at, blockSize):
		return nil, c.damaged(0, "it would not lie inside of the volume")
	case len(c.seen) == longest:
		return nil, c.damaged(0, "it has more blocks than there can be")
	}
	raw, err := block.Read(c.r, c.at, blockSize)
	if err != nil {
		return nil, err
	}
	if err := c.verify(raw); err != nil {
		return nil, c.damaged(0, err.Error())
	}
	if c.seen == nil {
		c.seen = map[int64]bool{}
	}
	c.seen[c.at] = true
	c.next = int64(le.Uint64(raw[40:]))
	if c.seen[c.next] {
		return nil, c.damaged(40, "it leads back to itself")
	}
	return raw, nil
}

// verify holds what the header of a block tells about itself against what is known.
func (c *chain) verify(raw []byte) error {
	version, kind := le.Uint32(raw[16:]), le.Uint32(raw[20:])
	switch {
	case string(raw[:16]) != signature:
		return errors.New("a block does not begin with the signature of shadow copies")
	case version != 1 && version != 2:
		return fmt.Errorf("a block has the unknown version %d", version)
	case kind != c.kind:
		return fmt.Errorf("a block is of type %d, not %d", kind, c.kind)
	case int64(le.Uint64(raw[32:])) != c.at:
		return fmt.Errorf("a block belongs to %#x", le.Uint64(raw[32:]))
	}
	relative := int64(le.Uint64(raw[24:]))
	if c.place == nil {
		if relative != int64(len(c.seen))*blockSize {
			return fmt.Errorf("block %d tells that it is at %#x of it", len(c.seen), relative)
		}
		return nil
	}
	if relative%blockSize != 0 || c.place(relative) != c.at {
		return fmt.Errorf("a block would be at %#x of the store, which lies elsewhere", relative)
	}
	return nil
}
