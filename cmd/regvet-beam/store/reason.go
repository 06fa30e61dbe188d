package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// errNoSense is why nothing follows from an answer: something else than a store gave it.
var errNoSense = errors.New("the answer is not one that a store gives; is the address of the store right?")

// reason returns an error of a client in one line, with what the store says and without addresses, headers and identifiers of requests. No other error
// than that of [client] is one of those: a file with credentials that does not exist is not an object that does not.
func reason(err error) error {
	code := status(err)
	switch {
	case err == nil || err == fs.ErrNotExist || err == errChanged:
		return err
	case errors.Is(err, storage.ErrBucketNotExist) || errors.As(err, new(*types.NoSuchBucket)):
		return errors.New("there is no such bucket")
	case code == http.StatusMovedPermanently:
		return errors.New("the bucket is in another region; set AWS_REGION to that")
	case code >= http.StatusMultipleChoices:
		return answered(code, err)
	case code != 0 || errors.As(err, new(*json.SyntaxError)):
		return errNoSense
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the store closed the connection before it answered")
	}
	if e, ok := errors.AsType[*smithy.OperationError](err); ok {
		err = e.Err // without the name of the operation
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return errors.New(oneLine(err.Error()))
}

// answered returns the error that a store answered with a status, and what it said.
func answered(code int, err error) error {
	said := ""
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		said = e.ErrorMessage()
	} else if e, ok := errors.AsType[*googleapi.Error](err); ok {
		said = e.Message
	}
	answer := fmt.Sprintf("the store answers %d %s", code, http.StatusText(code))
	if said = oneLine(said); said != "" && said != http.StatusText(code) {
		answer += ": " + said
	}
	return errors.New(answer)
}

// oneLine returns the first line of a text, up to a length that a message may have.
func oneLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return strings.ToValidUTF8(text[:min(len(text), 200)], "")
}
