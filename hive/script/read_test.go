package script_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// Source of the quoting: Microsoft, about_Quoting_Rules. Each line is a statement, and all strings are in single quotes, of which PowerShell
// knows five.

var psRoots = map[string]string{"LocalMachine": "HKLM", "Users": "HKU", "CurrentUser": "HKCU", "ClassesRoot": "HKCR", "CurrentConfig": "HKCC"}

var psTypes = map[string]hive.Type{"None": hive.None, "String": hive.SZ, "ExpandString": hive.ExpandSZ, "Binary": hive.Binary, "DWord": hive.DWord, "MultiString": hive.MultiSZ, "QWord": hive.QWord}

// psReader reads a statement from its beginning.
type psReader struct {
	t    *testing.T
	line string
	rest string
}

func (r *psReader) skip(want string) bool {
	rest, ok := strings.CutPrefix(r.rest, want)
	if ok {
		r.rest = rest
	}
	return ok
}

func (r *psReader) need(want string) {
	r.t.Helper()
	if !r.skip(want) {
		r.t.Fatalf("want %q at %q in the line %q", want, r.rest, r.line)
	}
}

func isQuote(c rune) bool { return strings.ContainsRune("'‘’‚‛", c) }

// literal reads one string in quotes.
func (r *psReader) literal() string {
	var b strings.Builder
	c, n := utf8.DecodeRuneInString(r.rest)
	if !isQuote(c) {
		r.t.Fatalf("want a quote at %q in the line %q", r.rest, r.line)
	}
	r.rest = r.rest[n:]
	for {
		c, n := utf8.DecodeRuneInString(r.rest)
		if n == 0 {
			r.t.Fatalf("a string does not end in the line %q", r.line)
		}
		r.rest = r.rest[n:]
		if isQuote(c) {
			next, n := utf8.DecodeRuneInString(r.rest)
			if !isQuote(next) {
				return b.String()
			}
			r.rest, c = r.rest[n:], next
		}
		b.WriteRune(c)
	}
}

// text reads a string, or a sum of strings and characters in parentheses.
func (r *psReader) text() string {
	if !r.skip("(") {
		return r.literal()
	}
	units := hive.EncodeUTF16(r.literal())
	for r.skip(" + ") {
		if r.skip("[char]") {
			units = binary.LittleEndian.AppendUint16(units, uint16(r.number()))
		} else {
			units = append(units, hive.EncodeUTF16(r.literal())...)
		}
	}
	r.need(")")
	return hive.DecodeUTF16(units)
}

var psNumber = regexp.MustCompile(`^(0x[0-9a-f]+|-?[0-9]+)`)

func (r *psReader) number() int64 {
	digits := psNumber.FindString(r.rest)
	n, err := strconv.ParseInt(digits, 0, 64)
	if err != nil {
		r.t.Fatalf("%v in the line %q", err, r.line)
	}
	r.rest = r.rest[len(digits):]
	return n
}

// data reads an expression and returns the bytes that .NET stores for it.
func (r *psReader) data() []byte {
	switch {
	case r.skip("[int]"):
		n := r.number()
		if n != int64(int32(n)) {
			r.t.Fatalf("%d is no int", n)
		}
		return hive.NumberValue("", hive.DWord, uint64(n)).Data
	case r.skip("[long]"):
		return hive.NumberValue("", hive.QWord, uint64(r.number())).Data
	case r.skip("[byte[]]@("):
		var all []byte
		for !r.skip(")") {
			all = append(all, byte(r.number()))
			r.skip(", ")
		}
		return all
	case r.skip("[string[]]@("):
		var all []byte
		for !r.skip(")") {
			all = append(append(all, hive.EncodeUTF16(r.text())...), 0, 0)
			r.skip(", ")
		}
		return append(all, 0, 0)
	}
	return append(hive.EncodeUTF16(r.text()), 0, 0)
}

func readPowerShell(t *testing.T, text string) []hive.Edit {
	text, ok := strings.CutPrefix(text, "\ufeff")
	if !ok {
		t.Fatal("there is no byte order mark")
	}
	return readStatements(t, text)
}

// intuneFrame is what a remediation has besides the statements of the form powershell.
var intuneFrame = regexp.MustCompile(`(?m)^trap \{\r\n.*\r\n    exit 1\r\n\}\r\n|^Write-Output 'fixed, with [0-9]+ edits'\r\nexit 0\r\n`)

