import { EditorSelection, type Extension } from "@codemirror/state";
import { EditorView, layer, RectangleMarker, ViewPlugin, type LayerMarker, type ViewUpdate } from "@codemirror/view";

import { PERSON_COLORS, personColor } from "../editor/colors.js";
import type { Other } from "../room/people.js";
import { binding, presenceChanged } from "./binding.js";

/** How the others' carets look. */
export interface CaretOptions {
  /** The CSS colour of a person; by default one of ten that follow the theme. */
  color?: (person: Other) => string;
  /** The text on the flag; by default the person's name, or "Guest". */
  label?: (person: Other) => string;
}

/** How long a name shows after its person typed or moved, ms. */
const NAME_MS = 2_500;

interface Caret {
  person: Other;
  head: number;
  from: number;
  to: number;
  color: string;
  label: string;
}

function caretsOf(view: EditorView, options: CaretOptions): Caret[] {
  const bound = view.plugin(binding);
  if (!bound) return [];
  const length = view.state.doc.length;
  return bound.room.others.flatMap((person) =>
    (person.presence?.selections ?? []).map((selection) => {
      const { anchor, head } = bound.mirror.selectionToEditor(selection);
      return {
        person,
        head: Math.min(head, length),
        from: Math.min(anchor, head, length),
        to: Math.min(Math.max(anchor, head), length),
        color: options.color?.(person) ?? `var(--cm-motet-${personColor(person)})`,
        label: options.label?.(person) ?? (person.author.name || "Guest"),
      };
    }),
  );
}

/** One caret with its flag. */
class CaretMarker implements LayerMarker {
  constructor(
    readonly caret: Caret,
    readonly left: number,
    readonly top: number,
    readonly height: number,
    readonly below: boolean,
    readonly named: boolean,
  ) {}

  eq(other: CaretMarker): boolean {
    return (
      other.caret.person.participant === this.caret.person.participant &&
      other.left === this.left &&
      other.top === this.top &&
      other.height === this.height &&
      other.below === this.below &&
      other.named === this.named &&
      other.caret.label === this.caret.label &&
      other.caret.color === this.caret.color
    );
  }

  draw(): HTMLElement {
    const element = document.createElement("div");
    element.appendChild(document.createElement("span")).className = "cm-motet-flag";
    this.#set(element);
    return element;
  }

  update(element: HTMLElement, before: CaretMarker): boolean {
    if (before.caret.person.participant !== this.caret.person.participant) return false;
    this.#set(element);
    return true;
  }

  #set(element: HTMLElement): void {
    element.className = `cm-motet-caret${this.named ? " cm-motet-named" : ""}${this.below ? " cm-motet-below" : ""}`;
    element.dataset["participant"] = this.caret.person.participant;
    element.style.setProperty("--cm-motet-color", this.caret.color);
    element.style.transform = `translate(${this.left}px, ${this.top}px)`;
    element.style.height = `${this.height}px`;
    element.firstChild!.textContent = this.caret.label;
  }
}

/** The part of a selection within one rectangle. */
class SelectionMarker implements LayerMarker {
  constructor(
    readonly rectangle: RectangleMarker,
    readonly color: string,
  ) {}

  eq(other: SelectionMarker): boolean {
    return other.color === this.color && other.rectangle.eq(this.rectangle);
  }

  draw(): HTMLElement {
    const element = this.rectangle.draw();
    element.style.setProperty("--cm-motet-color", this.color);
    return element;
  }

  update(element: HTMLElement, before: SelectionMarker): boolean {
    element.style.setProperty("--cm-motet-color", this.color);
    return this.rectangle.update(element, before.rectangle);
  }
}

const changed = (update: ViewUpdate) =>
  update.docChanged ||
  update.selectionSet ||
  update.viewportChanged ||
  update.geometryChanged ||
  update.transactions.some((transaction) => transaction.effects.some((effect) => effect.is(presenceChanged)));

