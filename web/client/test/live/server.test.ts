import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { MemoryStorage, Motet, type ChatMessage, type MotetOptions, type Room } from "../../src/index.js";
import { crashSession, tab, type World } from "../support/crash.js";
import { Motetd } from "../support/motetd.js";
import { Proxy } from "../support/proxy.js";
import { Random, SESSIONS } from "../support/random.js";
import { pause, until } from "../support/wait.js";

const server = new Motetd("--durability", "os");
const proxy = new Proxy(() => server.address);
const clients: Motet[] = [];

beforeAll(async () => {
  await server.start();
  await proxy.start();
});
afterAll(async () => {
  proxy.stop();
  await server.stop();
});
afterEach(() => {
  clients.splice(0).forEach((client) => client.destroy());
  proxy.refusing = false;
  proxy.hold(false, false);
});

const QUICK = { retryMs: 20, retryMaxMs: 100, quietMs: 400, deadMs: 400 };

function client(options: Partial<MotetOptions> = {}): Motet {
  const motet = new Motet({ url: `http://127.0.0.1:${proxy.port}`, WebSocket, storage: new MemoryStorage(), courier: false, times: QUICK, ...options });
  clients.push(motet);
  return motet;
}

async function pair(name: string): Promise<[Room, Room]> {
  const rooms = [client({ name: "Zoë" }).room(name, { create: true }), client({ name: "Ida" }).room(name, { create: true })] as [Room, Room];
  await Promise.all(rooms.map((room) => room.whenSynced));
  return rooms;
}

const quiet = (...rooms: Room[]) => until(() => rooms.every((room) => room.synced && !room.hasUnsyncedChanges && room.text === rooms[0]!.text), "quiet");

