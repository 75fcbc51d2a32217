/** Where the server is, and what the page shows, from its own address. `<base>` holds the path that a reverse proxy puts in front. */
export const base = new URL(document.baseURI.replace(/[?#].*$/, ""));

export const socketAddress = Object.assign(new URL("ws", base), { protocol: base.protocol === "https:" ? "wss:" : "ws:" }).href;

export const apiAddress = (path: string) => new URL(`api/${path}`, base).href;

export const roomAddress = (room: string) => new URL(`r/${room}`, base).href;

export const ROOM_NAME = /^[a-z0-9_-]{1,64}$/;

export type Route = { view: "rooms" } | { view: "room"; room: string } | { view: "nowhere"; room: string };

export function route(): Route {
  const path = location.pathname.slice(base.pathname.length);
  if (!path.startsWith("r/")) return { view: "rooms" };
  const room = decodeURIComponent(path.slice(2));
  return ROOM_NAME.test(room) ? { view: "room", room } : { view: "nowhere", room };
}

/** Takes the secret of a share link out of the address, so that it is in no history, screenshot or copied link. */
export function takeLink(): string | null {
  const link = /^#(mtl_[\w-]+)/.exec(location.hash)?.[1] ?? null;
  if (link) history.replaceState(null, "", location.pathname + location.search);
  return link;
}
