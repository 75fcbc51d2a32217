import { effect, signal } from "@preact/signals";
import type { OpenRoom } from "../live/room";
import { account } from "../live/account";
import { dock, name, notify } from "../preferences";

/** Messages that came while the chat was not open. */
export const unread = signal(0);
/** Those among them that mention oneself. */
export const mentions = signal(0);

/** Counts what is unread, in the page's title too, and shows a notification of a mention where the user allowed that. */
export function watchChat(room: OpenRoom): void {
  const seen = () => dock.value === "chat" && !document.hidden;
  const read = () => {
    if (!seen()) return;
    unread.value = 0;
    mentions.value = 0;
    const last = room.messages.value.at(-1);
    if (last && account.value) room.room.chat.markRead(last.message).catch(() => {});
  };
  room.room.chat.on("message", (message) => {
    if (room.isOwn(message.participant, message.author)) return;
    if (seen()) { read(); return; }
    unread.value++;
    const called = message.mentions.some((member) => ("participant" in member ? member.participant === room.participant.value : member.account === account.value))
      || (!account.value && message.text.toLocaleLowerCase().includes(`@${name.value.toLocaleLowerCase()}`));
    if (!called) return;
    mentions.value++;
    if (notify.value && "Notification" in window && Notification.permission === "granted") {
      const shown = new Notification(`${message.author.name || "Guest"} in ${room.settings.value.title || room.id}`, { body: message.text, tag: `motet-${room.id}` });
      shown.onclick = () => { focus(); dock.value = "chat"; shown.close(); };
    }
  });
  document.addEventListener("visibilitychange", read);
  effect(() => { void dock.value; void room.messages.value; read(); });
  effect(() => {
    const waiting = mentions.value || unread.value;
    document.title = `${waiting ? `(${waiting}) ` : ""}${room.settings.value.title || room.id} · Motet`;
  });
}
