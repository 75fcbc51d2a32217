import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { motetBlame, motetComments, motetDoc, motetEditor } from "@motet/client/codemirror";
import { chosenComment, commentingOn } from "../dock/commenting";
import type { OpenRoom } from "../live/room";
import { cssOf } from "../people";
import { dock, isDark, keymap as keymapName, wrap } from "../preferences";
import { human } from "../live/room";
import { Hints } from "./hints";
import { serverCompletion } from "./complete";
import { following } from "./follow";
import { languageSupport } from "./languages";
import { caret, largeText } from "./line";
import { OffScreen } from "./offscreen";
import { coarse, editing, keysOf, parts } from "./setup";
import { KeyRow } from "./keyRow";
import { editor } from "./view";

/** A language mode is off above this, unless it is asked for: each edit would be parsed for up to 20 ms. */
const LARGE = 1_000_000;
/** Lines longer than this are not wrapped: laying them out takes seconds. */
const LONG_LINE = 100_000;

/** The text. */
export function EditorPane({ room, hidden }: { room: OpenRoom; hidden: boolean }) {
  const element = useRef<HTMLDivElement>(null);
  const empty = useSignal(false);
  useEffect(() => {
    const view = make(room, element.current!, empty);
    editor.value = view;
    const ends = [
      isDark.subscribe((dark) => view.dispatch({ effects: parts.dark.reconfigure(EditorView.darkTheme.of(dark)) })),
      // What cannot be saved by trying again is not typed in the first place.
      room.closed.subscribe((error) => view.dispatch({ effects: parts.writable.reconfigure(error ? EditorState.readOnly.of(true) : []) })),
      wrap.subscribe(() => rewrap(view)),
      keymapName.subscribe((name) => void keysOf(name).then((keys) => { if (name === keymapName.peek()) view.dispatch({ effects: parts.keys.reconfigure(keys) }); })),
      room.settings.subscribe(({ language }) => void setLanguage(view, language)),
      largeText.subscribe(() => void setLanguage(view, room.settings.peek().language)),
      room.ready.subscribe((ready) => { if (ready) setTimeout(() => { empty.value = view.state.doc.length === 0; rewrap(view); if (!coarse && !document.querySelector("dialog[open]")) view.focus(); }); }),
    ];
    // For tests and the browser's console.
    (window as { motet?: unknown }).motet = { view, room: room.room };
    return () => { for (const end of ends) end(); editor.value = null; view.destroy(); };
  }, [room]);
  return (
    <div class="pane" hidden={hidden}>
      <div ref={element} class={`editor${room.following.value ? " follows" : ""}`} style={{ "--who": cssOf(room.others.value.find((other) => other.participant === room.following.value)?.hue ?? "blue") }} />
      {empty.value && room.ready.value && <Hints room={room} />}
      <OffScreen room={room} />
      {coarse && <KeyRow />}
    </div>
  );
}

function rewrap(view: EditorView): void {
  let long = false;
  if (wrap.peek()) for (let lines = view.state.doc.iterLines(); !lines.next().done;) if (lines.value.length > LONG_LINE) { long = true; break; }
  view.dispatch({ effects: parts.wrap.reconfigure(wrap.peek() && !long ? EditorView.lineWrapping : []) });
}

let wanted = "";
async function setLanguage(view: EditorView, language: string): Promise<void> {
  const size = view.state.doc.length;
  if (size > LARGE && largeText.peek() !== "on") { if (language && language !== "plaintext") largeText.value = "off"; return; }
  wanted = language;
  const support = await languageSupport(language).catch(() => null);
  if (wanted === language) view.dispatch({ effects: parts.language.reconfigure(support ?? []) });
}

function make(room: OpenRoom, parent: HTMLElement, empty: { value: boolean }): EditorView {
  const label = EditorView.contentAttributes.of({ "aria-label": `Text of ${room.id}`, autocapitalize: "off", spellcheck: "false", translate: "no", tabindex: "0" });
  const told = EditorView.updateListener.of((update) => {
    if (update.docChanged || update.selectionSet) caret.value = update.state;
    if (update.docChanged) {
      empty.value = update.state.doc.length === 0;
      if (update.state.doc.length > LARGE && update.startState.doc.length <= LARGE) void setLanguage(update.view, room.settings.peek().language);
    }
  });
  const comments = motetComments(room.room, { onSelect: ([first]) => { if (first && !first.resolved) { chosenComment.value = first.comment; commentingOn.value = null; dock.value = "comments"; } } });
  const state = EditorState.create({
    doc: motetDoc(room.room),
    extensions: [
      Prec.highest(parts.writable.of([])),
      parts.keys.of([]),
      motetEditor(room.room, { color: (person) => cssOf(human(person).hue), label: (person) => human(person).name }),
      editing,
      parts.language.of([]), parts.wrap.of([]), parts.dark.of([]), parts.blame.of([]),
      comments, motetBlame(), serverCompletion(room), following(room), label, told,
    ],
  });
  const view = new EditorView({ state, parent });
  caret.value = view.state;
  return view;
}

