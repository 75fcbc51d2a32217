import { signal } from "@preact/signals";
import { showBlame, type BlameRange } from "@motet/client/codemirror";
import { editor } from "../editor/view";
import { api, wordsOf } from "../live/api";
import type { OpenRoom } from "../live/room";
import { cssOf } from "../people";
import { exact } from "../time";
import { toast } from "../ui/toast";
import { toUnits } from "./scalars";

/** Whether the text shows who wrote what. */
export const blaming = signal(false);

interface Blame { revision: number; ranges: { start: number; end: number; revision: number; participant: string; author: { name: string; account?: string | null }; time_ms: number }[] }

/** Who wrote what is in the text now, or null where the text moved on before the answer came. */
export async function blame(room: OpenRoom): Promise<(BlameRange & { revision: number; own: boolean })[] | null> {
  for (let tries = 0; tries < 3; tries++) {
    const answer = await api<Blame>(`rooms/${room.id}/blame`);
    if (room.room.hasUnsyncedChanges || answer.revision !== room.room.revision) { await new Promise((done) => setTimeout(done, 300)); continue; }
    const units = toUnits(room.room.text, answer.ranges.flatMap(({ start, end }) => [start, end]));
    return answer.ranges.map((range, i) => {
      const author = room.author(range.participant, range.author);
      return { from: units[2 * i]!, to: units[2 * i + 1]!, label: `${author.name}, ${exact(range.time_ms)}`, color: cssOf(author.hue), revision: range.revision, own: room.isOwn(range.participant, range.author) };
    });
  }
  return null;
}

/** Shows who wrote what, and keeps it so while people type; off again when asked a second time. */
export function watchBlame(room: OpenRoom): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const show = async () => {
    const view = editor.value;
    if (!view || !blaming.value) return;
    try {
      const ranges = await blame(room);
      if (blaming.value && ranges) showBlame(view, ranges);
    } catch (error) { blaming.value = false; toast(wordsOf(error)); }
  };
  const ends = [
    blaming.subscribe((on) => { clearTimeout(timer); if (on) void show(); else if (editor.value) showBlame(editor.value, null); }),
    room.room.on("change", () => { if (!blaming.value) return; clearTimeout(timer); timer = setTimeout(() => void show(), 1200); }),
  ];
  return () => { clearTimeout(timer); for (const end of ends) end(); };
}
