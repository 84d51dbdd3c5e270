import type { FastifyInstance, FastifyRequest } from "fastify";

interface Route {
  template: string;
  pattern: RegExp;
  methods: Set<string>;
}

/** The routes by path: Fastify itself does not tell a path that is unknown from one with other methods. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();

  constructor(app: FastifyInstance) {
    app.addHook("onRoute", ({ url, method }) => {
      const route = this.#routes.get(url) ?? describe(url);
      this.#routes.set(url, route);
      for (const name of [method].flat()) route.methods.add(name);
    });
  }

  /** The route of a request, whether or not it has the request's method. */
  find(request: FastifyRequest): Route | undefined {
    const { url } = request.routeOptions;
    if (!request.is404 && url !== undefined) return this.#routes.get(url);
    const [path = ""] = request.url.split("?");
    return this.#routes.values().find(({ pattern }) => pattern.test(path));
  }
}

/** The name of a route in metrics, traces and logs. */
export const template = (url: string) => url.replace(/:(\w+)/g, "{$1}");

function describe(url: string): Route {
  return {
    template: template(url),
    pattern: new RegExp(`^${url.replace(/[.+*?^$()]/g, "\\$&").replace(/:\w+/g, "[^/]+")}$`),
    methods: new Set(),
  };
}
