import { Emitter } from "./events.js";
import type { Motet } from "./motet.js";
import type { MotetError } from "./errors.js";
import type { RoomFilter, RoomInfo, RoomSettings, ServerMessage } from "./wire.js";

/** A list of rooms that is kept up to date. */
export class RoomWatch extends Emitter<{ change: RoomInfo[]; error: MotetError }> {
  readonly filter: RoomFilter;
  readonly #motet: Motet;
  readonly #rooms = new Map<string, RoomInfo>();
  #loaded = false;
  #request: number | null = null;
  #ready: { promise: Promise<void>; resolve: () => void; reject: (error: MotetError) => void };

  /** @internal Use {@link Rooms.watch}. */
  constructor(motet: Motet, filter: RoomFilter) {
    super();
    this.filter = filter;
    this.#motet = motet;
    let resolve!: () => void;
    let reject!: (error: MotetError) => void;
    const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]));
    promise.catch(() => {});
    this.#ready = { promise, resolve, reject };
    this.start();
  }

  /** The rooms, by name. */
  get rooms(): RoomInfo[] {
    return [...this.#rooms.values()].sort((a, b) => (a.room < b.room ? -1 : 1));
  }

  /** Whether the list was there once. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** Resolves when the list is there for the first time. */
  get whenLoaded(): Promise<void> {
    return this.#ready.promise;
  }

  /** Ends it. */
  close(): void {
    if (this.#request !== null) this.#motet.send({ type: "unwatch_rooms", request: this.#request });
    this.#motet.endWatch(this, this.#request);
    this.#request = null;
    this.silence();
  }

  /** @internal There is a connection. */
  start(): void {
    this.#request = this.#motet.startWatch(this);
  }

  /** @internal */
  take(message: ServerMessage): void {
    if (message.type === "rooms") {
      this.#rooms.clear();
      for (const room of message.rooms) this.#rooms.set(room.room, room);
      this.#loaded = true;
      if (message.next) void this.#rest(message.next);
      else this.#ready.resolve();
    } else if (message.type === "room_changed") this.#rooms.set(message.room.room, message.room);
    else if (message.type === "room_gone") this.#rooms.delete(message.room);
    this.emit("change", this.rooms);
  }

  /** @internal */
  refused(error: MotetError): void {
    this.#ready.reject(error);
    this.emit("error", error);
  }

  async #rest(after: string): Promise<void> {
    const request = this.#request;
    try {
      for (let next: string | null = after; next !== null; ) {
        const page = await this.#motet.rooms.list({ ...this.filter }, { after: next, limit: 1000 });
        if (this.#request !== request) return;
        // What changed meanwhile was told already, and is newer.
        for (const room of page.rooms) if (!this.#rooms.has(room.room)) this.#rooms.set(room.room, room);
        next = page.next;
      }
      this.#ready.resolve();
      this.emit("change", this.rooms);
    } catch (error) {
      this.emit("error", error as MotetError);
    }
  }
}

/** The rooms of a server. */
export class Rooms {
  readonly #motet: Motet;

  /** @internal */
  constructor(motet: Motet) {
    this.#motet = motet;
  }

  /** A page of the rooms that one may see, by name; at most 1000. */
  async list(filter: RoomFilter = {}, page: { after?: string; limit?: number } = {}): Promise<{ rooms: RoomInfo[]; next: string | null }> {
    const answer = await this.#motet.ask({ type: "list_rooms", filter, limit: page.limit ?? 100, ...(page.after ? { after: page.after } : {}) });
    return { rooms: answer.rooms, next: answer.next ?? null };
  }

  /** The rooms that fit a filter, kept up to date until it is closed. */
  watch(filter: RoomFilter = {}): RoomWatch {
    return new RoomWatch(this.#motet, filter);
  }

  /** What a list says of one room. Rejects with `room_not_found` where one has no role in it. */
  async show(room: string): Promise<RoomInfo> {
    return (await this.#motet.ask({ type: "show_room", room })).room;
  }

  /** Makes a room; without a name it is called by a UUID. */
  async create(room?: string, settings?: Partial<RoomSettings>): Promise<RoomInfo> {
    return (await this.#motet.ask({ type: "create_room", ...(room ? { room } : {}), ...(settings ? { settings } : {}) })).room;
  }

  /** Deletes a room with its history. Takes a host. */
  async delete(room: string): Promise<void> {
    await this.#motet.ask({ type: "delete_room", room });
  }

  /** The text of a room that is not open. */
  async text(room: string): Promise<{ revision: number; text: string }> {
    const { revision, text } = await this.#motet.ask({ type: "read_text", room, at: "head" });
    return { revision, text };
  }
}
