/**
 * Binding for a `<textarea>` or a text `<input>`.
 *
 * @packageDocumentation
 */
import { ChangeSet, type Text } from "@codemirror/state";

import { Mirror } from "../editor/mirror.js";
import { Pacer } from "../editor/pacer.js";
import { canonical } from "../ot/changes.js";
import type { Room } from "../room/room.js";
import type { ChangeEvent } from "../room/types.js";
import { textOf } from "../text/text.js";
import type { UserUndo } from "../undo/index.js";

/** How to bind a text field. */
export interface TextareaOptions {
  /**
   * Undo of one's own changes: `new UserUndo()` of `@motet/client/undo`. Without it, the browser's own undo works until someone else types, and
   * does nothing then.
   */
  undo?: UserUndo;
  /** Whether to tell the others one's own selection; default true. */
  tellPresence?: boolean;
}

/**
 * Keeps a text field and a room's text the same until the returned function is called. The field is read-only while the room cannot be edited.
 *
 * While an input method composes, the field is left alone: others' changes wait, and what is composed goes to the room as a whole.
 */
export function bindTextarea(room: Room, field: HTMLTextAreaElement | HTMLInputElement, options: TextareaOptions = {}): () => void {
  const bound = new TextareaBinding(room, field, options);
  return () => bound.destroy();
}

class TextareaBinding {
  readonly #room: Room;
  readonly #field: HTMLTextAreaElement | HTMLInputElement;
  readonly #options: TextareaOptions;
  readonly #mirror: Mirror;
  readonly #pacer: Pacer;
  readonly #ends: (() => void)[] = [];
  /** What the field holds, as far as it was taken in. */
  #value = "";
  #filled = false;
  #composing = false;

