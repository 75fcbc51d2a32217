import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Download } from "lucide";
import type { RoomSettings } from "@motet/client";
import { base } from "../address";
import { allLanguages } from "../editor/languages";
import { apiBlob, wordsOf } from "../live/api";
import type { OpenRoom } from "../live/room";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { toast } from "../ui/toast";

/** Whether the settings of the room are open. */
export const roomSettings = signal(false);

/** Saves a file of the server's on this device. */
export async function save(path: string, name: string): Promise<void> {
  const address = URL.createObjectURL(await apiBlob(path));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const LIVES: [number, string][] = [[0, "never"], [86_400, "a day"], [604_800, "a week"], [2_592_000, "30 days"], [31_536_000, "a year"]];

export function RoomSettingsDialog({ room }: { room: OpenRoom }) {
  const now = room.settings.value;
  const [form, setForm] = useState({ title: now.title, description: now.description, tags: now.tags.join(" "), language: now.language || "plaintext", project: now.project ?? "", path: now.path, ttl_s: now.ttl_s });
  const [problem, setProblem] = useState("");
  const close = () => { roomSettings.value = false; };
  const set = (key: keyof typeof form) => (event: Event) => setForm({ ...form, [key]: (event.currentTarget as HTMLInputElement).value });
  const submit = async (event: Event) => {
    event.preventDefault();
    const wanted: Partial<RoomSettings> = { title: form.title.trim(), description: form.description.trim(), tags: form.tags.split(/[\s,#]+/).filter(Boolean), language: form.language, path: form.path.trim() };
    if (room.isHost.value) { wanted.project = form.project.trim(); wanted.ttl_s = Number(form.ttl_s); }
    const changed = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(now[key as keyof RoomSettings] ?? "")));
    try { if (Object.keys(changed).length) await room.change(changed); close(); } catch (error) { setProblem(wordsOf(error)); }
  };
  const off = !room.canEdit.value;
  return (
    <Dialog title="Room settings" onClose={close}>
      <form class="stack" onSubmit={submit}>
        <label class="field"><span>Title</span><input class="input" disabled={off} value={form.title} onInput={set("title")} /></label>
        <label class="field"><span>Description</span><input class="input" disabled={off} value={form.description} onInput={set("description")} /></label>
        <label class="field"><span>Tags</span><input class="input" disabled={off} value={form.tags} placeholder="separated by spaces" onInput={set("tags")} /></label>
        <label class="field"><span>Language</span>
          <select class="input" disabled={off} value={form.language} onChange={set("language")}>{allLanguages().map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select></label>
        {room.isHost.value && <>
          <label class="field"><span>Project</span><input class="input mono" value={form.project} placeholder="none" onInput={set("project")} /></label>
          {form.project && <label class="field"><span>Path in the project</span><input class="input mono" value={form.path} placeholder="src/main.rs" onInput={set("path")} /></label>}
          <label class="field"><span>Deleted when nothing happened for</span><select class="input" value={form.ttl_s} onChange={set("ttl_s")}>
            {!LIVES.some(([seconds]) => seconds === Number(form.ttl_s)) && <option value={form.ttl_s}>{Number(form.ttl_s) / 3600} hours</option>}
            {LIVES.map(([seconds, words]) => <option key={seconds} value={seconds}>{words}</option>)}</select></label>
        </>}
        {problem && <p class="problem" role="alert">{problem}</p>}
        {!off && <div class="dialog-foot"><button type="submit" class="button main">Save</button></div>}
      </form>
      <section class="stack"><h3>Take it along</h3>
        <div class="row wrapping">
          <button type="button" class="button line" onClick={() => void save(`rooms/${room.id}/export?format=text`, fileName(room)).catch((error) => toast(wordsOf(error)))}><Icon of={Download} /> The text</button>
          <button type="button" class="button line" onClick={() => void save(`rooms/${room.id}/export`, `${room.id}.motet.jsonl`).catch((error) => toast(wordsOf(error)))}><Icon of={Download} /> All of its history</button>
        </div></section>
      {room.isHost.value && <Delete room={room} />}
    </Dialog>
  );
}

export const fileName = (room: OpenRoom) => room.settings.value.path.split("/").at(-1) || (/\.\w+$/.test(room.settings.value.title) ? room.settings.value.title : `${room.id}.txt`);

function Delete({ room }: { room: OpenRoom }) {
  const [sure, setSure] = useState(false);
  const [kept, setKept] = useState(true);
  const remove = async () => {
    try {
      if (kept) await save(`rooms/${room.id}/export`, `${room.id}.motet.jsonl`);
      await room.motet.rooms.delete(room.id);
      location.assign(base.href);
    } catch (error) { toast(wordsOf(error)); }
  };
  return (
    <section class="stack"><h3>Delete</h3>
      {sure
        ? <><p>The text, its history, chat and comments are deleted for everyone.</p>
            <label class="check"><input type="checkbox" checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} /> Save an export first, from which the room can be made again</label>
            <div class="row"><button type="button" class="button danger line" onClick={() => void remove()}>Delete for good</button><button type="button" class="button" onClick={() => setSure(false)}>Cancel</button></div></>
        : <div><button type="button" class="button danger line" onClick={() => setSure(true)}>Delete this room…</button></div>}
    </section>
  );
}
