import { useState } from "preact/hooks";
import { languageName } from "../editor/languages";
import { wordsOf } from "../live/api";
import type { OpenRoom } from "../live/room";
import { pickingLanguage } from "../palette/language";
import { toast } from "../ui/toast";

/** The room's name, which an editor changes in place, and its language. */
export function RoomTitle({ room }: { room: OpenRoom }) {
  const [editing, setEditing] = useState(false);
  const { title, language } = room.settings.value;
  const shown = title || room.id;
  const save = (value: string) => {
    setEditing(false);
    if (value.trim() !== title) room.change({ title: value.trim() }).catch((error) => toast(`The title was not changed. ${wordsOf(error)}`));
  };
  return (
    <div class="title row">
      <h1 class="cut">
        {editing
          ? <input class="input" value={title} aria-label="Title" placeholder={room.id} autofocus ref={(input) => input?.select()} onBlur={(event) => save(event.currentTarget.value)}
              onKeyDown={(event) => { if (event.key === "Enter") event.currentTarget.blur(); if (event.key === "Escape") { event.currentTarget.value = title; event.currentTarget.blur(); } }} />
          : <button type="button" class="button cut" dir="auto" title={room.canEdit.value ? "Rename" : shown} disabled={!room.canEdit.value} onClick={() => setEditing(true)}>{shown}</button>}
      </h1>
      <button type="button" class="button language muted" title="Language" aria-label={`Language: ${languageName(language)}`} disabled={!room.canEdit.value} onClick={() => { pickingLanguage.value = true; }}>{languageName(language)}</button>
    </div>
  );
}
