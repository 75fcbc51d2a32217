import type { RoomInfo } from "@motet/client";
import { Folder, Users } from "lucide";
import { roomAddress } from "../address";
import { languageName } from "../editor/languages";
import { ago, count } from "../time";
import { Icon } from "../ui/icon";
import { titleOf } from "./filter";

/** The rooms, those of a project together under its name, by their paths. */
export function RoomList({ rooms }: { rooms: RoomInfo[] }) {
  const projects = new Map<string, RoomInfo[]>();
  const alone: RoomInfo[] = [];
  for (const room of rooms) {
    const project = room.settings.project;
    if (!project) alone.push(room);
    else if (projects.has(project)) projects.get(project)!.push(room);
    else projects.set(project, [room]);
  }
  return (
    <>
      {[...projects].map(([project, files]) => (
        <details key={project} open class="project">
          <summary><Icon of={Folder} /> <strong>{project}</strong> <span class="muted">{count(files.length, "file")}</span></summary>
          <ul class="rooms">{files.sort((a, b) => a.settings.path.localeCompare(b.settings.path)).map((room) => <Row key={room.room} room={room} path />)}</ul>
        </details>
      ))}
      <ul class="rooms">{alone.map((room) => <Row key={room.room} room={room} />)}</ul>
    </>
  );
}

function Row({ room, path }: { room: RoomInfo; path?: boolean }) {
  const { settings } = room;
  const title = path && settings.path ? settings.path : titleOf(room);
  const preview = room.preview.trim();
  return (
    <li>
      <a class="room-row" href={roomAddress(room.room)}>
        <span class="row">
          <strong class="cut" dir="auto">{title}</strong>
          {title !== room.room && <span class="muted cut mono name">{room.room}</span>}
          {room.unread > 0 && <span class="badge nums" title={count(room.unread, "unread message")}>{room.unread > 99 ? "99+" : room.unread}</span>}
          <span class="grow" />
          {room.present > 0 && <span class="here nums" title={`${count(room.present, "person", "people")} here now`}><Icon of={Users} size={14} /> {room.present}</span>}
          <time class="muted nums" dateTime={new Date(room.changed_ms).toISOString()}>{ago(room.changed_ms)}</time>
        </span>
        <span class="preview mono cut" dir="auto">{preview ? preview.replace(/\s+/g, " ") : <span class="muted">Empty</span>}</span>
        {(settings.tags.length > 0 || (settings.language && settings.language !== "plaintext")) && (
          <span class="row tight">
            {settings.language && settings.language !== "plaintext" && <span class="tag">{languageName(settings.language)}</span>}
            {settings.tags.map((tag) => <span key={tag} class="tag">#{tag}</span>)}
          </span>
        )}
      </a>
    </li>
  );
}
