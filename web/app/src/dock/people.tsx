import { Eye, Phone } from "lucide";
import { Face } from "../bar/faces";
import { follow } from "../editor/follow";
import { caretOf, editor, scrollTo } from "../editor/view";
import type { Human, OpenRoom } from "../live/room";
import { cssOf, initials } from "../people";
import { ago, clock } from "../time";
import { Icon } from "../ui/icon";

const ROLES = { viewer: "can view", editor: "can edit", host: "host" } as const;

export function PeoplePanel({ room }: { room: OpenRoom }) {
  const self = room.self.value;
  const others = room.others.value;
  const unseen = room.present.value - 1 - others.length;
  return (
    <div class="scroll pad stack">
      <ul class="people">
        <li class="person">
          <span class="face" style={{ "--who": cssOf(self.hue) }} aria-hidden="true" data-initials={initials(self.name)} />
          <span class="grow"><span class="cut">{self.name}</span><span class="note">you{room.role.value && `, ${ROLES[room.role.value]}`}</span></span>
        </li>
        {others.map((human) => <Person key={human.participant} human={human} room={room} />)}
      </ul>
      {unseen > 0 && <p class="note">and {unseen} more who are only reading</p>}
      {!others.length && <p class="note">No one else is here. Share the link, and they show up here.</p>}
    </div>
  );
}

function Person({ human, room }: { human: Human; room: OpenRoom }) {
  const following = room.following.value === human.participant;
  void clock.value;
  const at = caretOf(room, human.participant);
  const view = editor.value;
  const line = at !== null && view ? view.state.doc.lineAt(Math.min(at, view.state.doc.length)).number : null;
  const followed = human.following && (human.following === room.participant.value ? "you" : room.others.value.find((other) => other.participant === human.following)?.name);
  const doing = [
    ROLES[human.role],
    human.typing ? "writes a message" : human.status !== "active" ? human.status : human.activeMs ? `active ${ago(human.activeMs)}` : null,
    followed && `follows ${followed}`,
  ].filter(Boolean).join(", ");
  return (
    <li class={`person${following ? " followed" : ""}`} style={{ "--who": cssOf(human.hue) }}>
      <Face human={human} room={room} />
      <span class="grow">
        <span class="row tight"><span class="cut">{human.name}</span>{human.call && <span class="muted" title="In the call"><Icon of={Phone} size={13} /></span>}</span>
        <span class="note cut">{doing}</span>
      </span>
      {line !== null && <button type="button" class="button nums" title="Show" onClick={() => { if (view && at !== null) scrollTo(view, at); }}>line {line}</button>}
      <button type="button" class="button only" aria-pressed={following} aria-label={`${following ? "Stop following" : "Follow"} ${human.name}`} title={following ? "Stop following" : "Follow"} onClick={() => follow(room, following ? null : human.participant)}><Icon of={Eye} /></button>
    </li>
  );
}
