package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"cloud.google.com/go/storage"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"google.golang.org/api/googleapi"
)

// status returns the HTTP status of an answer that is an error, or 0.
func status(err error) int {
	if e, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return e.HTTPStatusCode()
	}
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return e.Code
	}
	return 0
}

// reason returns an error of a client in one line, with what the store says and without addresses, headers and identifiers of requests.
func reason(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errChanged) {
		return err
	}
	if errors.Is(err, storage.ErrBucketNotExist) || errors.As(err, new(*types.NoSuchBucket)) {
		return errors.New("there is no such bucket")
	}
	if code := status(err); code != 0 {
		said := ""
		if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorMessage() != "" {
			said = e.ErrorMessage()
		} else if e, ok := errors.AsType[*googleapi.Error](err); ok {
			said = e.Message
		}
		return fmt.Errorf("the store answers %s", strings.TrimSuffix(fmt.Sprintf("%d %s: %s", code, http.StatusText(code), oneLine(said)), ": "))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the store did not answer in time")
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return errors.New(oneLine(err.Error()))
}

// oneLine returns the first line of a text, up to a length that a message may have.
func oneLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return text[:min(len(text), 200)]
}
