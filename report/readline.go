package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"regvet/hive"
)

// jsonCheckLine is any line of a check, of which one field is set, or those of the first line.
type jsonCheckLine struct {
	jsonCheckStart
	Input     *jsonLineInput     `json:"input"`
	Finding   *jsonLineFinding   `json:"finding"`
	Hidden    *jsonLineFinding   `json:"hidden"`
	Refused   *jsonLineRefused   `json:"refused"`
	Done      *jsonDone          `json:"done"`
	Container *jsonLineContainer `json:"container"`
	Listed    *jsonListed        `json:"listed"`
	Config    *jsonChoices       `json:"config"`
	Summary   *jsonSummary       `json:"summary"`
}

// mostValues is how many values a line may hold. Each takes much more memory than its text.
const mostValues = 1 << 20

// parseLine reads a line strictly.
func parseLine(line []byte) (j jsonCheckLine, err error) {
	if values(line) > mostValues {
		return j, fmt.Errorf("has more than %d values in it", mostValues)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return j, jsonFault(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return j, errors.New("has more in it than one object")
	}
	n := 0
	for _, set := range []bool{j.SchemaVersion != "", j.Input != nil, j.Finding != nil, j.Hidden != nil, j.Refused != nil, j.Done != nil, j.Container != nil, j.Listed != nil, j.Config != nil, j.Summary != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return j, errors.New("is none of the lines that check writes: want one of input, finding, hidden, refused, done, container, listed, config or summary in it")
	}
	return j, nil
}

// jsonFault returns for people what is wrong with JSON.
func jsonFault(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		names := slices.DeleteFunc(strings.Split(e.Field, "."), func(name string) bool { return strings.HasPrefix(name, "json") }) // which is a type of ours
		return fmt.Errorf("%s is a %s, want %s", cmp.Or(strings.Join(names, "."), "the line"), e.Value, kindWords(e.Type))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("ends before its object does")
	}
	return errors.New("is not as check writes lines: " + hive.Visible(strings.TrimPrefix(err.Error(), "json: ")))
}

// kindWords returns for people what JSON calls a type.
func kindWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number that fits"
}

// values returns about how many values JSON holds.
func values(line []byte) (n int) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			for i++; i < len(line) && line[i] != '"'; i++ {
				if line[i] == '\\' {
					i++
				}
			}
		case ',', '[', '{':
			n++
		}
	}
	return n
}

// anyLines splits text into lines with their ends, the last of which may have none.
func anyLines(data []byte, atEnd bool) (advance int, line []byte, err error) {
	if advance, line, err = wholeLines(data, atEnd); advance == 0 && atEnd && len(data) > 0 {
		return len(data), data, nil
	}
	return advance, line, err
}
