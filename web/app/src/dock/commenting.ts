import { signal } from "@preact/signals";
import { toRoomPosition } from "@motet/client/codemirror";
import { editor } from "../editor/view";
import { dock } from "../preferences";

/** The comment that was chosen in the text or in the margin. */
export const chosenComment = signal<number | null>(null);
/** The range that a new comment is being written on, in positions of the room's text. */
export const commentingOn = signal<{ start: number; end: number } | null>(null);

/** Begins a comment on what is selected, or at the caret. */
export function comment(): void {
  const view = editor.value;
  if (!view) return;
  const { from, to } = view.state.selection.main;
  commentingOn.value = { start: toRoomPosition(view, from), end: toRoomPosition(view, to) };
  chosenComment.value = null;
  dock.value = "comments";
}
