// Long edits and refused ones: node refused.mjs URL ROOM, where a text has at most 500,000 bytes. Says its text as JSON at the end.
import assert from "node:assert/strict";
import { Room } from "../../../../web/client.mjs";

const [url, name] = process.argv.slice(2);
let between = false;
const room = new Room(url, name, () => {
  // Somebody types on while the text is fetched anew.
  if (room.lost.length && !room.writable && !between) {
    between = true;
    room.edit(["nowhere", [...room.text].length]);
  }
});
const until = async (what) => { while (!what()) await new Promise((soon) => setTimeout(soon, 5)); };
const saved = () => room.writable && !room.outstanding && !room.buffer;
await until(() => room.writable);

// 400,000 bytes, of which one edit may insert 196,608.
const long = "𝄞".repeat(99_999) + "end\n";
room.edit([long]);
room.edit([[...long].length, "."]);
await until(saved);
assert.equal(room.text, long + ".");
assert.deepEqual(room.lost, []);

// Too long for the room: what fits is there, and what does not is kept with the reason.
const more = "more ".repeat(30_000);
room.edit([[...room.text].length, more]);
room.edit([[...room.text].length, "and the last"]);
await until(() => between && saved());
assert.equal(room.lost.length, 1);
const [reason, lost] = room.lost[0].split("\n");
assert.match(reason, /^text_too_large: ./);
assert.equal(room.text + lost, `${long}.${more}and the last`);

// What comes after is saved again.
room.edit(["After all: ", [...room.text].length]);
await until(saved);
assert.ok(room.text.startsWith("After all: 𝄞"));
process.stdout.write(`${JSON.stringify(room.text)}\n`, () => process.exit(0));
