package imagetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"strings"
)

// VMDK says how a VMDK image is written.
type VMDK struct {
	Name   string // of the file with the descriptor, "disk.vmdk"
	Type   string // its createType: "monolithicSparse", "streamOptimized", "vmfsSparse", ...
	Piece  int    // bytes of an extent of the types that have several, 0 for 1 MB
	Zeroed bool   // a grain of zeros is said to be zero, where it else is left out
	CID    uint32
	Base   *VMDK  // the image that this one builds on
	Under  []byte // and its content: grains that are as there are left out
}

const (
	vmdkSector = 512
	vmdkGrain  = 64 << 10
	vmdkTable  = 512 // entries of a grain table
)

// Write returns the files of an image by their names. The content is a multiple of 512 bytes long.
func (v VMDK) Write(content []byte) map[string][]byte {
	files := map[string][]byte{}
	stem, _ := strings.CutSuffix(v.Name, ".vmdk")
	piece := len(content)
	if strings.Contains(v.Type, "GbMaxExtent") {
		if piece = v.Piece; piece == 0 {
			piece = 1 << 20
		}
	}
	var lines []string
	for number, at := 1, 0; at < len(content); number, at = number+1, at+piece {
		part := content[at:min(at+piece, len(content))]
		var under []byte
		if v.Base != nil {
			under = v.Under[min(at, len(v.Under)):min(at+len(part), len(v.Under))]
		}
		name, kind := v.extent(stem, number)
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("RW %d %s %q", len(part)/vmdkSector, kind, name)))
		switch {
		case kind == "FLAT" || kind == "VMFS":
			lines[len(lines)-1] += " 0"
			files[name] = bytes.Clone(part)
		case kind == "VMFSSPARSE":
			files[name] = v.cowd(part, under)
		case name == v.Name:
			files[name] = v.sparse(part, under, v.descriptor(lines))
		default:
			files[name] = v.sparse(part, under, "")
		}
	}
	if files[v.Name] == nil {
		files[v.Name] = []byte(v.descriptor(lines))
	}
	return files
}

// extent names an extent, and its kind.
func (v VMDK) extent(stem string, number int) (name, kind string) {
	switch {
	case v.Type == "vmfsSparse":
		return stem + "-delta.vmdk", "VMFSSPARSE"
	case v.Type == "vmfs":
		return stem + "-flat.vmdk", "VMFS"
	case v.Type == "monolithicFlat":
		return stem + "-flat.vmdk", "FLAT"
	case strings.HasSuffix(v.Type, "Flat"):
		return fmt.Sprintf("%s-f%03d.vmdk", stem, number), "FLAT"
	case strings.HasSuffix(v.Type, "ExtentSparse"):
		return fmt.Sprintf("%s-s%03d.vmdk", stem, number), "SPARSE"
	}
	return v.Name, "SPARSE"
}

func (v VMDK) descriptor(extents []string) string {
	parent, hint := uint32(1<<32-1), ""
	if v.Base != nil {
		parent, hint = v.Base.CID, fmt.Sprintf("parentFileNameHint=\"C:\\VMs\\%s\"\n", v.Base.Name)
	}
	return fmt.Sprintf("# Disk DescriptorFile\nversion=1\nCID=%08x\nparentCID=%08x\ncreateType=%q\n%s\n# Extent description\n%s\n\n"+
		"# The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"7\"\nddb.adapterType = \"lsilogic\"\n",
		v.CID, parent, v.Type, hint, strings.Join(extents, "\n"))
}

// pad appends zeros up to the next multiple of size, and returns the number of the sector that begins there.
func pad(file *[]byte, size int) uint32 {
	if rest := len(*file) % size; rest != 0 {
		*file = append(*file, make([]byte, size-rest)...)
	}
	return uint32(len(*file) / vmdkSector)
}

// left reports whether a grain is left out, and whether it is zero.
func (v VMDK) left(grain, under []byte) (out, zero bool) {
	zero = len(bytes.Trim(grain, "\x00")) == 0
	if v.Base != nil {
		same := make([]byte, len(grain))
		copy(same, under)
		return bytes.Equal(grain, same), zero
	}
	return zero && !v.Zeroed, zero
}

