/**
 * Binding for Monaco. Only its types are needed to build; the page gives the `monaco` namespace that it uses.
 *
 * @packageDocumentation
 */
import { ChangeSet } from "@codemirror/state";

import { PERSON_COLORS, personColor } from "../editor/colors.js";
import { Mirror } from "../editor/mirror.js";
import { Pacer } from "../editor/pacer.js";
import { canonical } from "../ot/changes.js";
import { mapSelection } from "../ot/places.js";
import type { Room } from "../room/room.js";
import type { ChangeEvent } from "../room/types.js";
import { stringOf, textOf } from "../text/text.js";
import type { Selection } from "../wire.js";
import { UserUndo } from "../undo/index.js";

/** `IPosition`. This and the types below are the parts of Monaco (0.56 and later) that are used. */
export interface MonacoPosition {
  readonly lineNumber: number;
  readonly column: number;
}
/** `IRange`. */
export interface MonacoRange {
  readonly startLineNumber: number;
  readonly startColumn: number;
  readonly endLineNumber: number;
  readonly endColumn: number;
}
/** `IDisposable`. */
export interface MonacoDisposable {
  dispose(): void;
}
/** `editor.ITextModel`. */
export interface MonacoModel {
  getValue(): string;
  setValue(value: string): void;
  setEOL(eol: number): void;
  getOffsetAt(position: MonacoPosition): number;
  getPositionAt(offset: number): MonacoPosition;
  applyEdits(edits: { range: MonacoRange; text: string; forceMoveMarkers?: boolean }[]): unknown;
  onDidChangeContent(
    listener: (event: { readonly isEolChange: boolean; readonly changes: readonly { readonly rangeOffset: number; readonly rangeLength: number; readonly text: string }[] }) => void,
  ): MonacoDisposable;
  undo(): unknown;
  redo(): unknown;
}
/** Where a selection was begun, and where its caret is. */
export interface MonacoSelection {
  readonly selectionStartLineNumber: number;
  readonly selectionStartColumn: number;
  readonly positionLineNumber: number;
  readonly positionColumn: number;
}
/** `editor.ICodeEditor`. */
export interface MonacoEditor {
  getModel(): MonacoModel | null;
  getSelections(): MonacoSelection[] | null;
  setSelections(selections: readonly MonacoSelection[]): void;
  getVisibleRanges(): MonacoRange[];
  onDidChangeCursorSelection(listener: () => void): MonacoDisposable;
  onDidScrollChange(listener: () => void): MonacoDisposable;
  onDidCompositionStart(listener: () => void): MonacoDisposable;
  onDidCompositionEnd(listener: () => void): MonacoDisposable;
  createDecorationsCollection(): { set(decorations: never[]): unknown; clear(): void };
  updateOptions(options: { readOnly: boolean }): void;
  getDomNode(): HTMLElement | null;
}
/** The namespace that `import * as monaco from "monaco-editor"` gives. */
export interface MonacoNamespace {
  Range: new (startLineNumber: number, startColumn: number, endLineNumber: number, endColumn: number) => MonacoRange;
}

/** How to bind a Monaco editor. */
export interface MonacoOptions {
  /** Whether to draw the others' carets and selections; default true. */
  carets?: boolean;
  /** Whether to tell the others one's own selections and viewport; default true. */
  tellPresence?: boolean;
}

/** `monaco.editor.EndOfLineSequence.LF`. */
const LF = 0;

/**
 * Keeps a Monaco editor and a room's text the same until the returned function is called. The editor's model is set to `\n`; the room keeps its
 * own line ends. Undo takes back one's own changes only, by whichever key, menu or command.
 */
export function bindMonaco(room: Room, monaco: MonacoNamespace, editor: MonacoEditor, options: MonacoOptions = {}): () => void {
  const bound = new MonacoBinding(room, monaco, editor, options);
  return () => bound.destroy();
}

class MonacoBinding {
  readonly #room: Room;
  readonly #monaco: MonacoNamespace;
  readonly #editor: MonacoEditor;
  readonly #model: MonacoModel;
  readonly #options: MonacoOptions;
  readonly #mirror: Mirror;
  readonly #pacer: Pacer;
  readonly #undo = new UserUndo();
  readonly #ends: (() => void)[] = [];
  #held = textOf("");
  #filled = false;
  #applying = false;
  #composing = false;
  #frame: number | null = null;

