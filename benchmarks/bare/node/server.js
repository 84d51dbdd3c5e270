// A bare Fastify service: what the Node.js service is measured against.
import { fastify } from "fastify";

const created = new Date();
const app = fastify();
app.get("/readyz", async () => ({ status: "ready" }));
app.get("/items/:id", async ({ params }) => ({ id: params.id, name: "first", quantity: 3, created_at: created }));
await app.listen({ host: process.env.HOST, port: Number(process.env.PORT) });
