import type { FastifyInstance } from "fastify";

export interface Readiness {
  status: "starting" | "ready" | "draining";
}

export function serveHealth(app: FastifyInstance, readiness: Readiness): void {
  app.get("/livez", async () => ({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    reply.code(readiness.status === "ready" ? 200 : 503);
    return { status: readiness.status };
  });
}
