import { caret, expect, saved, shown, test, writable } from "./fixtures";
import { program } from "./json";

test("chat: messages, replies, reactions, edit, delete, unread", async ({ someone }) => {
  const [zoe, ben] = [await someone("Zoë"), await someone("Ben")];
  await zoe.getByRole("button", { name: /^Panel/ }).click();
  await zoe.getByRole("tab", { name: "Chat" }).click();
  await zoe.getByRole("textbox", { name: "Message" }).fill("Hello @Ben <b>not bold</b>");
  await zoe.keyboard.press("Enter");
  await expect(zoe.locator(".message")).toContainText("<b>not bold</b>");
  await expect(ben).toHaveTitle(/^\(1\)/);
  await ben.getByRole("button", { name: /^Panel, 1 unread/ }).click();
  await expect(ben.locator(".message .mention")).toHaveText("@Ben");
  await expect(ben).not.toHaveTitle(/^\(1\)/);
  await ben.locator(".message").hover();
  await ben.getByRole("button", { name: "React" }).click();
  await ben.getByRole("button", { name: "React with 🎉" }).click();
  await expect(zoe.locator(".reaction")).toHaveText("🎉 1");
  await ben.locator(".message").hover();
  await ben.getByRole("button", { name: "Reply" }).click();
  await ben.getByRole("textbox", { name: "Reply" }).fill("An answer");
  await ben.keyboard.press("Enter");
  await expect(zoe.getByRole("button", { name: "1 reply" })).toBeVisible();
  await zoe.locator(".message").hover();
  await zoe.getByRole("button", { name: "More" }).click();
  await zoe.getByRole("menuitem", { name: "Edit" }).click();
  await zoe.getByRole("textbox", { name: "Edit the message" }).fill("Edited");
  await zoe.keyboard.press("Enter");
  await ben.getByRole("button", { name: "Chat" }).click();
  await expect(ben.locator(".message")).toContainText("Edited");
  await zoe.locator(".message").hover();
  await zoe.getByRole("button", { name: "More" }).click();
  await zoe.getByRole("menuitem", { name: "Delete" }).click();
  await expect(ben.locator(".message")).toContainText("Deleted");
});

test("comments stand at their place, follow it, and do not overlap", async ({ someone }) => {
  const [zoe, ben] = [await someone("Zoë"), await someone("Ben")];
  await writable(zoe); await writable(ben);
  await caret(zoe, 0);
  await zoe.keyboard.insertText("one\ntwo three\nfour\n");
  await saved(zoe);
  for (const [from, to, words] of [[4, 7, "About two"], [8, 13, "About three"]] as const) {
    await caret(zoe, from, to);
    await zoe.keyboard.press("Control+Alt+m");
    await zoe.getByRole("textbox", { name: "Comment" }).fill(words);
    await zoe.keyboard.press("Enter");
    await expect(zoe.getByRole("article").filter({ hasText: words })).toBeVisible();
  }
  const marks = ben.locator(".cm-motet-comment");
  await expect(marks).toHaveText(["two", "three"]);
  await caret(ben, 0);
  await ben.keyboard.type("zero\n\n");
  await caret(ben, 11);
  await ben.keyboard.type("W");
  await expect(zoe.locator(".cm-motet-comment")).toHaveText(["tWwo", "three"]);
  await expect.poll(async () => {
    const boxes = (await Promise.all((await zoe.getByRole("article").all()).map((card) => card.boundingBox()))).map((box) => box!).sort((a, b) => a.y - b.y);
    return boxes.length === 2 && boxes[1]!.y >= boxes[0]!.y + boxes[0]!.height;
  }).toBe(true);
  await marks.first().click();
  const card = ben.getByRole("article").filter({ hasText: "About two" });
  await card.getByRole("textbox", { name: "Reply" }).fill("Right");
  await ben.keyboard.press("Enter");
  await expect(zoe.getByRole("article").filter({ hasText: "About two" })).toContainText("Right");
  await card.getByRole("button", { name: "Resolve" }).click();
  await expect(zoe.locator(".cm-motet-comment:not(.cm-motet-resolved)")).toHaveText(["three"]);
  await zoe.getByRole("button", { name: "Resolved (1)" }).click();
  await zoe.getByRole("article").filter({ hasText: "About two" }).click();
  await zoe.getByRole("button", { name: "Reopen" }).click();
  await expect(ben.locator(".cm-motet-comment:not(.cm-motet-resolved)")).toHaveText(["tWwo", "three"]);
});

