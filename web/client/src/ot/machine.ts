/**
 * The client's state machine (ot.js, `client.js`; Motet's `protocol/src/client.rs`), without IO.
 *
 * At most one submit is on its way. What is done meanwhile gathers behind it and is sent when the first is acknowledged, in the order in
 * which it was done:
 *
 * ```text
 * Synchronized ──edit──▶ AwaitingConfirm ──edit──▶ AwaitingWithBuffer ──edit──▶ (composed into the buffer)
 *       ▲                     │   ▲                        │
 *       └────acknowledged─────┘   └──────acknowledged──────┘   (the buffer's first becomes outstanding)
 * ```
 *
 * Commands that are no edits (chat, comments, settings) keep their place between the edits; edits are composed only with their
 * neighbours.
 *
 * @module
 */
import type { ChangeSet, Text } from "@codemirror/state";

import { fromScalar, carryCheckpoints, toScalar } from "../text/counts.js";
import type { Command, WireOperation } from "../wire.js";
import { compose, componentCount, insertedBytes, split, transform } from "./changes.js";
import { mapping, mapRange } from "./places.js";
import { fromWire, Mismatch, toWire } from "./wire.js";

/** Something done here that is not acknowledged. */
export type Pending =
  | { kind: "edit"; changes: ChangeSet; /** How many edits of the user's are in it. */ edits: number }
  | { kind: "command"; command: Command; /** Place of a comment that is opened, in UTF-16 units. */ range: [number, number] | null; tag: unknown };

/** What to send: goes into a `submit`. */
export interface Outgoing {
  seq: number;
  base: number;
  command: Command;
}

/** What was told to be, and cannot: the client heals itself by joining anew. */
export class Inconsistent extends Error {}

/** What is not acknowledged, in its wire form, as it is kept in storage. */
export interface PendingRecord {
  /** The revision that the first of `queue` counts on. */
  revision: number;
  /** The seq of the first of `queue` if it is outstanding, else the session's last one. */
  seq: number;
  /** Whether the first of `queue` has its seq, and may have been sent. */
  outstanding: boolean;
  queue: { command: Command; edits: number }[];
}

/** Most commands that are no edits and wait. */
const COMMANDS_WAITING_MAX = 256;

/** Applies a change, and takes cached counts over. */
export function apply(text: Text, changes: ChangeSet): Text {
  const after = changes.apply(text);
  carryCheckpoints(text, changes, after);
  return after;
}

/** One client in one room. */
export class Machine {
  /** The last revision of the server's that is in the texts. */
  revision: number;
  /** The seq of the outstanding submit, or of the last one. */
  seq: number;
  /** The server's text at `revision`. */
  base: Text;
  /** The text with everything that is pending in it. */
  text: Text;
  /** Whether the first pending one is a submit that has its seq. */
  outstanding = false;
  readonly queue: Pending[] = [];
  editBytesMax = 196_608;
  componentsMax = 5_000;

  constructor(revision: number, text: Text, seq: number) {
    this.revision = revision;
    this.seq = seq;
    this.base = this.text = text;
  }

  /** Takes up a stored record on top of the text at its revision. */
  static restore(text: Text, record: PendingRecord): Machine {
    const machine = new Machine(record.revision, text, record.seq);
    for (const { command, edits } of record.queue) {
      if ("edit" in command) {
        const changes = fromWire(machine.text, command.edit);
        machine.queue.push({ kind: "edit", changes, edits });
        machine.text = apply(machine.text, changes);
      } else {
        const range = openedRange(command, (position) => fromScalar(machine.text, position));
        machine.queue.push({ kind: "command", command, range, tag: null });
      }
    }
    machine.outstanding = record.outstanding && machine.queue.length > 0;
    return machine;
  }

  /** How many edits of the user's and other commands are not acknowledged. */
  get waiting(): number {
    return this.queue.reduce((sum, pending) => sum + (pending.kind === "edit" ? pending.edits : 1), 0);
  }

  /** Takes an edit, a canonical change of `text`. */
  edit(changes: ChangeSet): void {
    if (changes.length !== this.text.length) throw new Mismatch(`a change of ${changes.length} units, a text of ${this.text.length}`);
    if (changes.empty) return;
    this.text = apply(this.text, changes);
    const last = this.queue[this.queue.length - 1];
    if (last?.kind === "edit" && !(this.outstanding && this.queue.length === 1)) {
      last.changes = compose(last.changes, changes);
      last.edits++;
    } else this.queue.push({ kind: "edit", changes, edits: 1 });
  }

  /** Takes another command. Returns false if as many wait as may. */
  command(command: Command, range: [number, number] | null, tag: unknown): boolean {
    if (this.queue.filter((pending) => pending.kind === "command").length >= COMMANDS_WAITING_MAX) return false;
    this.queue.push({ kind: "command", command, range, tag });
    return true;
  }

  /** With nothing outstanding: the first of what waits becomes the next submit, a large edit in pieces. */
  begin(): boolean {
    if (this.outstanding) return false;
    while (this.queue[0]?.kind === "edit" && this.queue[0].changes.empty) this.queue.shift();
    const first = this.queue[0];
    if (!first) return false;
    if (first.kind === "edit") {
      const [now, rest] = split(first.changes, this.editBytesMax, this.componentsMax);
      if (rest) {
        this.queue.splice(0, 1, { kind: "edit", changes: now, edits: 0 }, { kind: "edit", changes: rest, edits: first.edits });
      }
    }
    this.seq++;
    this.outstanding = true;
    return true;
  }

