import { useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { NameCard } from "../account/nameCard";
import { follow } from "../editor/follow";
import { dock } from "../preferences";
import { cssOf, initials } from "../people";
import type { Human, OpenRoom } from "../live/room";
import { Popover } from "../ui/popover";

const SHOWN = 5;

/** Who is here: oneself first, then the others; a click follows them. */
export function Faces({ room }: { room: OpenRoom }) {
  const card = useSignal(false);
  const own = useRef<HTMLButtonElement>(null);
  const self = room.self.value;
  const others = room.others.value;
  const shown = others.slice(0, others.length > SHOWN ? SHOWN - 1 : SHOWN);
  const more = Math.max(room.present.value - 1, others.length) - shown.length;
  return (
    <div class="faces" role="group" aria-label="People here">
      <button ref={own} type="button" class="face" style={{ "--who": cssOf(self.hue) }} aria-label={`You are ${self.name}. Change name and colour`} title={`${self.name} (you)`} aria-haspopup="dialog"
        onClick={() => { card.value = !card.value; }} data-initials={initials(self.name)} />
      {shown.map((human) => <Face key={human.participant} human={human} room={room} />)}
      {more > 0 && <button type="button" class="face more" aria-label={`+${more} more, show all`} onClick={() => { dock.value = "people"; }}>+{more}</button>}
      {card.value && <Popover anchor={own} label="You" placement="bottom-end" onClose={() => { card.value = false; }}><NameCard onDone={() => { card.value = false; }} /></Popover>}
    </div>
  );
}

export function Face({ human, room, small }: { human: Human; room: OpenRoom; small?: boolean }) {
  const following = room.following.value === human.participant;
  const words = `${human.name}${human.status === "active" ? "" : `, ${human.status}`}${human.typing ? ", writes a message" : ""}`;
  return (
    <button type="button" class={`face${small ? " small" : ""}${human.status === "active" ? "" : " idle"}${human.typing ? " typing" : ""}`} style={{ "--who": cssOf(human.hue) }}
      aria-pressed={following} aria-label={`${following ? "Stop following" : "Follow"} ${words}`} title={words} onClick={() => follow(room, following ? null : human.participant)} data-initials={initials(human.name)} />
  );
}
