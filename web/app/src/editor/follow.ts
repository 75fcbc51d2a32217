import type { EditorView, ViewUpdate } from "@codemirror/view";
import { ViewPlugin } from "@codemirror/view";
import { presenceChanged, remoteChange } from "@motet/client/codemirror";
import type { OpenRoom } from "../live/room";
import { announce } from "../ui/announce";
import { caretOf, editor, scrollTo } from "./view";

/** Follows someone, or stops. */
export function follow(room: OpenRoom, participant: string | null): void {
  const name = participant && room.others.value.find((other) => other.participant === participant)?.name;
  if (room.following.value && !participant) announce("No longer following.", true);
  room.following.value = name ? participant : null;
  if (!name) return;
  announce(`Following ${name}. Escape stops.`, true);
  show(room, editor.value);
}

function show(room: OpenRoom, view: EditorView | null): void {
  const participant = room.following.value;
  if (!participant || !view) return;
  const at = caretOf(room, participant);
  if (at === null) return;
  // Only if their caret is out of sight: a text that moves with every key is unreadable.
  view.requestMeasure({
    read: () => {
      const place = view.coordsAtPos(Math.min(at, view.state.doc.length));
      const box = view.scrollDOM.getBoundingClientRect();
      return place !== null && place.top > box.top + 24 && place.bottom < box.bottom - 24 && place.left > box.left && place.left < box.right;
    },
    write: (visible) => { if (!visible) setTimeout(() => { if (room.following.value) scrollTo(view, at); }); },
  });
}

/** Keeps the followed caret in sight. The user's own typing, scrolling or Escape ends it; scrolling of the page's own does not. */
export const following = (room: OpenRoom) => ViewPlugin.fromClass(
  class {
    update(update: ViewUpdate): void {
      if (!room.following.value) return;
      if (update.docChanged && update.transactions.some((one) => one.docChanged && !one.annotation(remoteChange))) return follow(room, null);
      if (update.docChanged || update.transactions.some((one) => one.effects.some((effect) => effect.is(presenceChanged)))) {
        if (room.others.value.some((other) => other.participant === room.following.value)) show(room, update.view);
        else follow(room, null);
      }
    }
  },
  {
    eventHandlers: {
      wheel: () => { if (room.following.value) follow(room, null); },
      touchmove: () => { if (room.following.value) follow(room, null); },
      keydown: (event) => { if (event.key === "Escape" && room.following.value) { follow(room, null); return true; } return false; },
    },
  },
);
