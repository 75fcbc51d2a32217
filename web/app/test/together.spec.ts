import { caret, equal, expect, saved, selection, shown, test, writable } from "./fixtures";
import { program } from "./json";

test("two browsers and a program type in one room at once and end equal", async ({ someone, server, room }) => {
  const bot = await program(server.url, room);
  bot.room.edit({ from: 0, insert: "first\r\nשלום עולם\r\ne\u0301 👩🏽‍🚀\r\n" });
  const [zoe, ben] = [await someone("Zoë", { hue: "rose" }), await someone("Ben")];
  for (const page of [zoe, ben]) { await writable(page); await page.waitForFunction(() => (window as never as { motet: { room: { text: string } } }).motet.room.text.includes("שלום")); }
  await caret(zoe, 5);
  await caret(ben, 0);
  await Promise.all([
    zoe.keyboard.type(" 𝄞 naïve\nlast 👍🏽", { delay: 12 }),
    ben.keyboard.type("مرحبا e\u0301\n", { delay: 15 }),
    (async () => { for (let i = 0; i < 20; i++) { bot.room.edit({ from: bot.room.text.length, insert: i % 5 ? "🎉" : "\r\n" }); await new Promise((done) => setTimeout(done, 15)); } })(),
  ]);
  await expect.poll(() => bot.room.hasUnsyncedChanges).toBe(false);
  const end = await equal([zoe, ben], server, room);
  await expect.poll(() => bot.room.text).toBe(end);
  expect(end).toContain("first 𝄞 naïve\r\nlast 👍🏽\r\n");
  expect(end.replaceAll("\r\n", "")).not.toContain("\n");
  expect(await shown(zoe)).toBe(end.replaceAll("\r\n", "\n"));
  bot.motet.destroy();
});

test("others' carets, names and selections are seen in their colours", async ({ someone }) => {
  const [zoe, ben] = [await someone("Zoë", { hue: "rose" }), await someone("Ben", { hue: "teal" })];
  await writable(zoe); await writable(ben);
  await caret(zoe, 0);
  await zoe.keyboard.type("one\ntwo");
  await expect(ben.locator(".cm-motet-flag")).toHaveText("Zoë");
  const color = await ben.locator(".cm-motet-caret").first().evaluate((caret) => getComputedStyle(caret).backgroundColor);
  expect(color).toBe("rgb(180, 56, 86)");
  await caret(zoe, 4, 7);
  await expect(ben.locator(".cm-motet-selection")).toHaveCount(1);
  await expect(ben.getByRole("button", { name: /Follow Zoë/ }).first()).toBeVisible();
  await zoe.close();
  await expect(ben.locator(".cm-motet-caret")).toHaveCount(0);
});

test("undo takes back one's own work only, also after a reload", async ({ someone }) => {
  const [zoe, ben] = [await someone("Zoë"), await someone("Ben")];
  await writable(zoe); await writable(ben);
  await caret(zoe, 0);
  await zoe.keyboard.type("ZOE ");
  await saved(zoe);
  await expect.poll(() => shown(ben)).toBe("ZOE ");
  await caret(ben, 4);
  await ben.keyboard.type("BEN");
  await saved(ben);
  await expect.poll(() => shown(zoe)).toBe("ZOE BEN");
  await zoe.reload();
  await writable(zoe);
  await expect.poll(() => shown(zoe)).toBe("ZOE BEN");
  await caret(zoe, 0);
  await zoe.keyboard.press("Control+z");
  await expect.poll(() => shown(zoe)).toBe("BEN");
  await expect.poll(() => shown(ben)).toBe("BEN");
  await zoe.keyboard.press("Control+y");
  await expect.poll(() => shown(ben)).toBe("ZOE BEN");
});

test("a composition of an input method arrives as it was composed while another types", async ({ someone, server, room }) => {
  const [zoe, ben] = [await someone("Zoë"), await someone("Ben")];
  await writable(zoe); await writable(ben);
  await caret(ben, 0);
  await ben.keyboard.type("abc ");
  await expect.poll(() => shown(zoe)).toBe("abc ");
  await caret(zoe, 4);
  const input = await zoe.context().newCDPSession(zoe);
  for (const text of ["s", "sh", "shi", "shij", "shijie", "世界"]) {
    await input.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
    await caret(ben, 0);
    await ben.keyboard.type("x");
  }
  await input.send("Input.insertText", { text: "世界" });
  expect(await equal([zoe, ben], server, room)).toBe("xxxxxxabc 世界");
});

test("typing over a selection keeps what another inserts at its edge; a backward selection stays one", async ({ someone, server, room }) => {
  const bot = await program(server.url, room);
  bot.room.edit({ from: 0, insert: "abc def ghi" });
  const zoe = await someone("Zoë");
  await writable(zoe);
  await caret(zoe, 7, 4);
  bot.room.edit({ from: 7, insert: "!" });
  await expect.poll(() => shown(zoe)).toBe("abc def! ghi");
  bot.room.edit({ from: 0, insert: "> " });
  await expect.poll(() => shown(zoe)).toBe("> abc def! ghi");
  expect(await selection(zoe)).toEqual([9, 6]);
  await zoe.keyboard.type("X");
  expect(await equal([zoe], server, room)).toBe("> abc X! ghi");
  bot.motet.destroy();
});
