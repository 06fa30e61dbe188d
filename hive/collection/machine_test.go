package collection_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// windowsFolder returns a folder with a SYSTEM hive of Windows 10, and a SOFTWARE hive that states a version and its build.
func windowsFolder(version, build string) fstest.MapFS {
	system := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{
		{Name: "ControlSet001", Keys: []*hivetest.Key{{Name: "Control"}}},
		{Name: "DriverDatabase", Values: []hive.Value{hive.DWordValue("Version", 0x0A000000)}},
		{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}},
	}}
	software := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Classes"}, {Name: "Microsoft", Keys: []*hivetest.Key{{Name: "Windows NT", Keys: []*hivetest.Key{
		{Name: "CurrentVersion", Values: []hive.Value{hive.StringValue("CurrentVersion", hive.SZ, version), hive.StringValue("CurrentBuildNumber", hive.SZ, build)}}}}}}}}
	return fstest.MapFS{
		"m/SYSTEM":   {Data: hivetest.Build(system, hivetest.Options{})},
		"m/SOFTWARE": {Data: hivetest.Build(software, hivetest.Options{})},
	}
}

// opened opens all inputs of a folder, and returns how many are judged together, with what each tells.
func openedGroup(t *testing.T, fsys fstest.MapFS, said *hive.Windows) (sizes []int, told []string) {
	t.Helper()
	for g := range collection.List(fsys, ".") {
		all, refused := g.Open(fsys, collection.Options{})
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		for _, together := range all {
			sizes = append(sizes, len(together))
			for _, in := range together {
				in.Describe(said)
				facts := in.Facts()
				told = append(told, in.Path+": "+facts.Windows.Full())
				for _, p := range facts.Problems {
					told = append(told, p.Error())
				}
				if facts.Overruled != "" {
					told = append(told, facts.Overruled)
				}
			}
		}
	}
	return sizes, told
}

// TestHivesOfTwoMachines tests that hives that contradict each other are judged apart, and say so, and that others are joined.
func TestHivesOfTwoMachines(t *testing.T) {
	sizes, told := openedGroup(t, windowsFolder("6.3", "9600"), nil)
	const ten, eight = `10.0 (version 10.0 from DriverDatabase\Version)`,
		`6.3.9600 (version 6.3 from SOFTWARE\Microsoft\Windows NT\CurrentVersion, CurrentVersion, build 9600 from CurrentBuildNumber there)`
	want := []string{
		"m/SOFTWARE: Windows 8.1 or Server 2012 R2 (6.3.9600)",
		"m/SOFTWARE: contradicts SYSTEM, so that the two are of different machines or states, and the hives of this folder are judged each by itself: " + ten + "; " + eight,
		"m/SYSTEM: Windows 10 or later, or Server 2016 or later (10.0)",
		"m/SYSTEM: contradicts SOFTWARE, so that the two are of different machines or states, and the hives of this folder are judged each by itself: " + ten + "; " + eight,
	}
	if !slices.Equal(sizes, []int{1, 1}) || !slices.Equal(told, want) {
		t.Errorf("joined %d\n got %q\nwant %q", sizes, told, want)
	}
}

// TestWindowsThatIsSaid tests that what the user says goes before what the hives tell, that one of them tells a contradiction, and that the
// two go together where they agree.
func TestWindowsThatIsSaid(t *testing.T) {
	for _, test := range []struct {
		word string
		want []string
	}{
		{"6.1", []string{
			"m/SOFTWARE: Windows 7 or Server 2008 R2 (6.1)",
			"m/SYSTEM: Windows 7 or Server 2008 R2 (6.1)",
			`--windows says 6.1, and the registry says 10.0 (version 10.0 from DriverDatabase\Version); 6.1 is taken`,
		}},
		{"2022", []string{"m/SOFTWARE: Windows Server 2022 (10.0.20348)", "m/SYSTEM: Windows Server 2022 (10.0.20348)"}},
	} {
		said, err := hive.ParseWindows(test.word)
		if err != nil {
			t.Fatal(err)
		}
		sizes, told := openedGroup(t, windowsFolder("", ""), &said)
		if !slices.Equal(sizes, []int{2}) || !slices.Equal(told, test.want) {
			t.Errorf("%s: joined %d\n got %q\nwant %q", test.word, sizes, told, test.want)
		}
	}
}
