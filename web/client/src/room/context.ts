import type { AnswerTo } from "../asks.js";
import type { Machine } from "../ot/machine.js";
import type { Author, Command, Entry, ParticipantId, Question, Selection } from "../wire.js";

/** What the parts of a room (chat, comments, …) use of it. */
export interface RoomContext {
  readonly name: string;
  readonly participant: ParticipantId | null;
  readonly machine: Machine | null;
  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q["type"]>>;
  /** Submits a command; resolves with the revision of its entry. */
  command(command: Command, range?: [number, number]): Promise<number>;
  /** Who a participant is, as far as it is known. */
  author(participant: ParticipantId): Author;
  /** A place or range of the server's text as one of the room's text. */
  toText(selection: Selection): Selection;
}

/** A part that follows a room's entries. */
export interface Follower {
  /** Takes in an entry that is in the log now. */
  fold(entry: Entry): void;
  /** The room was loaded anew, or joined after a gap: what is held may be stale. */
  reset(): void;
}
