import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/** Lets a stop wait for the requests in flight and for nothing else. */
export function endConnectionsOnClose(app: FastifyInstance): void {
  let closing = false;
  const unused = new Set<Socket>(); // Node does not count these as idle

  app.server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  app.server.on("request", ({ socket }) => unused.delete(socket));

  app.addHook("preClose", async () => {
    closing = true;
    for (const socket of unused) socket.destroy();
  });
  app.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });
}
