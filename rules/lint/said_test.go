package lint_test

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/lint"
)

// said is the file with what "regvet lint" says about all examples, and what its fixes make of them.
const said = "testdata/said.txt"

// TestSaid tests what the checks say about their examples, word for word; with -update it writes the file. There, lines of an example
// start with |, and lines of what --fix --unsafe-fixes makes of it with >.
func TestSaid(t *testing.T) {
	golden, err := filepath.Abs(said)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir(".git", 0o777); err != nil { // for REG109
		t.Fatal(err)
	}
	packs, err := rules.Rules(rules.BuiltIn(rules.DefaultPack)...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, c := range lint.Checks() {
		l := lint.Linter{Target: hive.Exactly(hive.Version{Major: 10}), Rules: packs, Severity: func(other *lint.Check) lint.Severity {
			if other.Off && other != c {
				return 0
			}
			return other.Severity
		}}
		for _, e := range append([]lint.Example{c.Bad}, lint.Variants[c.ID]...) {
			fmt.Fprintf(&out, "%s %s\n", c.ID, c.Name)
			sayOf(t, &out, l, c, e)
			out.WriteByte('\n')
		}
	}
	if *lint.Update {
		if err := os.WriteFile(golden, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(string(have), out.String()); d != "" {
		t.Errorf("%s is not what the checks say (- there, + said); run the test with -update:\n%s", said, d)
	}
}

// sayOf writes an example, what a check says about it, and what the fixes make of it.
func sayOf(t *testing.T, out *bytes.Buffer, l lint.Linter, c *lint.Check, e lint.Example) {
	const name = "example.reg"
	data := e.Bytes()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := l.Lint(name, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	quoteLines(out, "| ", e.Text)
	own := slices.DeleteFunc(r.Findings, func(f lint.Finding) bool { return f.Check != c })
	if len(own) == 0 {
		t.Errorf("%s says nothing of its example\n%s", c.ID, e.Text)
	}
	file := report.LintFile{Path: name, FailOn: lint.Warning, Findings: own}
	if err := report.WriteLint(out, "compact", report.LintReport{Listing: report.Listing{Least: lint.Info}, Files: []report.LintFile{file}}, report.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, f := range own {
		if f.Fix != nil {
			fmt.Fprintf(out, "fix, %s: %s\n", f.Fix.Safety, f.Fix.Message)
		}
	}
	fixed, err := l.Fix(name, data, lint.Unsafe)
	switch {
	case err != nil:
		fmt.Fprintf(out, "not fixed: it %v\n", err)
	case fixed.Fixes > 0:
		quoteLines(out, "> ", string(fixed.After))
		if fixed.Remains.Encoding != r.Encoding {
			fmt.Fprintf(out, "> in %s\n", fixed.Remains.Encoding)
		}
	}
}

// quoteLines writes the lines of a text after a mark, with invisible characters made visible. It cuts very long lines.
func quoteLines(out *bytes.Buffer, mark, text string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		line = hive.Visible(strings.TrimSuffix(line, "\n"))
		if len(line) > 200 {
			line = line[:200] + "..."
		}
		text := strings.TrimRight(line, " ")
		fmt.Fprintln(out, strings.TrimRight(mark+text, " ")+strings.Repeat(`\x20`, len(line)-len(text)))
	}
}

// TestEveryMessageIsSaid tests that every message in the source of the checks, and of their fixes, is among those of [TestSaid]. If a check
// names the function that the message is in, that check must have said it.
func TestEveryMessageIsSaid(t *testing.T) {
	data, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string][]string{} // by check; "" for all
	id := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "REG"):
			id, _, _ = strings.Cut(line, " ")
		case strings.HasPrefix(line, "example.reg:"), strings.HasPrefix(line, "fix, "):
			lines[id], lines[""] = append(lines[id], line), append(lines[""], line)
		}
	}
	messages := collect(t)
	if len(messages) < 150 {
		t.Errorf("there are only %d messages in the source", len(messages))
	}
	alike := map[string]int{} // messages of one text, each of which needs a line
	for _, m := range messages {
		key := fmt.Sprint(m.of, m.text)
		alike[key]++
		n := 0
		for _, id := range m.of {
			for _, line := range lines[id] {
				if m.pattern().MatchString(line) {
					n++
				}
			}
		}
		if n < alike[key] {
			t.Errorf("%s: no example of %s is said to have %q; add one to Variants", m.at, strings.Join(m.of, ", "), m.text)
		}
	}
}

// message is a text in the source that is all or part of a message.
type message struct {
	at   token.Position
	text string
	of   []string // the IDs of the checks that may say it; "" for any
}

var verb = regexp.MustCompile(`%[a-z0-9]*[a-zA-Z]|%%`)

// pattern matches the message with any arguments.
func (m message) pattern() *regexp.Regexp {
	parts := verb.Split(m.text, -1)
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(strings.Join(parts, ".+"))
}

// notSaid are texts of several words in the source that are not messages.
var notSaid = []string{"Windows Registry Editor", `Documents and Settings\\`}

// collect returns the messages in the source: those of patterns, and every text of three words or more in a function.
func collect(t *testing.T) (all []message) {
	set := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || slices.Contains([]string{"apply.go", "baseline.go", "config.go", "configschema.go", "configyaml.go", "example.go", "lint.go"}, name) {
			continue // these say other things
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	ids := map[string]string{}      // of checks, by their variable
	says := map[string][]string{}   // IDs of the checks that name a function
	consts := map[string]ast.Expr{} // by name
	inspect := func(f func(ast.Node) bool) {
		for _, file := range files {
			ast.Inspect(file, f)
		}
	}
	inspect(func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		consts[spec.Names[0].Name] = spec.Values[0]
		if pointer, ok := spec.Values[0].(*ast.UnaryExpr); ok {
			check := pointer.X.(*ast.CompositeLit)
			id := text(check.Elts[0].(*ast.KeyValueExpr).Value)
			ids[spec.Names[0].Name] = id
			for _, field := range check.Elts {
				if f, ok := field.(*ast.KeyValueExpr).Value.(*ast.Ident); ok {
					says[f.Name] = append(says[f.Name], id)
				}
			}
		}
		return false
	})
	add := func(n ast.Expr, of ...string) {
		if name, ok := n.(*ast.Ident); ok {
			n = consts[name.Name]
		}
		if s := text(n); len(strings.Fields(s)) > 2 && !slices.Contains(notSaid, s) {
			all = append(all, message{set.Position(n.Pos()), s, of})
		}
	}
	inspect(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit: // of a pattern
			if len(n.Elts) == 5 {
				if check, ok := n.Elts[0].(*ast.Ident); ok {
					add(n.Elts[4], ids[check.Name])
				}
			}
		case *ast.FuncDecl:
			of := says[n.Name.Name]
			if of == nil {
				of = []string{""}
			}
			ast.Inspect(n.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "problem" {
						return false // no finding
					}
				}
				if literal, ok := n.(*ast.BasicLit); ok {
					add(literal, of...)
				}
				return true
			})
		}
		return true
	})
	slices.SortFunc(all, func(a, b message) int {
		return cmp.Or(cmp.Compare(a.at.Filename, b.at.Filename), cmp.Compare(a.at.Line, b.at.Line))
	})
	return all
}

// text returns the text of a string literal, or "".
func text(n ast.Expr) string {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(literal.Value)
	return s
}