/** @internal Carets and selections of the others as layers: nothing of them is in the text's DOM, so that no caret, input method or wrapping minds them. */
export function caretsExtension(options: CaretOptions): Extension {
  const above = layer({
    above: true,
    class: "cm-motet-carets",
    update: changed,
    markers(view) {
      const own = view.state.doc.lineAt(view.state.selection.main.head).number;
      const now = Date.now();
      const markers: CaretMarker[] = [];
      for (const caret of caretsOf(view, options)) {
        if (caret.head < view.viewport.from || caret.head > view.viewport.to) continue;
        const line = view.state.doc.lineAt(caret.head).number;
        // A flag stands over the line above; below its own line where that is the first, or the one with the user's caret.
        const below = line === 1 || line - 1 === own;
        const named = now - caret.person.activeMs < NAME_MS;
        for (const { left, top, height } of RectangleMarker.forRange(view, "", EditorSelection.cursor(caret.head))) {
          markers.push(new CaretMarker(caret, left, top, height, below, named));
        }
      }
      return markers;
    },
  });
  const beneath = layer({
    above: false,
    class: "cm-motet-selections",
    update: changed,
    markers(view) {
      const markers: SelectionMarker[] = [];
      for (const { from, to, color } of caretsOf(view, options)) {
        const [start, end] = [Math.max(from, view.viewport.from), Math.min(to, view.viewport.to)];
        if (start >= end) continue;
        for (const rectangle of RectangleMarker.forRange(view, "cm-motet-selection", EditorSelection.range(start, end))) {
          markers.push(new SelectionMarker(rectangle, color));
        }
      }
      return markers;
    },
  });
  return [above, beneath, fading, theme];
}

/** Draws anew when a name has shown long enough. */
const fading = ViewPlugin.fromClass(
  class {
    #timer: ReturnType<typeof setTimeout> | null = null;

    constructor(readonly view: EditorView) {}

    update(update: ViewUpdate): void {
      if (this.#timer !== null || !changed(update)) return;
      const now = Date.now();
      const left = (this.view.plugin(binding)?.room.others ?? []).map(({ activeMs }) => activeMs + NAME_MS - now).filter((ms) => ms > 0);
      if (!left.length) return;
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.view.dispatch({ effects: presenceChanged.of() });
      }, Math.min(...left) + 20);
    }

    destroy(): void {
      if (this.#timer !== null) clearTimeout(this.#timer);
    }
  },
);

const colors = (key: "light" | "dark") => Object.fromEntries(PERSON_COLORS.map((color, i) => [`--cm-motet-${i}`, color[key]]));

const theme = EditorView.baseTheme({
  "&light": { ...colors("light"), "--cm-motet-label": "#fff" },
  "&dark": { ...colors("dark"), "--cm-motet-label": "#111317" },
  ".cm-motet-carets": { pointerEvents: "none" },
  ".cm-motet-caret": { position: "absolute", left: "0", top: "0", width: "2px", marginLeft: "-1px", background: "var(--cm-motet-color)", transition: "transform 80ms" },
  ".cm-motet-caret::before": {
    content: "''",
    position: "absolute",
    top: "-3px",
    left: "-2px",
    width: "6px",
    height: "6px",
    borderRadius: "50%",
    background: "var(--cm-motet-color)",
    pointerEvents: "auto",
  },
  ".cm-motet-flag": {
    position: "absolute",
    left: "-1px",
    bottom: "100%",
    padding: "0 4px",
    borderRadius: "3px 3px 3px 0",
    background: "var(--cm-motet-color)",
    color: "var(--cm-motet-label)",
    font: "11px/16px system-ui, sans-serif",
    whiteSpace: "nowrap",
    maxWidth: "16em",
    overflow: "hidden",
    textOverflow: "ellipsis",
    opacity: "0",
    transition: "opacity 200ms",
  },
  ".cm-motet-below .cm-motet-flag": { bottom: "auto", top: "100%", borderRadius: "0 3px 3px 3px" },
  ".cm-motet-named .cm-motet-flag, .cm-motet-caret:hover .cm-motet-flag": { opacity: "1" },
  ".cm-motet-selection": { background: "color-mix(in srgb, var(--cm-motet-color) 22%, transparent)" },
  "@media (prefers-reduced-motion: reduce)": {
    ".cm-motet-caret, .cm-motet-flag": { transition: "none" },
  },
});
