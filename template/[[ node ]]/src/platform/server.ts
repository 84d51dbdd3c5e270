import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  fastify,
  LogController,
} from "fastify";
import { endConnections } from "./connections.ts";
import { type Readiness, serveHealth } from "./health.ts";
import type { Identity } from "./identity.ts";
import type { Log } from "./log.ts";
import { serveMetrics } from "./metrics.ts";
import { observe } from "./observe.ts";
import { answerBrokenRequest, answerProblems, notFound, Problem } from "./problem.ts";
import { RouteTable } from "./routes.ts";

const BODY_LIMIT = 65536;
const HEAD_LIMIT = 32768;

/** A server with health, metrics, traces, request logs and problem+json; the service adds its routes. */
export function createServer(identity: Identity, log: Log, readiness: Readiness): FastifyInstance {
  const app = fastify({
    // For Fastify's own lines; request.log is the service's.
    loggerInstance: log.child({}, { level: "warn" }) as FastifyBaseLogger,
    childLoggerFactory: () => log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    http: {
      maxHeaderSize: HEAD_LIMIT,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 2_000,
    },
    requestTimeout: 60_000,
    // Longer than clients and load balancers keep an idle connection, so that it is they who close it.
    keepAliveTimeout: 75_000,
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    rewriteUrl: (request) => decodable(request.url ?? "/"),
    routerOptions: { maxParamLength: 65536 },
  });

  const routes = new RouteTable(app);
  const duration = serveMetrics(app, identity);
  serveHealth(app, readiness);
  answerProblems(app);
  observe(app, routes, duration);
  refuseUnknown(app, routes);
  readJson(app);
  endConnections(app, readiness);
  return app;
}

/** Fastify answers a broken escape in a path past all hooks; the path given here is one that no route has. */
function decodable(url: string): string {
  const [path = ""] = url.split("?");
  try {
    decodeURIComponent(path);
    return url;
  } catch {
    return "/%25";
  }
}

function refuseUnknown(app: FastifyInstance, routes: RouteTable): void {
  app.addHook("onRequest", async (request) => {
    if (!request.is404) return;
    const route = routes.find(request);
    if (route === undefined) throw notFound("There is nothing at this path.");
    const allow = [...route.methods].join(", ");
    throw new Problem(405, `The path answers ${allow}.`, { headers: { allow } });
  });
}

/** Bodies are JSON in UTF-8 and nothing else. */
function readJson(app: FastifyInstance): void {
  const methods = new Set(["POST", "PUT", "PATCH"]);
  const utf8 = new TextDecoder("utf-8", { fatal: true });

  app.addHook("onRequest", async ({ method, headers }) => {
    const isJson = /^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "");
    if (methods.has(method) && !isJson) {
      throw new Problem(415, "The body must be application/json.");
    }
  });

  const parse = async ({ method }: FastifyRequest, body: Buffer) => {
    if (!methods.has(method)) return undefined; // the body of a DELETE means nothing
    try {
      return JSON.parse(utf8.decode(body));
    } catch {
      throw new Problem(400, "The body is not JSON.");
    }
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, parse);
}
