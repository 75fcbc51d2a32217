import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { caret, expect, saved, test, visitor, writable } from "./fixtures";

async function clean(page: Page, view: string): Promise<void> {
  // Animations change colours on their way.
  await page.waitForTimeout(350);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect.soft(violations.map(({ id, nodes }) => `${view}: ${id}: ${nodes.slice(0, 4).map((node) => `${node.target.join(" ")} ${node.failureSummary?.split("\n")[1] ?? ""}`).join(" | ")}`)).toEqual([]);
}

for (const theme of ["light", "dark"] as const) {
  test(`axe finds nothing in any view, ${theme}`, async ({ browser, someone, server }) => {
    test.slow();
    const context = await visitor(browser, "Zoë", { dark: theme === "dark" });
    const page = await someone("Zoë", { context });
    const ben = await someone("Ben Bright", { hue: "gold" });
    await writable(page); await writable(ben);
    await clean(page, "empty room");
    await caret(ben, 0);
    await ben.keyboard.insertText("# Title\n\nfn main() { let x = 1; } // words\n");
    await saved(ben);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("language");
    await page.keyboard.press("Enter");
    await page.getByRole("combobox").fill("rust");
    await clean(page, "language picker");
    await page.keyboard.press("Enter");
    await caret(page, 2, 7);
    await clean(page, "text");
    for (const [tab, name] of [["people", "People"], ["chat", "Chat"], ["comments", "Comments"], ["history", "History"]] as const) {
      if (tab === "people") await page.getByRole("button", { name: /^Panel/ }).click();
      else await page.getByRole("tab", { name }).click();
      if (tab === "chat") { await page.getByRole("textbox", { name: "Message" }).fill("A message"); await page.keyboard.press("Enter"); await expect(page.locator(".message")).toBeVisible(); }
      if (tab === "comments") { await page.getByRole("button", { name: "Comment", exact: true }).click(); await page.getByRole("textbox", { name: "Comment" }).fill("Why?"); await page.keyboard.press("Enter"); await expect(page.getByRole("article")).toBeVisible(); }
      await clean(page, tab);
    }
    await page.getByRole("button", { name: "Look back" }).click();
    await expect(page.locator(".past-text[data-revision]")).toBeVisible();
    await clean(page, "past");
    await page.getByRole("button", { name: "Against now" }).click();
    await clean(page, "difference");
    await page.getByRole("button", { name: "Back to now" }).first().click();
    await page.keyboard.press("Control+f");
    await clean(page, "search");
    await page.keyboard.press("Escape");
    for (const command of ["Share", "Room settings", "Preferences", "Keys", "Statistics", "Sign in", "Name this version", "Go to line"]) {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").fill(command);
      await page.keyboard.press("Enter");
      await expect(page.getByRole("dialog")).toBeVisible();
      await clean(page, command);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    }
    await page.keyboard.press("Control+k");
    await clean(page, "palette");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Menu" }).click();
    await clean(page, "menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^You are/ }).click();
    await clean(page, "name card");
    await page.goto(server.url);
    await expect(page.getByRole("link", { name: /room-/ }).first()).toBeVisible();
    await clean(page, "rooms");
    await page.getByRole("button", { name: "New room" }).click();
    await clean(page, "new room");
  });
}

test("the first visit: a list, a new room, its language, and back", async ({ someone, server }) => {
  const page = await someone("Zoë", { room: null });
  await page.getByRole("button", { name: "New room" }).click();
  await page.getByLabel("Title").fill("Café notes");
  await expect(page.getByLabel("Address")).toHaveValue("cafe-notes");
  await page.getByLabel("Begin with").selectOption("meeting");
  await page.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(`${server.url}/r/cafe-notes`);
  await expect(page.locator(".cm-content")).toContainText("Agenda");
  await expect(page.getByRole("button", { name: "Language: Markdown" })).toBeVisible();
  await page.getByRole("link", { name: "All rooms" }).click();
  await page.getByRole("searchbox").fill("meeting caf");
  await expect(page.getByRole("link", { name: /Café notes/ })).toBeVisible();
});

test("a wrong name in the address opens no room", async ({ someone }) => {
  const page = await someone("Zoë", { room: null });
  await page.goto(`${page.url()}r/Demo`);
  await expect(page.getByRole("heading")).toContainText("not a room's name");
});

test("a large text opens with its colours off, in words, and is edited", async ({ someone, server, room }) => {
  await server.post("rooms", { room, text: "let x = 1; // words and words\n".repeat(36_000), settings: { language: "javascript" } });
  const page = await someone("Zoë");
  await writable(page);
  await expect(page.getByRole("contentinfo")).toContainText("colours are off");
  await caret(page, 0);
  await page.keyboard.type("!");
  await saved(page);
  expect((await server.text(room)).startsWith("!let x")).toBe(true);
});

test("on a phone the panels come as a sheet", async ({ browser, someone }) => {
  const context = await visitor(browser, "Zoë", { phone: true });
  const page = await someone("Zoë", { context });
  await writable(page);
  await page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name: "Chat" }).tap();
  await expect(page.getByRole("textbox", { name: "Message" })).toBeVisible();
  await clean(page, "phone");
  const [sheet, view] = [(await page.locator(".dock").boundingBox())!, page.viewportSize()!];
  expect(sheet.width).toBe(view.width);
});
