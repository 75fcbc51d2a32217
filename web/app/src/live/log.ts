import { RoomLog } from "../history/log";
import type { OpenRoom } from "./room";

const logs = new WeakMap<OpenRoom, RoomLog>();

/** A room's history, loaded when a view of it starts it. */
export function roomLog(room: OpenRoom): RoomLog {
  let log = logs.get(room);
  if (!log) logs.set(room, (log = new RoomLog(room)));
  return log;
}
