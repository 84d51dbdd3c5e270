import { setTimeout as sleep } from "node:timers/promises";
import { context, DiagLogLevel, diag, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { getNumberFromEnv, W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  type TracerProviderOptions,
} from "@opentelemetry/sdk-trace";
import type { Identity } from "./identity.ts";
import type { Log } from "./log.ts";
import { samplerFromEnv } from "./sampler.ts";

const FLUSH_LIMIT_MS = 2000;

/** Makes ids for every request and, where there is a collector, exports spans. Returns the function that flushes them. */
export async function startTelemetry(
  exportTraces: boolean,
  { service, version }: Identity,
  log: Log,
): Promise<() => Promise<void>> {
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": service, "service.version": version }))
      .merge(detectResources({ detectors: [envDetector] })),
    ...(exportTraces ? await exporting() : idsOnly()),
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  diag.setLogger(warnings(log), DiagLogLevel.WARN);

  return async () => {
    const flushed = provider.shutdown().catch((error) => log.warn(error, "traces not flushed"));
    await Promise.race([flushed, sleep(FLUSH_LIMIT_MS)]);
  };
}

function idsOnly(): TracerProviderOptions {
  return { sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) };
}

// Loaded only when needed: the exporter is half of the start-up time. It reads OTEL_EXPORTER_OTLP_* itself.
async function exporting(): Promise<TracerProviderOptions> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  const scheduledDelayMillis = getNumberFromEnv("OTEL_BSP_SCHEDULE_DELAY") ?? 5000;
  return {
    sampler: samplerFromEnv(),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis }),
    ],
  };
}

function warnings(log: Log) {
  const warn = (message: string) => log.warn({ error: message }, "telemetry");
  const ignore = () => {};
  return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
}