func readIntune(t *testing.T, text string) []hive.Edit {
	if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' || r < ' ' && r != '\r' && r != '\n' }); i >= 0 {
		t.Fatalf("a script for Intune is not ASCII: %q", text[i:])
	}
	if n := len(intuneFrame.FindAllString(text, -1)); n != 2 {
		t.Fatalf("%d of 2 parts of the frame are there:\n%s", n, text)
	}
	return readStatements(t, intuneFrame.ReplaceAllString(text, ""))
}

func readStatements(t *testing.T, text string) (edits []hive.Edit) {
	roots := map[string]bool{}
	root := func(r *psReader) hive.Path {
		name, rest, _ := strings.Cut(r.rest, ".")
		if r.rest = rest; !roots[name] {
			t.Fatalf("%q is not opened before the line %q", name, r.line)
		}
		return hive.ParsePath(name)
	}
	var key hive.Path
	for line := range strings.SplitSeq(text, "\r\n") {
		r := &psReader{t, line, strings.TrimLeft(line, " ")}
		switch {
		case r.rest == "" || r.skip("#") || r.rest == "$ErrorActionPreference = 'Stop'" || r.rest == "if ($key) {" || r.rest == "}" || r.rest == "$key.Close()":
			continue
		case r.skip("$key.SetValue("):
			e := hive.Edit{Op: hive.SetValue, Path: key}
			e.Value.Name = r.text()
			r.need(", ")
			e.Value.Data = r.data()
			r.need(", ")
			kind := r.literal()
			var ok bool
			if e.Value.Type, ok = psTypes[kind]; !ok {
				t.Fatalf("there is no kind %q", kind)
			}
			edits = append(edits, e)
			r.need(")")
		case r.skip("$key.DeleteValue("):
			edits = append(edits, hive.Edit{Op: hive.DeleteValue, Path: key, Value: hive.Value{Name: r.text()}})
			r.need(", $false)")
		case r.skip("$key = $"):
			key = root(r)
			if r.skip("CreateSubKey(") {
				key = key.Join(strings.Split(r.text(), `\`)...)
				edits = append(edits, hive.Edit{Op: hive.CreateKey, Path: key})
			} else {
				r.need("OpenSubKey(")
				key = key.Join(strings.Split(r.text(), `\`)...)
				r.need(", $true")
			}
			r.need(")")
		case strings.Contains(r.rest, " = [Microsoft.Win32.RegistryKey]::OpenBaseKey("):
			r.need("$")
			name, rest, _ := strings.Cut(r.rest, " = [Microsoft.Win32.RegistryKey]::OpenBaseKey(")
			r.rest = rest
			if psRoots[r.literal()] != name {
				t.Fatalf("another root in the line %q", line)
			}
			r.need(", 'Registry64')")
			roots[name] = true
		default:
			r.need("$")
			path := root(r)
			r.need("DeleteSubKeyTree(")
			edits = append(edits, hive.Edit{Op: hive.DeleteKey, Path: path.Join(strings.Split(r.text(), `\`)...)})
			r.need(", $false)")
		}
		if r.rest != "" {
			t.Fatalf("%q is behind the statement %q", r.rest, line)
		}
	}
	return edits
}

// batchCommand takes a line apart as cmd.exe does in a batch file, and returns the command line for the program. It fails for anything that
// would be a variable, a redirection or another command.
func batchCommand(t *testing.T, line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		if line[i] == '%' {
			if i++; i == len(line) || line[i] != '%' {
				t.Fatalf("a variable in the line %q", line)
			}
		}
		b.WriteByte(line[i])
	}
	line = b.String()
	b.Reset()
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
			b.WriteByte(c)
		case quoted:
			b.WriteByte(c)
		case c == '^':
			i++
			b.WriteByte(line[i])
		case strings.IndexByte("&|<>()", c) >= 0:
			t.Fatalf("a bare %q in the line %q", c, line)
		default:
			b.WriteByte(c)
		}
	}
	if quoted {
		t.Fatalf("a quote does not end in the line %q", line)
	}
	return b.String()
}

// arguments takes a command line apart as programs of Microsoft's C library do.
func arguments(s string) (args []string) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return args
		}
		var b strings.Builder
		quoted := false
		i := 0
		for i < len(s) && (quoted || s[i] != ' ' && s[i] != '\t') {
			slashes := 0
			for i < len(s) && s[i] == '\\' {
				slashes++
				i++
			}
			if i == len(s) || s[i] != '"' {
				b.WriteString(strings.Repeat(`\`, slashes))
				if i < len(s) && slashes == 0 {
					b.WriteByte(s[i])
					i++
				}
				continue
			}
			b.WriteString(strings.Repeat(`\`, slashes/2))
			if slashes%2 == 1 {
				b.WriteByte('"')
			} else {
				quoted = !quoted
			}
			i++
		}
		args = append(args, b.String())
		s = s[i:]
	}
}

func readRegCmd(t *testing.T, text string) (edits []hive.Edit) {
	ascii := true
	lines := strings.Split(text, "\r\n")
	at := 0
	next := func(want string) {
		if at++; lines[at] != want {
			t.Fatalf("line %d is %q, want %q", at+1, lines[at], want)
		}
	}
	for ; at < len(lines); at++ {
		line := lines[at]
		ascii = ascii && !strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) || strings.Contains(text, "chcp 65001 >nul\r\n")
		if line == "reg query HKLM %view% >nul 2>nul" {
			next(`if errorlevel 1 set "view="`)
			continue
		}
		guarded := line == `set "there=1"`
		if !guarded && !strings.HasPrefix(line, "reg ") {
			continue
		}
		query, made, ok := "", "", true
		if guarded {
			at++
			if query, ok = strings.CutSuffix(lines[at], " %view% >nul 2>nul"); !ok {
				t.Fatalf("the end of the line %q", lines[at])
			}
			next(`if errorlevel 1 set "there="`)
			at++
			if made, ok = strings.CutSuffix(lines[at], " %view% >nul"); ok {
				at++
				made = strings.TrimPrefix(made, "if defined there ")
			} else {
				made = ""
			}
			if line, ok = strings.CutPrefix(lines[at], "if defined there "); !ok {
				t.Fatalf("the line %q", lines[at])
			}
		}
		if line, ok = strings.CutSuffix(line, " %view%"); !ok {
			t.Fatalf("the end of the line %q", line)
		}
		next(map[bool]string{false: `if errorlevel 1 set "failed=1"`, true: `if defined there if errorlevel 1 set "failed=1"`}[guarded])
		args := arguments(batchCommand(t, line))
		if guarded {
			of := []string{"reg", "query"}
			for i, arg := range args[2 : len(args)-1] {
				if arg != "/ve" || i != 1 {
					of = append(of, arg)
				}
			}
			if got := arguments(batchCommand(t, query)); !slices.Equal(got, of) {
				t.Fatalf("it asks for %q before %q", got, args)
			}
		}
		if isDefault := guarded && args[3] == "/ve"; (made != "") != isDefault || made != "" && !slices.Equal(arguments(batchCommand(t, made)), []string{"reg", "add", args[2], "/ve", "/f"}) {
			t.Fatalf("%q is made before %q", made, args)
		}
		e := hive.Edit{Path: hive.ParsePath(args[2])}
		adds := args[1] == "add"
		if adds == guarded || !adds && args[1] != "delete" || args[len(args)-1] != "/f" {
			t.Fatalf("%q", args)
		}
		var data string
		separator, hasValue := `\0`, false
		for i := 3; i < len(args)-1; i++ {
			next := args[i+1]
			switch args[i] {
			case "/ve":
				hasValue = true
				continue
			case "/v":
				e.Value.Name, hasValue = next, true
			case "/t":
				ok := false
				if e.Value.Type, ok = hive.ParseType(next); !ok {
					t.Fatalf("there is no type %q", next)
				}
			case "/d":
				data = next
			case "/s":
				separator = next
			default:
				t.Fatalf("reg.exe knows no %q: %q", args[i], args)
			}
			i++
		}
		switch {
		case !hasValue && adds:
			e.Op = hive.CreateKey
		case !hasValue:
			e.Op = hive.DeleteKey
		case !adds:
			e.Op = hive.DeleteValue
		default:
			e.Op = hive.SetValue
			e.Value.Data = regData(t, e.Value.Type, data, separator)
		}
		edits = append(edits, e)
	}
	if !ascii {
		t.Fatal("the code page is not set for what is not ASCII")
	}
	return edits
}

func regData(t *testing.T, typ hive.Type, data, separator string) []byte {
	switch typ {
	case hive.DWord, hive.QWord:
		n, err := strconv.ParseUint(data, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return hive.NumberValue("", typ, n).Data
	case hive.Binary:
		b, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		return b
	case hive.MultiSZ:
		var all []byte
		for s := range strings.SplitSeq(data, separator) {
			all = append(append(all, hive.EncodeUTF16(s)...), 0, 0)
		}
		return append(all, 0, 0)
	}
	return append(hive.EncodeUTF16(data), 0, 0)
}

// readAnsible reads the tasks of a play and checks their options against the documentation of win_regedit.
func readAnsible(t *testing.T, text string) (edits []hive.Edit) {
	var plays []struct {
		Hosts    string
		Tasks    []map[string]yaml.Node
		Handlers []map[string]yaml.Node
	}
	if err := yaml.Unmarshal([]byte(text), &plays); err != nil || len(plays) != 1 || plays[0].Hosts != "{{ machine | default('nobody') }}" {
		t.Fatalf("%v\n%s", err, text)
	}
	restarts := len(plays[0].Handlers) == 1
	if restarts && plays[0].Handlers[0]["name"].Value != "Restart the computer" {
		t.Fatalf("another handler\n%s", text)
	}
	types := map[string]hive.Type{"none": hive.None, "binary": hive.Binary, "dword": hive.DWord, "expandstring": hive.ExpandSZ, "multistring": hive.MultiSZ, "string": hive.SZ, "qword": hive.QWord}
	known := []string{"path", "name", "data", "type", "state", "delete_key", "hive"}
	for _, task := range plays[0].Tasks {
		module := task["ansible.windows.win_regedit"]
		options := map[string]yaml.Node{}
		if err := module.Decode(&options); err != nil || len(task) != map[bool]int{false: 2, true: 3}[restarts] || restarts && task["notify"].Value != "Restart the computer" {
			t.Fatalf("%v: %d\n%s", err, len(task), text)
		}
		str := func(n yaml.Node) string {
			if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!unsafe" {
				t.Fatalf("%q is no text but %s", n.Value, n.Tag)
			}
			for _, mark := range []string{"{{", "{%", "{#"} {
				if strings.Contains(n.Value, mark) && n.Tag != "!unsafe" {
					t.Fatalf("a template would be made of %q", n.Value)
				}
			}
			return n.Value
		}
		str(task["name"])
		for name := range options {
			if !slices.Contains(known, name) {
				t.Fatalf("win_regedit has no option %q", name)
			}
		}
		root, path, ok := strings.Cut(str(options["path"]), `:\`)
		if !ok || !slices.Contains(hive.ShortRootNames(), root) {
			t.Fatalf("the path %q", options["path"].Value)
		}
		e := hive.Edit{Op: hive.CreateKey, Path: hive.ParsePath(root).Join(strings.Split(path, `\`)...)}
		named, hasName := options["name"]
		if hasName {
			e.Value.Name = str(named)
		}
		data, hasData := options["data"]
		state, hasState := options["state"]
		switch {
		case hasState && state.Value == "absent" && options["delete_key"].Value == "true" && !hasName:
			e.Op = hive.DeleteKey
		case hasState && state.Value == "absent":
			e.Op = hive.DeleteValue
		case hasData:
			e.Op = hive.SetValue
			named := options["type"]
			if e.Value.Type, ok = types[str(named)]; !ok || !hasName && e.Value.Type != hive.SZ {
				t.Fatalf("the type %q", named.Value)
			}
			e.Value.Data = ansibleData(t, e.Value.Type, data, str)
		case hasName:
			t.Fatal("a value without data")
		}
		edits = append(edits, e)
	}
	return edits
}

func ansibleData(t *testing.T, typ hive.Type, data yaml.Node, str func(yaml.Node) string) []byte {
	switch typ {
	case hive.DWord, hive.QWord:
		n, err := strconv.ParseUint(data.Value, 10, 64)
		if err != nil || data.Tag != "!!int" && n < 1<<63 {
			t.Fatalf("%v: the number %q, %s", err, data.Value, data.Tag)
		}
		return hive.NumberValue("", typ, n).Data
	case hive.SZ, hive.ExpandSZ:
		return append(hive.EncodeUTF16(str(data)), 0, 0)
	case hive.MultiSZ:
		var all []byte
		for _, s := range data.Content {
			all = append(append(all, hive.EncodeUTF16(str(*s))...), 0, 0)
		}
		return append(all, 0, 0)
	}
	var all []byte
	for digits := range strings.SplitSeq(strings.TrimPrefix(str(data), "hex:"), ",") {
		var c byte
		if _, err := fmt.Sscanf(digits, "%02x", &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}
