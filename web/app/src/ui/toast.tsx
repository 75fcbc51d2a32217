import { signal } from "@preact/signals";

interface Toast { id: number; words: string; action?: { label: string; run: () => void } }
const toasts = signal<Toast[]>([]);
let count = 0;

/** Shows a sentence for some seconds, and reads it out. */
export function toast(words: string, action?: Toast["action"]): void {
  const id = ++count;
  toasts.value = [...toasts.value.slice(-2), { id, words, ...(action && { action }) }];
  setTimeout(() => { toasts.value = toasts.value.filter((one) => one.id !== id); }, action ? 9000 : 5000);
}

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, words, action }) => (
        <div key={id} class="toast">
          <span>{words}</span>
          {action && <button type="button" class="link" onClick={() => { action.run(); toasts.value = toasts.value.filter((one) => one.id !== id); }}>{action.label}</button>}
        </div>
      ))}
    </div>
  );
}
