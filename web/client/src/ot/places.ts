/**
 * Where changes move places. The rules are the server's: the start of a replaced range stays in front of the replacement, its end behind it;
 * within it, and at a plain insertion, the association decides.
 *
 * @module
 */
import { ChangeSet, type ChangeDesc } from "@codemirror/state";

import type { Selection } from "../wire.js";

/** A canonical change as one that maps places as the server does: an insertion and the deletion behind it are one replacement. */
export function mapping(changes: ChangeSet): ChangeDesc {
  let split = false;
  let end = -1;
  changes.iterChangedRanges((from, to) => {
    if (from === end) split = true;
    end = to;
  }, true);
  if (!split) return changes;
  const parts: { from: number; to: number; insert: ChangeInsert }[] = [];
  changes.iterChanges((from, to, _fromB, _toB, insert) => parts.push({ from, to, insert }));
  return ChangeSet.of(parts, changes.length);
}

type ChangeInsert = Parameters<Parameters<ChangeSet["iterChanges"]>[0]>[4];

/** Where a range comes to stand: it takes in what is inserted inside it, not what is inserted at its edges. */
export function mapRange(changes: ChangeDesc, [start, end]: [number, number]): [number, number] {
  const to = changes.mapPos(Math.min(end, changes.length), -1);
  return [Math.min(to, changes.mapPos(Math.min(start, changes.length), 1)), to];
}

/** Where a caret or selection comes to stand. A caret stays in front of what others insert at it, and goes behind what its owner inserts. */
export function mapSelection(changes: ChangeDesc, { anchor, head }: Selection, own: boolean): Selection {
  if (anchor === head) {
    const at = changes.mapPos(Math.min(head, changes.length), own ? 1 : -1);
    return { anchor: at, head: at };
  }
  const [from, to] = mapRange(changes, [Math.min(anchor, head), Math.max(anchor, head)]);
  return anchor < head ? { anchor: from, head: to } : { anchor: to, head: from };
}