describe("with motetd", () => {
  test("two clients type at once and end with the text that the server has", async () => {
    const [a, b] = await pair("both");
    const random = new Random(7);
    for (let i = 0; i < 150; i++) {
      const room = random.pick([a, b]);
      const from = random.below(room.doc.length + 1);
      room.edit({ from, to: Math.min(room.doc.length, from + random.below(3)), insert: random.string(["a", "é", "漢", "😀", "\n", "\r\n", "\u0301"], random.below(4)) });
      if (random.chance(0.3)) await pause(random.below(5));
    }
    await quiet(a, b);
    expect(await server.text("both")).toBe(a.text);
    expect((await a.history.textAt("head")).text).toBe(a.text);
  });

  test("a line that is cut, refused and held loses and doubles nothing", async () => {
    const [a, b] = await pair("line");
    const random = new Random(11);
    for (let i = 0; i < 60; i++) {
      const room = random.pick([a, b]);
      if (room.writable) room.edit({ from: random.below(room.doc.length + 1), insert: String.fromCharCode(0x4e00 + i) });
      const act = random.below(10);
      if (act === 0) proxy.cut();
      else if (act === 1) proxy.hold(random.chance(0.5), random.chance(0.5), 30);
      await pause(random.below(12));
    }
    proxy.hold(false, false);
    await quiet(a, b);
    expect([...a.text].sort()).toEqual([...new Set(a.text)].sort());
    expect(a.text).toHaveLength(60);
    expect(await server.text("line")).toBe(a.text);
  });

  test("a line that has gone dead, held and not closed, is noticed", async () => {
    const room = client().room("dead", { create: true });
    await room.whenSynced;
    proxy.hold(true, true);
    room.edit({ from: 0, insert: "typed while dead" });
    await until(() => room.save.state === "offline", "noticing", 3_000);
    expect(room.save.waiting).toBe(1);
    proxy.cut();
    proxy.hold(false, false);
    await until(() => room.save.state === "saved");
    expect(await server.text("dead")).toBe("typed while dead");
  });

  test("kill -9 of the server under three that type loses and doubles nothing", async () => {
    const rooms = [...(await pair("killed")), client().room("killed")] as [Room, Room, Room];
    await Promise.all(rooms.map((room) => room.whenSynced));
    let next = 0;
    const type = async () => {
      for (let i = 0; i < 20; i++) {
        for (const room of rooms) room.edit({ from: room.doc.length, insert: String.fromCharCode(0x4e00 + next++) });
        await pause(3);
      }
    };
    for (let round = 0; round < 3; round++) {
      const typing = type();
      await pause(25);
      await server.kill();
      await typing;
      await server.start();
      await quiet(...rooms);
    }
    const text = await server.text("killed");
    expect(text).toBe(rooms[0].text);
    expect(text).toHaveLength(next);
    expect(new Set(text).size).toBe(next);
  });

  test("what crashed tabs left is delivered exactly once, also by two couriers at once", async () => {
    const tabs = [await tab(), await tab()];
    const world: World = {
      options: () => ({ url: `ws://127.0.0.1:${proxy.port}/ws`, WebSocket, times: { retryMs: 5, retryMaxMs: 30 } }),
      cut: () => proxy.cut(),
      hold: (up, down) => proxy.hold(up, down),
      text: (room) => server.text(room),
    };
    const sessions = SESSIONS(15, 500);
    for (let seed = 1; seed <= sessions; seed++) await crashSession(world, new Random(seed), tabs, seed);
  });

  test("a room deleted and made anew is noticed; the old room's edits become a draft", async () => {
    const mine = client();
    const room = mine.room("anew", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "old" });
    await until(() => room.save.state === "saved");
    mine.disconnect();
    room.edit({ from: 3, insert: ", late" });
    const other = client();
    await other.rooms.delete("anew");
    await other.rooms.create("anew");
    mine.connect();
    await until(() => room.synced && room.text === "");
    expect((await mine.drafts()).map(({ inserted }) => inserted)).toEqual([[", late"]]);
    room.edit({ from: 0, insert: "new" });
    await until(() => !room.hasUnsyncedChanges);
    expect(await server.text("anew")).toBe("new");
  });

  test("a text that differs from the server's is found by its hash and healed", async () => {
    const room = client({ times: { ...QUICK, hashAfterMs: 30 } }).room("healed", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "right" });
    await until(() => room.save.state === "saved");
    // A fault of the client's, made here: its text is another, of the same length.
    const machine = room.machine!;
    machine.base = machine.text = machine.text.replace(0, 1, machine.text.slice(1, 2));
    const resets: string[] = [];
    room.on("change", ({ reset }) => reset && resets.push(room.text));
    room.on("error", () => {});
    await room.chat.say("so that there is a new revision");
    await until(() => resets.length === 1);
    expect(room.text).toBe("right");
    room.edit({ from: 5, insert: "!" });
    await until(() => !room.hasUnsyncedChanges);
    expect(await server.text("healed")).toBe("right!");
  });

  test("carets are told and follow what is typed", async () => {
    const [a, b] = await pair("carets");
    a.edit({ from: 0, insert: "😀 one two" });
    await quiet(a, b);
    b.setPresence({ selections: [{ anchor: 7, head: 10 }], color: 0xb43856 });
    const seen = () => a.others[0]?.presence?.selections[0];
    await until(() => seen()?.head === 10);
    expect(a.others[0]!.author.name).toBe("Ida");
    a.edit({ from: 0, insert: "漢😀" });
    expect(seen()).toEqual({ anchor: 10, head: 13 });
    await quiet(a, b);
    expect(seen()).toEqual({ anchor: 10, head: 13 });
    expect(b.self.presence.selections).toEqual([{ anchor: 10, head: 13 }]);
    expect(a.present).toBe(2);
    b.destroy();
    await until(() => a.others.length === 0);
  });

  test("chat: said, answered, rewritten, reacted to, deleted; both see the same", async () => {
    const [a, b] = await pair("chat");
    await Promise.all([a.chat.load(), b.chat.load()]);
    const first = await a.chat.say("shall we begin?");
    const [threadA, threadB] = [a.chat.thread(first), b.chat.thread(first)];
    await Promise.all([threadA.load(), threadB.load()]);
    const reply = await threadB.say("yes @Zoë");
    const second = await b.chat.say({ text: "no", thread: first });
    await b.chat.react(first, "👍");
    await a.chat.rewrite(first, "shall we begin now?");
    await b.chat.delete(second);
    const plain = (messages: readonly ChatMessage[]) => messages.map(({ message, text, replies, reactions, mentions, deleted }) => [message, text, replies, reactions.map(({ emoji }) => emoji), mentions.length, Boolean(deleted)]);
    const top = [[first, "shall we begin now?", 2, ["👍"], 0, false]];
    const thread = [
      [reply, "yes @Zoë", 0, [], 1, false],
      [second, "", 0, [], 0, true],
    ];
    const all = () => [a.chat, b.chat, threadA, threadB].map((chat) => plain(chat.messages));
    await until(() => JSON.stringify(all()) === JSON.stringify([top, top, thread, thread]), () => JSON.stringify(all()), 5_000);
    expect(plain((await a.chat.page()).messages)).toEqual(top);
    expect(plain((await threadA.page()).messages)).toEqual(thread);
    expect(b.chat.messages[0]!.author.name).toBe("Zoë");
  });

  test("comments stay on their words", async () => {
    const [a, b] = await pair("comments");
    a.edit({ from: 0, insert: "😀 one two three" });
    await quiet(a, b);
    await b.comments.load();
    const number = await a.comments.open(7, 10, "why two?");
    await until(() => b.comments.all.length === 1);
    expect(b.text.slice(b.comments.all[0]!.start, b.comments.all[0]!.end)).toBe("two");
    b.edit({ from: 0, insert: "zero 漢 " });
    a.edit({ from: 8, insert: "--" });
    await quiet(a, b);
    const [comment] = b.comments.all;
    expect(b.text.slice(comment!.start, comment!.end)).toBe("t--wo");
    await b.comments.reply(number, "because");
    await a.comments.resolve(number);
    await until(() => b.comments.all[0]!.items.length === 2 && b.comments.all[0]!.resolved !== null);
  });

  test("settings, versions, summaries, completion, lists, signals", async () => {
    const [a, b] = await pair("rest");
    const watch = client().rooms.watch({ name: "rest" });
    await watch.whenLoaded;
    expect(watch.rooms.map(({ room }) => room)).toContain("rest");
    await a.settings.change({ title: "The rest", language: "rust" });
    await until(() => watch.rooms.some(({ settings }) => settings.title === "The rest"));
    expect((await b.settings.read()).settings.title).toBe("The rest");
    a.edit({ from: 0, insert: "😀 fn größenwahn() {}\ngrö" });
    await quiet(a, b);
    const [completion] = await a.complete(a.doc.length);
    expect(completion).toMatchObject({ insert: "größenwahn", from: a.doc.length - 3 });
    await a.versions.add("draft", { description: "first" });
    expect((await b.versions.list()).map(({ name }) => name)).toEqual(["draft"]);
    expect((await a.history.summarize({ revision: 0 })).text).toContain("edit");
    const heard = new Promise((resolve) => b.on("signal", resolve));
    expect(a.signal(b.participant!, "offer", "v=0")).toBe(true);
    expect(await heard).toEqual({ from: a.participant, kind: "offer", payload: "v=0" });
    await expect(client().turn()).rejects.toMatchObject({ code: "not_configured" });
  });

  test("over HTTP: blame, difference, restoring, roles, errors", async () => {
    const motet = client({ name: "Zoë" });
    const room = motet.room("http", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "😀 one" });
    await until(() => !room.hasUnsyncedChanges);
    const { revision } = room;
    room.edit({ from: 6, insert: " two" });
    await until(() => !room.hasUnsyncedChanges);
    expect((await motet.http.blame("http")).ranges.at(-1)).toMatchObject({ start: 5, end: 9, participant: motet.participant, author: { name: "Zoë" } });
    expect((await motet.http.diff("http", revision)).operation).toEqual([5, " two"]);
    expect(await motet.http.unifiedDiff("http", revision)).toContain("+😀 one two");
    await motet.http.restore("http", revision);
    await until(() => room.text === "😀 one");
    expect((await motet.http.roles("http")).public).toBeTypeOf("string");
    expect((await motet.http.participants("http")).some(({ participant }) => participant === motet.participant)).toBe(true);
    expect((await motet.http.server()).protocol).toBe(1);
    expect((await motet.http.statistics("http")).edits).toBeGreaterThan(1);
    await motet.http.activity("http");
    await expect(motet.http.blame("nowhere")).rejects.toMatchObject({ code: "room_not_found" });
  });

  test("a room that is not there closes; connecting again makes another attempt", async () => {
    const motet = client();
    const room = motet.room("missing");
    await expect(room.whenSynced).rejects.toMatchObject({ code: "room_not_found" });
    expect(room.status).toBe("disconnected");
    await motet.rooms.create("missing");
    room.connect();
    await until(() => room.synced);
    await motet.rooms.delete("missing");
    await until(() => room.closed?.code === "room_deleted");
  });
});

