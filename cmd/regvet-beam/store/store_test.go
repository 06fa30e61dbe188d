package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"cloud.google.com/go/storage"
	"github.com/fsouza/fake-gcs-server/fakestorage"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/googleapis/gax-go/v2"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/cli"
	"regvet/internal/hivetest"
	"regvet/internal/imagetest"
)

// server is a store that runs in the test.
type server struct {
	scheme   string
	fake     http.Handler
	put      func(name string, data []byte)
	pack     func(name string, data []byte) // puts what is compressed with gzip and said to be
	remove   func(name string)
	bucket   *bucket
	requests atomic.Int64
	bytes    atomic.Int64                     // of bodies that were returned
	page     int                              // names in an answer at most, which is for the server to say; 0 for as many as are asked for
	fault    atomic.Pointer[http.HandlerFunc] // answers instead of the server; nil for none
	cut      atomic.Int64                     // bytes that are left out of the end of each answer with content
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if fault := s.fault.Load(); fault != nil {
		(*fault)(w, r)
		return
	}
	if s.page > 0 {
		q := r.URL.Query()
		for _, most := range []string{"max-keys", "maxResults"} {
			if q.Has(most) {
				q.Set(most, strconv.Itoa(s.page))
			}
		}
		r.URL.RawQuery = q.Encode()
	}
	s.fake.ServeHTTP(&counted{w, s, s.cut.Load()}, r)
}

// counted counts what is returned, and leaves out the end of it.
type counted struct {
	http.ResponseWriter
	s   *server
	cut int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.s.bytes.Add(int64(len(p)))
	if c.cut > 0 && int64(len(p)) > c.cut {
		c.ResponseWriter.Write(p[:int64(len(p))-c.cut]) // the client sees that it is too little
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(p)
}

const bucketName = "evidence"

// servers returns an empty store of each kind, each with a client that is configured as that of a user is.
func servers(t testing.TB) []*server {
	t.Helper()
	listen := func(s *server) string {
		h := httptest.NewServer(s)
		t.Cleanup(h.Close)
		return h.URL
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// No file of the user and no service of a cloud is asked who this is.
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "the secret", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_MAX_ATTEMPTS": "2", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "GOOGLE_APPLICATION_CREDENTIALS": ""} {
		t.Setenv(name, value)
	}

	aws3 := &server{scheme: "s3"}
	memory := s3mem.New()
	aws3.fake = gofakes3.New(memory, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	t.Setenv("AWS_ENDPOINT_URL", listen(aws3))
	must(memory.CreateBucket(bucketName))
	aws3.put = func(name string, data []byte) {
		_, err := memory.PutObject(bucketName, name, map[string]string{}, bytes.NewReader(data), int64(len(data)), nil)
		must(err)
	}
	aws3.pack = func(name string, data []byte) {
		_, err := memory.PutObject(bucketName, name, map[string]string{"Content-Encoding": "gzip"}, bytes.NewReader(data), int64(len(data)), nil)
		must(err)
	}
	aws3.remove = func(name string) {
		_, err := memory.DeleteObject(bucketName, name)
		must(err)
	}
	aws3.bucket = reopened(t, aws3)

	google := &server{scheme: "gs"}
	at := listen(google)
	t.Setenv("STORAGE_EMULATOR_HOST", at)
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true, Writer: io.Discard, PublicHost: strings.TrimPrefix(at, "http://")})
	must(err)
	t.Cleanup(fake.Stop)
	google.fake = fake.HTTPHandler()
	fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucketName})
	google.put = func(name string, data []byte) {
		fake.CreateObject(fakestorage.Object{ObjectAttrs: fakestorage.ObjectAttrs{BucketName: bucketName, Name: name}, Content: data})
	}
	google.pack = func(name string, data []byte) {
		fake.CreateObject(fakestorage.Object{ObjectAttrs: fakestorage.ObjectAttrs{BucketName: bucketName, Name: name, ContentEncoding: "gzip"}, Content: data})
	}
	google.remove = func(name string) { must(fake.Backend().DeleteObject(bucketName, name)) }
	google.bucket = reopened(t, google)
	return []*server{aws3, google}
}

// each runs a test with a store of each kind.
func each(t *testing.T, test func(t *testing.T, s *server)) {
	for _, s := range servers(t) {
		t.Run(s.scheme, func(t *testing.T) { test(t, s) })
	}
}

