package imagetest

import (
	"bytes"
	"slices"
)

const ntfsWOFTag = 0x80000017 // of the reparse point of a file that Windows 10 compressed

// compressed stores content in units of 16 clusters, compressed if that saves at least one of them.
func (w *ntfsWriter) compressed(content []byte, fragments int) ntfsAttribute {
	const unit = 16
	var runs []ntfsRun
	for part := range slices.Chunk(content, unit*w.Cluster) {
		var packed []byte
		whole := append(slices.Clone(part), make([]byte, -len(part)&4095)...) // Windows compresses pages
		for chunk := range slices.Chunk(whole, 4096) {
			packed = append(packed, lznt1(chunk)...)
		}
		packed = append(packed, 0, 0)
		if w.clusters(len(packed)) >= unit {
			packed = append(slices.Clone(part), make([]byte, unit*w.Cluster-len(part))...)
		} else if len(bytes.Trim(part, "\x00")) == 0 {
			packed = nil
		}
		runs = w.appendPart(runs, packed, unit, fragments)
	}
	a := w.mapped(ntfsData, "", runs, len(content))
	a.flags, a.unit = 1, 4
	return a
}

// lznt1 compresses a chunk of up to 4096 bytes. It is stored as it is if it does not get smaller.
func lznt1(chunk []byte) []byte {
	out := []byte{0, 0}
	last := map[[3]byte]int{}
	flag := 0
	for i, n := 0, 0; i < len(chunk); n++ {
		if n%8 == 0 {
			flag = len(out)
			out = append(out, 0)
		}
		wide := 4
		for i-1 >= 1<<wide {
			wide++
		}
		length := 0
		var key [3]byte
		copy(key[:], chunk[i:])
		if at, ok := last[key]; ok && i+3 <= len(chunk) {
			for length < 1<<(16-wide)+2 && i+length < len(chunk) && chunk[at+length] == chunk[i+length] {
				length++
			}
			out = ntfsLE.AppendUint16(out, uint16((i-at-1)<<(16-wide)|(length-3)))
			out[flag] |= 1 << (n % 8)
		} else {
			length = 1
			out = append(out, chunk[i])
		}
		for range length {
			copy(key[:], chunk[i:])
			last[key] = i
			i++
		}
	}
	if len(out)-2 < len(chunk) {
		ntfsLE.PutUint16(out, 0xB000|uint16(len(out)-3))
		return out
	}
	return append(ntfsLE.AppendUint16(nil, 0x3000|uint16(len(chunk)-1)), chunk...)
}

// ntfsWOF returns the reparse point of a file that Windows 10 compressed by XPRESS4K.
func ntfsWOF() []byte {
	var raw []byte
	for _, n := range []uint32{ntfsWOFTag, 16, 1, 2, 1, 0} {
		raw = ntfsLE.AppendUint32(raw, n)
	}
	return raw
}

// ntfsChunks returns what the stream WofCompressedData holds: where the chunks begin, and they.
func ntfsChunks(content []byte) []byte {
	var table, chunks []byte
	for part := range slices.Chunk(content, 4096) {
		if len(chunks) > 0 {
			table = ntfsLE.AppendUint32(table, uint32(len(chunks)))
		}
		if packed := xpressHuffman(part); len(packed) < len(part) {
			part = packed
		}
		chunks = append(chunks, part...)
	}
	return append(table, chunks...)
}

// xpressHuffman compresses a chunk with a code of nine bits for each symbol.
func xpressHuffman(chunk []byte) []byte {
	const wide = 9
	out := append(bytes.Repeat([]byte{wide<<4 | wide}, 256), 0, 0, 0, 0)
	places := [2]int{256, 258} // of the words that are being filled, as the reader reads ahead
	free, word := 16, uint32(0)
	write := func(n int, bits uint32) {
		if n <= free {
			free -= n
			word = word<<n | bits
			return
		}
		word = word<<free | bits>>(n-free)
		ntfsLE.PutUint16(out[places[0]:], uint16(word))
		places = [2]int{places[1], len(out)}
		out = append(out, 0, 0)
		free += 16 - n
		word = bits & (1<<(16-free) - 1)
	}
	last := map[[3]byte]int{}
	for i := 0; i < len(chunk); {
		length := 0
		var key [3]byte
		copy(key[:], chunk[i:])
		if at, ok := last[key]; ok && i+3 <= len(chunk) {
			for i+length < len(chunk) && chunk[at+length] == chunk[i+length] {
				length++
			}
			back, far := i-at, 0
			for 2<<far <= back {
				far++
			}
			write(wide, uint32(256+far<<4+min(15, length-3)))
			switch rest := length - 3 - 15; {
			case rest >= 255:
				out = ntfsLE.AppendUint16(append(out, 255), uint16(length-3))
			case rest >= 0:
				out = append(out, byte(rest))
			}
			write(far, uint32(back-1<<far))
		} else {
			length = 1
			write(wide, uint32(chunk[i]))
		}
		for range length {
			copy(key[:], chunk[i:])
			last[key] = i
			i++
		}
	}
	ntfsLE.PutUint16(out[places[0]:], uint16(word<<free))
	return out
}
