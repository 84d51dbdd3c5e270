package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	maxHead = 32 << 10 // of a request, in bytes
	// At the end of the drain, requests may be on their way on connections that are still open.
	linger = 500 * time.Millisecond
)

// Server serves until it is told to stop, and then stops without failing a request.
type Server struct {
	Handler http.Handler
	Health  *Health
	Logger  *slog.Logger
	Drain   time.Duration // how long to go on as before, so that every load balancer learns that this instance goes
	Grace   time.Duration // how long requests in flight may take after that
}

// Serve answers on the listener until the context ends, and returns once the stop is complete.
func (s Server) Serve(ctx context.Context, listener net.Listener) error {
	silent := silentConns{conns: map[net.Conn]bool{}}
	server := &http.Server{
		Handler:                      endingConnections(s.Handler, s.Health),
		MaxHeaderBytes:               maxHead,
		ReadHeaderTimeout:            10 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		ConnState:                    silent.track,
		ErrorLog:                     slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn),
		DisableGeneralOptionsHandler: true, // the router answers "OPTIONS *" like every other request
	}
	server.RegisterOnShutdown(silent.closeAll)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	s.Health.state.Store(ready)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.Health.state.Store(draining)
	s.Logger.Info("draining")
	time.Sleep(s.Drain)

	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Grace)
	defer cancel()
	_ = listener.Close()
	time.Sleep(linger)
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Logger.Warn("requests were cut off")
		return server.Close()
	}
	return err
}
