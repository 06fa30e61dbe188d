package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"regvet/hive/evidence/block"
)

// mostPrefix is where 7-Zip looks for an archive behind a program that unpacks it, in bytes.
const mostPrefix = 1 << 20

// IsProgram reports whether a file begins as a program does, which may unpack an archive that stands behind it.
func IsProgram(head []byte) bool {
	return slices.ContainsFunc([]string{"MZ", "\x7fELF", "#!"}, func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) })
}

// detectBehindProgram returns what opens an archive that stands behind something else: a program that unpacks it. A disk with an archive in its
// last file is none.
func (a *Archive) detectBehindProgram(head []byte) (func() error, error) {
	program := IsProgram(head)
	if !program && len(head) >= 512 && head[510] == 0x55 && head[511] == 0xAA {
		return nil, nil
	}
	if e, err := a.findEnd(); err == nil && e.count > 0 && !e.disk { // a program that reads archives has the signature of an end, too
		return a.openZip, nil
	} else if block.IsGap(err) {
		return nil, err
	}
	if !program {
		return nil, nil
	}
	data, err := block.Read(a.f, 0, int(min(mostPrefix, a.f.Size())))
	if err != nil {
		return nil, err
	}
	for at := 0; ; at++ {
		next := bytes.Index(data[at:], []byte(sevenMagic))
		if next < 0 {
			return nil, nil
		}
		at += next
		if h := data[at:]; len(h) >= sevenStart && crc32.ChecksumIEEE(h[12:sevenStart]) == binary.LittleEndian.Uint32(h[8:]) {
			base := int64(at)
			return func() error { return a.openSeven(base) }, nil
		}
	}
}
