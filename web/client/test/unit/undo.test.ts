import { ChangeSet } from "@codemirror/state";
import { expect, test } from "vitest";

import { apply } from "../../src/ot/machine.js";
import { changesToEditor, shownText } from "../../src/text/line-ends.js";
import { stringOf, textOf } from "../../src/text/text.js";
import { UserUndo } from "../../src/undo/index.js";
import { Random, SESSIONS } from "../support/random.js";

/** Own text is of these characters, the others' of those; each is used once. */
const OWN = 0x4e00;
const OTHERS = 0xac00;

test("undo of everything takes back one's own and nothing else; redo brings it all back; also over a reload", () => {
  for (let seed = 1; seed <= SESSIONS(400, 20_000); seed++) session(new Random(seed), seed);
});

function session(random: Random, seed: number): void {
  let undo = new UserUndo();
  // Line ends of the room that the editor shows as "\n" are among it.
  let room = textOf("01\r\n23\r\n4567\n89");
  undo.reset(shownText(room));
  let doc = shownText(room);
  let next = 0;
  const removed = new Set<string>();
  for (let step = 0; step < 30; step++) {
    const own = random.chance(0.5);
    const from = random.below(doc.length + 1);
    const to = random.chance(0.35) ? Math.min(doc.length, from + random.below(4)) : from;
    const insert = random.chance(0.8) ? String.fromCharCode((own ? OWN : OTHERS) + next++) : "";
    if (!insert && from === to) continue;
    if (!own) for (const character of doc.sliceString(from, to)) removed.add(character);
    const changes = ChangeSet.of({ from, to, insert: textOf(insert) }, doc.length, "\n");
    if (own) undo.local(changes);
    else undo.remote(changes);
    doc = changes.apply(doc);
    room = doc; // From here on the room has the editor's line ends: what is restored below begins here.
    if (random.chance(0.08)) {
      const json = JSON.parse(JSON.stringify(undo.store()));
      if (json === null) continue;
      const text = room;
      const late = ChangeSet.of({ from: random.below(text.length + 1), insert: textOf(String.fromCharCode(OTHERS + next++)) }, text.length, "\n");
      undo = new UserUndo();
      expect(undo.restore({ history: json, text, changes: [late] })).toBe(true);
      const after = apply(text, late);
      doc = changesToEditor(text, late, after).apply(doc);
      room = after;
    }
  }
  const before = stringOf(doc);
  for (let changes = undo.undo(); changes; changes = undo.undo()) doc = changes.apply(doc);
  const undone = stringOf(doc);
  const has = (string: string, first: number, last: number) => [...string].filter((c) => c.charCodeAt(0) >= first && c.charCodeAt(0) < last);
  expect(has(undone, OWN, OTHERS), `seed ${seed}: own text is left`).toEqual([]);
  for (const character of has(before, OTHERS, 0xd800)) expect(undone, `seed ${seed}: another's text is lost`).toContain(character);
  for (const character of "0123456789") if (!removed.has(character)) expect(undone, `seed ${seed}: own deletion is not taken back`).toContain(character);
  const letters = [...undone].filter((c) => c !== "\n");
  expect(new Set(letters).size, `seed ${seed}: something is there twice`).toBe(letters.length);
  for (let changes = undo.redo(); changes; changes = undo.redo()) doc = changes.apply(doc);
  expect(stringOf(doc), `seed ${seed}: redo`).toBe(before);
}
