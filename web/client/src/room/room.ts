import type { ChangeSet, Text } from "@codemirror/state";

import type { AnswerTo } from "../asks.js";
import type { ConnectionStatus } from "../connection.js";
import { later } from "../env.js";
import { MotetError } from "../errors.js";
import { Emitter } from "../events.js";
import type { Motet } from "../motet.js";
import { changeSet, Composer, difference, type Change } from "../ot/changes.js";
import { apply, Inconsistent, Machine, openedRange, type Pending } from "../ot/machine.js";
import { mapping, mapSelection } from "../ot/places.js";
import { Mismatch, toWire } from "../ot/wire.js";
import { toScalar } from "../text/counts.js";
import { stringOf, textOf } from "../text/text.js";
import type {
  About,
  Author,
  Command,
  Completion,
  Entry,
  JoinedMessage,
  ParticipantId,
  PresenceMessage,
  Question,
  Role,
  Selection,
  ServerMessage,
  SignalKind,
} from "../wire.js";
import { Chat } from "./chat.js";
import { Comments } from "./comments.js";
import type { RoomContext } from "./context.js";
import { draftOfEdits } from "./drafts.js";
import { checkHash } from "./hash.js";
import { History, lastSeq, Versions } from "./history.js";
import { OwnPresence } from "./own-presence.js";
import { People, type Other, type Presence } from "./people.js";
import { Settings } from "./settings.js";
import type { RestoredHistory, RoomEvents, RoomOptions, SaveState } from "./types.js";
import { WriteAhead } from "./write-ahead.js";

/** Quiet time before the text's hash is compared with the server's, ms. */
const HASH_AFTER_MS = 15_000;
/** An edit without an answer for so long makes the client ask whether the line is alive, ms. */
const ANSWER_DUE_MS = 5_000;

type Held = Extract<ServerMessage, { type: "entry" | "ack" | "presence" }>;

interface Loading {
  revision: number;
  pieces: string[];
}

interface Tag {
  resolve(revision: number): void;
  reject(error: MotetError): void;
}

/**
 * One room: its text, its people, its chat, comments and history.
 *
 * Positions are UTF-16 positions of {@link text}, which has its line ends as they are in the room (an editor that shows every line end as
 * `\n` uses a binding). What is typed is in the text at once, is written down, sent, and acknowledged when it is durable.
 */
export class Room extends Emitter<RoomEvents> implements RoomContext {
  readonly name: string;
  readonly chat: Chat;
  readonly comments: Comments;
  readonly history: History;
  readonly versions: Versions;
  readonly settings: Settings;
  /** @internal */
  machine: Machine | null = null;
  /** @internal The undo history of the page before a reload, until a binding takes it. */
  restored: RestoredHistory | null = null;
  /** @internal Whether the last edit was made otherwise than it was asked for. */
  lastEditTidied = false;

  readonly #motet: Motet;
  readonly #options: RoomOptions;
  readonly #people = new People();
  readonly #authors = new Map<ParticipantId, Author>();
  readonly #ahead: WriteAhead;
  #channel: number | null = null;
  #joined = false;
  #head = Infinity;
  #role: Role | null = null;
  #log: string | null = null;
  #loading: Loading | null = null;
  #inbox: Held[] = [];
  #receivers = new Set<() => void>();
  #receiving = false;
  #anew = false;
  #opening: Promise<void> | null = null;
  #opened: boolean;
  #closed: MotetError | null = null;
  #destroyed = false;
  #leaving = false;
  #wanted = true;
  #refusal: MotetError | null = null;
  #sent: { channel: number; seq: number } | null = null;
  /** What is known of the session's last seq, for when the text is loaded anew: `unknown` after a submit that was given up without an answer. */
  #seq: "known" | "unknown" | "first" = "known";
  #replacedAt = 0;
  readonly #own: OwnPresence;
  #retryTimer: () => void = () => {};
  #answerTimer: () => void = () => {};
  #hashTimer: () => void = () => {};
  #hashed = -1;
  #savePending = false;
  #lastSynced = false;
  #string: { of: Text; string: string } | null = null;
  #whenSynced: Promise<void> | null = null;
  #whenLoaded: Promise<void> | null = null;

