import { ChangeSet, Text } from "@codemirror/state";
import { describe, expect, test } from "vitest";

import { changesToEditor, changesToRoom, shown, shownText, toEditor, toRoom } from "../../src/text/line-ends.js";
import { stringOf, textOf } from "../../src/text/text.js";
import { Random, SESSIONS } from "../support/random.js";

const ALPHABET = ["a", "b", "\r", "\n", "\r\n", "\r\n", "c", "😀"];

describe("line ends", () => {
  test("random sessions with mixed line ends keep editor and room the same", () => {
    const sessions = SESSIONS(1_500, 12_000);
    for (let seed = 1; seed <= sessions; seed++) session(new Random(seed), seed);
  });

  test("positions go there and back", () => {
    const room = textOf("a\r\nb\rc\n\r\nd");
    expect(toEditor(room, 1)).toBe(1);
    expect(toEditor(room, 2)).toBe(1); // Between \r and \n.
    expect(toEditor(room, 3)).toBe(2);
    for (let position = 0; position <= shownText(room).length; position++) expect(toEditor(room, toRoom(room, position))).toBe(position);
  });

  test("a typed line end becomes one of those around it", () => {
    const room = textOf("one\r\ntwo");
    const editor = shownText(room);
    const typed = ChangeSet.of({ from: editor.length, insert: Text.of(["", "three"]) }, editor.length);
    expect(stringOf(changesToRoom(room, typed).apply(room))).toBe("one\r\ntwo\r\nthree");
    const plain = textOf("one\ntwo");
    expect(stringOf(changesToRoom(plain, typed).apply(plain))).toBe("one\ntwo\nthree");
  });

  test("a line end inserted by a paste of other line ends is not mixed in", () => {
    const room = textOf("one\ntwo\n");
    const pasted = ChangeSet.of({ from: 4, insert: textOf("x\r\ny\r\n") }, room.length, "\n");
    expect(stringOf(changesToRoom(room, pasted).apply(room))).toBe("one\nx\ny\ntwo\n");
  });
});

function session(random: Random, seed: number): void {
  const pieces = random.below(seed % 50 ? 30 : 600);
  let room = textOf(random.string(ALPHABET, pieces));
  let editor = shownText(room);
  for (let step = 0; step < 12; step++) {
    const before = JSON.stringify(stringOf(room));
    if (random.chance(0.5)) {
      const parts = [];
      let at = 0;
      for (let i = 0, n = 1 + random.below(3); i < n; i++) {
        const from = at + random.below(room.length - at + 1);
        const to = Math.min(room.length, from + random.below(4));
        parts.push({ from, to, insert: textOf(random.string(ALPHABET, random.below(3))) });
        at = to;
      }
      const changes = ChangeSet.of(parts, room.length, "\n");
      const after = changes.apply(room);
      editor = changesToEditor(room, changes, after).apply(editor);
      room = after;
    } else {
      const parts = [];
      let at = 0;
      for (let i = 0, n = 1 + random.below(2); i < n; i++) {
        const from = at + random.below(editor.length - at + 1);
        const to = Math.min(editor.length, from + random.below(4));
        parts.push({ from, to, insert: textOf(random.pick(["", "x", "\n", "y\nz"])) });
        at = to;
      }
      const typed = ChangeSet.of(parts, editor.length, "\n");
      editor = typed.apply(editor);
      room = changesToRoom(room, typed).apply(room);
    }
    expect(stringOf(editor), `seed ${seed}, step ${step}, from ${before}`).toBe(shown(stringOf(room)));
  }
}
