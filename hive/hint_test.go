package hive_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// TestHints checks which hints and hashes of names in lists of subkeys are said to be wrong. 'said' is what is said of the one subkey.
func TestHints(t *testing.T) {
	const hash, hint = "the hash 0x%08x of key %q", "the hint %q of key %q"
	for _, test := range []struct {
		form, name string
		set        uint32 // in place of what the list holds, unless 0xFFFFFFFF
		said       string
	}{
		{"lh", "Parameters", 0xFFFFFFFF, ""},
		{"lh", "Zähler", 0xFFFFFFFF, ""},
		{"lh", "Диагностика", 0xFFFFFFFF, ""},
		{"lh", "\U0001F600\xED\xA0\x80", 0xFFFFFFFF, ""},
		{"lh", "k", 'K', ""},
		{"lh", "k", 'k', fmt.Sprintf(hash, 'k', "k")},
		{"lh", "Parameters", 0xDEADBEEF, fmt.Sprintf(hash, 0xDEADBEEF, "Parameters")},
		{"lh", "Parameters", 0, fmt.Sprintf(hash, 0, "Parameters")},
		{"lh", "Zähler", 0x8DAEEC65, fmt.Sprintf(hash, 0x8DAEEC65, "Zähler")}, // with capitals of ASCII alone
		{"lf", "Parameters", 0xFFFFFFFF, ""},
		{"lf", "Parameters", 'p' | 'A'<<8 | 'r'<<16 | 'A'<<24, ""},
		{"lf", "Parameters", 'P' | 'a'<<8 | 'r'<<16 | 'b'<<24, fmt.Sprintf(hint, "Parb", "Parameters")},
		{"lf", "Parameters", 'P', fmt.Sprintf(hint, "P\x00\x00\x00", "Parameters")},
		{"lf", "Pa", 'P' | 'a'<<8, ""},
		{"lf", "key", 0, ""},
		{"lf", "aЖbc", 'a' | 'b'<<16 | 'c'<<24, ""},
		{"lf", "aЖbc", 'a', ""},
		{"lf", "aЖbc", 'a' | 'x'<<16 | 'c'<<24, fmt.Sprintf(hint, "a\x00xc", "aЖbc")},
		{"lf", "Öl", 0xFFFFFFFF, ""},
		{"lf", "\u009f", 0x81, ""},
		{"li", "any", 0xFFFFFFFF, ""},
	} {
		b, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{{Name: "above", List: test.form, Keys: []*hivetest.Key{
			{Name: test.name, Keys: []*hivetest.Key{{Name: "below"}}}}}}}, hivetest.Options{})
		if test.set != 0xFFFFFFFF {
			b = hivetest.Set32(b, at.Key("above").List+hivetest.ListElements+4, test.set)
		}
		f := read(t, b)
		var want []string
		if test.said != "" {
			want = []string{fmt.Sprintf(`TEST: offset %#x: %s in the list of "above" is not that of its name, by which Windows does not find it`, at.Key(`above\`+test.name).Node-4, test.said)}
		}
		if diff := cmp.Diff(want, told(f)); diff != "" {
			t.Errorf("%s %q: %s", test.form, test.name, diff)
		}
		above := f.Root().Key("above")
		key := above.Key(test.name)
		var hidden *hive.Key
		if test.said != "" {
			hidden = key
		}
		if key == nil || key.Hidden() != hidden || key.Key("below").Hidden() != hidden || above.Hidden() != nil || above.KeysKnown() != hive.Whole {
			t.Errorf("%s %q: hidden %v", test.form, test.name, key.Hidden())
		}
	}
}
