package regfile_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// A file is read as Windows does, and written as Windows exports what it says.
func Example() {
	f, err := regfile.Parse("mine.reg", []byte("REGEDIT4\n\n[HKEY_CURRENT_USER\\Example]\n\"Port\" = dword:1F90 ; HTTP\n\"Old\"=-\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	if err := regfile.Write(&out, "what mine.reg does", f.Edits); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(hive.DecodeUTF16(out.Bytes()[2:]), "\r\n", "\n")) // a byte order mark begins it
	// Output:
	// Windows Registry Editor Version 5.00
	//
	// ; what mine.reg does
	//
	// [HKEY_CURRENT_USER\Example]
	// "Port"=dword:00001f90
	// "Old"=-
}

func ExampleParse() {
	f, err := regfile.Parse("lsa.reg", []byte(`Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa]
"LmCompatibilityLevel"=dword:00000005
"RunAsPPL"=dword:000000001
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range f.Edits {
		if e.Op == hive.SetValue {
			n, _ := e.Value.Uint64()
			fmt.Println(e.At, e.Path, e.Value.Name, n)
		}
	}
	for _, p := range f.Problems {
		fmt.Println(p.Error())
	}
	// Output:
	// 4:1 HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa LmCompatibilityLevel 5
	// lsa.reg:5:18: dword data have 9 digits, at most 8 are allowed; Windows drops this value
}

func ExampleWrite() {
	lsa := hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control\Lsa`)
	var out bytes.Buffer
	err := regfile.Write(&out, "turns LSA protection on", []hive.Edit{
		{Op: hive.SetValue, Path: lsa, Value: hive.DWordValue("RunAsPPL", 1)},
		{Op: hive.DeleteValue, Path: lsa, Value: hive.Value{Name: "DisableDomainCreds"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text := hive.DecodeUTF16(out.Bytes()[2:]) // behind the byte order mark
	fmt.Print(strings.ReplaceAll(text, "\r\n", "\n"))
	// Output:
	// Windows Registry Editor Version 5.00
	//
	// ; turns LSA protection on
	//
	// [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa]
	// "RunAsPPL"=dword:00000001
	// "DisableDomainCreds"=-
}

func ExampleFormatOptions_Format() {
	const file = "Windows Registry Editor Version 5.00\n[hkey_current_user\\Example]\n\"Port\" = dword:1F90;HTTP\n"
	done, err := regfile.FormatOptions{UTF8: true}.Format(os.Stdout, strings.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, %d statements left\n", done.To, done.Left)
	// Output:
	// Windows Registry Editor Version 5.00
	//
	// [HKEY_CURRENT_USER\Example]
	// "Port"=dword:00001f90 ;HTTP
	//
	// ASCII, 0 statements left
}
