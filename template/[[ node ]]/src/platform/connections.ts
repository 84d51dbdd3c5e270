import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Readiness } from "./health.ts";

/**
 * Lets a stop wait for the requests in flight and for nothing else. While the service drains, each answer ends its
 * connection: the next request goes elsewhere, and none is on its way at the end.
 */
export function endConnections(app: FastifyInstance, readiness: Readiness): void {
  const unused = new Set<Socket>(); // Node does not count these as idle

  app.server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  app.server.on("request", ({ socket }) => unused.delete(socket));

  app.addHook("preClose", async () => {
    for (const socket of unused) socket.destroy();
  });
  app.addHook("onSend", async (_request, reply) => {
    if (readiness.status === "draining") reply.header("connection", "close");
  });
}
