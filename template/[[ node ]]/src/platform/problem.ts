import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";

export interface FieldError {
  field: string;
  message: string;
}

interface ProblemOptions {
  errors?: FieldError[];
  headers?: Record<string, string>;
  cause?: unknown;
}

/** An answer in application/problem+json (RFC 9457): throw it anywhere in a handler. */
export class Problem extends Error {
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.status = status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  toJSON() {
    const title = STATUS_CODES[this.status];
    const { status, message: detail, errors } = this;
    return { type: "about:blank", title, status, detail, errors };
  }
}

export const notFound = (detail: string) => new Problem(404, detail);

export const invalid = (...errors: FieldError[]) =>
  new Problem(422, "The request breaks a rule.", { errors });

/** Answers everything that is thrown, by handlers and by Fastify, as a problem. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      request.log.error({ err: problem.cause ?? problem }, problem.message);
    }
    return sendProblem(reply, problem);
  });
}

function sendProblem(reply: FastifyReply, problem: Problem) {
  // Fastify closes the connection under a body that is too long; reading on lets the client see the answer.
  if (problem.status === 413) reply.removeHeader("connection");
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header("content-type", "application/problem+json")
    .send(Buffer.from(JSON.stringify(problem))); // to a string Fastify would add a charset
}

function toProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error;
  switch (error.statusCode) {
    case 413:
      return new Problem(413, "The body is longer than 65536 bytes.");
    case 415:
      return new Problem(415, "The body must be application/json.");
    case 400:
      return new Problem(400, "The request cannot be read.");
    default:
      return new Problem(500, "Something unexpected happened.", { cause: error });
  }
}

const BROKEN_STATUS: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is not HTTP, where Fastify has no request yet. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return;
  const status = BROKEN_STATUS[error.code ?? ""] ?? 400;
  const problem = new Problem(status, "The request cannot be read.");
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
