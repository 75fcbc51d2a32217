import type { Placement } from "@floating-ui/dom";
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { place } from "./place";

/** A card beside its anchor, closed by Escape or by a click elsewhere. It is shown as long as it is mounted. */
export function Popover({ anchor, onClose, placement, label, children, class: name = "card" }: {
  anchor: RefObject<HTMLElement | null>; onClose: () => void; placement?: Placement; label: string; children: ComponentChildren; class?: string;
}) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const card = element.current!;
    card.showPopover();
    const stop = anchor.current ? place(anchor.current, card, placement) : () => {};
    const toggled = (event: Event) => { if ((event as ToggleEvent).newState === "closed") onClose(); };
    card.addEventListener("toggle", toggled);
    const first = card.querySelector<HTMLElement>("[autofocus], input, button, [tabindex='0']");
    first?.focus();
    return () => { stop(); card.removeEventListener("toggle", toggled); };
  }, []);
  return <div ref={element} popover="auto" role="dialog" aria-label={label} class={name}>{children}</div>;
}