// content returns bytes that differ from place to place.
func content(size int) []byte {
	data := make([]byte, size)
	r := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// TestFileSystem requires what package fs requires of a filesystem.
func TestFileSystem(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.put("a/b/SYSTEM", content(100_000))
		s.put("a/b/empty", nil)
		s.put("a/b c/%41 +&=?#é", content(10))
		s.put("a/", nil) // a folder that a console made
		s.put("top.reg", content(1))
		if err := fstest.TestFS(s.bucket, "a/b/SYSTEM", "a/b/empty", "a/b c/%41 +&=?#é", "top.reg"); err != nil {
			t.Error(err)
		}
	})
}

// TestRanges requires that any range of an object is that of its bytes, however it is read.
func TestRanges(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, size := range []int{0, 1, blockSize - 1, blockSize, 3*blockSize + 7, mostAsked + 3*direct + 1} {
			name, want := fmt.Sprintf("a/%d", size), content(size)
			s.put(name, want)
			r := rand.New(rand.NewPCG(2, uint64(size)))
			f, err := s.bucket.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			at := f.(io.ReaderAt)
			for range 60 {
				from, length := r.IntN(size+2), r.IntN(1<<r.IntN(20))
				p := make([]byte, length)
				n, err := at.ReadAt(p, int64(from))
				part := want[min(from, size):min(from+length, size)]
				if !bytes.Equal(p[:n], part) || (err == io.EOF) != (len(part) < length) || err != nil && err != io.EOF {
					t.Fatalf("%d bytes from %d of %d: %d bytes, %v", length, from, size, n, err)
				}
			}
			if got, err := io.ReadAll(iotest.HalfReader(f)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes in pieces: %d bytes, %v", size, len(got), err)
			}
			whole := make([]byte, size)
			if n, err := at.ReadAt(whole, 0); n < size || err != nil && err != io.EOF || !bytes.Equal(whole, want) {
				t.Errorf("%d bytes at once: %d bytes, %v", size, n, err)
			}
			if end, err := f.(io.Seeker).Seek(-1, io.SeekEnd); size > 0 && (err != nil || end != int64(size)-1) {
				t.Errorf("the end of %d bytes is %d, %v", size, end, err)
			}
		}
	})
}

// TestPackedObjects requires that an object is read as it is stored, and not what a store or a client makes of it that unpacks.
func TestPackedObjects(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, size := range []int{10, 1 << 20} {
			want := imagetest.Gzip(content(size))
			s.pack("x.gz", want)
			if got, err := fs.ReadFile(reopened(t, s), "x.gz"); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
			}
		}
	})
}

// TestChangedObjects requires that of an object that is replaced or deleted while it is read nothing more is read, and that it is not said to be absent.
func TestChangedObjects(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		old, young := content(1<<20), content(1<<20+1)
		for what, change := range map[string]func(){
			"replaced":                  func() { s.put("x", young) },
			"replaced by one as large":  func() { s.put("x", young[1:]) },
			"replaced by a smaller one": func() { s.put("x", young[:70_000]) },
			"deleted":                   func() { s.remove("x") },
		} {
			s.put("x", old)
			s.bucket.forget("x")
			f, err := s.bucket.Open("x")
			if err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 10)
			if _, err := f.Read(p); err != nil || !bytes.Equal(p, old[:10]) {
				t.Fatal(err)
			}
			change()
			for _, length := range []int{10, direct} {
				p := make([]byte, length)
				n, err := f.(io.ReaderAt).ReadAt(p, 500_000)
				if n != 0 || !errors.Is(err, errChanged) || errors.Is(err, fs.ErrNotExist) || err.Error() != "read x: the object was replaced or deleted while it was read; read it again" {
					t.Errorf("%s: %d bytes, %v", what, n, err)
				}
			}
			// Whoever opens it anew gets what is there now.
			switch data, err := fs.ReadFile(s.bucket, "x"); {
			case what == "deleted":
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s, and read again: %v", what, err)
				}
			case err != nil || bytes.Equal(data, old):
				t.Errorf("%s, and read again: %d bytes, %v", what, len(data), err)
			}
		}
	})
}

// answers returns a handler that answers so to each request.
func answers(status int, text string) *http.HandlerFunc {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, text)
	})
	return &h
}

