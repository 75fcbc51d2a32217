import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { OpenRoom } from "../live/room";
import { wordsOf } from "../live/api";
import { number } from "../time";
import { Dialog } from "../ui/dialog";

/** The revision that is being given a name; 0 for the newest, null while none is. */
export const namingVersion = signal<number | null>(null);

export function NameVersion({ room }: { room: OpenRoom }) {
  const [title, setTitle] = useState("");
  const [description, setDescription] = useState("");
  const [problem, setProblem] = useState("");
  const revision = namingVersion.value ?? 0;
  const close = () => { namingVersion.value = null; };
  const submit = async (event: Event) => {
    event.preventDefault();
    try { await room.room.versions.add(title.trim(), { revision, description: description.trim() }); close(); } catch (error) { setProblem(wordsOf(error)); }
  };
  return (
    <Dialog title={revision ? `Name revision ${number(revision)}` : "Name this version"} onClose={close}>
      <form class="stack" onSubmit={submit}>
        <label class="field"><span>Name</span><input class="input" required maxLength={64} autofocus value={title} placeholder="draft" onInput={(event) => setTitle(event.currentTarget.value)} /></label>
        <label class="field"><span>What is special about it</span><input class="input" maxLength={500} value={description} onInput={(event) => setDescription(event.currentTarget.value)} /></label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <div class="dialog-foot"><button type="button" class="button" onClick={close}>Cancel</button><button type="submit" class="button main">Name it</button></div>
      </form>
    </Dialog>
  );
}
