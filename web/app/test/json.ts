import { Motet, type Room } from "@motet/client";

/** A program in the room, by the JavaScript client in Node. */
export async function program(url: string, room: string, name = "Program"): Promise<{ motet: Motet; room: Room }> {
  const motet = new Motet({ url, name, WebSocket: (await import("ws")).WebSocket as never });
  const opened = motet.room(room, { create: true });
  await opened.whenSynced;
  return { motet, room: opened };
}
