import { EditorState, Facet, StateEffect, StateField, type ChangeSet, type Extension } from "@codemirror/state";
import { EditorView, ViewPlugin, type PluginValue, type ViewUpdate } from "@codemirror/view";

import { Mirror } from "../editor/mirror.js";
import { Pacer } from "../editor/pacer.js";
import type { Room } from "../room/room.js";
import { restoreHistory, storedHistory } from "./history.js";
import { remoteChange, remoteTransaction } from "./remote.js";

/** @internal What the parts of the extension know of each other. */
export interface BindingConfig {
  room: Room;
  undo: boolean;
  tellPresence: boolean;
}

/** @internal */
export const bindingConfig = Facet.define<BindingConfig, BindingConfig | null>({ combine: (values) => values[0] ?? null });

/** The others moved, came or went: layers draw anew. */
export const presenceChanged = StateEffect.define<void>();
const setWritable = StateEffect.define<boolean>();

/** Whether the room can be edited now. */
export const writableField = StateField.define<boolean>({
  create: (state) => state.facet(bindingConfig)?.room.writable ?? false,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setWritable)) value = effect.value;
    return value;
  },
  provide: (field) => EditorState.readOnly.from(field, (writable) => !writable),
});

/** Keeps one editor and one room the same. */
class Binding implements PluginValue {
  readonly room: Room;
  readonly mirror: Mirror;
  readonly #view: EditorView;
  readonly #config: BindingConfig;
  readonly #pacer: Pacer;
  readonly #ends: (() => void)[] = [];
  #filled = false;
  #destroyed = false;
  #presenceFrame: number | null = null;
  #focused = false;

  constructor(view: EditorView) {
    this.#view = view;
    this.#config = view.state.facet(bindingConfig)!;
    this.room = this.#config.room;
    this.mirror = new Mirror(this.room);
    this.#pacer = new Pacer(
      () => this.room.receive(),
      () => view.composing,
    );
    this.#ends.push(
      this.room.hold(() => this.#pacer.waiting()),
      this.room.on("change", (event) => this.#filled && this.#remote(this.mirror.remote(event))),
      this.room.on("loaded", () => this.#fill()),
      this.room.on("presence", () => this.#presence()),
      this.room.on("status", () => this.#writable()),
      this.room.on("role", () => this.#writable()),
      this.room.on("closed", () => this.#writable()),
    );
    if (this.#config.undo) this.#ends.push(this.room.keepHistory(() => (this.#filled ? storedHistory(view.state) : null)));
    if (this.room.loaded) {
      // An editor that was made with the room's text is ready; another is filled once its making is over.
      this.#filled = this.room.restored === null && this.mirror.mend(view.state.doc, false) === null;
      if (!this.#filled) void Promise.resolve().then(() => this.#fill());
    }
  }

  update(update: ViewUpdate): void {
    if (update.docChanged && this.#filled) this.#local(update);
    if (update.focusChanged && update.view.hasFocus) this.#focused = true;
    if (this.#config.tellPresence && this.#filled && (update.selectionSet || update.docChanged || update.viewportChanged || update.focusChanged)) this.#tell();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#pacer.stop();
    if (this.#presenceFrame !== null) cancelAnimationFrame(this.#presenceFrame);
    for (const end of this.#ends) end();
  }

  /** The composition ended: what was held comes in. */
  compositionEnd(): void {
    // After the editor has taken the composed text.
    setTimeout(() => !this.#destroyed && !this.#view.composing && this.#pacer.now(), 30);
  }

  #local(update: ViewUpdate): void {
    const { transactions } = update;
    if (transactions.every((transaction) => !transaction.docChanged || !transaction.annotation(remoteChange))) {
      return this.#mend(this.mirror.local(update.changes, update.startState.doc, update.state.doc));
    }
    for (const transaction of transactions) {
      if (transaction.docChanged && !transaction.annotation(remoteChange)) {
        this.#mend(this.mirror.local(transaction.changes, transaction.startState.doc, transaction.newDoc));
      }
    }
  }

  /** Puts the editor right, once the update that is going on is over. */
  #mend(changes: ChangeSet | null): void {
    if (!changes) return;
    void Promise.resolve().then(() => {
      if (this.#destroyed) return;
      const mending = changes.length === this.#view.state.doc.length ? changes : null;
      if (mending) this.#view.dispatch(remoteTransaction(mending));
      this.#remote(this.mirror.mend(this.#view.state.doc, false));
    });
  }

  #remote(changes: ChangeSet | null): void {
    if (changes && !changes.empty && !this.#destroyed) this.#view.dispatch(remoteTransaction(changes));
  }

  #fill(): void {
    if (this.#filled || this.#destroyed || !this.room.loaded) return;
    this.mirror.doc = this.room.doc;
    this.#remote(this.mirror.mend(this.#view.state.doc, false));
    this.#filled = true;
    const restored = this.room.restored;
    if (this.#config.undo && restored) restoreHistory(this.#view, restored);
    this.room.restored = null;
    this.#writable();
    this.#presence();
    if (this.#config.tellPresence) this.#tell();
  }

  #writable(): void {
    // The room's events may come while the editor updates.
    void Promise.resolve().then(() => {
      if (this.#destroyed || this.#view.state.field(writableField) === this.#now()) return;
      this.#view.dispatch({ effects: setWritable.of(this.#now()) });
    });
  }

  #now(): boolean {
    return this.#filled && this.room.writable;
  }

  #presence(): void {
    if (this.#presenceFrame !== null || this.#destroyed) return;
    const draw = () => {
      this.#presenceFrame = null;
      if (!this.#destroyed) this.#view.dispatch({ effects: presenceChanged.of() });
    };
    this.#presenceFrame = requestAnimationFrame(draw);
  }

  #tell(): void {
    const { state } = this.#view;
    const length = state.doc.length;
    const place = (position: number) => this.mirror.toRoom(Math.min(position, length));
    const { from, to } = this.#view.viewport;
    this.room.setPresence({
      ...(this.#focused ? { selections: state.selection.ranges.slice(0, 64).map(({ anchor, head }) => ({ anchor: place(anchor), head: place(head) })) } : {}),
      viewport: { anchor: place(from), head: place(to) },
    });
  }
}

/** @internal */
export const binding = ViewPlugin.fromClass(Binding, {
  eventHandlers: {
    compositionend() {
      this.compositionEnd();
    },
  },
});

/** The position in an editor of a position of its room's text, `room.text`. */
export function toEditorPosition(view: EditorView, position: number): number {
  return view.plugin(binding)?.mirror.toEditor(position) ?? position;
}

/** The position in the room's text of a position in an editor. */
export function toRoomPosition(view: EditorView, position: number): number {
  return view.plugin(binding)?.mirror.toRoom(position) ?? position;
}

/** @internal */
export function bindingExtension(config: BindingConfig): Extension {
  // Only "\n" ends a line in the editor: other characters that would (a lone "\r") do not come into it.
  return [EditorState.lineSeparator.of("\n"), bindingConfig.of(config), writableField, binding];
}
