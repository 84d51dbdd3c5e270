import { isIP } from "node:net";

export class ConfigError extends Error {}

/** Reads variables one by one; the first bad one throws, so the order of the calls is the order of the reports. */
export class EnvReader {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  ipAddress(name: string, fallback: string): string {
    return this.#read(name, "an IP address", (text) => isIP(text) !== 0) ?? fallback;
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const inRange = (text: string) =>
      /^[0-9]+$/.test(text) && Number(text) >= min && Number(text) <= max;
    const text = this.#read(name, `an integer from ${min} to ${max}`, inRange);
    return text === undefined ? fallback : Number(text);
  }

  oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const isChoice = (text: string) => choices.some((choice) => choice === text);
    const text = this.#read(name, `one of ${choices.join(", ")}`, isChoice);
    return (text as T | undefined) ?? fallback;
  }

  /** Without query and fragment. */
  url(name: string): string | undefined {
    return this.#read(name, "an absolute http or https URL", isHttpUrl);
  }

  /** A URL that paths are appended to: returned without a slash at its end. */
  baseUrl(name: string, fallback: string): string {
    return (this.url(name) ?? fallback).replace(/\/+$/, "");
  }

  #read(name: string, rule: string, valid: (text: string) => boolean): string | undefined {
    const text = this.#env[name];
    if (text === undefined || text === "") return undefined;
    if (!valid(text)) throw new ConfigError(`config: ${name}: must be ${rule}`);
    return text;
  }
}

// URL.canParse alone would also take "http:x", blanks at the ends, and a user, which fetch refuses later.
const isHttpUrl = (text: string) =>
  /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/i.test(text) && URL.canParse(text);

/** The configuration, or one line on stderr and exit code 2. */
export function loadOrExit<T>(load: (env: EnvReader) => T): T {
  try {
    return load(new EnvReader(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
