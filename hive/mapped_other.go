//go:build !linux

package hive

import (
	"errors"
	"os"
)

// mapFile is for Linux alone.
func mapFile(*os.File, int64) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) {}
