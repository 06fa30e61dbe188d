package store

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/fsouza/fake-gcs-server/fakestorage"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// server is a store that runs in the test.
type server struct {
	scheme   string
	fake     http.Handler
	put      func(name string, data []byte)
	remove   func(name string)
	bucket   *bucket
	requests atomic.Int64
	bytes    atomic.Int64                     // of bodies that were returned
	fault    atomic.Pointer[http.HandlerFunc] // answers instead of the server; nil for none
	cut      atomic.Int64                     // bytes that are left out of the end of each answer with content
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if fault := s.fault.Load(); fault != nil {
		(*fault)(w, r)
		return
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
	open := func(s *server) {
		fsys, err := All()[s.scheme](bucketName)
		must(err)
		s.bucket = fsys.(*bucket)
	}
	// No file of the user and no service of a cloud is asked who this is.
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "the secret", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "GOOGLE_APPLICATION_CREDENTIALS": ""} {
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
	aws3.remove = func(name string) {
		_, err := memory.DeleteObject(bucketName, name)
		must(err)
	}
	open(aws3)

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
	google.remove = func(name string) { must(fake.Backend().DeleteObject(bucketName, name)) }
	open(google)
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
