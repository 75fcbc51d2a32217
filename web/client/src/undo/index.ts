/**
 * Undo of one's own changes for editors other than CodeMirror: CodeMirror's history without an editor, in step with what the editor shows.
 *
 * @packageDocumentation
 */
import { history, historyField, redo, redoDepth, undo, undoDepth } from "@codemirror/commands";
import { ChangeSet, EditorState, Text, Transaction, type StateCommand } from "@codemirror/state";

import { changesToEditor, shownText } from "../text/line-ends.js";
import { apply } from "../ot/machine.js";
import type { RestoredHistory } from "../room/types.js";

const EXTENSIONS = [history(), EditorState.lineSeparator.of("\n"), EditorState.allowMultipleSelections.of(true)];
const FIELDS = { history: historyField };

/** What a user has done and can take back. The others' changes move it, and are never taken back. */
export class UserUndo {
  #state = EditorState.create({ extensions: EXTENSIONS });

  /** Begins with a text, and nothing to undo. */
  reset(doc: Text): void {
    this.#state = EditorState.create({ doc, extensions: EXTENSIONS });
  }

  /** The user's own change of what the editor shows. */
  local(changes: ChangeSet, userEvent = "input.type"): void {
    this.#state = this.#state.update({ changes, userEvent, selection: { anchor: lastEnd(changes) } }).state;
  }

  /** Another's change, or one of a program. */
  remote(changes: ChangeSet): void {
    this.#state = this.#state.update({ changes, annotations: [Transaction.addToHistory.of(false), Transaction.remote.of(true)] }).state;
  }

  /** Whether there is something to undo, and to redo. */
  get depth(): { undo: number; redo: number } {
    return { undo: undoDepth(this.#state), redo: redoDepth(this.#state) };
  }

  /** Takes back the user's last change: returns what the editor has to do; null if there is nothing. It is noted here already. */
  undo(): ChangeSet | null {
    return this.#run(undo);
  }

  /** Does again what was undone. */
  redo(): ChangeSet | null {
    return this.#run(redo);
  }

  #run(command: StateCommand): ChangeSet | null {
    let changes: ChangeSet | null = null;
    command({
      state: this.#state,
      dispatch: (transaction) => {
        changes = transaction.changes;
        this.#state = transaction.state;
      },
    });
    return changes;
  }

  /** The history as JSON; null if it is empty. */
  store(): unknown {
    if (!undoDepth(this.#state) && !redoDepth(this.#state)) return null;
    const value = this.#state.field(historyField);
    return (EditorState.create({ extensions: historyField.init(() => value) }).toJSON(FIELDS) as { history: unknown }).history;
  }

  /** Takes up the history of an earlier page. Returns whether that was possible. */
  restore({ history: json, text, changes }: RestoredHistory): boolean {
    try {
      let room = text;
      let state = EditorState.fromJSON(
        { doc: shownText(room).toString(), selection: { ranges: [{ anchor: 0, head: 0 }], main: 0 }, history: json },
        { extensions: EXTENSIONS },
        FIELDS,
      );
      for (const change of changes) {
        const after = apply(room, change);
        state = state.update({ changes: changesToEditor(room, change, after), annotations: Transaction.addToHistory.of(false) }).state;
        room = after;
      }
      this.#state = state;
      return true;
    } catch {
      return false;
    }
  }
}

function lastEnd(changes: ChangeSet): number {
  let end = 0;
  changes.iterChangedRanges((_fromA, _toA, _fromB, toB) => (end = toB));
  return end;
}