  /** @internal Use {@link Motet.room}. */
  constructor(motet: Motet, name: string, options: RoomOptions) {
    super();
    this.#motet = motet;
    this.name = name;
    this.#options = options;
    this.#opened = options.record !== undefined;
    this.chat = new Chat(this);
    this.comments = new Comments(this);
    this.history = new History(this);
    this.versions = new Versions(this);
    this.settings = new Settings(this);
    this.#own = new OwnPresence((presence, base) => this.#motet.send({ type: "set_presence", channel: this.#channel!, base, presence }), () => (this.synced ? this.machine : null));
    this.#ahead = new WriteAhead(motet.storage, {
      key: () => ({ server: motet.server, room: name, session: motet.session }),
      about: () => ({ account: motet.account, log: this.#log }),
      machine: () => this.machine,
      written: () => {
        this.#submit();
        this.#tellSave();
      },
    });
    const { record } = options;
    if (record) {
      this.machine = Machine.restore(record.text, record.record);
      this.#log = record.record.log;
      this.#ahead.courier(this.machine);
    }
    if (motet.status === "connected") this.#open();
  }

  /** @internal Identity of the room's log, if the server tells it. */
  get log(): string | null {
    return this.#log;
  }

  /** The first time: takes up what the page before a reload left, then joins. */
  #open(): void {
    if (this.machine) return this.#join();
    this.#opening ??= this.#motet.resume(this.name).then((resumed) => {
      this.#opened = true;
      if (resumed && !this.machine && !this.#destroyed) {
        const { delivery, history } = resumed;
        const text = delivery.changes.reduce(apply, delivery.before);
        this.restored = { history, text: delivery.before, changes: delivery.changes };
        this.machine = new Machine(delivery.revision, text, 0);
        this.#log = delivery.log;
        this.emit("loaded", undefined);
      }
      if (this.#motet.status === "connected" && this.#wanted && !this.#closed) this.#join();
    });
  }

  // What stands.

  /** The connection's status, once the room is joined on it; `connecting` while it is being joined. */
  get status(): ConnectionStatus {
    if (this.#closed || this.#destroyed || !this.#wanted) return "disconnected";
    const { status } = this.#motet;
    return status === "connected" && !this.#joined ? "connecting" : status;
  }

  /** Whether the text is here. Until then it is empty and cannot be edited. */
  get loaded(): boolean {
    return this.machine !== null;
  }

  /** Resolves when the text is here for the first time; rejects if the room is closed before. */
  get whenLoaded(): Promise<void> {
    return (this.#whenLoaded ??= this.#when(() => this.loaded, "loaded"));
  }

  /** Whether everything that is in the server's log is in the text. */
  get synced(): boolean {
    return this.#joined && this.machine !== null && this.machine.revision >= this.#head && !this.#inbox.length;
  }

  /** Resolves when everything of the server's is here for the first time; rejects if the room is closed before. */
  get whenSynced(): Promise<void> {
    return (this.#whenSynced ??= this.#when(() => this.synced, "synced"));
  }

  /** Whether something that was done here is not acknowledged. */
  get hasUnsyncedChanges(): boolean {
    return this.unsyncedChanges > 0;
  }

  /** How many edits and other commands are not acknowledged. */
  get unsyncedChanges(): number {
    return this.machine?.waiting ?? 0;
  }

  /** Whether what was done here is in the log, in words that a page can show. */
  get save(): SaveState {
    const waiting = this.unsyncedChanges;
    const state = this.#refusal ? "refused" : !this.#joined && (waiting || this.#motet.status === "disconnected") ? "offline" : waiting ? "saving" : "saved";
    return { state, waiting, kept: this.#ahead.kept, error: this.#refusal ?? this.#ahead.error };
  }

  /** The text with everything in it that was typed here. */
  get text(): string {
    const of = this.doc;
    if (this.#string?.of !== of) this.#string = { of, string: stringOf(of) };
    return this.#string.string;
  }

  /** The same as CodeMirror's `Text`, split at `"\n"` only: cheap also for large texts. */
  get doc(): Text {
    return this.machine?.text ?? textOf("");
  }

  /** The last revision of the log that is in the text; -1 before it is loaded. */
  get revision(): number {
    return this.machine?.revision ?? -1;
  }

  /** One's own role; null before the room is joined. */
  get role(): Role | null {
    return this.#role;
  }

  /** Whether {@link edit} is allowed now. */
  get writable(): boolean {
    return this.machine !== null && this.#role !== "viewer" && this.#role !== null && !this.#anew && !this.#closed && !this.#destroyed;
  }

  /** Why the room is closed; null while it is not. */
  get closed(): MotetError | null {
    return this.#closed;
  }

  /** One's own participant; null before the first connection. */
  get participant(): ParticipantId | null {
    return this.#motet.participant;
  }

  /** Oneself as the others see it. */
  get self(): { participant: ParticipantId | null; author: Author; role: Role | null; presence: Presence } {
    return {
      participant: this.participant,
      author: { name: this.#motet.name, account: this.#motet.account },
      role: this.#role,
      presence: this.#own.current,
    };
  }

  /** The others who have the room open. */
  get others(): Other[] {
    return this.#people.others(this.participant, (selection) => this.toText(selection));
  }

  /** Connections that have the room open, one's own among them. Above 500 only those are in {@link others} who may edit. */
  get present(): number {
    return this.#people.present;
  }

  // What can be done.

  /**
   * Changes the text. Throws a `MotetError` where the room is not {@link writable}.
   *
   * Returns the change as it was made: halves of surrogate pairs, which cannot be sent, are replaced by U+FFFD.
   *
   * @param source Comes with the `change` event, so that an editor knows its own changes.
   */
  edit(changes: ChangeSet | Change | readonly Change[], source: unknown = null): ChangeSet {
    const machine = this.machine;
    if (!machine) throw new MotetError("not_loaded", `the text of ${this.name} is not here yet`);
    if (!this.writable) throw new MotetError("forbidden", `${this.name} cannot be edited now`);
    const set = changeSet(machine.text, changes);
    this.lastEditTidied = set !== changes;
    if (set.empty) return set;
    machine.edit(set);
    this.#own.moveOver(set, true);
    this.emit("change", { changes: set, local: true, source, reset: false });
    this.#touched();
    return set;
  }

  /** Tells the others where one is. What is not named stays. Sent when everything typed is acknowledged, and at most 20 times a second. */
  setPresence(presence: Partial<Presence>): void {
    this.#own.set(presence);
  }

  /** Passes something on to one participant, to set up a call. */
  signal(to: ParticipantId, kind: SignalKind, payload: string): boolean {
    return this.#joined && this.#motet.send({ type: "signal", channel: this.#channel!, to, kind, payload });
  }

  /** What may come at a position, the best first; places count on the text as it is now. */
  async complete(position: number, limit = 20): Promise<Completion[]> {
    const machine = this.machine;
    if (!machine || machine.queue.length) {
      // The server does not know what is only here: it is asked when that is there.
      if (!machine || !(await this.#settled(1000)) || this.machine !== machine) return [];
    }
    const { base, revision } = machine;
    const scalar = toScalar(base, Math.min(position, base.length));
    const answer = await this.ask({ type: "complete", room: this.name, base: revision, position: scalar, limit });
    // The answer's places count on `base`: `from` stands a few characters before the position.
    return answer.completions.map((completion) => ({ ...completion, from: position - utf16Before(base, position, scalar - completion.from) }));
  }

  /** Says that one knows of the refused edit; {@link save} goes on with what else there is. The draft stays until it is dropped. */
  clearRefused(): void {
    this.#refusal = null;
    this.#tellSave();
  }

  /** Joins (again): after {@link disconnect}, or after the room was closed. */
  connect(): void {
    if (this.#destroyed) throw new MotetError("destroyed", "the room was destroyed");
    this.#wanted = true;
    this.#closed = null;
    if (this.#motet.status === "connected") {
      if (this.#channel === null && this.#opened) this.#join();
      else if (!this.#opened) this.#open();
    } else if (!this.#leaving) this.#motet.connect();
    this.emit("status", this.status);
  }

  /** Leaves the room; what is not acknowledged waits until {@link connect}. */
  disconnect(): void {
    this.#wanted = false;
    if (this.#channel !== null) this.#motet.send({ type: "leave", channel: this.#channel });
    this.#leave();
  }

  /** Leaves for good, once everything is acknowledged: until then the room goes on without its listeners. */
  destroy(): void {
    if (this.#destroyed || this.#leaving) return;
    this.silence();
    this.#leaving = true;
    if (!this.hasUnsyncedChanges || this.#closed) return this.end();
    if (!this.#wanted) this.connect();
    const look = () => this.#leaving && (!this.hasUnsyncedChanges || this.#closed) && this.end();
    this.on("unsyncedChanges", look);
    this.on("closed", look);
  }

  /** @internal The room is wanted again before it has left. */
  revive(): void {
    if (this.#leaving) this.silence();
    this.#leaving = false;
  }

  /** @internal Leaves at once. What is not acknowledged stays in storage, and is delivered by a later page. */
  end(): void {
    if (this.#destroyed) return;
    this.disconnect();
    this.#destroyed = true;
    this.#hashTimer();
    this.#own.stop();
    this.#motet.forget(this, this.machine && { seq: this.machine.seq, log: this.#log });
    this.silence();
  }

  /** Waits until everything that was done here is acknowledged, or `ms` have passed. Returns whether it is. */
  async #settled(ms: number): Promise<boolean> {
    if (!this.hasUnsyncedChanges) return true;
    return new Promise((resolve) => {
      const done = (settled: boolean) => {
        stop();
        end();
        resolve(settled);
      };
      const stop = later(ms, () => done(false));
      const end = this.on("unsyncedChanges", (waiting) => !waiting && done(true));
    });
  }

  // For bindings.

  /**
   * For editors that take remote changes once a frame: from now on entries wait, and `waiting` is called when there are some; the binding
   * calls {@link receive} when it is ready. Entries that wait are simply not received yet: what is typed needs no mapping. Returns a
   * function that ends it.
   */
  hold(waiting: () => void): () => void {
    this.#receivers.add(waiting);
    return () => {
      this.#receivers.delete(waiting);
      if (!this.#receivers.size) this.receive();
    };
  }

  /** Takes in everything that waits, as one `change` event. */
  receive(): void {
    if (!this.#inbox.length || this.#receiving) return;
    this.#receiving = true;
    const composer = new Composer();
    let told = false;
    let acknowledged = false;
    const held = this.#inbox;
    this.#inbox = [];
    try {
      for (const message of held) {
        if (message.channel !== this.#channel) continue;
        if (message.type === "presence") {
          this.#people.hear(message, this.machine!.base, this.machine!.revision);
          told = true;
        } else if (message.type === "ack") {
          this.#acknowledged(message.seq, message.revision);
          acknowledged = true;
        } else {
          const changes = this.#entry(message.entry);
          if (changes && !changes.empty) composer.add(changes);
        }
      }
    } catch (error) {
      this.#changed(composer.finish(), false);
      this.#receiving = false;
      if (error instanceof Inconsistent || error instanceof Mismatch || error instanceof RangeError) this.#heal(new MotetError("inconsistent", error.message), true);
      else throw error;
      return;
    }
    this.#receiving = false;
    this.#changed(composer.finish(), false);
    if (told) this.emit("presence", undefined);
    this.#caughtUp();
    this.#touched(acknowledged);
  }

  /** Has a binding's undo history written down with what is not acknowledged; `make` gives it as JSON. */
  keepHistory(make: () => unknown): () => void {
    this.#ahead.history = make;
    return () => {
      if (this.#ahead.history === make) this.#ahead.history = null;
    };
  }

  /** Writes down what is here now; for when the page is hidden or left. */
  flush(): Promise<void> {
    return this.#ahead.flush();
  }

  /** A range of the server's text as one of {@link text}. */
  toText(selection: Selection): Selection {
    for (const pending of this.machine?.queue ?? []) {
      if (pending.kind === "edit") selection = mapSelection(mapping(pending.changes), selection, false);
    }
    return selection;
  }

  /** Who a participant is, as far as it is known here: someone present, or who wrote since the room was opened. */
  author(participant: ParticipantId): Author {
    if (participant === this.participant) return { name: this.#motet.name, account: this.#motet.account };
    return this.#people.person(participant)?.author ?? this.#authors.get(participant) ?? { name: "", account: null };
  }

  /** @internal */
  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q["type"]>> {
    return this.#motet.ask(question);
  }

  /** Submits a command that is no edit; resolves with the revision of its entry. Commands are kept and sent as edits are. */
  command(command: Command, range?: [number, number]): Promise<number> {
    return new Promise((resolve, reject) => {
      if (!this.machine || this.#closed || this.#destroyed) {
        reject(this.#closed ?? new MotetError("not_loaded", `${this.name} is not open`));
        return;
      }
      const tag: Tag = { resolve, reject };
      if (this.machine.command(command, range ?? openedRange(command, (position) => position), tag)) this.#touched();
      else reject(new MotetError("too_many_commands", "too many commands wait to be sent"));
    });
  }

  // The connection's side.

  /** @internal */
  connectionStatus(status: ConnectionStatus): void {
    if (status === "connected") {
      if (!this.#wanted || this.#closed) return;
      if (this.#opened) this.#join();
      else this.#open();
    } else if (this.#channel !== null) this.#leave();
    else this.emit("status", this.status);
    this.#tellSave();
  }

  #leave(): void {
    if (this.#channel !== null) this.#motet.closeChannel(this.#channel);
    this.#channel = null;
    this.#joined = false;
    this.#head = Infinity;
    this.#loading = null;
    this.#inbox = [];
    this.#sent = null;
    this.#people.clear();
    this.#retryTimer();
    this.#answerTimer();
    this.#tellSynced();
    this.emit("presence", undefined);
    this.emit("status", this.status);
    this.#tellSave();
  }

  #join(): void {
    if (this.#channel !== null) this.#leave();
    this.#channel = this.#motet.openChannel(this);
    const fresh = !this.machine || this.#anew;
    this.#motet.send({
      type: "join",
      channel: this.#channel,
      room: this.name,
      ...(fresh ? {} : { after: this.machine!.revision, entries_only: this.machine!.queue.length > 0, ...(this.#log ? { log: this.#log } : {}) }),
    });
    this.emit("status", this.status);
  }

  /** @internal A message about the room's channel. */
  take(message: ServerMessage): void {
    switch (message.type) {
      case "joined":
        return this.#onJoined(message);
      case "snapshot":
        return this.#onSnapshot(message.text, message.last ?? false);
      case "entry":
      case "ack":
      case "presence":
        return this.#hold(message);
      case "role":
        this.#role = message.role;
        this.emit("role", { role: message.role, reason: message.reason });
        return;
      case "signal":
        return this.emit("signal", { from: message.from, kind: message.kind, payload: message.payload });
      case "expiring":
        return this.emit("expiring", message.expires_ms);
      case "error":
        return this.#onError(message.about, MotetError.from(message));
      default:
    }
  }

  #hold(message: Held): void {
    if (!this.machine || this.#anew) {
      // While a text is being loaded anew, presence of the channel waits; entries come after the snapshot only.
      if (message.type !== "presence") this.#inbox.push(message);
      return;
    }
    const waited = this.#inbox.length > 0;
    this.#inbox.push(message);
    if (message.type === "ack" && !waited) return this.receive();
    if (!this.#receivers.size) this.receive();
    else for (const waiting of this.#receivers) waiting();
  }

  #onJoined(message: JoinedMessage): void {
    const replaced = this.#log !== null && message.log != null && message.log !== this.#log;
    this.#role = message.role;
    if (message.snapshot) {
      if (this.machine?.queue.length && !this.#anew && !replaced) {
        // Something was typed since the join was asked for, and has to be transformed over each entry.
        this.#motet.send({ type: "leave", channel: this.#channel! });
        return this.#join();
      }
      this.#head = message.head;
      this.#log = message.log ?? null;
      this.#loading = { revision: message.snapshot.revision, pieces: [] };
      return;
    }
    if (replaced) return this.#logReplaced();
    this.#log = message.log ?? this.#log;
    this.#head = message.head;
    this.#ready();
  }

  #onSnapshot(piece: string, last: boolean): void {
    const loading = this.#loading;
    if (!loading) return;
    loading.pieces.push(piece);
    if (!last) return;
    this.#loading = null;
    if (this.#seq !== "unknown") {
      // The session may have been in this room before, in another object; in another log its seqs begin anew.
      const left = this.#motet.left(this.name);
      const seq = this.machine?.seq ?? (left && left.log === this.#log ? left.seq : 0);
      return this.#loadedAnew(loading, this.#seq === "first" ? 0 : seq);
    }
    // A submit was given up without an answer: the log tells whether it is in it.
    const channel = this.#channel;
    void lastSeq(this.history, this.participant, loading.revision).then(
      (seq) => channel === this.#channel && this.#loadedAnew(loading, seq),
      (error: unknown) => channel === this.#channel && this.#channelRefused(error as MotetError),
    );
  }

  #loadedAnew(loading: Loading, seq: number): void {
    const before = this.machine;
    const text = textOf(loading.pieces.join(""));
    const difference_ = before ? difference(before.text, text) : null;
    this.#seq = "known";
    this.machine = new Machine(loading.revision, before && !difference_ ? before.text : text, seq);
    this.#setLimits();
    this.#anew = false;
    this.#hashed = -1;
    if (!before) this.emit("loaded", undefined);
    else this.#changed(difference_, true);
    for (const follower of [this.chat, this.comments, this.settings]) follower.reset();
    this.#ready();
  }

  #setLimits(): void {
    const { edit_bytes_max, operation_components_max } = this.#motet.limits;
    this.machine!.editBytesMax = edit_bytes_max;
    // Half, since others may cut an edit into more pieces while it is on its way.
    this.machine!.componentsMax = Math.floor(operation_components_max / 2);
  }

  #ready(): void {
    this.#joined = true;
    this.#setLimits();
    if (this.#options.presence !== false) this.#motet.send({ type: "watch_presence", channel: this.#channel!, on: true });
    this.emit("role", { role: this.#role!, reason: "" });
    this.emit("status", this.status);
    for (const follower of [this.chat, this.comments, this.settings]) follower.reset();
    if (this.#inbox.length) this.receive();
    this.#own.again();
    this.#caughtUp();
    this.#touched();
  }

  #caughtUp(): void {
    if (!this.synced) return;
    this.#tellSynced();
    this.#submit();
    this.#own.schedule();
  }

  #entry(entry: Entry): ChangeSet | null {
    const machine = this.machine!;
    const { command, revision, participant } = entry;
    let changes: ChangeSet | null = null;
    if ("edit" in command) {
      const before = machine.base;
      const moved = machine.remote(revision, command.edit);
      changes = moved.text;
      this.#baseEdited(revision, participant, moved.base, before);
    } else {
      machine.pass(revision);
      if ("introduce" in command) this.#authors.set(participant, { ...command.introduce });
    }
    this.#folded(entry);
    return changes;
  }

  #baseEdited(revision: number, author: ParticipantId, changes: ChangeSet, before: Text): void {
    this.#people.moveOver(revision, author, mapping(changes));
    this.comments.edited(revision, changes, before);
  }

  #folded(entry: Entry): void {
    if (!("edit" in entry.command)) for (const follower of [this.chat, this.comments, this.settings]) follower.fold(entry);
    this.comments.passed(entry.revision);
    this.emit("entry", entry);
  }

  #acknowledged(seq: number, revision: number): void {
    const machine = this.machine!;
    const before = machine.base;
    const outgoing = machine.outgoing();
    const pending = machine.acknowledged(seq, revision);
    if (!pending || !outgoing) return;
    this.#sent = null;
    this.#answerTimer();
    if (pending.kind === "edit") this.#baseEdited(revision, this.participant!, pending.changes, before);
    else (pending.tag as Tag | null)?.resolve(revision);
    const command = pending.kind === "edit" ? { edit: toWire(before, pending.changes) } : outgoing.command;
    this.#folded({ revision, participant: this.participant!, seq, time_ms: Date.now(), command });
  }

  #changed(changes: ChangeSet | null, reset: boolean): void {
    if (!changes || changes.empty) return;
    this.#own.moveOver(changes, false);
    this.emit("change", { changes, local: false, source: null, reset });
    this.emit("presence", undefined);
  }

  #onError(about: About, error: MotetError): void {
    if (typeof about === "object" && "submit" in about) return this.#submitRefused(about.submit.seq, error);
    if (this.#joined && PRESENCE_ERRORS.has(error.code)) return this.emit("error", error);
    this.#channelRefused(error);
  }

  /** The channel is closed, or the join was refused. */
  #channelRefused(error: MotetError): void {
    const joined = this.#joined;
    this.#leave();
    if (error.code === "room_not_found" && !joined && this.#options.create && !this.machine) return void this.#create();
    if (error.code === "session_replaced" && !this.#options.record && Date.now() - this.#replacedAt > 10_000) {
      // An own older join came late; nothing else has this session.
      this.#replacedAt = Date.now();
      return this.#join();
    }
    if (error.code === "room_replaced" && this.machine) return this.#logReplaced();
    // The log is shorter than it was: the server was restored from a backup.
    if (error.code === "revision_unknown" && this.machine) return this.#heal(error, true);
    if (error.retryAfterMs !== null) {
      this.emit("error", error);
      this.#retryTimer = later(error.retryAfterMs, () => this.#motet.status === "connected" && this.#channel === null && this.#join());
      return;
    }
    this.#close(error);
  }

  async #create(): Promise<void> {
    const { create } = this.#options;
    try {
      await this.ask({ type: "create_room", room: this.name, ...(typeof create === "object" ? { settings: create } : {}) });
    } catch (error) {
      const { code } = error as MotetError;
      if (code === "connection_lost") return; // Joined anew with the next connection.
      if (code !== "room_exists") return this.#close(error as MotetError);
    }
    if (this.#motet.status === "connected" && this.#channel === null && this.#wanted) this.#join();
  }

  #close(error: MotetError): void {
    this.#closed = error;
    // Where the session goes on elsewhere, what waits is delivered there.
    if (error.code !== "session_replaced") this.#giveUp(error.code, error);
    this.emit("status", this.status);
    this.emit("closed", error);
    this.#tellSave();
  }

  /** The room was deleted and made anew: what is not acknowledged belongs to a text that is gone. */
  #logReplaced(): void {
    this.#log = null;
    // Another log knows nothing of the seqs of the old one.
    this.#seq = "first";
    this.#heal(new MotetError("room_replaced", `the room ${this.name} was deleted and made anew`), false);
  }

  /** Throws the text away and loads it anew. What is not acknowledged becomes a draft. */
  #heal(error: MotetError, uncertain: boolean): void {
    if (uncertain && this.#seq === "known") this.#seq = "unknown";
    this.#giveUp(error.code, error);
    this.#anew = true;
    this.emit("error", error);
    if (this.#channel !== null) this.#motet.send({ type: "leave", channel: this.#channel });
    if (this.#motet.status === "connected") this.#join();
  }

  /** What is not acknowledged is kept as a draft, and not sent any more. */
  #giveUp(code: string, error: MotetError): void {
    const machine = this.machine;
    if (!machine?.queue.length) return;
    const gone = machine.queue.splice(0);
    machine.outstanding = false;
    for (const pending of gone) if (pending.kind === "command") (pending.tag as Tag | null)?.reject(error);
    const edits = gone.filter((pending): pending is Pending & { kind: "edit" } => pending.kind === "edit");
    if (edits.length) {
      // A courier has read the text of the room that has the name now.
      const texts = code !== "room_replaced" || !this.#options.record;
      const about = { server: this.#motet.server, account: this.#motet.account, room: this.name, code, message: error.message };
      const draft = draftOfEdits(about, machine, edits, texts);
      this.#refusal = error;
      void this.#ahead.draft(draft);
      this.emit("draft", draft);
      this.#motet.emit("draft", draft);
    } else this.#ahead.changed();
    this.#tellSave();
  }

  #submitRefused(seq: number, error: MotetError): void {
    const machine = this.machine;
    if (!machine?.outstanding || seq !== machine.seq) return;
    this.#sent = null;
    this.#answerTimer();
    if (error.retryAfterMs !== null) {
      this.emit("error", error);
      this.#retryTimer();
      this.#retryTimer = later(error.retryAfterMs, () => this.#submit());
      return;
    }
    if (error.code === "base_too_old" && this.#motet.status === "connected") return this.#join();
    if ((error.code === "edit_too_large" || error.code === "bad_operation") && machine.tooLarge(seq)) {
      this.#ahead.uncover();
      return this.#touched();
    }
    const refused = machine.refused(seq);
    if (refused?.kind === "command") {
      (refused.tag as Tag | null)?.reject(error);
      this.emit("error", error);
      return this.#touched();
    }
    machine.seq--; // A refused submit has used none.
    this.#heal(error, SEQ_ERRORS.has(error.code));
  }

  // Sending.

  /**
   * Writes down what is not acknowledged, then sends it. Where only others' edits came (`changed` is false), what was written stays right: it
   * names the revision that it counts on.
   */
  #touched(changed = true): void {
    if (this.machine?.begin() || changed) this.#ahead.changed();
    this.#tellSave();
    this.#scheduleHash();
  }

  #submit(): void {
    const machine = this.machine;
    if (!machine?.outstanding || !this.synced || this.#anew || this.#channel === null) return;
    if (!this.#ahead.covers(machine.seq)) return;
    if (this.#sent?.channel === this.#channel && this.#sent.seq === machine.seq) return;
    const outgoing = machine.outgoing()!;
    if (!this.#motet.send({ type: "submit", channel: this.#channel, ...outgoing })) return;
    this.#sent = { channel: this.#channel, seq: machine.seq };
    this.#answerTimer();
    this.#answerTimer = later(ANSWER_DUE_MS, () => this.#motet.probe());
  }

  // Quiet moments.

  #scheduleHash(): void {
    this.#hashTimer();
    const machine = this.machine;
    if (!machine || machine.queue.length || machine.revision === this.#hashed || this.#destroyed) return;
    this.#hashTimer = later(this.#motet.hashAfterMs ?? HASH_AFTER_MS, () => void this.#checkHash());
  }

  async #checkHash(): Promise<void> {
    const machine = this.machine;
    if (!machine || !this.synced || machine.queue.length) return;
    const { base, revision } = machine;
    try {
      const answer = await this.history.hash({ revision });
      const same = await checkHash(base, answer, () => this.machine === machine);
      if (this.machine !== machine) return;
      if (same) this.#hashed = revision;
      else this.#heal(new MotetError("inconsistent", `the text of ${this.name} differed from the server's at revision ${revision}`), true);
    } catch {
      // Asked again at the next quiet moment.
    }
  }

  // Telling.

  #tellSynced(): void {
    const { synced } = this;
    if (synced === this.#lastSynced) return;
    this.#lastSynced = synced;
    this.emit("synced", synced);
  }

  #tellSave(): void {
    if (this.#savePending) return;
    this.#savePending = true;
    void Promise.resolve().then(() => {
      this.#savePending = false;
      this.emit("unsyncedChanges", this.unsyncedChanges);
      this.emit("save", this.save);
      if (!this.hasUnsyncedChanges) this.#own.schedule();
    });
  }

  #when(holds: () => boolean, event: "loaded" | "synced"): Promise<void> {
    if (holds()) return Promise.resolve();
    const promise = new Promise<void>((resolve, reject) => {
      const ends = [
        this.on(event, () => holds() && (done(), resolve())),
        this.on("closed", (error) => (done(), reject(error))),
      ];
      const done = () => ends.forEach((end) => end());
    });
    // Whoever does not wait for it is not bothered by its failing.
    promise.catch(() => {});
    return promise;
  }
}

/** Refuse what was said about presence or a call; the channel stays. */
const PRESENCE_ERRORS = new Set(["bad_argument", "revision_unknown", "not_found", "rate_limited", "overloaded"]);
/** The seqs are not what they were taken for. */
const SEQ_ERRORS = new Set(["seq_gap", "seq_conflict"]);

/** UTF-16 units of the last `scalars` characters before a position. */
function utf16Before(text: Text, position: number, scalars: number): number {
  const before = [...text.sliceString(Math.max(0, position - 2 * scalars), position, "\n")];
  return before.slice(before.length - scalars).join("").length;
}

export type { PresenceMessage };
