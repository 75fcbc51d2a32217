import { caret, expect, ready, saved, Server, shown, test, visitor, watch, writable } from "./fixtures";

interface Signed { access_token: string }

test("register, share a link with a role, sign in elsewhere, revoke", async ({ browser, problems }) => {
  test.slow();
  const server = await new Server(["--store", "memory", "--durability", "none", "--auth", "accounts"]).start();
  const ann = await visitor(browser, "Ann");
  const page = await ann.newPage();
  watch(page, problems);
  await page.goto(`${server.url}/r/minutes`);
  await expect(page.getByRole("alert")).toContainText("for people with an account");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Account name").fill("ann");
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).click();
  await writable(page);
  await page.keyboard.type("Minutes");
  await saved(page);

  await page.getByRole("button", { name: "Share" }).click();
  await page.getByLabel("Role", { exact: true }).selectOption("editor");
  await page.getByLabel("Label").fill("for Ben");
  await page.getByRole("button", { name: "Make link" }).click();
  const field = page.getByLabel("Link", { exact: true });
  await expect(field).toHaveValue(/#mtl_/);
  const link = await field.inputValue();

  const guest = await visitor(browser, "Ben");
  const ben = await guest.newPage();
  watch(ben, problems);
  await ben.goto(link);
  await writable(ben);
  expect(ben.url()).toBe(`${server.url}/r/minutes`);
  await caret(ben, 7);
  await ben.keyboard.type(" by Ben");
  await saved(ben);
  await expect.poll(() => shown(page)).toBe("Minutes by Ben");
  await ben.reload();
  await writable(ben);

  await page.getByRole("button", { name: "Revoke for Ben" }).click();
  await expect(ben.getByRole("alert")).toBeVisible({ timeout: 15_000 });
  await caret(ben, 0);
  await ben.keyboard.type("x");
  expect(await shown(ben)).toBe("Minutes by Ben");

  const other = await visitor(browser, "Ann");
  const again = await other.newPage();
  watch(again, problems);
  await again.goto(server.url);
  await again.getByRole("button", { name: /^You are/ }).click();
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await again.getByLabel("Account name").fill("ann");
  await again.getByLabel("Password").fill("wrong horse battery");
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(again.getByRole("alert")).toContainText("No account has this name and password");
  await again.getByLabel("Password").fill("correct horse battery");
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(again.getByRole("link", { name: /minutes/ })).toBeVisible();
  expect(JSON.stringify([again.url(), page.url(), ben.url()])).not.toMatch(/mt[alrs]_/);
  await again.getByRole("button", { name: /^You are ann/ }).click();
  await again.getByRole("button", { name: "Sign out" }).click();
  await expect(again.getByRole("button", { name: /^You are Ann/ })).toBeVisible();
  for (const context of [ann, guest, other]) await context.close();
  await server.stop();
});

test("a role that is taken away while typing stops the typing, and loses nothing that was saved", async ({ browser, problems }) => {
  const server = await new Server(["--store", "memory", "--durability", "none", "--auth", "accounts", "--allow-guests", "--guest-role", "editor"]).start();
  const { access_token: token } = await server.post<Signed>("auth/register", { name: "ann", password: "correct horse battery" });
  await server.post("rooms", { room: "notes", text: "begun ", settings: { public: "editor" } }, token);
  const context = await visitor(browser, "Ben");
  const ben = await context.newPage();
  watch(ben, problems);
  await ben.goto(`${server.url}/r/notes`);
  await writable(ben);
  await caret(ben, 6);
  const typing = (async () => { for (let i = 0; i < 60; i++) { await ben.keyboard.type("x"); await ben.waitForTimeout(15); } })();
  await ben.waitForTimeout(300);
  const answer = await fetch(`${server.url}/api/rooms/notes`, { method: "PATCH", headers: { "content-type": "application/json", authorization: `Bearer ${token}` }, body: JSON.stringify({ public: "viewer" }) });
  expect(answer.ok, await answer.text()).toBe(true);
  await expect(ben.getByRole("contentinfo")).toContainText("Can view");
  await typing;
  await expect.poll(async () => (await shown(ben)) === (await server.text("notes", token))).toBe(true);
  const text = await shown(ben);
  expect(text).toMatch(/^begun x+$/);
  await ben.keyboard.press("Control+z");
  expect(await shown(ben)).toBe(text);
  await context.close();
  await server.stop();
});

test("a call of two has sound and picture both ways", async ({ someone }) => {
  const [zoe, ben] = [await someone("Zoë"), await someone("Ben")];
  await zoe.getByRole("button", { name: "Join the call" }).click();
  await expect(ben.locator(".callbar")).toContainText("Zoë is in a call");
  await ben.locator(".callbar").getByRole("button", { name: "Join" }).click();
  for (const page of [zoe, ben]) await page.getByRole("button", { name: "Camera on" }).click();
  for (const [page, other] of [[zoe, "Ben"], [ben, "Zoë"]] as const) {
    const video = page.getByLabel(`Video of ${other}`);
    await expect.poll(() => video.evaluate((element: HTMLVideoElement) => (element.srcObject as MediaStream | null)?.getTracks().filter((track) => track.readyState === "live" && !track.muted).map((track) => track.kind).sort().join()), { timeout: 20_000 }).toBe("audio,video");
    await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.videoWidth)).toBeGreaterThan(0);
  }
  await zoe.getByRole("button", { name: "Leave the call" }).last().click();
  await expect(ben.locator(".tile")).toHaveCount(1);
});

test("name and colour are changed in place, and others see it", async ({ someone }) => {
  const [zoe, ben] = [await someone("Guest A"), await someone("Ben")];
  await ready(ben);
  await zoe.getByRole("button", { name: /^You are Guest A/ }).click();
  await zoe.getByLabel("Your name").fill("Zoë");
  await zoe.getByRole("radio", { name: "gold" }).click();
  await zoe.getByRole("button", { name: "Done" }).click();
  await expect(ben.getByRole("button", { name: /Follow Zoë/ })).toBeVisible();
});
