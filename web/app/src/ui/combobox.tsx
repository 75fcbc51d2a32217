import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export interface Option { id: string; label: string; group?: string; run: () => void; body?: ComponentChildren }

/** A text field with the list of what fits (the combobox pattern with a listbox). The caller filters. */
export function Combobox({ label, placeholder, options, query, onQuery, empty }: {
  label: string; placeholder: string; options: Option[]; query: string; onQuery: (query: string) => void; empty: string;
}) {
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const chosen = Math.min(at, options.length - 1);
  useEffect(() => setAt(0), [query]);
  useEffect(() => { list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }); });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by && options.length) { event.preventDefault(); setAt((chosen + by + options.length) % options.length); }
    if (event.key === "Enter") { event.preventDefault(); options[chosen]?.run(); }
  };
  let group: string | undefined;
  return (
    <>
      <input type="text" role="combobox" aria-label={label} aria-expanded="true" aria-controls={id} aria-autocomplete="list"
        aria-activedescendant={options.length ? `${id}-${chosen}` : undefined} placeholder={placeholder} value={query} autocomplete="off" spellcheck={false} autofocus
        onInput={(event) => onQuery(event.currentTarget.value)} onKeyDown={onKeyDown} />
      <div ref={list} id={id} role="listbox" aria-label={label} class="listbox">
        {options.map((option, i) => {
          const heading = option.group !== group ? (group = option.group) : undefined;
          return (
            <>
              {heading && <div class="group" role="presentation">{heading}</div>}
              <div key={option.id} id={`${id}-${i}`} role="option" class="option" aria-selected={i === chosen} onPointerMove={() => setAt(i)} onClick={option.run}>
                {option.body ?? option.label}
              </div>
            </>
          );
        })}
        {!options.length && <div class="empty" role="option" aria-disabled="true" aria-selected="false">{empty}</div>}
      </div>
    </>
  );
}
