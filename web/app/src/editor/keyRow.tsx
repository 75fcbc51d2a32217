import { Redo2, Undo2 } from "lucide";
import { indentMore } from "@codemirror/commands";
import { redo, undo } from "@motet/client/codemirror";
import { Icon } from "../ui/icon";
import { editor } from "./view";

const INSERTS = ["(", ")", "[", "]", "{", "}", "<", ">", "=", "\"", "'", "`", "#", "-", "_", "/", ";", ":"];

/** Keys that a phone's keyboard hides, in a row above it. They keep the focus in the text. */
export function KeyRow() {
  const keep = (event: Event) => event.preventDefault();
  const insert = (text: string) => { const view = editor.value; if (view) view.dispatch(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true }); };
  return (
    <div class="keyrow" role="toolbar" aria-label="Keys">
      <button type="button" class="button" onPointerDown={keep} onClick={() => { if (editor.value) indentMore(editor.value); }}>Tab</button>
      <button type="button" class="button" aria-label="Undo" onPointerDown={keep} onClick={() => { if (editor.value) undo(editor.value); }}><Icon of={Undo2} /></button>
      <button type="button" class="button" aria-label="Redo" onPointerDown={keep} onClick={() => { if (editor.value) redo(editor.value); }}><Icon of={Redo2} /></button>
      {INSERTS.map((text) => <button key={text} type="button" class="button mono" onPointerDown={keep} onClick={() => insert(text)}>{text}</button>)}
    </div>
  );
}
