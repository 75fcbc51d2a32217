/**
 * Line ends. A room's text keeps each line end as it is (`\n`, `\r\n`, a lone `\r`, mixed); an editor shows every one as `\n`. Here
 * positions and changes are converted between the two. A text without `\r` costs nothing.
 *
 * A `\r` is shown as a line end of its own, unless a `\n` follows: then the two are one, and the place between them is not shown.
 *
 * @module
 */
import { ChangeSet, Text } from "@codemirror/state";

import { linesOf } from "./counts.js";
import { canonical } from "../ot/changes.js";
import { stringOf, textOf } from "./text.js";

/** A string as an editor shows it. */
export function shown(string: string): string {
  return string.includes("\r") ? string.replace(/\r\n?/g, "\n") : string;
}

/** A room's text as an editor shows it: the same object if there is no `\r`. */
export function shownText(text: Text): Text {
  return hasReturns(text) ? textOf(shown(stringOf(text))) : text;
}

interface Returns {
  /** Lines of the node, but its last, that end with `\r`: those `\r\n` that lie wholly in it. */
  inside: number;
  /** Whether its last line ends with `\r`: one more `\r\n` if a line follows, which only the parent knows. */
  last: boolean;
  /** Whether there is any `\r`. */
  any: boolean;
}

/** Kept by node, as the counts of surrogate pairs are. */
const cache = new WeakMap<Text, Returns>();

function returnsOf(node: Text): Returns {
  let found = cache.get(node);
  if (found) return found;
  found = { inside: 0, last: false, any: false };
  if (node.children) {
    node.children.forEach((child, i) => {
      const returns = returnsOf(child);
      if (i && found!.last) found!.inside++;
      found!.inside += returns.inside;
      found!.last = returns.last;
      found!.any ||= returns.any;
    });
  } else {
    linesOf(node).forEach((line, i) => {
      if (i && found!.last) found!.inside++;
      found!.last = line.charCodeAt(line.length - 1) === 13;
      found!.any ||= found!.last || line.includes("\r");
    });
  }
  cache.set(node, found);
  return found;
}

/** Whether a text has any `\r`. */
export function hasReturns(text: Text): boolean {
  return returnsOf(text).any;
}

const isReturn = (line: string, at: number) => line.charCodeAt(at) === 13;

/** The editor's position of a position of the room's text. The place between `\r` and `\n` is shown before the line end. */
export function toEditor(text: Text, position: number): number {
  if (!returnsOf(text).any) return position;
  let node = text;
  let rest = position;
  let hidden = 0;
  descend: while (node.children) {
    for (const child of node.children) {
      if (rest <= child.length) {
        node = child;
        continue descend;
      }
      const { inside, last } = returnsOf(child);
      hidden += inside + (last ? 1 : 0);
      rest -= child.length + 1;
    }
    throw new RangeError(`position ${position} is beyond the text`);
  }
  for (const line of linesOf(node)) {
    if (rest <= line.length) {
      const between = rest > 0 && rest === line.length && isReturn(line, rest - 1) && position < text.length;
      return position - hidden - (between ? 1 : 0);
    }
    rest -= line.length + 1;
    if (isReturn(line, line.length - 1)) hidden++;
  }
  throw new RangeError(`position ${position} is beyond the text`);
}

/** The room's position of an editor's position: before a whole line end, or after it. */
export function toRoom(text: Text, position: number): number {
  if (!returnsOf(text).any) return position;
  let node = text;
  let rest = position;
  let hidden = 0;
  // Whether a line follows what is looked at, in the whole text.
  let followed = false;
  descend: while (node.children) {
    for (let i = 0; i < node.children.length; i++) {
      const child: Text = node.children[i]!;
      const { inside, last } = returnsOf(child);
      const follows: boolean = followed || i < node.children.length - 1;
      const length = child.length - inside - (follows && last ? 1 : 0);
      if (rest <= length) {
        node = child;
        followed = follows;
        continue descend;
      }
      rest -= length + 1;
      hidden += inside + (follows && last ? 1 : 0);
    }
    throw new RangeError(`position ${position} is beyond the text`);
  }
  const lines = linesOf(node);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const ends = isReturn(line, line.length - 1) && (followed || i < lines.length - 1);
    const length = line.length - (ends ? 1 : 0);
    if (rest <= length) return position + hidden;
    rest -= length + 1;
    if (ends) hidden++;
  }
  throw new RangeError(`position ${position} is beyond the text`);
}

