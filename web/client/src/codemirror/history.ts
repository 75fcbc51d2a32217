import { history, historyField, historyKeymap, redo as redoCommand, undo as undoCommand, isolateHistory } from "@codemirror/commands";
import { Compartment, EditorState, Prec, Transaction, type Extension, type StateCommand } from "@codemirror/state";
import { keymap, type EditorView } from "@codemirror/view";

import type { RestoredHistory } from "../room/types.js";
import { changesToEditor, shownText } from "../text/line-ends.js";
import { apply } from "../ot/machine.js";
import { writableField } from "./binding.js";
import { remoteChange } from "./remote.js";

const compartment = new Compartment();
const FIELDS = { history: historyField };

/** Takes back one's own last change, never another's. Does nothing where the room cannot be edited. */
export const undo: StateCommand = (target) => target.state.field(writableField, false) !== false && undoCommand(target);

/** Does again what was undone. */
export const redo: StateCommand = (target) => target.state.field(writableField, false) !== false && redoCommand(target);

/** @internal The undo history, and its keys bound so that they do nothing where the room cannot be edited. */
export function undoExtension(): Extension {
  const keys = historyKeymap.map((binding) => ({ ...binding, ...(binding.run === undoCommand ? { run: undo } : binding.run === redoCommand ? { run: redo } : {}) }));
  return [compartment.of(history()), Prec.high(keymap.of(keys)), isolation];
}

/** A paste, a drop or a completion is undone by itself. */
const isolation = EditorState.transactionExtender.of((transaction) =>
  transaction.isUserEvent("input.paste") || transaction.isUserEvent("input.drop") || transaction.isUserEvent("input.complete")
    ? { annotations: isolateHistory.of("full") }
    : null,
);

/** @internal An editor's undo history as JSON; null if it is empty. Its places count on what the editor shows. */
export function storedHistory(state: EditorState): unknown {
  const value = state.field(historyField, false);
  if (!value) return null;
  // Through an empty state: that of the editor would write its text as well.
  const { history: json } = EditorState.create({ extensions: historyField.init(() => value) }).toJSON(FIELDS) as { history: { done: unknown[]; undone: unknown[] } };
  return json.done.length || json.undone.length ? json : null;
}

/** @internal Puts the history of an earlier page into an editor that shows `restored`'s last text. */
export function restoreHistory(view: EditorView, restored: RestoredHistory): void {
  let room = restored.text;
  let state: EditorState;
  try {
    const json = { doc: shownText(room).toJSON().join("\n"), selection: { ranges: [{ anchor: 0, head: 0 }], main: 0 }, history: restored.history };
    state = EditorState.fromJSON(json, { extensions: [history(), EditorState.lineSeparator.of("\n")] }, FIELDS);
    for (const changes of restored.changes) {
      const after = apply(room, changes);
      const shown = changesToEditor(room, changes, after);
      state = state.update({ changes: shown, annotations: [Transaction.addToHistory.of(false), remoteChange.of(true)] }).state;
      room = after;
    }
  } catch {
    return; // A history of another form; then there is nothing to undo.
  }
  if (!state.doc.eq(view.state.doc)) return;
  const value = state.field(historyField);
  view.dispatch({ effects: compartment.reconfigure([]) });
  view.dispatch({ effects: compartment.reconfigure([historyField.init(() => value), history()]) });
}
