import { signal } from "@preact/signals";

/** Whether this page is in the room's call, or joins it. */
export const calling = signal(false);
