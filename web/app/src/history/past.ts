import { effect, signal } from "@preact/signals";

/** The revision that is looked at instead of the live text; null for the live one. It stands in the address. */
export const past = signal<number | null>(null);
/** Whether the difference between that revision and now is shown. */
export const comparing = signal(false);

const asked = new URLSearchParams(location.search).get("at");
if (asked !== null && /^\d+$/.test(asked)) past.value = Number(asked);

effect(() => {
  const url = new URL(location.href);
  if (past.value === null) { url.searchParams.delete("at"); comparing.value = false; } else url.searchParams.set("at", String(past.value));
  if (url.href !== location.href) history.replaceState(history.state, "", url);
});
