package draft

import (
	"os"

	"golang.org/x/sys/windows"
)

// endBy ends the process as a Ctrl+C that is not caught does, so that cmd.exe also stops a batch file.
func endBy(os.Signal) { windows.ExitProcess(uint32(windows.STATUS_CONTROL_C_EXIT)) }
