import { signal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { roomAddress } from "../address";
import { follow } from "../editor/follow";
import { goToLine } from "../editor/view";
import { keyName } from "../keys";
import type { OpenRoom } from "../live/room";
import { openRooms } from "../live/openRooms";
import { cssOf } from "../people";
import { titleOf } from "../rooms/filter";
import { Combobox, type Option } from "../ui/combobox";
import { commands } from "./commands";
import { PaletteDialog } from "./dialog";

/** Whether the command palette is open. */
export const paletteOpen = signal(false);

/** How well words fit: all of them must be in the label; a label that begins so comes first. */
function fit(label: string, words: string[]): number {
  const text = label.toLocaleLowerCase();
  if (!words.every((word) => text.includes(word))) return 0;
  return words.length && text.startsWith(words[0]!) ? 2 : 1;
}

/** Everything that can be done or gone to, by its name. */
export function Palette({ room }: { room: OpenRoom }) {
  const [query, setQuery] = useState("");
  const close = () => { paletteOpen.value = false; };
  const rooms = openRooms(room.motet);
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const all = useMemo(() => commands(room), []);
  const go = (run: () => void) => () => { close(); setTimeout(run); };
  const options: Option[] = [];
  const line = /^:?(\d+)$/.exec(query.trim());
  if (line) options.push({ id: "line", label: `Go to line ${line[1]}`, group: "Go to", run: go(() => goToLine(Number(line[1]))) });
  options.push(...all.filter(({ label }) => fit(label, words)).sort((a, b) => fit(b.label, words) - fit(a.label, words)).map(({ id, label, keys, run }): Option => ({
    id, label, group: "Commands", run: go(run), body: <><span class="grow cut">{label}</span>{keys && <kbd>{keyName(keys)}</kbd>}</>,
  })));
  options.push(...room.others.value.filter(({ name }) => fit(`follow ${name}`, words)).slice(0, 20).map((human): Option => ({
    id: human.participant, label: human.name, group: "People", run: go(() => follow(room, human.participant)), body: <><span class="dot" style={{ "--who": cssOf(human.hue) }} /><span class="grow cut">Follow {human.name}</span></>,
  })));
  if (words.length) options.push(...rooms.value.filter((one) => one.room !== room.id && fit(`${titleOf(one)} ${one.room}`, words)).slice(0, 20).map((one): Option => ({
    id: `room-${one.room}`, label: titleOf(one), group: "Rooms", run: go(() => location.assign(roomAddress(one.room))), body: <><span class="grow cut">{titleOf(one)}</span>{titleOf(one) !== one.room && <span class="note mono cut">{one.room}</span>}</>,
  })));
  return (
    <PaletteDialog label="Commands" onClose={close}>
      <Combobox label="Command, room, person or line" placeholder="Command, room, person or line" query={query} onQuery={setQuery} options={options} empty="Nothing is called so." />
    </PaletteDialog>
  );
}
