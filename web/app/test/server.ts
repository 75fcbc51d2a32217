import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MOTETD = process.env.MOTETD ?? fileURLToPath(new URL("../../../target/release/motetd", import.meta.url));

/** A real motetd, with a folder of its own. */
export class Server {
  #process: ChildProcess | null = null;
  readonly #data = mkdtempSync(join(tmpdir(), "motet-web-"));
  port = 0;

  constructor(readonly flags: string[] = []) {}

  get url() { return `http://127.0.0.1:${this.port}`; }

  /** Starts it; again on the same port and data after it was killed. */
  async start(): Promise<this> {
    const child = spawn(MOTETD, ["--data", this.#data, "--http", `127.0.0.1:${this.port}`, "--tcp", "127.0.0.1:0", ...this.flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let said = "";
    child.stderr!.on("data", (data) => { said += data; });
    await new Promise<void>((ready, failed) => {
      child.stdout!.on("data", (data: Buffer) => {
        const port = /http=127\.0\.0\.1:(\d+)/.exec(data.toString())?.[1];
        if (port) { this.port = Number(port); ready(); }
      });
      child.once("exit", (code) => failed(new Error(`motetd ended with ${code}: ${said}`)));
      child.once("error", failed);
    });
    return this;
  }

  /** As a power cut ends it. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }

  async text(room: string, token?: string): Promise<string> {
    const answer = await fetch(`${this.url}/api/rooms/${room}/text`, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.text();
  }

  async post<T = unknown>(path: string, body: unknown, token?: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/${path}`, { method: "POST", headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }
}
