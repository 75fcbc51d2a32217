import { signal } from "@preact/signals";
import type { MotetError, RoomInfo } from "@motet/client";
import { accessToken } from "./account";
import { sentence } from "./api";
import { connect } from "./motet";

const rooms = signal<ReadonlyMap<string, RoomInfo>>(new Map());
const state = signal<"loading" | "ready">("loading");
const trouble = signal("");
let started = false;

/** The rooms that may be seen, kept up to date by the server. */
export function roomList() {
  if (!started) { started = true; start(); }
  return { rooms, state, trouble };
}

function start(): void {
  const motet = connect(accessToken);
  const watch = motet.rooms.watch();
  const refused = (error: MotetError) => {
    if (error.code === "connection_lost") return;
    state.value = "ready";
    trouble.value = error.code === "unauthorized" ? "Sign in to see the rooms of this server." : sentence(error.message);
  };
  watch.on("change", (list) => { state.value = "ready"; rooms.value = new Map(list.map((room) => [room.room, room])); });
  watch.on("error", refused);
  motet.on("error", refused);
  motet.on("status", (status) => {
    if (status === "connected") trouble.value = "";
    else if (status === "disconnected" && motet.retryAt !== null) trouble.value = "The server cannot be reached just now. The list is brought up to date when it can.";
  });
}
