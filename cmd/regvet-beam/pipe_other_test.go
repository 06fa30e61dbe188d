//go:build !linux

package main

import (
	"errors"
	"os"
)

func openWriter(string) (*os.File, error) { return nil, errors.ErrUnsupported }
