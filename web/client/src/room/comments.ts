import type { ChangeSet, Text } from "@codemirror/state";

import { Emitter } from "../events.js";
import { mapping, mapRange } from "../ot/places.js";
import { fromScalar, scalarLength } from "../text/counts.js";
import type { At, CommentItem, Deleted, Entry, WireComment } from "../wire.js";
import type { Follower, RoomContext } from "./context.js";

/** A comment with its replies. Places are UTF-16 positions of the room's text. */
export interface Comment {
  /** Its number: the revision of the entry that opened it. */
  comment: number;
  start: number;
  end: number;
  /** The beginning of the text that it was made on. */
  on: string;
  /** The comment itself, then its replies. */
  items: CommentItem[];
  resolved: Deleted | null;
}

/** Comments on places in the text. `all` is kept up to date from the first {@link load} on. */
export class Comments extends Emitter<{ change: Comment[] }> implements Follower {
  readonly #room: RoomContext;
  /** With places in UTF-16 units of the server's text. */
  #comments: Comment[] | null = null;
  #revision = 0;
  #loading: Promise<Comment[]> | null = null;
  /** Edits since the load was asked for, to move its places over. */
  #edits: { revision: number; changes: ChangeSet; before: Text }[] = [];
  #stale = false;

  constructor(room: RoomContext) {
    super();
    this.#room = room;
  }

  /** All of them by their place, those that are resolved among them; empty before the first {@link load}. */
  get all(): Comment[] {
    return (this.#comments ?? [])
      .map((comment) => {
        const { anchor, head } = this.#room.toText({ anchor: comment.start, head: comment.end });
        return { ...comment, start: anchor, end: head };
      })
      .sort((a, b) => a.start - b.start || a.end - b.end || a.comment - b.comment);
  }

  /** Loads the comments, from then on kept up to date. */
  load(): Promise<Comment[]> {
    return (this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
      if (this.#stale) void this.load().catch(() => {});
    }));
  }

  async #load(): Promise<Comment[]> {
    this.#stale = false;
    this.#edits = [];
    const { comments, revision } = await this.#room.ask({ type: "read_comments", room: this.#room.name, at: "head" });
    await this.#reached(revision);
    const later = this.#edits.filter((edit) => edit.revision > revision);
    const then = later[0]?.before ?? this.#room.machine!.base;
    const length = scalarLength(then);
    this.#comments = comments.map((comment) => placed(comment, (position) => fromScalar(then, Math.min(position, length))));
    this.#revision = revision;
    for (const { changes } of later) this.#move(changes);
    this.emit("change", this.all);
    return this.all;
  }

  #waiters: { revision: number; go: () => void }[] = [];

  #reached(revision: number): Promise<void> {
    if ((this.#room.machine?.revision ?? -1) >= revision) return Promise.resolve();
    return new Promise((go) => this.#waiters.push({ revision, go }));
  }

  /** The comments at a place in history; places count on the text of that revision. */
  async at(at: At): Promise<{ revision: number; comments: WireComment[] }> {
    const { revision, comments } = await this.#room.ask({ type: "read_comments", room: this.#room.name, at });
    return { revision, comments };
  }

  /** Comments on a range of the room's text; an empty range is a place. Resolves with the comment's number. */
  open(start: number, end: number, text: string): Promise<number> {
    return this.#room.command({ comment: { open: { start: 0, end: 0, text } } }, [start, end]);
  }

  /** Answers a comment; resolves with the reply's number. */
  reply(comment: number, text: string): Promise<number> {
    return this.#room.command({ comment: { reply: { comment, text } } });
  }

  /** Puts another text in place of one's own comment or reply. */
  rewrite(comment: number, item: number, text: string): Promise<number> {
    return this.#room.command({ comment: { rewrite: { comment, item, text } } });
  }

  /** Takes a reply away; of the comment itself, with its replies. */
  delete(comment: number, item: number = comment): Promise<number> {
    return this.#room.command({ comment: { delete: { comment, item } } });
  }

  /** Marks a comment as settled; it stays, and can be answered. */
  resolve(comment: number): Promise<number> {
    return this.#room.command({ comment: { resolve: { comment } } });
  }

  /** Takes back that a comment is settled. */
  reopen(comment: number): Promise<number> {
    return this.#room.command({ comment: { reopen: { comment } } });
  }

  /** @internal An edit of the server's text. */
  edited(revision: number, changes: ChangeSet, before: Text): void {
    if (this.#loading) this.#edits.push({ revision, changes, before });
    if (this.#comments && revision > this.#revision) this.#move(changes);
  }

  #move(changes: ChangeSet): void {
    const map = mapping(changes);
    this.#comments = this.#comments!.map((comment) => {
      const [start, end] = mapRange(map, [comment.start, comment.end]);
      return start === comment.start && end === comment.end ? comment : { ...comment, start, end };
    });
  }

  /** @internal Everything up to a revision was taken in. */
  passed(reached: number): void {
    if (this.#waiters.length) this.#waiters = this.#waiters.filter(({ revision, go }) => revision > reached || void go());
  }

  /** @internal */
  fold(entry: Entry): void {
    if (!("comment" in entry.command)) return;
    if (this.#loading) this.#stale = true;
    else if (this.#comments) void this.load().catch(() => {});
  }

  /** @internal */
  reset(): void {
    for (const { go } of this.#waiters.splice(0)) go();
    if (this.#loading) this.#stale = true;
    else if (this.#comments) void this.load().catch(() => {});
  }
}

function placed(comment: WireComment, convert: (position: number) => number): Comment {
  return {
    comment: comment.comment,
    start: convert(comment.start),
    end: convert(comment.end),
    on: comment.on,
    items: comment.items,
    resolved: comment.resolved ?? null,
  };
}