describe("accounts", () => {
  const guarded = new Motetd("--auth", "accounts", "--durability", "os");
  beforeAll(async () => void (await guarded.start()));
  afterAll(() => guarded.stop());

  test("registering, tokens asked before each greeting, a refusal that keeps the edits, links", async () => {
    const url = `http://${guarded.address}`;
    const guest = new Motet({ url, WebSocket, courier: false, connect: false, storage: null });
    clients.push(guest);
    const signed = await guest.http.auth.register("zoe", "correct horse");
    let token: string | null = signed.access_token;
    let asked = 0;
    const motet = new Motet({ url, WebSocket, courier: false, storage: new MemoryStorage(), times: QUICK, token: async () => (asked++, token) });
    clients.push(motet);
    const room = motet.room("private", { create: { public: "nobody" } });
    await room.whenSynced;
    expect(motet.account).toBe("zoe");
    expect(room.role).toBe("host");
    expect(asked).toBe(1);
    token = "mta_wrong";
    motet.disconnect();
    room.edit({ from: 0, insert: "kept" });
    const refused = new Promise<string>((resolve) => motet.on("error", ({ code }) => code === "unauthorized" && resolve(code)));
    motet.connect();
    expect(await refused).toBe("unauthorized");
    await until(() => motet.status === "disconnected" && motet.retryAt === null, "giving up");
    expect(room.save).toMatchObject({ state: "offline", waiting: 1 });
    token = (await guest.http.auth.refresh(signed.refresh_token)).access_token;
    motet.connect();
    await until(() => room.save.state === "saved");
    const { secret } = await motet.http.links.create({ room: "private" }, { role: "viewer", label: "for Ida" });
    expect((await motet.http.links.list({ room: "private" })).map(({ label }) => label)).toEqual(["for Ida"]);
    const share = await guest.http.auth.redeem(secret, "Ida");
    const reader = new Motet({ url, WebSocket, courier: false, storage: null, token: share.token });
    clients.push(reader);
    const read = reader.room("private");
    await read.whenSynced;
    expect(read.text).toBe("kept");
    expect(read.writable).toBe(false);
    expect(() => read.edit({ from: 0, insert: "x" })).toThrow();
    expect((await motet.http.auth.me()).account).toBe("zoe");
    expect(await motet.http.auth.sessions()).toHaveLength(1);
  });
});
