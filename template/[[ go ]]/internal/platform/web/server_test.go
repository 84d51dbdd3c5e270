package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestStopWaitsForRequestsInFlight(t *testing.T) {
	inFlight, finish := make(chan struct{}), make(chan struct{})
	var health Health
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(inFlight)
		<-finish
		_, _ = io.WriteString(w, "done")
	})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { _ = health.Ready(w, r) })

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	server := Server{Handler: mux, Health: &health, Logger: slog.New(slog.DiscardHandler), Drain: 200 * time.Millisecond, Grace: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()

	slow := make(chan string, 1)
	go func() { slow <- get(t, url+"/slow") }()
	<-inFlight
	if body := get(t, url+"/readyz"); body != `{"status":"ready"}` {
		t.Errorf("before the stop: %s", body)
	}
	stop()
	for health.state.Load() != draining {
		time.Sleep(time.Millisecond)
	}
	if body := get(t, url+"/readyz"); body != `{"status":"draining"}` {
		t.Errorf("while draining: %s", body)
	}
	select {
	case err := <-ended:
		t.Fatal("the server did not wait for the request:", err)
	case <-time.After(2 * server.Drain):
	}
	close(finish)
	if body := <-slow; body != "done" {
		t.Errorf("the slow request got %q", body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSilentConnectionDoesNotHoldUpTheStop(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, stop)

	server := Server{Handler: http.NotFoundHandler(), Health: new(Health), Logger: slog.New(slog.DiscardHandler), Grace: 10 * time.Second}
	start := time.Now()
	if err := server.Serve(ctx, listener); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
