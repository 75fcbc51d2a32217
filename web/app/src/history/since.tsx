import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Sparkles, X } from "lucide";
import { showBlame } from "@motet/client/codemirror";
import { editor, goTo } from "../editor/view";
import type { OpenRoom } from "../live/room";
import { count } from "../time";
import { Icon } from "../ui/icon";
import { blame, blaming } from "./blame";

const key = (room: string) => `motet:seen:${room}`;

/** What is new since the last visit: tinted in its authors' colours until it is dismissed or the text is edited. */
export function SinceYouWereHere({ room }: { room: OpenRoom }) {
  const found = useSignal<{ places: number; first: number } | null>(null);
  const clear = () => { found.value = null; if (editor.value && !blaming.value) showBlame(editor.value, null); };
  useEffect(() => {
    let ended = false;
    const seen = Number(localStorage.getItem(key(room.id)) ?? -1);
    const save = () => { if (room.room.revision > 0) try { localStorage.setItem(key(room.id), String(room.room.revision)); } catch { /* Then nothing is marked the next time. */ } };
    room.room.whenSynced.then(async () => {
      const head = room.room.revision;
      if (seen >= 0 && seen < head && head - seen < 100_000) {
        const ranges = (await blame(room).catch(() => null))?.filter((range) => range.revision > seen && !range.own);
        if (!ended && ranges?.length && editor.value && !blaming.value) {
          showBlame(editor.value, ranges);
          found.value = { places: ranges.length, first: ranges[0]!.from };
        }
      }
      if (!ended) save();
    }, () => {});
    const end = room.room.on("change", ({ local }) => { if (local && found.value) clear(); });
    document.addEventListener("visibilitychange", save);
    addEventListener("pagehide", save);
    return () => { ended = true; end(); document.removeEventListener("visibilitychange", save); removeEventListener("pagehide", save); };
  }, [room]);
  if (!found.value) return null;
  return (
    <div class="since pill" role="status">
      <Icon of={Sparkles} size={14} /> <button type="button" class="link" onClick={() => goTo(found.value!.first)}>{count(found.value.places, "new passage")}</button> since you were here
      <button type="button" class="button only" aria-label="Dismiss" onClick={clear}><Icon of={X} size={14} /></button>
    </div>
  );
}
