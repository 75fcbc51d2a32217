import { ChangeSet } from "@codemirror/state";
import fc from "fast-check";
import { expect, test } from "vitest";

import { canonical, changeSet, compose, split, transform } from "../../src/ot/changes.js";
import { mapping, mapRange } from "../../src/ot/places.js";
import { fromWire, toWire } from "../../src/ot/wire.js";
import { changesToEditor, changesToRoom, shown, shownText, toEditor, toRoom } from "../../src/text/line-ends.js";
import { stringOf, textOf } from "../../src/text/text.js";

const RUNS = { numRuns: process.env["MOTET_LONG"] ? 20_000 : 300 };
/** Text with everything that has been a trouble: all line ends, pairs, halves of pairs where `lone`, combining characters. */
const string = (lone: boolean) =>
  fc.array(fc.constantFrom("a", "b", "\n", "\r", "\r\n", "é", "漢", "😀", "𝄞", "\u0301", "\u2028", "\0", ...(lone ? ["\ud83d", "\ude00"] : [])), { maxLength: 20 }).map((parts) => parts.join(""));
/** A text and changes of it, by fractions of its length, so that they shrink with it. */
const edit = (lone: boolean) => fc.array(fc.record({ at: fc.float({ min: 0, max: 1, noNaN: true }), length: fc.nat(4), insert: string(lone) }), { minLength: 1, maxLength: 3 });
type Edit = { at: number; length: number; insert: string }[];

function changes(length: number, edits: Edit): ChangeSet {
  let set = ChangeSet.empty(length);
  for (const { at, length: removed, insert } of edits) {
    const from = Math.floor(at * set.newLength);
    set = set.compose(ChangeSet.of({ from, to: Math.min(set.newLength, from + removed), insert: textOf(insert) }, set.newLength, "\n"));
  }
  return set;
}

test("whatever is typed, what goes over the wire is well-formed, and comes back as the same change", () => {
  fc.assert(
    fc.property(string(false), edit(true), (text, edits) => {
      const doc = textOf(text);
      const set = changeSet(doc, changes(doc.length, edits));
      expect(stringOf(set.apply(doc)).isWellFormed()).toBe(true);
      const wire = toWire(doc, set);
      expect(fromWire(doc, JSON.parse(JSON.stringify(wire))).toJSON()).toEqual(set.toJSON());
    }),
    RUNS,
  );
});

test("the diamond closes: pending after remote is remote after pending, also for a buffer behind it", () => {
  fc.assert(
    fc.property(string(false), edit(false), edit(false), edit(false), (text, a, b, c) => {
      const doc = textOf(text);
      const first = changeSet(doc, changes(doc.length, a));
      const buffer = changeSet(first.apply(doc), changes(first.newLength, b));
      const remote = changeSet(doc, changes(doc.length, c));
      const [first2, remote2] = transform(first, remote);
      const [buffer2, remote3] = transform(buffer, remote2);
      expect(stringOf(buffer2.apply(first2.apply(remote.apply(doc))))).toBe(stringOf(remote3.apply(buffer.apply(first.apply(doc)))));
    }),
    RUNS,
  );
});

test("composing and splitting change nothing of what is done, and leave a canonical form", () => {
  fc.assert(
    fc.property(string(false), edit(false), edit(false), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 3, max: 9 }), (text, a, b, bytes, components) => {
      const doc = textOf(text);
      const first = changeSet(doc, changes(doc.length, a));
      const both = compose(first, changeSet(first.apply(doc), changes(first.newLength, b)));
      expect(canonical(both)).toBe(both);
      let rest: ChangeSet | null = both;
      let now = doc;
      for (let pieces = 0; rest; pieces++) {
        expect(pieces).toBeLessThan(200);
        const [head, tail]: [ChangeSet, ChangeSet | null] = split(rest, bytes, components);
        now = head.apply(now);
        rest = tail;
      }
      expect(stringOf(now)).toBe(stringOf(both.apply(doc)));
    }),
    RUNS,
  );
});

test("what an editor shows follows the room, whatever the line ends, and the room what is typed", () => {
  fc.assert(
    fc.property(string(false), edit(false), edit(false), (text, remote, local) => {
      const room = textOf(text);
      const theirs = changes(room.length, remote);
      const after = theirs.apply(room);
      const editor = changesToEditor(room, theirs, after).apply(shownText(room));
      expect(stringOf(editor)).toBe(shown(stringOf(after)));
      const typed = changes(editor.length, local.map((one) => ({ ...one, insert: shown(one.insert) })));
      const mine = changesToRoom(after, typed);
      expect(shown(stringOf(mine.apply(after)))).toBe(stringOf(typed.apply(editor)));
      for (let position = 0; position <= editor.length; position++) expect(toEditor(after, toRoom(after, position))).toBe(position);
    }),
    RUNS,
  );
});

test("a range keeps what is typed inside it and nothing of its edges", () => {
  const doc = textOf("one two three");
  const typed = (from: number, to: number, insert: string) => mapRange(mapping(changeSet(doc, { from, to, insert })), [4, 7]);
  expect(typed(4, 4, "x")).toEqual([5, 8]);
  expect(typed(7, 7, "x")).toEqual([4, 7]);
  expect(typed(5, 6, "xyz")).toEqual([4, 9]);
  expect(typed(3, 8, "")).toEqual([3, 3]);
  expect(typed(3, 8, "x")[0]).toBe(typed(3, 8, "x")[1]);
});
