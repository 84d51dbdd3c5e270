package telemetry

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// Metrics are the instruments of the platform; Meter makes more.
type Metrics struct {
	Meter           metric.Meter
	RequestDuration *prometheus.HistogramVec

	handler http.Handler
}

// NewMetrics makes the instruments and the page that Prometheus reads.
func NewMetrics(ctx context.Context, build Build) (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry),
		otelprometheus.WithoutScopeInfo(),
		otelprometheus.WithoutTargetInfo(),
	)
	if err != nil {
		return nil, err
	}
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)).Meter(build.Service)

	info, err := meter.Int64Gauge("build_info", metric.WithDescription("What runs; always 1."))
	if err != nil {
		return nil, err
	}
	info.Record(ctx, 1, metric.WithAttributes(
		attribute.String("service", build.Service),
		attribute.String("version", build.Version),
		attribute.String("revision", build.Revision),
	))

	duration := NewRequestDuration()
	if err := registry.Register(duration); err != nil {
		return nil, err
	}
	return &Metrics{Meter: meter, RequestDuration: duration, handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}, nil
}

// NewRequestDuration makes the histogram that the service level objectives are computed from: its labels and bounds are
// the same in every service. Not with the Meter, which has no series before their first value.
func NewRequestDuration() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_server_request_duration_seconds",
		Help:    "Duration of HTTP server requests.",
		Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
	}, []string{"http_request_method", "http_route", "http_response_status_code"})
}

// Serve answers in the Prometheus text format.
func (m *Metrics) Serve(w http.ResponseWriter, r *http.Request) error {
	m.handler.ServeHTTP(w, r)
	return nil
}
