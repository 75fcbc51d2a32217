/**
 * Where a client writes down what is not acknowledged, before it sends it. In browsers this is IndexedDB, elsewhere memory; another
 * place (a file, say) needs the seven methods of {@link Storage}.
 *
 * @module
 */
import type { PendingRecord } from "../ot/machine.js";

/** What one session has not had acknowledged in one room, and its undo history. */
export interface RoomRecord extends PendingRecord {
  /** The server, by its WebSocket URL without query. */
  server: string;
  /** The account that was signed in; null for a guest. */
  account: string | null;
  room: string;
  session: string;
  /** Identity of the room's log, if the server told it. */
  log: string | null;
  /** The binding's undo history on the text with everything of `queue` in it; null if there is none. */
  history: unknown;
  /** When it was written, ms since 1970. */
  at: number;
}

/** Edits that the server did not take: kept for the user, never sent by themselves. */
export interface Draft {
  /** Made up by the client. */
  id: string;
  server: string;
  account: string | null;
  room: string;
  /** Why, for programs: an error code of the server's, or `inconsistent`, `record_outdated`, `abandoned`. */
  code: string;
  /** Why, for people. */
  message: string;
  /** The revision that the edits counted on. */
  revision: number;
  /** The text of that revision, and the text with the edits in it; null where the text could not be read any more. */
  before: string | null;
  after: string | null;
  /** The texts that were inserted, in order. */
  inserted: string[];
  at: number;
}

/** Which record: a session's in a room. */
export interface RecordKey {
  server: string;
  room: string;
  session: string;
}

/** A place to keep records and drafts. Each promise resolves when the change is kept, and rejects when it is not. */
export interface Storage {
  /** Whether what is written outlives the page or process. */
  readonly durable: boolean;
  /** Writes a record in place of the one with the same key. */
  put(record: RoomRecord): Promise<void>;
  /** Removes a record; one that is not there is no error. */
  remove(key: RecordKey): Promise<void>;
  /** One record; null if there is none. */
  get(key: RecordKey): Promise<RoomRecord | null>;
  /** All records of a server. */
  list(server: string): Promise<RoomRecord[]>;
  /** Writes a draft, and removes a record in the same transaction if one is named. */
  keepDraft(draft: Draft, instead: RecordKey | null): Promise<void>;
  /** All drafts of a server, of every account. */
  drafts(server: string): Promise<Draft[]>;
  /** Removes a draft for good. */
  dropDraft(id: string): Promise<void>;
}

/** The key of a record as one string. */
export function keyOf({ server, room, session }: RecordKey): string {
  return JSON.stringify([server, room, session]);
}

/** Keeps records in memory: they outlive a client, and end with the process. */
export class MemoryStorage implements Storage {
  readonly durable: boolean = false;
  readonly #records = new Map<string, string>();
  readonly #drafts = new Map<string, Draft>();

  async put(record: RoomRecord): Promise<void> {
    // As a string, so that nothing is shared with the one who wrote it.
    this.#records.set(keyOf(record), JSON.stringify(record));
  }

  async remove(key: RecordKey): Promise<void> {
    this.#records.delete(keyOf(key));
  }

  async get(key: RecordKey): Promise<RoomRecord | null> {
    const found = this.#records.get(keyOf(key));
    return found ? (JSON.parse(found) as RoomRecord) : null;
  }

  async list(server: string): Promise<RoomRecord[]> {
    return [...this.#records.values()].map((record) => JSON.parse(record) as RoomRecord).filter((record) => record.server === server);
  }

  async keepDraft(draft: Draft, instead: RecordKey | null): Promise<void> {
    this.#drafts.set(draft.id, draft);
    if (instead) this.#records.delete(keyOf(instead));
  }

  async drafts(server: string): Promise<Draft[]> {
    return [...this.#drafts.values()].filter((draft) => draft.server === server);
  }

  async dropDraft(id: string): Promise<void> {
    this.#drafts.delete(id);
  }
}
