package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// s3Store is S3, or a server that speaks its protocol.
type s3Store struct{ *s3.Client }

func connectS3(ctx context.Context) (client, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		c.Region = "us-east-1" // which other servers take no notice of
	}
	return s3Store{s3.NewFromConfig(c, func(o *s3.Options) {
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired // a range has no checksum
		// Names below that of a server are those of S3 alone.
		o.UsePathStyle = c.BaseEndpoint != nil || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	})}, nil
}

func (s s3Store) list(ctx context.Context, bucket, prefix, token string, most int) (p page, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, Delimiter: aws.String("/"), MaxKeys: aws.Int32(int32(most)),
		EncodingType: types.EncodingTypeUrl} // XML has no control characters, names of objects have
	if token != "" {
		in.ContinuationToken = &token
	}
	out, err := s.ListObjectsV2(ctx, in)
	if err != nil {
		return p, err
	}
	decode := func(name *string) string {
		decoded, failure := url.QueryUnescape(aws.ToString(name))
		if out.EncodingType != types.EncodingTypeUrl {
			return aws.ToString(name)
		}
		if failure != nil {
			err = fmt.Errorf("the store returned the name %q, which is not encoded as asked for", aws.ToString(name))
		}
		return decoded
	}
	for _, o := range out.Contents {
		if o.ETag == nil || o.Size == nil {
			return p, errNoSense
		}
		p.objects = append(p.objects, object{name: decode(o.Key), size: aws.ToInt64(o.Size), modified: aws.ToTime(o.LastModified), version: version(o.ETag)})
	}
	for _, c := range out.CommonPrefixes {
		p.prefixes = append(p.prefixes, decode(c.Prefix))
	}
	if aws.ToBool(out.IsTruncated) {
		p.next = aws.ToString(out.NextContinuationToken)
	}
	return p, err
}

// version returns the version of an object by its tag, which some servers put in quotes in a header and not in a listing.
func version(tag *string) string { return strings.Trim(aws.ToString(tag), `"`) }

func (s s3Store) stat(ctx context.Context, bucket, name string) (object, error) {
	out, err := s.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &name})
	if status(err) == http.StatusNotFound {
		return object{}, fs.ErrNotExist
	}
	if err != nil {
		return object{}, err
	}
	o := object{name: name, size: aws.ToInt64(out.ContentLength), modified: aws.ToTime(out.LastModified), version: version(out.ETag)}
	if o.version == "" || out.ContentLength == nil {
		return object{}, errNoSense
	}
	return o, nil
}

func (s s3Store) read(ctx context.Context, bucket string, o object, p []byte, at int64) error {
	last := at + int64(len(p)) - 1
	out, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &o.name, Range: aws.String(fmt.Sprintf("bytes=%d-%d", at, last))})
	switch status(err) {
	case http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable:
		if errors.As(err, new(*types.NoSuchBucket)) {
			return err
		}
		return errChanged
	}
	if err != nil {
		return err
	}
	defer out.Body.Close()
	got := aws.ToString(out.ContentRange)
	switch {
	case out.ETag == nil:
		return errNoSense
	case version(out.ETag) != o.version:
		return errChanged
	case got == fmt.Sprintf("bytes %d-%d/%d", at, last, o.size):
	case got == "" && at == 0 && aws.ToInt64(out.ContentLength) == o.size && o.size == int64(len(p)): // all of it was asked for
	case strings.HasPrefix(got, fmt.Sprintf("bytes %d-", at)) && !strings.HasSuffix(got, fmt.Sprintf("/%d", o.size)):
		return errChanged
	default:
		return fmt.Errorf("the store returned %q, and was asked for bytes %d to %d of %d", got, at, last, o.size)
	}
	return fill(p, out.Body)
}
