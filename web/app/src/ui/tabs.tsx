import type { IconNode } from "lucide";
import { Icon } from "./icon";

export interface Tab<Id extends string> { id: Id; label: string; icon: IconNode; badge?: number }

/** The strip of a tab list, after the ARIA Authoring Practices: one tab stop, arrows go on and choose. The panel is `panel-ID`. */
export function TabStrip<Id extends string>({ label, tabs, chosen, onChoose }: {
  label: string; tabs: Tab<Id>[]; chosen: Id | null; onChoose: (id: Id) => void;
}) {
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ id }) => id === chosen);
    const to = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? -1 : undefined;
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length]!;
    onChoose(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map(({ id, label: name, icon, badge }, i) => (
        <button key={id} type="button" role="tab" id={`tab-${id}`} class="tab" aria-selected={id === chosen} aria-controls={id === chosen ? `panel-${id}` : undefined}
          tabIndex={id === chosen || (!chosen && !i) ? 0 : -1} onClick={() => onChoose(id)}>
          <Icon of={icon} /><span>{name}</span>
          {!!badge && <span class="badge nums" aria-label={`${badge} new`}>{badge > 99 ? "99+" : badge}</span>}
        </button>
      ))}
    </div>
  );
}
