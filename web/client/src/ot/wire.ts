/**
 * Operations between the wire (scalar values, ot.js's list) and `ChangeSet` (UTF-16). Both directions need the text at the
 * operation's base: that is why stored operations stay in their wire form until that text is at hand.
 *
 * @module
 */
import { ChangeSet, type Text } from "@codemirror/state";

import { fromScalar, scalarLength, toScalar } from "../text/counts.js";
import { stringOf, textOf } from "../text/text.js";
import type { WireOperation } from "../wire.js";
import { canonical } from "./changes.js";

/** An operation does not fit the text that it is said to count on. */
export class Mismatch extends Error {}

/** The change that a wire operation makes to `text`. */
export function fromWire(text: Text, operation: WireOperation): ChangeSet {
  const parts: { from: number; to?: number; insert?: Text }[] = [];
  const length = scalarLength(text);
  let scalar = 0;
  for (const component of operation) {
    if (typeof component === "string") {
      parts.push({ from: fromScalar(text, scalar), insert: textOf(component) });
      continue;
    }
    const end = scalar + Math.abs(component);
    if (!Number.isSafeInteger(component) || end > length) throw new Mismatch(`the operation is longer than the text of ${length} characters`);
    if (component < 0) parts.push({ from: fromScalar(text, scalar), to: fromScalar(text, end) });
    scalar = end;
  }
  if (scalar !== length) throw new Mismatch(`the operation covers ${scalar} characters of ${length}`);
  return canonical(ChangeSet.of(parts, text.length));
}

/** The wire operation of a canonical change of `text`. */
export function toWire(text: Text, changes: ChangeSet): WireOperation {
  if (changes.length !== text.length) throw new Mismatch(`a change of ${changes.length} units, a text of ${text.length}`);
  const operation: WireOperation = [];
  let done = 0;
  changes.iterChanges((from, to, _fromB, _toB, insert) => {
    const start = toScalar(text, from);
    if (start > done) operation.push(start - done);
    if (insert.length) operation.push(stringOf(insert));
    const end = to > from ? toScalar(text, to) : start;
    if (end > start) operation.push(start - end);
    done = end;
  }, true);
  const length = scalarLength(text);
  if (length > done) operation.push(length - done);
  return operation;
}
