package web

import (
	"net/http"
	"sync/atomic"
)

const (
	starting int32 = iota
	ready
	draining
)

// Health answers the probes; its zero value is a service that is starting.
type Health struct{ state atomic.Int32 }

// Live says that the process can serve.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) error {
	return WriteJSON(w, http.StatusOK, health{"ok"})
}

// Ready says whether requests should be sent here.
func (h *Health) Ready(w http.ResponseWriter, _ *http.Request) error {
	switch h.state.Load() {
	case ready:
		return WriteJSON(w, http.StatusOK, health{"ready"})
	case draining:
		return WriteJSON(w, http.StatusServiceUnavailable, health{"draining"})
	}
	return WriteJSON(w, http.StatusServiceUnavailable, health{"starting"})
}

type health struct {
	Status string `json:"status"`
}
