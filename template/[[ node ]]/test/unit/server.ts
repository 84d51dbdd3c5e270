import type { FastifyInstance } from "fastify";
import type { Readiness } from "../../src/platform/health.ts";
import { identity } from "../../src/platform/identity.ts";
import { createLog } from "../../src/platform/log.ts";
import { createServer } from "../../src/platform/server.ts";

/** The platform's server for a test; `lines` collects what it logs. */
export function testServer(
  lines: string[] = [],
  readiness: Readiness = { status: "ready" },
): FastifyInstance {
  const log = createLog("info", identity, { write: (line) => lines.push(line) });
  return createServer(identity, log, readiness);
}
