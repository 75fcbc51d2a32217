import { Asks, type AnswerTo } from "./asks.js";
import { Connection, type ConnectionStatus, type ConnectionTimes } from "./connection.js";
import { env, later, uuid, type Fetch, type WebSocketConstructor } from "./env.js";
import { MotetError } from "./errors.js";
import { Emitter } from "./events.js";
import { Http } from "./http.js";
import { Courier, succeed, type Delivery } from "./courier.js";
import { Room } from "./room/room.js";
import type { RoomOptions } from "./room/types.js";
import { Rooms, type RoomWatch } from "./rooms.js";
import { defaultStorage } from "./storage/default.js";
import type { Draft, RoomRecord, Storage } from "./storage/storage.js";
import {
  PROTOCOL_LIMITS,
  type AnswerMessage,
  type ClientMessage,
  type Durability,
  type Limits,
  type ParticipantId,
  type Question,
  type ServerMessage,
  type WelcomeMessage,
} from "./wire.js";

/** A token, or how to get one: asked before each greeting, and before the one in use expires. Null is no token. */
export type TokenSource = string | null | (() => string | null | Promise<string | null>);

/** How to reach a server. */
export interface MotetOptions {
  /** The server's address: `https://motet.example.org`, also below a path, or the whole of the WebSocket's (`wss://…/ws`). */
  url: string;
  token?: TokenSource;
  /** The name that a guest has for the others. With an account, the server knows the name. */
  name?: string;
  /** The constructor of WebSockets; needed where there is no global one (Node 20: `import { WebSocket } from "ws"`). */
  WebSocket?: WebSocketConstructor;
  /** `fetch`, for {@link Motet.http}; by default the global one. */
  fetch?: Fetch;
  /** Where to write down what is not acknowledged: by default IndexedDB in browsers and memory elsewhere; null writes nothing down. */
  storage?: Storage | null;
  /** Connects by itself (default), or only with {@link Motet.connect}. */
  connect?: boolean;
  /** Whether to deliver what earlier pages left behind; default true. */
  courier?: boolean;
  /** Other times than the default ones. */
  times?: Partial<ConnectionTimes> & { /** Quiet time before a text's hash is checked, ms. */ hashAfterMs?: number };
  /** @internal The session to go on with: a courier's. */
  session?: string;
}

/** The events of a client. */
export interface MotetEvents {
  status: ConnectionStatus;
  /** The server has greeted: participant, account and limits are known. */
  welcome: WelcomeMessage;
  /** The connection or something on it failed. `unauthorized` is final until {@link Motet.connect}. */
  error: MotetError;
  /** Edits could not be saved, and are kept as a draft. */
  draft: Draft;
  /** What an earlier page left behind was delivered. */
  delivered: { room: string; session: string; edits: number };
}

/** What waits in this device's storage. */
export interface KeptRecord {
  room: string;
  session: string;
  account: string | null;
  /** Edits and other commands that are not acknowledged. */
  edits: number;
  at: number;
  /** Whether it is this client's own. */
  own: boolean;
  /** Whether it is of the account that is signed in, so that it is delivered. */
  deliverable: boolean;
}

/** Before a token expires by so much of its time, another is asked for. */
const RENEW_PART = 0.2;

/** A room waits so long at most for the undo history of the page before a reload, ms. */
const RESUME_MS = 3_000;

/** One connection to a server, with many rooms on it. */
export class Motet extends Emitter<MotetEvents> {
  /** The WebSocket's address, without query: names the server in storage. */
  readonly server: string;
  /** This client's session. A secret: who knows it can submit in its name. */
  readonly session: string;
  readonly rooms: Rooms;
  /** What the socket does not offer: accounts, links, members, differences, blame. */
  readonly http: Http;
  /** @internal */
  readonly storage: Storage | null;
  /** @internal */
  readonly hashAfterMs: number | null;
  /** One's own participant; null before the first connection. */
  participant: ParticipantId | null = null;
  /** The account that is signed in; null for guests. */
  account: string | null = null;
  /** What the server calls itself, with its version. */
  serverVersion = "";
  /** Identity of the server's data, if it tells one. */
  serverId: string | null = null;
  durability: Durability | null = null;
  /** The server's last greeting. */
  welcome: WelcomeMessage | null = null;
  limits: Limits = PROTOCOL_LIMITS;

