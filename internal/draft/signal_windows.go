package draft

import (
	"os"

	"golang.org/x/sys/windows"
)

// endBy ends the process as Ctrl+C does where nobody catches it, so that cmd.exe stops a batch file too.
func endBy(os.Signal) { windows.ExitProcess(uint32(windows.STATUS_CONTROL_C_EXIT)) }
