package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

const whole = `{"id":"6f1c7c0e-8d0c-4b52-9a53-3f0a4c1b7a10","name":"first","quantity":3,"more":true}`

// start answers the attempts with these statuses in turn; 0 breaks the connection, -1 answers too late.
func start(t *testing.T, retries int, body string, statuses ...int) (client *Client, attempts *atomic.Int64) {
	t.Helper()
	attempts = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := statuses[attempts.Add(1)-1]
		switch status {
		case 0:
			panic(http.ErrAbortHandler)
		case -1:
			<-r.Context().Done()
		default:
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return New(base, 300*time.Millisecond, retries), attempts
}

func TestItemExists(t *testing.T) {
	for _, test := range []struct {
		name     string
		retries  int
		statuses []int
		exists   bool
		fails    bool
	}{
		{name: "known", retries: 2, statuses: []int{200}, exists: true},
		{name: "unknown", retries: 2, statuses: []int{404}},
		{name: "after an overload", retries: 2, statuses: []int{429, 503, 200}, exists: true},
		{name: "after a broken connection", retries: 1, statuses: []int{0, 200}, exists: true},
		{name: "after a time-out", retries: 1, statuses: []int{-1, 404}},
		{name: "out of attempts", retries: 2, statuses: []int{502, 503, 504}, fails: true},
		{name: "no retries", retries: 0, statuses: []int{503}, fails: true},
		{name: "an error that will not pass", retries: 2, statuses: []int{500}, fails: true},
		{name: "a redirect", retries: 2, statuses: []int{302}, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, attempts := start(t, test.retries, whole, test.statuses...)
			exists, err := client.ItemExists(t.Context(), uuid.New())
			if exists != test.exists || (err != nil) != test.fails {
				t.Errorf("exists %t, error %v", exists, err)
			}
			if int(attempts.Load()) != len(test.statuses) {
				t.Errorf("%d attempts, want %d", attempts.Load(), len(test.statuses))
			}
		})
	}
}

func TestAnswerThatIsNoItem(t *testing.T) {
	for _, body := range []string{
		"", "{}", "<html>", `{"id":"1","name":"first","quantity":3}`, `{"id":"6f1c7c0e-8d0c-4b52-9a53-3f0a4c1b7a10","name":"first"}`,
		`{"id":"6f1c7c0e-8d0c-4b52-9a53-3f0a4c1b7a10","name":"first","quantity":"3"}`,
	} {
		client, _ := start(t, 0, body, http.StatusOK)
		if exists, err := client.ItemExists(t.Context(), uuid.New()); exists || err == nil {
			t.Errorf("%q: exists %t, error %v", body, exists, err)
		}
	}
}

func TestWait(t *testing.T) {
	for n, ceiling := range []int64{50, 100, 200, 400, 800, 1000, 1000} {
		for range 100 {
			if got := wait(n); got < 0 || got.Milliseconds() > ceiling {
				t.Fatalf("wait %d is %s, want at most %d ms", n, got, ceiling)
			}
		}
	}
}
