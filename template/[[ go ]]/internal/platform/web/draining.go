package web

import "net/http"

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
