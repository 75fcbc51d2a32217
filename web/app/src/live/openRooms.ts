import { signal } from "@preact/signals";
import type { Motet, RoomInfo } from "@motet/client";

const rooms = signal<RoomInfo[]>([]);
let asked = 0;

/** Rooms that may be seen, for choosing one; asked for again after half a minute. */
export function openRooms(motet: Motet) {
  if (Date.now() - asked > 30_000) {
    asked = Date.now();
    motet.rooms.list({}, { limit: 1000 }).then((page) => { rooms.value = page.rooms; }, () => {});
  }
  return rooms;
}