  readonly #options: MotetOptions;
  readonly #connection: Connection;
  readonly #asks: Asks;
  readonly #rooms = new Map<string, Room>();
  readonly #channels = new Map<number, Room>();
  readonly #left = new Map<string, { seq: number; log: string | null }>();
  readonly #watches = new Map<number, RoomWatch>();
  readonly #allWatches = new Set<RoomWatch>();
  readonly #courier: Courier | null;
  /** The session of the page before a reload, in the same tab. */
  readonly #previous: string | null;
  #nextChannel = 1;
  #name: string;
  #destroyed = false;
  #stopRenewal: () => void = () => {};
  readonly #hidden = () => {
    if (env.document?.visibilityState !== "visible") this.#flush();
    // A page that was put to sleep does not know what became of its connection.
    else if (this.status !== "disconnected" || this.retryAt !== null) this.#connection.wake();
  };
  readonly #leaves = (event: { persisted?: boolean }) => {
    this.#flush();
    // A page that the browser may put aside must not hold its session: another tab delivers for it then.
    if (event.persisted) {
      this.#aside = this.status !== "disconnected";
      this.#connection.close();
      this.#courier?.release();
    }
  };
  readonly #comesBack = (event: { persisted?: boolean }) => {
    if (event.persisted && this.#aside && !this.#destroyed) this.connect();
    this.#aside = false;
  };
  #aside = false;

  constructor(options: MotetOptions) {
    super();
    this.#options = options;
    this.server = socketUrl(options.url);
    this.session = options.session ?? uuid();
    this.#name = options.name ?? "";
    this.storage = options.storage === undefined ? defaultStorage() : options.storage;
    this.hashAfterMs = options.times?.hashAfterMs ?? null;
    const WebSocket = options.WebSocket ?? env.WebSocket;
    if (!WebSocket) throw new MotetError("no_websocket", "there is no global WebSocket here; give one as an option, for example of the package ws");
    this.#connection = new Connection(
      {
        url: this.server,
        WebSocket,
        hello: async () => ({ type: "hello", protocol: 1, session: this.session, name: this.#name, token: await this.token() }),
        status: (status, error) => this.#onStatus(status, error),
        welcome: (message) => this.#onWelcome(message),
        message: (message) => this.#onMessage(message),
      },
      options.times ?? {},
    );
    this.#asks = new Asks((message) => this.#connection.send(message));
    this.rooms = new Rooms(this);
    this.http = new Http(this.server, this.session, () => this.token(), options.fetch);
    this.#courier = this.storage && options.courier !== false ? new Courier(this, options) : null;
    this.#previous = this.#courier && this.storage!.durable ? succeed(this.server, this.session) : null;
    env.document?.addEventListener?.("visibilitychange", this.#hidden);
    env.addEventListener?.("pagehide", this.#leaves);
    env.addEventListener?.("pageshow", this.#comesBack);
    if (options.connect !== false) this.connect();
  }

  /** Where the connection stands. */
  get status(): ConnectionStatus {
    return this.#connection.status;
  }

  /** When the next attempt to connect is made, ms since 1970; null while none is planned. */
  get retryAt(): number | null {
    return this.#connection.retryAt;
  }

  /** Why there is no connection; null while there is one, or before the first attempt ended. */
  get error(): MotetError | null {
    return this.#connection.error;
  }

  /** One's own name for the others. */
  get name(): string {
    return this.#name;
  }

  /** Opens a room, or returns it if it is open. Leave it with {@link Room.destroy}. */
  room(name: string, options: RoomOptions = {}): Room {
    if (this.#destroyed) throw new MotetError("destroyed", "the client was destroyed");
    let room = this.#rooms.get(name);
    if (room) room.revive();
    else this.#rooms.set(name, (room = new Room(this, name, options)));
    return room;
  }

  /** Takes another name. Others see it at once: the client greets the server again. */
  setName(name: string): void {
    if (name === this.#name) return;
    this.#name = name;
    if (this.status !== "disconnected") this.reconnect();
  }

  /** Connects; also at once, where the next attempt is planned for later, and after a refusal. */
  connect(): void {
    if (this.#destroyed) throw new MotetError("destroyed", "the client was destroyed");
    this.#courier?.hold();
    this.#connection.open();
  }

  /** Ends the connection; rooms stay, and what is typed waits. */
  disconnect(): void {
    this.#connection.close();
  }

  /** Greets the server anew, with another token or name. */
  reconnect(): void {
    this.#connection.close();
    this.connect();
  }

  /** Ends everything. What is not acknowledged stays in storage. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const room of [...this.#rooms.values()]) room.end();
    for (const watch of [...this.#allWatches]) watch.close();
    this.#connection.close();
    this.#courier?.end();
    this.#stopRenewal();
    this.#asks.end(new MotetError("destroyed", "the client was destroyed"));
    env.document?.removeEventListener?.("visibilitychange", this.#hidden);
    env.removeEventListener?.("pagehide", this.#leaves);
    env.removeEventListener?.("pageshow", this.#comesBack);
    this.silence();
  }

  /** Credentials of a relay for calls, as `RTCPeerConnection` takes them. */
  async turn(): Promise<{ iceServers: [{ urls: string[]; username: string; credential: string }]; expiresMs: number }> {
    const { urls, username, credential, expires_ms } = await this.ask({ type: "turn_credentials" });
    return { iceServers: [{ urls, username, credential }], expiresMs: expires_ms };
  }

  /** Edits of this device that were not taken, of the account that is signed in. */
  async drafts(): Promise<Draft[]> {
    const drafts = (await this.storage?.drafts(this.server)) ?? [];
    return drafts.filter((draft) => draft.account === this.account).sort((a, b) => a.at - b.at);
  }

  /** Removes a draft from storage, for good. */
  async dropDraft(id: string): Promise<void> {
    await this.storage?.dropDraft(id);
  }

  /** What waits in this device's storage, of all pages and accounts. */
  async kept(): Promise<KeptRecord[]> {
    const records = (await this.storage?.list(this.server)) ?? [];
    return records
      .filter((record) => record.queue.length)
      .map((record: RoomRecord) => ({
        room: record.room,
        session: record.session,
        account: record.account,
        edits: record.queue.reduce((sum, { edits }) => sum + edits, 0),
        at: record.at,
        own: record.session === this.session,
        deliverable: record.account === this.account,
      }));
  }

  /** Delivers at once what earlier pages left behind, which happens by itself at the start and each minute. Returns how many records it tried. */
  deliver(): Promise<number> {
    return this.#courier?.deliver() ?? Promise.resolve(0);
  }

  /** @internal What the page before a reload left of a room, delivered, with its undo history. */
  async resume(room: string): Promise<{ delivery: Delivery; history: unknown } | null> {
    if (!this.#previous || !this.#courier) return null;
    try {
      const record = await this.storage!.get({ server: this.server, room, session: this.#previous });
      if (!record || record.history === null) return null;
      let stop = () => {};
      const late = new Promise<null>((resolve) => (stop = later(RESUME_MS, () => resolve(null))));
      const delivery = await Promise.race([this.#courier.resume(record), late]).finally(stop);
      return delivery && { delivery, history: record.history };
    } catch {
      return null; // Then there is nothing to undo; what was typed is delivered all the same.
    }
  }

  /** @internal */
  async token(): Promise<string | null> {
    const { token } = this.#options;
    return (typeof token === "function" ? await token() : token) ?? null;
  }

  /** Asks the server something; see the protocol. Waits for a connection if there is none. */
  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q["type"]>> {
    if (this.#destroyed) return Promise.reject(new MotetError("destroyed", "the client was destroyed"));
    return this.#asks.ask(question);
  }

  /** @internal */
  send(message: ClientMessage): boolean {
    return this.#connection.send(message);
  }

  /** @internal */
  probe(): void {
    this.#connection.probe();
  }

  /** @internal */
  openChannel(room: Room): number {
    const channel = this.#nextChannel++;
    this.#channels.set(channel, room);
    return channel;
  }

  /** @internal */
  closeChannel(channel: number): void {
    this.#channels.delete(channel);
  }

  /** @internal */
  forget(room: Room, left: { seq: number; log: string | null } | null): void {
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
    if (left) this.#left.set(room.name, left);
  }

  /** @internal The session's last seq in a room that was open before. */
  left(room: string): { seq: number; log: string | null } | null {
    return this.#left.get(room) ?? null;
  }

  /** @internal */
  startWatch(watch: RoomWatch): number {
    const request = this.#asks.number();
    this.#allWatches.add(watch);
    this.#watches.set(request, watch);
    this.#connection.send({ type: "watch_rooms", request, filter: watch.filter });
    return request;
  }

  /** @internal */
  endWatch(watch: RoomWatch, request: number | null): void {
    this.#allWatches.delete(watch);
    if (request !== null) this.#watches.delete(request);
  }

  #onStatus(status: ConnectionStatus, error: MotetError | null): void {
    if (status !== "connected") {
      this.#stopRenewal();
      this.#asks.lost(error ?? new MotetError("connection_lost", "the connection was closed"));
      this.#watches.clear();
    }
    this.emit("status", status);
    if (error) this.emit("error", error);
    if (status !== "connected") for (const room of this.#rooms.values()) room.connectionStatus(status);
  }

  #onWelcome(message: WelcomeMessage): void {
    this.welcome = message;
    this.participant = message.participant;
    this.account = message.account ?? null;
    if (message.name) this.#name = message.name;
    this.serverVersion = message.server;
    this.serverId = message.server_id ?? null;
    this.durability = message.durability;
    this.limits = { ...PROTOCOL_LIMITS, ...message.limits };
    this.#renewBefore(message.expires_ms ?? null);
    this.emit("welcome", message);
    this.#asks.connected();
    for (const room of this.#rooms.values()) room.connectionStatus("connected");
    for (const watch of this.#allWatches) watch.start();
    this.#courier?.start();
  }

  #renewBefore(expiresMs: number | null): void {
    this.#stopRenewal();
    if (expiresMs === null || typeof this.#options.token !== "function") return;
    const left = expiresMs - Date.now();
    this.#stopRenewal = later(Math.max(1_000, left - Math.max(15_000, left * RENEW_PART)), () => void this.#renew(expiresMs));
  }

  async #renew(expiresMs: number): Promise<void> {
    try {
      const token = await this.token();
      if (token === null) throw new MotetError("unauthorized", "there is no other token");
      const answer = await this.ask({ type: "authenticate", token });
      this.#renewBefore(answer.expires_ms ?? null);
    } catch (error) {
      this.emit("error", error instanceof MotetError ? error : new MotetError("connection_lost", `no token: ${String(error)}`));
      if (Date.now() < expiresMs) this.#stopRenewal = later(5_000, () => void this.#renew(expiresMs));
    }
  }

  #onMessage(message: ServerMessage): void {
    if ("channel" in message) return this.#channels.get(message.channel)?.take(message);
    switch (message.type) {
      case "error": {
        const error = MotetError.from(message);
        const { about } = message;
        if (about === "connection") return this.emit("error", error);
        if ("request" in about) {
          if (!this.#asks.refused(about.request, error)) this.#watches.get(about.request)?.refused(error);
          return;
        }
        const channel = "channel" in about ? about.channel : about.submit.channel;
        return this.#channels.get(channel)?.take(message);
      }
      case "rooms":
      case "room_changed":
      case "room_gone": {
        const watch = this.#watches.get(message.request);
        if (watch) return watch.take(message);
        if (message.type === "rooms") this.#asks.answer(message);
        return;
      }
      default:
        if ("request" in message) this.#asks.answer(message as AnswerMessage);
    }
  }

  #flush(): void {
    for (const room of this.#rooms.values()) void room.flush();
  }
}

/** The WebSocket's address of a server's address. */
export function socketUrl(url: string): string {
  const bare = url.replace(/[?#].*$/, "").replace(/^http/i, "ws");
  if (!/^wss?:\/\//i.test(bare)) throw new MotetError("bad_url", `${url} is no address of a server: it begins with http:, https:, ws: or wss:`);
  return /\/ws$/.test(bare) ? bare : `${bare.replace(/\/+$/, "")}/ws`;
}
