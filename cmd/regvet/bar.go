package main

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// bar shows on a terminal how far a run over many inputs is. A nil bar shows nothing.
type bar struct{ *progressbar.ProgressBar }

// mostWithoutBar is how many inputs are done before anybody wonders.
const mostWithoutBar = 8

// newBar returns a bar, or nil where nobody looks at standard error, or where results go live to the same terminal.
func newBar(s *session, inputs int, live bool) *bar {
	f, ok := s.stderr.(*os.File)
	if !ok || inputs <= mostWithoutBar || !isatty.IsTerminal(f.Fd()) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	if out, ok := s.stdout.(*os.File); ok && live && isatty.IsTerminal(out.Fd()) {
		return nil
	}
	return &bar{progressbar.NewOptions(inputs, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("regvet"),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())}
}

// write counts an input and writes its messages to w, where the bar stood.
func (b *bar) write(w io.Writer, messages []byte) {
	if b != nil && len(messages) > 0 {
		b.Clear()
	}
	w.Write(messages)
	if b != nil {
		b.Add(1)
	}
}

// finish takes the bar away.
func (b *bar) finish() {
	if b != nil {
		b.Finish()
	}
}