// sparse writes an extent of the hosted products.
func (v VMDK) sparse(content, under []byte, descriptor string) []byte {
	grains := (len(content) + vmdkGrain - 1) / vmdkGrain
	tables := (grains + vmdkTable - 1) / vmdkTable
	stream := v.Type == "streamOptimized"
	file := make([]byte, vmdkSector)
	if descriptor != "" {
		file = append(file, descriptor...)
		file = append(file, make([]byte, 20*vmdkSector-len(descriptor))...)
	}
	var redundant, directory uint32
	if !stream { // each directory before its tables
		directorySize := (tables*4 + vmdkSector - 1) / vmdkSector
		redundant = pad(&file, vmdkSector)
		file = append(file, make([]byte, directorySize*vmdkSector+tables*vmdkTable*4)...)
		directory = pad(&file, vmdkSector)
		file = append(file, make([]byte, directorySize*vmdkSector+tables*vmdkTable*4)...)
		for _, at := range []uint32{redundant, directory} {
			for i := range tables {
				binary.LittleEndian.PutUint32(file[int(at)*vmdkSector+i*4:], at+uint32(directorySize+i*vmdkTable*4/vmdkSector))
			}
		}
	}
	overhead := pad(&file, vmdkGrain)
	entries := make([]uint32, tables*vmdkTable)
	for i := range grains {
		grain := content[i*vmdkGrain : min((i+1)*vmdkGrain, len(content))]
		out, zero := v.left(grain, under[min(i*vmdkGrain, len(under)):])
		switch {
		case out:
		case zero && v.Zeroed && !stream:
			entries[i] = 1
		case stream:
			entries[i] = pad(&file, vmdkSector)
			file = append(file, marker(uint64(i*vmdkGrain/vmdkSector), grain)...)
		default:
			entries[i] = pad(&file, vmdkGrain)
			file = append(file, grain...)
		}
	}
	pad(&file, vmdkSector)
	flags := uint32(3)
	version := uint32(1)
	switch {
	case stream:
		version, flags = 3, 1|1<<16|1<<17
		directory = v.streamTables(&file, entries)
	case v.Zeroed:
		version, flags = 2, 7
	}
	for _, at := range []uint32{redundant, directory} {
		for i, entry := range entries {
			if stream {
				break
			}
			table := binary.LittleEndian.Uint32(file[int(at)*vmdkSector+i/vmdkTable*4:])
			binary.LittleEndian.PutUint32(file[int(table)*vmdkSector+i%vmdkTable*4:], entry)
		}
	}
	header := func(directory uint64) []byte {
		h := binary.LittleEndian.AppendUint32([]byte("KDMV"), version)
		h = binary.LittleEndian.AppendUint32(h, flags)
		h = binary.LittleEndian.AppendUint64(h, uint64(len(content)/vmdkSector))
		h = binary.LittleEndian.AppendUint64(h, vmdkGrain/vmdkSector)
		if descriptor != "" {
			h = binary.LittleEndian.AppendUint64(h, 1)
			h = binary.LittleEndian.AppendUint64(h, 20)
		} else {
			h = append(h, make([]byte, 16)...)
		}
		h = binary.LittleEndian.AppendUint32(h, vmdkTable)
		h = binary.LittleEndian.AppendUint64(h, uint64(redundant))
		h = binary.LittleEndian.AppendUint64(h, directory)
		h = binary.LittleEndian.AppendUint64(h, uint64(overhead))
		h = append(h, 0, '\n', ' ', '\r', '\n')
		if stream {
			h = append(h, 1)
		}
		return append(h, make([]byte, vmdkSector-len(h))...)
	}
	if !stream {
		copy(file, header(uint64(directory)))
		return file
	}
	copy(file, header(1<<64-1))
	file = append(file, metadata(1, 3)...)
	file = append(file, header(uint64(directory))...)
	return append(file, metadata(0, 0)...)
}

// streamTables writes the tables of a stream, those only that lead anywhere, and returns where their directory is.
func (v VMDK) streamTables(file *[]byte, entries []uint32) (directory uint32) {
	var tables []uint32
	for i := 0; i < len(entries); i += vmdkTable {
		var used uint32
		var table []byte
		for _, entry := range entries[i : i+vmdkTable] {
			used |= entry
			table = binary.LittleEndian.AppendUint32(table, entry)
		}
		if used == 0 {
			tables = append(tables, 0)
			continue
		}
		*file = append(*file, metadata(vmdkTable*4/vmdkSector, 1)...)
		tables = append(tables, pad(file, vmdkSector))
		*file = append(*file, table...)
	}
	*file = append(*file, metadata(uint64(len(tables)*4+vmdkSector-1)/vmdkSector, 2)...)
	directory = pad(file, vmdkSector)
	for _, table := range tables {
		*file = binary.LittleEndian.AppendUint32(*file, table)
	}
	pad(file, vmdkSector)
	return directory
}

// marker returns a compressed grain behind its marker.
func marker(first uint64, grain []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(grain)
	z.Close()
	m := binary.LittleEndian.AppendUint64(nil, first)
	m = binary.LittleEndian.AppendUint32(m, uint32(b.Len()))
	return append(m, b.Bytes()...)
}

// metadata returns the marker of sectors of metadata.
func metadata(sectors uint64, kind uint32) []byte {
	m := binary.LittleEndian.AppendUint64(nil, sectors)
	m = binary.LittleEndian.AppendUint32(m, 0)
	m = binary.LittleEndian.AppendUint32(m, kind)
	return append(m, make([]byte, vmdkSector-len(m))...)
}

// cowd writes an extent of ESX Server, with grains of one sector.
func (v VMDK) cowd(content, under []byte) []byte {
	const perTable = 4096
	grains := len(content) / vmdkSector
	tables := (grains + perTable - 1) / perTable
	file := make([]byte, 4*vmdkSector)
	copy(file, "COWD")
	for at, value := range map[int]uint32{4: 1, 8: 3, 12: uint32(grains), 16: 1, 20: 4, 24: uint32(tables)} {
		binary.LittleEndian.PutUint32(file[at:], value)
	}
	directory := len(file)
	file = append(file, make([]byte, tables*4)...)
	for i := range grains {
		grain := content[i*vmdkSector : (i+1)*vmdkSector]
		if out, _ := v.left(grain, under[min(i*vmdkSector, len(under)):]); out {
			continue
		}
		at := directory + i/perTable*4
		table := binary.LittleEndian.Uint32(file[at:])
		if table == 0 {
			table = pad(&file, vmdkSector)
			binary.LittleEndian.PutUint32(file[at:], table)
			file = append(file, make([]byte, perTable*4)...)
		}
		binary.LittleEndian.PutUint32(file[int(table)*vmdkSector+i%perTable*4:], pad(&file, vmdkSector))
		file = append(file, grain...)
	}
	pad(&file, vmdkSector)
	binary.LittleEndian.PutUint32(file[28:], uint32(len(file)/vmdkSector))
	return file
}
