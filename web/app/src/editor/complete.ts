import { type Completion, type CompletionContext, type CompletionResult, snippet } from "@codemirror/autocomplete";
import { EditorState, type Extension } from "@codemirror/state";
import { toEditorPosition, toRoomPosition } from "@motet/client/codemirror";
import type { OpenRoom } from "../live/room";
import { editor } from "./view";

/** What the server offers at the caret: words of the text, keywords and snippets of the language. */
export const serverCompletion = (room: OpenRoom): Extension => {
  const source = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const before = context.matchBefore(/[\p{L}\p{M}\p{N}_]{2,}/u);
    const { language } = room.settings.peek();
    // While prose is typed nothing pops up by itself.
    if (!context.explicit && (!before || !language || language === "plaintext" || language === "markdown")) return null;
    const view = context.view ?? editor.peek();
    if (!view) return null;
    const found = await room.room.complete(toRoomPosition(view, context.pos), 20).catch(() => []);
    if (!found.length || context.aborted) return null;
    const from = Math.min(...found.map((one) => toEditorPosition(view, one.from)));
    const options = found.filter((one) => toEditorPosition(view, one.from) === from).map((one, i): Completion => ({
      label: one.label, detail: one.detail, boost: 50 - i, type: one.kind,
      apply: one.kind === "snippet" ? snippet(one.insert.replace(/\$(\d+)/g, "${$1}").replace(/\$\{(\d+):/g, "${$1:").replace(/\$\{0\}/g, "${}")) : one.insert,
    }));
    return { from, options, validFor: /^[\p{L}\p{M}\p{N}_]*$/u };
  };
  return EditorState.languageData.of(() => [{ autocomplete: source }]);
};
