import type { At, Entry, ParticipantId, Version } from "../wire.js";
import type { RoomContext } from "./context.js";

/** The text of a room at some revision. */
export interface TextAt {
  revision: number;
  text: string;
}

/** A room's past: its log, its texts, its summaries. Also readable without the room being open. */
export class History {
  readonly #room: RoomContext;

  constructor(room: RoomContext) {
    this.#room = room;
  }

  /** The text as it was. */
  async textAt(at: At): Promise<TextAt> {
    const { revision, text } = await this.#room.ask({ type: "read_text", room: this.#room.name, at });
    return { revision, text };
  }

  /** Entries from a revision on (the first is 1), at most `limit` (up to 1000); fewer where they are large. */
  async log(from: number, limit = 1000): Promise<{ entries: Entry[]; head: number }> {
    const { entries, head } = await this.#room.ask({ type: "read_log", room: this.#room.name, from, limit });
    return { entries, head };
  }

  /** CRC-32 and length of the text's UTF-8. */
  async hash(at: At = "head"): Promise<{ revision: number; crc32: number; bytes: number }> {
    const { revision, crc32, bytes } = await this.#room.ask({ type: "hash_text", room: this.#room.name, at });
    return { revision, crc32, bytes };
  }

  /** What happened between two places in history, in words and as facts (JSON of the server's, see its guide on summaries). */
  async summarize(from: At, to: At = "head"): Promise<{ text: string; facts: unknown }> {
    const { text, facts } = await this.#room.ask({ type: "summarize", room: this.#room.name, from, to });
    return { text, facts: JSON.parse(facts) as unknown };
  }
}

/** The named versions of a room. */
export class Versions {
  readonly #room: RoomContext;

  constructor(room: RoomContext) {
    this.#room = room;
  }

  /** All of them, by revision. */
  async list(): Promise<Version[]> {
    return (await this.#room.ask({ type: "read_versions", room: this.#room.name })).versions;
  }

  /** Names a revision; without one, that of the text as it is when the server takes the command. Takes an editor. */
  async add(name: string, { revision = 0, description = "" }: { revision?: number; description?: string } = {}): Promise<number> {
    return this.#room.command({ name_version: { name, revision, description } });
  }

  /** Takes a name away; the revision stays. */
  async remove(name: string): Promise<number> {
    return this.#room.command({ remove_version: { name } });
  }
}

/** A participant's last seq in the log up to a revision; 0 if it has none there. */
export async function lastSeq(history: History, participant: ParticipantId | null, revision: number): Promise<number> {
  for (let to = revision; to > 0; to -= 1000) {
    let found = 0;
    for (let next = Math.max(1, to - 999); next <= to; ) {
      const { entries } = await history.log(next, to - next + 1);
      if (!entries.length) break;
      for (const entry of entries) if (entry.participant === participant) found = Math.max(found, entry.seq);
      next = entries[entries.length - 1]!.revision + 1;
    }
    if (found) return found;
  }
  return 0;
}
