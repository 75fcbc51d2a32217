import { ArrowDownAZ, Clock, FileUp, Plus, Search, User } from "lucide";
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { AccountButton } from "../account/button";
import { account } from "../live/account";
import { roomList } from "../live/rooms";
import { Icon } from "../ui/icon";
import { Logo } from "../ui/logo";
import { CreateRoom } from "./create";
import { pick, tagsOf } from "./filter";
import { RoomList } from "./list";

/** The page at `/`: the rooms that may be seen, live. */
export function RoomsPage() {
  const words = useSignal("");
  const mine = useSignal(false);
  const tag = useSignal<string | null>(null);
  const sort = useSignal<"changed" | "name">("changed");
  const making = useSignal<File | true | null>(null);
  const over = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const { rooms, state, trouble } = roomList();
  const shown = useComputed(() => pick(rooms.value.values(), { words: words.value, mine: mine.value, account: account.value, tag: tag.value, sort: sort.value }));
  const tags = useComputed(() => tagsOf(rooms.value.values()));
  useEffect(() => {
    document.title = "Rooms · Motet";
    const slash = (event: KeyboardEvent) => {
      if (event.key === "/" && !(event.target instanceof HTMLInputElement) && !document.querySelector("dialog[open]")) { event.preventDefault(); field.current?.focus(); }
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    over.value = false;
    const file = event.dataTransfer?.files[0];
    if (file) making.value = file;
  };
  return (
    <div class={`home${over.value ? " over" : ""}`} onDrop={drop} onDragLeave={() => { over.value = false; }}
      onDragOver={(event) => { if (event.dataTransfer?.types.includes("Files")) { event.preventDefault(); over.value = true; } }}>
      <header class="bar"><Logo /><strong class="grow">Motet</strong><AccountButton /></header>
      <main class="home-main">
        <div class="home-head">
          <h1 class="grow">Rooms</h1>
          <button type="button" class="button main" onClick={() => { making.value = true; }}><Icon of={Plus} /> New room</button>
        </div>
        <div class="home-tools">
          <div class="searchfield grow"><Icon of={Search} />
            <input ref={field} type="search" class="input" aria-label="Search rooms" placeholder="Search names, titles, tags, first lines" value={words} onInput={(event) => { words.value = event.currentTarget.value; }} /></div>
          <button type="button" class="button only" aria-label={sort.value === "name" ? "Sorted by name; sort by change" : "Sorted by change; sort by name"} title={sort.value === "name" ? "Sorted by name" : "Sorted by last change"}
            onClick={() => { sort.value = sort.value === "name" ? "changed" : "name"; }}><Icon of={sort.value === "name" ? ArrowDownAZ : Clock} /></button>
        </div>
        {(account.value || tags.value.length > 0) && (
          <div class="chips" role="group" aria-label="Filters">
            {account.value && <button type="button" class="button line" aria-pressed={mine.value} onClick={() => { mine.value = !mine.value; }}><Icon of={User} size={14} /> Mine</button>}
            {tags.value.map((one) => <button key={one} type="button" class="button line" aria-pressed={tag.value === one} onClick={() => { tag.value = tag.value === one ? null : one; }}>#{one}</button>)}
          </div>
        )}
        {trouble.value && <p class="notice" role="status">{trouble.value}</p>}
        {state.value === "loading" && !trouble.value ? <p class="muted empty-note">Loading…</p>
          : shown.value.length ? <RoomList rooms={shown.value} />
          : rooms.value.size ? <p class="muted empty-note">No room fits. {words.value && <button type="button" class="link" onClick={() => { making.value = true; }}>Create “{words.value}”</button>}</p>
          : state.value === "ready" && (
            <div class="empty-note stack"><p>No rooms yet.</p><p class="muted">Create one, or drop a text file here: it becomes a room that others can open by its link.</p>
              <p><label class="button line"><Icon of={FileUp} /> Choose a file<input type="file" class="sr" onChange={(event) => { making.value = event.currentTarget.files?.[0] ?? null; }} /></label></p></div>)}
      </main>
      {over.value && <div class="drop" aria-hidden="true">Drop the file to make a room of it</div>}
      {making.value && <CreateRoom file={making.value === true ? null : making.value} title={making.value === true ? words.value : ""} onClose={() => { making.value = null; }} />}
    </div>
  );
}
