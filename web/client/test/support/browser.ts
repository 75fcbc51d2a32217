import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";

const EXECUTABLE = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Serves the test page, with a content security policy as strict as a page with CodeMirror can have. */
export class Pages {
  origin = "";
  #server: Server | null = null;
  #browser: Browser | null = null;

  async start(): Promise<this> {
    const files = new Map<string, string>();
    for (const name of ["page", "monaco"]) {
      const { outputFiles } = await build({
        entryPoints: [join(import.meta.dirname, `../browser/${name}.ts`)],
        bundle: true,
        format: "esm",
        write: false,
        outdir: "/",
        loader: { ".ttf": "empty" },
        target: "es2022",
        // Monaco's languages are loaded by imports that no test needs.
        logLevel: "error",
      });
      for (const { path, text } of outputFiles) files.set(path, text);
    }
    this.#server = createServer((request, response) => {
      const file = files.get(request.url!);
      if (file !== undefined) {
        response.setHeader("content-type", request.url!.endsWith(".css") ? "text/css" : "text/javascript");
        return response.end(file);
      }
      const name = request.url === "/with-monaco" ? "monaco" : "page";
      response.setHeader("content-type", "text/html; charset=utf-8");
      if (name === "page") {
        response.setHeader("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src http://127.0.0.1:* ws://127.0.0.1:*; require-trusted-types-for 'script'");
      }
      response.end(`<!doctype html><meta charset="utf-8"><title>Test</title><link rel="stylesheet" href="/${name}.css"><body><script type="module" src="/${name}.js"></script>`);
    });
    await new Promise<void>((resolve) => this.#server!.listen(0, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    this.#browser = await chromium.launch({
      executablePath: EXECUTABLE,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    return this;
  }

  /** A browser of its own: nothing of it is shared with another. */
  context() {
    return this.#browser!.newContext();
  }

  address({ editor, ...options }: Record<string, string>): string {
    return `${this.origin}/${editor === "monaco" ? "with-monaco" : ""}#${new URLSearchParams({ ...options, editor: editor ?? "" }).toString()}`;
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    this.#server?.close();
  }
}

/** Waits until a page's expression holds. It is asked over and over: the page's policy lets Playwright put no script of its own into it. */
export async function holds(page: Page, expression: string, ms = 15_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await page.evaluate<boolean>(`Promise.resolve(${expression}).then(Boolean)`))) {
    if (Date.now() > end) {
      const state = await page.evaluate("({ text: room.text.slice(0, 300), shown: shown().slice(0, 300), save: room.save, status: motet.status, errors })");
      throw new Error(`${expression.slice(0, 300)} did not hold; ${JSON.stringify(state)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
