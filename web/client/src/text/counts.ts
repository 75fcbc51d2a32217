/**
 * Conversion between JavaScript's positions (UTF-16 code units) and the protocol's (Unicode scalar values).
 *
 * A `Text` is an immutable tree whose nodes live on after edits. The number of surrogate pairs of each node is kept in a WeakMap, so
 * that after an edit only the nodes on its path are counted. A line longer than {@link GIANT_LINE} gets checkpoints, which
 * {@link carryCheckpoints} takes over to the next version of the line, so that an edit does not scan the whole of it.
 *
 * @module
 */
import type { ChangeSet, Text } from "@codemirror/state";

/** Lines of more UTF-16 units than this get checkpoints. */
const GIANT_LINE = 16_384;
/** Distance between two checkpoints of a giant line, in UTF-16 units. */
const STEP = 4096;

/** Surrogate pairs in a node of a text's tree. */
const counts = new WeakMap<Text, number>();

/** Pairs before each of some positions of a line; the first is 0, the last the line's end. No position splits a pair. */
interface Checkpoints {
  at: number[];
  pairs: number[];
}

/** Checkpoints of the giant lines of a leaf, by the line's index in it. */
const checkpoints = new WeakMap<Text, Map<number, Checkpoints>>();

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;

function pairsIn(text: string, from: number, to: number): number {
  let pairs = 0;
  for (let i = from; i < to; i++) if (isHigh(text.charCodeAt(i))) pairs++;
  return pairs;
}

/** The lines of a leaf. `text` is what the tree's leaves have; `toJSON` is its public, slower form. */
export function linesOf(leaf: Text): readonly string[] {
  return (leaf as unknown as { text?: readonly string[] }).text ?? leaf.toJSON();
}

/** Extends `into` with checkpoints of `line` from the last one on to `to`. */
function scan(line: string, into: Checkpoints, to: number): void {
  let at = into.at[into.at.length - 1]!;
  let pairs = into.pairs[into.pairs.length - 1]!;
  while (at < to) {
    let next = Math.min(to, at + STEP);
    if (next < to && isHigh(line.charCodeAt(next - 1))) next++;
    pairs += pairsIn(line, at, next);
    at = next;
    into.at.push(at);
    into.pairs.push(pairs);
  }
}

function checkpointsOf(leaf: Text, index: number, line: string): Checkpoints {
  let map = checkpoints.get(leaf);
  if (!map) checkpoints.set(leaf, (map = new Map()));
  let found = map.get(index);
  if (!found) {
    found = { at: [0], pairs: [0] };
    scan(line, found, line.length);
    map.set(index, found);
  }
  return found;
}

function pairsOfLine(leaf: Text, index: number, line: string): number {
  if (line.length <= GIANT_LINE) return pairsIn(line, 0, line.length);
  const found = checkpointsOf(leaf, index, line);
  return found.pairs[found.pairs.length - 1]!;
}

/** The number of surrogate pairs in a text. */
export function pairsOf(node: Text): number {
  let pairs = counts.get(node);
  if (pairs === undefined) {
    pairs = 0;
    if (node.children) for (const child of node.children) pairs += pairsOf(child);
    else linesOf(node).forEach((line, index) => (pairs! += pairsOfLine(node, index, line)));
    counts.set(node, pairs);
  }
  return pairs;
}

/** The length of a text in scalar values. */
export function scalarLength(text: Text): number {
  return text.length - pairsOf(text);
}

/** The last index whose value is at most `value`; the first value is 0. */
function lastAtMost(length: number, value: number, of: (index: number) => number): number {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (of(middle) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Pairs of a line that begin before the UTF-16 position `to`. */
function pairsBefore(leaf: Text, index: number, line: string, to: number): number {
  if (line.length <= GIANT_LINE) return pairsIn(line, 0, to);
  const { at, pairs } = checkpointsOf(leaf, index, line);
  const checkpoint = lastAtMost(at.length, to, (i) => at[i]!);
  return pairs[checkpoint]! + pairsIn(line, at[checkpoint]!, to);
}

/** Pairs of a line before its scalar position `to`. */
function pairsBeforeScalar(leaf: Text, index: number, line: string, to: number): number {
  let unit = 0;
  let pairs = 0;
  if (line.length > GIANT_LINE) {
    const found = checkpointsOf(leaf, index, line);
    const checkpoint = lastAtMost(found.at.length, to, (i) => found.at[i]! - found.pairs[i]!);
    unit = found.at[checkpoint]!;
    pairs = found.pairs[checkpoint]!;
  }
  for (let scalars = unit - pairs; scalars < to; scalars++) {
    if (isHigh(line.charCodeAt(unit))) {
      unit += 2;
      pairs++;
    } else unit++;
  }
  return pairs;
}

/** The scalar position of a UTF-16 position. One within a pair counts as the place behind it. */
export function toScalar(text: Text, position: number): number {
  if (!pairsOf(text)) return position;
  let node = text;
  let rest = position;
  let pairs = 0;
  descend: while (node.children) {
    for (const child of node.children) {
      if (rest <= child.length) {
        node = child;
        continue descend;
      }
      pairs += pairsOf(child);
      rest -= child.length + 1;
    }
    throw new RangeError(`position ${position} is beyond the text`);
  }
  if (pairsOf(node)) {
    const lines = linesOf(node);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      if (rest <= line.length) {
        pairs += pairsBefore(node, i, line, rest);
        break;
      }
      pairs += pairsOfLine(node, i, line);
      rest -= line.length + 1;
    }
  }
  return position - pairs;
}

/** The UTF-16 position of a scalar position. */
export function fromScalar(text: Text, position: number): number {
  if (!pairsOf(text)) return position;
  let node = text;
  let rest = position;
  let pairs = 0;
  descend: while (node.children) {
    for (const child of node.children) {
      const length = scalarLength(child);
      if (rest <= length) {
        node = child;
        continue descend;
      }
      pairs += pairsOf(child);
      rest -= length + 1;
    }
    throw new RangeError(`position ${position} is beyond the text`);
  }
  if (pairsOf(node)) {
    const lines = linesOf(node);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const inLine = pairsOfLine(node, i, line);
      const length = line.length - inLine;
      if (rest <= length) {
        pairs += pairsBeforeScalar(node, i, line, rest);
        break;
      }
      pairs += inLine;
      rest -= length + 1;
    }
  }
  return position + pairs;
}

