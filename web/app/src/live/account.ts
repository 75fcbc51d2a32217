import { computed, signal } from "@preact/signals";
import { api, ApiError } from "./api";

/** Who is signed in in this browser. The tokens are kept where all tabs of the origin read them: a refresh token is good once, so the tabs share one. */
interface Signed { account: string; access_token: string; access_expires_ms: number; refresh_token: string; refresh_expires_ms: number }

const KEY = "motet:account";
/** An access token is renewed this long before it ends. */
const MARGIN_MS = 60_000;

function load(): Signed | null {
  try { return JSON.parse(localStorage.getItem(KEY) ?? sessionStorage.getItem(KEY) ?? "null") as Signed | null; } catch { return null; }
}
const signed = signal<Signed | null>(load());
export const account = computed(() => signed.value?.account ?? null);
addEventListener("storage", (event) => { if (event.key === KEY) signed.value = load(); });

function keep(next: Signed | null, stay = localStorage.getItem(KEY) !== null): void {
  localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
  if (next) (stay ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(next));
  signed.value = next;
}

/** One tab refreshes at a time. Web Locks are there on HTTPS and on this machine; elsewhere a tab waits a moment and looks again. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  if (navigator.locks) return navigator.locks.request("motet/account", work);
  await new Promise((done) => setTimeout(done, Math.random() * 200));
  return work();
}

let refreshing: Promise<string | null> | null = null;

/** The account's access token, renewed where it is about to end; null for a guest. */
export async function accessToken(): Promise<string | null> {
  const now = signed.value;
  if (!now) return null;
  if (now.access_expires_ms - MARGIN_MS > Date.now()) return now.access_token;
  refreshing ??= alone(async () => {
    const newest = load();
    if (!newest) return null;
    if (newest.access_expires_ms - MARGIN_MS > Date.now()) { signed.value = newest; return newest.access_token; }
    try {
      const next = await api<Signed>("auth/refresh", { method: "POST", body: { refresh_token: newest.refresh_token }, token: null });
      keep(next);
      return next.access_token;
    } catch (error) {
      if (error instanceof ApiError && error.code === "unauthorized") keep(null);
      throw error;
    }
  }).finally(() => { refreshing = null; });
  return refreshing;
}

export async function signIn(how: "login" | "register", credentials: { name: string; password: string }, stay: boolean): Promise<void> {
  keep(await api<Signed>(`auth/${how}`, { method: "POST", body: credentials, token: null }), stay);
}

export async function signOut(): Promise<void> {
  const now = signed.value;
  keep(null);
  if (now) await api("auth/logout", { method: "POST", body: { refresh_token: now.refresh_token }, token: null }).catch(() => {});
}

export interface Me { account: string | null; name: string; admin: boolean; grant: unknown; expires_ms: number | null }
export const me = async () => api<Me>("auth/me", { token: await accessToken() });
