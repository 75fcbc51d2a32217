/**
 * The client of Motet: one socket, many rooms.
 *
 * @packageDocumentation
 */
export { Motet, type KeptRecord, type MotetEvents, type MotetOptions, type TokenSource } from "./motet.js";
export { Room } from "./room/room.js";
export type { ChangeEvent, RestoredHistory, RoomEvents, RoomOptions, SaveState } from "./room/types.js";
export { Chat, type NewMessage } from "./room/chat.js";
export { Comments, type Comment } from "./room/comments.js";
export { History, Versions, type TextAt } from "./room/history.js";
export { Settings, type SettingsState } from "./room/settings.js";
export { type Other, type Presence } from "./room/people.js";
export { Rooms, RoomWatch } from "./rooms.js";
export {
  Http,
  type AccountInfo,
  type AccountSession,
  type HttpAt,
  type Link,
  type Me,
  type Participant,
  type Project,
  type SignedIn,
  type Target,
  type WireBlameRange,
  type Work,
} from "./http.js";
export { scalarRanges } from "./text/counts.js";
export { IndexedDbStorage } from "./storage/indexeddb.js";
export { MotetError } from "./errors.js";
export { Emitter } from "./events.js";
export { MemoryStorage, type Draft, type RecordKey, type RoomRecord, type Storage } from "./storage/storage.js";
export type { Change } from "./ot/changes.js";
export type { PendingRecord } from "./ot/machine.js";
export type { ConnectionStatus, ConnectionTimes } from "./connection.js";
export type { Fetch, WebSocketConstructor } from "./env.js";
export type { AnswerTo } from "./asks.js";
export type * from "./wire.js";
