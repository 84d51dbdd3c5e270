import { expect, test } from "vitest";
import { testServer } from "./server.ts";

test("measures and logs a request by its route", async () => {
  const lines: string[] = [];
  const app = testServer(lines);
  app.get("/v1/things/:id", async () => "");

  await app.inject("/v1/things/1");
  await app.inject("/nowhere");
  await app.inject("/livez");

  const logged = lines.map((line) => JSON.parse(line));
  expect(logged).toMatchObject([
    { message: "request", level: "info", http_route: "/v1/things/{id}" },
    { message: "request", http_route: "unmatched", http_response_status_code: 404 },
  ]);
  const { payload } = await app.inject("/metrics");
  expect(payload).toContain(
    'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/v1/things/{id}",http_response_status_code="200"} 1',
  );
  expect(payload).not.toContain("/livez");
});

test("answers an unexpected exception without its text and logs it", async () => {
  const lines: string[] = [];
  const app = testServer(lines);
  app.get("/broken", async () => {
    throw new Error("the secret");
  });

  const response = await app.inject("/broken");

  expect(response.statusCode).toBe(500);
  expect(response.payload).not.toContain("secret");
  const { level, error, stack } = JSON.parse(lines[0] ?? "{}");
  expect({ level, error }).toEqual({ level: "error", error: "the secret" });
  expect(stack).toContain("observe.test.ts");
});
