package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"regvet/hive"
	"regvet/rules"
)

// The elements of a JUnit report on which its readers agree: https://github.com/testmoapp/junitxml.
type junitSuites struct {
	Name                             string
	Tests, Failures, Errors, Skipped int
}

type junitSuite struct {
	XMLName    xml.Name         `xml:"testsuite"`
	Name       string           `xml:"name,attr"`
	Tests      int              `xml:"tests,attr"`
	Failures   int              `xml:"failures,attr"`
	Errors     int              `xml:"errors,attr"`
	Skipped    int              `xml:"skipped,attr"`
	Timestamp  string           `xml:"timestamp,attr,omitempty"` // when the run began; readers want no time zone
	Properties *junitProperties `xml:"properties"`               // what is known of the run and of the input
	Cases      []junitCase      `xml:"testcase"`
}

type junitProperties struct {
	All []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	ClassName string         `xml:"classname,attr"`
	Name      string         `xml:"name,attr"`
	File      string         `xml:"file,attr"`
	Line      int            `xml:"line,attr,omitempty"`
	Failure   *junitFault    `xml:"failure"`
	Error     *junitFault    `xml:"error"`
	Skipped   *junitSkipping `xml:"skipped"`
	Output    *junitOutput   `xml:"system-out"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

type junitOutput struct {
	Text string `xml:",cdata"`
}

type junitSkipping struct {
	Message string `xml:"message,attr"`
}

// ListsPasses reports whether a format lists what passed, even in a report that does not ask for it.
func ListsPasses(name string) bool { return name == "junit" }

// junit writes a suite for each input. In a check, each answer of a rule is a test that passed, failed, or was skipped because the answer
// is unknown; for an input that no rule is about there is one skipped test more. In a lint, each finding is a failed test, or a skipped one if it is
// suppressed, and a file without findings is one passed test. A finding that does not count for the exit status is a passed test with the finding as
// its output, because servers call a run unstable for any failure. What could not be read is an error.
func junit(w io.Writer, s sheet) error {
	all := junitSuites{Name: "regvet " + s.command}
	for one := range s.junitSuites() {
		all.add(one)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	start := all.start()
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for one := range s.junitSuites() {
		if err := e.Encode(one); err != nil {
			return err
		}
	}
	if err := e.EncodeToken(start.End()); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitSuites returns the suites, one at a time because all of them may be more than fits in memory.
func (s sheet) junitSuites() iter.Seq[junitSuite] {
	return func(yield func(junitSuite) bool) {
		for _, p := range s.refused {
			one := s.junitSuite(p.Source, nil)
			one.unread(p)
			if !yield(one) {
				return
			}
		}
		for _, f := range s.files {
			if !yield(s.junitSuiteOf(f)) {
				return
			}
		}
	}
}

// junitSuiteOf returns the suite of an input.
func (s sheet) junitSuiteOf(f file) junitSuite {
	one := s.junitSuite(f.path, append([]fact{{"sha256", f.sha256}, {"size", fmt.Sprint(f.size)}, {"about", f.about}, {"logs", strings.Join(f.logs, "; ")}}, f.facts...))
	for _, p := range f.problems {
		if p.Loss {
			p.Source = f.path
			one.unread(p)
		}
	}
	if f.unasked != "" {
		one.add(junitCase{ClassName: one.Name, Name: "not asked", File: one.Name, Skipped: &junitSkipping{f.unasked}})
	}
	for _, r := range f.all() {
		one.add(s.junitCase(r))
	}
	if len(one.Cases) == 0 && s.command == "lint" {
		one.add(junitCase{ClassName: one.Name, Name: "no findings", File: one.Name})
	}
	return one
}

// junitSuite returns the suite of an input without its tests.
func (s sheet) junitSuite(path string, about []fact) junitSuite {
	one := junitSuite{Name: hive.Visible(path), Properties: &junitProperties{}}
	if !s.run.Date.IsZero() {
		one.Timestamp = s.run.Date.UTC().Format("2006-01-02T15:04:05")
	}
	for _, f := range known(append(append([]fact{{"tool", "regvet " + s.version}}, s.run.facts()...), about...)) {
		one.Properties.All = append(one.Properties.All, junitProperty{f.name, hive.Visible(f.text)})
	}
	return one
}

func (s sheet) junitCase(r result) junitCase {
	path := hive.Visible(r.path)
	c := junitCase{ClassName: path, Name: r.id, File: path, Line: r.at.Line}
	if place := r.place(); place != "" {
		c.Name += " " + place
	}
	if r.at.Line > 0 && s.command == "lint" {
		c.Name = fmt.Sprintf("%s line %d", r.id, r.at.Line)
	}
	message := hive.Visible(r.message)
	switch {
	case r.suppressed != nil:
		c.Skipped, c.Output = &junitSkipping{hive.Visible(r.accepted())}, &junitOutput{"\nmessage: " + message + s.details(r)}
	case r.status == rules.Unknown:
		c.Skipped, c.Output = &junitSkipping{r.reason + ": " + message}, &junitOutput{s.details(r)}
	case r.status == rules.Fail && !r.counts:
		c.Output = &junitOutput{"\nmessage: " + message + s.details(r)}
	case r.status == rules.Fail:
		c.Failure = &junitFault{message, r.severity, s.details(r)}
	}
	return c
}

// unread adds what could not be read.
func (s *junitSuite) unread(p hive.Problem) {
	name := hive.Visible(p.Source)
	p.Source = ""
	s.add(junitCase{ClassName: name, Name: "read the input", File: name, Error: &junitFault{hive.Visible(p.Error()), string(p.Kind), ""}})
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (s *junitSuites) add(one junitSuite) {
	s.Tests += one.Tests
	s.Failures += one.Failures
	s.Errors += one.Errors
	s.Skipped += one.Skipped
}

// start returns the element of all suites.
func (s junitSuites) start() xml.StartElement {
	attr := func(name, value string) xml.Attr { return xml.Attr{Name: xml.Name{Local: name}, Value: value} }
	return xml.StartElement{Name: xml.Name{Local: "testsuites"}, Attr: []xml.Attr{attr("name", s.Name), attr("tests", strconv.Itoa(s.Tests)),
		attr("failures", strconv.Itoa(s.Failures)), attr("errors", strconv.Itoa(s.Errors)), attr("skipped", strconv.Itoa(s.Skipped))}}
}
