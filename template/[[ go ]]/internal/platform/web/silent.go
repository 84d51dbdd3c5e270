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
