/**
 * A server in memory that follows docs/json.md for what the client's core needs: sessions, rooms, the log, submits exactly once. Its
 * lines can be cut, and each direction can be held.
 */
import type { ClientMessage, Command, Entry, ServerMessage, WireOperation } from "../../src/wire.js";
import { crc32 } from "node:zlib";

import { apply, transform } from "./operations.js";

interface ModelRoom {
  log: Entry[];
  id: string;
  text: string;
  /** Texts by revision. */
  texts: string[];
  /** The revision of each (participant, seq). */
  seqs: Map<string, { revision: number; asked: string }>;
  last: Map<string, number>;
}

interface Channel {
  connection: ModelSocket;
  channel: number;
  room: string;
  session: string;
}

let nextLog = 1;

export class ModelServer {
  readonly rooms = new Map<string, ModelRoom>();
  readonly channels = new Set<Channel>();
  readonly sockets = new Set<ModelSocket>();
  /** Submits that were appended, over all. */
  appended = 0;
  roles = new Map<string, "viewer" | "editor" | "host">();

  /** A constructor for the client's option `WebSocket`. */
  readonly WebSocket: new (url: string) => ModelSocket;

  constructor() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const server = this;
    this.WebSocket = class extends ModelSocket {
      constructor(url: string) {
        super(url, server);
      }
    };
  }

  room(name: string): ModelRoom {
    let room = this.rooms.get(name);
    if (!room) this.rooms.set(name, (room = { log: [], id: `log-${nextLog++}`, text: "", texts: [""], seqs: new Map(), last: new Map() }));
    return room;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of [...this.sockets]) socket.cut();
  }

  take(socket: ModelSocket, message: ClientMessage): void {
    switch (message.type) {
      case "hello":
        socket.session = message.session;
        return socket.say({ type: "welcome", protocol: 1, server: "model", participant: participantOf(message.session), durability: "sync" });
      case "ping":
        return socket.say({ type: "pong", nonce: message.nonce });
      case "create_room":
        this.room(message.room!);
        return socket.say({ type: "created", request: message.request, room: { room: message.room! } as never });
      case "join":
        return this.#join(socket, message);
      case "leave":
        for (const channel of this.channels) if (channel.connection === socket && channel.channel === message.channel) this.channels.delete(channel);
        return socket.say({ type: "left", channel: message.channel });
      case "submit":
        return this.#submit(socket, message);
      case "read_text": {
        const room = this.rooms.get(message.room);
        const revision = message.at === "head" ? (room?.log.length ?? 0) : "revision" in message.at ? message.at.revision : 0;
        if (!room) return socket.refuse({ request: message.request }, "room_not_found");
        if (revision > room.log.length) return socket.refuse({ request: message.request }, "revision_unknown");
        return socket.say({ type: "text", request: message.request, revision, text: room.texts[revision]!, last: true });
      }
      case "read_log": {
        const { log } = this.room(message.room);
        return socket.say({ type: "log", request: message.request, entries: log.slice(message.from - 1, message.from - 1 + message.limit), head: log.length });
      }
      case "hash_text": {
        const bytes = new TextEncoder().encode(this.room(message.room).texts[(message.at as { revision: number }).revision]!);
        return socket.say({ type: "hash", request: message.request, revision: (message.at as { revision: number }).revision, crc32: crc32(bytes), bytes: bytes.length });
      }
      default:
    }
  }

  #join(socket: ModelSocket, { channel, room: name, after, log }: ClientMessage & { type: "join" }): void {
    const room = this.rooms.get(name);
    if (!room) return socket.refuse({ channel }, "room_not_found");
    for (const other of this.channels) {
      if (other.session !== socket.session || other.room !== name) continue;
      this.channels.delete(other);
      other.connection.refuse({ channel: other.channel }, "session_replaced");
    }
    if (after !== undefined && log && log !== room.id) return socket.refuse({ channel }, "room_replaced");
    if (after !== undefined && after > room.log.length) return socket.refuse({ channel }, "revision_unknown");
    this.channels.add({ connection: socket, channel, room: name, session: socket.session });
    const head = room.log.length;
    const role = this.roles.get(socket.session) ?? "editor";
    if (after === undefined) {
      socket.say({ type: "joined", channel, head, role, log: room.id, snapshot: { revision: head, bytes: room.text.length } });
      socket.say({ type: "snapshot", channel, text: room.text, last: true });
      return;
    }
    socket.say({ type: "joined", channel, head, role, log: room.id });
    for (const entry of room.log.slice(after)) this.#deliver(socket, channel, socket.session, entry);
  }

  #deliver(socket: ModelSocket, channel: number, session: string, entry: Entry): void {
    if (entry.participant === participantOf(session)) socket.say({ type: "ack", channel, seq: entry.seq, revision: entry.revision });
    else socket.say({ type: "entry", channel, entry });
  }

  #submit(socket: ModelSocket, { channel, seq, base, command }: ClientMessage & { type: "submit" }): void {
    const about = { submit: { channel, seq } };
    const open = [...this.channels].find((other) => other.connection === socket && other.channel === channel);
    if (!open) return socket.refuse(about, "channel_unknown");
    const room = this.rooms.get(open.room)!;
    if (this.roles.get(socket.session) === "viewer") return socket.refuse(about, "forbidden");
    const participant = participantOf(socket.session);
    const key = `${participant}/${seq}`;
    const done = room.seqs.get(key);
    if (done) {
      if (base >= done.revision) return socket.refuse(about, "seq_conflict");
      return socket.say({ type: "ack", channel, seq, revision: done.revision });
    }
    if (seq !== (room.last.get(participant) ?? 0) + 1) return socket.refuse(about, "seq_gap");
    let appended: Command = command;
    if ("edit" in command) {
      let operation: WireOperation = command.edit;
      try {
        apply(room.texts[base]!, operation);
      } catch {
        return socket.refuse(about, "operation_mismatch");
      }
      for (const entry of room.log.slice(base)) if ("edit" in entry.command) operation = transform(operation, entry.command.edit);
      appended = { edit: operation };
      room.text = apply(room.text, operation);
    }
    const entry: Entry = { revision: room.log.length + 1, participant, seq, time_ms: 0, command: appended };
    room.log.push(entry);
    room.texts.push(room.text);
    room.seqs.set(key, { revision: entry.revision, asked: JSON.stringify(command) });
    room.last.set(participant, seq);
    this.appended++;
    for (const reader of this.channels) if (reader.room === open.room) this.#deliver(reader.connection, reader.channel, reader.session, entry);
  }
}

