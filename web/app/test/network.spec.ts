import { caret, equal, expect, Proxy, ready, saved, Server, shown, test, visitor, watch, writable } from "./fixtures";

const save = "[data-testid=save]";

test("a dead line is noticed and said, and what was missed comes in", async ({ someone, server, room }) => {
  test.slow();
  const proxy = await new Proxy(() => server.port).start();
  const [zoe, ben] = [await someone("Zoë", { url: proxy.url }), await someone("Ben")];
  await writable(zoe); await writable(ben);
  proxy.hold();
  await caret(ben, 0);
  await ben.keyboard.type("meanwhile ");
  await expect(zoe.locator(save)).toContainText("Offline", { timeout: 45_000 });
  await caret(zoe, 0);
  await zoe.keyboard.type("typed offline ");
  await expect(zoe.locator(save)).toContainText("kept on this device");
  proxy.release({ drop: true });
  await expect(zoe.locator(save)).toContainText("Saved", { timeout: 40_000 });
  const text = await equal([zoe, ben], server, room);
  expect(text).toContain("meanwhile ");
  expect(text).toContain("typed offline ");
  await proxy.stop();
});

test("what was typed offline arrives once, from a later tab", async ({ browser, server, room, problems }) => {
  const proxy = await new Proxy(() => server.port).start();
  const context = await visitor(browser, "Zoë");
  const first = await context.newPage();
  watch(first, problems);
  await first.goto(`${proxy.url}/r/${room}`);
  await writable(first);
  await caret(first, 0);
  await first.keyboard.type("online. ");
  await saved(first);
  proxy.cut();
  await expect(first.locator(save)).toContainText("Offline");
  await first.keyboard.type("offline.");
  await expect(first.locator(save)).toContainText(/kept on this device/);
  await first.close();
  proxy.release();
  const later = await context.newPage();
  watch(later, problems);
  await later.goto(`${proxy.url}/r/${room}`);
  await ready(later);
  await expect.poll(() => server.text(room), { timeout: 20_000 }).toBe("online. offline.");
  await expect.poll(() => shown(later)).toBe("online. offline.");
  await context.close();
  await proxy.stop();
});

test("kill -9 of the server under three browsers that type loses and doubles nothing", async ({ browser, room, problems }) => {
  test.slow();
  const server = await new Server([]).start();
  const contexts = await Promise.all(["Zoë", "Ben", "Ida"].map((name) => visitor(browser, name)));
  const pages = await Promise.all(contexts.map(async (context) => {
    const page = await context.newPage();
    watch(page, problems);
    await page.goto(`${server.url}/r/${room}`);
    await writable(page);
    return page;
  }));
  const type = pages.map(async (page, i) => {
    await caret(page, 0);
    for (let n = 0; n < 40; n++) { await page.keyboard.type(`${"abc"[i]}${n}.`); await page.waitForTimeout(20); }
  });
  await pages[0]!.waitForTimeout(500);
  await server.kill();
  await pages[0]!.waitForTimeout(800);
  await server.start();
  await Promise.all(type);
  for (const page of pages) await expect(page.locator(save)).toContainText("Saved", { timeout: 40_000 });
  const text = await equal(pages, server, room);
  for (const letter of "abc") for (let n = 0; n < 40; n++) expect(text.split(`${letter}${n}.`).length - 1, `${letter}${n} in ${text}`).toBe(1);
  for (const context of contexts) await context.close();
  await server.stop();
});
