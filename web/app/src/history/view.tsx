import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { EditorState, StateEffect, StateField, type Range } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import { reading } from "../editor/setup";
import { languageSupport } from "../editor/languages";
import type { OpenRoom } from "../live/room";
import { wordsOf } from "../live/api";
import { cssOf } from "../people";
import { isDark } from "../preferences";
import type { RoomLog } from "./log";
import { comparing, past } from "./past";
import { shownWith, touched } from "./scalars";
import { TimeBar } from "./timeBar";

const setMarks = StateEffect.define<DecorationSet>();
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (value, transaction) => transaction.effects.reduce((all, effect) => (effect.is(setMarks) ? effect.value : all), value.map(transaction.changes)),
  provide: (field) => EditorView.decorations.from(field),
});

/** Text that was taken out at this place. */
class Gone extends WidgetType {
  constructor(readonly text: string, readonly color: string) { super(); }
  override eq(other: Gone) { return other.text === this.text && other.color === this.color; }
  toDOM() {
    const element = Object.assign(document.createElement("del"), { className: "gone", textContent: this.text.length > 400 ? `${this.text.slice(0, 400)}…` : this.text });
    element.style.setProperty("--who", this.color);
    return element;
  }
}

/** The text of a revision, with what its entry changed; or that text against the newest. */
export function HistoryView({ room, log }: { room: OpenRoom; log: RoomLog }) {
  const element = useRef<HTMLDivElement>(null);
  const problem = useSignal("");
  useEffect(() => { log.start(); }, [log]);
  useSignalEffect(() => {
    const revision = past.value;
    if (revision === null || !room.ready.value) return;
    const compare = comparing.value;
    const dark = isDark.value;
    const { language } = room.settings.value;
    let stale = false;
    (compare ? difference(room, log, revision) : moment(room, log, revision)).then(async ({ state: make, decorations }) => {
      const support = await languageSupport(language).catch(() => null);
      if (stale || !element.current) return;
      const top = view.current?.scrollDOM.scrollTop ?? 0;
      const extensions = [reading, EditorView.darkTheme.of(dark), EditorView.lineWrapping, EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.contentAttributes.of({ "aria-label": `Text at revision ${revision}`, tabindex: "0" }), marks, support ?? []];
      const state = make(extensions);
      if (view.current) view.current.setState(state); else view.current = new EditorView({ state, parent: element.current });
      view.current.dispatch({ effects: setMarks.of(decorations) });
      element.current.dataset.revision = String(revision);
      problem.value = "";
      const first = decorations.iter();
      requestAnimationFrame(() => {
        if (!view.current) return;
        view.current.scrollDOM.scrollTop = top;
        if (first.value) view.current.dispatch({ effects: EditorView.scrollIntoView(Math.min(first.from, view.current.state.doc.length), { y: "nearest", yMargin: 60 }) });
      });
    }, (error) => { if (!stale) problem.value = wordsOf(error); });
    return () => { stale = true; };
  });
  const view = useRef<EditorView | null>(null);
  useEffect(() => () => { view.current?.destroy(); view.current = null; }, []);
  return (
    <section class="past" aria-label="History">
      <TimeBar room={room} log={log} />
      {problem.value && <p class="notice" role="alert">{problem.value}</p>}
      <div ref={element} class="editor past-text" />
    </section>
  );
}

interface Shown { state: (extensions: unknown[]) => EditorState; decorations: DecorationSet }

async function moment(room: OpenRoom, log: RoomLog, revision: number): Promise<Shown> {
  const [text, before, operation] = await Promise.all([log.text(revision), log.text(Math.max(0, revision - 1)), revision ? log.operation(revision) : null]);
  const change = operation ? touched(operation, before) : { inserted: [], deleted: [] };
  const step = log.steps.peek().find((one) => one.revision === revision);
  const who = cssOf(step ? log.author(step.participant).hue : room.self.peek().hue);
  const { text: doc, places } = shownWith(text, [...change.inserted.flatMap(({ from, to }) => [from, to]), ...change.deleted.map(({ at }) => at)]);
  const ranges: Range<Decoration>[] = [];
  change.inserted.forEach((_, i) => {
    const [from, to] = [places[2 * i]!, places[2 * i + 1]!];
    if (from < to) ranges.push(Decoration.mark({ class: "added", attributes: { style: `--who: ${who}` } }).range(from, to));
  });
  change.deleted.forEach(({ text: gone }, i) => ranges.push(Decoration.widget({ widget: new Gone(gone, who), side: 1 }).range(places[2 * change.inserted.length + i]!)));
  return { state: (extensions) => EditorState.create({ doc, extensions: extensions as never }), decorations: Decoration.set(ranges, true) };
}

async function difference(room: OpenRoom, log: RoomLog, revision: number): Promise<Shown> {
  const [{ unifiedMergeView }, text] = await Promise.all([import("@codemirror/merge"), log.text(revision)]);
  const original = shownWith(text, []).text;
  const doc = shownWith(room.room.text, []).text;
  return {
    state: (extensions) => EditorState.create({ doc, extensions: [extensions as never, unifiedMergeView({ original, mergeControls: false, gutter: true, collapseUnchanged: { margin: 3, minSize: 6 } })] }),
    decorations: Decoration.none,
  };
}

