package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

const flushTimeout = 2 * time.Second

// StartTracing makes spans, and exports them if export is set; the SDK reads the standard OTEL_* variables.
// The function that it returns sends what is left, in at most two seconds.
func StartTracing(ctx context.Context, build Build, export bool) (flush func() error, err error) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { slog.Warn("telemetry", "error", err) }))
	otel.SetTextMapPropagator(propagation.TraceContext{})

	// An error means that OTEL_RESOURCE_ATTRIBUTES is bad in part; the provider reports it.
	attributes, _ := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(build.Service), semconv.ServiceVersion(build.Version)),
		resource.WithFromEnv(),
	)
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(attributes)}
	if export {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	} else {
		// The ids of a span that is not sampled are still logged and passed on.
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	}
	provider := sdktrace.NewTracerProvider(options...)
	otel.SetTracerProvider(provider)

	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}
