package lint

// version5 is an example of the lines that stand below the header and the empty line that Windows writes.
func version5(lines string) Example {
	return Example{Text: "Windows Registry Editor Version 5.00\n\n" + lines}
}

// version4 is [version5] for the older header. Its text is in the ANSI code page, as such files are.
func version4(lines string) Example {
	return Example{Text: "REGEDIT4\n\n" + lines, Encoding: UTF8}
}
