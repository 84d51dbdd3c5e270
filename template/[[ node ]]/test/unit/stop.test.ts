import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { expect, test } from "vitest";
import type { Readiness } from "../../src/platform/health.ts";
import { close } from "../../src/platform/run.ts";
import { testServer } from "./server.ts";

interface Listening {
  url: string;
  arrived: Promise<void>; // a request of /slow
}

async function listen(app: FastifyInstance, answerAfterMs: number): Promise<Listening> {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  app.get("/slow", async () => {
    arrive();
    await sleep(answerAfterMs);
    return "done";
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, arrived };
}

test("a request in flight finishes, its connection ends, idle ones do not hold up the stop", async () => {
  const readiness: Readiness = { status: "ready" };
  const app = testServer([], readiness);
  const { url, arrived } = await listen(app, 300);
  const idle = connect(Number(new URL(url).port), "127.0.0.1");
  await once(idle, "connect");
  const slow = fetch(`${url}/slow`);
  await arrived;

  const began = Date.now();
  readiness.status = "draining";
  await close(app, 5000);

  expect(Date.now() - began).toBeLessThan(4000);
  const response = await slow;
  expect(await response.text()).toBe("done");
  expect(response.headers.get("connection")).toBe("close");
  await expect(fetch(`${url}/livez`)).rejects.toThrow("fetch failed");
});

test("a request that takes longer than the grace period is cut off", async () => {
  const app = testServer();
  const { url, arrived } = await listen(app, 10_000);
  const slow = fetch(`${url}/slow`);
  slow.catch(() => {});
  await arrived;

  const began = Date.now();
  await close(app, 200);

  expect(Date.now() - began).toBeLessThan(5000);
  await expect(slow).rejects.toThrow("fetch failed");
});
