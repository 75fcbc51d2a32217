import type { ChangeSet, Text } from "@codemirror/state";

import { env, later } from "./env.js";
import { MotetError } from "./errors.js";
import { hold, type Hold } from "./locks.js";
import { Motet, type MotetOptions } from "./motet.js";
import type { Draft, RoomRecord, Storage } from "./storage/storage.js";
import { Mismatch } from "./ot/wire.js";
import { textOf } from "./text/text.js";

/** Other pages' records are looked for so often, ms. */
const EVERY_MS = 60_000;
/** A delivery that takes longer than this is given up until the next time, ms. */
const DELIVERY_MS = 60_000;
/** A record without anything to deliver is kept for its page's undo history for so long, ms. */
const HISTORY_MS = 24 * 3_600_000;
/** A record that could not be delivered for so long becomes a draft, ms. */
const ABANDONED_MS = 30 * 24 * 3_600_000;

/** What came of delivering one record. */
export interface Delivery {
  /** The text that the record's edits were made in, with them in it, and what changed it since; null if that could not be told. */
  before: Text;
  changes: ChangeSet[];
  revision: number;
  log: string | null;
}

/**
 * Delivers what sessions whose pages are gone have left behind: a room of its own on a socket of its own, with that session. It never goes on
 * editing under it. The server appends each submit of a session once, so that two couriers, or one that is cut off and comes again, double
 * nothing.
 */
export class Courier {
  readonly #motet: Motet;
  readonly #options: MotetOptions;
  readonly #storage: Storage;
  #own: Promise<Hold | null> | null = null;
  #stopTimer: () => void = () => {};
  #delivering: Promise<number> | null = null;
  #ended = false;

  constructor(motet: Motet, options: MotetOptions) {
    this.#motet = motet;
    this.#options = options;
    this.#storage = motet.storage!;
  }

  /** Holds the client's own session, so that no other page delivers for it. */
  hold(): void {
    this.#own ??= hold(this.#motet.session, this.#storage.durable);
  }

  /** Lets go of it: the page is put aside by the browser. */
  release(): void {
    const own = this.#own;
    this.#own = null;
    void own?.then((held) => held?.release());
  }

  /** The account is known: looks now, and each minute. */
  start(): void {
    this.#stopTimer();
    const look = () => {
      void this.deliver().catch(() => {});
      this.#stopTimer = later(EVERY_MS, look);
    };
    this.#stopTimer = later(0, look);
  }

  end(): void {
    this.#ended = true;
    this.#stopTimer();
    this.release();
  }

  /** Delivers every record that nobody holds and that is of the account signed in. Returns how many it tried. */
  deliver(): Promise<number> {
    return (this.#delivering ??= this.#deliver().finally(() => (this.#delivering = null)));
  }

  async #deliver(): Promise<number> {
    let tried = 0;
    const records = (await this.#storage.list(this.#motet.server)).sort((a, b) => a.at - b.at);
    for (const record of records) {
      if (this.#ended || this.#motet.status !== "connected") break;
      if (record.session === this.#motet.session) continue;
      const held = await hold(record.session, this.#storage.durable);
      if (!held) continue;
      try {
        // What its page has written since the list was read counts.
        const fresh = await this.#storage.get(record);
        if (!fresh) continue;
        if (!fresh.queue.length) {
          if (Date.now() - fresh.at > HISTORY_MS) await this.#storage.remove(fresh);
        } else if (fresh.account === this.#motet.account) {
          tried++;
          await this.#one(fresh);
        } else if (Date.now() - fresh.at > ABANDONED_MS) await this.#abandon(fresh);
      } finally {
        held.release();
      }
    }
    return tried;
  }

  /** Delivers the record that an earlier page of this tab left of a room, and tells what changed since; null if it cannot. */
  async resume(record: RoomRecord): Promise<Delivery | null> {
    const held = await hold(record.session, this.#storage.durable);
    if (!held) return null;
    try {
      const fresh = await this.#storage.get(record);
      return fresh && fresh.account === this.#motet.account ? await this.#one(fresh) : null;
    } finally {
      held.release();
    }
  }

  async #one(record: RoomRecord): Promise<Delivery | null> {
    const { room: name, session, revision } = record;
    const client = new Motet({ ...this.#options, url: this.#motet.server, name: this.#motet.name, session, storage: this.#storage, courier: false, connect: true });
    let stop = () => {};
    const stopped = new Promise<null>((resolve) => (stop = later(DELIVERY_MS, () => resolve(null))));
    try {
      const read = client.ask({ type: "read_text", room: name, at: { revision } });
      const text = await Promise.race([read, stopped]);
      if (!text) return null;
      return await Promise.race([this.#follow(client, record, textOf(text.text)), stopped]);
    } catch (error) {
      const { code, message } = error as MotetError;
      // An operation that does not fit: the room or the server has another log than the record was written for.
      if (GONE.has(code) || error instanceof Mismatch || error instanceof RangeError) await this.#storage.keepDraft(draftOf(record, code ?? "record_outdated", message), record);
      return null;
    } finally {
      stop();
      client.destroy();
    }
  }

  async #follow(client: Motet, record: RoomRecord, text: Text): Promise<Delivery | null> {
    const room = client.room(record.room, { presence: false, record: { record, text } });
    const before = room.doc;
    const changes: ChangeSet[] = [];
    room.on("change", (event) => changes.push(event.changes));
    return new Promise((resolve) => {
      const look = () => {
        if (!room.synced || room.hasUnsyncedChanges) return;
        const edits = record.queue.reduce((sum, pending) => sum + pending.edits, 0);
        if (edits) this.#motet.emit("delivered", { room: record.room, session: record.session, edits });
        const delivery = { before, changes, revision: room.revision, log: room.log };
        void this.#storage.remove(record).then(
          () => resolve(delivery),
          () => resolve(delivery),
        );
      };
      room.on("synced", look);
      room.on("unsyncedChanges", look);
      // A draft was made of it, or another courier has it.
      room.on("draft", (draft) => {
        this.#motet.emit("draft", draft);
        resolve(null);
      });
      room.on("closed", () => resolve(null));
    });
  }

  async #abandon(record: RoomRecord): Promise<void> {
    await this.#storage.keepDraft(draftOf(record, "abandoned", "these edits were not sent for thirty days, since another account is signed in"), record);
  }
}

/** The room or the revision that a record counts on is there no more. */
const GONE = new Set(["room_not_found", "room_deleted", "room_expired", "revision_unknown", "not_found", "forbidden"]);

function draftOf(record: RoomRecord, code: string, message: string): Draft {
  const inserted = record.queue.flatMap(({ command }) => ("edit" in command ? command.edit.filter((component) => typeof component === "string") : []));
  const { session: id, server, account, room, revision } = record;
  return { id: `${id}/${room}`, server, account, room, code, message, revision, before: null, after: null, inserted, at: Date.now() };
}

/** The session of the page before this one in the same tab, and this one's put in its place; null if there was none. */
export function succeed(server: string, session: string): string | null {
  try {
    const key = `motet/session/${server}`;
    const before = env.sessionStorage?.getItem(key) ?? null;
    env.sessionStorage?.setItem(key, session);
    return before;
  } catch {
    return null; // Storage is turned off in this browser.
  }
}
