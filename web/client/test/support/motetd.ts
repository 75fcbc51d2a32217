import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../../..");

/** The server's program: MOTETD, or what cargo has built. */
export function program(): string {
  const found = [process.env["MOTETD"], join(ROOT, "target/release/motetd"), join(ROOT, "target/debug/motetd")].find((path) => path && existsSync(path));
  if (!found) throw new Error("there is no motetd: build it (cargo build --release --bin motetd), or name it in MOTETD");
  return found;
}

/** A server that runs, with a directory of its own. It can be killed and started again at the same address. */
export class Motetd {
  address = "";
  readonly #data = mkdtempSync(join(tmpdir(), "motet-"));
  readonly #options: string[];
  #process: ChildProcess | null = null;

  constructor(...options: string[]) {
    this.#options = options;
  }

  /** Starts it; again, at the address that it had. */
  async start(): Promise<this> {
    const process_ = spawn(program(), ["--data", this.#data, "--http", this.address || "127.0.0.1:0", "--tcp", "127.0.0.1:0", ...this.#options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = process_;
    let log = "";
    process_.stderr!.on("data", (data: Buffer) => (log = (log + data.toString()).slice(-4_000)));
    this.address = await new Promise((resolve, reject) => {
      let out = "";
      process_.stdout!.on("data", (data: Buffer) => {
        out += data.toString();
        const ready = /http=(\S+)/.exec(out);
        if (ready) resolve(ready[1]!);
      });
      process_.once("exit", (code) => reject(new Error(`motetd ended with ${code}: ${log}`)));
    });
    return this;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const process_ = this.#process;
    if (!process_ || process_.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => process_.once("exit", () => resolve()));
    process_.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** The text of a room, over HTTP. */
  async text(room: string): Promise<string> {
    const answer = await fetch(`http://${this.address}/api/rooms/${room}/text`);
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.text();
  }
}
