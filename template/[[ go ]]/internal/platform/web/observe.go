package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete,
	http.MethodConnect, http.MethodOptions, http.MethodTrace, http.MethodPatch,
}

// observe makes one span, one measurement and one log line of each request, which agree with each other.
// The route is empty for an unknown path.
func (rt *Router) observe(route string, handler HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		method := r.Method
		if !slices.Contains(knownMethods, method) {
			method = "_OTHER" // whatever a client makes up must not become a new time series
		}
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		name, attributes := describe(method, route, r)
		ctx, span := rt.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...))
		defer span.End()

		answer := &response{ResponseWriter: w}
		failure := serve(answer, r.WithContext(ctx), handler)

		if answer.status == 0 {
			answer.status = http.StatusOK // what net/http sends for a handler that wrote nothing
		}

		elapsed := time.Since(start)
		span.SetAttributes(semconv.HTTPResponseStatusCode(answer.status))
		if answer.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		if failure != nil {
			span.RecordError(failure)
		}
		if route == "" {
			route = "unmatched"
		}
		rt.duration.WithLabelValues(method, route, strconv.Itoa(answer.status)).Observe(elapsed.Seconds())
		level := slog.LevelInfo
		attrs := []slog.Attr{
			slog.String("http_request_method", method),
			slog.String("http_route", route),
			slog.Int("http_response_status_code", answer.status),
			slog.Float64("duration_ms", float64(elapsed.Microseconds())/1000),
		}
		if answer.status >= http.StatusInternalServerError || failure != nil {
			level = slog.LevelError
		}
		rt.logger.LogAttrs(ctx, level, "request", append(attrs, failureAttrs(failure)...)...)
	})
}

// probe serves without a trace of it, unless it fails unexpectedly.
func (rt *Router) probe(_ string, handler HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if failure := serve(&response{ResponseWriter: w}, r, handler); failure != nil {
			rt.logger.LogAttrs(r.Context(), slog.LevelError, "probe failed", failureAttrs(failure)...)
		}
	})
}

func describe(method, route string, r *http.Request) (name string, attributes []attribute.KeyValue) {
	name = method
	attributes = []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method),
		semconv.URLPath(r.URL.EscapedPath()),
		semconv.URLScheme("http"),
	}
	if route != "" {
		name += " " + route
		attributes = append(attributes, semconv.HTTPRoute(route))
	}
	return name, attributes
}

// serve runs the handler, answers in its place when it fails, and returns what must be logged of the failure.
func serve(w *response, r *http.Request, handler HandlerFunc) error {
	err := call(w, r, handler)
	if err == nil {
		return nil
	}
	problem, expected := errors.AsType[*Problem](err)
	if !expected {
		problem = &Problem{Status: http.StatusInternalServerError, Detail: "Something unexpected happened.", Cause: err}
	}
	if w.status == 0 { // otherwise an answer is on its way already
		problem.write(w)
	}
	return problem.Cause
}

type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprint(p.value) }

func call(w http.ResponseWriter, r *http.Request, handler HandlerFunc) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return handler(w, r)
}

func failureAttrs(failure error) []slog.Attr {
	if failure == nil {
		return nil
	}
	attrs := []slog.Attr{slog.String("error", failure.Error())}
	if panicked, ok := errors.AsType[*panicError](failure); ok {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	return attrs
}

// response remembers the status that was sent.
type response struct {
	http.ResponseWriter
	status int
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(body []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(body)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
