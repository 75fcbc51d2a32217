import { ChangeSet, type Text } from "@codemirror/state";
import { expect, test } from "vitest";

import { Motet, type Room } from "../../src/index.js";
import { Mirror } from "../../src/editor/mirror.js";
import { stringOf, textOf } from "../../src/text/text.js";
import { ModelServer } from "../support/model-server.js";

/** An editor of the simplest kind. */
async function editor(text: string): Promise<{ type(from: number, to: number, insert: string): void; text(): string; room: Room; end(): void }> {
  const server = new ModelServer();
  const motet = new Motet({ url: "ws://model", WebSocket: server.WebSocket, storage: null });
  const room = motet.room("notes", { create: true });
  await room.whenSynced;
  room.edit({ from: 0, insert: text });
  const mirror = new Mirror(room);
  let held: Text = mirror.shown;
  return {
    room,
    text: () => stringOf(held),
    type(from, to, insert) {
      const before = held;
      const changes = ChangeSet.of({ from, to, insert: textOf(insert) }, held.length, "\n");
      held = changes.apply(held);
      const mending = mirror.local(changes, before, held);
      if (mending) held = mending.apply(held);
    },
    end: () => motet.destroy(),
  };
}

test.each([
  ["a pasted \\r\\n", "one\n", 4, 4, "a\r\nb", "one\na\nb", "one\na\nb"],
  ["a pasted lone \\r", "one\n", 4, 4, "a\rb", "one\na\nb", "one\na\nb"],
  ["a line end typed among \\r\\n", "one\r\ntwo", 7, 7, "\n", "one\ntwo\n", "one\r\ntwo\r\n"],
  ["half of a pair", "one", 3, 3, "\ud83d", "one\ufffd", "one\ufffd"],
  ["half of a pair deleted", "a😀b", 1, 2, "", "ab", "ab"],
  ["nothing but a deletion of a \\r\\n", "a\r\nb", 1, 2, "", "ab", "ab"],
])("%s leaves editor and room the same", async (_what, text, from, to, insert, shown, inRoom) => {
  const { type, text: held, room, end } = await editor(text);
  type(from, to, insert);
  expect(held()).toBe(shown);
  expect(room.text).toBe(inRoom);
  end();
});

test("what is typed where nothing may be edited is taken back", async () => {
  const { type, text, room, end } = await editor("one");
  room.disconnect();
  room.take({ type: "role", channel: 1, role: "viewer", reason: "" });
  type(1, 2, "xyz");
  expect(text()).toBe("one");
  expect(room.text).toBe("one");
  end();
});
