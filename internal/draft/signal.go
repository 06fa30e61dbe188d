package draft

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// catchSignals makes the signals that end a process remove all drafts first. A signal that the process was started to ignore, as nohup does with
// SIGHUP, stays ignored.
//
// A write to standard output after its reader is gone would raise SIGPIPE, which ends a Go program at once. It is ignored, so that such a write
// returns an error like a write to any other file.
var catchSignals = sync.OnceFunc(func() {
	signal.Ignore(syscall.SIGPIPE)
	came := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(came, s)
		}
	}
	go func() {
		s := <-came
		drafts.Lock() // for good: nothing is created or placed from now on
		removeAll()
		signal.Reset(s)
		endBy(s)
	}()
})
