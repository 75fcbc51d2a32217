import type { ChangeSet } from "@codemirror/state";

import { later } from "../env.js";
import type { Machine } from "../ot/machine.js";
import { mapping, mapSelection } from "../ot/places.js";
import { toScalar } from "../text/counts.js";
import type { Selection, WirePresence } from "../wire.js";
import { NO_PRESENCE, type Presence } from "./people.js";

/** Shortest time between two presences that are sent, ms. */
const EVERY_MS = 50;

/**
 * What one tells of oneself. The newest is sent, and only when every edit is acknowledged: places in a text that the server does not know
 * cannot be told.
 */
export class OwnPresence {
  /** As it was set, with places moved along with the text. */
  current: Presence = NO_PRESENCE;
  readonly #send: (presence: WirePresence, base: number) => boolean;
  readonly #machine: () => Machine | null;
  #due = false;
  #timer: (() => void) | null = null;

  /**
   * @param send Sends it; returns whether there was a connection.
   * @param machine The room's state, if everything of the server's is in it.
   */
  constructor(send: (presence: WirePresence, base: number) => boolean, machine: () => Machine | null) {
    this.#send = send;
    this.#machine = machine;
  }

  set(presence: Partial<Presence>): void {
    this.current = { ...this.current, ...presence };
    this.again();
    this.schedule();
  }

  /** The server has to be told anew: the connection is another. */
  again(): void {
    this.#due = true;
  }

  /** Sends it soon, if there is something to tell. */
  schedule(): void {
    if (!this.#due || this.#timer) return;
    this.#timer = later(EVERY_MS, () => {
      this.#timer = null;
      this.#tell();
    });
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
  }

  /** The text was changed: by oneself (`own`), which takes one's caret along, or by others. */
  moveOver(changes: ChangeSet, own: boolean): void {
    const { selections, viewport } = this.current;
    if (!selections.length && !viewport) return;
    const map = mapping(changes);
    this.current = {
      ...this.current,
      selections: selections.map((selection) => mapSelection(map, selection, own)),
      viewport: viewport && mapSelection(map, viewport, own),
    };
  }

  #tell(): void {
    const machine = this.#machine();
    if (!this.#due || !machine || machine.queue.some((pending) => pending.kind === "edit")) return;
    const place = (position: number) => toScalar(machine.base, Math.max(0, Math.min(position, machine.base.length)));
    const selection = ({ anchor, head }: Selection): Selection => ({ anchor: place(anchor), head: place(head) });
    const { selections, viewport, ...rest } = this.current;
    const presence = { ...rest, selections: selections.slice(0, 64).map(selection), viewport: viewport && selection(viewport) };
    this.#due = !this.#send(presence, machine.revision);
  }
}
