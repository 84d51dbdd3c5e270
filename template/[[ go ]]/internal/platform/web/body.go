package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"
)

const maxBody = 65536

// ReadJSON reads a body that must be one JSON value; the error is a [Problem].
func ReadJSON(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "application/json" {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Detail: "The body must be application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Detail: "The body is larger than 65536 bytes."}
	}
	if err != nil {
		return nil, &Problem{Status: http.StatusBadRequest, Detail: "The body could not be read."}
	}
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, &Problem{Status: http.StatusBadRequest, Detail: "The body is not JSON."}
	}
	return body, nil
}
