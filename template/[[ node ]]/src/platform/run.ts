import { once } from "node:events";
import { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Readiness } from "./health.ts";
import { identity } from "./identity.ts";
import { createLog, type Log, type LogLevel } from "./log.ts";
import { Output } from "./output.ts";
import { createServer } from "./server.ts";
import { startTelemetry } from "./telemetry.ts";

export interface PlatformConfig {
  host: string;
  port: number;
  logLevel: LogLevel;
  drainSeconds: number;
  graceSeconds: number;
  exportTraces: boolean;
}

const LOG_LIMIT_MS = 1000;
// At the end of the drain, requests may be on their way on connections that are still open.
const LINGER_MS = 500;

type AddRoutes = (app: FastifyInstance) => Promise<void>;

/** Runs the service from its start to the end of the process. */
export async function run(config: PlatformConfig, addRoutes: AddRoutes): Promise<void> {
  const output = new Output((lost) => log.warn({ lost }, "log lines were lost"));
  const log: Log = createLog(config.logLevel, identity, output);
  const exit = (code: number) => output.finish(LOG_LIMIT_MS).then(() => process.exit(code));
  process.on("uncaughtException", (error) => {
    log.error(error, "unexpected exception");
    exit(1);
  });

  const readiness: Readiness = { status: "starting" };
  const signalled = firstSignal().then(() => {
    readiness.status = "draining";
    log.info("draining");
  });

  const flushTelemetry = await startTelemetry(config.exportTraces, identity, log);
  const app = createServer(identity, log, readiness);
  await addRoutes(app);
  await app.listen({ host: config.host, port: config.port });
  if (readiness.status === "starting") readiness.status = "ready";
  log.info({ revision: identity.revision, host: config.host, port: config.port }, "started");

  await signalled;
  await sleep(config.drainSeconds * 1000);
  await close(app, config.graceSeconds * 1000);
  await flushTelemetry();
  log.info("stopped");
  await exit(0);
}

/** Resolves on SIGTERM or SIGINT; another one ends the process at once. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const onSignal = () => (count++ === 0 ? resolve() : process.exit(0));
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}

/** Accepts nothing new and waits for the requests in flight, but no longer than `graceMs`. */
export async function close(app: FastifyInstance, graceMs: number): Promise<void> {
  await Promise.race([closeGracefully(app), sleep(graceMs)]);
  app.server.closeAllConnections();
}

async function closeGracefully(app: FastifyInstance): Promise<void> {
  const closed = once(app.server, "close");
  // As Node's, without the end of the idle connections, which comes with app.close().
  Server.prototype.close.call(app.server);
  await sleep(LINGER_MS);
  await app.close();
  await closed;
}
