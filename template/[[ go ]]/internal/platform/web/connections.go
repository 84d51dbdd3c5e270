package web

import (
	"net"
	"net/http"
	"sync"
)

// silentConns are the connections on which nothing was asked yet. Left alone, they hold up the stop for five seconds.
type silentConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (s *silentConns) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.conns[conn] = true
	} else {
		delete(s.conns, conn)
	}
}

func (s *silentConns) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// lastAnswer ends the connection with an answer that is sent while the service drains, and says so: the client's next
// request goes elsewhere, and none is on its way when the connection ends.
type lastAnswer struct {
	http.ResponseWriter
	health *Health
	sent   bool
}

func (w *lastAnswer) WriteHeader(status int) {
	if w.health.state.Load() == draining {
		w.Header().Set("Connection", "close")
	}
	w.sent = w.sent || status >= http.StatusOK
	w.ResponseWriter.WriteHeader(status)
}

func (w *lastAnswer) Write(body []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(body)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *lastAnswer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func endingConnections(next http.Handler, health *Health) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &lastAnswer{ResponseWriter: w, health: health}
		next.ServeHTTP(answer, r)
		if !answer.sent {
			answer.WriteHeader(http.StatusOK)
		}
	})
}