  constructor(room: Room, monaco: MonacoNamespace, editor: MonacoEditor, options: MonacoOptions) {
    const model = editor.getModel();
    if (!model) throw new Error("the editor has no model to bind");
    this.#room = room;
    this.#monaco = monaco;
    this.#editor = editor;
    this.#model = model;
    this.#options = options;
    this.#mirror = new Mirror(room);
    this.#pacer = new Pacer(
      () => room.receive(),
      () => this.#composing,
    );
    model.setEOL(LF);
    this.#held = textOf(model.getValue());
    const decorations = editor.createDecorationsCollection();
    const dispose = (...list: MonacoDisposable[]) => this.#ends.push(...list.map((one) => () => one.dispose()));
    dispose(
      model.onDidChangeContent((event) => this.#edited(event)),
      editor.onDidChangeCursorSelection(() => this.#tell()),
      editor.onDidScrollChange(() => (this.#draw(decorations), this.#tell())),
      editor.onDidCompositionStart(() => (this.#composing = true)),
      editor.onDidCompositionEnd(() => ((this.#composing = false), this.#pacer.now())),
    );
    const writable = () => editor.updateOptions({ readOnly: !(this.#filled && room.writable) });
    this.#ends.push(
      room.hold(() => this.#pacer.waiting()),
      room.on("change", (event) => this.#filled && this.#changed(event)),
      room.on("loaded", () => (this.#fill(), writable())),
      room.on("presence", () => this.#draw(decorations)),
      room.on("role", writable),
      room.on("status", writable),
      room.on("closed", writable),
      room.keepHistory(() => (this.#filled ? this.#undo.store() : null)),
      () => decorations.clear(),
      this.#takeUndo(),
    );
    if (options.carets !== false) this.#ends.push(addStyles(editor.getDomNode()));
    this.#fill();
    writable();
  }

  destroy(): void {
    this.#pacer.stop();
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    for (const end of this.#ends) end();
  }

  #fill(): void {
    if (this.#filled || !this.#room.loaded) return;
    this.#mirror.doc = this.#room.doc;
    this.#filled = true;
    const shown = this.#mirror.shown;
    if (!this.#held.eq(shown)) {
      this.#applying = true;
      this.#model.setValue(stringOf(shown));
      this.#model.setEOL(LF);
      this.#applying = false;
      this.#held = shown;
    }
    if (!(this.#room.restored && this.#undo.restore(this.#room.restored))) this.#undo.reset(shown);
    this.#room.restored = null;
  }

  /** Undo, wherever it comes from, ends at the model's methods. */
  #takeUndo(): () => void {
    const model = this.#model;
    model.undo = () => this.#step(this.#room.writable ? this.#undo.undo() : null);
    model.redo = () => this.#step(this.#room.writable ? this.#undo.redo() : null);
    return () => {
      // The methods of the model's class are there again.
      delete (model as Partial<MonacoModel>).undo;
      delete (model as Partial<MonacoModel>).redo;
    };
  }

  #step(changes: ChangeSet | null): void {
    if (!changes) return;
    const before = this.#held;
    this.#show(changes);
    let end = 0;
    changes.iterChangedRanges((_fromA, _toA, _fromB, toB) => (end = toB));
    this.#select([{ anchor: end, head: end }]);
    const mending = this.#mirror.local(changes, before, this.#held);
    if (mending) this.#mend(mending);
  }

  #edited(event: { readonly isEolChange: boolean; readonly changes: readonly { readonly rangeOffset: number; readonly rangeLength: number; readonly text: string }[] }): void {
    if (this.#applying) return;
    if (event.isEolChange) {
      this.#applying = true;
      this.#model.setEOL(LF);
      this.#applying = false;
      return;
    }
    if (!this.#filled) return void (this.#held = textOf(this.#model.getValue()));
    const parts = event.changes
      .map(({ rangeOffset, rangeLength, text }) => ({ from: rangeOffset, to: rangeOffset + rangeLength, insert: textOf(text.replace(/\r\n?/g, "\n")) }))
      .sort((a, b) => a.from - b.from);
    const changes = canonical(ChangeSet.of(parts, this.#held.length, "\n"));
    const before = this.#held;
    this.#held = changes.apply(before);
    if (this.#room.writable) this.#undo.local(changes);
    const mending = this.#mirror.local(changes, before, this.#held);
    if (mending) this.#mend(mending);
    this.#tell();
  }

  /** What the editor holds has to be put right, once its own change is over. */
  #mend(changes: ChangeSet): void {
    void Promise.resolve().then(() => {
      const mending = changes.length === this.#held.length ? changes : this.#mirror.mend(this.#held, false);
      if (!mending) return;
      if (this.#room.writable) this.#undo.remote(mending);
      this.#show(mending);
    });
  }

  #changed(event: ChangeEvent): void {
    const changes = this.#mirror.remote(event);
    if (!changes || changes.empty) return;
    this.#undo.remote(changes);
    this.#show(changes);
  }

  #show(changes: ChangeSet): void {
    const edits: { range: MonacoRange; text: string }[] = [];
    changes.iterChanges((from, to, _fromB, _toB, insert) => edits.push({ range: this.#range(from, to), text: stringOf(insert) }));
    const before = this.#selections();
    this.#applying = true;
    try {
      this.#model.applyEdits(edits);
    } finally {
      this.#applying = false;
    }
    this.#held = changes.apply(this.#held);
    this.#select(before.map((selection) => mapSelection(changes, selection, false)));
  }

  #selections(): Selection[] {
    const offset = (lineNumber: number, column: number) => this.#model.getOffsetAt({ lineNumber, column });
    return (this.#editor.getSelections() ?? []).map((selection) => ({
      anchor: offset(selection.selectionStartLineNumber, selection.selectionStartColumn),
      head: offset(selection.positionLineNumber, selection.positionColumn),
    }));
  }

  /** Monaco lets a selection take in what is inserted at its edges, so that typing over it would delete what another has put there. */
  #select(selections: Selection[]): void {
    if (JSON.stringify(selections) === JSON.stringify(this.#selections())) return;
    this.#editor.setSelections(
      selections.map(({ anchor, head }) => {
        const [start, end] = [this.#model.getPositionAt(anchor), this.#model.getPositionAt(head)];
        return { selectionStartLineNumber: start.lineNumber, selectionStartColumn: start.column, positionLineNumber: end.lineNumber, positionColumn: end.column };
      }),
    );
  }

  #range(from: number, to: number): MonacoRange {
    const [start, end] = [this.#model.getPositionAt(from), this.#model.getPositionAt(to)];
    return new this.#monaco.Range(start.lineNumber, start.column, end.lineNumber, end.column);
  }

  #tell(): void {
    if (this.#options.tellPresence === false || !this.#filled) return;
    const place = (offset: number) => this.#mirror.toRoom(Math.min(this.#held.length, offset));
    const placeAt = (lineNumber: number, column: number) => place(this.#model.getOffsetAt({ lineNumber, column }));
    const visible = this.#editor.getVisibleRanges();
    const [first, last] = [visible[0], visible[visible.length - 1]];
    this.#room.setPresence({
      selections: this.#selections().map(({ anchor, head }) => ({ anchor: place(anchor), head: place(head) })),
      ...(first && last ? { viewport: { anchor: placeAt(first.startLineNumber, first.startColumn), head: placeAt(last.endLineNumber, last.endColumn) } } : {}),
    });
  }

  #draw(decorations: { set(decorations: never[]): unknown }): void {
    if (this.#options.carets === false || this.#frame !== null || !this.#filled) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = null;
      const visible = this.#editor.getVisibleRanges();
      const seen = (range: MonacoRange) => visible.some((part) => range.startLineNumber <= part.endLineNumber && range.endLineNumber >= part.startLineNumber);
      const drawn: { range: MonacoRange; options: object }[] = [];
      for (const person of this.#room.others) {
        const color = `motet-monaco-${personColor(person)}`;
        const hoverMessage = { value: person.author.name || "Guest" };
        for (const selection of person.presence?.selections ?? []) {
          const { anchor, head } = this.#mirror.selectionToEditor(selection);
          if (anchor !== head) drawn.push({ range: this.#range(Math.min(anchor, head), Math.max(anchor, head)), options: { className: `motet-monaco-selection ${color}`, hoverMessage } });
          drawn.push({ range: this.#range(head, head), options: { className: `motet-monaco-caret ${color}`, hoverMessage, showIfCollapsed: true } });
        }
      }
      decorations.set(drawn.filter(({ range }) => seen(range)) as never[]);
    });
  }
}

/** Puts the carets' styles where the editor is, as an adopted sheet: no `style` element, so that a strict content security policy allows it. */
function addStyles(node: HTMLElement | null): () => void {
  const root = (node?.getRootNode() ?? document) as Document | ShadowRoot;
  const sheet = new CSSStyleSheet();
  const colors = (key: "light" | "dark") => PERSON_COLORS.map((color, i) => `.motet-monaco-${i} { --motet-color: ${color[key]} }`).join("\n");
  sheet.replaceSync(`${colors("light")}
.vs-dark, .hc-black { ${PERSON_COLORS.map((color, i) => `.motet-monaco-${i} { --motet-color: ${color.dark} }`).join("\n")} }
.motet-monaco-caret { border-left: 2px solid var(--motet-color); margin-left: -1px; min-width: 0; box-sizing: border-box }
.motet-monaco-selection { background: color-mix(in srgb, var(--motet-color) 25%, transparent) }`);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return () => (root.adoptedStyleSheets = root.adoptedStyleSheets.filter((other) => other !== sheet));
}
