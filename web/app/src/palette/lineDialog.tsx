import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { editor, goToLine } from "../editor/view";
import { PaletteDialog } from "./dialog";

/** Whether a line is asked for. */
export const asking = signal(false);

export function LineDialog() {
  const [words, setWords] = useState("");
  const close = () => { asking.value = false; };
  return (
    <PaletteDialog label="Go to line" onClose={close}>
      <form onSubmit={(event) => { event.preventDefault(); close(); const line = Number.parseInt(words, 10); if (line) setTimeout(() => goToLine(line)); }}>
        <input type="text" inputMode="numeric" aria-label="Line" placeholder={`Line, 1 to ${editor.value?.state.doc.lines ?? 1}`} value={words} onInput={(event) => setWords(event.currentTarget.value)} />
      </form>
    </PaletteDialog>
  );
}
