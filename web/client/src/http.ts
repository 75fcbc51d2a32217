import { env, type Fetch } from "./env.js";
import { MotetError } from "./errors.js";

/** The HTTP API. */
export class Http {
  /** The server's address, without a slash at the end. */
  readonly base: string;
  readonly #token: () => Promise<string | null>;
  readonly #fetch: Fetch | null;

  /** @internal */
  constructor(server: string, token: () => Promise<string | null>, fetch?: Fetch) {
    this.base = server.replace(/^ws/, "http").replace(/\/ws$/, "");
    this.#token = token;
    this.#fetch = fetch ?? null;
  }

  /** Sends a request; the body is JSON. Errors of the server's are thrown as `MotetError`, with the protocol's codes. */
  async request<Answer = unknown>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const call = this.#fetch ?? env.fetch;
    if (!call) throw new MotetError("no_fetch", "there is no fetch here; give one as an option");
    const token = await this.#token();
    const response = await call(`${this.base}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get("content-type") ?? "") && text ? (JSON.parse(text) as unknown) : null;
    if (!response.ok) {
      const problem = (json ?? {}) as { code?: string; detail?: string; title?: string; retry_after_ms?: number };
      throw new MotetError(problem.code ?? "http_failed", problem.detail ?? problem.title ?? `the server answered ${response.status}`, problem.retry_after_ms ?? null);
    }
    return (json ?? (text || undefined)) as Answer;
  }
}
