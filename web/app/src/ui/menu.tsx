import type { Placement } from "@floating-ui/dom";
import { Check, type IconNode } from "lucide";
import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./icon";
import { place } from "./place";

export interface MenuItem {
  label: string;
  icon?: IconNode;
  keys?: string;
  /** Set for what can be on or off. */
  checked?: boolean;
  /** Set for one of several: a radio in its group. */
  chosen?: boolean;
  disabled?: boolean;
  danger?: boolean;
  run: () => void;
}
/** A line between two groups, or a heading. */
export type MenuEntry = MenuItem | "-" | { heading: string };

/** A button with a menu, after the menu button pattern of the ARIA Authoring Practices: arrows, Home, End, first letters, Escape. */
export function MenuButton({ label, children, items, placement = "bottom-end", class: name = "button only" }: {
  label: string; children: ComponentChildren; items: () => MenuEntry[]; placement?: Placement; class?: string;
}) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (back: boolean) => { setOpen(false); if (back) button.current?.focus(); };
  return (
    <>
      <button ref={button} type="button" class={name} aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)} onKeyDown={(event) => { if (event.key === "ArrowDown") { event.preventDefault(); setOpen(true); } }}>
        {children}
      </button>
      {open && <Menu id={id} label={label} anchor={button.current!} items={items()} placement={placement} onClose={close} />}
    </>
  );
}

function Menu({ id, label, anchor, items, placement, onClose }: {
  id: string; label: string; anchor: HTMLElement; items: MenuEntry[]; placement: Placement; onClose: (back: boolean) => void;
}) {
  const element = useRef<HTMLDivElement>(null);
  const buttons = () => [...element.current!.querySelectorAll<HTMLElement>("[role^=menuitem]")];
  useEffect(() => {
    const menu = element.current!;
    menu.showPopover();
    const stop = place(anchor, menu, placement);
    (buttons().find((item) => item.getAttribute("aria-checked") === "true") ?? buttons()[0])?.focus();
    const toggled = (event: Event) => { if ((event as ToggleEvent).newState === "closed") onClose(menu.contains(document.activeElement)); };
    menu.addEventListener("toggle", toggled);
    return () => { stop(); menu.removeEventListener("toggle", toggled); };
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? -1
      : event.key.length === 1 && /\S/.test(event.key)
        ? all.findIndex((_, i) => all[(at + 1 + i) % all.length]!.textContent!.trim().toLowerCase().startsWith(event.key.toLowerCase())) + at + 1
        : undefined;
    if (event.key === "Tab") onClose(false);
    if (to === undefined) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  };
  return (
    <div ref={element} id={id} popover="auto" role="menu" aria-label={label} class="menu" onKeyDown={onKeyDown}>
      {items.map((item, i) => {
        if (item === "-") return <hr key={i} role="separator" />;
        if ("heading" in item) return <div key={i} class="head" role="presentation">{item.heading}</div>;
        const state = item.chosen ?? item.checked;
        const role = item.chosen !== undefined ? "menuitemradio" : item.checked !== undefined ? "menuitemcheckbox" : "menuitem";
        return (
          <button key={i} type="button" role={role} tabIndex={-1} aria-checked={state} aria-disabled={item.disabled} class={item.danger ? "problem" : ""}
            onClick={() => { if (item.disabled) return; onClose(true); item.run(); }}>
            {state !== undefined ? (state ? <Icon of={Check} /> : <span class="icon" style={{ width: "16px" }} />) : item.icon && <Icon of={item.icon} />}
            <span class="cut">{item.label}</span>
            {item.keys && <Fragment><span class="keys" aria-hidden="true">{item.keys}</span></Fragment>}
          </button>
        );
      })}
    </div>
  );
}
