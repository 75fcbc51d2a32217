import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ArrowDown, ArrowUp } from "lucide";
import type { OpenRoom } from "../live/room";
import { cssOf } from "../people";
import { Icon } from "../ui/icon";
import { caretOf, editor, scrollTo } from "./view";

interface Away { participant: string; name: string; hue: string; line: number; position: number; where: "up" | "down"; part: number }

/** People whose carets are out of sight: a tick beside the scrollbar for each, and one pill above and below for who moved last. */
export function OffScreen({ room }: { room: OpenRoom }) {
  const away = useSignal<Away[]>([]);
  useEffect(() => {
    const look = () => {
      const view = editor.value;
      if (!view) return;
      const box = view.scrollDOM;
      const found: Away[] = [];
      for (const other of room.others.value) {
        const at = caretOf(room, other.participant);
        if (at === null) continue;
        const position = Math.min(at, view.state.doc.length);
        const block = view.lineBlockAt(position);
        const where = block.bottom < box.scrollTop ? "up" : block.top > box.scrollTop + box.clientHeight ? "down" : null;
        if (where) found.push({ participant: other.participant, name: other.name, hue: other.hue, line: view.state.doc.lineAt(position).number, position, where, part: block.top / Math.max(1, view.contentHeight) });
      }
      if (JSON.stringify(found) !== JSON.stringify(away.value)) away.value = found;
    };
    const timer = setInterval(look, 400);
    return () => clearInterval(timer);
  }, [room]);
  const latest = (where: "up" | "down") => {
    const ids = new Map(room.others.value.map((other) => [other.participant, other.activeMs]));
    return away.value.filter((one) => one.where === where && Date.now() - (ids.get(one.participant) ?? 0) < 60_000).sort((a, b) => (ids.get(b.participant) ?? 0) - (ids.get(a.participant) ?? 0))[0];
  };
  return (
    <>
      <div class="ticks" aria-hidden="true">{away.value.slice(0, 50).map((one) => <i key={one.participant} style={{ "--who": cssOf(one.hue), top: `${one.part * 100}%` }} />)}</div>
      {(["up", "down"] as const).map((where) => {
        const one = latest(where);
        return one && (
          <button key={where} type="button" class={`pill away ${where}`} onClick={() => scrollTo(editor.value!, one.position)}>
            <Icon of={where === "up" ? ArrowUp : ArrowDown} size={14} /><span class="dot" style={{ "--who": cssOf(one.hue) }} /> {one.name}, line {one.line}
          </button>
        );
      })}
    </>
  );
}
