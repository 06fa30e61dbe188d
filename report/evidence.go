package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/evidence"
	"regvet/hive/evidence/image"
)

// jsonStep is one step of the way to an input in an image or archive.
type jsonStep struct {
	Kind     string  `json:"kind"` // of the container or filesystem, such as "e01", "zip", "ntfs", or "partition"
	Path     string  `json:"path,omitempty"`
	Number   *int    `json:"number,omitempty"`
	Offset   *int64  `json:"offset,omitempty"`
	Created  string  `json:"created,omitempty"`
	Size     int64   `json:"size,omitempty"`
	Segments int     `json:"segments,omitempty"`
	MD5      string  `json:"stored_md5,omitempty"`
	SHA1     string  `json:"stored_sha1,omitempty"`
	Verified *bool   `json:"verified,omitempty"` // by "regvet info --verify"
	Label    *string `json:"label,omitempty"`
	Serial   string  `json:"serial,omitempty"`
}

func wayJSON(way []evidence.Step) (out []jsonStep) {
	for _, s := range way {
		step := jsonStep{Kind: s.Kind, Path: hive.Printable(s.Path), Size: s.Size, Segments: s.Segments, MD5: s.MD5, SHA1: s.SHA1, Verified: s.Verified, Serial: s.Serial}
		switch {
		case s.Kind == "partition":
			step.Number, step.Offset = &s.Number, &s.Offset
		case s.Kind == "vss":
			step.Number, step.Created = &s.Number, timestamp(s.Created)
		case s.Path == "":
			label := hive.Printable(s.Label)
			step.Label = &label
		}
		out = append(out, step)
	}
	return out
}

// jsonContainer is an image or archive.
type jsonContainer struct {
	Path     string        `json:"path"`
	Kind     string        `json:"kind"`
	Size     int64         `json:"size,omitempty"` // of the content of an image, in bytes
	Files    []jsonFile    `json:"files,omitempty"`
	Hashes   []jsonHash    `json:"hashes,omitempty"`
	Facts    []jsonFact    `json:"facts,omitempty"`
	Table    string        `json:"table,omitempty"`
	Volumes  []jsonVolume  `json:"volumes,omitempty"`
	Problems []jsonProblem `json:"problems"`
}

type jsonFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

type jsonHash struct {
	Name     string `json:"name"`
	Stored   string `json:"stored"`
	Computed string `json:"computed,omitempty"` // by "regvet info --verify"
}

type jsonFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type jsonVolume struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	Type   string `json:"type,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Label  string `json:"label,omitempty"`
	Serial string `json:"serial,omitempty"`
	Error  string `json:"error,omitempty"`

	Shadows []jsonShadow `json:"shadow_copies,omitempty"`
}

type jsonShadow struct {
	Name    string `json:"name"`
	Created string `json:"created"`
	ID      string `json:"id"`
}

// containerJSON returns what is known of an image or archive as info has it.
func containerJSON(c *collection.Container) jsonContainer {
	out := identityJSON(c)
	out.Table = c.Table
	if c.Image == nil {
		return out
	}
	for _, f := range c.Image.Files {
		out.Files = append(out.Files, jsonFile{hive.Printable(f.Name), f.Size})
	}
	for _, v := range c.Volumes {
		volume := jsonVolume{v.Name, v.Offset, v.Size(), hive.Printable(v.Type), v.Kind, hive.Printable(v.Label), v.Serial, "", nil}
		if v.Err != nil {
			volume.Error = hive.Printable(v.Err.Error())
		}
		shadows, _ := v.Shadows() // that they cannot be read is a problem of the image
		for _, s := range shadows {
			volume.Shadows = append(volume.Shadows, jsonShadow{v.ShadowName(s), timestamp(s.Created), s.ID})
		}
		out.Volumes = append(out.Volumes, volume)
	}
	return out
}

// identityJSON returns what a report of a check says of an image or archive: not what it consists of, nor what volumes are in it.
func identityJSON(c *collection.Container) jsonContainer {
	out := jsonContainer{Path: hive.Printable(c.Place), Kind: hive.Printable(c.Kind), Problems: problemsJSON(c.Problems)}
	if c.Image == nil {
		return out
	}
	out.Size = c.Image.Size()
	for _, h := range c.Image.Stored {
		out.Hashes = append(out.Hashes, jsonHash{h.Name, h.Sum, computed(c, h)})
	}
	for _, f := range c.Image.Facts {
		out.Facts = append(out.Facts, jsonFact{f.Name, hive.Printable(f.Value)})
	}
	return out
}

// containers returns the images and archives of a report of a check.
func (r Report) containers() []jsonLineContainer {
	return append(slices.Clone(r.recorded), lineContainersJSON(r.Containers)...)
}

// computed returns the hash that the content of an image was found to have, "" if it was not computed.
func computed(c *collection.Container, stored image.Hash) string {
	for _, v := range c.Verified {
		if v.Hash == stored {
			return v.Computed
		}
	}
	return ""
}

// container writes what an image or archive is, and its volumes.
func (p *page) container(c *collection.Container) {
	fmt.Fprintln(p, p.paint(hive.Visible(c.Place), color.Bold))
	if c.Image == nil {
		p.row("what", c.Kind)
		return
	}
	what := fmt.Sprintf("%s of %d bytes", c.Kind, c.Image.Size())
	if n := len(c.Image.Files); n > 1 {
		what += fmt.Sprintf(", in %d files", n)
	}
	p.row("what", what)
	for _, h := range c.Image.Stored {
		text := h.Sum + ", as stored"
		switch sum := computed(c, h); {
		case sum == "":
		case strings.EqualFold(sum, h.Sum):
			text += ", verified"
		default:
			text += "; the content has " + sum
		}
		p.row(strings.ToLower(h.Name), text)
	}
	for _, f := range c.Image.Facts {
		p.row("says", f.Name+": "+hive.Visible(f.Value))
	}
	p.row("table", cmp.Or(c.Table, "none"))
	for _, v := range c.Volumes {
		kind := cmp.Or(v.Kind, v.Type, "not known")
		if v.Err != nil { // which says what it is
			kind = cmp.Or(v.Type, v.Kind, "not known")
		}
		if v.Label != "" {
			kind += fmt.Sprintf(" %q", hive.Visible(v.Label))
		}
		if v.Serial != "" {
			kind += ", serial " + v.Serial
		}
		text := fmt.Sprintf("%s, %d bytes at %d: %s", v.Name, v.Size(), v.Offset, kind)
		if v.Err != nil {
			text += "; " + hive.Visible(v.Err.Error())
		}
		p.row("volume", text)
		shadows, _ := v.Shadows()
		for _, s := range shadows {
			p.row("shadow", fmt.Sprintf("%s, created %s", v.ShadowName(s), timestamp(s.Created)))
		}
	}
}
