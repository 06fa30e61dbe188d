package evidence

import "strings"

// A place is a path that leads into images and archives: disk.E01!/p2/Windows/System32/config/SYSTEM, or kape.zip!/C.vhdx!/p1/SYSTEM. "!!" stands for
// a "!" in a name.

// Escape returns a path as it stands in a place.
func Escape(path string) string { return strings.ReplaceAll(path, "!", "!!") }

// Place returns the place of a path in a container, which is a place itself, or an escaped path.
func Place(container, inside string) string { return container + "!/" + Escape(inside) }

// Split returns what a place consists of: the path of the outermost container, the paths of those in it, and the path in the last one, which is
// "." for all of it. A place that leads into nothing is one path.
func Split(place string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(place); i++ {
		switch rest := place[i:]; {
		case strings.HasPrefix(rest, "!!"):
			part.WriteByte('!')
			i++
		case strings.HasPrefix(rest, "!/") || rest == "!" && len(parts) == 0:
			parts = append(parts, part.String())
			part.Reset()
			i++
		default:
			part.WriteByte(place[i])
		}
	}
	if len(parts) == 0 {
		return []string{part.String()}
	}
	last := strings.TrimSuffix(part.String(), "/")
	if last == "" {
		last = "."
	}
	return append(parts, last)
}