// TestFailures requires that what a store cannot say is an error in one line, with the reason and nothing secret, and never "not there".
func TestFailures(t *testing.T) {
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	hang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	const secret = "Bearer the secret"
	each(t, func(t *testing.T, s *server) {
		whole := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // one that knows no ranges
			r.Header.Del("Range")
			s.fake.ServeHTTP(w, r)
		})
		s.put("x", content(1<<20))
		of := map[string]int{"s3": 0, "gs": 1}[s.scheme]
		const noSense = "the answer is not one that a store gives; is the address of the store right?"
		for what, test := range map[string]struct {
			fault       *http.HandlerFunc
			cut         int64
			patience    time.Duration
			read, other [2]string // of S3 and of Google; "" for no error
		}{
			"no answer":     {fault: &hang, patience: 200 * time.Millisecond, read: both("the store did not answer in full within 200ms"), other: both("the store did not answer in full within 200ms")},
			"errors":        {fault: answers(500, "oops\n"+secret), read: both("the store answers 500 Internal Server Error"), other: both("the store answers 500 Internal Server Error")},
			"forbidden":     {fault: answers(403, secret), read: both("the store answers 403 Forbidden"), other: both("the store answers 403 Forbidden")},
			"no sense":      {fault: answers(200, "<html>\n"+secret), read: [2]string{noSense, "storage: partial request not satisfied"}, other: both(noSense)},
			"no ranges":     {fault: &whole, read: [2]string{`the store returned "", and was asked for bytes 262144 to 327679 of 1048576`, "storage: partial request not satisfied"}},
			"no connection": {fault: &broken, read: both("the store closed the connection before it answered"), other: both("the store closed the connection before it answered")},
			"too little":    {cut: 1000, patience: time.Second, read: [2]string{"the store returned 31768 bytes, and was asked for 65536", "the store returned 63536 bytes, and was asked for 65536"}},
		} {
			s.bucket.patience = time.Minute
			s.bucket.forget("x")
			f, err := s.bucket.Open("x")
			if err != nil {
				t.Fatal(err)
			}
			s.bucket.patience = cmp.Or(test.patience, time.Minute)
			s.fault.Store(test.fault)
			s.cut.Store(test.cut)
			n, readErr := f.(io.ReaderAt).ReadAt(make([]byte, 1000), 300_000)
			s.bucket.forget("x")
			_, statErr := s.bucket.Stat("x")
			s.bucket.forget("x")
			_, listErr := s.bucket.ReadDir(".")
			s.fault.Store(nil)
			s.cut.Store(0)
			if n != 0 {
				t.Errorf("%s: %d bytes were read", what, n)
			}
			for _, got := range []struct {
				err        error
				begin, end string
			}{{readErr, "read x: ", test.read[of]}, {statErr, "stat x: ", test.other[of]}, {listErr, "open .: ", test.other[of]}} {
				switch {
				case got.err == nil && got.end == "":
				case got.err == nil || got.err.Error() != got.begin+got.end || errors.Is(got.err, fs.ErrNotExist):
					t.Errorf("%s: %v, want %s%s", what, got.err, got.begin, got.end)
				}
			}
		}
	})
}

// TestOnlyListed requires that an object of which a store says no more than that it is listed is not taken for absent.
func TestOnlyListed(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.put("a/x", content(10))
		all := s.fake
		s.fake = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("delimiter") {
				all.ServeHTTP(w, r)
			} else {
				w.WriteHeader(http.StatusForbidden)
			}
		})
		if _, err := s.bucket.Stat("a/x"); err == nil || err.Error() != "stat a/x: the store answers 403 Forbidden" {
			t.Error(err)
		}
		if _, err := fs.ReadFile(s.bucket, "a/x"); err == nil || err.Error() != "open a/x: the store answers 403 Forbidden" {
			t.Error(err)
		}
		if entries, err := s.bucket.ReadDir("a"); len(entries) != 0 || err == nil { // whether it is a folder is asked first
			t.Errorf("%v, %v", entries, err)
		}
	})
}

func both(text string) [2]string { return [2]string{text, text} }

// TestNoBucket requires that a bucket that is not there is not an empty one.
func TestNoBucket(t *testing.T) {
	for _, s := range servers(t) {
		fsys, err := All()[s.scheme]("nothing")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{".", "a"} {
			if entries, err := fs.ReadDir(fsys, name); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), ": there is no such bucket") {
				t.Errorf("%s: %s: %v %v", s.scheme, name, entries, err)
			}
		}
	}
}

