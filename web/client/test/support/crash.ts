import { expect, vi } from "vitest";

import type { MotetOptions, RecordKey, RoomRecord, Storage } from "../../src/index.js";
import type { Random } from "./random.js";
import { pause, until } from "./wait.js";

type Client = typeof import("../../src/index.js");

/** A copy of the package of its own, as another tab has: what it holds of sessions is not shared. */
export async function tab(): Promise<Client> {
  vi.resetModules();
  return import("../../src/index.js");
}

/** The place the sessions happen in: a model in memory, or a server that runs. */
export interface World {
  options(): Pick<MotetOptions, "url" | "WebSocket" | "times">;
  /** Cuts every line. */
  cut(): void;
  /** Holds every line in a direction, or lets go of it. */
  hold(up: boolean, down: boolean): void;
  text(room: string): Promise<string>;
}

/** A disk that many tabs share, with writes that take a moment. A tab that has crashed writes no more. */
class Disk {
  readonly records = new Map<string, string>();

  tab(random: Random): Storage & { crashed: boolean } {
    const { records } = this;
    const key = ({ server, room, session }: RecordKey) => JSON.stringify([server, room, session]);
    const storage = {
      durable: true,
      crashed: false,
      async put(record: RoomRecord) {
        const json = JSON.stringify(record);
        await pause(random.below(3));
        if (storage.crashed) return new Promise<void>(() => {});
        records.set(key(record), json);
        await pause(random.below(2));
      },
      async remove(which: RecordKey) {
        await pause(random.below(2));
        if (!storage.crashed) records.delete(key(which));
      },
      async get(which: RecordKey) {
        const found = records.get(key(which));
        return found ? (JSON.parse(found) as RoomRecord) : null;
      },
      async list() {
        return [...records.values()].map((json) => JSON.parse(json) as RoomRecord);
      },
      async keepDraft() {
        throw new Error("nothing may become a draft here");
      },
      async drafts() {
        return [];
      },
      async dropDraft() {},
    };
    return storage;
  }
}

let next = 0;

/**
 * One session: a tab types unique words while another person writes; its line is cut and held at random; it crashes at a random moment; then
 * tabs deliver what it left, two at once, cut off at random, and again. Each word that was written down or sent is there exactly once, none
 * twice.
 */
export async function crashSession(world: World, random: Random, tabs: readonly Client[], seed: number): Promise<void> {
  const room = `s${process.pid}-${seed}-${next++}`;
  const disk = new Disk();
  const open = (client: Client, storage: Storage | null, name: string) =>
    new client.Motet({ ...world.options(), storage, name, courier: storage !== null });
  const other = open(tabs[0]!, null, "other");
  const typing = disk.tab(random);
  const typist = open(tabs[0]!, typing, "typist");
  const [theirs, mine] = [other.room(room, { create: true, presence: false }), typist.room(room, { create: true, presence: false })];
  const clients = [other, typist];
  try {
    await Promise.all([theirs.whenSynced, mine.whenSynced]);
    theirs.edit({ from: 0, insert: "0123456789" });
    const words: string[] = [];
    for (let step = 0, steps = 2 + random.below(12); step < steps; step++) {
      const act = random.below(8);
      if (act < 4) {
        const word = String.fromCharCode(0x4e00 + step); // One character, which nothing can be inserted into.
        words.push(word);
        mine.edit({ from: random.below(Math.max(1, mine.doc.length)), insert: word });
      } else if (act < 6 && theirs.writable) theirs.edit({ from: random.below(theirs.doc.length + 1), insert: random.pick(["o", "oo", "é", "😀"]) });
      else if (act === 6) world.cut();
      else {
        const [up, down] = [random.chance(0.5), random.chance(0.5)];
        world.hold(up, down);
        setTimeout(() => world.hold(false, false), 5 + random.below(10));
      }
      await pause(random.below(4));
    }
    // The crash: nothing is written or said from here on.
    typing.crashed = true;
    const kept = [...disk.records.values()].join();
    typist.destroy();
    world.hold(false, false);
    for (let round = 0; round < 2; round++) {
      const couriers = tabs.map((client, i) => open(client, disk.tab(random), `courier ${i}`));
      clients.push(...couriers);
      await until(() => couriers.every(({ status }) => status === "connected"), "the couriers' connections");
      const delivering = couriers.map((courier) => courier.deliver());
      theirs.edit({ from: theirs.doc.length, insert: "o" });
      if (random.chance(0.5)) {
        await pause(random.below(8));
        world.cut();
      }
      await Promise.all(delivering);
      couriers.forEach((courier) => courier.destroy());
    }
    // Whatever was cut off is delivered by one that is not disturbed.
    const last = open(tabs[0]!, disk.tab(random), "last");
    clients.push(last);
    await until(() => last.status === "connected", "the last connection");
    await until(() => theirs.synced && !theirs.hasUnsyncedChanges, () => `seed ${seed}: the other's quiet`);
    for (let i = 0; i < 20 && disk.records.size; i++) {
      await last.deliver();
      await pause(5);
    }
    expect(disk.records.size, `seed ${seed}: records that are left`).toBe(0);
    const text = await world.text(room);
    for (const word of words) {
      const times = text.split(word).length - 1;
      expect(times, `seed ${seed}: ${word} in ${text}`).toBeLessThanOrEqual(1);
      if (kept.includes(word)) expect(times, `seed ${seed}: ${word}, which was written down, in ${text}`).toBe(1);
    }
    await until(() => theirs.text === text, () => `seed ${seed}: the other's text ${theirs.text} is not ${text}`);
  } finally {
    clients.forEach((client) => client.destroy());
  }
}
