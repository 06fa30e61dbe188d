package hive_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/shared"
)

func TestRecord(t *testing.T) {
	root := &hivetest.Key{Keys: []*hivetest.Key{{Name: "plain"}, {Name: "classy", Class: "Größe 𐐀", Flags: 0x8 | 0x4000}}}
	data, at := hivetest.BuildLayout(root, hivetest.Options{})
	f, err := hive.Read("test", data)
	if err != nil {
		t.Fatal(err)
	}
	r := f.Root().Key("classy").Record()
	if diff := cmp.Diff([]string{"no-delete", "compressed-name", "0x4000"}, r.Flags.Names()); diff != "" {
		t.Error(diff)
	}
	if r.Class != "Größe 𐐀" {
		t.Errorf("class %q", r.Class)
	}
	if sddl, err := hive.SDDL(r.Security); err != nil || !strings.HasPrefix(sddl, "O:") || r.SDDL != sddl || r.Fault != "" {
		t.Errorf("security %q, %v; the record has %q, %q", sddl, err, r.SDDL, r.Fault)
	}
	if got := f.Root().Key("plain").Record(); got.Class != "" || len(f.Problems()) != 0 {
		t.Errorf("%+v, %v", got, f.Problems())
	}
	if hive.NewKey("k", nil).Record() != nil {
		t.Error("a key in memory has a record")
	}
	// Damage is reported, and the rest is read.
	for _, c := range []struct {
		damaged []byte
		want    string
	}{
		{hivetest.Set16(data, at.Key("classy").Node+hivetest.NodeClassLength, 5000), `the class name of key "classy" is longer than its cell`},
		{hivetest.Free(data, at.Key("classy").Class), `the class name of key "classy" cannot be read: its cell is not at the start of a cell in use`},
		{hivetest.Sign(data, at.Security, "xx"), "the security descriptor of key \"classy\", and of those that share it, cannot be read: its cell is not signed \"sk\""},
		{hivetest.Set32(data, at.Security+hivetest.SecurityLength, 0xFFFFFFFF), "the security descriptor of key \"classy\", and of those that share it, is said to have 4294967295 bytes, its cell has 128"},
		{hivetest.Set32(data, at.Security+hivetest.SecurityLength, 0), "the security descriptor of key \"classy\", and of those that share it, is damaged: there is no security descriptor at 0x0: it has at least 20 bytes and starts with 1"},
		{hivetest.Set16(data, at.Security+hivetest.SecurityDescriptor+22, 4), "the security descriptor of key \"classy\", and of those that share it, is damaged: the access control list at 0x14 has an impossible size of 4 bytes"},
	} {
		f, err := hive.Read("test", c.damaged)
		if err != nil {
			t.Fatal(err)
		}
		if r := f.Root().Key("classy").Record(); len(r.Flags.Names()) != 3 {
			t.Errorf("%+v", r)
		}
		r := f.Root().Key("plain").Record() // shares the descriptor
		if security := strings.Contains(c.want, "security"); security != (r.Fault != "") || security == (r.SDDL != "") {
			t.Errorf("%s: %+v", c.want, r)
		}
		if p := f.Problems(); len(p) != 1 || p[0].Msg != c.want {
			t.Errorf("problems %v, want %s", p, c.want)
		}
	}
	// A key need not have a descriptor.
	f, err = hive.Read("test", hivetest.Refer(data, at.Key("plain").Node+hivetest.NodeSecurity, 0))
	if err != nil {
		t.Fatal(err)
	}
	if r := f.Root().Key("plain").Record(); r.Security != nil || r.SDDL != "" || r.Fault != "" || len(f.Problems()) > 0 {
		t.Errorf("%+v, problems %v", r, f.Problems())
	}
}

// TestRecordAtOnce checks that damage that many keys share is reported once, even if they are read in parallel.
func TestRecordAtOnce(t *testing.T) {
	data, at := hivetest.BuildLayout(wideTree(100, "lh"), hivetest.Options{})
	f, err := hive.Read("test", hivetest.Sign(data, at.Security, "xx"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, k := range f.Root().Walk() {
				if k.Record().Fault == "" {
					t.Errorf("%q has a descriptor", k.Name())
				}
			}
		})
	}
	all.Wait()
	if p := f.Problems(); len(p) != 1 || p[0].Kind != hive.BadSecurity || !p[0].Loss {
		t.Errorf("problems %v", p)
	}
}

