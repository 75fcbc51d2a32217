import { RangeSetBuilder, StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet } from "@codemirror/view";

import type { Comment } from "../room/comments.js";
import type { Room } from "../room/room.js";
import { PERSON_COLORS } from "../editor/colors.js";
import { binding, toEditorPosition } from "./binding.js";

/** How comments are marked in the text. */
export interface CommentMarkOptions {
  /** The class of a comment's range; by default `cm-motet-comment`, with `cm-motet-resolved` for one that is resolved. */
  className?: (comment: Comment) => string;
  /** Called when a marked range is clicked, with the comments at that place. */
  onSelect?: (comments: Comment[], view: EditorView) => void;
}

const setComments = StateEffect.define<{ from: number; to: number; comment: Comment }[]>();

/** Marks the ranges of a room's comments, follows them through edits, and tells of clicks. Loads the comments by itself. */
export function motetComments(room: Room, options: CommentMarkOptions = {}): Extension {
  const className = options.className ?? ((comment: Comment) => `cm-motet-comment${comment.resolved ? " cm-motet-resolved" : ""}`);
  const field = StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(marks, transaction) {
      marks = marks.map(transaction.changes);
      for (const effect of transaction.effects) {
        if (!effect.is(setComments)) continue;
        const ranges = effect.value
          .filter(({ from, to }) => from < to)
          .map(({ from, to, comment }): Range<Decoration> => Decoration.mark({ class: className(comment), attributes: { "data-comment": String(comment.comment) } }).range(from, to));
        marks = Decoration.set(ranges, true);
      }
      return marks;
    },
    provide: (self) => EditorView.decorations.from(self),
  });
  const plugin = ViewPlugin.fromClass(
    class {
      readonly #end: () => void;

      constructor(view: EditorView) {
        const draw = () => {
          const length = view.state.doc.length;
          const place = (position: number) => Math.min(length, toEditorPosition(view, position));
          if (view.plugin(binding)) view.dispatch({ effects: setComments.of(room.comments.all.map((comment) => ({ from: place(comment.start), to: place(comment.end), comment }))) });
        };
        // The event may come while the editor updates.
        this.#end = room.comments.on("change", () => void Promise.resolve().then(draw));
        room.whenLoaded.then(() => room.comments.load()).catch(() => {});
      }

      destroy(): void {
        this.#end();
      }
    },
    {
      eventHandlers: {
        click(event, view) {
          const mark = event.target instanceof Element ? event.target.closest("[data-comment]") : null;
          if (!mark || !options.onSelect) return;
          const position = view.posAtCoords({ x: event.clientX, y: event.clientY });
          if (position === null) return;
          options.onSelect(
            room.comments.all.filter(({ start, end }) => toEditorPosition(view, start) <= position && position <= toEditorPosition(view, end)),
            view,
          );
        },
      },
    },
  );
  return [field, plugin, markTheme];
}

/** A stretch of the text by one author, in UTF-16 positions of the room's text. */
export interface BlameRange {
  from: number;
  to: number;
  /** Names the author, as a tooltip. */
  label: string;
  /** Which of the ten colours, or a CSS colour. */
  color: number | string;
}

const setBlame = StateEffect.define<DecorationSet>();

const blameField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    marks = marks.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setBlame)) marks = effect.value;
    return marks;
  },
  provide: (self) => EditorView.decorations.from(self),
});

/** Shows who wrote what, on demand: see {@link showBlame}. */
export function motetBlame(): Extension {
  return [blameField, markTheme];
}

/** Marks stretches of the text by their authors; null takes the marks away. The editor needs {@link motetBlame}. */
export function showBlame(view: EditorView, ranges: readonly BlameRange[] | null): void {
  const builder = new RangeSetBuilder<Decoration>();
  const length = view.state.doc.length;
  for (const { from, to, label, color } of [...(ranges ?? [])].sort((a, b) => a.from - b.from)) {
    const [start, end] = [from, to].map((position) => Math.min(length, toEditorPosition(view, position))) as [number, number];
    if (start >= end) continue;
    const css = typeof color === "number" ? `var(--cm-motet-${color % PERSON_COLORS.length})` : color;
    builder.add(start, end, Decoration.mark({ class: "cm-motet-blame", attributes: { title: label, style: `--cm-motet-color: ${css}` } }));
  }
  view.dispatch({ effects: setBlame.of(builder.finish()) });
}

const markTheme = EditorView.baseTheme({
  ".cm-motet-comment": { background: "color-mix(in srgb, #e6ac3d 30%, transparent)", cursor: "pointer" },
  ".cm-motet-resolved": { background: "none", borderBottom: "1px dotted #8c959f" },
  ".cm-motet-blame": { background: "color-mix(in srgb, var(--cm-motet-color) 18%, transparent)" },
});
