// Package telemetry holds the logs, traces and metrics of the service.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// Build says what runs; it is in every log line, in the resource of every span, and in the metric build_info.
type Build struct{ Service, Version, Revision string }

// NewLogger writes one JSON object a line, with the ids of the span in the context.
func NewLogger(out io.Writer, level slog.Level, build Build) *slog.Logger {
	handler := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: rename})
	return slog.New(withSpan{handler}).With("service", build.Service, "version", build.Version)
}

func rename(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		return slog.String("timestamp", attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	case slog.LevelKey:
		return slog.String("level", strings.ToLower(attr.Value.String()))
	case slog.MessageKey:
		attr.Key = "message"
	}
	return attr
}

type withSpan struct{ slog.Handler }

func (h withSpan) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h withSpan) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withSpan{h.Handler.WithAttrs(attrs)}
}

func (h withSpan) WithGroup(name string) slog.Handler {
	return withSpan{h.Handler.WithGroup(name)}
}