const isEnd = (text: Text, at: number) => /[\r\n]/.test(text.sliceString(at, at + 1, "\n"));

/**
 * A change of the room's text `before` (which makes it `after`) as a change of what an editor shows: each change is widened over the line
 * ends next to it, since a `\r` or `\n` that comes or goes there makes others of them; then it is trimmed.
 */
export function changesToEditor(before: Text, changes: ChangeSet, after: Text): ChangeSet {
  if (!hasReturns(before) && !hasReturns(after)) return changes;
  const list: [fromA: number, toA: number, fromB: number, toB: number][] = [];
  changes.iterChanges((fromA, toA, fromB, toB) => list.push([fromA, toA, fromB, toB]));
  const parts: { from: number; to: number; insert: Text }[] = [];
  let done = -1;
  for (let i = 0; i < list.length; i++) {
    let [fromA, toA, fromB, toB] = list[i]!;
    while (fromA > 0 && fromA > done && isEnd(before, fromA - 1)) {
      fromA--;
      fromB--;
    }
    for (;;) {
      const next = list[i + 1];
      if (next && toA >= next[0]) {
        [, toA, , toB] = next;
        i++;
      } else if (toA < before.length && isEnd(before, toA)) {
        toA++;
        toB++;
      } else break;
    }
    done = toA;
    const part = trimmed(shown(before.sliceString(fromA, toA, "\n")), shown(after.sliceString(fromB, toB, "\n")));
    if (!part) continue;
    const from = toEditor(before, fromA);
    parts.push({ from: from + part.start, to: from + part.end, insert: textOf(part.insert) });
  }
  return canonical(ChangeSet.of(parts, toEditor(before, before.length)));
}

function trimmed(a: string, b: string): { start: number; end: number; insert: string } | null {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  if (start + end === a.length && start + end === b.length) return null;
  return { start, end: a.length - end, insert: b.slice(start, b.length - end) };
}

/** The line end that a `\n` typed at a place becomes: that of the line, or of the one above if it has none. */
function lineEndAt(text: Text, position: number): string {
  const line = text.lineAt(position);
  const ended = line.number < text.lines ? line : line.number > 1 ? text.line(line.number - 1) : null;
  return ended?.text.endsWith("\r") ? "\r\n" : "\n";
}

/** A change of what an editor shows as a change of the room's text; line ends that are typed become such as the text has there. */
export function changesToRoom(text: Text, changes: ChangeSet): ChangeSet {
  const returns = hasReturns(text);
  let typedReturn = false;
  changes.iterChanges((_a, _b, _c, _d, insert) => (typedReturn ||= insert.length > 0 && hasReturns(insert)), true);
  if (!returns && !typedReturn) return canonical(changes);
  const parts: { from: number; to: number; insert: Text }[] = [];
  changes.iterChanges((fromA, toA, _fromB, _toB, insert) => {
    let from = toRoom(text, fromA);
    const to = toRoom(text, toA);
    let string = shown(stringOf(insert));
    if (string.includes("\n")) string = string.replaceAll("\n", lineEndAt(text, from));
    // A lone "\r" in front must not become one line end with a "\n" that comes to stand behind it.
    const least = parts.length ? parts[parts.length - 1]!.to : 0;
    while (from > least && text.sliceString(from - 1, from, "\n") === "\r" && startsWithNewline(string, text, to)) {
      from--;
      string = `\n${string}`;
    }
    parts.push({ from, to, insert: textOf(string) });
  });
  return canonical(ChangeSet.of(parts, text.length));
}

function startsWithNewline(inserted: string, text: Text, to: number): boolean {
  return (inserted || text.sliceString(to, to + 1, "\n")).startsWith("\n");
}
