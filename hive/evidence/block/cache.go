package block

import "io"

const (
	chunkSize = 64 << 10 // bytes that are read at a time
	mostHeld  = 16 << 20 // bytes
)

// Cached returns the same content, of which it keeps what was read last: 16 MB in chunks of 64 KiB. Most of what a filesystem asks for is small
// and lies where it asked before. Errors are not kept.
func Cached(r Reader) Reader { return &cache{r, NewLRU[int64, []byte](mostHeld)} }

type cache struct {
	r    Reader
	held *LRU[int64, []byte] // chunks by their numbers
}

func (c *cache) Size() int64 { return c.r.Size() }

func (c *cache) Locate(at int64) (string, int64) { return Locate(c.r, at) }

func (c *cache) ReadAt(p []byte, at int64) (n int, err error) {
	if len(p) >= 4*chunkSize { // the content of a large file, which is read once
		return c.r.ReadAt(p, at)
	}
	for n < len(p) {
		number := (at + int64(n)) / chunkSize
		if at < 0 || number*chunkSize >= c.Size() {
			return n, io.EOF
		}
		data, err := c.chunk(number)
		if err != nil { // perhaps of a part of the chunk that was not asked for
			more, err := c.r.ReadAt(p[n:], at+int64(n))
			return n + more, err
		}
		skip := int(at + int64(n) - number*chunkSize)
		if skip >= len(data) {
			return n, io.EOF
		}
		n += copy(p[n:], data[skip:])
	}
	return n, nil
}

func (c *cache) chunk(number int64) ([]byte, error) {
	if data, ok := c.held.Get(number); ok {
		return data, nil
	}
	data, err := Read(c.r, number*chunkSize, int(min(chunkSize, c.r.Size()-number*chunkSize)))
	if err != nil {
		return nil, err
	}
	c.held.Add(number, data, len(data))
	return data, nil
}
