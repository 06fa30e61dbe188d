package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
)

// gcs is Google Cloud Storage.
type gcs struct{ *storage.Client }

// attempts is how often a request is made before its failure is told: the client of S3 makes three, and this one would go on.
const attempts = 4

func connectGCS(ctx context.Context) (client, error) {
	c, err := storage.NewClient(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	c.SetRetry(storage.WithMaxAttempts(attempts))
	return gcs{c}, nil
}

func (g gcs) list(ctx context.Context, bucket, prefix, token string, most int) (p page, _ error) {
	q := &storage.Query{Prefix: prefix, Delimiter: "/"}
	if err := q.SetAttrSelection([]string{"Name", "Size", "Updated", "Generation"}); err != nil {
		return p, err
	}
	it := g.Bucket(bucket).Objects(ctx, q)
	it.PageInfo().MaxSize, it.PageInfo().Token = most, token
	for {
		a, err := it.Next()
		switch {
		case err == iterator.Done:
			return p, nil
		case err != nil:
			return p, err
		case a.Prefix != "":
			p.prefixes = append(p.prefixes, a.Prefix)
		default:
			p.objects = append(p.objects, objectOf(a))
		}
		if it.PageInfo().Remaining() == 0 {
			p.next = it.PageInfo().Token
			return p, nil
		}
	}
}

func objectOf(a *storage.ObjectAttrs) object {
	return object{name: a.Name, size: a.Size, modified: a.Updated, version: strconv.FormatInt(a.Generation, 10)}
}

func (g gcs) stat(ctx context.Context, bucket, name string) (object, error) {
	a, err := g.Bucket(bucket).Object(name).Attrs(ctx)
	if errors.Is(err, storage.ErrObjectNotExist) {
		return object{}, fs.ErrNotExist
	}
	if err != nil {
		return object{}, err
	}
	return objectOf(a), nil
}

func (g gcs) read(ctx context.Context, bucket string, o object, p []byte, at int64) error {
	generation, err := strconv.ParseInt(o.version, 10, 64)
	if err != nil {
		return err
	}
	// The bytes as they are stored: the size is theirs, and ranges of what the store unpacks cannot be had.
	r, err := g.Bucket(bucket).Object(o.name).Generation(generation).ReadCompressed(true).NewRangeReader(ctx, at, int64(len(p)))
	switch {
	case errors.Is(err, storage.ErrObjectNotExist):
		return errChanged
	case err != nil:
		return err
	}
	defer r.Close()
	switch {
	case r.Attrs.Generation != generation || r.Attrs.Size != o.size:
		return errChanged
	case r.Attrs.StartOffset != at:
		return fmt.Errorf("the store returned bytes from %d, and was asked for those from %d", r.Attrs.StartOffset, at)
	}
	return fill(p, r)
}

// fill fills p with what a store returned.
func fill(p []byte, r io.Reader) error {
	n, err := io.ReadFull(r, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the store returned %d bytes, and was asked for %d", n, len(p))
	}
	return err
}
