import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Identity } from "./identity.ts";

const LABELS = ["http_request_method", "http_route", "http_response_status_code"] as const;

export type RequestDuration = Histogram<(typeof LABELS)[number]>;

/** Serves GET /metrics; returns the one histogram that every objective is computed from. */
export function serveMetrics(app: FastifyInstance, identity: Identity): RequestDuration {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  new Gauge({
    name: "build_info",
    help: "What is running",
    labelNames: ["service", "version", "revision"],
    registers: [registry],
  }).set({ ...identity }, 1);

  app.get("/metrics", async (_request, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });

  return new Histogram({
    name: "http_server_request_duration_seconds",
    help: "Duration of HTTP server requests",
    labelNames: LABELS,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    registers: [registry],
  });
}
