import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A dialog near the top of the window, with a field and a list. */
export function PaletteDialog({ label, onClose, children }: { label: string; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    dialog.querySelector("input")?.focus();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={element} class="palette" aria-label={label} onCancel={(event) => { event.preventDefault(); onClose(); }} onPointerDown={(event) => { if (event.target === element.current) onClose(); }}>
      {children}
    </dialog>
  );
}