// sharing returns hives with 2,000 keys that share 64 KB: of a class name, of a sound descriptor, or of descriptors that overlap where a damaged
// cell hides which cells there are.
func sharing() map[string][]byte {
	const n, step, size = 2000, 48, 65_528
	root := &hivetest.Key{Values: []hive.Value{{Name: "v", Type: hive.Binary, Data: make([]byte, n*step+size+100)}}}
	for i := range n {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("%05d", i)})
	}
	acl := []byte{2, 0, size & 0xFF, size >> 8, (size - 8) / 16 & 0xFF, (size - 8) / 16 >> 8, 0, 0}
	for len(acl) < size {
		acl = append(acl, 0, 0xFF, 16, 0, 0xFE, 0xFF, 0xFF, 0x0F, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)
	}
	plain, at := hivetest.BuildLayout(root, hivetest.Options{Minor: 3})
	data := at.Key("").Value("v").Data
	record := func(b []byte, place, length int, dacl int) {
		copy(b[place:], "sk")
		le.PutUint32(b[place+hivetest.SecurityLength:], uint32(length))
		descriptor := b[place+hivetest.SecurityDescriptor:]
		copy(descriptor, []byte{1, 0, 4, 0x80})
		le.PutUint32(descriptor[16:], uint32(dacl))
	}
	all := map[string][]byte{}
	for name, each := range map[string]func(b []byte, node, i int){
		"one class": func(b []byte, node, _ int) {
			le.PutUint32(b[node+hivetest.NodeClass:], hivetest.Ref(data))
			le.PutUint16(b[node+hivetest.NodeClassLength:], 0xFFFE)
		},
		"one descriptor": func(b []byte, node, _ int) {
			record(b, data, 20+size, 20)
			copy(b[data+hivetest.SecurityDescriptor+20:], acl)
			le.PutUint32(b[node+hivetest.NodeSecurity:], hivetest.Ref(data))
		},
		"descriptors over one another": func(b []byte, node, i int) {
			le.PutUint32(b[data-4:], 12) // no size of a cell
			place := data + 8 + i*step
			behind := data + 8 + n*step - place - hivetest.SecurityDescriptor
			le.PutUint32(b[place-4:], uint32(-(hivetest.SecurityDescriptor+behind+size+4+7)/8*8))
			record(b, place, behind+size, behind)
			copy(b[data+8+n*step:], acl)
			le.PutUint32(b[node+hivetest.NodeSecurity:], hivetest.Ref(place))
		},
	} {
		b := bytes.Clone(plain)
		for i, k := range root.Keys {
			each(b, at.Key(k.Name).Node, i)
		}
		all[name] = b
	}
	return all
}

// TestRecordHostile checks that the classes and descriptors of a hive are bounded by its size, and that one that is left out is reported and
// never taken for absent. One descriptor for many keys is normal.
func TestRecordHostile(t *testing.T) {
	for name, b := range sharing() {
		before := allocated()
		f := read(t, b)
		classes, descriptors, left := 0, map[string]bool{}, 0
		for _, k := range f.Root().Walk() {
			r := k.Record()
			classes += len(r.Class)
			descriptors[r.SDDL] = true
			switch {
			case r.ClassFault != "":
				if left++; r.Class != "" || r.ClassFault != "is left out: the hive names the same bytes over and over" {
					t.Fatalf("%s: %+v", name, r)
				}
			case r.Fault != "":
				if left++; r.Security != nil || r.SDDL != "" || r.Fault != "is left out: the hive names the same bytes over and over" {
					t.Fatalf("%s: %+v", name, r)
				}
			}
			if again := k.Record(); again.Class != r.Class || again.SDDL != r.SDDL || again.Fault != r.Fault {
				t.Fatalf("%s: read again, the record of %q differs", name, k.Name())
			}
		}
		size := classes
		for text := range descriptors {
			size += len(text)
		}
		if made := allocated() - before; size > 5*len(b) || made > 30*uint64(len(b)) {
			t.Errorf("%s: a hive of %d bytes has %d of classes and descriptors, and becomes %d", name, len(b), size, made)
		}
		amplified := 0
		for _, p := range f.Problems() {
			if p.Kind != hive.Amplified {
				continue
			}
			amplified++
			if more := fmt.Sprintf("%d more problems of the kind amplified are not listed; the first of them is here", left-100); !p.Loss || isCount(p) && p.Msg != more {
				t.Errorf("%s: %v, want %s", name, &p, more)
			}
		}
		if sound := name == "one descriptor"; sound && (left > 0 || amplified > 0 || len(descriptors) != 2) || !sound && (left < 1900 || amplified != 101) {
			t.Errorf("%s: %d left out, %d descriptors, problems %v", name, left, len(descriptors), f.Problems()[:3])
		}
	}
}

