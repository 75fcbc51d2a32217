import { X } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon";

/** A modal dialog of the platform: it keeps the focus inside, and Escape closes it. It is shown as long as it is mounted. */
export function Dialog({ title, onClose, wide, children }: {
  title: string; onClose: () => void; wide?: boolean; children: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={element} class={wide ? "wide" : ""} aria-labelledby={heading} onCancel={(event) => { event.preventDefault(); onClose(); }}
      onPointerDown={(event) => { if (event.target === element.current) onClose(); }}>
      <div class="dialog-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" class="button only" aria-label="Close" onClick={onClose}><Icon of={X} /></button>
      </div>
      <div class="dialog-body" onPointerDown={(event) => event.stopPropagation()}>{children}</div>
    </dialog>
  );
}
