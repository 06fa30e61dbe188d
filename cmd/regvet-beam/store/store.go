// Package store reads the objects of Google Cloud Storage and of S3, or of what speaks its protocol, as files: gs://BUCKET/OBJECT, s3://BUCKET/OBJECT.
//
// An object is read by ranges and is never changed. What is not there is [fs.ErrNotExist]; anything else that a store answers, or that it does not
// answer, is another error. All that is read of an open object is of the one version that was there when it was opened: if that was replaced or
// deleted, reading fails.
//
// What stands before a slash in the name of an object is a folder. A folder cannot be told from its listing alone where the name of an object has a
// part that no file can have: an empty one, "." or "..". Such objects are told as an error of the folder, along with the files that are in it.
//
// Who may read, and where, is configured as for the other programs of the vendors: for Google Cloud by its application default credentials, or an
// emulator in STORAGE_EMULATOR_HOST; for S3 by the environment, ~/.aws or the machine's role, and AWS_ENDPOINT_URL for other servers, whose buckets are
// paths there.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"regvet/hive/collection"
	"regvet/hive/evidence/block"
)

// All returns the stores by the schemes of their names, for [collection.Local]. The clients are made when the first bucket is opened.
func All() map[string]collection.Store {
	all := map[string]collection.Store{}
	for scheme, connect := range map[string]func(context.Context) (client, error){"gs": connectGCS, "s3": connectS3} {
		once := sync.OnceValues(func() (client, error) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			return connect(ctx)
		})
		held := block.NewLRU[blockID, []byte](mostHeld)
		all[scheme] = func(name string) (fs.FS, error) {
			c, err := once()
			if err != nil {
				return nil, reason(err)
			}
			return &bucket{client: c, name: name, held: held, patience: patience, names: map[string]sighting{}, folders: map[string]listing{}}, nil
		}
	}
	return all
}

// patience is how long the answer to one request may take, with all attempts that the client makes.
const patience = time.Minute

// client is what is asked of a store.
type client interface {
	// list returns a page of the objects whose names begin with a prefix and have no slash behind it, and the common beginnings, up to that slash, of
	// the names that have one. An empty token is for the first page.
	list(ctx context.Context, bucket, prefix, token string, most int) (page, error)
	// stat returns an object. The error is [fs.ErrNotExist] if there is none of that name in the bucket, or no such bucket.
	stat(ctx context.Context, bucket, name string) (object, error)
	// read fills p with the bytes of an object from an offset, all of which must be there. The error is errChanged if it has not the version that
	// is asked for.
	read(ctx context.Context, bucket string, o object, p []byte, at int64) error
}

// object is an object of a bucket.
type object struct {
	name     string
	size     int64
	modified time.Time
	version  string // changes with the content
}

type page struct {
	objects  []object
	prefixes []string
	next     string // the token of the next page, or ""
}

const mostInPage = 1000 // both stores return no more

// bucket is the filesystem of a bucket. What was seen last is remembered for a while, since everything is asked for several times.
type bucket struct {
	client
	name     string
	held     *block.LRU[blockID, []byte] // of all buckets
	patience time.Duration

	mu      sync.Mutex
	names   map[string]sighting
	folders map[string]listing
}

// sighting is what a name led to, nil for nothing.
type sighting struct {
	info *info
	at   time.Time
}

// listing is a folder as it was listed.
type listing struct {
	entries []fs.DirEntry
	err     error // that names in it cannot be those of files
	at      time.Time
}

const (
	// fresh is for how long what was seen answers what is asked. An object that was replaced since is noticed when it is read.
	fresh     = time.Minute
	mostNames = 100_000 // of which it is known what they lead to
)

// within calls ask with a context that ends when patience does. An error is without what the vendors' clients add to it.
func (b *bucket) within(ask func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), b.patience)
	defer cancel()
	err := ask(ctx)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("the store did not answer in full within %v", b.patience)
	}
	return reason(err)
}

