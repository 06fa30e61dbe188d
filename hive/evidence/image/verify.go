package image

import (
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Verified is a stored hash, and the one that the content has.
type Verified struct {
	Hash
	Computed string // in hex
}

// Matches reports whether the content is the one of which the hash was stored.
func (v Verified) Matches() bool { return strings.EqualFold(v.Sum, v.Computed) }

// Verify reads all of the content and computes the hashes that the image stores; there are none to return if it stores none. The content is also
// written to the writers, for one who shows the progress or wants another hash; what a writer returns as an error ends it. Where the
// content has a gap it cannot be verified, and the error tells the place. Sectors that could not be read when the image was made are zeros here, as
// they were for the program that stored the hash.
func (i *Image) Verify(also ...io.Writer) ([]Verified, error) {
	hashes := map[string]hash.Hash{}
	for _, h := range i.Stored {
		switch h.Name {
		case "MD5":
			hashes[h.Name] = md5.New()
		case "SHA1":
			hashes[h.Name] = sha1.New()
		}
	}
	for _, h := range hashes {
		also = append(also, h)
	}
	content := i.hashed
	if content == nil {
		content = i.Reader
	}
	all := io.NewSectionReader(content, 0, content.Size())
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(also...)}, struct{ io.Reader }{all}, make([]byte, 1<<20)); err != nil {
		return nil, err
	}
	var verified []Verified
	for _, h := range i.Stored {
		if hash, ok := hashes[h.Name]; ok {
			verified = append(verified, Verified{h, fmt.Sprintf("%x", hash.Sum(nil))})
		}
	}
	return verified, nil
}
