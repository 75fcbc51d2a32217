import { Languages, Link2 } from "lucide";
import type { OpenRoom } from "../live/room";
import { pickingLanguage } from "../palette/language";
import { copy } from "../share/copy";
import { roomAddress } from "../address";
import { Icon } from "../ui/icon";

/** What an empty room says. It lets clicks through to the text. */
export function Hints({ room }: { room: OpenRoom }) {
  return (
    <div class="hints">
      <p>{room.canEdit.value ? "Type here. Others see it as you type." : "This room is still empty."}</p>
      <p>
        <button type="button" class="button line" onClick={() => void copy(roomAddress(room.id), "The link was copied.")}><Icon of={Link2} /> Copy the link</button>
        {room.canEdit.value && <button type="button" class="button line" onClick={() => { pickingLanguage.value = true; }}><Icon of={Languages} /> Choose a language</button>}
      </p>
    </div>
  );
}
