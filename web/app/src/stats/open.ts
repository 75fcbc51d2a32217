import { signal } from "@preact/signals";

/** Whether the statistics of the room are open. */
export const statisticsOpen = signal(false);