  constructor(room: Room, field: HTMLTextAreaElement | HTMLInputElement, options: TextareaOptions) {
    this.#room = room;
    this.#field = field;
    this.#options = options;
    this.#mirror = new Mirror(room);
    this.#pacer = new Pacer(
      () => room.receive(),
      () => this.#composing,
      Infinity,
    );
    this.#listen(field, "input", () => this.#composing || this.#typed());
    this.#listen(field, "compositionstart", () => (this.#composing = true));
    this.#listen(field, "compositionend", () => {
      this.#composing = false;
      this.#typed();
      this.#pacer.now();
    });
    // A composition that is broken off without its end must not hold the others' changes for ever.
    this.#listen(field, "blur", () => this.#composing && ((this.#composing = false), this.#typed(), this.#pacer.now()));
    this.#listen(field, "keydown", (event) => this.#key(event as KeyboardEvent));
    this.#listen(field, "beforeinput", (event) => this.#before(event as InputEvent));
    this.#listen(document, "selectionchange", () => document.activeElement === field && this.#tell());
    const writable = () => (field.readOnly = !(this.#filled && room.writable));
    this.#ends.push(
      room.hold(() => this.#pacer.waiting()),
      room.on("change", (event) => this.#filled && this.#changed(event)),
      room.on("loaded", () => this.#fill()),
      room.on("role", writable),
      room.on("status", writable),
      room.on("closed", writable),
    );
    if (options.undo) this.#ends.push(room.keepHistory(() => (this.#filled ? options.undo!.store() : null)));
    writable();
    this.#fill();
  }

  destroy(): void {
    this.#pacer.stop();
    for (const end of this.#ends) end();
  }

  #listen(target: EventTarget, type: string, run: (event: Event) => unknown): void {
    const listener = (event: Event) => void run(event);
    target.addEventListener(type, listener);
    this.#ends.push(() => target.removeEventListener(type, listener));
  }

  #fill(): void {
    if (this.#filled || !this.#room.loaded) return;
    this.#mirror.doc = this.#room.doc;
    this.#filled = true;
    this.#value = this.#mirror.shown.toString();
    this.#field.value = this.#value;
    const { undo } = this.#options;
    if (undo && !(this.#room.restored && undo.restore(this.#room.restored))) undo.reset(this.#mirror.shown);
    this.#room.restored = null;
    this.#field.readOnly = !this.#room.writable;
  }

  #typed(): void {
    if (!this.#filled) return;
    const { value } = this.#field;
    const changes = typedChange(this.#value, value, this.#field.selectionEnd ?? value.length);
    if (!changes) return;
    this.#take(changes, value, true);
    this.#tell();
  }

  /** Takes what the field holds now; `noted` is false for an undo, which the history has done already. */
  #take(changes: ChangeSet, value: string, note: boolean): void {
    const before: Text = textOf(this.#value);
    this.#value = value;
    if (note && this.#room.writable) this.#options.undo?.local(changes);
    const mending = this.#mirror.local(changes, before, textOf(value));
    if (!mending) return;
    if (this.#room.writable) this.#options.undo?.remote(mending);
    this.#show(mending);
  }

  #changed(event: ChangeEvent): void {
    const changes = this.#mirror.remote(event);
    if (!changes || changes.empty) return;
    this.#options.undo?.remote(changes);
    this.#show(changes);
  }

  #show(changes: ChangeSet): void {
    const field = this.#field;
    const { scrollTop, selectionDirection } = field;
    const [start, end] = [field.selectionStart ?? 0, field.selectionEnd ?? 0];
    this.#value = changes.apply(textOf(this.#value)).toString();
    field.value = this.#value;
    const from = changes.mapPos(start, start === end ? -1 : 1);
    field.setSelectionRange(from, start === end ? from : Math.max(from, changes.mapPos(end, -1)), selectionDirection ?? "none");
    field.scrollTop = scrollTop;
  }

  #key(event: KeyboardEvent): void {
    if (!this.#options.undo || this.#composing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key === "z") this.#undo(event, event.shiftKey);
    else if (key === "y" && !event.metaKey) this.#undo(event, true);
  }

  #before(event: InputEvent): void {
    if (!this.#options.undo) return;
    if (event.inputType === "historyUndo") this.#undo(event, false);
    else if (event.inputType === "historyRedo") this.#undo(event, true);
  }

  #undo(event: Event, again: boolean): void {
    event.preventDefault();
    if (!this.#filled || !this.#room.writable) return;
    const changes = again ? this.#options.undo!.redo() : this.#options.undo!.undo();
    if (!changes) return;
    const before = this.#value;
    this.#show(changes);
    const value = this.#value;
    this.#value = before;
    this.#take(changes, value, false);
    let caret = 0;
    changes.iterChangedRanges((_fromA, _toA, _fromB, toB) => (caret = toB));
    this.#field.setSelectionRange(caret, caret);
  }

  #tell(): void {
    if (this.#options.tellPresence === false || !this.#filled || this.#composing || this.#field.value !== this.#value) return;
    const [start, end] = [this.#field.selectionStart ?? 0, this.#field.selectionEnd ?? 0].map((position) => this.#mirror.toRoom(position)) as [number, number];
    const back = this.#field.selectionDirection === "backward";
    this.#room.setPresence({ selections: [back ? { anchor: end, head: start } : { anchor: start, head: end }] });
  }
}

/**
 * What was typed in a field that held `before`: the change ends at the caret, which tells apart where among equal characters it was. Null if
 * nothing changed.
 */
export function typedChange(before: string, after: string, caret: number): ChangeSet | null {
  if (before === after) return null;
  let end = after.length - caret;
  if (end > before.length || before.slice(before.length - end) !== after.slice(caret)) {
    end = 0;
    const most = Math.min(before.length, after.length);
    while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  }
  const most = Math.min(before.length, after.length) - end;
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  const insert = textOf(after.slice(start, after.length - end));
  return canonical(ChangeSet.of([{ from: start, to: before.length - end, insert }], before.length, "\n"));
}
