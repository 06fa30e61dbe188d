package draft

import (
	"errors"
	"testing"
)

// WithoutLinks has a test run as on a file system that has no hard links.
func WithoutLinks(t *testing.T) {
	before := link
	t.Cleanup(func() { link = before })
	link = func(string, string) error { return errors.ErrUnsupported }
}