/** Any one-to-one function of the session will do. */
export const participantOf = (session: string) => session.replaceAll("-", "").slice(0, 16);

/** One end of a line to the model server. Messages pass when `pump` is called, or by themselves where `auto` is set. */
export class ModelSocket {
  /** Delivers by itself, in microtasks. */
  static auto = true;
  readyState = 0;
  session = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { data: never }) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly #up: string[] = [];
  readonly #down: string[] = [];
  #heldUp = false;
  #heldDown = false;

  constructor(
    readonly url: string,
    readonly server: ModelServer,
  ) {
    server.sockets.add(this);
    queueMicrotask(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.({} as never);
    });
  }

  send(data: string): void {
    this.#up.push(data);
    if (ModelSocket.auto) queueMicrotask(() => this.passUp());
  }

  close(): void {
    this.cut(false);
  }

  /** Lets what was sent wait (in the line), in one direction or both. */
  hold(up: boolean, down: boolean): void {
    this.#heldUp = up;
    this.#heldDown = down;
    if (ModelSocket.auto) {
      this.passUp();
      this.passDown();
    }
  }

  /** Cuts the line; what is in it is lost. */
  cut(tell = true): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.server.sockets.delete(this);
    for (const channel of this.server.channels) if (channel.connection === this) this.server.channels.delete(channel);
    this.#up.length = this.#down.length = 0;
    if (tell) this.onclose?.({} as never);
  }

  say(message: ServerMessage): void {
    this.#down.push(JSON.stringify(message));
    if (ModelSocket.auto) queueMicrotask(() => this.passDown());
  }

  refuse(about: object, code: string): void {
    this.say({ type: "error", about: about as never, code, message: code });
  }

  /** Passes the next messages on, at most `most`. Returns whether there was one. */
  passUp(most = Infinity): boolean {
    let any = false;
    while (!this.#heldUp && this.#up.length && most-- > 0 && this.readyState === 1) {
      any = true;
      this.server.take(this, JSON.parse(this.#up.shift()!) as ClientMessage);
    }
    return any;
  }

  passDown(most = Infinity): boolean {
    let any = false;
    while (!this.#heldDown && this.#down.length && most-- > 0 && this.readyState === 1) {
      any = true;
      this.onmessage?.({ data: this.#down.shift()! as never });
    }
    return any;
  }
}
