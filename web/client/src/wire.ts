/**
 * The messages of Motet's protocol in their JSON form, and the values in them.
 *
 * Positions and lengths in these types count Unicode scalar values, as the server does. Everything else in this package counts
 * UTF-16 code units, as JavaScript does.
 *
 * @module
 */

/** An operation as ot.js writes it: a positive number retains, a string inserts, a negative number deletes. It covers the whole text. */
export type WireOperation = (number | string)[];

/** What a participant may do in a room, weakest first. */
export type Role = "viewer" | "editor" | "host";

/** What those may do in a room who were given no role there. */
export type Public = "server_default" | "nobody" | Role;

/** A participant: 16 hexadecimal digits, made by the server from the session. */
export type ParticipantId = string;

/** What the server promises of an acknowledged edit: `sync` survives power loss, `os` survives a crash of the server, `none` neither. */
export type Durability = "sync" | "os" | "none";

/** Someone who can hold a role: an account, or a guest's session. */
export type Member = { account: string } | { participant: ParticipantId };

/** What becomes of a member's role: the public one, a role, or a ban. */
export type Standing = "public" | "banned" | { role: Role };

/** Who wrote something. `account` is null for guests. */
export interface Author {
  name: string;
  account?: string | null;
}

/** What is set in a room. */
export interface RoomSettings {
  title: string;
  language: string;
  description: string;
  tags: string[];
  public: Public;
  project?: string | null;
  path: string;
  /** The room is deleted after so many seconds in which nothing happened; 0 for what the server does by default. */
  ttl_s: number;
}

/** What a list says of a room. */
export interface RoomInfo {
  room: string;
  created_ms: number;
  owner?: string | null;
  head: number;
  changed_ms: number;
  /** Connections that have the room open. */
  present: number;
  text_bytes: number;
  /** The beginning of the text. */
  preview: string;
  settings: RoomSettings;
  /** The caller's own role. */
  role: Role;
  /** Chat messages that the caller's account has not read; 0 for guests. */
  unread: number;
  last_message?: string | null;
}

/** Which rooms a list has; a field that is left out does not matter. */
export interface RoomFilter {
  /** A part of the room's name or title. */
  name?: string;
  tag?: string;
  language?: string;
  project?: string;
  owner?: string;
  /** Only rooms in which the caller's account has a role of its own. */
  mine?: boolean;
}

/** A place in a room's history: its head, a revision, or the last revision at or before a time (ms since 1970). */
export type At = "head" | { revision: number } | { time: number };

/** A range of the text with a direction: `head` is where the caret is. */
export interface Selection {
  anchor: number;
  head: number;
}

/** Whether a person is at work. */
export type PresenceStatus = "active" | "idle" | "away";

/** What a participant sends in a call. */
export interface CallState {
  audio: boolean;
  video: boolean;
  screen: boolean;
}

/** What a participant tells of itself. All of it is sent each time. */
export interface WirePresence {
  selections?: Selection[];
  viewport?: Selection | null;
  status?: PresenceStatus;
  /** Whether a chat message is being written. */
  typing?: boolean;
  /** Colour of the caret, 0xRRGGBB. */
  color?: number | null;
  following?: ParticipantId | null;
  call?: CallState | null;
}

/** A participant who has the room open. */
export interface Person {
  participant: ParticipantId;
  author: Author;
  role: Role;
  joined_ms: number;
}

/** A part of the text at a revision, kept by a chat message. */
export interface Quote {
  revision: number;
  start: number;
  end: number;
}

/** Who took something away, and when. */
export interface Deleted {
  by: ParticipantId;
  time_ms: number;
}

/** One emoji on a message, and who gave it. */
export interface Reaction {
  emoji: string;
  participants: ParticipantId[];
}

/** A chat message as it stands. `message` is its number: the revision of the entry that said it. */
export interface ChatMessage {
  message: number;
  participant: ParticipantId;
  author: Author;
  time_ms: number;
  text: string;
  /** The message that begins the thread this one is in. */
  thread?: number | null;
  quote?: Quote | null;
  mentions: Member[];
  rewritten_ms?: number | null;
  deleted?: Deleted | null;
  replies: number;
  reactions: Reaction[];
}

/** A comment's first text or a reply to it. */
export interface CommentItem {
  item: number;
  participant: ParticipantId;
  author: Author;
  time_ms: number;
  text: string;
  mentions: Member[];
  rewritten_ms?: number | null;
  deleted?: Deleted | null;
}

