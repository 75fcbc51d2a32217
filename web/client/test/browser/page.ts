/** What the browser tests load: the package's parts, in the page's global scope. */
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { defaultKeymap } from "@codemirror/commands";

import { Motet, type Room } from "../../src/index.js";
import { motetComments, motetEditor, redo, undo } from "../../src/codemirror/index.js";
import { bindTextarea } from "../../src/textarea/index.js";
import { UserUndo } from "../../src/undo/index.js";

const parameters = new URLSearchParams(location.hash.slice(1));
const motet = new Motet({ url: parameters.get("url")!, name: parameters.get("name") ?? "", times: { retryMs: 50, retryMaxMs: 300, quietMs: 1_000, deadMs: 1_000 } });
const room: Room = motet.room(parameters.get("room")!, { create: true });
const errors: string[] = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason?.stack ?? event.reason)));
addEventListener("securitypolicyviolation", (event) => errors.push(`${event.violatedDirective} ${event.blockedURI}`));

let view: EditorView | null = null;
if (parameters.get("editor") === "textarea") {
  const field = document.createElement("textarea");
  field.rows = 20;
  document.body.append(field);
  bindTextarea(room, field, { undo: new UserUndo() });
} else {
  view = new EditorView({
    parent: document.body,
    state: EditorState.create({ extensions: [motetEditor(room), motetComments(room), keymap.of(defaultKeymap), EditorView.lineWrapping] }),
  });
}

/** Times of frames, ms. */
const frames: number[] = [];
let last = performance.now();
const frame = () => {
  const now = performance.now();
  frames.push(now - last);
  last = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);

Object.assign(globalThis, {
  motet,
  room,
  view,
  errors,
  frames,
  undo: () => undo(view!),
  redo: () => redo(view!),
  shown: () => (view ? view.state.doc.toString() : document.querySelector("textarea")!.value),
});
