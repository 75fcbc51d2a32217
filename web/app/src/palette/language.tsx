import { signal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { allLanguages } from "../editor/languages";
import type { OpenRoom } from "../live/room";
import { wordsOf } from "../live/api";
import { Combobox } from "../ui/combobox";
import { toast } from "../ui/toast";
import { PaletteDialog } from "./dialog";

/** Whether the language is being chosen. */
export const pickingLanguage = signal(false);

export function LanguagePicker({ room }: { room: OpenRoom }) {
  const [query, setQuery] = useState("");
  const all = useMemo(allLanguages, []);
  const words = query.trim().toLowerCase();
  const found = all.filter(([setting, name]) => !words || setting.includes(words) || name.toLowerCase().includes(words));
  found.sort((a, b) => Number(b[1].toLowerCase().startsWith(words)) - Number(a[1].toLowerCase().startsWith(words)));
  const close = () => { pickingLanguage.value = false; };
  return (
    <PaletteDialog label="Choose a language" onClose={close}>
      <Combobox label="Language" placeholder="Language of the text" query={query} onQuery={setQuery} empty="No such language."
        options={found.map(([setting, name]) => ({ id: setting, label: name, run: () => { close(); room.change({ language: setting }).catch((error) => toast(wordsOf(error))); } }))} />
    </PaletteDialog>
  );
}
