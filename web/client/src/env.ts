/**
 * What this package uses of the place it runs in: a browser, a worker, or Node. Everything is looked up at the time of use, and
 * everything may be missing.
 */
export interface Env {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  TextEncoder: new () => { encode(text: string): Uint8Array };
  crypto?: { getRandomValues<T extends Uint8Array>(bytes: T): T };
  WebSocket?: WebSocketConstructor;
  fetch?: Fetch;
  indexedDB?: unknown;
  sessionStorage?: { getItem(key: string): string | null; setItem(key: string, value: string): void };
  navigator?: {
    locks?: {
      request(name: string, options: { ifAvailable?: boolean }, run: (lock: unknown) => Promise<unknown>): Promise<unknown>;
    };
  };
  BroadcastChannel?: new (name: string) => Broadcast;
  addEventListener?(type: string, listener: (event: never) => void): void;
  removeEventListener?(type: string, listener: (event: never) => void): void;
  document?: { visibilityState: string; hidden: boolean } & Pick<Env, "addEventListener" | "removeEventListener">;
  location?: { href: string };
}

/** A channel between the tabs of one origin. */
export interface Broadcast {
  postMessage(message: unknown): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}

/** The part of a WebSocket that the client uses; the browser's, Node's and `ws`'s all have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: never }) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Makes a WebSocket to a URL. */
// `any` because the constructors of browsers, Node and `ws` differ in what their handlers take.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type WebSocketConstructor = new (url: string) => any;

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string },
) => Promise<{ ok: boolean; status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>;

/** The globals. */
export const env = globalThis as unknown as Env;

/** A random UUID of version 4. `crypto.randomUUID` is missing on pages that came over plain HTTP from another machine. */
export function uuid(): string {
  const bytes = new Uint8Array(16);
  if (!env.crypto) throw new Error("this place has no crypto.getRandomValues, so that no session can be made");
  env.crypto.getRandomValues(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Runs something later; the result stops it. Times beyond what timers can hold are cut to about 24 days. */
export function later(ms: number, run: () => void): () => void {
  const timer = env.setTimeout(run, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
  return () => env.clearTimeout(timer);
}
