import { api } from "./api";
import { accessToken } from "./account";
import { name } from "./identity";

/** The share token with which a room was entered by a link. It is kept for later visits of this browser, and holds 30 days at most. */
const key = (room: string) => `motet:share:${room}`;

interface Redeemed { token: string; role: string; expires_ms: number }

export const dropGrant = (room: string) => localStorage.removeItem(key(room));

function grantOf(room: string): string | null {
  try {
    const kept = JSON.parse(localStorage.getItem(key(room)) ?? "null") as Redeemed | null;
    if (kept && kept.expires_ms > Date.now()) return kept.token;
  } catch { /* Not ours; it is replaced by the next one. */ }
  dropGrant(room);
  return null;
}

/** Follows a share link. Who is signed in stays who they are. */
export async function redeem(room: string, link: string): Promise<void> {
  const answer = await api<Redeemed>("auth/redeem", { method: "POST", body: { link, name: name.value }, token: await accessToken() });
  localStorage.setItem(key(room), JSON.stringify({ token: answer.token, role: answer.role, expires_ms: answer.expires_ms }));
}

/** With what a room is entered: by a link, else by the account, else as a guest. */
export const roomToken = async (room: string): Promise<string | null> => grantOf(room) ?? accessToken();
