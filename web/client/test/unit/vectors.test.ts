import { spawn } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";

import { Machine } from "../../src/ot/machine.js";
import { Composer } from "../../src/ot/changes.js";
import { fromWire } from "../../src/ot/wire.js";
import { stringOf, textOf } from "../../src/text/text.js";
import type { WireOperation } from "../../src/wire.js";
import { Random } from "../support/random.js";

interface Session {
  seed: number;
  text: string;
  steps: { edit?: WireOperation; entry?: [number, WireOperation]; ack?: [number, number]; send?: [number, number, WireOperation] }[];
  after: string;
}

/** Goes through a session of the Rust kernel: each submit, and the text at the end, must be the same. */
function follow(session: Session): void {
  const machine = new Machine(0, textOf(session.text), 0);
  const random = new Random(session.seed);
  let editor = machine.text;
  const composer = new Composer();
  session.steps.forEach((step, i) => {
    const where = `seed ${session.seed}, step ${i}`;
    if (step.edit) {
      // What is typed counts on everything received.
      const all = composer.finish();
      if (all) editor = all.apply(editor);
      const changes = fromWire(machine.text, step.edit);
      machine.edit(changes);
      editor = changes.apply(editor);
    } else if (step.entry) composer.add(machine.remote(...step.entry).text);
    else machine.acknowledged(...step.ack!);
    const begun = machine.begin();
    const outgoing = machine.outgoing();
    expect(begun ? [outgoing!.seq, outgoing!.base, (outgoing!.command as { edit: WireOperation }).edit] : undefined, where).toEqual(step.send);
    // Written down and read again, a machine is the same.
    if (random.chance(0.05)) {
      const again = Machine.restore(machine.base, JSON.parse(JSON.stringify(machine.record())));
      expect(stringOf(again.text), where).toBe(stringOf(machine.text));
      expect(again.outgoing(), where).toEqual(machine.outgoing());
    }
  });
  expect(stringOf(machine.text), `seed ${session.seed}`).toBe(session.after);
  const rest = composer.finish();
  expect(stringOf(rest ? rest.apply(editor) : editor), `seed ${session.seed}, composed`).toBe(session.after);
}

async function followAll(lines: Readable): Promise<number> {
  let sessions = 0;
  for await (const line of createInterface({ input: lines })) {
    follow(JSON.parse(line) as Session);
    sessions++;
  }
  return sessions;
}

test("sessions of the Rust kernel that are kept beside this test give the same submits and texts", async () => {
  expect(await followAll(createReadStream(join(import.meta.dirname, "../vectors/kernel.jsonl")))).toBe(60);
});

const PROGRAM = process.env["MOTET_VECTORS"] ?? join(import.meta.dirname, "../../../../target/release/examples/kernel_vectors");

// The program: cargo build --release -p motet-protocol --example kernel_vectors
test.runIf(process.env["MOTET_LONG"])("60,000 random sessions of the Rust kernel give the same submits and texts", async () => {
  expect(existsSync(PROGRAM), `${PROGRAM} is there`).toBe(true);
  const sessions = Number(process.env["MOTET_SESSIONS"] ?? 60_000);
  const rust = spawn(PROGRAM, [String(sessions), process.env["MOTET_SEED"] ?? String(Date.now() % 1e9)], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await followAll(rust.stdout)).toBe(sessions);
});
