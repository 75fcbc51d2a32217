import { signal } from "@preact/signals";
import type { EditorView } from "@codemirror/view";
import type { OpenRoom } from "../live/room";
import { toEditorPosition } from "@motet/client/codemirror";

/** The editor that is open; other views ask it to go somewhere. */
export const editor = signal<EditorView | null>(null);

export function scrollTo(view: EditorView, position: number, { select = false, y = "center" as "center" | "nearest" } = {}): void {
  const at = Math.max(0, Math.min(position, view.state.doc.length));
  // The effect of scrolling is `EditorView.scrollIntoView`; taken from the view's class, so that this file needs no CodeMirror itself.
  const { scrollIntoView } = view.constructor as typeof EditorView;
  view.dispatch({ ...(select && { selection: { anchor: at } }), effects: scrollIntoView(at, { y, yMargin: 60, x: "nearest", xMargin: 40 }) });
}


/** Puts the caret at a place of the room's text. */
export function goTo(position: number): void {
  const view = editor.value;
  if (!view) return;
  scrollTo(view, toEditorPosition(view, position), { select: true });
  view.focus();
}

export function goToLine(number: number): void {
  const view = editor.value;
  if (!view) return;
  scrollTo(view, view.state.doc.line(Math.max(1, Math.min(number, view.state.doc.lines))).from, { select: true });
  view.focus();
}

/** The caret of another in the editor, if it is known. */
export function caretOf(room: OpenRoom, participant: string): number | null {
  const view = editor.value;
  const selection = room.room.others.find((other) => other.participant === participant)?.presence?.selections[0];
  return view && selection ? toEditorPosition(view, selection.head) : null;
}