/** The leaf with a position, the line's index in it, the line, and the position in the line. */
function leafAt(text: Text, position: number): { leaf: Text; index: number; line: string; rest: number } {
  let node = text;
  let rest = position;
  descend: while (node.children) {
    for (const child of node.children) {
      if (rest <= child.length) {
        node = child;
        continue descend;
      }
      rest -= child.length + 1;
    }
    throw new RangeError(`position ${position} is beyond the text`);
  }
  const lines = linesOf(node);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (rest <= line.length) return { leaf: node, index, line, rest };
    rest -= line.length + 1;
  }
  throw new RangeError(`position ${position} is beyond the text`);
}

/**
 * Takes the checkpoints of a giant line over to the line that a change made of it. Call it after each change of a text;
 * without it everything stays right, and a giant line is scanned again.
 */
export function carryCheckpoints(before: Text, changes: ChangeSet, after: Text): void {
  if (before.length <= GIANT_LINE || after.length <= GIANT_LINE) return;
  let single: [fromA: number, toA: number, fromB: number, toB: number] | null = null;
  let changed = 0;
  changes.iterChangedRanges((fromA, toA, fromB, toB) => {
    changed++;
    single = [fromA, toA, fromB, toB];
  });
  if (changed !== 1) return;
  const [fromA, toA, fromB, toB] = single!;
  const old = leafAt(before, fromA);
  const known = checkpoints.get(old.leaf)?.get(old.index);
  if (!known || old.rest + (toA - fromA) > old.line.length) return;
  const { leaf, index, line, rest } = leafAt(after, fromB);
  if (line.length <= GIANT_LINE || line.length - old.line.length !== toB - fromB - (toA - fromA)) return;
  carry(known, old.rest, old.rest + (toA - fromA), rest + (toB - fromB), line, leaf, index);
}

function carry(known: Checkpoints, from: number, toOld: number, toNew: number, line: string, leaf: Text, index: number): void {
  // The checkpoints around the change may split a pair now; those further away cannot.
  const keep = Math.max(1, lastAtMost(known.at.length, from, (i) => known.at[i]!));
  const next: Checkpoints = { at: known.at.slice(0, keep), pairs: known.pairs.slice(0, keep) };
  const behind = known.at.findIndex((at, i) => i >= keep && at > toOld + 1);
  const shift = toNew - toOld;
  if (behind < 0) scan(line, next, line.length);
  else {
    scan(line, next, known.at[behind]! + shift);
    const more = next.pairs[next.pairs.length - 1]! - known.pairs[behind]!;
    for (let i = behind + 1; i < known.at.length; i++) {
      next.at.push(known.at[i]! + shift);
      next.pairs.push(known.pairs[i]! + more);
    }
  }
  // Many small pieces would make the list long: then it is made anew at the next use.
  if (next.at.length > (2 * line.length) / STEP + 8) return;
  const map = checkpoints.get(leaf) ?? new Map<number, Checkpoints>();
  checkpoints.set(leaf, map.set(index, next));
}

/** Ranges in scalar values as ranges in UTF-16 units of a string; ranges must be in order. For what the HTTP API says of a text. */
export function scalarRanges(text: string, ranges: readonly { start: number; end: number }[]): { from: number; to: number }[] {
  let unit = 0;
  let scalar = 0;
  const forward = (to: number) => {
    for (; scalar < to && unit < text.length; scalar++) unit += isHigh(text.charCodeAt(unit)) ? 2 : 1;
    return unit;
  };
  return ranges.map(({ start, end }) => ({ from: forward(start), to: forward(end) }));
}
