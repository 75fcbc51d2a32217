import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  crosshairCursor, drawSelection, dropCursor, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, rectangularSelection,
} from "@codemirror/view";
import { highlighting, look } from "./highlight";

/** Fingers rather than a mouse. There the platform draws the selection and its handles itself. */
export const coarse = matchMedia("(pointer: coarse)").matches;

/** The nonce that the server put into this page, which lets CodeMirror add its style sheet. */
export const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";

/** What changes while the editor is open. */
export const parts = {
  language: new Compartment(), keys: new Compartment(), wrap: new Compartment(), dark: new Compartment(), writable: new Compartment(), blame: new Compartment(), complete: new Compartment(),
};

/** What both the live text and texts of the past are shown with. */
export const reading: Extension = [
  EditorView.cspNonce.of(nonce),
  EditorState.lineSeparator.of("\n"),
  lineNumbers(),
  highlightSpecialChars(),
  highlighting,
  look,
  coarse ? [] : drawSelection({ cursorBlinkRate: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 1100 }),
];

/** What the live text is edited with, collaboration apart. */
export const editing: Extension = [
  reading,
  foldGutter({ openText: "⌄", closedText: "›" }),
  codeFolding(),
  EditorState.allowMultipleSelections.of(true),
  indentUnit.of("  "),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  autocompletion({ icons: false }),
  search({ top: true }),
  EditorState.phrases.of({ Find: "Search", next: "Next", previous: "Previous", all: "Select all", "match case": "Match case", regexp: "Expression", "by word": "Words", replace: "Replace", "replace all": "Replace all", close: "Close" }),
  coarse ? [] : [dropCursor(), rectangularSelection(), crosshairCursor(), highlightSelectionMatches({ minSelectionLength: 2 })],
  keymap.of([...closeBracketsKeymap, ...searchKeymap, ...foldKeymap, ...completionKeymap, indentWithTab, ...defaultKeymap]),
];

/** Keys before all others, of a keymap that is loaded when it is chosen. */
export async function keysOf(name: string): Promise<Extension> {
  if (name !== "vim") return [];
  const { vim } = await import("@replit/codemirror-vim");
  return vim({ status: true });
}
