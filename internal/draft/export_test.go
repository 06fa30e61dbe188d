package draft

import (
	"errors"
	"testing"
)

// WithoutLinks makes a test run as on a file system without hard links.
func WithoutLinks(t *testing.T) {
	before := link
	t.Cleanup(func() { link = before })
	link = func(string, string) error { return errors.ErrUnsupported }
}
