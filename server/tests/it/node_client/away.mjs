// A server that goes away: node away.mjs PORT PORT, of two servers that know nothing of each other. Says "held" at the end.
import assert from "node:assert/strict";
import net from "node:net";
import { Room } from "../../../../web/client.mjs";

const [first, second] = process.argv.slice(2).map(Number);
const until = async (what) => { while (!what()) await new Promise((soon) => setTimeout(soon, 5)); };

// One address, behind which there is one server, or none, or the other.
const streams = new Set();
const lead = (to, port) => new Promise((ready) => {
  const door = net.createServer((stream) => {
    const onward = net.connect(to, "127.0.0.1");
    for (const end of [stream, onward]) { streams.add(end); end.on("error", () => {}); end.on("close", () => { stream.destroy(); onward.destroy(); }); }
    stream.pipe(onward).pipe(stream);
  }).listen(port, "127.0.0.1", () => ready(door));
});
const close = async (door) => {
  for (const stream of streams) stream.destroy();
  await new Promise((closed) => door.close(closed));
};

let door = await lead(first, 0);
const { port } = door.address();
await close(door);
const room = new Room(`ws://127.0.0.1:${port}/ws`, "notes", () => {});
const refused = async () => { const before = room.socket; await until(() => room.socket !== before); };
await refused();
door = await lead(first, port);
await until(() => room.writable);
room.edit(["Here"]);
await until(() => !room.outstanding);

// What is written meanwhile is saved afterwards.
await close(door);
await refused();
room.edit([4, ", there"]);
await refused();
assert.ok(room.outstanding && room.writable);
door = await lead(first, port);
await until(() => !room.outstanding);

// A server without this room's history has another room of its name. Nothing of the old one gets into that, nor is thrown away.
await close(door);
room.edit([11, " and away"]);
await lead(second, port);
await until(() => room.lost.length && room.writable);
assert.equal(room.text, "");
assert.match(room.lost[0], /^room_replaced: .*\nHere, there and away$/);
room.edit(["Anew"]);
await until(() => !room.outstanding);
assert.equal(room.text, "Anew");
assert.equal(room.lost.length, 1);
process.stdout.write("held\n", () => process.exit(0));
