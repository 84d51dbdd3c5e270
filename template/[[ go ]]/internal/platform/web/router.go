// Package web is the HTTP side of the platform: routes, errors, measuring, health and the life of the server.
package web

import (
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

// HandlerFunc answers a request or returns an error: a [Problem] is sent as it is, any other error becomes a 500.
type HandlerFunc func(http.ResponseWriter, *http.Request) error

// Router is an [http.ServeMux] whose every answer is measured, traced and logged, and whose errors are problem documents.
type Router struct {
	mux      *http.ServeMux
	logger   *slog.Logger
	tracer   trace.Tracer
	duration *prometheus.HistogramVec
	methods  map[string][]string // by path
	notFound http.Handler
}

// NewRouter answers 404 until routes are added.
func NewRouter(logger *slog.Logger, duration *prometheus.HistogramVec) *Router {
	router := &Router{
		mux:      http.NewServeMux(),
		logger:   logger,
		tracer:   otel.Tracer("web"),
		duration: duration,
		methods:  map[string][]string{},
	}
	router.notFound = router.observe("", func(http.ResponseWriter, *http.Request) error {
		return NotFound("There is nothing at this path.")
	})
	router.mux.Handle("/", router.notFound)
	return router
}

// Handle adds a route, for example "GET /v1/items/{id}", and says which statuses it answers besides 500. Their series
// are there from the start, at 0: of one that begins with its first errors, Prometheus would not see these.
func (rt *Router) Handle(pattern string, handler HandlerFunc, statuses ...int) {
	rt.add(pattern, handler, rt.observe)
	method, route, _ := strings.Cut(pattern, " ")
	for _, status := range append(statuses, http.StatusInternalServerError) {
		rt.duration.WithLabelValues(method, route, strconv.Itoa(status))
	}
}

// Probe adds a route that is not measured, traced or logged.
func (rt *Router) Probe(pattern string, handler HandlerFunc) {
	rt.add(pattern, handler, rt.probe)
}

func (rt *Router) add(pattern string, handler HandlerFunc, wrap func(string, HandlerFunc) http.Handler) {
	method, route, _ := strings.Cut(pattern, " ")
	rt.mux.Handle(pattern, wrap(route, handler))
	if _, known := rt.methods[route]; !known {
		rt.mux.Handle(route, wrap(route, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", strings.Join(rt.methods[route], ", "))
			return &Problem{Status: http.StatusMethodNotAllowed, Detail: "This path does not support the method."}
		}))
	}
	rt.methods[route] = append(rt.methods[route], method)
	if method == http.MethodGet { // ServeMux answers HEAD too
		rt.methods[route] = append(rt.methods[route], http.MethodHead)
	}
}

func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isClean(r.URL.EscapedPath()) { // ServeMux would redirect
		rt.notFound.ServeHTTP(w, r)
		return
	}
	rt.mux.ServeHTTP(w, r)
}

func isClean(escaped string) bool {
	clean := path.Clean("/" + escaped)
	return escaped == clean || escaped == clean+"/"
}
