// The small client, typing at random: node main.mjs URL ROOM EDITS SEED. Says "done" when its edits are acknowledged, and
// its text as JSON once that begins with END.
import { Room } from "../../../../web/client.mjs";

const [url, name, edits, seed] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
let state = seed >>> 0;
const random = (below) => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
};

let [made, said] = [0, false];
const room = new Room(url, name, () => {});
const words = ["a", "-5", "ß", "𝄞", "é\n", "forward"];
const step = () => {
  if (room.revision !== undefined && made < edits) {
    // Mostly with an edit outstanding, so that buffers gather and are transformed.
    const length = [...room.text].length;
    const at = random(length + 1);
    const gone = length > 400 ? random(Math.min(20, length - at) + 1) : random(Math.min(3, length - at) + 1);
    const op = [at, words[random(words.length)], -gone, length - at - gone].filter((c) => typeof c === "string" || c !== 0);
    room.edit(op);
    made += 1;
    if (made % 500 === 0) room.socket.close(); // Lost connections are resumed.
  }
  if (made === edits && !room.outstanding && !said) { said = true; console.log("done"); }
  if (said && room.text.startsWith("END")) { console.log(JSON.stringify(room.text)); process.exit(0); }
  setTimeout(step, made % 7 === 0 ? 1 : 0);
};
step();