test("history shows the text of each revision, its difference to now, and brings it back", async ({ someone, server, room }) => {
  const bot = await program(server.url, room, "Bot");
  const texts = [""];
  for (const insert of ["one\r\n", "two 𝄞\r\n", "three\r\n"]) {
    bot.room.edit({ from: bot.room.text.length, insert });
    await expect.poll(() => bot.room.hasUnsyncedChanges).toBe(false);
    texts[bot.room.revision] = bot.room.text;
  }
  await bot.room.versions.add("draft", { revision: texts.length - 1 });
  const zoe = await someone("Zoë");
  await writable(zoe);
  await zoe.keyboard.press("Control+Shift+h");
  await zoe.getByRole("button", { name: "Look back" }).click();
  const past = zoe.locator(".past-text");
  const slider = zoe.getByRole("slider", { name: "Revision" });
  for (const [revision, text] of texts.entries()) {
    if (!text) continue;
    await slider.fill(String(revision));
    await expect(past).toHaveAttribute("data-revision", String(revision));
    await expect.poll(() => past.locator(".cm-content").evaluate((content) => [...content.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n"))).toBe(text.replaceAll("\r\n", "\n"));
    expect(new URL(zoe.url()).searchParams.get("at")).toBe(String(revision));
  }
  await expect(past.locator(".added")).toHaveText("three");
  const second = texts.findIndex((text) => text?.endsWith("𝄞\r\n"));
  await slider.fill(String(second));
  await zoe.getByRole("button", { name: "Against now" }).click();
  await expect(past.locator(".cm-changedLine")).toContainText("three");
  await zoe.getByRole("button", { name: "Restore" }).click();
  await expect.poll(() => shown(zoe)).toBe("one\ntwo 𝄞\n");
  expect(await server.text(room)).toBe("one\r\ntwo 𝄞\r\n");
  expect(new URL(zoe.url()).searchParams.get("at")).toBeNull();
  await zoe.goto(`${server.url}/r/${room}?at=${texts.indexOf("one\r\n")}`);
  await expect(zoe.locator(".past-text .cm-content")).toContainText("one");
  await expect(zoe.locator(".past-text .cm-content")).not.toContainText("two");
  await zoe.getByRole("button", { name: "Back to now" }).first().click();
  await expect.poll(() => shown(zoe)).toBe("one\ntwo 𝄞\n");
  await zoe.getByRole("button", { name: "Who wrote this" }).click();
  await expect(zoe.locator(".cm-motet-blame").first()).toHaveAttribute("title", /^Bot,/);
  bot.motet.destroy();
});

test("following goes where the other goes, and ends by typing", async ({ someone }) => {
  const [zoe, ben] = [await someone("Zoë"), await someone("Ben")];
  await writable(zoe); await writable(ben);
  await caret(zoe, 0);
  await zoe.keyboard.insertText(Array.from({ length: 300 }, (_, i) => `line ${i + 1}`).join("\n"));
  await saved(zoe);
  await expect.poll(() => shown(ben)).toContain("line 300");
  await ben.getByRole("button", { name: /Follow Zoë/ }).first().click();
  await expect(ben.locator(".following")).toContainText("Following Zoë");
  await caret(zoe, 0);
  await zoe.keyboard.type("!");
  await expect(ben.locator(".cm-line").filter({ hasText: /^!line 1$/ })).toBeVisible();
  await caret(zoe, (await shown(zoe)).length);
  await zoe.keyboard.type("?");
  await expect(ben.locator(".cm-line").filter({ hasText: "line 300?" })).toBeVisible();
  await ben.locator(".cm-content").press("Escape");
  await expect(ben.locator(".following")).toHaveCount(0);
});
