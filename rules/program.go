package rules

import (
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/command"
	"regvet/rules/strict"
)

// programDemand is what a rule asks of the program that a command line has Windows start.
type programDemand struct {
	in, out, tries folders
	names          []fileName // of which it must have one; none for any
	arguments      demand
}

// fileName is the name of a file, or a pattern for it.
type fileName struct {
	text string
	like glob // nil if it is a name
}

// folders are classes of folders and folders.
type folders []command.Folder

func (all folders) String() string { return strict.List(each(all, command.Folder.String), "or") }

var programObject strict.Object[programDemand]

func init() {
	programObject = strict.Object[programDemand]{
		Name: "program", Doc: "What must hold of the program that a command line has Windows start, and of its arguments.",
		Empty: "asks nothing; want in_folder, not_in_folder, tries_in_folder, name or arguments",
		Fields: []strict.Field[programDemand]{
			strict.May("in_folder", "The program is in one of these folders or below it: "+classDocs()+"; or a path such as %ProgramData%\\Example.", foldersForm,
				func(p *programDemand, all []command.Folder) { p.in = all }),
			strict.May("not_in_folder", "The program is in none of these folders.", foldersForm, func(p *programDemand, all []command.Folder) { p.out = all }),
			strict.May("tries_in_folder", "The path has a blank and no quotes, so that Windows first tries a program in one of these folders, such as C:\\Program.exe.", foldersForm,
				func(p *programDemand, all []command.Folder) { p.tries = all }),
			strict.May("name", "The file of the program has one of these names, in which * is any run of characters and ? is one. Case does not count, and .exe goes without saying.", strict.OneOrMore(fileNameForm, "names no program"),
				func(p *programDemand, all []fileName) { p.names = all }),
			strict.May("arguments", "Operators on the text behind the program.", textDemandForm, func(p *programDemand, q demand) { p.arguments = q }),
		},
	}
}

var programForm = strict.Of(&programObject, "program")

var fileNameForm = strict.NewForm(strict.LineForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) fileName {
	name := fileName{text: d.Line(n, what)}
	if strings.ContainsAny(name.text, "*?") && d.Spend(strict.Locate(n), what, len(name.text)/2) {
		name.like = parseGlob(name.text)
	}
	return name
})

// classDocs describes the classes of folders.
func classDocs() string {
	return strings.Join(each(command.Classes(), func(c command.Class) string { return c.Name + " (" + c.Doc + ")" }), ", ")
}

func classNames() []string {
	return each(command.Classes(), func(c command.Class) string { return c.Name })
}

var foldersForm = strict.OneOrMore(strict.NewForm(strict.Schema{"anyOf": []any{strict.Schema{"enum": classNames()}, strict.Schema{"type": "string", "pattern": `[\\\\/%]`}}},
	func(d *strict.Decoder, n *yaml.Node, what string) command.Folder {
		text := d.Line(n, what)
		f, err := command.ParseFolder(text)
		switch {
		case err == nil:
		case strings.ContainsAny(text, `\/%`):
			d.Wrong(n, "%v", err)
		default:
			d.Wrong(n, "%v%s", err, strict.OneOf(text, classNames()))
		}
		return f
	}), "names no folder")

// textDemandForm is operators on a text.
var textDemandForm = strict.NewForm(demandForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) demand {
	q := demandForm.Read(d, n, what)
	if o, why := (Terms{Types: []hive.Type{hive.SZ}, Data: q}).mistyped(what); why != "" {
		d.WrongAt(o.at, "%s are a text, and %s asks for %s%s", what, o.name, plainKinds[o.kinds[0]], o.instead(aText))
	}
	return q
})