func failed(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// Open implements [fs.FS]. Nothing of the object is read.
func (b *bucket) Open(name string) (fs.File, error) {
	info, err := b.stat("open", name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &folder{bucket: b, info: info, path: name}, nil
	}
	return &file{bucket: b, info: info}, nil
}

// Stat implements [fs.StatFS].
func (b *bucket) Stat(name string) (fs.FileInfo, error) {
	info, err := b.stat("stat", name)
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (b *bucket) stat(op, name string) (*info, error) {
	switch seen, ok := b.seen(name); {
	case !fs.ValidPath(name):
		return nil, failed(op, name, fs.ErrInvalid)
	case name == ".":
		return &info{name: ".", folder: true}, nil
	case ok && seen == nil:
		return nil, failed(op, name, fs.ErrNotExist)
	case ok:
		return seen, nil
	}
	found, err := b.look(name)
	if err != nil {
		return nil, failed(op, name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(name, found)
	if found == nil {
		return nil, failed(op, name, fs.ErrNotExist)
	}
	return found, nil
}

// seen returns what a name led to when it was seen a moment ago, nil for nothing, and reports whether that is known.
func (b *bucket) seen(name string) (*info, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.names[name]; ok && time.Since(s.at) < fresh {
		return s.info, true
	}
	l, ok := b.folders[path.Dir(name)]
	return nil, ok && time.Since(l.at) < fresh // all that is in it would have been noted
}

// note notes what a name leads to. mu is held.
func (b *bucket) note(name string, found *info) {
	if len(b.names) >= mostNames {
		clear(b.names)
		clear(b.folders) // which answer for names that are not among them
	}
	b.names[name] = sighting{found, time.Now()}
}

// forget drops what is known of a name, which was found to have changed.
func (b *bucket) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.names, name)
	delete(b.folders, path.Dir(name))
}

// look asks the store what a name leads to; nil for nothing. An empty object may stand for a folder.
func (b *bucket) look(name string) (found *info, err error) {
	var o object
	err = b.within(func(ctx context.Context) (err error) {
		o, err = b.client.stat(ctx, b.name, name)
		return err
	})
	if err == nil {
		found = &info{name: path.Base(name), object: o}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if found != nil && o.size > 0 {
		return found, nil
	}
	var p page
	err = b.within(func(ctx context.Context) (err error) {
		p, err = b.list(ctx, b.name, name+"/", "", 1)
		return err
	})
	if len(p.objects)+len(p.prefixes) > 0 {
		found = &info{name: path.Base(name), folder: true}
	}
	return found, err
}

// ReadDir implements [fs.ReadDirFS]. With an error, the result is what was listed before it.
func (b *bucket) ReadDir(name string) ([]fs.DirEntry, error) {
	b.mu.Lock()
	l, ok := b.folders[name]
	b.mu.Unlock()
	if !ok || time.Since(l.at) >= fresh {
		info, err := b.stat("open", name)
		if err == nil && !info.IsDir() {
			err = failed("open", name, errors.New("is no folder"))
		}
		if err != nil {
			return nil, err
		}
		if l, err = b.read(name); err != nil {
			return l.entries, failed("open", name, err)
		}
	}
	if l.err != nil {
		return slices.Clone(l.entries), failed("open", name, l.err)
	}
	return slices.Clone(l.entries), nil
}

// read lists a folder and remembers it.
func (b *bucket) read(name string) (l listing, err error) {
	prefix := name + "/"
	if name == "." {
		prefix = ""
	}
	infos := map[string]*info{}
	strange, example := 0, ""
	add := func(full string, i info) {
		i.name = strings.TrimSuffix(strings.TrimPrefix(full, prefix), "/")
		if strings.HasSuffix(full, "/") && i.object.size == 0 {
			if i.folder = true; full == prefix {
				return // an object that stands for the folder itself
			}
		}
		other := infos[i.name]
		switch {
		case !strings.HasPrefix(full, prefix) || !fs.ValidPath(i.name) || i.name == "." || strings.Contains(i.name, "/") || !i.folder && strings.HasSuffix(full, "/"),
			other != nil && i.object.size+other.object.size > 0: // an object is called as a folder is
			if strange++; strange == 1 {
				example = full
			}
			if other == nil || !i.folder {
				return
			}
		case other != nil && !i.folder:
			return
		}
		infos[i.name] = &i
	}
	for token := ""; ; {
		var p page
		err = b.within(func(ctx context.Context) (err error) {
			p, err = b.list(ctx, b.name, prefix, token, mostInPage)
			return err
		})
		if err == nil && p.next != "" && p.next == token {
			err = errors.New("the store returns the same page without end")
		}
		if err != nil {
			break
		}
		for _, o := range p.objects {
			add(o.name, info{object: o})
		}
		for _, folder := range p.prefixes {
			add(folder, info{folder: true})
		}
		if token = p.next; token == "" {
			break
		}
	}
	for _, i := range infos {
		l.entries = append(l.entries, fs.FileInfoToDirEntry(i))
	}
	slices.SortFunc(l.entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	switch {
	case err != nil:
		return l, err
	case strange > 0:
		l.err = fmt.Errorf("not all of it: %d names in it cannot be those of files, such as %q; copy what is called so under other names", strange, example)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(infos) < mostNames { // a larger one would be forgotten in part
		for base, i := range infos {
			b.note(path.Join(name, base), i)
		}
		l.at = time.Now()
		b.folders[name] = l
	}
	return l, nil
}

// info says what a file or folder is.
type info struct {
	name   string // without the folder
	folder bool
	object object // of a file
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.object.size }
func (i *info) ModTime() time.Time { return i.object.modified }
func (i *info) IsDir() bool        { return i.folder }
func (i *info) Sys() any           { return nil }
func (i *info) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