func TestAccessBitsAndLayer(t *testing.T) {
	data, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{{Name: "k"}}}, hivetest.Options{Minor: 6})
	for _, c := range []struct {
		field  uint16
		access byte
		layer  []string
	}{
		{0x0000, 0, []string{}},
		{0x0003, 3, []string{}},
		{0x0102, 2, []string{"tombstone"}},
		{0x8201, 1, []string{"supersede-local", "inherit-class"}},
		{0xC300, 0, []string{"supersede-tree", "inherit-class", "0x40"}},
	} {
		f, err := hive.Read("test", hivetest.Set16(data, at.Key("k").Node+hivetest.NodeAccessBits, c.field))
		if err != nil {
			t.Fatal(err)
		}
		r := f.Root().Key("k").Record()
		if diff := cmp.Diff(c.layer, r.Layer.Names()); r.AccessBits != c.access || diff != "" {
			t.Errorf("%#04x: access bits %d, want %d\n%s", c.field, r.AccessBits, c.access, diff)
		}
	}
}

// TestUnknownTypes checks that data of types that the registry itself does not define passes through: properties of devices and
// drivers (0xFFFF0000 and the type of the property), and the settings of apps, whose data end with a time.
func TestUnknownTypes(t *testing.T) {
	values := []hive.Value{
		{Name: "property", Type: 0xFFFF0012, Data: hive.EncodeUTF16("text\x00")},
		{Name: "small property", Type: 0xFFFF0011, Data: []byte{0xFF}},
		{Name: "app setting", Type: 0x10C, Data: append(hive.EncodeUTF16("a\x00"), 0x15, 0xCD, 0x5B, 7, 0, 0, 0xD0, 1)},
		{Name: "app flag", Type: 0x10B, Data: []byte{1, 0x15, 0xCD, 0x5B, 7, 0, 0, 0xD0, 1}},
		{Name: "the last", Type: 0xFFFFFFFF},
	}
	f, err := hive.Read("test", hivetest.Build(&hivetest.Key{Values: values}, hivetest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	got := f.Root().Values()
	if len(got) != len(values) {
		t.Fatalf("%d values, want %d", len(got), len(values))
	}
	for i, v := range got {
		if want := values[i]; v.Name != want.Name || v.Type != want.Type || !bytes.Equal(v.Data, want.Data) || v.Short {
			t.Errorf("%+v, want %+v", v, want)
		}
	}
	if len(f.Problems()) > 0 {
		t.Errorf("problems %v", f.Problems())
	}
}

// link returns a key that is a symbolic link.
func link(name, target string) *hivetest.Key {
	return &hivetest.Key{Name: name, Flags: 0x10, Values: []hive.Value{{Name: "SymbolicLinkValue", Type: hive.Link, Data: hive.EncodeUTF16(target)}}}
}

func TestSymbolicLinks(t *testing.T) {
	const system = `\Registry\Machine\SYSTEM\`
	end := &hivetest.Key{Name: "End", Values: []hive.Value{hive.DWordValue("here", 1)}, Keys: []*hivetest.Key{{Name: "Below"}}}
	root := &hivetest.Key{Keys: []*hivetest.Key{
		{Name: "ControlSet001", Keys: []*hivetest.Key{{Name: "Target", Keys: []*hivetest.Key{end}}, link("Alias", system+`ControlSet001\Target`)}},
		{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}},
		link("One", system+`Two\End`), link("Two", system+`ControlSet001\Alias`), link("Current", system+`CurrentControlSet\Target`),
		link("Loop", system+"Loop"), link("Ping", system+"Pong"), link("Pong", system+"Ping"),
		link("Dangling", system+"Nothing"), link("Elsewhere", `\Registry\Machine\SOFTWARE\Example`), link("Nowhere", `\Device\Harddisk0`),
		{Name: "NoLink", Values: link("", system+"Select").Values}, {Name: "Empty", Flags: 0x10},
	}}
	f, err := hive.Read("test", hivetest.Build(root, hivetest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.ParsePath(`HKLM\SYSTEM`), f.Root())
	for _, c := range []struct{ path, want string }{
		{`ControlSet001\Alias\End\Below`, `ControlSet001\Target\End\Below`},
		{`CurrentControlSet\Alias\End`, `ControlSet001\Target\End`},
		{`One`, `ControlSet001\Target\End`},
		{`One\Below`, `ControlSet001\Target\End\Below`},
		{`Current\End`, `ControlSet001\Target\End`},
		{`Loop`, "not covered"},
		{`Ping\Below`, "not covered"},
		{`Dangling\Below`, "does not exist"},
		{`Elsewhere`, "not covered"},
		{`Nowhere`, "not covered"},
		{`NoLink`, `NoLink`},
		{`Empty\Below`, "not covered"},
	} {
		path := hive.ParsePath(`HKLM\SYSTEM\` + c.path)
		m := reg.Find(path)
		if len(m) != 1 || !m[0].Live.Equal(path) {
			t.Fatalf("%s: %+v", c.path, m)
		}
		got := strings.TrimPrefix(m[0].Real.String(), `HKEY_LOCAL_MACHINE\SYSTEM\`)
		if m[0].Key == nil {
			got = map[hive.Known]string{hive.Whole: "does not exist", hive.NotCovered: "not covered"}[m[0].Known]
		}
		if got != c.want {
			t.Errorf("%s leads to %s, want %s", c.path, got, c.want)
		}
	}
	// An edit goes where the link leads, and none goes round in circles.
	set := func(path string) hive.Edit {
		return hive.Edit{Op: hive.SetValue, Path: hive.ParsePath(`HKLM\SYSTEM\` + path), Value: hive.DWordValue("v", 1)}
	}
	real := reg.Real(set(`One`), set(`Loop`))
	if len(real) != 1 || real[0].Path.String() != `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Target\End` {
		t.Errorf("%v", real)
	}
	if v, ok := reg.Apply(set(`Current\End`)).Find(hive.ParsePath(`HKLM\SYSTEM\One`))[0].Key.Value("v"); !ok || v.Display() != "1" {
		t.Error("an edit through one link is not seen through another")
	}
}

// descriptor makes a self-relative descriptor of parts in hex: owner and group at their SIDs, the lists as they are.
func descriptor(control uint16, owner, group, dacl, sacl string) []byte {
	b := make([]byte, 20)
	b[0], b[2], b[3] = 1, byte(control), byte(control>>8)
	for i, part := range []string{owner, group, sacl, dacl} {
		if part == "" {
			continue
		}
		b[4+4*i] = byte(len(b))
		data, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			panic(err)
		}
		b = append(b, data...)
	}
	return b
}

func TestSDDL(t *testing.T) {
	const (
		administrators = "01 02 000000000005 20000000 20020000"
		system         = "01 01 000000000005 12000000"
		user           = "01 05 000000000005 15000000 01000000 02000000 03000000 e9030000"
	)
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{descriptor(0x9404, administrators, system, "02 00 3400 02000000  00 02 1800 3f000f00 "+administrators+"  00 1b 1400 00000080 "+system, ""),
			"O:BAG:SYD:PAI(A;CI;KA;;;BA)(A;OICIIOID;GR;;;SY)"},
		{descriptor(0x8004, user, "", "02 00 0800 00000000", ""), "O:S-1-5-21-1-2-3-1001D:"},
		{descriptor(0x8004, "", "", "", ""), "D:NO_ACCESS_CONTROL"},
		{descriptor(0x8000, "", "", "", ""), ""},
		{descriptor(0xA810, "", "", "", "02 00 1c00 01000000  02 c2 1400 19000200 "+system), "S:PAI(AU;CISAFA;KR;;;SY)"},
		{descriptor(0x8004, "", "", "02 00 2000 01000000  01 00 1800 34120000 01 02 ffffffffffff 01000000 02000000", ""), "D:(D;;0x1234;;;S-1-0xffffffffffff-1-2)"},
		{descriptor(0x8004, "", "", "04 00 3000 01000000  05 00 2800 10000000 01000000 00112233445566778899aabbccddeeff "+system, ""),
			"D:(OA;;0x10;33221100-5544-7766-8899-aabbccddeeff;;SY)"},
		{descriptor(0x8004, "", "", "02 00 2000 01000000  09 00 1800 3f000f00 "+system+" 61727478", ""), "D:(XA;;KA;;;SY;0x61727478)"},
		{descriptor(0x8010, "", "", "", "02 00 1c00 01000000  11 00 1400 05000000 01 01 000000000010 00100000"), "S:(ML;;NWNX;;;LW)"},
		{descriptor(0x8010, "", "", "", "02 00 1c00 01000000  11 00 1400 08000000 01 01 000000000010 00300000"), "S:(ML;;0x8;;;HI)"},
		{descriptor(0x8010, "", "", "", "02 00 1c00 01000000  15 60 1400 00000010 "+system), "S:(FL;CRTP;GA;;;SY)"},
		{descriptor(0x8004, "", "", "04 00 4400 01000000  0c 00 3c00 10000000 03000000 00112233445566778899aabbccddeeff 000102030405060708090a0b0c0d0e0f "+system+" 61727478", ""),
			"D:(0xc;;0x10;33221100-5544-7766-8899-aabbccddeeff;03020100-0504-0706-0809-0a0b0c0d0e0f;SY;0x61727478)"},
		{descriptor(0x8004, "", "", "04 00 2000 01000000  05 00 1800 10000000 02000000 001122334455667788 00 00 00", ""), "error: the entry at 0x1c ends inside a GUID"},
		{descriptor(0x8004, "", "", "02 00 1c00 01000000  04 00 1400 3f000f00 "+system, ""), "error: the entry at 0x1c is of the kind 0x4, of which it is not known what it holds"},
		{nil, "error: there is no security descriptor at 0x0: it has at least 20 bytes and starts with 1"},
		{descriptor(0x8004, administrators, "", "02 00 ff00 02000000", ""), "error: the access control list at 0x24 has an impossible size of 255 bytes"},
		{descriptor(0x8004, "", "", "02 00 0800 01000000", ""), "error: the access control list ends at 0x1c before its last entry"},
		{descriptor(0x8004, "", "", "02 00 1000 01000000 00 00 0800 00000000", ""), "error: the SID at 0x24 lies beyond the end"},
		{descriptor(0x8004, "01 10 000000000005", "", "", ""), "error: there is no SID at 0x14"},
		{descriptor(0x8004, "01 01", "", "", ""), "error: the SID at 0x14 lies beyond the end"},
	} {
		got, err := hive.SDDL(c.b)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != c.want {
			t.Errorf("%x\ngot  %s\nwant %s", c.b, got, c.want)
		}
	}
}

// TestSDDLOfRealHives reads the descriptor of every key of a real SYSTEM hive.
func TestSDDLOfRealHives(t *testing.T) {
	f, err := hive.Open(shared.Path(t, "hives/regipy/SYSTEM"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for path, k := range f.Root().Walk() {
		sddl, err := hive.SDDL(k.Record().Security)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		count[sddl]++
	}
	if len(f.Problems()) > 0 || len(count) < 10 {
		t.Errorf("%d descriptors, problems %v", len(count), f.Problems())
	}
	root, _ := hive.SDDL(f.Root().Record().Security)
	if !strings.HasPrefix(root, "O:BAG:SYD:PAI(A;") {
		t.Errorf("the root has %s", root)
	}
	t.Logf("%d different descriptors; that of the root is %s", len(count), root)
}

// FuzzSDDL checks that the text of any descriptor is one line of plain text, and does not depend on what lies behind the descriptor.
func FuzzSDDL(f *testing.F) {
	f.Add(descriptor(0x9404, "0102000000000005 20000000 20020000", "0101000000000005 12000000", "02 00 1c00 01000000 00 02 1400 3f000f00 0101000000000005 12000000", ""))
	f.Add(descriptor(0x8004, "", "", "04 00 3000 01000000 05 00 2800 10000000 03000000 00112233445566778899aabbccddeeff0101000000000005 12000000", ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := hive.SDDL(b)
		if err != nil {
			if got != "" || strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		for _, c := range got {
			if c < ' ' || c > '~' {
				t.Fatalf("%q", got)
			}
		}
		if again, err := hive.SDDL(append(b[:len(b):len(b)], 1, 2, 3, 4)); err != nil || again != got {
			t.Fatalf("with bytes behind it: %q, %v; without: %q", again, err, got)
		}
	})
}