// String returns what is asked, for people.
func (p programDemand) String() string {
	var parts []string
	if p.names != nil {
		parts = append(parts, "named "+strict.List(each(p.names, func(n fileName) string { return hive.Visible(n.text) }), "or"))
	}
	if p.in != nil {
		parts = append(parts, "in "+p.in.String())
	}
	if p.out != nil {
		parts = append(parts, "not in "+p.out.String())
	}
	if p.tries != nil {
		parts = append(parts, "after another in "+p.tries.String())
	}
	if p.arguments != nil {
		parts = append(parts, "with arguments "+p.arguments.String())
	}
	return "a program " + strings.Join(parts, ", ")
}

// ask returns whether the program of a command line is as asked.
func (p programDemand) ask(text string, beside *neighbours) truth {
	m := beside.machine()
	line, path := m.read(text)
	answer := yes
	if p.names != nil {
		answer = p.named(m.Machine, line.Program)
	}
	if p.arguments != nil && answer != no {
		q, err := p.arguments.ask(hive.StringValue("", hive.SZ, line.Arguments), nil)
		if err != nil {
			q = no
		}
		answer = min(answer, q)
	}
	if p.in != nil && answer != no {
		answer = min(answer, p.in.hold(m.Machine, path))
	}
	if p.out != nil && answer != no {
		answer = min(answer, yes-p.out.hold(m.Machine, path))
	}
	if p.tries != nil && answer != no {
		answer = min(answer, anyOf(line.Earlier(), func(first string) truth { return p.tries.hold(m.Machine, m.Resolve(first)) }))
	}
	if answer == perhaps {
		why := path.Unknown
		if why == "" {
			why = "a short name, a variable or the letter of a drive in it may stand for more than one"
		}
		beside.leave(Undecided, "where the program %s is cannot be told: %s", hive.Visible(hive.Printable(command.Split(text).Program)), why)
	}
	return answer
}

// named returns whether a program has one of the names.
func (p programDemand) named(m *command.Machine, program string) truth {
	file, sure := m.File(program)
	return anyOf(p.names, func(name fileName) truth {
		switch {
		case name.like == nil:
			return truth(command.IsFile(file, name.text))
		case file == "":
			return no
		case name.like.match(file, true):
			return yes
		case sure:
			return no
		}
		return perhaps
	})
}

// hold returns whether a path is in one of the folders.
func (all folders) hold(m *command.Machine, p command.Path) truth {
	return anyOf(all, func(f command.Folder) truth { return truth(m.In(p, f)) })
}

// anyOf returns the highest answer for some things.
func anyOf[T any](all []T, ask func(T) truth) truth {
	best := no
	for _, one := range all {
		if best = max(best, ask(one)); best == yes {
			break
		}
	}
	return best
}

// The keys that tell of the folders of a computer.
var (
	environmentKey    = currentSet.Join("Control", "Session Manager", "Environment")
	mountedDevicesKey = hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM", "MountedDevices"}
	currentVersionKey = hive.Path{"HKEY_LOCAL_MACHINE", "SOFTWARE", "Microsoft", "Windows NT", "CurrentVersion"}
)

// machine is what the input tells of the folders of a computer, and the command line that was read last: several rules ask of each.
type machine struct {
	*command.Machine
	text string
	line command.Line
	path command.Path
}

// read takes a command line apart, and returns where its program is.
func (m *machine) read(text string) (command.Line, command.Path) {
	if m.text != text {
		m.text, m.line = text, m.Read(text)
		m.path = m.Resolve(m.line.Program)
	}
	return m.line, m.path
}

// machine returns what the input tells of the folders of the computer.
func (n *neighbours) machine() *machine {
	if n == nil {
		return &machine{Machine: new(command.Machine)}
	}
	if m := n.in.machines[n.scene.set]; m != nil {
		return m
	}
	var keys [3]*hive.Key
	for i, path := range []hive.Path{environmentKey, mountedDevicesKey, currentVersionKey} {
		if found := n.in.find(path, n.scene); len(found) > 0 {
			keys[i] = found[0].Key
		}
	}
	m := &machine{Machine: command.NewMachine(keys[0], keys[1], keys[2])}
	n.in.machines[n.scene.set] = m
	return m
}
