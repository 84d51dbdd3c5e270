import { finished } from "node:stream";
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RequestDuration } from "./metrics.ts";
import { type RouteTable, template } from "./routes.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the route answers besides 500. */
    statuses?: readonly number[];
  }
}

const UNOBSERVED = new Set(["/livez", "/readyz", "/metrics"]);
const METHODS = new Set("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH".split(" "));
const CLIENT_GONE = 499; // what proxies write for it; never sent

/** What a route says that it answers besides 500, as `app.get("/v1/things", answers(200, 404), handler)`. */
export const answers = (...statuses: number[]) => ({ config: { statuses } });

/** One span, one measurement and one log line for each request. */
export function observe(app: FastifyInstance, routes: RouteTable, duration: RequestDuration): void {
  // Of a series that begins with its first errors, Prometheus would not see these: it is there from the start, at 0.
  app.addHook("onRoute", ({ url, method, config }) => {
    const route = template(url);
    if (UNOBSERVED.has(route)) return;
    for (const name of [method].flat().filter((one) => one !== "HEAD")) {
      for (const status of [...(config?.statuses ?? []), 500]) {
        duration.zero({
          http_request_method: name,
          http_route: route,
          http_response_status_code: status,
        });
      }
    }
  });

  app.addHook("onRequest", (request, reply, done) => {
    const route = routes.find(request)?.template ?? "unmatched";
    if (UNOBSERVED.has(route)) return done();

    const start = performance.now();
    const method = METHODS.has(request.method) ? request.method : "_OTHER";
    const active = startSpan(request, method, route);

    // Fastify's onResponse does not come when the client is gone before the answer.
    finished(reply.raw, () => {
      const status = reply.raw.writableEnded ? reply.statusCode : CLIENT_GONE;
      const seconds = (performance.now() - start) / 1000;
      const labels = {
        http_request_method: method,
        http_route: route,
        http_response_status_code: status,
      };
      duration.observe(labels, seconds);
      const level = status >= 500 ? "error" : "info";
      const duration_ms = Math.round(seconds * 1e6) / 1e3;
      context.with(active, () => request.log[level]({ ...labels, duration_ms }, "request"));
      endSpan(active, status);
    });

    context.with(active, done);
  });
}

function startSpan(request: FastifyRequest, method: string, route: string): Context {
  const parent = propagation.extract(ROOT_CONTEXT, request.headers);
  const name = method === "_OTHER" ? "HTTP" : method;
  const [path = ""] = request.url.split("?");
  const span = trace.getTracer("http-server").startSpan(
    route === "unmatched" ? name : `${name} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        "http.request.method": method,
        "url.path": path,
        "url.scheme": request.protocol,
        ...(route === "unmatched" ? {} : { "http.route": route }),
      },
    },
    parent,
  );
  return trace.setSpan(parent, span);
}

function endSpan(active: Context, status: number): void {
  const span = trace.getSpan(active);
  span?.setAttribute("http.response.status_code", status);
  if (status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
  span?.end();
}
