import { type Browser, type BrowserContext, expect, type Page, test as base } from "@playwright/test";
import { Proxy } from "./proxy";
import { Server } from "./server";

interface Fixtures { room: string; problems: string[]; someone: (name: string, options?: Options) => Promise<Page> }
interface Options { url?: string; room?: string | null; context?: BrowserContext; hue?: string; dark?: boolean; phone?: boolean }

let rooms = 0;

/** One server for the tests of a worker; what a page breaks of its policy, and what it throws, fails the test. */
export const test = base.extend<Fixtures, { server: Server }>({
  server: [async ({}, use) => {
    const server = await new Server(["--store", "memory", "--durability", "none"]).start();
    await use(server);
    await server.stop();
  }, { scope: "worker" }],
  room: async ({}, use) => { await use(`room-${process.pid}-${++rooms}`); },
  problems: async ({}, use) => { const problems: string[] = []; await use(problems); expect(problems).toEqual([]); },
  someone: async ({ browser, server, room, problems }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (name, options = {}) => {
      const context = options.context ?? (await visitor(browser, name, options));
      contexts.push(context);
      const page = await context.newPage();
      watch(page, problems);
      const at = options.room === undefined ? room : options.room;
      await page.goto(`${options.url ?? server.url}/${at === null ? "" : `r/${at}`}`);
      if (at !== null) await ready(page);
      return page;
    });
    for (const context of contexts) await context.close();
  },
});

export async function visitor(browser: Browser, name: string, { hue = "blue", dark, phone }: Options = {}): Promise<BrowserContext> {
  const context = await browser.newContext({
    colorScheme: dark ? "dark" : "light", permissions: ["camera", "microphone", "clipboard-read", "clipboard-write"],
    ...(phone && { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }),
  });
  await context.addInitScript(([name, color]) => {
    // A browser's own error page has no storage.
    if (location.protocol.startsWith("http") && !localStorage.getItem("motet:preferences")) localStorage.setItem("motet:preferences", JSON.stringify({ name, color }));
    addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  }, [name, hue] as const);
  return context;
}

export function watch(page: Page, problems: string[]): void {
  page.on("pageerror", (error) => problems.push(`${error.message}\n${error.stack}`));
  page.on("console", (message) => { if (message.type() === "error" && /CSP:|Content Security|TrustedHTML/i.test(message.text())) problems.push(message.text()); });
}

export const ready = (page: Page) => page.waitForFunction(() => { const motet = (window as never as W).motet; return motet?.room.synced; });
export const writable = (page: Page) => page.waitForFunction(() => { const motet = (window as never as W).motet; return motet && !motet.view.state.readOnly; });

interface W { motet: { view: { state: { doc: { toString(): string; length: number }; selection: { main: { anchor: number; head: number } }; readOnly: boolean }; dispatch(spec: unknown): void; focus(): void }; room: { text: string; synced: boolean; hasUnsyncedChanges: boolean; revision: number } } }

export const shown = (page: Page) => page.evaluate(() => (window as never as W).motet.view.state.doc.toString());
export const text = (page: Page) => page.evaluate(() => (window as never as W).motet.room.text);
export const selection = (page: Page) => page.evaluate(() => { const { anchor, head } = (window as never as W).motet.view.state.selection.main; return [anchor, head]; });

/** Puts the caret or a selection somewhere, and the focus into the text. */
export const caret = (page: Page, anchor: number, head = anchor) =>
  page.evaluate(([anchor, head]) => { const { view } = (window as never as W).motet; view.focus(); view.dispatch({ selection: { anchor, head } }); }, [anchor, head] as const);

export const saved = (page: Page) => page.waitForFunction(() => { const motet = (window as never as W).motet; return motet?.room.synced && !motet.room.hasUnsyncedChanges; });

/** All have the same text, and it is the server's. */
export async function equal(pages: Page[], server: Server, room: string): Promise<string> {
  for (const page of pages) await saved(page);
  const truth = await server.text(room);
  for (const page of pages) await expect.poll(() => text(page)).toBe(truth);
  return truth;
}

export { expect, Proxy, Server };