/** A comment with its replies, in scalar positions. `comment` is its number: the revision of the entry that opened it. */
export interface WireComment {
  comment: number;
  start: number;
  end: number;
  /** The beginning of the text that it was made on, at most 256 bytes. */
  on: string;
  items: CommentItem[];
  resolved?: Deleted | null;
}

/** A revision that was given a name. */
export interface Version {
  name: string;
  revision: number;
  description: string;
  by: ParticipantId;
  time_ms: number;
}

/** A proposal for the text at a caret; the text from `from` to the caret is to be replaced by `insert`. */
export interface Completion {
  label: string;
  kind: "word" | "keyword" | "snippet" | "proposal";
  from: number;
  /** Plain text; for a `snippet`, LSP's snippet syntax. */
  insert: string;
  detail: string;
}

/** What is done in the chat. A message is named by its number. */
export type ChatCommand =
  | { say: { text: string; thread?: number | null; quote?: Quote | null; mentions?: Member[] } }
  | { rewrite: { message: number; text: string; mentions?: Member[] } }
  | { delete: { message: number } }
  | { react: { message: number; emoji: string; on: boolean } };

/** What is done with comments. Positions count scalar values of the text at the submit's base, in an entry at its own revision. */
export type CommentCommand =
  | { open: { start: number; end: number; text: string; mentions?: Member[] } }
  | { reply: { comment: number; text: string; mentions?: Member[] } }
  | { rewrite: { comment: number; item: number; text: string } }
  | { delete: { comment: number; item: number } }
  | { resolve: { comment: number } }
  | { reopen: { comment: number } };

/** What a submit asks for, and what an entry says happened. */
export type Command =
  | { edit: WireOperation }
  | { introduce: { name: string; account?: string | null } }
  | { settings: Partial<RoomSettings> }
  | { set_role: { member: Member; standing: Standing } }
  | { name_version: { name: string; revision: number; description: string } }
  | { remove_version: { name: string } }
  | { chat: ChatCommand }
  | { comment: CommentCommand };

/** One durable thing that happened in a room. */
export interface Entry {
  revision: number;
  participant: ParticipantId;
  seq: number;
  time_ms: number;
  command: Command;
}

/** What an error is about. */
export type About =
  | "connection"
  | { request: number }
  | { channel: number }
  | { submit: { channel: number; seq: number } };

/** A refusal or failure, with a stable code for programs and words for people. */
export interface WireError {
  about: About;
  code: string;
  message: string;
  retry_after_ms?: number | null;
}

/** The server's limits, told in its greeting. */
export interface Limits {
  frame_bytes_max: number;
  edit_bytes_max: number;
  operation_components_max: number;
  text_bytes_max: number;
  channels_max: number;
  base_age_revisions_max: number;
  messages_per_second_max: number;
  heartbeat_ms: number;
  idle_timeout_ms: number;
}

/** The limits of the protocol, which hold where a greeting tells no others. */
export const PROTOCOL_LIMITS: Limits = {
  frame_bytes_max: 262_144,
  edit_bytes_max: 196_608,
  operation_components_max: 10_000,
  text_bytes_max: 67_108_864,
  channels_max: 1024,
  base_age_revisions_max: 10_000,
  messages_per_second_max: 50_000,
  heartbeat_ms: 15_000,
  idle_timeout_ms: 45_000,
};

/** The kind of a message between two participants that set up a call. */
export type SignalKind = "offer" | "answer" | "candidate" | "hangup";

/** The answer to the greeting. */
export interface WelcomeMessage {
  type: "welcome";
  protocol: number;
  server: string;
  /** Identity of the server's data, the same after a restart. */
  server_id?: string | null;
  /** Where the HTTP API is: a port of the same host, or a base URL that the operator configured. */
  http?: { port: number } | { url: string } | null;
  participant: ParticipantId;
  account?: string | null;
  name?: string;
  expires_ms?: number | null;
  durability: Durability;
  limits?: Partial<Limits>;
}

/** A channel is open; with `snapshot` the text follows in pieces, else the entries after the revision that was named. */
export interface JoinedMessage {
  type: "joined";
  channel: number;
  head: number;
  role: Role;
  /** Identity of the room's log. A room that was deleted and made anew has another. */
  log?: string | null;
  snapshot?: { revision: number; bytes: number } | null;
}

