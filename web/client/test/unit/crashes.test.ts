import { test } from "vitest";

import { crashSession, tab, type World } from "../support/crash.js";
import { ModelServer } from "../support/model-server.js";
import { Random, SESSIONS } from "../support/random.js";

test("what a crashed tab left is delivered exactly once, also by two couriers at once", async () => {
  const tabs = [await tab(), await tab()];
  const sessions = SESSIONS(200, 10_000);
  const atOnce = 20;
  for (let first = 1; first <= sessions; first += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, sessions - first + 1) }, (_, i) => one(first + i)));
  }

  async function one(seed: number): Promise<void> {
    const server = new ModelServer();
    const world: World = {
      options: () => ({ url: "ws://model", WebSocket: server.WebSocket, times: { retryMs: 2, retryMaxMs: 6 } }),
      cut: () => server.cut(),
      hold: (up, down) => server.sockets.forEach((socket) => socket.hold(up, down)),
      text: async (room) => server.room(room).text,
    };
    await crashSession(world, new Random(seed), tabs, seed);
  }
});
