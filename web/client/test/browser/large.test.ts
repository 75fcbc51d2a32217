import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";

import { Motet } from "../../src/index.js";
import { holds, Pages } from "../support/browser.js";
import { Motetd } from "../support/motetd.js";
import { pause, until } from "../support/wait.js";

const pages = new Pages();
let server: Motetd;

beforeAll(async () => {
  await pages.start();
  server = await new Motetd("--durability", "os", "--cors-origin", pages.origin).start();
});
afterAll(async () => {
  await pages.stop();
  await server?.stop();
});

test.each([
  ["5 MB in lines", "const x = 'the quick brown fox 😀 jumps'; // été\n".repeat(100_000)],
  ["1 MB in one line", "x😀".repeat(260_000)],
])("%s can be opened and edited by two", async (what, text) => {
  const name = what.toLowerCase().replaceAll(/[^a-z0-9]/g, "-");
  const motet = new Motet({ url: `http://${server.address}`, WebSocket, storage: null });
  const ida = motet.room(name, { create: true });
  await ida.whenSynced;
  ida.edit({ from: 0, insert: text });
  await until(() => !ida.hasUnsyncedChanges, "the upload", 60_000);
  const page = await (await pages.context()).newPage();
  const start = Date.now();
  await page.goto(pages.address({ url: `http://${server.address}`, room: name, name: "Zoë" }));
  await holds(page, "room.synced && view.state.doc.length === room.doc.length", 30_000);
  const opened = Date.now() - start;
  await page.click(".cm-content");
  await page.keyboard.press("Control+Home");
  await page.evaluate("frames.length = 0");
  // Another types at the end, 20 times a second, while the page is typed in.
  const typing = page.keyboard.type("typed by the page 😀 ", { delay: 50 });
  for (let i = 0; i < 40; i++) {
    ida.edit({ from: ida.doc.length, insert: "😀" });
    await pause(25);
  }
  await typing;
  await holds(page, "room.save.state === 'saved'", 30_000);
  const frame = await page.evaluate<number>("frames.sort((a, b) => a - b)[Math.floor(frames.length / 2)]");
  console.log(`${what}: opened in ${opened} ms with the page itself, median frame ${frame.toFixed(1)} ms while two type`);
  await until(() => ida.text.startsWith("typed by the page 😀 "));
  await holds(page, `room.text.endsWith(${JSON.stringify("😀".repeat(40))}) && view.state.doc.length === room.doc.length`);
  expect(await page.evaluate("errors")).toEqual([]);
  motet.destroy();
  await page.context().close();
});
