package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"regvet/report"
)

func manCommand(all func() []command) command {
	return command{
		name: "man", short: "print the manual page",
		example: `  regvet man > regvet.1
  regvet man | man -l -
`,
		define: noFlags(func(s *session, _ []string) { fmt.Fprint(s.stdout, manual(all(), thisBuild())) }),
	}
}

// manual returns the manual page as roff source. It is made of the same texts as the help.
func manual(all []command, build report.Build) string {
	var m roff
	day, _, _ := strings.Cut(build.Date, "T")
	fmt.Fprintf(&m, ".TH REGVET 1 \"%s\" %s \"User Commands\"\n", day, quoted("regvet "+build.Version))
	m.section("NAME")
	m.WriteString("regvet \\- audit the Windows registry from files\n")
	m.section("SYNOPSIS")
	for i, cmd := range all {
		if i > 0 {
			m.WriteString(".br\n")
		}
		flags, _ := cmd.parser()
		m.text(cmd.usage(flags))
	}
	m.section("DESCRIPTION")
	m.text(about)
	m.WriteString(".PP\n")
	m.text(inputs)
	m.section("COMMANDS")
	for _, cmd := range all {
		m.command(cmd)
	}
	m.section("EXIT STATUS")
	for status, meaning := range meanings {
		fmt.Fprintf(&m, ".TP\n.B %d\n", status)
		m.text(meaning)
	}
	m.WriteString(".PP\n")
	m.text(highest)
	m.section("ENVIRONMENT")
	m.WriteString(".TP\n.B NO_COLOR\n")
	m.text("If it is not empty, text has no colours.")
	m.WriteString(".TP\n.B FORCE_COLOR\n")
	m.text("If it is not empty, text on standard output has colours even if that is no terminal; 0 and false turn them off. NO_COLOR goes before it, and --color before both.")
	m.WriteString(".TP\n.B SOURCE_DATE_EPOCH\n")
	m.text("The date to write into a fix, in seconds since 1970, so that the same files can be made again.")
	m.WriteString(".TP\n.B GITHUB_ACTIONS\n")
	m.text("If it is true, the default format is github.")
	return m.String()
}

// roff writes a manual page.
type roff struct{ strings.Builder }

func (m *roff) section(name string) { fmt.Fprintf(m, ".SH %s\n", name) }

func (m *roff) command(cmd command) {
	flags, _ := cmd.parser()
	fmt.Fprintf(m, ".SS %s\n", quoted(cmd.usage(flags)))
	m.text(cmd.name + ": " + cmd.short + ".")
	flags.VisitAll(func(f *pflag.Flag) {
		name, usage := pflag.UnquoteUsage(f)
		m.WriteString(".TP\n.B ")
		if f.Shorthand != "" {
			m.WriteString(escapedRoff("-"+f.Shorthand) + ", ")
		}
		m.WriteString(escapedRoff("--" + f.Name))
		if f.NoOptDefVal == "" {
			m.WriteString(" \\fI" + escapedRoff(name) + "\\fR")
		}
		m.WriteByte('\n')
		if f.NoOptDefVal == "" && f.DefValue != "" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		m.text(usage)
	})
	m.WriteString(".PP\nExamples:\n.PP\n.EX\n")
	m.text(strings.TrimSuffix(cmd.example, "\n"))
	m.WriteString(".EE\n")
}

// text writes lines of text so that roff takes none of them for a request.
func (m *roff) text(s string) {
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			m.WriteString(`\&`)
		}
		m.WriteString(escapedRoff(line) + "\n")
	}
}

// escapedRoff returns text that roff shows as it is. Hyphens can be copied, and quotes are not replaced with typographic ones.
func escapedRoff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}

// quoted returns text as one argument of a macro.
func quoted(s string) string { return `"` + strings.ReplaceAll(escapedRoff(s), `"`, `\(dq`) + `"` }
