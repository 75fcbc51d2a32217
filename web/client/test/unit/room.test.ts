import { afterEach, describe, expect, test } from "vitest";

import { MemoryStorage, Motet, type Draft, type MotetOptions, type Room, type RoomRecord } from "../../src/index.js";
import { ModelServer } from "../support/model-server.js";
import { pause, until } from "../support/wait.js";

const clients: Motet[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.destroy()));

function client(server: ModelServer, options: Partial<MotetOptions> = {}): Motet {
  const motet = new Motet({ url: "ws://model", WebSocket: server.WebSocket, storage: new MemoryStorage(), courier: false, times: { retryMs: 1, retryMaxMs: 5 }, ...options });
  clients.push(motet);
  return motet;
}


describe("a room", () => {
  test("two people end with the same text", async () => {
    const server = new ModelServer();
    const [a, b] = [client(server).room("notes", { create: true }), client(server).room("notes", { create: true })];
    await Promise.all([a.whenSynced, b.whenSynced]);
    a.edit({ from: 0, insert: "Hello, " });
    b.edit({ from: 0, insert: "world 😀\r\n" });
    await until(() => !a.hasUnsyncedChanges && !b.hasUnsyncedChanges && a.text === b.text && a.text.length === 17);
    expect(a.save).toEqual({ state: "saved", waiting: 0, kept: false, error: null });
    expect(server.room("notes").text).toBe(a.text);
  });

  test("what is typed without a connection is sent once when there is one", async () => {
    const server = new ModelServer();
    const motet = client(server);
    const room = motet.room("notes", { create: true });
    await room.whenSynced;
    motet.disconnect();
    room.edit({ from: 0, insert: "offline" });
    room.edit({ from: 7, insert: "!" });
    expect(room.save.state).toBe("offline");
    expect(room.save.waiting).toBe(2);
    motet.connect();
    await until(() => room.save.state === "saved");
    expect(server.room("notes").text).toBe("offline!");
    expect(server.room("notes").log).toHaveLength(2); // The first was ready to be sent when the second was typed.
  });

  test("an edit whose answer was lost is not doubled", async () => {
    const server = new ModelServer();
    const motet = client(server);
    const room = motet.room("notes", { create: true });
    await room.whenSynced;
    for (const socket of server.sockets) socket.hold(false, true);
    room.edit({ from: 0, insert: "once" });
    await until(() => server.room("notes").log.length === 1);
    server.cut();
    await until(() => room.save.state === "saved" && motet.status === "connected");
    expect(server.room("notes").text).toBe("once");
    expect(room.text).toBe("once");
  });

  test("status goes through connecting, and late messages of an old socket are not heard", async () => {
    const server = new ModelServer();
    const motet = client(server);
    const seen: string[] = [];
    motet.on("status", (status) => seen.push(status));
    const room = motet.room("notes", { create: true });
    await room.whenSynced;
    const [old] = [...server.sockets];
    const deaf = old!.onmessage!;
    server.cut();
    await until(() => motet.status === "connected");
    expect(seen.slice(-3)).toEqual(["disconnected", "connecting", "connected"]);
    expect(old!.onmessage).toBeNull();
    deaf({ data: JSON.stringify({ type: "ack", channel: 1, seq: 9, revision: 9 }) as never });
    expect(room.revision).toBe(0);
  });

  test("an edit that is refused becomes a draft, and the text is the server's again", async () => {
    const server = new ModelServer();
    const storage = new MemoryStorage();
    const motet = client(server, { storage });
    const room = motet.room("notes", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "kept" });
    await until(() => room.save.state === "saved");
    server.roles.set(motet.session, "viewer"); // Taken away while typing, before the client hears of it.
    const drafts: Draft[] = [];
    room.on("draft", (draft) => drafts.push(draft));
    room.edit({ from: 4, insert: " and lost" });
    await until(() => drafts.length === 1 && room.text === "kept");
    expect(drafts[0]).toMatchObject({ code: "forbidden", before: "kept", after: "kept and lost", inserted: [" and lost"] });
    expect(room.save.state).toBe("refused");
    expect(await motet.drafts()).toHaveLength(1);
    server.roles.set(motet.session, "editor");
    motet.reconnect();
    await until(() => room.writable);
    room.clearRefused();
    room.edit({ from: 4, insert: "!" });
    await until(() => room.save.state === "saved");
    expect(server.room("notes").text).toBe("kept!");
  });

  test("a room that was deleted and made anew does not get the old room's edits", async () => {
    const server = new ModelServer();
    const motet = client(server);
    const room = motet.room("notes", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "of the old room" });
    await until(() => room.save.state === "saved");
    motet.disconnect();
    room.edit({ from: 0, insert: "late, " });
    server.rooms.delete("notes");
    server.room("notes");
    const drafts: Draft[] = [];
    room.on("draft", (draft) => drafts.push(draft));
    motet.connect();
    await until(() => room.synced && room.text === "");
    expect(drafts).toMatchObject([{ code: "room_replaced", inserted: ["late, "], after: "late, of the old room" }]);
    room.edit({ from: 0, insert: "new" });
    await until(() => !room.hasUnsyncedChanges);
    expect(server.room("notes").text).toBe("new");
  });

  test("a text that has come to differ while an edit is on its way is loaded anew, and the seq is found in the log", async () => {
    const server = new ModelServer();
    const motet = client(server);
    const [room, other] = [motet.room("notes", { create: true }), client(server).room("notes", { create: true })];
    await Promise.all([room.whenSynced, other.whenSynced]);
    room.edit({ from: 0, insert: "one" });
    await until(() => room.save.state === "saved" && other.text === "one");
    for (const socket of server.sockets) if (socket.session === motet.session) socket.hold(false, true);
    room.edit({ from: 3, insert: " two" });
    await until(() => server.room("notes").log.length === 2);
    room.machine!.base = room.machine!.base.replace(0, 3, room.machine!.base.slice(0, 2)); // A fault, made here.
    other.edit({ from: 0, insert: "!" });
    await until(() => server.room("notes").log.length === 3);
    for (const socket of server.sockets) socket.hold(false, false);
    await until(() => room.synced && room.text === "!one two", () => room.text);
    room.edit({ from: 0, insert: "more " });
    await until(() => !room.hasUnsyncedChanges);
    expect(server.room("notes").text).toBe("more !one two");
    expect(server.room("notes").log.map(({ seq }) => seq)).toEqual([1, 2, 1, 3]);
  });

  test("nothing is sent before it is written down, and typing meanwhile goes with the next write", async () => {
    const server = new ModelServer();
    const writes: { inserted: string; done: () => void }[] = [];
    class Slow extends MemoryStorage {
      override readonly durable = true;
      override put(record: RoomRecord): Promise<void> {
        return new Promise((resolve) => writes.push({ inserted: JSON.stringify(record.queue.map(({ command }) => command)), done: () => void super.put(record).then(resolve) }));
      }
    }
    const room = client(server, { storage: new Slow() }).room("notes", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "a" });
    room.edit({ from: 1, insert: "b" });
    room.edit({ from: 2, insert: "c" });
    await pause(20);
    expect(writes.map(({ inserted }) => inserted)).toEqual(['[{"edit":["a"]}]']);
    // What else happens in the room does not send it earlier.
    const other = client(server).room("notes");
    await other.whenSynced;
    other.edit({ from: 0, insert: "!" });
    await until(() => room.text === "abc!");
    await pause(20);
    expect(server.room("notes").text).toBe("!");
    writes[0]!.done();
    await until(() => server.room("notes").text === "a!" && writes.length === 2);
    await pause(20);
    expect(server.room("notes").text).toBe("a!"); // "bc" waits for its own write.
    for (let i = 1; room.hasUnsyncedChanges || i < writes.length; i++) {
      await until(() => i < writes.length || !room.hasUnsyncedChanges);
      writes[i]?.done();
      await pause(5);
    }
    expect(server.room("notes").text).toBe("abc!");
  });

  test("a room that is left and opened again by one client goes on with its seqs; what waited is sent all the same", async () => {
    const server = new ModelServer();
    const motet = client(server);
    const first = motet.room("notes", { create: true });
    await first.whenSynced;
    first.edit({ from: 0, insert: "same" });
    await until(() => !first.hasUnsyncedChanges);
    first.destroy();
    const second = motet.room("notes");
    expect(second).not.toBe(first);
    await second.whenSynced;
    second.edit({ from: 0, insert: "same" });
    second.destroy(); // With an edit that is not acknowledged.
    await until(() => server.room("notes").text === "samesame");
    await until(() => server.channels.size === 0);
    const third = motet.room("notes");
    await third.whenSynced;
    third.edit({ from: 0, insert: "3" });
    third.destroy();
    const revived = motet.room("notes"); // Before it has left.
    expect(revived).toBe(third);
    await until(() => !revived.hasUnsyncedChanges);
    revived.edit({ from: 0, insert: "4" });
    await until(() => server.room("notes").text === "43samesame");
    // Made anew meanwhile, the room's seqs begin anew.
    revived.destroy();
    server.rooms.delete("notes");
    server.room("notes");
    const fourth = motet.room("notes");
    await fourth.whenSynced;
    fourth.edit({ from: 0, insert: "new" });
    await until(() => server.room("notes").text === "new");
  });

  test("a storage that fails does not keep edits from being sent, and is not called one that keeps them", async () => {
    const server = new ModelServer();
    class Broken extends MemoryStorage {
      override readonly durable = true;
      override put(): Promise<void> {
        return Promise.reject(new Error("the disk is full"));
      }
    }
    const room = client(server, { storage: new Broken() }).room("notes", { create: true });
    await room.whenSynced;
    expect(room.save.kept).toBe(true);
    room.edit({ from: 0, insert: "sent" });
    await until(() => !room.hasUnsyncedChanges);
    expect(server.room("notes").text).toBe("sent");
    expect(room.save.kept).toBe(false);
    expect(room.save.error?.message).toContain("the disk is full");
  });

  test("commands that are no edits keep their place between edits, and those refused do not hold the others up", async () => {
    const server = new ModelServer();
    const room = client(server).room("notes", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "one two" });
    const comment = room.comments.open(4, 7, "why?");
    room.edit({ from: 0, insert: "😀 " });
    const said = room.chat.say("hello");
    expect(await Promise.all([comment, said])).toEqual([2, 4]);
    expect(server.room("notes").log.map(({ command }) => Object.keys(command)[0])).toEqual(["edit", "comment", "edit", "chat"]);
    expect(server.room("notes").log[1]!.command).toEqual({ comment: { open: { start: 4, end: 7, text: "why?" } } });
  });

  test("halves of surrogate pairs are made well", async () => {
    const server = new ModelServer();
    const room = client(server).room("notes", { create: true });
    await room.whenSynced;
    room.edit({ from: 0, insert: "a\ud83d" });
    room.edit({ from: 0, insert: "😀" });
    room.edit({ from: 1, to: 2 }); // The low half: the whole pair goes.
    await until(() => !room.hasUnsyncedChanges);
    expect(room.text).toBe("a\ufffd");
    expect(server.room("notes").text).toBe("a\ufffd");
  });

  test("a large edit goes in pieces and arrives whole", async () => {
    const server = new ModelServer();
    const room = client(server).room("notes", { create: true });
    await room.whenSynced;
    const text = "0123456789 é漢😀\r\n".repeat(30_000);
    room.edit({ from: 0, insert: text });
    await until(() => !room.hasUnsyncedChanges);
    expect(server.room("notes").text === text).toBe(true);
    expect(server.room("notes").log.length).toBeGreaterThan(3);
  });

  test("entries that are held come in as one change, and local edits meanwhile are right", async () => {
    const server = new ModelServer();
    const [a, b] = [client(server).room("notes", { create: true }), client(server).room("notes", { create: true })] as [Room, Room];
    await Promise.all([a.whenSynced, b.whenSynced]);
    let waiting = 0;
    const changes: boolean[] = [];
    b.on("change", ({ local }) => changes.push(local));
    const end = b.hold(() => waiting++);
    for (const word of ["one ", "two ", "three "]) {
      a.edit({ from: a.doc.length, insert: word });
      await until(() => !a.hasUnsyncedChanges);
    }
    await until(() => waiting >= 3);
    b.edit({ from: 0, insert: "me " });
    expect(b.text).toBe("me ");
    b.receive();
    expect(b.text).toBe("me one two three ");
    expect(changes).toEqual([true, false]);
    end();
    await until(() => a.text === b.text && !b.hasUnsyncedChanges);
  });
});
