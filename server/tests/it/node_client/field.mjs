// What a text field shows of a text and is typed into it, and edits cut in two: node field.mjs SEED. Says "held" at the end.
import assert from "node:assert/strict";
import { apply, compose, moved, shown, split, typed } from "../../../../web/ot.mjs";

let state = Number(process.argv[2]) >>> 0;
const random = (below) => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
};
const some = (words, most) => Array.from({ length: random(most + 1) }, () => words[random(words.length)]).join("");

// Only what was typed is in the operation, whatever the line ends; a new one is like the first.
assert.deepEqual(typed("one\r\ntwo\r\nthree", "one\ntwo!\nthree"), [8, "!", 7]);
assert.deepEqual(typed("one\r\ntwo", "one\n\ntwo"), [5, "\r\n", 3]);
assert.deepEqual(typed("one\r\ntwo", "onetwo"), [3, -2, 3]);
assert.deepEqual(typed("one\rtwo\n", "one\ntwo\n𝄞"), [8, "𝄞"]);
assert.deepEqual(typed("", "x"), ["x"]);
assert.equal(typed("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"), null);

// A caret in UTF-16 units stays at its character.
assert.equal(moved(5, [2, "𝄞", 7], "one\r\ntwo\r"), 7);
assert.equal(moved(4, ["\r\n", 8], "one\r\ntwo"), 5);
assert.equal(moved(7, [3, -2, 3], "one\r\ntwo"), 6);
assert.equal(moved(4, [5, "left", 3], "one\r\ntwo"), 4);
assert.equal(moved(2, [-3], "one"), 0);

for (let round = 0; round < 2_000; round += 1) {
  // Carriage returns alone are left to the cases above: one in front of a line end becomes a part of it.
  const text = some(["x", "𝄞", "ö", "\n", "\r\n"], 12);
  const chars = [...shown(text)];
  const [from, gone] = [random(chars.length + 1), random(4)];
  const value = [...chars.slice(0, from), some(["x", "𝄞", "\n"], 3), ...chars.slice(from + gone)].join("");
  const op = typed(text, value);
  assert.equal(shown(op ? apply(text, op) : text), value);

  // An edit that is cut in two comes to the same, and the first inserts no more than it may.
  const edit = [some(["y", "𝄞"], 9), 2, some(["y", "𝄞"], 9), -1, 3].filter(Boolean);
  const most = random(20) + 1;
  const [first, rest] = split(edit, most);
  const inserts = (op) => [...op.filter((c) => typeof c === "string").join("")].length;
  assert.equal(inserts(first), Math.min(inserts(edit), most));
  assert.equal(rest === null, inserts(edit) <= most);
  assert.equal(apply("before", rest ? compose(first, rest) : first), apply("before", edit));
}
console.log("held");