// TestNoCredentials requires that missing files of credentials are not taken for missing objects.
func TestNoCredentials(t *testing.T) {
	servers(t) // which set the environment
	missing := filepath.Join(t.TempDir(), "missing")
	for name, value := range map[string]string{"STORAGE_EMULATOR_HOST": "", "GOOGLE_APPLICATION_CREDENTIALS": missing,
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": missing} {
		t.Setenv(name, value)
	}
	for scheme := range All() {
		l := &collection.Local{Stores: All()}
		_, err := l.Stat(scheme + "://" + bucketName + "/x")
		if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// TestPages requires that a folder is listed whole, however many pages it takes, and once for all who ask for what is in it.
func TestPages(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var want []string
		s.page = 10
		for i := range 25 {
			name := fmt.Sprintf("%02d", i)
			if i%7 == 0 {
				s.put("many/"+name+"/x", nil)
			} else {
				s.put("many/"+name, nil)
			}
			want = append(want, name)
		}
		before := s.requests.Load()
		entries, err := s.bucket.ReadDir("many")
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
			if info, err := s.bucket.Stat("many/" + e.Name()); err != nil || info.IsDir() != e.IsDir() {
				t.Fatal(err)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d entries of %d, %v", len(got), len(want), err)
		}
		if _, err := s.bucket.Stat("many/nothing"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if n := s.requests.Load() - before; n > 5 { // one or two that it is a folder, three pages
			t.Errorf("%d requests", n)
		}
		// If the second page does not come, that is an error of the folder, and what else is in it is not "not there".
		whole := s.fake
		s.fake = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); q.Has("continuation-token") || q.Get("pageToken") != "" {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			whole.ServeHTTP(w, r)
		})
		s.bucket = reopened(t, s)
		if entries, err := s.bucket.ReadDir("many"); len(entries) < 10 || len(entries) == len(want) || err == nil || err.Error() != "open many: the store answers 502 Bad Gateway" {
			t.Errorf("%d entries, %v", len(entries), err)
		}
		if _, err := s.bucket.Stat("many/20"); err != nil {
			t.Error(err)
		}
	})
}

// TestAnyNames requires that whatever objects are called, each is found and read by its name, or the folder that it is in is said not to show all.
func TestAnyNames(t *testing.T) {
	parts := []string{"a", "a", "b", "", ".", "..", "a!", "%41", "C%3A", "x\\y", "é", " ", "+", "__0x2f__", "a\tb", "#?&", "\u202e"}
	each(t, func(t *testing.T, s *server) {
		r := rand.New(rand.NewPCG(3, 4))
		for range 30 {
			bucket := reopened(t, s)
			objects := map[string][]byte{}
			for range 1 + r.IntN(8) {
				var name []string
				for range 1 + r.IntN(4) {
					name = append(name, parts[r.IntN(len(parts))])
				}
				full := strings.Join(name, "/")
				if full == "" || full == "." || full == ".." || s.scheme == "s3" && full[0] == '/' {
					continue // no name of an object; and the fake of S3 lists one that begins with a slash as if it did not
				}
				objects[full] = content(r.IntN(100))
				s.put(full, objects[full])
			}
			unsure := map[string]bool{} // folders that do not show all
			found := map[string]bool{}
			_ = fs.WalkDir(bucket, ".", func(name string, e fs.DirEntry, err error) error {
				switch {
				case err != nil:
					if !strings.Contains(err.Error(), "not all of it: ") {
						t.Error(err)
					}
					unsure[name] = true
				case !e.IsDir():
					found[name] = true
					if data, err := fs.ReadFile(bucket, name); err != nil || !bytes.Equal(data, objects[name]) {
						t.Errorf("%q: %d bytes, %v", name, len(data), err)
					}
				}
				return nil
			})
			for name, data := range objects {
				told := len(data) == 0 && strings.HasSuffix(name, "/") // stands for a folder
				for at := name; !told && at != ""; {
					i := strings.LastIndex(at, "/")
					at = at[:max(0, i)]
					told = unsure[cmp.Or(at, ".")]
				}
				if isFolder := slices.ContainsFunc(slices.Collect(maps.Keys(objects)), func(other string) bool { return strings.HasPrefix(other, name+"/") }); isFolder && len(data) == 0 {
					told = true // nothing is lost
				}
				if !found[name] && !told {
					t.Errorf("of %q, %q was not found, and nobody says so", slices.Sorted(maps.Keys(objects)), name)
				}
				s.remove(name)
			}
			for name := range found {
				if _, ok := objects[name]; !ok {
					t.Errorf("%q was found, and is not there", name)
				}
			}
		}
	})
}

