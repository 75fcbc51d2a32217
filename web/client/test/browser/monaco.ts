/** A page with Monaco, bound to a room. */
import * as monaco from "monaco-editor/editor/editor.api.js";

import { Motet } from "../../src/index.js";
import { bindMonaco } from "../../src/monaco/index.js";

const parameters = new URLSearchParams(location.hash.slice(1));
const motet = new Motet({ url: parameters.get("url")!, name: parameters.get("name") ?? "", times: { retryMs: 50, retryMaxMs: 300, quietMs: 1_000, deadMs: 1_000 } });
const room = motet.room(parameters.get("room")!, { create: true });
const errors: string[] = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason?.stack ?? event.reason)));

const node = document.createElement("div");
node.style.cssText = "width: 800px; height: 500px";
document.body.append(node);
// As on Windows: a new model gets other line ends than the room's.
const model = monaco.editor.createModel("", "plaintext");
model.setEOL(monaco.editor.EndOfLineSequence.CRLF);
const editor = monaco.editor.create(node, { model, minimap: { enabled: false } });
bindMonaco(room, monaco, editor);

Object.assign(globalThis, { motet, room, editor, model, monaco, errors, shown: () => model.getValue() });
