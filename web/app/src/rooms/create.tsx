import { useState } from "preact/hooks";
import { ROOM_NAME, roomAddress } from "../address";
import { allLanguages, languageOfFile } from "../editor/languages";
import { api, wordsOf } from "../live/api";
import { bytes } from "../time";
import { Dialog } from "../ui/dialog";

/** Texts to begin with. */
const TEMPLATES: { id: string; label: string; language: string; text: string }[] = [
  { id: "empty", label: "Empty", language: "", text: "" },
  { id: "meeting", label: "Meeting notes", language: "markdown", text: "# Meeting\n\nDate: \nPresent: \n\n## Agenda\n\n1. \n\n## Decisions\n\n- \n\n## To do\n\n- [ ] \n" },
  { id: "interview", label: "Coding interview", language: "python", text: '"""Task\n\nDescribe it here.\n"""\n\n\ndef solve(lines: list[str]) -> int:\n    raise NotImplementedError\n\n\nassert solve([]) == 0\n' },
];

/** What a title becomes in an address. */
export const nameOf = (title: string) =>
  title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);

export function CreateRoom({ file, title: begun = "", onClose }: { file?: File | null; title?: string; onClose: () => void }) {
  const [title, setTitle] = useState(file?.name.replace(/\.[^.]+$/, "") ?? begun);
  const [name, setName] = useState<string | null>(null);
  const [language, setLanguage] = useState(file ? languageOfFile(file.name) : "");
  const [template, setTemplate] = useState("empty");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const address = name ?? nameOf(title);
  const bad = address !== "" && !ROOM_NAME.test(address);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (bad || busy) return;
    setBusy(true);
    setProblem("");
    try {
      const begin = TEMPLATES.find(({ id }) => id === template)!;
      const text = file ? await file.text() : begin.text;
      const chosen = language || begin.language;
      const settings = { ...(title && { title }), ...(chosen && { language: chosen }) };
      const made = await api<{ room: string } & { id?: string }>("rooms", { method: "POST", body: { ...(address && { room: address }), settings, ...(text && { text }) } });
      location.assign(roomAddress(made.room ?? made.id ?? address));
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="New room" onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <label class="field"><span>Title</span>
          <input class="input" value={title} autofocus placeholder="What is it about?" onInput={(event) => setTitle(event.currentTarget.value)} /></label>
        <label class="field"><span>Address</span>
          <input class="input mono" value={address} placeholder="left empty, a random one is made" spellcheck={false} autocapitalize="off"
            aria-invalid={bad} onInput={(event) => setName(event.currentTarget.value)} /></label>
        {bad && <p class="problem">An address has 1 to 64 of a-z, 0-9, - and _.</p>}
        {file
          ? <p class="note">Begins with {file.name}, {bytes(file.size)}.</p>
          : <label class="field"><span>Begin with</span>
              <select class="input" value={template} onChange={(event) => setTemplate(event.currentTarget.value)}>
                {TEMPLATES.map(({ id, label }) => <option key={id} value={id}>{label}</option>)}
              </select></label>}
        <label class="field"><span>Language</span>
          <select class="input" value={language} onChange={(event) => setLanguage(event.currentTarget.value)}>
            <option value="">{file ? "Plain text" : "As the text it begins with"}</option>
            {allLanguages().map(([setting, label]) => <option key={setting} value={setting}>{label}</option>)}
          </select></label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>Cancel</button>
          <button type="submit" class="button main" disabled={bad || busy}>Create</button>
        </div>
      </form>
    </Dialog>
  );
}
