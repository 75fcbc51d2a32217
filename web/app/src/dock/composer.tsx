import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { SendHorizontal } from "lucide";
import type { OpenRoom } from "../live/room";
import { cssOf } from "../people";
import { Icon } from "../ui/icon";

const TYPING_MS = 3000;

/** A field for a message: Enter sends, Shift+Enter begins a line, `@` completes the names of those who are here. */
export function Composer({ room, label, begun = "", send, onCancel, quiet, autofocus }: {
  room: OpenRoom; label: string; begun?: string; send: (text: string) => Promise<unknown>; onCancel?: () => void; quiet?: boolean; autofocus?: boolean;
}) {
  const words = useSignal(begun);
  const at = useSignal(0);
  const problem = useSignal("");
  const field = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const stop = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typing = (on: boolean) => { if (!quiet) room.room.setPresence({ typing: on }); };
  useEffect(() => {
    if (autofocus) { field.current?.focus(); field.current?.setSelectionRange(begun.length, begun.length); }
    return () => { if (stop.current) { clearTimeout(stop.current); typing(false); } };
  }, []);
  const begin = /(?:^|\s)@([^\s@]*)$/.exec(words.value.slice(0, field.current?.selectionStart ?? words.value.length));
  const names = begin ? room.others.value.filter(({ name }) => name.toLocaleLowerCase().startsWith(begin[1]!.toLocaleLowerCase())).slice(0, 6) : [];
  const complete = (name: string) => {
    const end = field.current!.selectionStart;
    words.value = `${words.value.slice(0, end - begin![1]!.length)}${name} ${words.value.slice(end)}`;
    field.current!.focus();
  };
  const submit = async () => {
    const text = words.value.trim();
    if (!text) return;
    words.value = "";
    problem.value = "";
    if (stop.current) { clearTimeout(stop.current); stop.current = undefined; typing(false); }
    try { await send(text); } catch (error) { words.value = text; problem.value = error instanceof Error ? error.message : "not sent"; }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (names.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); at.value = (at.value + (event.key === "ArrowDown" ? 1 : -1) + names.length) % names.length; return; }
    if (names.length && (event.key === "Tab" || event.key === "Enter")) { event.preventDefault(); complete(names[Math.min(at.value, names.length - 1)]!.name); return; }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); void submit(); }
    if (event.key === "Escape" && onCancel) { event.stopPropagation(); onCancel(); }
  };
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      {names.length > 0 && (
        <div id={list} class="mentions listbox" role="listbox" aria-label="People">
          {names.map((human, i) => <div key={human.participant} id={`${list}-${i}`} class="option" role="option" aria-selected={i === at.value} onPointerDown={(event) => { event.preventDefault(); complete(human.name); }}><span class="dot" style={{ "--who": cssOf(human.hue) }} />{human.name}</div>)}
        </div>
      )}
      {problem.value && <p class="problem note" role="alert">Not sent: {problem.value}</p>}
      <div class="composer-row">
        <textarea ref={field} class="input" rows={1} aria-label={label} placeholder={label} value={words.value} maxLength={8000} aria-controls={names.length ? list : undefined}
          aria-activedescendant={names.length ? `${list}-${at.value}` : undefined}
          onInput={(event) => {
            words.value = event.currentTarget.value;
            at.value = 0;
            typing(true);
            clearTimeout(stop.current);
            stop.current = setTimeout(() => { stop.current = undefined; typing(false); }, TYPING_MS);
          }}
          onKeyDown={onKeyDown} />
        <button type="submit" class="button only" aria-label="Send" disabled={!words.value.trim()}><Icon of={SendHorizontal} /></button>
      </div>
    </form>
  );
}
