import type { CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { Motet, type Room } from "../../src/index.js";
import { holds, Pages } from "../support/browser.js";
import { Motetd } from "../support/motetd.js";
import { Proxy } from "../support/proxy.js";
import { until } from "../support/wait.js";

const pages = new Pages();
let server: Motetd;
let proxy: Proxy;
const clients: Motet[] = [];
let number = 0;

beforeAll(async () => {
  await pages.start();
  server = await new Motetd("--durability", "os", "--cors-origin", pages.origin).start();
  proxy = await new Proxy(() => server.address).start();
});
afterAll(async () => {
  clients.forEach((client) => client.destroy());
  await pages.stop();
  proxy?.stop();
  await server?.stop();
});

/** Someone else in the room, who is no browser. */
async function other(room: string): Promise<Room> {
  const motet = new Motet({ url: `http://${server.address}`, WebSocket, storage: null, name: "Ida" });
  clients.push(motet);
  const opened = motet.room(room, { create: true });
  await opened.whenSynced;
  return opened;
}

const open = async (page: Page, room: string, editor = "codemirror") => {
  await page.goto(pages.address({ url: `http://127.0.0.1:${proxy.port}`, room, name: "Zoë", editor }));
  await holds(page, "room.synced && shown() === room.text.replace(/\\r\\n?/g, '\\n')");
};
const saved = (page: Page) => holds(page, "room.save.state === 'saved' && room.synced");
const shown = (page: Page) => page.evaluate<string>("shown()");
const focus = (page: Page) => page.click("body > textarea, .cm-content, .monaco-editor .view-lines");
const noErrors = async (page: Page) => expect(await page.evaluate("errors")).toEqual([]);

/** Composes with an input method, as Chromium's own protocol drives it. */
async function compose(page: Page, steps: string[], between: (step: number) => Promise<void>): Promise<void> {
  const cdp: CDPSession = await page.context().newCDPSession(page);
  for (const [i, text] of steps.entries()) {
    await cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
    await between(i);
  }
  await cdp.send("Input.insertText", { text: steps[steps.length - 1]! });
  await cdp.detach();
}

describe.each(["codemirror", "textarea", "monaco"])("%s", (editor) => {
  const room = () => `${editor}-${++number}`;

  test("a page and another client type in one text with line ends of all kinds", async () => {
    const name = room();
    const ida = await other(name);
    ida.edit({ from: 0, insert: "one\r\ntwo\nthree\rfour 😀\r\n" });
    const page = await (await pages.context()).newPage();
    await open(page, name, editor);
    await focus(page);
    await page.keyboard.press("Control+End");
    await page.keyboard.type("typed\nhere");
    ida.edit({ from: 0, insert: "zero\r\n" });
    await holds(page, "room.text.startsWith('zero')");
    await saved(page);
    await until(() => ida.text === "zero\r\none\r\ntwo\nthree\rfour 😀\r\ntyped\r\nhere", () => JSON.stringify(ida.text));
    expect(await shown(page)).toBe("zero\none\ntwo\nthree\nfour 😀\ntyped\nhere");
    expect(await server.text(name)).toBe(ida.text);
    await noErrors(page);
    await page.context().close();
  });

  test("what an input method composes while another types arrives as it was composed", async () => {
    const name = room();
    const ida = await other(name);
    ida.edit({ from: 0, insert: "start end" });
    const page = await (await pages.context()).newPage();
    await open(page, name, editor);
    await focus(page);
    await page.keyboard.press("Control+End");
    await compose(page, ["s", "sh", "shi", "shij", "shijie", "世界"], async (step) => {
      ida.edit({ from: 0, insert: String(step) });
      await new Promise((resolve) => setTimeout(resolve, 60));
    });
    await saved(page);
    await until(() => ida.text === "543210start end世界", () => JSON.stringify(ida.text));
    await holds(page, "shown() === '543210start end世界'");
    await noErrors(page);
    await page.context().close();
  });

  test("typing over a selection keeps the letters that another puts at its edge; a backward selection stays one", async () => {
    const name = room();
    const ida = await other(name);
    ida.edit({ from: 0, insert: "abcdef" });
    const page = await (await pages.context()).newPage();
    await open(page, name, editor);
    await focus(page);
    await page.keyboard.press("Control+End");
    await page.keyboard.press("ArrowLeft");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Shift+ArrowLeft"); // "cde", backward
    ida.edit({ from: 2, insert: "<" });
    ida.edit({ from: 6, insert: ">" });
    await holds(page, "shown() === 'ab<cde>f'");
    await until(() => JSON.stringify(ida.others[0]?.presence?.selections) === '[{"anchor":6,"head":3}]', () => JSON.stringify(ida.others));
    await page.keyboard.type("X");
    await saved(page);
    await until(() => ida.text === "ab<X>f", () => ida.text);
    await noErrors(page);
    await page.context().close();
  });

  test("undo takes back one's own and leaves the others' text, also after a reload", async () => {
    const name = room();
    const ida = await other(name);
    const page = await (await pages.context()).newPage();
    await open(page, name, editor);
    await focus(page);
    await page.keyboard.type("mine");
    await saved(page);
    ida.edit({ from: 2, insert: "IDA" });
    await holds(page, "shown() === 'miIDAne'");
    await page.waitForTimeout(600); // Another group of the history.
    await page.keyboard.press("Control+End");
    await page.keyboard.type("!");
    await saved(page);
    await page.keyboard.press("Control+z");
    await saved(page);
    expect(await shown(page)).toBe("miIDAne");
    await page.evaluate("room.flush()");
    await page.reload();
    await holds(page, "room.synced && shown() === 'miIDAne'");
    ida.edit({ from: 0, insert: "<" });
    await holds(page, "shown() === '<miIDAne'");
    await focus(page);
    await page.keyboard.press("Control+z");
    await saved(page);
    await until(() => ida.text === "<IDA", () => ida.text);
    await page.keyboard.press("Control+y");
    await until(() => ida.text === "<miIDAne", () => ida.text);
    await noErrors(page);
    await page.context().close();
  });

  test("typed without a network, the page closed: delivered once from a later page", async () => {
    const name = room();
    const ida = await other(name);
    const context = await pages.context();
    const page = await context.newPage();
    await open(page, name, editor);
    await focus(page);
    await page.keyboard.type("before ");
    await saved(page);
    proxy.hold(true, true);
    await page.keyboard.type("offline");
    await holds(page, "room.save.state === 'offline' && room.save.kept && room.save.waiting > 0", 5_000);
    await page.evaluate("room.flush()");
    await page.close();
    proxy.cut();
    proxy.hold(false, false);
    const later = await context.newPage();
    await open(later, `${name}-elsewhere`, editor);
    await until(() => ida.text === "before offline", () => ida.text);
    await holds(later, "motet.kept().then((kept) => kept.length === 0)");
    await noErrors(later);
    await context.close();
  });
});

describe("codemirror", () => {
  test("kill -9 of the server under three pages that type loses and doubles nothing", async () => {
    const name = `killed-${++number}`;
    const context = await pages.context();
    const three = [await context.newPage(), await context.newPage(), await (await pages.context()).newPage()];
    for (const page of three) await open(page, name);
    for (let round = 0; round < 2; round++) {
      const typing = three.map(async (page, i) => {
        await focus(page);
        await page.keyboard.type(String.fromCharCode(0x4e00 + round * 3 + i).repeat(25), { delay: 12 });
      });
      await new Promise((resolve) => setTimeout(resolve, 150));
      await server.kill();
      await Promise.all(typing);
      await server.start();
      for (const page of three) await saved(page);
    }
    const text = await server.text(name);
    for (let i = 0; i < 6; i++) expect([...text].filter((c) => c === String.fromCharCode(0x4e00 + i))).toHaveLength(25);
    for (const page of three) await holds(page, `shown() === ${JSON.stringify(text)}`);
    for (const page of three) await noErrors(page);
    await context.close();
  });

  test("a role taken away while typing: the page says so, keeps the draft, and shows the server's text", async () => {
    const name = `role-${++number}`;
    const ida = await other(name);
    const page = await (await pages.context()).newPage();
    await open(page, name);
    await focus(page);
    await page.keyboard.type("allowed");
    await saved(page);
    const participant = await page.evaluate<string>("motet.participant");
    proxy.hold(false, true); // The page does not hear of it at once.
    await ida.settings.setRole({ participant }, { role: "viewer" });
    await page.keyboard.type(" forbidden");
    await page.waitForTimeout(200);
    proxy.hold(false, false);
    await holds(page, "room.save.state === 'refused' && shown() === 'allowed' && !room.writable");
    expect(await page.evaluate("motet.drafts().then((drafts) => drafts.map(({ inserted }) => inserted.join('')).join(''))")).toBe(" forbidden");
    await page.keyboard.type("nothing");
    await page.keyboard.press("Control+z");
    await page.waitForTimeout(100);
    expect(await shown(page)).toBe("allowed");
    expect(ida.text).toBe("allowed");
    await page.context().close();
  });

  test("others' carets are drawn beside the text, with their names, and comments are marked", async () => {
    const name = `carets-${++number}`;
    const ida = await other(name);
    ida.edit({ from: 0, insert: "first\r\nsecond\r\nthird" });
    const page = await (await pages.context()).newPage();
    await open(page, name);
    ida.setPresence({ selections: [{ anchor: 7, head: 13 }] });
    await holds(page, "document.querySelector('.cm-motet-caret .cm-motet-flag')?.textContent === 'Ida'");
    await holds(page, "document.querySelectorAll('.cm-motet-selection').length === 1 && !document.querySelector('.cm-content .cm-motet-caret')");
    await ida.comments.open(7, 13, "why?");
    await holds(page, "document.querySelector('.cm-motet-comment')?.textContent === 'second'");
    await noErrors(page);
    await page.context().close();
  });

  test("250 edits a second from ten people leave the editor usable", async () => {
    const name = `crowd-${++number}`;
    const people = await Promise.all(Array.from({ length: 10 }, () => other(name)));
    people[0]!.edit({ from: 0, insert: "const x = 'the quick brown fox';\n".repeat(600) });
    const page = await (await pages.context()).newPage();
    await open(page, name);
    await focus(page);
    await page.evaluate("frames.length = 0");
    const end = Date.now() + 4_000;
    while (Date.now() < end) {
      for (const room of people) if (room.synced) room.edit({ from: Math.floor(Math.random() * room.doc.length), insert: "x" });
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    const median = await page.evaluate<number>("frames.sort((a, b) => a - b)[Math.floor(frames.length / 2)]");
    console.log(`250 edits/s: median frame ${median.toFixed(1)} ms`);
    await page.keyboard.type("still here");
    await saved(page);
    expect(await server.text(name)).toContain("still here");
    await holds(page, `shown() === ${JSON.stringify(await server.text(name))}`);
    await page.context().close();
  });
});
