import { signal } from "@preact/signals";

/** A screen reader hears at most one message in this time; the last one of those that wait wins. */
const GAP_MS = 5000;
const words = signal("");
let last = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Reads a sentence out, politely. */
export function announce(sentence: string, urgent = false): void {
  clearTimeout(waiting);
  const wait = urgent ? 0 : Math.max(0, last + GAP_MS - Date.now());
  waiting = setTimeout(() => { last = Date.now(); words.value = ""; requestAnimationFrame(() => { words.value = sentence; }); }, wait);
}

export function Announcer() {
  return <div class="sr" aria-live="polite" id="announcer">{words.value}</div>;
}