/** What changed in who is here since the last one. Places count on `revision`. */
export interface PresenceMessage {
  type: "presence";
  channel: number;
  revision: number;
  whole: boolean;
  present: number;
  people: Person[];
  presence: { participant: ParticipantId; presence: WirePresence }[];
  left: ParticipantId[];
}

/** Answers to questions; each carries its question's `request`. */
export type AnswerMessage =
  | { type: "created"; request: number; room: RoomInfo }
  | { type: "deleted"; request: number; room: string }
  | { type: "rooms"; request: number; rooms: RoomInfo[]; next?: string | null }
  | { type: "room"; request: number; room: RoomInfo }
  | { type: "text"; request: number; revision: number; text: string; last?: boolean }
  | { type: "log"; request: number; entries: Entry[]; head: number }
  | { type: "hash"; request: number; revision: number; crc32: number; bytes: number }
  | { type: "authenticated"; request: number; expires_ms?: number | null }
  | { type: "settings"; request: number; revision: number; settings: RoomSettings; owner?: string | null; roles: RoleEntry[] }
  | { type: "versions"; request: number; versions: Version[] }
  | { type: "chat"; request: number; messages: ChatMessage[]; more: boolean }
  | { type: "comments"; request: number; revision: number; comments: WireComment[]; last?: boolean }
  | { type: "marked"; request: number; unread: number }
  | { type: "turn"; request: number; urls: string[]; username: string; credential: string; expires_ms: number }
  | { type: "completions"; request: number; revision: number; completions: Completion[] }
  | { type: "summary"; request: number; text: string; facts: string };

/** A member's role in a room. */
export interface RoleEntry {
  member: Member;
  standing: Standing;
}

/** Everything that a server says. */
export type ServerMessage =
  | WelcomeMessage
  | ({ type: "error" } & WireError)
  | { type: "ping"; nonce: number }
  | { type: "pong"; nonce: number }
  | JoinedMessage
  | { type: "snapshot"; channel: number; text: string; last?: boolean }
  | { type: "entry"; channel: number; entry: Entry }
  | { type: "ack"; channel: number; seq: number; revision: number }
  | { type: "left"; channel: number }
  | { type: "bye"; error: WireError }
  | { type: "role"; channel: number; role: Role; reason: string }
  | { type: "room_changed"; request: number; room: RoomInfo }
  | { type: "room_gone"; request: number; room: string }
  | PresenceMessage
  | { type: "signal"; channel: number; from: ParticipantId; kind: SignalKind; payload: string }
  | { type: "expiring"; channel: number; expires_ms: number }
  | AnswerMessage;

/** Questions, without their `request`. */
export type Question =
  | { type: "create_room"; room?: string; settings?: Partial<RoomSettings> }
  | { type: "delete_room"; room: string }
  | { type: "list_rooms"; filter?: RoomFilter; after?: string; limit: number }
  | { type: "show_room"; room: string }
  | { type: "read_text"; room: string; at: At }
  | { type: "read_log"; room: string; from: number; limit: number }
  | { type: "hash_text"; room: string; at: At }
  | { type: "authenticate"; token: string }
  | { type: "read_settings"; room: string; at: At }
  | { type: "read_versions"; room: string }
  | { type: "read_chat"; room: string; before?: number; thread?: number; at?: At; limit: number }
  | { type: "read_comments"; room: string; at: At }
  | { type: "mark_read"; room: string; message: number }
  | { type: "turn_credentials" }
  | { type: "complete"; room: string; base: number; position: number; limit: number }
  | { type: "summarize"; room: string; from: At; to: At };

/** Everything that a client says. */
export type ClientMessage =
  | { type: "hello"; protocol: 1; session: string; name: string; token?: string | null }
  | { type: "ping"; nonce: number }
  | { type: "pong"; nonce: number }
  | { type: "join"; channel: number; room: string; after?: number; entries_only?: boolean; log?: string }
  | { type: "leave"; channel: number }
  | { type: "submit"; channel: number; seq: number; base: number; command: Command }
  | { type: "watch_rooms"; request: number; filter: RoomFilter }
  | { type: "unwatch_rooms"; request: number }
  | { type: "watch_presence"; channel: number; on: boolean }
  | { type: "set_presence"; channel: number; base: number; presence: WirePresence }
  | { type: "signal"; channel: number; to: ParticipantId; kind: SignalKind; payload: string }
  | (Question & { request: number });
