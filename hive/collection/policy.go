package collection

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"regvet/hive"
	"regvet/hive/polfile"
)

// PolicyRoot returns the root that the keys of a Registry.pol belong to, and what tells it. Nothing in the file does: Windows keeps that of a user in
// a folder User and that of the computer in a folder Machine, and copies are often called user.pol or NAME-user.pol.
func PolicyRoot(name string) (root, by string) {
	base := baseName(name)
	base = strings.TrimSuffix(base, path.Ext(base))
	words := strings.FieldsFunc(base, func(r rune) bool { return !unicode.IsLetter(r) })
	folder := path.Base(path.Dir(strings.ReplaceAll(name, `\`, "/")))
	switch {
	case len(words) > 0 && strings.EqualFold(words[len(words)-1], "user"):
		return polfile.User, "its name"
	case len(words) > 0 && strings.EqualFold(words[len(words)-1], "machine"):
		return polfile.Machine, "its name"
	case strings.EqualFold(folder, "User"):
		return polfile.User, "its folder"
	case strings.EqualFold(folder, "Machine"):
		return polfile.Machine, "its folder"
	}
	return polfile.Machine, "default, since neither name nor folder says user"
}

// loadPolicy reads a Registry.pol. The root of the input is what the policy sets, as if it were an export. In its registry, nothing but that is
// known of the keys: a policy leaves the other values as they are.
func (in *Opened) loadPolicy(data []byte, mount hive.Path) error {
	root, by := PolicyRoot(in.Path)
	if mount != nil {
		by = "flag --mount"
		if root = mount[0]; len(mount) > 1 || root != polfile.Machine && root != polfile.User {
			return &hive.Problem{Kind: hive.Unreadable, Msg: fmt.Sprintf("is a Registry.pol, whose keys belong to HKLM or HKCU, and not to %s; give --mount one of the two, or leave it out", mount)}
		}
	}
	f, err := polfile.Parse(in.Name(), data)
	if err != nil {
		return err
	}
	edits, problems := f.Edits(root, nil)
	in.Format, in.Root, in.Edits = "pol", hive.Apply(hive.NewImpliedKey(""), edits...), len(f.Entries)
	in.Policy, in.Depending = edits, f.Depending()
	in.Text = fmt.Sprintf("of %s, by %s", root, by)
	in.told = problems
	in.Registry = hive.NewRegistry()
	in.Registry.Mount(nil, hive.ApplyPartly(hive.NewImpliedKey(""), edits...))
	return nil
}
