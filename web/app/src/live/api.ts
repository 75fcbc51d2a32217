import { apiAddress } from "../address";

/** What the server refused or could not do: its stable code, and its words for people. */
export class ApiError extends Error {
  constructor(readonly code: string, message: string, readonly status: number, readonly retryAfterMs?: number) { super(message); }
}

/** Asked before each request that says who it is. */
let tokenOf: () => Promise<string | null> = async () => null;
export const useToken = (token: () => Promise<string | null>) => { tokenOf = token; };

interface Options { method?: string; body?: unknown; token?: string | null; headers?: Record<string, string>; text?: boolean }

async function send(path: string, { method = "GET", body, token, headers }: Options): Promise<Response> {
  const bearer = token === undefined ? await tokenOf() : token;
  const head: Record<string, string> = { ...headers };
  if (bearer) head.authorization = `Bearer ${bearer}`;
  const raw = typeof body === "string" || body instanceof Blob;
  if (body !== undefined && !raw) head["content-type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(apiAddress(path), { method, headers: head, ...(body !== undefined && { body: raw ? (body as BodyInit) : JSON.stringify(body) }) });
  } catch {
    throw new ApiError("unreachable", "The server cannot be reached. Check the network, then try again.", 0);
  }
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string; retry_after_ms?: number };
  throw new ApiError(problem.code ?? "internal", sentence(problem.detail ?? problem.title ?? `The server answered ${answer.status}.`), answer.status, problem.retry_after_ms);
}

/** A request of the HTTP API, with JSON for an answer. */
export async function api<T = void>(path: string, options: Options = {}): Promise<T> {
  const answer = await send(path, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export async function apiBlob(path: string): Promise<Blob> {
  return (await send(path, {})).blob();
}

/** A refusal in the server's words, as a sentence. */
export const sentence = (words: string) => (words ? words[0]!.toLocaleUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".") : words);

/** What went wrong, for people. */
export const wordsOf = (error: unknown) => (error instanceof Error ? sentence(error.message) : "Something went wrong.");
