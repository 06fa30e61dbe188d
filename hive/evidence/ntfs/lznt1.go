package ntfs

import (
	"errors"
	"math/bits"
)

const lzntChunk = 4096 // bytes that are compressed together

// lznt1 returns the first size bytes of what was compressed. That there are fewer is an error, for a sector of zeros would look like the end.
// Source: Microsoft, [MS-XCA] 2.5.
func lznt1(raw []byte, size int) ([]byte, error) {
	out := make([]byte, 0, size+lzntChunk)
	for len(out) < size {
		if len(raw) < 2 || raw[0] == 0 && raw[1] == 0 {
			return nil, errors.New("ends too early")
		}
		header := le.Uint16(raw)
		length := int(header&0xFFF) + 1
		if header>>12&7 != 3 || length > len(raw)-2 {
			return nil, errors.New("is damaged")
		}
		start := len(out)
		if header&0x8000 == 0 {
			out = append(out, raw[2:2+length]...)
		} else {
			var err error
			if out, err = lzntPart(out, raw[2:2+length]); err != nil {
				return nil, err
			}
		}
		if got := len(out) - start; got < lzntChunk && len(out) < size {
			return nil, errors.New("is damaged")
		}
		raw = raw[2+length:]
	}
	return out[:size], nil
}

// lzntPart appends what one chunk holds: groups of eight literals or references, with a bit for each before them.
func lzntPart(out, raw []byte) ([]byte, error) {
	start := len(out)
	for i := 0; i < len(raw); {
		kinds := raw[i]
		i++
		for bit := 0; bit < 8 && i < len(raw); bit++ {
			done := len(out) - start
			if kinds>>bit&1 == 0 {
				if done == lzntChunk {
					return nil, errors.New("is damaged")
				}
				out = append(out, raw[i])
				i++
				continue
			}
			if done == 0 || len(raw)-i < 2 {
				return nil, errors.New("is damaged")
			}
			// The more there is to refer to, the more bits tell how far back; the others tell the length.
			wide := max(4, bits.Len(uint(done-1)))
			token := int(le.Uint16(raw[i:]))
			i += 2
			length, back := token&(1<<(16-wide)-1)+3, token>>(16-wide)+1
			if back > done || done+length > lzntChunk {
				return nil, errors.New("is damaged")
			}
			for range length {
				out = append(out, out[len(out)-back])
			}
		}
	}
	return out, nil
}
