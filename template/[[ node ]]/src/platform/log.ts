import { trace } from "@opentelemetry/api";
import { type DestinationStream, type Logger, pino } from "pino";
import type { Identity } from "./identity.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Log = Logger;

/** One JSON object a line. */
export function createLog(
  level: LogLevel,
  { service, version }: Identity,
  stream: DestinationStream,
): Log {
  return pino(
    {
      level,
      base: { service, version },
      messageKey: "message",
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: flattenError },
      mixin: traceIds,
    },
    stream,
  );
}

function traceIds() {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** Makes `log.error(error)` and `log.error({ err: error })` the flat keys `error` and `stack`. */
function flattenError({ err, ...fields }: Record<string, unknown>): Record<string, unknown> {
  if (err === undefined) return fields;
  if (!(err instanceof Error)) return { ...fields, error: String(err) };
  return { ...fields, error: describe(err), stack: err.stack };
}

function describe(error: Error): string {
  const text = error.message || error.name;
  return error.cause instanceof Error ? `${text}: ${describe(error.cause)}` : text;
}
