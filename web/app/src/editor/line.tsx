import { computed, signal, useSignal, useSignalEffect } from "@preact/signals";
import type { EditorState } from "@codemirror/state";
import type { OpenRoom } from "../live/room";
import { dock } from "../preferences";
import { number } from "../time";
import { asking } from "../palette/lineDialog";
import { lineEnds, words } from "./measure";

/** The editor's state, after each change of text or selection. */
export const caret = signal<EditorState | null>(null);
/** `off`: the text is too large for its language mode; `on`: it was asked for all the same. */
export const largeText = signal<"" | "off" | "on">("");

const place = computed(() => {
  const state = caret.value;
  if (!state) return null;
  const { head } = state.selection.main;
  const line = state.doc.lineAt(head);
  const selected = state.selection.ranges.reduce((sum, range) => sum + range.to - range.from, 0);
  return { line: line.number, column: head - line.from + 1, selected, carets: state.selection.ranges.length };
});

const ROLES = { viewer: "Can view", editor: "Can edit", host: "Host" } as const;

/** The line below the text: where the caret is, how the text ends its lines, what one may do, and the revision. */
export function StatusLine({ room }: { room: OpenRoom }) {
  const measured = useSignal({ words: 0, ends: "LF" });
  useSignalEffect(() => {
    void caret.value?.doc;
    const timer = setTimeout(() => {
      const { text } = room.room;
      measured.value = { words: text.length > 2_000_000 ? -1 : words(text), ends: lineEnds(text) };
    }, 400);
    return () => clearTimeout(timer);
  });
  const at = place.value;
  return (
    <footer class="status-line nums" aria-label="About the text">
      {at && <button type="button" class="plain" title="Go to line" onClick={() => { asking.value = true; }}>
        {number(at.line)}:{number(at.column)}{at.selected > 0 && ` · ${number(at.selected)} selected`}{at.carets > 1 && ` · ${at.carets} carets`}</button>}
      {measured.value.words >= 0 && <span class="wide-only">{number(measured.value.words)} {measured.value.words === 1 ? "word" : "words"}</span>}
      {largeText.value === "off" && <span>Large text: colours are off · <button type="button" class="link" onClick={() => { largeText.value = "on"; }}>turn on</button></span>}
      <span class="grow" />
      {room.expires.value !== null && <span class="problem">This room is deleted soon unless something is written</span>}
      <span title={measured.value.ends === "mixed" ? "Lines end in different ways; each keeps its own" : "How lines end"}>{measured.value.ends}</span>
      {room.role.value && <span>{ROLES[room.role.value]}</span>}
      <button type="button" class="plain" title="History" onClick={() => { dock.value = dock.value === "history" ? null : "history"; }}>r{number(room.revision.value)}</button>
    </footer>
  );
}
