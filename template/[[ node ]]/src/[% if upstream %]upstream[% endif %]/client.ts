import { setTimeout as sleep } from "node:timers/promises";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { Problem } from "../platform/problem.ts";
import { backoffMs, RETRIED_STATUSES } from "./retry.ts";

/** What this service reads of the upstream's item; the contract test holds the upstream to it. */
export interface UpstreamItem {
  id: string;
  name: string;
  quantity: number;
}

function parseItem(body: string): UpstreamItem {
  const { id, name, quantity } = JSON.parse(body) ?? {};
  if (typeof id === "string" && typeof name === "string" && Number.isInteger(quantity)) {
    return { id, name, quantity };
  }
  throw new Error("the upstream's answer is not an item");
}

interface Options {
  url: string;
  timeoutMs: number;
  retries: number;
}

interface Answer {
  status: number;
  body: string;
}

export class UpstreamClient {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The item, or undefined when the upstream does not have it. */
  async findItem(id: string): Promise<UpstreamItem | undefined> {
    try {
      const { status, body } = await this.#get(`/v1/items/${id}`);
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`the upstream answered ${status}`);
      return parseItem(body);
    } catch (cause) {
      throw new Problem(502, "The upstream failed.", { cause });
    }
  }

  async #get(path: string): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= this.#options.retries;
      try {
        const answer = await this.#traced(path, attempt);
        if (last || !RETRIED_STATUSES.has(answer.status)) return answer;
      } catch (error) {
        if (last) throw error;
      }
      await sleep(backoffMs(attempt));
    }
  }

  async #traced(path: string, attempt: number): Promise<Answer> {
    const url = new URL(this.#options.url + path);
    const attributes = {
      "http.request.method": "GET",
      "server.address": url.hostname,
      "server.port": Number(url.port || (url.protocol === "https:" ? 443 : 80)),
      "url.full": url.href,
      ...(attempt > 0 ? { "http.request.resend_count": attempt } : {}),
    };
    const tracer = trace.getTracer("upstream");
    return tracer.startActiveSpan("GET", { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        const answer = await this.#once(url);
        span.setAttribute("http.response.status_code", answer.status);
        if (answer.status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
        return answer;
      } catch (error) {
        span.recordException(error as Error);
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  async #once(url: URL): Promise<Answer> {
    const headers: Record<string, string> = { accept: "application/json" };
    propagation.inject(context.active(), headers);
    const signal = AbortSignal.timeout(this.#options.timeoutMs); // bounds the body as well
    const response = await fetch(url, { headers, signal, redirect: "manual" });
    return { status: response.status, body: await response.text() };
  }
}
