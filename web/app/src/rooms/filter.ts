import type { RoomInfo } from "@motet/client";

export interface Wanted { words: string; mine: boolean; account: string | null; tag: string | null; sort: "changed" | "name" }

export const titleOf = (room: RoomInfo) => room.settings.title || (room.settings.path && room.settings.path.split("/").at(-1)) || room.room;

/** Rooms that hold all the words that were typed, in their name, title, tags, path or beginning. */
export function pick(rooms: Iterable<RoomInfo>, { words, mine, account, tag, sort }: Wanted): RoomInfo[] {
  const all = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found = [...rooms].filter((room) => {
    if (mine && (!account || room.owner !== account)) return false;
    if (tag && !room.settings.tags.includes(tag)) return false;
    const text = [room.room, room.settings.title, room.settings.description, room.settings.path, room.settings.project ?? "", room.settings.language, ...room.settings.tags, room.preview].join("\n").toLocaleLowerCase();
    return all.every((word) => text.includes(word));
  });
  const by = sort === "name" ? (a: RoomInfo, b: RoomInfo) => titleOf(a).localeCompare(titleOf(b)) : (a: RoomInfo, b: RoomInfo) => b.changed_ms - a.changed_ms;
  return found.sort(by);
}

/** The tags that are used most, at most twelve. */
export function tagsOf(rooms: Iterable<RoomInfo>): string[] {
  const counts = new Map<string, number>();
  for (const room of rooms) for (const tag of room.settings.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([tag]) => tag);
}
