package web

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Problem is an error answer, RFC 9457.
type Problem struct {
	Status int
	Detail string       // one sentence for the caller
	Errors []FieldError // what breaks which rule
	Cause  error        // is logged and not sent
}

// FieldError says which rule a field breaks.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (p *Problem) Error() string {
	if p.Cause != nil {
		return fmt.Sprintf("%d: %s: %v", p.Status, p.Detail, p.Cause)
	}
	return fmt.Sprintf("%d: %s", p.Status, p.Detail)
}

func (p *Problem) Unwrap() error { return p.Cause }

// NotFound is a 404.
func NotFound(detail string) *Problem {
	return &Problem{Status: http.StatusNotFound, Detail: detail}
}

// Invalid is a 422: what was sent can be read and breaks rules.
func Invalid(errors ...FieldError) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Detail: "The request breaks a rule.", Errors: errors}
}

func (p *Problem) write(w http.ResponseWriter) {
	title := http.StatusText(p.Status)
	if p.Status == http.StatusRequestEntityTooLarge {
		title = "Payload Too Large" // net/http still has the older name
	}
	_ = send(w, "application/problem+json", p.Status, struct {
		Type   string       `json:"type"`
		Title  string       `json:"title"`
		Status int          `json:"status"`
		Detail string       `json:"detail"`
		Errors []FieldError `json:"errors,omitempty"`
	}{"about:blank", title, p.Status, p.Detail, p.Errors})
}

// WriteJSON answers with a value that must be encodable.
func WriteJSON(w http.ResponseWriter, status int, value any) error {
	return send(w, "application/json", status, value)
}

func send(w http.ResponseWriter, contentType string, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only where the client is gone
	return nil
}
