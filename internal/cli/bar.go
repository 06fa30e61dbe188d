package cli

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// bar shows the progress of a run over many inputs on a terminal. A nil bar shows nothing.
type bar struct{ *progressbar.ProgressBar }

// mostWithoutBar is up to how many inputs no bar is shown.
const mostWithoutBar = 8

// newBar returns a bar, or nil if standard error is not a terminal, or if results are shown live on one.
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

// write counts an input and writes its messages to w, in place of the bar.
func (b *bar) write(w io.Writer, messages []byte) {
	if b != nil && len(messages) > 0 {
		b.Clear()
	}
	w.Write(messages)
	if b != nil {
		b.Add(1)
	}
}

// finish removes the bar.
func (b *bar) finish() {
	if b != nil {
		b.Finish()
	}
}