// reopened returns the bucket of a server, of which nothing is known yet.
func reopened(t testing.TB, s *server) *bucket {
	t.Helper()
	fsys, err := All()[s.scheme](bucketName)
	if err != nil {
		t.Fatal(err)
	}
	b := fsys.(*bucket)
	if g, ok := b.client.(gcs); ok {
		g.SetRetry(storage.WithMaxAttempts(2), storage.WithBackoff(gax.Backoff{Initial: time.Millisecond})) // not to wait in tests
	}
	return b
}

// TestEncodedNames requires that names are decoded that S3 encodes, since its listing could not hold them otherwise.
func TestEncodedNames(t *testing.T) {
	s := servers(t)[0]
	s.fault.Store(answers(200, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>
<Contents><Key>a%01b%2Bc+d%25</Key><ETag>"1"</ETag><Size>3</Size></Contents><CommonPrefixes><Prefix>%C3%A9/</Prefix></CommonPrefixes></ListBucketResult>`))
	entries, err := s.bucket.ReadDir(".")
	if err != nil || len(entries) != 2 || entries[0].Name() != "a\x01b+c d%" || entries[1].Name() != "é" || !entries[1].IsDir() {
		t.Errorf("%v, %v", entries, err)
	}
}

// findings returns what check writes of an input with all built-in rules.
func findings(t *testing.T, input string) string {
	t.Helper()
	var lines, messages bytes.Buffer
	status := cli.Program{Name: "test", Define: func(*pflag.FlagSet) {}, Stores: All()}.Run([]string{"check", "--pack", "all", "--regback", input}, io.Discard, &messages, func(c *cli.Checker) int {
		err := c.Units(input, func(u collection.Unit) error {
			said, err := c.Check(&lines, u)
			messages.WriteString(said.Messages)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return 0
	})
	if status != 0 {
		t.Fatal(messages.String())
	}
	return strings.ReplaceAll(lines.String()+messages.String(), input, "NAME")
}

// putFiles puts the files of a folder of this computer into a store.
func putFiles(t testing.TB, s *server, dir, to string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		s.put(path.Join(to, name), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readAll returns what is found and read of a name: each file with the hash of its content or the reason, and each image.
func readAll(l *collection.Local, name, called string) string {
	var all strings.Builder
	for g := range collection.List(l, name) {
		fmt.Fprintln(&all, "group", g.Machine, g.Passed)
		if g.Container != nil {
			fmt.Fprintln(&all, "container", g.Container.Place, g.Container.Kind, g.Container.Problems)
		}
		opened, refused := g.Open(l, collection.Options{SHA256: true})
		for i := range refused {
			fmt.Fprintln(&all, refused[i].Error())
		}
		for _, joined := range opened {
			for _, in := range joined {
				in.Describe(nil)
				in.Inspect(true)
				facts := in.Facts()
				fmt.Fprintln(&all, facts.Path, facts.SHA256, facts.Keys, facts.Host, facts.Logs, facts.Evidence, facts.Problems)
			}
		}
	}
	return strings.ReplaceAll(all.String(), called, "NAME")
}

const testdata = "../../../testdata"

// TestStoreIsAsAFolder requires that all of testdata, the image among it, is found and read in a store as in its folder.
func TestStoreIsAsAFolder(t *testing.T) {
	want := readAll(&collection.Local{Shadows: true}, testdata, testdata)
	if strings.Count(want, "container") < 2 {
		t.Errorf("testdata has no images:\n%s", want)
	}
	each(t, func(t *testing.T, s *server) {
		putFiles(t, s, testdata, "cases/1 of 2")
		l := &collection.Local{Shadows: true, Stores: All()}
		name := s.scheme + "://" + bucketName + "/cases/1 of 2"
		if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(readAll(l, name, name), "\n")); diff != "" {
			t.Errorf("- in a folder, + in a store:\n%s", diff)
		}
		if diff := gocmp.Diff(strings.Split(findings(t, testdata), "\n"), strings.Split(findings(t, name), "\n")); diff != "" {
			t.Errorf("- findings in a folder, + in a store:\n%s", diff)
		}
		// No more is asked than is needed: what is there, that nothing beside it belongs to it, its content.
		s.requests.Store(0)
		s.bytes.Store(0)
		readAll(&collection.Local{Stores: All()}, name+"/disk.E01", name)
		if size, _ := os.Stat(filepath.Join(testdata, "disk.E01")); s.requests.Load() > 5 || s.bytes.Load() > size.Size()+4096 {
			t.Errorf("an image of %d bytes takes %d requests and %d bytes", size.Size(), s.requests.Load(), s.bytes.Load())
		}
	})
}

// TestVanished requires that objects that are deleted or replaced once they were listed are told as what could not be read, and nothing else changes.
func TestVanished(t *testing.T) {
	disk, err := os.ReadFile(filepath.Join(testdata, "disk.E01"))
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("REGEDIT4\n\n[HKEY_CURRENT_USER\\x]\n\"a\"=\"b\"\n")
	system := hivetest.Build(&hivetest.Key{Name: "x"}, hivetest.Options{})
	each(t, func(t *testing.T, s *server) {
		for name, data := range map[string][]byte{"SYSTEM": system, "disk.E01": disk, "gone.E01": disk, "gone.reg": text, "new.reg": text, "stays.reg": text} {
			s.put("m/"+name, data)
		}
		l := &collection.Local{Stores: map[string]collection.Store{s.scheme: func(string) (fs.FS, error) { return s.bucket, nil }}}
		at := s.scheme + "://" + bucketName + "/m"
		var got []string
		n := 0
		for g := range collection.List(l, at) {
			if n++; n == 1 { // the walk through the folder is over, and no image is opened yet
				for _, name := range []string{"gone.reg", "gone.E01"} {
					s.remove("m/" + name)
				}
				s.put("m/new.reg", append(text, text...))
				clearBlocks(s)
			}
			opened, refused := g.Open(l, collection.Options{})
			for i := range refused {
				got = append(got, refused[i].Error())
			}
			for _, joined := range opened {
				got = append(got, joined[0].Path)
			}
		}
		want := []string{at + "/SYSTEM", at + "/gone.reg: cannot be read to its end: " + errChanged.Error(), at + "/new.reg: cannot be read to its end: " + errChanged.Error(), at + "/stays.reg",
			at + "/disk.E01!/p2/Windows/System32/config/SYSTEM", at + "/gone.E01: cannot be opened: file does not exist"}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// clearBlocks drops what was kept of objects.
func clearBlocks(s *server) {
	s.bucket.held.Add(blockID{name: "all others"}, nil, mostHeld)
	s.bucket.held.Add(blockID{name: "and that"}, nil, 1)
}

// BenchmarkImages reads the hives of images, and counts what is asked of the store and what that returns.
func BenchmarkImages(b *testing.B) {
	small, err := os.ReadFile(filepath.Join(testdata, "disk.E01"))
	if err != nil {
		b.Fatal(err)
	}
	large := map[string][]byte{"one.E01": small}
	key := &hivetest.Key{}
	for i := range 700 { // 8 MB
		key.Values = append(key.Values, hive.Value{Name: strconv.Itoa(i), Type: hive.Binary, Data: content(12_000)})
	}
	volume := fstest.MapFS{"Windows/System32/config/SYSTEM": {Data: hivetest.Build(key, hivetest.Options{})}}
	for i := range 400 {
		volume[fmt.Sprintf("Windows/System32/%d/x.dll", i)] = &fstest.MapFile{Data: content(600_000)}
	}
	disk := imagetest.NTFS(volume, imagetest.NTFSOptions{Size: 256 << 20})
	for i, segment := range (imagetest.EWF{PerSegment: 1000}).Write(disk) {
		large["two."+imagetest.EWFSuffix(i+1)] = segment
	}
	large["three.dd"] = disk
	for _, s := range servers(b) {
		for name, data := range large {
			s.put(name, data)
		}
		for _, name := range []string{"one.E01", "two.E01", "three.dd"} {
			b.Run(s.scheme+"/"+name, func(b *testing.B) {
				s.requests.Store(0)
				s.bytes.Store(0)
				for b.Loop() {
					at := s.scheme + "://" + bucketName + "/" + name
					if got := readAll(&collection.Local{Stores: All()}, at, at); !strings.Contains(got, "SYSTEM") {
						b.Fatal(got)
					}
				}
				b.ReportMetric(float64(s.requests.Load())/float64(b.N), "requests")
				b.ReportMetric(float64(s.bytes.Load())/float64(b.N)/1e6, "MB")
			})
		}
	}
}
