package web

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"
)

func TestPanicIsLoggedAndNotSent(t *testing.T) {
	var log bytes.Buffer
	router := NewRouter(slog.New(slog.NewJSONHandler(&log, nil)), noop.Float64Histogram{})
	router.Handle("GET /broken", func(http.ResponseWriter, *http.Request) error { panic("secret") })

	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", "/broken", nil))

	want := `{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"Something unexpected happened."}`
	if recorder.Code != 500 || recorder.Body.String() != want {
		t.Errorf("got %d %s", recorder.Code, recorder.Body)
	}
	var line struct{ Level, Error, Stack string }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", log.String(), err)
	}
	if line.Level != "ERROR" || line.Error != "secret" || !strings.Contains(line.Stack, "TestPanicIsLoggedAndNotSent") {
		t.Errorf("logged %s", log.String())
	}
}

func TestOtherMethodAndUnknownPath(t *testing.T) {
	var log bytes.Buffer
	router := NewRouter(slog.New(slog.NewJSONHandler(&log, nil)), noop.Float64Histogram{})
	router.Handle("GET /things/{id}", func(http.ResponseWriter, *http.Request) error { return nil })
	router.Handle("DELETE /things/{id}", func(http.ResponseWriter, *http.Request) error { return nil })

	for _, test := range []struct {
		method, path string
		status       int
		route, allow string
	}{
		{"PURGE", "/things/1", 405, "/things/{id}", "GET, HEAD, DELETE"},
		{"GET", "/things", 404, "unmatched", ""},
		{"GET", "//things/1", 404, "unmatched", ""},
	} {
		log.Reset()
		recorder := httptest.NewRecorder()
		router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
		if recorder.Code != test.status || recorder.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, Allow: %s", test.method, test.path, recorder.Code, recorder.Header().Get("Allow"))
		}
		if !strings.Contains(log.String(), `"http_route":"`+test.route+`"`) {
			t.Errorf("%s %s: logged %s", test.method, test.path, log.String())
		}
	}
}
