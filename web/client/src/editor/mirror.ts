import { ChangeSet, type Text } from "@codemirror/state";

import { difference } from "../ot/changes.js";
import type { Room } from "../room/room.js";
import type { ChangeEvent } from "../room/types.js";
import { changesToEditor, changesToRoom, hasReturns, shownText, toEditor, toRoom } from "../text/line-ends.js";
import type { Selection } from "../wire.js";

/**
 * What stands between a room and one editor: line ends are mapped, and what the editor holds is compared with what it should, so that a
 * difference is mended at once instead of growing.
 */
export class Mirror {
  readonly room: Room;
  /** The room's text that the editor shows. */
  doc: Text;

  constructor(room: Room) {
    this.room = room;
    this.doc = room.doc;
  }

  /** What the editor should hold. */
  get shown(): Text {
    return shownText(this.doc);
  }

  /**
   * Takes what was done in the editor. Returns what the editor has to do then to hold the right text (usually null): where the room cannot
   * be edited, or where something that cannot be sent was put right.
   *
   * @param before What the editor held before.
   * @param after What it holds now.
   */
  local(changes: ChangeSet, before: Text, after: Text): ChangeSet | null {
    if (!this.room.writable) return changes.invert(before);
    const made = this.room.edit(changesToRoom(this.doc, changes), this);
    this.doc = made.empty ? this.doc : this.room.doc;
    // A "\r" that was pasted stands in the editor as a character of its own; in the room it is a line end.
    let pasted = false;
    changes.iterChanges((_fromA, _toA, _fromB, _toB, insert) => (pasted ||= insert.length > 0 && hasReturns(insert)), true);
    return this.mend(after, !made.empty && !pasted);
  }

  /** The change that a room's change makes in the editor; null for one of its own. */
  remote(event: ChangeEvent): ChangeSet | null {
    if (event.source === this) return null;
    const before = this.doc;
    this.doc = this.room.doc;
    if (before.length !== event.changes.length) return difference(shownText(before), this.shown);
    return changesToEditor(before, event.changes, this.doc);
  }

  /** The difference between what the editor holds and what it should hold; null if there is none. With `quick`, only lengths are compared. */
  mend(held: Text, quick: boolean): ChangeSet | null {
    if (quick && toEditor(this.doc, this.doc.length) === held.length && !this.#replaced(held)) return null;
    return difference(held, this.shown);
  }

  /** A lone half of a surrogate pair was replaced by U+FFFD, which has the same length. */
  #replaced(held: Text): boolean {
    return this.room.lastEditTidied && !held.eq(this.shown);
  }

  /** A position of the room's text in the editor. */
  toEditor(position: number): number {
    return toEditor(this.doc, Math.max(0, Math.min(position, this.doc.length)));
  }

  /** A position of the editor in the room's text. */
  toRoom(position: number): number {
    return toRoom(this.doc, position);
  }

  selectionToEditor({ anchor, head }: Selection): Selection {
    return { anchor: this.toEditor(anchor), head: this.toEditor(head) };
  }

  selectionToRoom({ anchor, head }: Selection): Selection {
    return { anchor: this.toRoom(anchor), head: this.toRoom(head) };
  }
}
