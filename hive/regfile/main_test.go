package regfile_test

import (
	"os"
	"testing"

	"regvet/internal/memory"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}
