/**
 * The kernel: CodeMirror's `ChangeSet` under two rules, with which it agrees with the server's operational transformation.
 *
 * 1. A remote change is mapped with `before = false` over a pending one, and the pending one with `before = true` over the remote
 *    one: an own insertion stands to the left of one that is in the log already.
 * 2. Every change set is made canonical after each `of`, `map` and `compose`: at one place the insertion comes first, the deletion
 *    after it, and there is one of each.
 *
 * Remote changes are mapped one by one and never composed first: transforming does not commute with composing.
 *
 * @module
 */
import { ChangeSet, Text } from "@codemirror/state";

import { splitsPair, stringOf, textOf, unitsWithin, utf8Length, wellFormedText } from "../text/text.js";

/** One change of a text: `insert` takes the place of what is between `from` and `to`, in UTF-16 units of the text before. */
export interface Change {
  from: number;
  to?: number;
  insert?: string | Text;
}

type Part = { from: number; to?: number; insert?: Text };

function isCanonical(changes: ChangeSet): boolean {
  let canonical = true;
  let end = -1;
  let inserted = false;
  changes.iterChanges((fromA, toA, _fromB, _toB, insert) => {
    const inserts = insert.length > 0;
    const deletes = toA > fromA;
    if (inserts && deletes) canonical = false;
    // Directly behind another change only a deletion may follow an insertion.
    if (fromA === end && !(inserted && deletes)) canonical = false;
    end = toA;
    inserted = inserts;
  }, true);
  return canonical;
}

/** The same change with the insertion first and the deletion after it, at each place. */
export function canonical(changes: ChangeSet): ChangeSet {
  if (isCanonical(changes)) return changes;
  const parts: Part[] = [];
  changes.iterChanges((from, to, _fromB, _toB, insert) => {
    if (insert.length) parts.push({ from, insert });
    if (to > from) parts.push({ from, to });
  });
  return ChangeSet.of(parts, changes.length);
}

/** Two changes, one after the other, as one. */
export function compose(first: ChangeSet, second: ChangeSet): ChangeSet {
  return canonical(first.compose(second));
}

/**
 * A pending change and a remote one of the same text, each as it stands after the other. The remote one was ordered first, and
 * where both insert at one place, the pending one's text comes to stand to the left.
 */
export function transform(pending: ChangeSet, remote: ChangeSet): [pending: ChangeSet, remote: ChangeSet] {
  return [canonical(pending.map(remote, true)), canonical(remote.map(pending, false))];
}

/** Composes many changes as a balanced tree, so that the time grows with n log n. */
export class Composer {
  // Slot i holds the composition of 2^i changes, or nothing.
  #slots: (ChangeSet | null)[] = [];

  /** Adds the next change. */
  add(changes: ChangeSet): void {
    let carried = changes;
    let i = 0;
    for (; this.#slots[i]; i++) {
      carried = compose(this.#slots[i]!, carried);
      this.#slots[i] = null;
    }
    this.#slots[i] = carried;
  }

  /** All of them as one; null if there was none. */
  finish(): ChangeSet | null {
    let all: ChangeSet | null = null;
    for (const slot of this.#slots) if (slot) all = all ? compose(slot, all) : slot;
    this.#slots = [];
    return all;
  }
}

/** A canonical change set of a list of changes or of a change set, with what cannot be sent put right; see {@link tidy}. */
export function changeSet(text: Text, changes: ChangeSet | Change | readonly Change[]): ChangeSet {
  if (changes instanceof ChangeSet) return tidy(text, canonical(changes));
  const list = (Array.isArray(changes) ? changes : [changes]) as readonly Change[];
  const parts = list.map(({ from, to, insert }) => ({
    from,
    to: to ?? from,
    insert: typeof insert === "string" ? textOf(insert) : (insert ?? Text.empty),
  }));
  return tidy(text, canonical(ChangeSet.of(parts, text.length)));
}

/**
 * The change without halves of surrogate pairs: a lone half that is inserted becomes U+FFFD, and a deletion or an insertion that
 * would split a pair takes the whole of it. The same object if there was none.
 */
export function tidy(text: Text, changes: ChangeSet): ChangeSet {
  let tidied = false;
  const parts: Part[] = [];
  changes.iterChanges((from, to, _fromB, _toB, insert) => {
    const well = wellFormedText(insert);
    let [start, end] = [from, to];
    if (splitsPair(text, start)) start--;
    if (splitsPair(text, end)) end++;
    if (well !== insert || start !== from || end !== to) tidied = true;
    const last = parts[parts.length - 1];
    if (last && start < last.to!) {
      last.to = Math.max(end, last.to!);
      last.insert = last.insert!.append(well);
    } else parts.push({ from: start, to: end, insert: well });
  });
  return tidied ? canonical(ChangeSet.of(parts, text.length)) : changes;
}

/** The bytes of UTF-8 that a change inserts. */
export function insertedBytes(changes: ChangeSet): number {
  let bytes = 0;
  changes.iterChanges((_fromA, _toA, _fromB, _toB, insert) => (bytes += utf8Length(stringOf(insert))), true);
  return bytes;
}

/** The components that a change's operation has at most. */
export function componentCount(changes: ChangeSet): number {
  let count = 1;
  changes.iterChanges(() => (count += 2), true);
  return count;
}

/**
 * Two changes in place of one, of which the first inserts at most so many bytes and has at most so many components; the second is null
 * if nothing is left for it.
 */
export function split(changes: ChangeSet, bytesMax: number, componentsMax: number): [first: ChangeSet, rest: ChangeSet | null] {
  if (componentCount(changes) <= componentsMax && insertedBytes(changes) <= bytesMax) return [changes, null];
  const first: Part[] = [];
  const rest: Part[] = [];
  let bytes = bytesMax;
  let components = componentsMax - 1;
  let moved = 0; // By how much the first change moves what is behind it.
  changes.iterChanges((from, to, _fromB, _toB, insert) => {
    const room = rest.length === 0 && components >= 2;
    if (!room) return void rest.push({ from: from + moved, to: to + moved, insert });
    components -= 2;
    const string = stringOf(insert);
    let units = unitsWithin(string, bytes);
    // At least one character, so that it ends.
    if (units === 0 && first.length === 0 && string) units = string.codePointAt(0)! > 0xffff ? 2 : 1;
    if (units === string.length) {
      bytes -= utf8Length(string);
      first.push({ from, to, insert });
      moved += insert.length - (to - from);
    } else {
      if (units) first.push({ from, insert: insert.slice(0, units) });
      moved += units;
      rest.push({ from: from + moved, to: to + moved, insert: insert.slice(units) });
    }
  }, true);
  const head = canonical(ChangeSet.of(first, changes.length));
  return [head, rest.length ? canonical(ChangeSet.of(rest, head.newLength)) : null];
}

/** The smallest single replacement that turns one text into the other; null if they are equal. */
export function difference(before: Text, after: Text): ChangeSet | null {
  if (before.eq(after)) return null;
  const [a, b] = [stringOf(before), stringOf(after)];
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  let end = 0;
  while (end < most - start && a.charCodeAt(a.length - 1 - end) === b.charCodeAt(b.length - 1 - end)) end++;
  if (splitsPair(before, start) || splitsPair(after, start)) start--;
  if (end && (splitsPair(before, a.length - end) || splitsPair(after, b.length - end))) end--;
  return canonical(ChangeSet.of([{ from: start, to: a.length - end, insert: textOf(b.slice(start, b.length - end)) }], a.length));
}
