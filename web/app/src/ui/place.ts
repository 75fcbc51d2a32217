import { autoUpdate, computePosition, flip, offset, shift, type Placement } from "@floating-ui/dom";

/** Keeps a popover beside its anchor until the returned function is called. */
export function place(anchor: Element, floating: HTMLElement, placement: Placement = "bottom-start"): () => void {
  return autoUpdate(anchor, floating, () => {
    void computePosition(anchor, floating, {
      placement, strategy: "fixed", middleware: [offset(4), flip({ padding: 8 }), shift({ padding: 8 })],
    }).then(({ x, y }) => { floating.style.left = `${x}px`; floating.style.top = `${y}px`; });
  });
}