  /** The outstanding submit, to be sent, however often: its seq stays the same. */
  outgoing(): Outgoing | null {
    if (!this.outstanding) return null;
    return { seq: this.seq, base: this.revision, command: this.#wire(this.base, this.queue[0]!) };
  }

  #wire(text: Text, pending: Pending): Command {
    if (pending.kind === "edit") return { edit: toWire(text, pending.changes) };
    if (!pending.range) return pending.command;
    const [start, end] = pending.range.map((position) => toScalar(text, position)) as [number, number];
    const { open } = (pending.command as { comment: { open: { start: number; end: number; text: string } } }).comment;
    return { comment: { open: { ...open, start, end } } };
  }

  /** Everything pending in its wire form, to be stored. */
  record(): PendingRecord {
    let text = this.base;
    const queue = this.queue.map((pending) => {
      const command = this.#wire(text, pending);
      if (pending.kind === "edit") text = pending.changes.apply(text);
      return { command, edits: pending.kind === "edit" ? pending.edits : 1 };
    });
    return { revision: this.revision, seq: this.seq, outstanding: this.outstanding, queue };
  }

  /**
   * Takes another's edit. Returns it as a change of the server's text before it, and as a change of `text`.
   *
   * ```text
   *              server's text
   *   outstanding /        \ remote
   *              ·          ·
   *       buffer / \        / outstanding′
   *   client's  ·   \      ·
   *       text   \   ·    / buffer′
   *      remote″  \      /
   *                  ·
   * ```
   */
  remote(revision: number, operation: WireOperation): { base: ChangeSet; text: ChangeSet } {
    this.#due(revision);
    const base = fromWire(this.base, operation);
    let moved = base;
    const after = apply(this.base, base);
    for (const pending of this.queue) {
      if (pending.kind === "edit") [pending.changes, moved] = transform(pending.changes, moved);
      else if (pending.range) pending.range = mapRange(mapping(moved), pending.range);
    }
    const synchronized = this.queue.length === 0;
    this.base = after;
    this.text = synchronized ? after : apply(this.text, moved);
    this.revision = revision;
    return { base, text: moved };
  }

  /** Takes an entry that changes no text. */
  pass(revision: number): void {
    this.#due(revision);
    this.revision = revision;
  }

  /**
   * Takes the acknowledgement of the outstanding submit; returns what it was. Null if it was acknowledged before: what was sent twice is
   * answered twice.
   */
  acknowledged(seq: number, revision: number): Pending | null {
    const due = this.outstanding && seq === this.seq;
    if (!due && revision <= this.revision && seq <= this.seq) return null;
    this.#due(revision);
    if (!due) throw new Inconsistent(`seq ${seq} was acknowledged, which is not outstanding`);
    this.revision = revision;
    this.outstanding = false;
    const pending = this.queue.shift()!;
    if (pending.kind === "edit") this.base = this.queue.length ? apply(this.base, pending.changes) : this.text;
    return pending;
  }

  /**
   * Takes the server's word that the outstanding edit is too large, which comes about when others cut it into many pieces. A half of it is
   * to be sent under the same seq, the rest waits. False if it cannot be smaller.
   */
  tooLarge(seq: number): boolean {
    const first = this.queue[0];
    if (!this.outstanding || seq !== this.seq || first?.kind !== "edit") return false;
    const bytes = Math.max(1, Math.floor(insertedBytes(first.changes) / 2));
    const components = Math.max(3, Math.floor(componentCount(first.changes) / 2));
    const [now, rest] = split(first.changes, bytes, components);
    if (!rest) return false;
    const next = this.queue[1];
    if (next?.kind === "edit") {
      next.changes = compose(rest, next.changes);
      next.edits += first.edits;
      this.queue[0] = { kind: "edit", changes: now, edits: 0 };
    } else this.queue.splice(0, 1, { kind: "edit", changes: now, edits: 0 }, { kind: "edit", changes: rest, edits: first.edits });
    return true;
  }

  /** Takes the server's word that the outstanding command, no edit, is refused for good. Its seq is free again. */
  refused(seq: number): Pending | null {
    if (!this.outstanding || seq !== this.seq || this.queue[0]?.kind !== "command") return null;
    this.outstanding = false;
    this.seq--;
    return this.queue.shift()!;
  }

  /** A position of the server's text as one of `text`. */
  toText(position: number, association: -1 | 1): number {
    for (const pending of this.queue) if (pending.kind === "edit") position = pending.changes.mapPos(position, association);
    return position;
  }

  #due(revision: number): void {
    if (revision !== this.revision + 1) throw new Inconsistent(`revision ${revision} came where ${this.revision + 1} was due`);
  }
}

/** The place of a comment that a command opens, converted; null for other commands. */
export function openedRange(command: Command, convert: (position: number) => number): [number, number] | null {
  if (!("comment" in command) || !("open" in command.comment)) return null;
  return [convert(command.comment.open.start), convert(command.comment.open.end)];
}
