package archive

import (
	"encoding/binary"
	"time"
	"unicode/utf16"

	"regvet/hive/evidence/block"
)

// sevenFiles is what the database says about all members.
type sevenFiles struct {
	names           []byte // UTF-16, each with a zero behind it
	noContent       []bool
	emptyFile, anti []bool // of those without content
	modified        []uint64
	attributes      []uint32
}

// files lists the members.
func (s *seven) files(f *fields, sizes []int64, sums []sum) error {
	count := f.count(8)
	if count > mostMembers {
		return errTooMany
	}
	all, err := readSevenFiles(f, count)
	if err != nil {
		return err
	}
	folder, inFolder, offset, empty, content := -1, 0, int64(0), 0, 0
	names := all.names
	for i := range count {
		m := &member{}
		name, rest, ok := cutUTF16(names)
		if !ok {
			return errSeven
		}
		names = rest
		if all.modified != nil && all.modified[i] != 0 && all.modified[i] < 1<<62 {
			m.setTime(time.Unix(int64(all.modified[i]/1e7)-11644473600, int64(all.modified[i]%1e7)*100))
		}
		if all.attributes != nil {
			m.setAttributes(all.attributes[i])
		}
		if isSet(all.noContent, i) {
			m.state = examined
			if !isSet(all.emptyFile, empty) {
				m.kind = directory
			}
			if isSet(all.anti, empty) {
				name = ""
			}
			empty++
		} else {
			for folder < 0 || inFolder == s.folders[folder].members {
				folder, inFolder, offset = folder+1, 0, 0
				if folder >= len(s.folders) {
					return errSeven
				}
			}
			s.place(m, folder, offset, sizes[content], sums[content])
			offset += m.size
			inFolder++
			content++
		}
		if name == "" {
			continue
		}
		if err := s.a.add(m, name); err != nil {
			return err
		}
	}
	if content != len(sizes) || len(names) != 0 {
		return errSeven
	}
	return nil
}

// place says where the content of a member is.
func (s *seven) place(m *member, folder int, offset, size int64, sum sum) {
	m.stream, m.data, m.size, m.crc, m.at = int32(folder), offset, size, sum.crc, s.folders[folder].at
	s.total += size
	switch {
	case !sum.there && size > 0:
		m.err = block.NewGap(s.a.f, m.at, "has no checksum, so that its content cannot be verified; %s", unpackAdvice)
	case s.total > mostUnpacked(s.a.f.Size()):
		m.err = s.a.gap(m, errAllTooLarge)
	}
	s.byPlace = append(s.byPlace, m)
}

// setAttributes tells folders and links by the attributes of Windows, or of Unix above them.
func (m *member) setAttributes(attributes uint32) {
	const directoryBit, reparse, unix = 0x10, 0x400, 0x8000
	switch mode := attributes >> 16 & 0xF000; {
	case attributes&unix != 0 && mode == 0xA000, attributes&reparse != 0:
		m.kind = link
	case attributes&directoryBit != 0, attributes&unix != 0 && mode == 0x4000:
		m.kind = directory
	}
}

// cutUTF16 returns the text before the first zero, and what follows it.
func cutUTF16(b []byte) (text string, rest []byte, ok bool) {
	var units []uint16
	for i := 0; i+1 < len(b); i += 2 {
		unit := binary.LittleEndian.Uint16(b[i:])
		if unit == 0 {
			return string(utf16.Decode(units)), b[i+2:], true
		}
		units = append(units, unit)
	}
	return "", nil, false
}

// readSevenFiles reads the properties of all members.
func readSevenFiles(f *fields, count int) (*sevenFiles, error) {
	all, empty := &sevenFiles{}, 0
	for {
		id := f.number()
		if id == idEnd || f.err != nil {
			return all, f.err
		}
		p := &fields{b: f.bytes(f.number())}
		switch id {
		case idEmptyStream:
			all.noContent, empty = p.bits(count), 0
			for _, none := range all.noContent {
				empty += btoi(none)
			}
		case idEmptyFile:
			all.emptyFile = p.bits(empty)
		case idAnti:
			all.anti = p.bits(empty)
		case idNames:
			p.want(0)
			all.names = p.bytes(uint64(len(p.b) - p.at))
		case idModified:
			all.modified = perMember(p, count, 8, binary.LittleEndian.Uint64)
		case idAttributes:
			all.attributes = perMember(p, count, 4, binary.LittleEndian.Uint32)
		}
		if p.err != nil {
			return nil, p.err
		}
	}
}

// perMember reads a property that some members have.
func perMember[T any](f *fields, count int, size uint64, value func([]byte) T) []T {
	defined := f.defined(count)
	f.want(0) // no other place
	list := make([]T, count)
	for i, there := range defined {
		if there {
			if b := f.bytes(size); b != nil {
				list[i] = value(b)
			}
		}
	}
	return list
}
